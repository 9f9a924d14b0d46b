#include "report/comparison_identity.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/digest.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kShownDigest = 8;

bool is_about_answers(const RecipeInput& input) {
  return input.type == "predictions/1" || input.type == "verdicts/1" || input.type == "grades/1";
}

bool is_a_model(const RecipeInput& input) {
  return input.type == "model/1" || input.type == "quantized-model/1" || input.type == "adapter/1";
}

/// What another program measured of a model: it stands in the model's place.
bool is_of_a_model_elsewhere(const StudyRecipe& recipe, const RecipeInput& input) {
  return recipe.kind == "evaluator" && input.port == "results";
}

/// Of all items with their prompts, in whatever order they stand.
std::string digest_of_prompts(const std::vector<ItemAnswer>& answers) {
  std::vector<std::pair<std::string_view, std::string_view>> prompts;
  prompts.reserve(answers.size());
  for (const ItemAnswer& answer : answers) prompts.emplace_back(answer.item_id, answer.prompt_sha);
  std::sort(prompts.begin(), prompts.end());
  std::string text;
  for (const auto& [item, prompt] : prompts) text.append(item).append("\n").append(prompt).append("\n");
  return sha256(text).hex();
}

}  // namespace

std::vector<std::size_t> answering_variants(const StudyRecipes& recipes, std::size_t variant) {
  std::vector<std::size_t> found;
  std::set<std::size_t> seen;
  const std::function<void(std::size_t)> visit = [&](std::size_t i) {
    if (!seen.insert(i).second) return;
    bool reads = false;
    for (const RecipeInput& input : recipes[i].inputs) {
      if (!is_about_answers(input)) continue;
      reads = true;
      if (input.maker) visit(*input.maker);
    }
    if (!reads) found.push_back(i);
  };
  visit(variant);
  return found;
}

bool Identity::reads_answers(std::size_t variant) const {
  const auto& inputs = recipes_[variant].inputs;
  return std::any_of(inputs.begin(), inputs.end(), is_about_answers);
}

void Identity::collect(std::size_t variant, std::vector<Basis>& basis) {
  const StudyRecipe& recipe = recipes_[variant];
  const StudyVariant& at = study_.variants[variant];
  if (recipe.kind == "judge") {
    basis.push_back({"judge", plugin_text(recipe.record) + " " + canonical(member(recipe.record, "params")),
                     at.label + " (" + plugin_text(recipe.record) + ")"});
  }
  for (const RecipeInput& input : recipe.inputs) {
    if (is_about_answers(input)) {
      if (input.maker) collect(*input.maker, basis);
    } else if (!is_a_model(input) && !is_of_a_model_elsewhere(recipe, input) && !input.digest.empty()) {
      const std::string from = input.maker ? study_.variants[*input.maker].label + "." + input.maker_port : "outside";
      basis.push_back({input.type, input.digest, input.digest.substr(0, kShownDigest) + " of " + from});
    }
  }
  if (!at.result_id) return;
  if (const auto found = answers_.find(*at.result_id); found != answers_.end()) {
    basis.push_back({"prompts", digest_of_prompts(found->second), at.label});
  }
}

const std::vector<Basis>& Identity::basis_of(std::size_t variant) {
  const auto [found, is_new] = known_.emplace(variant, std::vector<Basis>());
  if (!is_new) return found->second;
  std::vector<Basis> basis;
  const std::string& kind = recipes_[variant].kind;
  const bool answers = study_.variants[variant].result_id && answers_.contains(*study_.variants[variant].result_id);
  if (kind == "evaluator" || kind == "judge" || answers || (kind == "dataset" && reads_answers(variant))) {
    collect(variant, basis);
  }
  std::sort(basis.begin(), basis.end());
  // One judge read twice, or one task by two ways, is one thing.
  const auto same = [](const Basis& a, const Basis& b) { return a.what == b.what && a.value == b.value; };
  basis.erase(std::unique(basis.begin(), basis.end(), same), basis.end());
  found->second = std::move(basis);
  return found->second;
}

std::optional<std::string> Identity::difference(std::size_t variant, std::size_t baseline, std::string_view other) {
  const std::vector<Basis>& here = basis_of(variant);
  const std::vector<Basis>& there = basis_of(baseline);
  const auto lacks = [](const std::vector<Basis>& all, const Basis& one) {
    return std::none_of(all.begin(), all.end(),
                        [&](const Basis& known) { return known.what == one.what && known.value == one.value; });
  };
  const auto only = [&](const std::vector<Basis>& all, const std::vector<Basis>& beside, const std::string& what) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Basis& one) {
      return (what.empty() || one.what == what) && lacks(beside, one);
    });
    return found == all.end() ? nullptr : &*found;
  };
  const Basis* mine = only(here, there, "");
  const Basis* theirs = only(there, here, mine == nullptr ? "" : mine->what);
  if (mine == nullptr && theirs == nullptr) return std::nullopt;
  const std::string& what = mine != nullptr ? mine->what : theirs->what;
  const auto shown = [](const Basis* basis) { return basis == nullptr ? std::string("none") : basis->shown; };
  return what + (what.back() == 's' ? " differ: " : " differs: ") + shown(mine) + ", " + std::string(other) +
         shown(theirs);
}

}  // namespace lowbit::report
