#include "report/comparison_columns.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/words.h"
#include "domain/coordinates.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kVariantsListed = 6;

/// "num_bits=3" of each axis, and of the seed.
std::set<std::string> settings_of(const StudyVariant& variant) {
  std::set<std::string> settings;
  for (const auto& [axis, value] : variant.axes.items()) settings.insert(axis + "=" + scalar_text(value));
  if (variant.seed) settings.insert("seed=" + std::to_string(*variant.seed));
  return settings;
}

bool any_names(const std::vector<std::string>& words, const StudyVariant& variant) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return names_variant(word, variant); });
}

Diagnostics unknown_variants(const StudyResults& study, const std::vector<std::string>& words) {
  Diagnostics problems;
  for (const std::string& word : words) {
    const auto named = [&](const StudyVariant& variant) { return names_variant(word, variant); };
    if (std::any_of(study.variants.begin(), study.variants.end(), named)) continue;
    Diagnostic problem =
        error("LB7060", "experiment " + ticked(study.experiment) + " has no stage or variant " + ticked(word));
    const std::string stage = word.substr(0, word.find('['));
    std::vector<std::string> of_stage;
    std::vector<std::string> known;
    for (const StudyVariant& variant : study.variants) {
      if (variant.stage == stage) of_stage.push_back(variant.label);
      if (known.empty() || known.back() != variant.stage) known.push_back(variant.stage);
      known.push_back(variant.label);
    }
    if (!of_stage.empty()) problem.note("the variants of " + stage + ": " + listed(of_stage, kVariantsListed));
    const std::string near = nearest(word, known);
    problems.push_back(problem.fix(near.empty() ? "name stages, or variants as `lowbit status --json` lists them; axes "
                                                  "may be left out: 'score[num_bits=3]'"
                                                : "something with a similar name exists: " + ticked(near)));
  }
  return problems;
}

/// The points of one stage in the order of the experiment.
struct StagePoints {
  std::string stage;
  std::vector<Json> axes;
  std::map<std::string, Seeds> variants;  ///< by the canonical text of the axes
};

std::vector<StagePoints> stage_points(const StudyResults& study, const CompareRequest& request) {
  std::vector<std::string> words = request.selection;
  words.insert(words.end(), request.baselines.begin(), request.baselines.end());
  std::vector<StagePoints> stages;
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < study.variants.size(); ++i) {
    const StudyVariant& variant = study.variants[i];
    if (!request.selection.empty() && !any_names(words, variant)) continue;
    const auto [place, is_new] = places.emplace(variant.stage, stages.size());
    if (is_new) stages.push_back({variant.stage, {}, {}});
    StagePoints& points = stages[place->second];
    Seeds& seeds = points.variants[canonical(variant.axes)];
    if (seeds.empty()) points.axes.push_back(variant.axes);
    seeds.push_back(i);
  }
  for (StagePoints& points : stages) {
    for (auto& [axes, seeds] : points.variants) {
      std::stable_sort(seeds.begin(), seeds.end(),
                       [&](std::size_t a, std::size_t b) { return study.variants[a].seed < study.variants[b].seed; });
    }
  }
  return stages;
}

bool same_points(const SectionVariants& section, const StagePoints& points) {
  if (section.columns.size() != points.axes.size()) return false;
  return std::all_of(section.columns.begin(), section.columns.end(),
                     [&](const ColumnVariants& column) { return points.variants.contains(canonical(column.axes)); });
}

std::vector<SectionVariants> sections_of(std::vector<StagePoints> stages, std::vector<std::string>& alone) {
  std::vector<SectionVariants> sections;
  for (StagePoints& points : stages) {
    if (points.axes.size() < 2) {
      alone.push_back(points.stage);
      continue;
    }
    auto section = std::find_if(sections.begin(), sections.end(),
                                [&](const SectionVariants& one) { return same_points(one, points); });
    if (section == sections.end()) {
      section = sections.insert(sections.end(), SectionVariants{});
      for (const Json& axes : points.axes) section->columns.push_back({axes, {}});
    }
    section->stages.push_back(points.stage);
    for (ColumnVariants& column : section->columns) {
      column.by_stage[points.stage] = std::move(points.variants[canonical(column.axes)]);
    }
  }
  return sections;
}

bool names_column(const StudyResults& study, const std::string& word, const ColumnVariants& column) {
  for (const auto& [stage, seeds] : column.by_stage) {
    for (const std::size_t i : seeds) {
      if (names_variant(word, study.variants[i])) return true;
    }
  }
  return false;
}

/// Puts the columns that are named at the front of their sections.
Diagnostics place_baselines(const StudyResults& study, const std::vector<std::string>& words,
                            std::vector<SectionVariants>& sections) {
  Diagnostics problems;
  for (const std::string& word : words) {
    std::vector<std::string> found;
    bool several = false;
    for (SectionVariants& section : sections) {
      std::vector<std::size_t> columns;
      for (std::size_t c = 0; c < section.columns.size(); ++c) {
        if (!names_column(study, word, section.columns[c])) continue;
        columns.push_back(c);
        found.push_back(study.variants[section.columns[c].by_stage.begin()->second.front()].label);
      }
      several = several || columns.size() > 1;
      if (columns.size() != 1) continue;
      const auto column = section.columns.begin() + static_cast<std::ptrdiff_t>(columns.front());
      std::rotate(section.columns.begin(), column, column + 1);
    }
    if (found.size() == 1 || (!found.empty() && !several)) continue;
    Diagnostic problem = error("LB7061", "baseline " + ticked(word) + " is " +
                                             (found.empty() ? "not among what is compared" : "more than one variant"));
    if (!found.empty()) problem.note("it may be " + listed(found, kVariantsListed));
    problems.push_back(problem.fix(found.empty() ? "name a variant of a stage that is run at several points"
                                                 : "name more of its axes; only the seed may stay open"));
  }
  return problems;
}

}  // namespace

bool names_variant(const std::string& word, const StudyVariant& variant) {
  if (word == variant.stage || word == variant.label) return true;
  const std::size_t open = variant.stage.size();
  if (word.size() < open + 2 || !word.starts_with(variant.stage) || word[open] != '[' || word.back() != ']') {
    return false;
  }
  const std::set<std::string> settings = settings_of(variant);
  for (std::size_t from = open + 1; from < word.size();) {
    const std::size_t end = std::min(word.find(',', from), word.size() - 1);
    if (!settings.contains(word.substr(from, end - from))) return false;
    from = end + 1;
  }
  return true;
}

Result<ComparedVariants> compared_variants(const StudyResults& study, const CompareRequest& request) {
  std::vector<std::string> words = request.selection;
  words.insert(words.end(), request.baselines.begin(), request.baselines.end());
  if (Diagnostics problems = unknown_variants(study, words); !problems.empty()) return problems;
  ComparedVariants out;
  out.sections = sections_of(stage_points(study, request), out.alone);
  if (out.sections.empty()) {
    return error("LB7062", "there is nothing to compare in experiment " + ticked(study.experiment))
        .note("each of its stages" + std::string(request.selection.empty() ? "" : " that were named") +
              " is run at one point of the axes")
        .fix("`lowbit diff A B` compares results of different stages");
  }
  if (Diagnostics problems = place_baselines(study, request.baselines, out.sections); !problems.empty()) {
    return problems;
  }
  for (SectionVariants& section : out.sections) {
    if (request.max_columns == 0 || section.columns.size() <= request.max_columns) continue;
    section.n_hidden = section.columns.size() - request.max_columns;
    section.columns.resize(request.max_columns);
  }
  return out;
}

}  // namespace lowbit::report
