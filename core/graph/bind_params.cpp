#include "graph/bind_params.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "base/words.h"
#include "domain/coordinates.h"

namespace lowbit::graph {
namespace {

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

std::vector<std::string> types_of(const Json& schema) {
  const Json& type = member(schema, "type");
  if (type.is_string()) return {type.get<std::string>()};
  std::vector<std::string> types;
  for (const Json& one : type) types.push_back(one.get<std::string>());
  return types;
}

bool is_whole(const Json& value) {
  if (!value.is_number_float()) return value.is_number_integer();
  const auto number = value.get<double>();
  return std::trunc(number) == number && std::abs(number) < 9e18;
}

bool is_of(const Json& value, std::string_view type) {
  if (type == "integer") return is_whole(value);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return type == "null" && value.is_null();
}

std::string range_text(const Json& schema) {
  std::vector<std::string> bounds;
  const Json& low = member(schema, "minimum");
  const Json& high = member(schema, "maximum");
  if (low.is_number() && high.is_number()) {
    bounds.push_back("from " + canonical(low) + " to " + canonical(high));
  } else if (low.is_number()) {
    bounds.push_back("of at least " + canonical(low));
  } else if (high.is_number()) {
    bounds.push_back("of at most " + canonical(high));
  }
  if (const Json& above = member(schema, "exclusiveMinimum"); above.is_number()) {
    bounds.push_back("above " + canonical(above));
  }
  if (const Json& below = member(schema, "exclusiveMaximum"); below.is_number()) {
    bounds.push_back("below " + canonical(below));
  }
  return bounds.empty() ? "" : " " + joined(bounds, " and ");
}

std::string count_text(const Json& schema, const char* least_name, const char* most_name, const std::string& unit) {
  const Json& least = member(schema, least_name);
  const Json& most = member(schema, most_name);
  const auto counted = [&](const Json& n) { return canonical(n) + " " + unit + (n == 1 ? "" : "s"); };
  if (least.is_number() && most.is_number()) return " of " + canonical(least) + " to " + counted(most);
  if (least.is_number()) return " of at least " + counted(least);
  return most.is_number() ? " of at most " + counted(most) : "";
}

std::string type_text(const Json& schema, std::string_view type) {
  if (type == "integer") return "an integer" + range_text(schema);
  if (type == "number") return "a number" + range_text(schema);
  if (type == "string") return "text" + count_text(schema, "minLength", "maxLength", "character");
  if (type == "boolean") return "true or false";
  if (type == "object") return "a mapping";
  if (type == "null") return "null";
  const Json& items = member(schema, "items");
  return "a list" + count_text(schema, "minItems", "maxItems", "item") +
         (items.is_object() ? ", each " + legal_values(items) : "");
}

bool within(const Json& schema, double size, const char* least_name, const char* most_name) {
  const Json& least = member(schema, least_name);
  const Json& most = member(schema, most_name);
  return (!least.is_number() || size >= least.get<double>()) && (!most.is_number() || size <= most.get<double>());
}

bool is_legal(const Json& schema, const Json& value) {
  const std::vector<std::string> types = types_of(schema);
  const auto fits = [&](const std::string& type) { return is_of(value, type); };
  if (!types.empty() && std::none_of(types.begin(), types.end(), fits)) return false;
  const Json& choices = member(schema, "enum");
  if (choices.is_array() && std::find(choices.begin(), choices.end(), value) == choices.end()) return false;
  if (schema.contains("const") && schema["const"] != value) return false;
  if (value.is_number()) {
    const Json& above = member(schema, "exclusiveMinimum");
    const Json& below = member(schema, "exclusiveMaximum");
    const auto number = value.get<double>();
    return std::isfinite(number) && within(schema, number, "minimum", "maximum") &&
           (!above.is_number() || number > above.get<double>()) && (!below.is_number() || number < below.get<double>());
  }
  if (value.is_string()) {
    return within(schema, static_cast<double>(width_of(value.get_ref<const std::string&>())), "minLength", "maxLength");
  }
  return !value.is_array() || within(schema, static_cast<double>(value.size()), "minItems", "maxItems");
}

// One form for equal numbers: a double where `number` is among the types, an integer where only that is.
Json in_one_form(const Json& schema, Json value) {
  if (!value.is_number()) return value;
  const std::vector<std::string> types = types_of(schema);
  const auto among = [&](const char* type) { return std::find(types.begin(), types.end(), type) != types.end(); };
  if (among("number")) return value.get<double>() + 0.0;  // + 0.0: -0.0 is 0.0
  if (among("integer") && value.is_number_float()) return static_cast<std::int64_t>(value.get<double>());
  return value;
}

/// Walks value and schema together; problems go to `problems` with the place of the outermost parameter.
class Binder {
 public:
  Binder(const StageDescription& plugin, const std::vector<GivenParam>& given, const SourceSpan& use,
         Diagnostics& problems)
      : plugin_(plugin), given_(given), use_(use), problems_(problems) {}

