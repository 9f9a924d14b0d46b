// How the variants of an experiment's last expansion are made: recipes, and what feeds what.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace lowbit {

struct RecipeInput {
  std::string port;
  std::string type;  ///< empty while it is still to be made, as is `digest`
  std::string digest;
  std::string maker_port;            ///< the output that it is
  std::optional<std::size_t> maker;  ///< a variant; empty: from outside
};

struct StudyRecipe {
  std::string kind;  ///< of the result's stage: quantizer, trainer, evaluator, dataset, judge; empty without a result
  Json record;       ///< of the content key; without a result of the provenance key
  std::vector<RecipeInput> inputs;  ///< members of gathered inputs one by one
};

/// By variant, as in StudyResults::variants.
using StudyRecipes = std::vector<StudyRecipe>;

/// "lowbit.rtn 1"
[[nodiscard]] std::string plugin_text(const Json& record);

}  // namespace lowbit
