#include "answer.h"

#include <catch2/catch.hpp>
#include <lowbit/errors.hpp>

using namespace lowbit;
using namespace lowbit::judge_llm;
using Json = nlohmann::json;

namespace {

Json good() {
  return {{"explanation", "step 2 adds wrongly"},
          {"status", "error"},
          {"first_error_step", 2},
          {"type", "computational_error"},
          {"confidence", 0.75}};
}

/// By the built-in rubric, of a solution with three steps.
Judgement read(const std::string& text) {
  static const AnswerReader reader(built_in_rubric());
  return reader.read(text, 3);
}
Judgement changed(const char* key, const Json& value) {
  Json answer = good();
  answer[key] = value;
  return read(answer.dump());
}

}  // namespace

TEST_CASE("one JSON object is the verdict, whatever text is around it", "[judge]") {
  const std::string object = good().dump(2);
  for (const std::string& text :
       {object, "```json\n" + object + "\n```", "Here is my verdict:\n\n```\n" + object + "\n```\nI hope that helps.",
        "By \\frac{1}{2} and {3, 4} it is wrong. " + object,
        "<think>maybe {\"status\": \"no_error\"}? no</think>\n" + object, "\n\t" + object + "  "}) {
    const Judgement j = read(text);
    INFO(text);
    CHECK(j.status == "error");
    CHECK(j.type == "computational_error");
    CHECK(j.category == "execution");
    CHECK(j.first_error_step == 2);
    CHECK(j.explanation == "step 2 adds wrongly");
    CHECK(j.confidence == 0.75);
  }
}

TEST_CASE("braces and quotation marks inside texts do not end an object", "[judge]") {
  CHECK(changed("explanation", "it wrote \"} and { \\ \"x\": 1}\" there").status == "error");
}

TEST_CASE("what is not exactly one whole object is invalid, with the reason", "[judge]") {
  const std::string object = good().dump();
  const auto why = [](const std::string& text) {
    const Judgement j = read(text);
    CHECK(j.status == "invalid");
    CHECK((j.type.is_null() && j.category.is_null() && j.first_error_step.is_null() && j.explanation.is_null()));
    return j.why;
  };
  CHECK(why("") == "there is no JSON object in it");
  CHECK(why("The first error is in step 2, a computational error.") == "there is no JSON object in it");
  CHECK(why("<think>" + object) == "there is no JSON object in it");
  CHECK(why(object + "\nor rather\n" + object) == "there is more than one JSON object in it");
  CHECK(why("[" + object + "," + object + "]") == "there is more than one JSON object in it");
  CHECK(why(object.substr(0, object.size() - 1)) == "its JSON object is not closed");
  // Cut inside: the whole inner object must not be taken for the answer.
  CHECK(why("{\"draft\": " + object) == "its JSON object is not closed");
  CHECK_THAT(why("{\"status\": error}"), Catch::StartsWith("its JSON object is malformed: "));
  CHECK_THAT(why("{\"status\": \"error\",}"), Catch::StartsWith("its JSON object is malformed: "));
  CHECK_THAT(why("{\"status\":\"no_error\"," + object.substr(1)), Catch::StartsWith("its JSON object is malformed: "));
}

TEST_CASE("an object that is cut anywhere is never a verdict", "[judge]") {
  const std::string object = good().dump();
  for (std::size_t n = 0; n < object.size(); ++n) CHECK(read(object.substr(0, n)).status == "invalid");
}

