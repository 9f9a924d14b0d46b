#include "spec/schema.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/language.h"

namespace lowbit::spec {
namespace {

constexpr std::array<std::pair<Place, std::string_view>, 24> kDefinitions{{
    {Place::matrix, "matrix"},
    {Place::zipped, "zipped"},
    {Place::branch, "branch"},
    {Place::defaults, "defaults"},
    {Place::exclusion, "exclusion"},
    {Place::inclusion, "inclusion"},
    {Place::condition, "condition"},
    {Place::inputs, "inputs"},
    {Place::input, "input"},
    {Place::stage, "stage"},
    {Place::with, "with"},
    {Place::binding, "binding"},
    {Place::pins, "pins"},
    {Place::requirement, "requirement"},
    {Place::params_for, "params_for"},
    {Place::params, "params"},
    {Place::resources, "resources"},
    {Place::rates, "rates"},
    {Place::retry, "retry"},
    {Place::gate, "gate"},
    {Place::profiles, "profiles"},
    {Place::profile, "profile"},
    {Place::profile_stages, "profile_stages"},
    {Place::profile_stage, "profile_stage"},
}};

Json reference_to(Place place) {
  for (const auto& [known, name] : kDefinitions) {
    if (known == place) return {{"$ref", "#/definitions/" + std::string(name)}};
  }
  return true;
}

// `parsed` may be the boolean schema `true`.
Json described(Json parsed, std::string_view doc) {
  if (doc.empty() || !parsed.is_object()) return parsed;
  // Beside a $ref draft-07 ignores everything.
  if (parsed.contains("$ref")) return {{"description", doc}, {"allOf", Json::array({std::move(parsed)})}};
  parsed["description"] = doc;
  return parsed;
}

Json schema_of(Place place) {
  const PlaceRules& rules = rules_of(place);
  Json schema = {{"type", "object"}};
  Json properties = Json::object();
  std::vector<std::string> required;
  for (const Key& key : rules.keys) {
    Json value = key.schema.empty() ? reference_to(key.below) : Json::parse(key.schema);
    properties[std::string(key.name)] = described(std::move(value), key.doc);
    if (key.required) required.emplace_back(key.name);
  }
  if (!properties.empty()) schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = required;
  Json own = !rules.own_names           ? Json(false)
             : rules.own_schema.empty() ? reference_to(rules.below_own_names)
                                        : Json::parse(rules.own_schema);
  if (rules.own_pattern.empty()) {
    schema["additionalProperties"] = std::move(own);
  } else {
    schema["patternProperties"] = {{rules.own_pattern, std::move(own)}};
    schema["additionalProperties"] = false;
  }
  if (!rules.further.empty()) schema.update(Json::parse(rules.further));
  return described(std::move(schema), rules.doc);
}

}  // namespace

Json experiment_schema() {
  Json schema = schema_of(Place::experiment);
  schema.erase("required");  // another file may have what this one lacks
  schema["anyOf"] = Json::parse(R"([{"required":["experiment","stages"]},{"required":["experiment","import"]},)"
                                R"({"required":["extends"]}])");
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "lowbit experiment";
  schema["description"] =
      "A graph of stages over a matrix of settings. The language is described in docs/experiment-file.md.";
  Json definitions = {
      {"name", {{"type", "string"}, {"pattern", "^[A-Za-z][A-Za-z0-9_-]*$"}}},
      {"scalar", {{"type", {"string", "number", "boolean", "null"}}}},
      {"reference",
       {{"description", "`stage.port` or `inputs.name`."}, {"type", "string"}, {"pattern", "^[A-Za-z0-9_.${}-]+$"}}}};
  for (const auto& [place, name] : kDefinitions) {
    definitions[std::string(name)] = schema_of(place);
  }
  schema["definitions"] = std::move(definitions);
  return schema;
}

}  // namespace lowbit::spec
