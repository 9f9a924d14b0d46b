// A study that a test writes down variant by variant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "domain/coordinates.h"
#include "domain/study_recipes.h"
#include "domain/study_results.h"

namespace lowbit::test {

struct WrittenStudy {
  StudyResults study{.experiment = "study", .file = "study.yaml", .options = {}, .text = {}, .variants = {}};
  StudyRecipes recipes;
  Answers answers;

  /// A variant with a result. `plugin`: "lowbit.rtn", of version `version`.
  std::size_t add(const std::string& stage, const Json& axes, std::optional<std::int64_t> seed, const Json& params,
                  const std::string& kind, const std::string& plugin, const std::string& version = "1") {
    StudyVariant variant;
    variant.stage = stage;
    variant.axes = axes;
    variant.seed = seed;
    variant.state = "done";
    Coordinates coordinates;
    for (const auto& [axis, value] : axes.items()) coordinates.set(axis, value);
    if (seed) coordinates.set("seed", *seed);
    variant.label = stage_label(stage, coordinates);
    variant.result_id = static_cast<std::int64_t>(study.variants.size() + 1);
    study.variants.push_back(std::move(variant));
    recipes.push_back({.kind = kind,
                       .record = {{"plugin", {{"id", plugin}, {"version", version}}}, {"params", params}},
                       .inputs = {}});
    return study.variants.size() - 1;
  }
};

}  // namespace lowbit::test
