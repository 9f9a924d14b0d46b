#include "plugin/params_schema.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace lowbit::plugin {
namespace {

// `unit` and `affects_result` are annotations of ours; the rest is draft-07.
constexpr std::array<std::string_view, 25> kKeywords{"$comment",
                                                     "$id",
                                                     "$schema",
                                                     "additionalProperties",
                                                     "affects_result",
                                                     "const",
                                                     "default",
                                                     "description",
                                                     "enum",
                                                     "examples",
                                                     "exclusiveMaximum",
                                                     "exclusiveMinimum",
                                                     "items",
                                                     "maxItems",
                                                     "maxLength",
                                                     "maximum",
                                                     "minItems",
                                                     "minLength",
                                                     "minimum",
                                                     "properties",
                                                     "readOnly",
                                                     "required",
                                                     "title",
                                                     "type",
                                                     "unit"};
constexpr std::array<std::string_view, 7> kTypes{"array", "boolean", "integer", "null", "number", "object", "string"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_text(const Json& value) { return value.is_string() && !value.get_ref<const std::string&>().empty(); }

bool is_type(const Json& type) {
  const auto is_name = [](const Json& name) {
    return name.is_string() && among(kTypes, name.get_ref<const std::string&>());
  };
  return is_name(type) || (type.is_array() && !type.empty() && std::all_of(type.begin(), type.end(), is_name));
}

class SchemaChecker {
 public:
  explicit SchemaChecker(const std::string& stage) : stage_(stage) {}

  Diagnostics check(const Json& schema) {
    if (!schema.is_object() || member(schema, "type") != "object" || !member(schema, "properties").is_object()) {
      report("is not the schema of an object",
             R"(write {"type":"object","additionalProperties":false,"properties":{}})");
      return std::move(problems_);
    }
    if (member(schema, "additionalProperties") != false) {
      report("accepts unknown parameters", "add \"additionalProperties\": false");
    }
    check_keywords(schema, "");
    const Json& properties = schema["properties"];
    const Json& required = member(schema, "required");
    for (const Json& name : required) {
      if (!name.is_string() || !properties.contains(name.get_ref<const std::string&>())) {
        report("requires " + canonical(name) + ", which is not among its properties", "correct `required`");
      }
    }
    for (const auto& [name, property] : properties.items()) {
      check_property(name, property);
      const bool is_required = std::find(required.begin(), required.end(), name) != required.end();
      if (property.is_object() && !property.contains("default") && !is_required) {
        report("has neither a default nor an entry in `required` for `" + name + "`", "add one of the two");
      }
    }
    return std::move(problems_);
  }

 private:
  void check_property(const std::string& path, const Json& property) {
    if (!property.is_object()) return report("has no schema for `" + path + "`", "describe the parameter");
    if (!is_text(member(property, "description"))) {
      report("has no description of `" + path + "`", "say in one sentence what the parameter does");
    }
    check_value(path, property);
  }

  void check_value(const std::string& path, const Json& schema) {
    check_keywords(schema, path);
    if (!is_type(member(schema, "type"))) {
      report("has no valid type for `" + path + "`",
             "give one of array, boolean, integer, null, number, object, string");
    }
    const Json& choices = member(schema, "enum");
    if (schema.contains("enum") && (!choices.is_array() || choices.empty())) {
      report("has an enum without values for `" + path + "`", "list the values");
    }
    if (schema.contains("affects_result") && !schema["affects_result"].is_boolean()) {
      report("has an `affects_result` that is not true or false for `" + path + "`", "correct it");
    }
    const Json& items = member(schema, "items");
    if (items.is_object()) check_value(path + "[]", items);
    const Json& nested = member(schema, "properties");
    if (!nested.is_object()) return;
    for (const auto& [name, property] : nested.items()) check_property(path + "." + name, property);
  }

  void check_keywords(const Json& schema, const std::string& path) {
    for (const auto& [keyword, value] : schema.items()) {
      if (among(kKeywords, keyword)) continue;
      report("uses `" + keyword + "`" + (path.empty() ? "" : " for `" + path + "`") + ", which lowbit does not enforce",
             "say it with other keywords, or refuse such values in check()");
    }
  }

  void report(const std::string& found, const std::string& fix) {
    problems_.push_back(error("LB4011", "the parameter schema of " + stage_ + " " + found).fix(fix));
  }

  const std::string& stage_;
  Diagnostics problems_;
};

}  // namespace

Diagnostics check_params_schema(const Json& schema, const std::string& stage) {
  return SchemaChecker(stage).check(schema);
}

}  // namespace lowbit::plugin
