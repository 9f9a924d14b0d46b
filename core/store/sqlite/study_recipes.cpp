#include "domain/study_recipes.h"

#include <unordered_map>
#include <utility>

#include "store/sqlite/open_connection.h"
#include "store/study_results.h"

namespace lowbit::store {
namespace {

std::string text_of_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

using Makers = std::unordered_map<std::string, std::size_t>;

/// `planned` says who makes it, `made` what it was when the result was made; each may be null.
RecipeInput input_of(const std::string& port, const Json& planned, const Json& made, const Makers& makers) {
  const Json& known = made.is_object() ? made : planned;
  RecipeInput input{.port = port,
                    .type = text_of_member(known, "type"),
                    .digest = text_of_member(known, "digest"),
                    .maker_port = text_of_member(planned, "port"),
                    .maker = {}};
  if (const auto maker = makers.find(text_of_member(planned, "from")); maker != makers.end()) {
    input.maker = maker->second;
  }
  return input;
}

std::vector<RecipeInput> inputs_of(const Json& planned, const Json& made, const Makers& makers) {
  static const Json nothing;
  std::vector<RecipeInput> inputs;
  for (const auto& [port, bound] : member(planned, "inputs").items()) {
    const Json& found = member(member(made, "inputs"), port.c_str());
    if (!bound.is_array()) inputs.push_back(input_of(port, bound, found, makers));
    if (!bound.is_array()) continue;
    for (std::size_t i = 0; i < bound.size(); ++i) {
      const bool known = found.is_array() && found.size() == bound.size();
      inputs.push_back(input_of(port, member(bound[i], "of"), known ? member(found[i], "of") : nothing, makers));
    }
  }
  return inputs;
}

struct StoredRecipe {
  std::size_t variant = 0;
  Json planned;
  Json made;
};

}  // namespace

Result<StudyRecipes> study_recipes(const std::filesystem::path& database, const StudyResults& study) {
  LB_TRY_ASSIGN(const std::unique_ptr<Connection> db, open_connection(database, Access::read_only, {}));
  return db->guarded("reading an experiment's recipes", [&]() -> Result<StudyRecipes> {
    std::unordered_map<std::string_view, std::size_t> by_label;
    for (std::size_t i = 0; i < study.variants.size(); ++i) by_label[study.variants[i].label] = i;
    StudyRecipes recipes(study.variants.size());
    std::vector<StoredRecipe> stored;
    Makers makers;
    Rows rows = db->query(
        "SELECT e.label, e.provenance_key, e.provenance_record, r.kind, r.content_record FROM expansions e "
        "LEFT JOIN provenance p ON p.provenance_key = e.provenance_key "
        "LEFT JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 "
        "WHERE e.experiment = ? ORDER BY e.position",
        study.experiment);
    while (rows.next()) {
      const std::string label = rows.text(0);
      const auto variant = by_label.find(label);
      if (variant == by_label.end()) continue;
      makers.emplace(rows.text(1), variant->second);
      recipes[variant->second].kind = rows.text(3);
      stored.push_back({variant->second, rows.json(2), rows.json(4)});
    }
    for (StoredRecipe& one : stored) {
      StudyRecipe& recipe = recipes[one.variant];
      recipe.inputs = inputs_of(one.planned, one.made, makers);
      recipe.record = one.made.is_object() ? std::move(one.made) : std::move(one.planned);
    }
    return recipes;
  });
}

}  // namespace lowbit::store
