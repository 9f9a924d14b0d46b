#include "report/table_sources.h"

#include <algorithm>
#include <set>

#include "base/words.h"
#include "domain/coordinates.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kLabelsListed = 8;
constexpr const char* kNone = "(none)";

using Variants = std::vector<const StudyVariant*>;

void add_once(std::vector<std::string>& words, const std::string& word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}

std::string similar(const std::string& word, const std::vector<std::string>& known, const std::string& what,
                    const std::string& otherwise) {
  const std::string near = nearest(word, known);
  return near.empty() ? otherwise : what + " with a similar name exists: " + ticked(near);
}

class RowReader {
 public:
  RowReader(const RowSpec& row, const StudyResults& study, Diagnostics& problems)
      : row_(row), study_(study), problems_(problems) {}

  RowSources read() {
    RowSources sources;
    for (const auto& [role, stage] : row_.stages) sources[role.value] = variants_of(stage);
    const std::size_t before = problems_.size();
    for (const auto& [axis, value] : row_.at) check_pin(axis, value, sources);
    if (problems_.size() > before) return sources;
    for (const auto& [role, stage] : row_.stages) {
      Variants& variants = sources[role.value];
      if (variants.empty()) continue;  // reported as unknown
      variants = agreeing(variants);
      if (variants.empty()) {
        nothing_there(stage);
      } else {
        check_seed_alone(stage, variants);
      }
    }
    return sources;
  }

 private:
  Variants variants_of(const Text& stage) {
    Variants variants;
    std::vector<std::string> stages;
    for (const StudyVariant& variant : study_.variants) {
      add_once(stages, variant.stage);
      if (variant.stage == stage.value) variants.push_back(&variant);
    }
    if (variants.empty()) {
      problems_.push_back(
          error("LB7021", "experiment " + ticked(study_.experiment) + " has no stage " + ticked(stage.value))
              .at(stage.span, "unknown stage")
              .note("its stages, as of its last run: " + joined(stages))
              .fix(similar(stage.value, stages, "a stage",
                           "use one of these, or run the experiment again if it was changed")));
    }
    return variants;
  }

  void check_pin(const Text& axis, const Located<Json>& value, const RowSources& sources) {
    std::vector<std::string> axes;
    std::vector<std::string> values;
    bool there = false;
    bool unknown = false;
    for (const auto& [role, variants] : sources) {
      unknown = unknown || variants.empty();
      for (const StudyVariant* variant : variants) {
        for (const auto& [name, unused] : variant->axes.items()) add_once(axes, name);
        const auto found = variant->axes.find(axis.value);
        if (found == variant->axes.end()) continue;
        add_once(values, scalar_text(*found));
        there = there || *found == value.value;
      }
    }
    if (there || unknown) return;  // the axis may be that of a stage that was reported
    if (values.empty()) {
      problems_.push_back(
          error("LB7022", "no stage of row " + ticked(row_.id.value) + " has an axis " + ticked(axis.value))
              .at(axis.span, "unknown axis")
              .note(axes.empty() ? "its stages have no axes" : "their axes: " + joined(axes))
              .fix(similar(axis.value, axes, "an axis", "remove it, or use one of these")));
      return;
    }
    const std::string text = scalar_text(value.value);
    const bool looks_same = std::find(values.begin(), values.end(), text) != values.end();
    problems_.push_back(error("LB7022", "axis " + ticked(axis.value) + " has no value " + ticked(text) + " in row " +
                                            ticked(row_.id.value))
                            .at(value.span, "not a value of this axis")
                            .note("its values: " + listed(values, kLabelsListed))
                            .fix(looks_same ? "one is text and the other is not: quote both or neither"
                                            : similar(text, values, "a value", "use one of these")));
  }

  /// An axis that the stage has nowhere does not matter to it. Where it has it at some points only, the others are not
  /// meant: a row of a quantized model must never stand on what full precision shares with all of them.
  [[nodiscard]] Variants agreeing(const Variants& all) const {
    Variants variants = all;
    for (const auto& [axis, value] : row_.at) {
      const std::string& name = axis.value;
      const auto has = [&](const StudyVariant* variant) { return variant->axes.contains(name); };
      if (std::none_of(all.begin(), all.end(), has)) continue;
      const auto differs = [&, wanted = &value.value](const auto* v) { return !has(v) || v->axes.at(name) != *wanted; };
      variants.erase(std::remove_if(variants.begin(), variants.end(), differs), variants.end());
    }
    return variants;
  }

