#include "report/comparison.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/glob.h"
#include "base/words.h"
#include "report/answers.h"
#include "report/comparison_identity.h"
#include "report/comparison_parameters.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kNamesListed = 12;

bool is_accuracy(const std::string& metric) {
  const MetricDefinition* definition = find_metric(metric);
  return definition != nullptr && definition->name == "<task>/accuracy";
}

bool is_wanted(const std::string& metric, const CompareRequest& request) {
  const auto fits = [&](const std::string& pattern) { return matches_glob(pattern, metric); };
  return request.metrics.empty() || std::any_of(request.metrics.begin(), request.metrics.end(), fits);
}

/// The metrics that the stage reports in any column, by name.
std::set<std::string> metric_names(const SectionVariants& section, const std::string& stage,
                                   const StudyResults& study) {
  std::set<std::string> names;
  for (const ColumnVariants& column : section.columns) {
    for (const std::size_t i : column.by_stage.at(stage)) {
      for (const auto& [name, metric] : study.variants[i].metrics) names.insert(name);
    }
  }
  return names;
}

std::string seeds_text(const std::vector<std::optional<std::int64_t>>& seeds) {
  std::vector<std::string> words;
  words.reserve(seeds.size());
  for (const auto& seed : seeds) words.push_back(seed ? std::to_string(*seed) : "none");
  return joined(words);
}

/// Notes of a refusal in one line.
std::string reason_of(const Diagnostics& problems) {
  const Diagnostic& problem = problems.front();
  return problem.notes.empty() ? problem.what : problem.notes.front();
}

