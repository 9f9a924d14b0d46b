#include "openai/form.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace lowbit::openai {
namespace {

using Ordered = nlohmann::ordered_json;

constexpr std::size_t kLongestName = 64;

/// Keywords of the strict subset of JSON Schema that need no look at their values.
constexpr std::array<std::string_view, 6> kKept{"description", "const", "enum", "$ref", "title", "type"};

Ordered strict(const Ordered& schema);

/// "string" of "a", "null" of null; empty for lists and objects.
std::string type_of(const Ordered& value) {
  if (value.is_null()) return "null";
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "boolean";
  if (value.is_number_integer()) return "integer";
  return value.is_number() ? "number" : "";
}

/// An enumeration says its types: servers refuse a schema without `type`.
void add_type_of_enum(Ordered& out) {
  if (!out.contains("enum") || out.contains("type")) return;
  Ordered types = Ordered::array();
  for (const Ordered& value : out["enum"]) {
    const std::string type = type_of(value);
    if (!type.empty() && std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  }
  if (!types.empty()) out["type"] = types.size() == 1 ? types[0] : types;
}

void allow_null(Ordered& property) {
  if (property.contains("type")) {
    Ordered& type = property["type"];
    if (type.is_string()) type = Ordered::array({type});
    if (std::find(type.begin(), type.end(), "null") == type.end()) type.push_back("null");
    if (property.contains("enum") &&
        std::find(property["enum"].begin(), property["enum"].end(), Ordered()) == property["enum"].end()) {
      property["enum"].push_back(nullptr);
    }
  } else if (property.contains("anyOf")) {
    property["anyOf"].push_back({{"type", "null"}});
  }
}

Ordered strict_properties(const Ordered& schema) {
  const Ordered needed = schema.value("required", Ordered::array());
  Ordered out = Ordered::object();
  const auto add = [&](const std::string& name, const Ordered& property) {
    Ordered own = strict(property);
    if (std::find(needed.begin(), needed.end(), name) == needed.end()) allow_null(own);
    out[name] = std::move(own);
  };
  const Ordered& properties = schema.at("properties");
  if (properties.contains("explanation")) add("explanation", properties["explanation"]);
  for (const auto& [name, property] : properties.items()) {
    if (!out.contains(name)) add(name, property);
  }
  return out;
}

Ordered strict(const Ordered& schema) {
  if (!schema.is_object()) return schema;
  Ordered out = Ordered::object();
  for (const auto& [keyword, value] : schema.items()) {
    if (std::find(kKept.begin(), kKept.end(), keyword) != kKept.end()) out[keyword] = value;
    if (keyword == "items") out[keyword] = strict(value);
    if (keyword == "anyOf") {
      out[keyword] = Ordered::array();
      for (const Ordered& one : value) out[keyword].push_back(strict(one));
    }
    if (keyword == "$defs" || keyword == "definitions") {
      out[keyword] = Ordered::object();
      for (const auto& [name, one] : value.items()) out[keyword][name] = strict(one);
    }
  }
  add_type_of_enum(out);
  if (!schema.contains("properties")) return out;
  out["type"] = "object";
  out["properties"] = strict_properties(schema);
  Ordered names = Ordered::array();
  for (const auto& [name, property] : out["properties"].items()) names.push_back(name);
  out["required"] = std::move(names);
  out["additionalProperties"] = false;
  return out;
}

std::string in_lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// What the server says is wrong, in lower case; the whole body where it is no error of the usual shape.
std::string complaint(const Reply& reply) {
  const nlohmann::json body = nlohmann::json::parse(reply.body, nullptr, false);
  if (!body.is_object() || !body.contains("error")) return in_lower_case(reply.body);
  const nlohmann::json& error = body["error"];
  if (!error.is_object()) return in_lower_case(error.dump());
  std::string words;
  for (const char* member : {"message", "param", "code"}) {
    if (error.contains(member) && error[member].is_string()) words += error[member].get<std::string>() + "\n";
  }
  return in_lower_case(words);
}

}  // namespace

const char* name_of(Form form) {
  switch (form) {
    case Form::json_schema: return "json_schema";
    case Form::tool: return "tool";
    case Form::json_object: return "json_object";
    case Form::text: break;
  }
  return "text";
}

std::vector<Form> forms_named(std::string_view name) {
  std::vector<Form> forms;
  std::copy_if(kForms.begin(), kForms.end(), std::back_inserter(forms),
               [&](Form form) { return name == "auto" || name == name_of(form); });
  return forms;
}

AnswerSchema answer_schema(std::string_view name, const nlohmann::ordered_json& schema) {
  AnswerSchema out{.name = std::string(name.substr(0, kLongestName)), .schema = strict(schema)};
  std::replace_if(
      out.name.begin(), out.name.end(),
      [](unsigned char c) { return !(c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '-')); }, '_');
  if (out.name.empty()) out.name = "answer";
  return out;
}

bool refuses(Form form, const Reply& reply) {
  constexpr std::array kStatuses{400U, 404U, 405U, 415U, 422U, 501U};
  if (std::find(kStatuses.begin(), kStatuses.end(), reply.status) == kStatuses.end()) return false;
  std::vector<std::string_view> words;
  switch (form) {
    case Form::json_schema: words = {"response_format", "json_schema", "schema", "structured output", "grammar"}; break;
    case Form::tool: words = {"tool", "function"}; break;
    case Form::json_object: words = {"response_format", "json_object", "json mode", "json output"}; break;
    case Form::text: return false;
  }
  const std::string said = complaint(reply);
  return std::any_of(words.begin(), words.end(), [&](auto word) { return said.find(word) != std::string::npos; });
}

}  // namespace lowbit::openai
