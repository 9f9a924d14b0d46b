// The parameters of lowbit.llm-judge.
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "openai/params.h"

namespace lowbit::judge_llm {

struct Params : openai::CallParams {
  std::string endpoint, judge;
  std::string items = "wrong";
  std::string answer_format = "auto";
  bool reask = true;
  std::optional<std::string> taxonomy;

  static auto fields() {
    return std::tuple_cat(
        lowbit::fields<Params>(
            field(&Params::endpoint, "endpoint")
                .required()
                .not_empty()
                .doc("your name of the server; its address and key stand in LOWBIT_JUDGE_URL and LOWBIT_JUDGE_KEY"),
            field(&Params::judge, "judge").doc("name of the judge in its verdicts; empty: the model"),
            field(&Params::items, "items")
                .one_of("wrong", "all")
                .doc("what is judged: predictions that are not graded as right, or all"),
            field(&Params::taxonomy, "taxonomy")
                .one_of("v1", "v2")
                .doc("error types of the built-in rubric: seven flat ones, or seven in four categories; null: v2, or "
                     "what "
                     "a bound rubric says"),
            field(&Params::answer_format, "answer_format")
                .one_of("auto", "json_schema", "tool", "json_object", "text")
                .doc("how the server is made to answer with one object; auto: the first of these that it accepts"),
            field(&Params::reask, "reask")
                .doc("an answer that cannot be read is asked for once more, with the reason: a second paid call")),
        openai::call_fields<Params>());
  }
};

}  // namespace lowbit::judge_llm
