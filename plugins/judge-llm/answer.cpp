#include "answer.h"

#include <algorithm>
#include <array>
#include <lowbit/errors.hpp>
#include <optional>
#include <string_view>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "lm/json_file.h"

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr std::string_view kBlank = " \t\r\n";

struct KnownType {
  std::string_view taxonomy, type, category;  ///< v1 is flat: no category
};
constexpr std::array kTypes{KnownType{"v2", "conceptual_misunderstanding", "conceptual"},
                            KnownType{"v2", "contextual_oversight", "conceptual"},
                            KnownType{"v2", "procedural_error", "method"},
                            KnownType{"v2", "formula_rule_error", "method"},
                            KnownType{"v2", "computational_error", "execution"},
                            KnownType{"v2", "symbolic_manipulation_error", "execution"},
                            KnownType{"v2", "logical_reasoning_error", "reasoning"},
                            KnownType{"v1", "misunderstanding_of_problem", ""},
                            KnownType{"v1", "logical_error", ""},
                            KnownType{"v1", "computation_error", ""},
                            KnownType{"v1", "formula_misuse", ""},
                            KnownType{"v1", "step_omission", ""},
                            KnownType{"v1", "boundary_condition_error", ""},
                            KnownType{"v1", "symbol_error", ""}};

/// Why an answer is invalid; the only exception here, and it ends in read().
struct Invalid {
  std::string why;
};

std::string_view without_reasoning(std::string_view text) {
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kClose = "</think>";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (!text.starts_with(kOpen)) return text;
  const auto close = text.find(kClose);
  return close == text.npos ? std::string_view() : text.substr(close + kClose.size());
}

/// Where the next object begins at or after `from`; npos: nowhere.
std::size_t next_object(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('{', from); at != text.npos; at = text.find('{', at + 1)) {
    const auto next = text.find_first_not_of(kBlank, at + 1);
    if (next != text.npos && text[next] == '"') return at;
  }
  return text.npos;
}

/// One behind the brace that closes the one at `begin`; npos when none does.
std::size_t end_of_object(std::string_view text, std::size_t begin) {
  bool quoted = false;
  std::size_t depth = 0;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return at + 1;
    }
  }
  return text.npos;
}

Json only_object(std::string_view text) {
  const std::size_t begin = next_object(text, 0);
  if (begin == text.npos) throw Invalid{"there is no JSON object in it"};
  const std::size_t end = end_of_object(text, begin);
  if (end == text.npos) throw Invalid{"its JSON object is not closed"};
  if (next_object(text, end) != text.npos) throw Invalid{"there is more than one JSON object in it"};
  try {
    return lm::parse_json(text.substr(begin, end - begin));
  } catch (const std::exception& e) {
    throw Invalid{std::string("its JSON object is malformed: ") + e.what()};
  }
}

Json member(const Json& object, const char* key) { return object.value(key, Json()); }

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw Invalid{otherwise};
}

/// Fills in the category of a type, and sees that both are of the taxonomy.
void read_error(const std::string& taxonomy, Judgement& out) {
  expect(!out.type.is_null() || !out.category.is_null(), "status is error, but no type is named");
  const auto same = [&](const KnownType& known) {
    return known.taxonomy == taxonomy && (out.type.is_null() || out.type == known.type) &&
           (out.category.is_null() || (!known.category.empty() && out.category == known.category));
  };
  const auto* const found = std::find_if(kTypes.begin(), kTypes.end(), same);
  expect(found != kTypes.end(),
         "type " + out.type.dump() + " with category " + out.category.dump() + " is not in taxonomy " + taxonomy);
  if (!found->category.empty()) out.category = found->category;
}

void read_step(std::size_t n_steps, const Json& step) {
  if (step.is_null()) return;
  expect(step.is_number_integer(), "first_error_step is no integer");
  expect(step >= 1 && step <= n_steps,
         "first_error_step is " + step.dump() + ", the solution has " + std::to_string(n_steps) + " steps");
}

}  // namespace

struct AnswerReader::Schema {
  valijson::Schema schema;
  std::vector<std::string> optional;  ///< properties that need not be there
};

AnswerReader::AnswerReader(const Rubric& rubric) : taxonomy_(rubric.taxonomy), schema_(std::make_unique<Schema>()) {
  try {
    valijson::SchemaParser parser;
    parser.populateSchema(Adapter(rubric.answer_schema), schema_->schema);
    const Json required = rubric.answer_schema.value("required", Json::array());
    for (const auto& [name, property] : rubric.answer_schema.at("properties").items()) {
      if (std::find(required.begin(), required.end(), name) == required.end()) schema_->optional.push_back(name);
    }
  } catch (const std::exception& e) {
    throw StageError(LB_BAD_INPUT, {.what = "the rubric's answer_schema cannot be used",
                                    .where = "rubric " + rubric.name,
                                    .why = e.what(),
                                    .fix = "write it as a JSON Schema of draft 7 without references to other files"});
  }
}
AnswerReader::~AnswerReader() = default;

Judgement AnswerReader::read(const std::string& text, std::size_t n_steps) const {
  try {
    Json answer = only_object(without_reasoning(text));
    for (const std::string& name : schema_->optional) {
      if (answer.contains(name) && answer[name].is_null()) answer.erase(name);
    }
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (!validator.validate(schema_->schema, Adapter(answer), &results)) {
      valijson::ValidationResults::Error problem;
      results.popError(problem);
      throw Invalid{"it does not fit answer_schema: " + problem.description};
    }
    Judgement out{.status = {},
                  .type = member(answer, "type"),
                  .category = member(answer, "category"),
                  .first_error_step = member(answer, "first_error_step"),
                  .explanation = member(answer, "explanation"),
                  .confidence = member(answer, "confidence"),
                  .why = {}};
    const Json status = member(answer, "status");
    expect(status == "error" || status == "no_error" || status == "undetermined", "its status is " + status.dump());
    out.status = status.get<std::string>();
    if (out.status == "error") {
      read_error(taxonomy_, out);
      read_step(n_steps, out.first_error_step);
    } else {
      expect(out.type.is_null() && out.category.is_null() && out.first_error_step.is_null(),
             "status is " + out.status + ", but an error is named");
    }
    expect(out.explanation.is_null() || out.explanation.is_string(), "its explanation is no text");
    expect(out.confidence.is_null() || (out.confidence.is_number() && out.confidence >= 0 && out.confidence <= 1),
           "its confidence is not between 0 and 1");
    return out;
  } catch (const Invalid& e) {
    Judgement invalid;
    invalid.why = e.why;
    return invalid;
  }
}

}  // namespace lowbit::judge_llm
