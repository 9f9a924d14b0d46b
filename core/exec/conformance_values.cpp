#include "exec/conformance_values.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "graph/bind_params.h"

namespace lowbit::exec {
namespace {

constexpr std::size_t kMostBeside = 4;
constexpr std::size_t kLongestText = 100'000;

const Json& member(const Json& schema, const char* name) {
  static const Json absent;
  const auto it = schema.find(name);
  return it == schema.end() ? absent : *it;
}

bool has_type(const Json& schema, std::string_view name) {
  const Json& type = member(schema, "type");
  if (type.is_array()) return std::find(type.begin(), type.end(), name) != type.end();
  return type == name;
}

/// The number one unit of `direction` beyond `bound`; null when there is none that differs.
Json beyond(const Json& bound, int direction, bool whole) {
  if (!bound.is_number()) return nullptr;
  if (!whole) {
    const auto number = bound.get<double>();
    return number + direction * std::max(1.0, std::abs(number));
  }
  if (bound.is_number_unsigned() && bound.get<std::uint64_t>() >= std::numeric_limits<std::int64_t>::max())
    return nullptr;
  const auto number = bound.get<std::int64_t>();
  if (direction < 0 && number == std::numeric_limits<std::int64_t>::min()) return nullptr;
  return number + direction;
}

Json largest_number(const Json& choices) {
  Json largest;
  for (const Json& choice : choices) {
    if (choice.is_number() && (largest.is_null() || largest < choice)) largest = choice;
  }
  return largest;
}

/// `candidates` of one kind, each once, in order.
std::vector<Json> keep(const std::vector<Json>& candidates, const Json& schema, bool legal) {
  std::vector<Json> kept;
  for (const Json& value : candidates) {
    if (is_legal_value(schema, value) == legal && std::find(kept.begin(), kept.end(), value) == kept.end()) {
      kept.push_back(value);
    }
  }
  return kept;
}

}  // namespace

bool is_legal_value(const Json& schema, const Json& value) {
  StageDescription plugin;
  plugin.params_schema = {{"type", "object"}, {"properties", {{"value", schema}}}};
  Param param;
  param.name.value = "value";
  return graph::bind_params(plugin, {{.written = &param, .value = value}}, {}).ok();
}

std::vector<Json> values_outside(const Json& schema) {
  std::vector<Json> candidates;
  const auto add = [&](Json value) {
    if (!value.is_null()) candidates.push_back(std::move(value));
  };
  const bool whole = has_type(schema, "integer") && !has_type(schema, "number");
  if (whole || has_type(schema, "number")) {
    add(beyond(member(schema, "minimum"), -1, whole));
    add(beyond(member(schema, "maximum"), +1, whole));
    add(member(schema, "exclusiveMinimum"));
    add(member(schema, "exclusiveMaximum"));
    add(beyond(largest_number(member(schema, "enum")), +1, whole));
  }
  if (has_type(schema, "string")) {
    if (schema.contains("enum")) add("not-among-the-choices");
    if (schema.contains("minLength")) add("");
    if (const Json& most = member(schema, "maxLength"); most.is_number() && most < kLongestText) {
      add(std::string(most.get<std::size_t>() + 1, 'x'));
    }
  }
  if (has_type(schema, "array")) {
    if (schema.contains("minItems")) add(Json::array());
    if (member(schema, "items").is_object()) {
      for (Json& outside : values_outside(schema["items"])) add(Json::array({std::move(outside)}));
    }
  }
  return keep(candidates, schema, false);
}

std::vector<Json> values_beside(const Json& schema, const Json& value) {
  std::vector<Json> candidates;
  if (schema.contains("enum")) {
    for (const Json& choice : schema["enum"]) candidates.push_back(choice);
  } else if (has_type(schema, "boolean")) {
    candidates = {false, true};
  } else if (has_type(schema, "integer") || has_type(schema, "number")) {
    const bool whole = !has_type(schema, "number");
    const Json from = value.is_number() ? value : (member(schema, "minimum").is_number() ? schema["minimum"] : Json(1));
    const Json half = whole ? Json(from.get<std::int64_t>() / 2) : Json(from.get<double>() / 2);
    candidates = {from, beyond(from, +1, whole), half, beyond(from, -1, whole)};
  }
  if (has_type(schema, "null")) candidates.emplace_back(nullptr);
  std::vector<Json> others = keep(candidates, schema, true);
  others.erase(std::remove(others.begin(), others.end(), value), others.end());
  if (others.size() > kMostBeside) others.resize(kMostBeside);
  return others;
}

}  // namespace lowbit::exec