TEST_CASE("an answer outside the schema or against itself is invalid", "[judge]") {
  CHECK_THAT(changed("type", "calculation_error").why, Catch::StartsWith("it does not fit answer_schema"));
  CHECK_THAT(changed("status", "Error").why, Catch::StartsWith("it does not fit answer_schema"));
  CHECK_THAT(changed("confidence", 75).why, Catch::StartsWith("it does not fit answer_schema"));
  CHECK_THAT(changed("extra", 1).why, Catch::StartsWith("it does not fit answer_schema"));
  CHECK_THAT(changed("first_error_step", "2").why, Catch::StartsWith("it does not fit answer_schema"));
  CHECK(changed("first_error_step", 4).why == "first_error_step is 4, the solution has 3 steps");
  CHECK(changed("type", nullptr).why == "status is error, but no type is named");
  CHECK(changed("status", "no_error").why == "status is no_error, but an error is named");
  Json missing = good();
  missing.erase("type");
  CHECK_THAT(read(missing.dump()).why, Catch::StartsWith("it does not fit answer_schema"));
}

TEST_CASE("a solution without errors, and one that the judge cannot tell, name none", "[judge]") {
  for (const char* status : {"no_error", "undetermined"}) {
    Json answer = good();
    answer["status"] = status;
    answer["type"] = nullptr;
    answer["first_error_step"] = nullptr;
    const Judgement j = read(answer.dump());
    CHECK(j.status == status);
    CHECK((j.type.is_null() && j.category.is_null() && j.first_error_step.is_null()));
    CHECK(j.confidence == 0.75);
  }
  CHECK(changed("first_error_step", nullptr).status == "error");
}

TEST_CASE("a rubric of one's own may name categories, or the flat taxonomy", "[judge]") {
  Rubric rubric = built_in_rubric();
  rubric.answer_schema = Json::parse(R"({"type": "object", "properties": {"status": {}, "type": {}, "category": {}}})");
  const auto with = [&](const char* text) { return AnswerReader(rubric).read(text, 0); };
  CHECK(with(R"({"status": "error", "category": "method"})").category == "method");
  CHECK(with(R"({"status": "error", "category": "method"})").type.is_null());
  CHECK(with(R"({"status": "error", "type": "formula_rule_error", "category": "method"})").status == "error");
  CHECK(with(R"({"status": "error", "type": "formula_rule_error", "category": "reasoning"})").why ==
        "type \"formula_rule_error\" with category \"reasoning\" is not in taxonomy v2");
  CHECK(with(R"({"status": "error", "type": "symbol_error"})").status == "invalid");
  CHECK(with(R"({"status": "error", "type": 3})").status == "invalid");
  CHECK(with(R"({"status": "error", "type": "formula_rule_error", "first_error_step": 1})").status == "invalid");
  rubric.taxonomy = "v1";
  CHECK(with(R"({"status": "error", "type": "symbol_error"})").category.is_null());
  CHECK(with(R"({"status": "error", "type": "symbol_error"})").status == "error");
  CHECK(with(R"({"status": "error", "category": "method"})").status == "invalid");
}

TEST_CASE("null stands for an optional member, and not for one that is required", "[judge]") {
  Rubric rubric = built_in_rubric();
  rubric.answer_schema = Json::parse(R"({"type": "object", "additionalProperties": false, "required": ["status"],
    "properties": {"status": {"type": "string"}, "type": {"type": "string"}, "confidence": {"type": "number"}}})");
  const auto with = [&](const char* text) { return AnswerReader(rubric).read(text, 0).status; };
  CHECK(with(R"({"status": "no_error", "type": null, "confidence": null})") == "no_error");
  CHECK(with(R"({"status": null})") == "invalid");
  CHECK(with(R"({"status": "no_error", "other": null})") == "invalid");
}

TEST_CASE("an answer_schema that is no schema is refused", "[judge]") {
  Rubric rubric = built_in_rubric();
  rubric.answer_schema["properties"]["type"] = Json{{"enum", "text"}};
  try {
    const AnswerReader reader(rubric);
    FAIL("it was accepted");
  } catch (const StageError& e) {
    CHECK(e.status() == LB_BAD_INPUT);
    CHECK(e.text().what == "the rubric's answer_schema cannot be used");
    CHECK(e.text().where == "rubric lowbit.first-error.v2-1");
  }
}