template <class T>
bool all_equal(const std::vector<T>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

class Comparing {
 public:
  Comparing(const StudyResults& study, const StudyRecipes& recipes, const Answers& answers,
            const CompareRequest& request)
      : study_(study), recipes_(recipes), answers_(answers), request_(request), identity_(study, recipes, answers) {}

  ComparedSection section(const SectionVariants& from) {
    ComparedSection out{
        .stages = from.stages, .columns = {}, .n_hidden_columns = from.n_hidden, .parameters = {}, .metrics = {}};
    for (const ColumnVariants& column : from.columns) out.columns.push_back(column_of(column, from.stages.front()));
    for (ComparedParameter& parameter : parameters_of(from, recipes_, study_)) {
      if (request_.everything || differs(parameter)) {
        out.parameters.push_back(std::move(parameter));
      } else {
        ++out.n_equal_parameters;
      }
    }
    for (const std::string& stage : from.stages) {
      for (const std::string& name : metric_names(from, stage, study_)) {
        known_.insert(name);
        if (!is_wanted(name, request_)) continue;
        ComparedMetric metric = measured(from, stage, name);
        any_ = true;
        if (request_.everything || !is_equal(metric)) {
          out.metrics.push_back(std::move(metric));
        } else {
          ++out.n_equal_metrics;
        }
      }
    }
    return out;
  }

  [[nodiscard]] bool any() const { return any_; }
  [[nodiscard]] std::vector<std::string> known() const { return {known_.begin(), known_.end()}; }
  [[nodiscard]] std::vector<std::string> missing() const { return missing_; }

 private:
  ComparedColumn column_of(const ColumnVariants& column, const std::string& stage) const {
    ComparedColumn out{
        .axes = column.axes, .label = study_.variants[column.by_stage.at(stage).front()].label, .seeds = {}};
    std::set<std::int64_t> seeds;
    for (const auto& [name, variants] : column.by_stage) {
      for (const std::size_t i : variants) {
        if (study_.variants[i].seed) seeds.insert(*study_.variants[i].seed);
      }
    }
    out.seeds.assign(seeds.begin(), seeds.end());
    if (const auto seed = out.label.rfind("seed="); seed != std::string::npos) {
      out.label.erase(seed - 1);  // with the comma or bracket before it; the seed is the last one
      if (out.label.find('[') != std::string::npos) out.label += "]";
    }
    return out;
  }

  static bool is_equal(const ComparedMetric& metric) {
    return std::all_of(metric.cells.begin(), metric.cells.end(), [&](const ComparedCell& cell) {
      return cell.state == Figure::State::number && cell.value == metric.cells.front().value &&
             cell.deviation == metric.cells.front().deviation && cell.not_comparable.empty();
    });
  }

  ComparedMetric measured(const SectionVariants& from, const std::string& stage, const std::string& name) {
    ComparedMetric out{.stage = stage, .name = name, .unit = {}, .cells = {}};
    const MetricDefinition* definition = find_metric(name);
    if (definition != nullptr) out.better = definition->better;
    out.from_answers = is_accuracy(name) && all_answered(from, stage);
    for (const ColumnVariants& column : from.columns) {
      const Seeds& seeds = column.by_stage.at(stage);
      ComparedCell cell = out.from_answers ? accuracy(seeds) : mean(seeds, name);
      for (const std::size_t i : seeds) {
        if (const auto metric = study_.variants[i].metrics.find(name); metric != study_.variants[i].metrics.end()) {
          out.unit = metric->second.unit;
        }
      }
      out.cells.push_back(std::move(cell));
    }
    const Seeds& baseline = from.columns.front().by_stage.at(stage);
    for (std::size_t c = 1; c < from.columns.size(); ++c) {
      if (out.cells[c].state != Figure::State::number || out.cells[0].state != Figure::State::number) continue;
      subtract(out.cells[c], from.columns[c].by_stage.at(stage), baseline, name, out.from_answers);
    }
    return out;
  }

  [[nodiscard]] bool all_answered(const SectionVariants& from, const std::string& stage) const {
    for (const ColumnVariants& column : from.columns) {
      for (const std::size_t i : column.by_stage.at(stage)) {
        if (study_.variants[i].result_id && !answers_.contains(*study_.variants[i].result_id)) return false;
      }
    }
    return true;
  }

  /// False when a seed has no result, which is then listed.
  bool complete(const Seeds& seeds) {
    bool all = true;
    for (const std::size_t i : seeds) {
      const StudyVariant& variant = study_.variants[i];
      if (variant.result_id) continue;
      all = false;
      const std::string text = variant.label + " (" + variant.state + ")";
      if (std::find(missing_.begin(), missing_.end(), text) == missing_.end()) missing_.push_back(text);
    }
    return all;
  }

  ComparedCell mean(const Seeds& seeds, const std::string& name) {
    ComparedCell cell{.not_comparable = {}};
    cell.n_seeds = seeds.size();
    cell.state = Figure::State::missing;
    if (!complete(seeds)) return cell;
    std::vector<double> values;
    bool nan = false;
    for (const std::size_t i : seeds) {
      const auto metric = study_.variants[i].metrics.find(name);
      if (metric == study_.variants[i].metrics.end()) continue;
      nan = nan || !metric->second.value;
      values.push_back(metric->second.value.value_or(0));
    }
    if (values.empty()) cell.state = Figure::State::absent;
    if (values.size() != seeds.size()) return cell;
    cell.state = nan ? Figure::State::not_a_number : Figure::State::number;
    for (const double value : values) cell.value += value / static_cast<double>(values.size());
    if (all_equal(values)) cell.value = values.front();
    if (!nan) cell.deviation = sample_deviation(values);
    return cell;
  }

  [[nodiscard]] std::vector<SeedAnswers> answers_of(const Seeds& seeds) const {
    std::vector<SeedAnswers> out;
    for (const std::size_t i : seeds) {
      const StudyVariant& variant = study_.variants[i];
      out.push_back({variant.label, variant.seed, &answers_.at(*variant.result_id)});
    }
    return out;
  }

  ComparedCell accuracy(const Seeds& seeds) {
    ComparedCell cell{.not_comparable = {}};
    cell.n_seeds = seeds.size();
    cell.state = Figure::State::missing;
    if (!complete(seeds)) return cell;
    const Result<Accuracy> measured = accuracy_of(answers_of(seeds));
    if (!measured) {
      cell.not_comparable = reason_of(measured.error());
      return cell;
    }
    cell.state = Figure::State::number;
    cell.value = measured->mean.mean;
    cell.deviation = measured->deviation;
    cell.interval = measured->interval;
    cell.n_items = measured->n_items;
    return cell;
  }

  void subtract(ComparedCell& cell, const Seeds& here, const Seeds& baseline, const std::string& name,
                bool from_answers) {
    const auto pairs = paired(here, baseline);
    if (pairs.empty()) {
      cell.not_comparable =
          "seeds differ: " + seeds_text(seeds_of(here)) + ", baseline " + seeds_text(seeds_of(baseline));
      return;
    }
    for (const auto& [a, b] : pairs) {
      if (auto why = identity_.difference(a, b)) {
        cell.not_comparable = *std::move(why);
        return;
      }
    }
    std::vector<double> deltas;
    deltas.reserve(pairs.size());
    for (const auto& [a, b] : pairs) {
      deltas.push_back(from_answers ? share_right(a) - share_right(b) : value_of(a, name) - value_of(b, name));
    }
    double sum = 0;
    for (const double delta : deltas) sum += delta;
    cell.delta = sum / static_cast<double>(deltas.size());
    cell.delta_deviation = sample_deviation(deltas);
    if (!from_answers) return;
    const Result<Difference> difference = paired_difference(answers_of(here), answers_of(baseline));
    if (!difference) {
      cell.delta.reset();
      cell.delta_deviation.reset();
      cell.not_comparable = reason_of(difference.error());
      return;
    }
    cell.delta = difference->mean.mean;
    cell.delta_interval = difference->interval;
  }

  [[nodiscard]] double share_right(std::size_t variant) const {
    const std::vector<ItemAnswer>& answers = answers_.at(*study_.variants[variant].result_id);
    const auto right =
        std::count_if(answers.begin(), answers.end(), [](const auto& one) { return one.correct.value_or(false); });
    return static_cast<double>(right) / static_cast<double>(answers.size());
  }

  [[nodiscard]] double value_of(std::size_t variant, const std::string& name) const {
    const auto& metrics = study_.variants[variant].metrics;
    const auto metric = metrics.find(name);
    return metric == metrics.end() ? 0 : metric->second.value.value_or(0);
  }

  [[nodiscard]] std::vector<std::optional<std::int64_t>> seeds_of(const Seeds& variants) const {
    std::vector<std::optional<std::int64_t>> seeds;
    for (const std::size_t i : variants) seeds.push_back(study_.variants[i].seed);
    return seeds;
  }

  /// By seed; a single result without seed stands beside every seed of the other. Empty where the seeds differ.
  [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> paired(const Seeds& a, const Seeds& b) const {
    const auto unseeded = [&](const Seeds& one) { return one.size() == 1 && !study_.variants[one.front()].seed; };
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (const std::size_t x : a) {
      for (const std::size_t y : b) {
        if (unseeded(a) || unseeded(b) || study_.variants[x].seed == study_.variants[y].seed) pairs.emplace_back(x, y);
      }
    }
    if (pairs.size() != std::max(a.size(), b.size())) pairs.clear();
    return pairs;
  }

  const StudyResults& study_;
  const StudyRecipes& recipes_;
  const Answers& answers_;
  const CompareRequest& request_;
  Identity identity_;
  std::set<std::string> known_;
  std::vector<std::string> missing_;
  bool any_ = false;
};

}  // namespace

std::vector<std::int64_t> results_to_read(const ComparedVariants& variants, const StudyResults& study,
                                          const StudyRecipes& recipes, const CompareRequest& request) {
  std::set<std::int64_t> results;
  for (const SectionVariants& section : variants.sections) {
    for (const std::string& stage : section.stages) {
      const std::set<std::string> names = metric_names(section, stage, study);
      if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return is_wanted(name, request); }))
        continue;
      for (const ColumnVariants& column : section.columns) {
        for (const std::size_t i : column.by_stage.at(stage)) {
          for (const std::size_t answering : answering_variants(recipes, i)) {
            if (const auto result = study.variants[answering].result_id) results.insert(*result);
          }
        }
      }
    }
  }
  return {results.begin(), results.end()};
}

Result<Comparison> compare(const ComparedVariants& variants, const StudyResults& study, const StudyRecipes& recipes,
                           const Answers& answers, const CompareRequest& request) {
  Comparison out{.experiment = study.experiment, .sections = {}, .alone = variants.alone, .missing = {}};
  Comparing comparing(study, recipes, answers, request);
  for (const SectionVariants& section : variants.sections) {
    ComparedSection compared = comparing.section(section);
    // A section without the metrics that were asked for says nothing.
    if (!request.metrics.empty() && compared.metrics.empty() && compared.n_equal_metrics == 0) continue;
    out.sections.push_back(std::move(compared));
  }
  out.missing = comparing.missing();
  if (request.metrics.empty() || comparing.any()) return out;
  const std::string near = nearest(request.metrics.front(), comparing.known());
  return error("LB7063", "no stage that is compared reports " + joined(request.metrics))
      .note("their metrics: " + listed(comparing.known(), kNamesListed))
      .fix(near.empty() ? "write a name, * stands for any text" : "a similar metric is there: " + ticked(near));
}

}  // namespace lowbit::report
