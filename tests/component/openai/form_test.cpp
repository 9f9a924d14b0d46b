#include "openai/form.h"

#include <catch2/catch.hpp>

using namespace lowbit::openai;
using Ordered = nlohmann::ordered_json;

namespace {
Reply reply(unsigned status, const std::string& body) {
  return {.status = status, .body = body, .retry_after = {}, .failure = {}};
}
Reply complains(const std::string& message) {
  return reply(400, Ordered{{"error", {{"message", message}, {"type", "invalid_request_error"}}}}.dump());
}
}  // namespace

TEST_CASE("a schema for strict forms names every property, in the order in which it is to be written", "[openai]") {
  const AnswerSchema made = answer_schema("my rubric, v1.2/ä", Ordered::parse(R"({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["status", "explanation"],
    "properties": {
      "status": {"enum": ["error", "no_error"]},
      "step": {"type": "integer", "minimum": 1},
      "type": {"enum": ["a", null]},
      "note": {"type": "string", "pattern": "^x", "maxLength": 9},
      "more": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}}},
      "explanation": {"type": "string", "description": "why"}
    }})"));
  CHECK(made.name == "my_rubric__v1_2___");
  CHECK(made.schema.dump(1) == Ordered::parse(R"({
    "type": "object",
    "properties": {
      "explanation": {"type": "string", "description": "why"},
      "status": {"enum": ["error", "no_error"], "type": "string"},
      "step": {"type": ["integer", "null"]},
      "type": {"enum": ["a", null], "type": ["string", "null"]},
      "note": {"type": ["string", "null"]},
      "more": {"type": ["array", "null"], "items": {"type": "object",
               "properties": {"x": {"type": ["number", "null"]}}, "required": ["x"], "additionalProperties": false}}
    },
    "required": ["explanation", "status", "step", "type", "note", "more"],
    "additionalProperties": false})")
                                   .dump(1));
  CHECK(answer_schema(std::string(99, 'n'), Ordered::object()).name == std::string(64, 'n'));
}

TEST_CASE("a form is refused by words about it, and by nothing else", "[openai]") {
  struct Said {
    Form form;
    const char* message;
  };
  for (const Said& said :
       {Said{Form::json_schema, "Invalid parameter: 'response_format' of type 'json_schema' is not supported"},
        Said{Form::json_schema, "this model does not support Structured Outputs"},
        Said{Form::tool, "\"auto\" tool choice requires --enable-auto-tool-choice"},
        Said{Form::tool, "deepseek-reasoner does not support Function Calling"},
        Said{Form::json_object, "This response_format type is unavailable now"}}) {
    INFO(said.message);
    CHECK(refuses(said.form, complains(said.message)));
    CHECK_FALSE(refuses(Form::text, complains(said.message)));
    for (const Form form : kForms) {
      CHECK_FALSE(refuses(form, complains("temperature is not supported")));
      CHECK_FALSE(refuses(form, reply(500, complains(said.message).body)));
      CHECK_FALSE(refuses(form, reply(200, complains(said.message).body)));
      CHECK_FALSE(refuses(form, reply(401, complains(said.message).body)));
    }
  }
  CHECK(
      refuses(Form::json_schema, reply(422, R"({"detail":[{"loc":["body","response_format","type"],"msg":"bad"}]})")));
  CHECK(refuses(Form::tool, reply(404, R"({"error":{"message":"No endpoints found that support tool use"}})")));
  CHECK(refuses(Form::json_schema, reply(400, R"({"error":{"message":"unknown field","param":"response_format"}})")));
  CHECK(refuses(Form::json_object, reply(400, R"({"error":"response_format: unknown"})")));
}

TEST_CASE("forms are named as parameters name them", "[openai]") {
  CHECK(forms_named("auto") == std::vector<Form>(kForms.begin(), kForms.end()));
  for (const Form form : kForms) CHECK(forms_named(name_of(form)) == std::vector<Form>{form});
}