  void nothing_there(const Text& stage) {
    std::string point;
    for (const auto& [axis, value] : row_.at) {
      point += (point.empty() ? "" : ", ") + axis.value + "=" + scalar_text(value.value);
    }
    std::vector<std::string> labels;
    for (const StudyVariant* variant : variants_of(stage)) labels.push_back(variant->label);
    problems_.push_back(error("LB7022", "stage " + ticked(stage.value) + " is not run at " + point)
                            .at(stage.span, "in row " + ticked(row_.id.value))
                            .note("it is run as " + listed(labels, kLabelsListed))
                            .fix("correct `at`, or the experiment's matrix"));
  }

  /// Reports every axis on which `variants` differ.
  void check_seed_alone(const Text& stage, const Variants& variants) {
    const auto same_axes = [&](const auto* v) { return v->axes == variants.front()->axes; };
    if (std::all_of(variants.begin(), variants.end(), same_axes)) return;
    std::map<std::string, std::vector<std::string>> values;
    for (const StudyVariant* variant : variants) {
      for (const auto& [axis, value] : variant->axes.items()) values[axis];
    }
    for (const StudyVariant* variant : variants) {
      for (auto& [axis, seen] : values) {
        const auto found = variant->axes.find(axis);
        add_once(seen, found == variant->axes.end() ? kNone : scalar_text(*found));
      }
    }
    Diagnostic problem =
        error("LB7023", "row " + ticked(row_.id.value) + " leaves open which " + ticked(stage.value) + " it means");
    problem.at(stage.span, std::to_string(variants.size()) + " variants");
    std::string open;
    bool everywhere = false;  // an axis that every variant has tells them apart
    for (const auto& [axis, seen] : values) {
      if (seen.size() < 2) continue;
      problem.note("axis " + ticked(axis) + " is open: " + listed(seen, kLabelsListed));
      const bool all = std::find(seen.begin(), seen.end(), kNone) == seen.end();
      if (open.empty() || (all && !everywhere)) open = axis;
      everywhere = everywhere || all;
    }
    problems_.push_back(problem.fix("fix it in the row: `at: {" + open + ": VALUE}`; only the seed may stay open"));
  }

  const RowSpec& row_;
  const StudyResults& study_;
  Diagnostics& problems_;
};

}  // namespace

Result<std::vector<RowSources>> find_sources(const TableSpec& table, const StudyResults& study) {
  Diagnostics problems;
  std::vector<RowSources> sources;
  for (const RowSpec& row : table.rows) sources.push_back(RowReader(row, study, problems).read());
  if (problems.empty()) return sources;
  return problems;
}

std::set<std::string> metrics_of(const TableSpec& table) {
  std::set<std::string> names;
  for (const ColumnSpec& column : table.columns) {
    for (const MetricOf& metric : column.metrics) names.insert(metric.metric.value);
  }
  return names;
}

std::set<std::int64_t> results_of(const std::vector<RowSources>& sources) {
  std::set<std::int64_t> results;
  for (const RowSources& row : sources) {
    for (const auto& [role, variants] : row) {
      for (const StudyVariant* variant : variants) {
        if (variant->result_id) results.insert(*variant->result_id);
      }
    }
  }
  return results;
}

std::vector<std::int64_t> results_with_answers(const TableSpec& table, const std::vector<RowSources>& sources) {
  std::set<std::string> roles;
  for (const ColumnSpec& column : table.columns) {
    if (column.metrics.empty()) roles.insert(column.role.value);
  }
  for (const ComparisonSpec& comparison : table.comparisons) roles.insert(comparison.role.value);
  std::set<std::int64_t> results;
  for (const RowSources& row : sources) {
    for (const auto& [role, variants] : row) {
      if (!roles.contains(role)) continue;
      for (const StudyVariant* variant : variants) {
        if (variant->result_id) results.insert(*variant->result_id);
      }
    }
  }
  return {results.begin(), results.end()};
}

}  // namespace lowbit::report
