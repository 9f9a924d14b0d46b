// In which form a model is made to answer with one JSON object: the rungs of a ladder from a server that writes by a
// schema to one that only writes text.
//
//   const AnswerSchema schema = answer_schema("lowbit.first-error.v2-1", rubric_schema);
//   const std::string body = chat_request(options, messages, Form::tool, &schema);
//   if (refuses(Form::tool, reply)) ...the next form...
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "openai/retry.h"

namespace lowbit::openai {

enum class Form {
  json_schema,  ///< `response_format` of type json_schema, strict
  tool,         ///< a call of one tool, forced, whose parameters are the schema
  json_object,  ///< `response_format` of type json_object; the schema stands in the prompt
  text          ///< nothing but the prompt
};
/// From the form that promises most to the one that promises nothing.
inline constexpr std::array kForms{Form::json_schema, Form::tool, Form::json_object, Form::text};
[[nodiscard]] const char* name_of(Form form);
/// `auto`: all of them, in their order; else the one of this name. REQUIRES: `name` is `auto` or a form's.
[[nodiscard]] std::vector<Form> forms_named(std::string_view name);

/// A schema as servers with strict forms want it.
struct AnswerSchema {
  std::string name;  ///< at most 64 of [a-zA-Z0-9_-]
  nlohmann::ordered_json schema;
};
/// Of a schema whose members stand in the order of writing. Every property becomes required (an optional one may be
/// null instead), objects take no other properties, `explanation` comes before what it explains, and keywords are left
/// out that servers refuse: bounds, patterns, formats. The answer has to be checked against the schema itself.
[[nodiscard]] AnswerSchema answer_schema(std::string_view name, const nlohmann::ordered_json& schema);

/// Whether a reply says that the server cannot answer in this form: 400, 404, 405, 415, 422 or 501 with words about it.
/// Never of text.
[[nodiscard]] bool refuses(Form form, const Reply& reply);

}  // namespace lowbit::openai
