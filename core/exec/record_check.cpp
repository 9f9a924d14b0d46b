#include "exec/record_check.h"

#include <algorithm>
#include <fstream>
#include <set>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "artifact_schemas.h"
#include "base/check.h"
#include "base/diagnostic.h"
#include "base/utf8.h"

namespace lowbit::exec {
namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

/// A position in a record and the part of the schema that speaks about it.
struct Node {
  const Json* value = nullptr;
  const Json* schema = nullptr;
  std::string field;  ///< "grid.num_bits", "steps[2]"; empty: the record itself
};

const Json* member(const Json* object, const std::string& key) {
  if (object == nullptr || !object->is_object()) return nullptr;
  const auto it = object->find(key);
  return it == object->end() ? nullptr : &*it;
}

/// Follows `<root>`, `[steps]`, `[2]`. The value or the schema is null where the path leads to nothing.
Node walk(const Json& record, const Json& schema, const std::vector<std::string>& path) {
  Node node{.value = &record, .schema = &schema, .field = {}};
  for (const std::string& part : path) {
    if (part.size() < 2 || part.front() != '[') continue;
    const std::string key = part.substr(1, part.size() - 2);
    if (node.value != nullptr && node.value->is_array()) {
      const std::size_t index = std::stoul(key);
      node.field += "[" + key + "]";
      node.value = index < node.value->size() ? &node.value->at(index) : nullptr;
      node.schema = member(node.schema, "items");
    } else {
      node.field += (node.field.empty() ? "" : ".") + key;
      node.value = member(node.value, key);
      const Json* const named = member(member(node.schema, "properties"), key);
      node.schema = named != nullptr ? named : member(node.schema, "additionalProperties");
    }
  }
  return node;
}

std::string alternatives(const Json& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += i + 1 == values.size() ? " or " : ", ";
    out += values[i].is_string() ? values[i].get<std::string>() : canonical(values[i]);
  }
  return out;
}

/// What the schema wants here, as it stands after "must be".
std::string expected(const Json& schema) {
  if (const auto it = schema.find("enum"); it != schema.end()) return alternatives(*it);
  std::string out;
  if (const auto it = schema.find("type"); it != schema.end())
    out = alternatives(it->is_array() ? *it : Json::array({*it}));
  const auto bound = [&](const char* key, const std::string& words) {
    if (const auto it = schema.find(key); it != schema.end()) out += ", " + words + canonical(*it);
  };
  bound("minimum", "at least ");
  bound("maximum", "at most ");
  bound("minLength", "of length at least ");
  bound("maxLength", "of length at most ");
  bound("minItems", "members: at least ");
  bound("pattern", "like ");
  return out;
}

/// What can be wrong with an object as a whole: fields that are missing, fields that nobody knows.
std::vector<std::string> object_problems(const Node& node) {
  std::vector<std::string> out;
  const Json* const properties = member(node.schema, "properties");
  if (properties == nullptr || node.value == nullptr || !node.value->is_object()) return out;
  const std::string prefix = node.field.empty() ? "" : node.field + ".";
  if (const Json* const required = member(node.schema, "required"); required != nullptr) {
    for (const Json& name : *required) {
      if (!node.value->contains(name.get<std::string>())) {
        out.push_back("`" + prefix + name.get<std::string>() + "` is missing");
      }
    }
  }
  const Json* const more = member(node.schema, "additionalProperties");
  if (more == nullptr || *more != false) return out;
  std::vector<std::string> known;
  for (const auto& [name, unused] : properties->items()) known.push_back(name);
  for (const auto& [name, unused] : node.value->items()) {
    if (properties->contains(name)) continue;
    const std::string near = nearest(name, known);
    out.push_back("`" + prefix + name + "` is not a field of this record" +
                  (near.empty() ? "" : "; a similar one is `" + near + "`"));
  }
  return out;
}

}  // namespace

void Problems::add(std::string_view place, std::string_view text) {
  ++count_;
  if (shown_.size() < kShown) shown_.push_back(std::string(place) + ": " + std::string(text));
}