  Json bind(const Json& schema, Json value, const std::string& path) {
    if (!is_legal(schema, value)) {
      report_illegal(schema, value, path);
      return value;
    }
    if (value.is_object() && schema.contains("properties")) return bind_object(schema, std::move(value), path);
    if (value.is_array() && member(schema, "items").is_object()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        value[i] = bind(schema["items"], value[i], path + "[" + std::to_string(i) + "]");
      }
    }
    return in_one_form(schema, std::move(value));
  }

 private:
  Json bind_object(const Json& schema, Json value, const std::string& path) {
    const Json& properties = schema["properties"];
    const std::string prefix = path.empty() ? "" : path + ".";
    for (const std::string& key : keys_of(value)) {
      if (!properties.contains(key) && member(schema, "additionalProperties") == false) {
        report_unknown(properties, prefix, key);
      }
    }
    for (const auto& [key, property] : properties.items()) {
      if (!value.contains(key) && property.contains("default")) value[key] = property["default"];
      if (value.contains(key)) value[key] = bind(property, value[key], prefix + key);
    }
    for (const Json& key : member(schema, "required")) {
      const auto& name = key.get_ref<const std::string&>();
      if (!value.contains(name)) report_missing(member(properties, name.c_str()), prefix + name);
    }
    return value;
  }

  // The outermost parameter of `path`; null for a default, or when it is missing.
  [[nodiscard]] const GivenParam* given(const std::string& path) const {
    const std::string top = path.substr(0, path.find_first_of(".["));
    const auto it =
        std::find_if(given_.begin(), given_.end(), [&](const GivenParam& p) { return p.written->name.value == top; });
    return it == given_.end() ? nullptr : &*it;
  }

  // The place where `param` was given, or where the plugin was named.
  void add(Diagnostic problem, const GivenParam* param, std::string label, bool at_name = false) {
    if (param == nullptr) {
      problem.at(use_, std::move(label));
    } else {
      problem.at(at_name ? param->written->name.span : param->written->value.span, std::move(label));
      if (!param->at.empty()) problem.notes.insert(problem.notes.begin(), "at " + param->at);
    }
    problems_.push_back(std::move(problem));
  }

  void report_illegal(const Json& schema, const Json& value, const std::string& path) {
    const std::string legal = legal_values(schema);
    Diagnostic problem =
        error("LB2005", "parameter " + ticked(path) + " of " + ticked(plugin_.id) + " cannot be " + canonical(value));
    if (const Json& doc = member(schema, "description"); doc.is_string()) problem.note(path + ": " + scalar_text(doc));
    add(problem.fix("give " + legal), given(path), "expected " + legal);
  }

  void report_unknown(const Json& properties, const std::string& prefix, const std::string& key) {
    const std::vector<std::string> names = keys_of(properties);
    const std::string near = nearest(key, names);
    Diagnostic problem = error("LB2004", ticked(plugin_.id) + " has no parameter " + ticked(prefix + key));
    problem.note(names.empty() ? "there are no parameters" : "known parameters: " + joined(names));
    problem.fix(near.empty() ? "remove it" : "a similar name exists: " + ticked(prefix + near));
    add(std::move(problem), given(prefix + key), "not in the schema of " + plugin_.id + " " + plugin_.version, true);
  }

  void report_missing(const Json& schema, const std::string& path) {
    Diagnostic problem = error("LB2006", "parameter " + ticked(path) + " of " + ticked(plugin_.id) + " is missing");
    if (const Json& doc = member(schema, "description"); doc.is_string()) problem.note(path + ": " + scalar_text(doc));
    add(problem.fix("add " + ticked(path) + " to `params`: " + legal_values(schema)), given(path),
        "needs " + ticked(path));
  }

  const StageDescription& plugin_;
  const std::vector<GivenParam>& given_;
  const SourceSpan& use_;
  Diagnostics& problems_;
};

}  // namespace

bool has_param(const StageDescription& plugin, const std::string& name) {
  return member(plugin.params_schema, "properties").contains(name) ||
         member(plugin.params_schema, "additionalProperties") != false;
}

std::vector<std::string> param_names(const StageDescription& plugin) {
  return keys_of(member(plugin.params_schema, "properties"));
}

Result<Json> bind_params(const StageDescription& plugin, const std::vector<GivenParam>& given, const SourceSpan& use) {
  Json object = Json::object();
  for (const GivenParam& param : given) object[param.written->name.value] = param.value;
  Diagnostics problems;
  Json bound = Binder(plugin, given, use, problems).bind(plugin.params_schema, std::move(object), "");
  if (!problems.empty()) return problems;
  return bound;
}

std::string legal_values(const Json& schema) {
  if (schema.is_object() && schema.contains("const")) return scalar_text(schema["const"]);
  std::vector<std::string> texts;
  if (const Json& choices = member(schema, "enum"); choices.is_array()) {
    for (const Json& choice : choices) texts.push_back(scalar_text(choice));
    return "one of " + joined(texts);
  }
  for (const std::string& type : types_of(schema)) texts.push_back(type_text(schema, type));
  return texts.empty() ? "any value" : joined(texts, " or ");
}

}  // namespace lowbit::graph
