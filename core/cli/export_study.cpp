#include "cli/export_study.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/glob.h"
#include "base/words.h"
#include "cli/session.h"
#include "cli/study_files.h"
#include "env/files.h"
#include "store/project_facts.h"
#include "store/study_results.h"

namespace lowbit::cli {
namespace {

constexpr std::size_t kLabelsListed = 6;

Diagnostic fits_nothing(const std::string& pattern, const StudyResults& study) {
  std::vector<std::string> labels;
  std::vector<std::string> names;
  for (const StudyVariant& variant : study.variants) {
    labels.push_back(variant.label);
    if (std::find(names.begin(), names.end(), variant.stage) == names.end()) names.push_back(variant.stage);
  }
  Diagnostic problem = error("LB7060", "--only " + pattern + " fits no stage or variant of " + study.experiment);
  problem.note("its variants: " + listed(labels, kLabelsListed));
  names.insert(names.end(), labels.begin(), labels.end());
  const std::string near = nearest(pattern, names);
  return problem.fix(near.empty() ? "give a stage, or a label of `lowbit status`; * stands for any text"
                                  : "a similar one exists: " + ticked(near));
}

Result<std::vector<std::size_t>> chosen_of(const StudyResults& study, const std::vector<std::string>& only) {
  std::set<std::size_t> chosen;
  for (const std::string& pattern : only) {
    bool fits = false;
    for (std::size_t i = 0; i < study.variants.size(); ++i) {
      const StudyVariant& variant = study.variants[i];
      if (!matches_glob(pattern, variant.label) && !matches_glob(pattern, variant.stage)) continue;
      chosen.insert(i);
      fits = true;
    }
    if (!fits) return fits_nothing(pattern, study);
  }
  for (std::size_t i = 0; only.empty() && i < study.variants.size(); ++i) chosen.insert(i);
  return std::vector<std::size_t>(chosen.begin(), chosen.end());
}

/// The chosen ones and all that these stand on.
std::set<std::size_t> with_makers(const ExportedStudy& study) {
  std::set<std::size_t> needed;
  std::vector<std::size_t> open = study.chosen;
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    if (!needed.insert(i).second) continue;
    for (const RecipeInput& input : study.variants[i].recipe.inputs) {
      if (input.maker) open.push_back(*input.maker);
    }
  }
  return needed;
}

Result<void> add_results(store::ProjectFacts& facts, ExportedStudy& study) {
  for (const std::size_t i : with_makers(study)) {
    ExportedVariant& variant = study.variants[i];
    if (!variant.variant.result_id) continue;
    ExportedResult result;
    LB_TRY_ASSIGN(result.facts,
                  facts.variant({.kind = Meaning::Kind::result, .id = *variant.variant.result_id, .name = {}}));
    LB_TRY_ASSIGN(result.execution, facts.execution(*variant.variant.result_id));
    variant.result = std::move(result);
  }
  return {};
}

/// A task whose files are gone has no description: its metrics stand all the same.
Result<void> add_tasks(const exec::ProjectPaths& project, store::ProjectFacts& facts, ExportedStudy& study) {
  for (const std::size_t i : study.chosen) {
    for (const RecipeInput& input : study.variants[i].recipe.inputs) {
      if (input.type != "task/1" || study.tasks.contains(input.digest)) continue;
      LB_TRY_ASSIGN(const std::optional<ArtifactPlace> place, facts.place_of(input.digest));
      if (!place) continue;
      LB_TRY_ASSIGN(const auto text, env::read_file_if_there(project.state() / place->path / "task.json"));
      Json task = text ? Json::parse(*text, nullptr, false) : Json();
      if (task.is_object()) study.tasks[input.digest] = std::move(task);
    }
  }
  return {};
}

}  // namespace

Result<ExportedStudy> load_exported_study(const exec::ProjectPaths& project, const std::string& source,
                                          const std::vector<std::string>& only) {
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const Text experiment, named_experiment(project, source, "export"));
  LB_TRY_ASSIGN(StudyResults known, load_study(project.database(), experiment));
  LB_TRY_ASSIGN(StudyRecipes recipes, store::study_recipes(project.database(), known));
  ExportedStudy study{.experiment = known.experiment,
                      .file = known.file,
                      .text = known.text,
                      .variants = {},
                      .chosen = {},
                      .tasks = {}};
  LB_TRY_ASSIGN(study.chosen, chosen_of(known, only));
  for (std::size_t i = 0; i < known.variants.size(); ++i) {
    study.variants.push_back({.variant = std::move(known.variants[i]), .recipe = std::move(recipes[i]), .result = {}});
  }
  LB_TRY(add_results(facts, study));
  LB_TRY(add_tasks(project, facts, study));
  return study;
}

}  // namespace lowbit::cli