std::string brief(const Json& value) {
  constexpr std::size_t kLength = 60;  // bytes
  const std::string text = canonical(value);
  return text.size() <= kLength ? text : std::string(utf8_prefix(text, kLength - 3)) + "...";
}

struct RecordCheck::State {
  Json json;
  valijson::Schema schema;
  valijson::Validator validator;
};

RecordCheck::RecordCheck(std::string_view schema) : state_(std::make_unique<State>()) {
  const std::string_view text = embedded::artifact_schemas::find_text(std::string(schema) + ".schema.json");
  LB_CHECK(!text.empty());
  state_->json = Json::parse(text);
  valijson::SchemaParser parser;
  parser.populateSchema(Adapter(state_->json), state_->schema);
}

RecordCheck::~RecordCheck() = default;
RecordCheck::RecordCheck(RecordCheck&&) noexcept = default;
RecordCheck& RecordCheck::operator=(RecordCheck&&) noexcept = default;

bool RecordCheck::check(const Json& record, std::string_view place, Problems& problems) const {
  if (state_->validator.validate(state_->schema, Adapter(record), nullptr)) return true;

  valijson::ValidationResults results;
  state_->validator.validate(state_->schema, Adapter(record), &results);
  std::vector<std::string> texts;
  std::set<std::string> seen;
  const auto say = [&](const std::string& text) {
    if (seen.insert(text).second) texts.push_back(text);
  };
  std::string last_resort = "does not fit its schema";
  valijson::ValidationResults::Error e;
  while (results.popError(e)) {
    const Node node = walk(record, state_->json, e.context);
    const std::vector<std::string> of_object = object_problems(node);
    for (const std::string& text : of_object) say(text);
    const bool repeats_a_child = e.description.starts_with("Failed to validate");
    if (!of_object.empty() || repeats_a_child) continue;
    if (node.value != nullptr && node.schema != nullptr && !expected(*node.schema).empty()) {
      say((node.field.empty() ? "the record" : "`" + node.field + "`") + " must be " + expected(*node.schema) +
          ", found " + brief(*node.value));
    } else {
      last_resort = (node.field.empty() ? "" : "`" + node.field + "`: ") + e.description;
    }
  }
  if (texts.empty()) say(last_resort);
  for (const std::string& text : texts) problems.add(place, text);
  return false;
}

namespace {

/// The parser's words without its own prefix.
std::string parse_problem(const Json::exception& e) {
  const std::string text = e.what();
  const auto end = text.find("] ");
  return "not JSON: " + (end == std::string::npos ? text : text.substr(end + 2));
}

}  // namespace

std::optional<Json> read_record(const std::filesystem::path& directory, const std::string& name,
                                std::string_view schema, Problems& problems) {
  std::ifstream in(directory / name, std::ios::binary);
  if (!in) {
    problems.add(name, "is missing or cannot be read");
    return std::nullopt;
  }
  try {
    Json record = Json::parse(in);
    if (!RecordCheck(schema).check(record, name, problems)) return std::nullopt;
    return record;
  } catch (const Json::exception& e) {
    problems.add(name, parse_problem(e));
    return std::nullopt;
  }
}

std::size_t for_each_record(const std::filesystem::path& directory, const std::string& name, std::string_view schema,
                            Problems& problems, const std::function<void(Json&&, const std::string& place)>& use) {
  std::ifstream in(directory / name, std::ios::binary);
  if (!in) {
    problems.add(name, "is missing or cannot be read");
    return 0;
  }
  const RecordCheck check(schema);
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string place = name + ":" + std::to_string(++lines);
    if (in.eof()) {  // getline saw no newline
      problems.add(place, "the last line does not end: the file was cut off");
      break;
    }
    try {
      Json record = Json::parse(line);
      if (check.check(record, place, problems)) use(std::move(record), place);
    } catch (const Json::exception& e) {
      problems.add(place, line.empty() ? "the line is empty" : parse_problem(e));
    }
  }
  if (in.bad()) problems.add(name, "cannot be read to its end");
  return lines;
}

}  // namespace lowbit::exec
