#include "answer.h"

#include <algorithm>
#include <lowbit/errors.hpp>
#include <vector>

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "objects.h"
#include "repair.h"
#include "verdicts/error_types.h"

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

Json only_object(std::string_view text) {
  const std::size_t begin = next_object(text, 0);
  if (begin == std::string_view::npos) throw Invalid{"there is no JSON object in it"};
  const std::size_t end = end_of_object(text, begin);
  if (end == std::string_view::npos) throw Invalid{"its JSON object is not closed"};
  if (next_object(text, end) != std::string_view::npos) throw Invalid{"there is more than one JSON object in it"};
  return parsed_object(text.substr(begin, end - begin));
}

Json member(const Json& object, const char* key) { return object.value(key, Json()); }

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw Invalid{otherwise};
}

/// Fills in the category of a type, and sees that both are of the taxonomy.
void read_error(const std::string& taxonomy, Judgement& out) {
  expect(!out.type.is_null() || !out.category.is_null(), "status is error, but no type is named");
  const auto same = [&](const verdicts::ErrorType& known) {
    return (out.type.is_null() || out.type == known.type) &&
           (out.category.is_null() || (!known.category.empty() && out.category == known.category));
  };
  const auto types = verdicts::types_of(taxonomy);
  const auto found = std::find_if(types.begin(), types.end(), same);
  expect(found != types.end(),
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
  bool takes_category = false;
};

AnswerReader::AnswerReader(const Rubric& rubric) : taxonomy_(rubric.taxonomy), schema_(std::make_unique<Schema>()) {
  try {
    valijson::SchemaParser parser;
    parser.populateSchema(Adapter(rubric.answer_schema), schema_->schema);
    const Json required = rubric.answer_schema.value("required", Json::array());
    schema_->takes_category = rubric.answer_schema.at("properties").contains("category");
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

/// Throws Invalid.
Judgement AnswerReader::judged(Json answer, std::size_t n_steps) const {
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
                .why = {},
                .repairs = {}};
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
}

Judgement AnswerReader::read(const std::string& text, std::size_t n_steps) const {
  try {
    return judged(only_object(without_reasoning(text)), n_steps);
  } catch (const Invalid& e) {
    Judgement invalid;
    invalid.why = e.why;
    return invalid;
  }
}

Judgement AnswerReader::read_repaired(const std::string& text, std::size_t n_steps, bool truncated) const {
  try {
    Repairs used;
    Json answer = repaired_object(text, truncated, used);
    repair_names(answer, taxonomy_, schema_->takes_category, used);
    Judgement out = judged(std::move(answer), n_steps);
    out.repairs = std::move(used);
    return out;
  } catch (const Invalid& e) {
    Judgement invalid;
    invalid.why = e.why;
    return invalid;
  }
}

Judgement AnswerReader::judge(const openai::Completion& completion, std::size_t n_steps) const {
  Judgement out;
  out.why = completion.why;
  const bool truncated = completion.outcome == openai::Outcome::truncated;
  if (completion.outcome == openai::Outcome::ok) out = read(completion.text, n_steps);
  if (out.status != "invalid" || completion.text.empty()) return out;
  Judgement repaired = read_repaired(completion.text, n_steps, truncated);
  return repaired.status == "invalid" ? out : repaired;
}

}  // namespace lowbit::judge_llm
