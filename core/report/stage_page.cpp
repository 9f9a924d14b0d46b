#include "report/stage_page.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/words.h"
#include "domain/artifact_type.h"
#include "domain/query_result.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

std::string table(std::vector<std::string> columns, std::vector<std::vector<std::optional<Json>>> rows) {
  return render({.columns = std::move(columns), .rows = std::move(rows)}, TableFormat::columns);
}

std::string types_of(const PortDescription& port) {
  return port.types.size() < artifact_types().size() ? joined(port.types, " | ") : "any type";
}

std::string inputs_table(const StageDescription& stage) {
  std::vector<std::vector<std::optional<Json>>> rows;
  for (const PortDescription& port : stage.inputs) {
    const std::string binding = std::string(port.optional ? "optional" : "required") + (port.many ? ", gathers" : "");
    rows.push_back({Json(port.name), Json(types_of(port)), Json(binding), Json(port.doc)});
  }
  return table({"input", "type", "binding", ""}, std::move(rows));
}

std::string outputs_table(const StageDescription& stage) {
  std::vector<std::vector<std::optional<Json>>> rows;
  for (const PortDescription& port : stage.outputs) {
    rows.push_back(
        {Json(port.name), Json(types_of(port)), Json(port.optional ? "not always" : "always"), Json(port.doc)});
  }
  return table({"output", "type", "written", ""}, std::move(rows));
}

/// As one would write it in YAML, but for quotes that YAML does not need.
std::string plain(const Json& value) {
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) return value.get<std::string>();
  if (!value.is_array()) return canonical(value);
  std::vector<std::string> members;
  for (const Json& member : value) members.push_back(plain(member));
  return "[" + joined(members, ", ") + "]";
}

std::string type_name(const Json& type) {
  std::vector<std::string> names;
  for (const Json& name : type.is_array() ? type : Json::array({type}))
    names.push_back(name == "array" ? "list" : plain(name));
  return joined(names, " | ");
}

/// "integer >= 1, <= 64", "cosine | linear", "list of string".
std::string values_of(const Json& schema) {
  if (schema.contains("enum")) {
    std::vector<std::string> choices;
    for (const Json& choice : schema["enum"]) choices.push_back(plain(choice));
    return joined(choices, " | ");
  }
  if (schema.contains("const")) return plain(schema["const"]);
  std::string out = type_name(schema.value("type", Json("any")));
  if (schema.contains("items")) out += " of " + values_of(schema["items"]);
  constexpr std::array<std::pair<const char*, const char*>, 8> kBounds{{{"minimum", ">= "},
                                                                        {"exclusiveMinimum", "> "},
                                                                        {"maximum", "<= "},
                                                                        {"exclusiveMaximum", "< "},
                                                                        {"minLength", "length >= "},
                                                                        {"maxLength", "length <= "},
                                                                        {"minItems", "members >= "},
                                                                        {"maxItems", "members <= "}}};
  const char* between = schema.contains("items") ? ", " : " ";
  for (const auto& [keyword, sign] : kBounds) {
    if (!schema.contains(keyword)) continue;
    out += between + (sign + canonical(schema[keyword]));
    between = ", ";
  }
  return out;
}

/// One row for each property, members of objects as `object.member`; required ones first.
void add_params(const Json& schema, const std::string& prefix, std::vector<std::vector<std::optional<Json>>>& rows) {
  const Json required = schema.value("required", Json::array());
  const auto is_required = [&](const std::string& name) {
    return std::find(required.begin(), required.end(), name) != required.end();
  };
  for (const bool wanted : {true, false}) {
    for (const auto& [name, property] : schema.at("properties").items()) {
      if (is_required(name) != wanted) continue;
      constexpr std::size_t kLongest = 20;  // characters of a default that has a column
      std::string fallback = property.contains("default") ? plain(property["default"]) : wanted ? "required" : "";
      std::string doc = property.value("description", "");
      if (fallback.size() > kLongest) doc += " (default: " + std::exchange(fallback, "…") + ")";
      if (!property.value("affects_result", true)) doc += " (no effect on the result)";
      rows.push_back({Json(prefix + name), Json(values_of(property)), Json(fallback), Json(property.value("unit", "")),
                      Json(doc)});
      if (property.contains("properties")) add_params(property, prefix + name + ".", rows);
    }
  }
}

}  // namespace

std::string stage_page(const StageDescription& stage) {
  std::vector<std::vector<std::optional<Json>>> head{{Json("summary"), Json(stage.summary)},
                                                     {Json("kind"), Json(name_of(stage.kind))},
                                                     {Json("version"), Json(stage.version)},
                                                     {Json("seed"), Json(stage.seeded ? "the experiment's" : "none")}};
  if (!stage.environment.empty()) {
    head.push_back({Json("environment"), Json("may see " + joined(stage.environment, ", "))});
  }
  std::string page = table({"stage", stage.id}, std::move(head));
  if (!stage.inputs.empty()) page += "\n" + inputs_table(stage);
  if (!stage.outputs.empty()) page += "\n" + outputs_table(stage);
  std::vector<std::vector<std::optional<Json>>> params;
  add_params(stage.params_schema, "", params);
  if (!params.empty()) page += "\n" + table({"parameter", "value", "default", "unit", ""}, std::move(params));
  return page;
}

}  // namespace lowbit::report
