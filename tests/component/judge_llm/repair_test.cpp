// What is repaired, and where it ends because a guess would begin.
#include "repair.h"

#include <catch2/catch.hpp>

#include "answer.h"

using namespace lowbit::judge_llm;
using Json = nlohmann::json;

namespace {

constexpr const char* kGood = R"({"explanation": "a, ]", "status": "error", "first_error_step": 2,
                                  "type": "computational_error", "confidence": 0.5})";

std::string changed(const char* member, const Json& value) {
  Json answer = Json::parse(kGood);
  answer[member] = value;
  return answer.dump();
}

/// By the built-in rubric, of a solution with three steps.
Judgement repaired(const std::string& text, bool truncated = false) {
  static const AnswerReader reader(built_in_rubric());
  CHECK(reader.read(text, 3).status == "invalid");  // the strict rule does not take it
  return reader.read_repaired(text, 3, truncated);
}
void check_good(const std::string& text, const Repairs& repairs, bool truncated = false) {
  INFO(text);
  const Judgement j = repaired(text, truncated);
  CHECK(j.status == "error");
  CHECK(j.type == "computational_error");
  CHECK(j.category == "execution");
  CHECK(j.first_error_step == 2);
  CHECK(j.explanation == "a, ]");
  CHECK(j.repairs == repairs);
}
void check_invalid(const std::string& text, bool truncated = false) {
  INFO(text);
  CHECK(repaired(text, truncated).status == "invalid");
}

}  // namespace

TEST_CASE("reasoning that did not begin at the beginning is cut off", "[judge]") {
  const std::string draft = R"({"status": "no_error", "type": null} or so</think>)";
  check_good(draft + kGood, {"wrapping"});
  check_good("Let me think. <think>" + draft + "\n```json\n" + kGood + "\n```", {"wrapping"});
  check_good("\xEF\xBB\xBF<think>" + draft + kGood, {"wrapping"});
  check_invalid(draft);
  check_invalid(draft + "<think>" + kGood);
}

TEST_CASE("of several objects the one with a status counts, and two of them only when they say the same", "[judge]") {
  const std::string good = kGood;
  check_good(R"(For {"x": 1} I say )" + good, {"one_of_several"});
  check_good(good + "\n\n" + good, {"one_of_several"});
  check_good(good + R"( {"note": "done"})", {"one_of_several"});
  check_invalid(good + changed("first_error_step", 1));
  check_invalid(good + R"({"status": "no_error"})");
  check_invalid(R"({"x": 1} {"y": 2})");
}

TEST_CASE("commas before closing brackets go, those in texts stay", "[judge]") {
  std::string text = kGood;
  text.insert(text.size() - 1, " , \n");
  check_good(text, {"trailing_commas"});
  check_invalid(R"({"status": "error",, "type": "computational_error"})");
}

TEST_CASE("an object that was cut behind a whole value is closed, and none that was cut inside of one", "[judge]") {
  const std::string whole = R"({"confidence": 0.5, "explanation": "a, ]", "status": "error", "first_error_step": 2,
                                "type": "computational_error"})";
  const std::string open = whole.substr(0, whole.size() - 1);
  check_good(open, {"closed"}, true);
  check_good(open + ", \n", {"closed"}, true);
  check_invalid(open);  // not cut at the token limit: something else is wrong with it
  const std::string number = std::string(kGood).substr(0, std::string(kGood).size() - 1);
  check_invalid(number, true);  // 0.5 may have been 0.55
  for (std::size_t n = 0; n < open.size(); ++n) check_invalid(whole.substr(0, n), true);
  check_invalid(R"({"explanation": "x", "status": "error", "first_error_step": null,)", true);  // members are missing
}

TEST_CASE("names are taken in other spellings and by synonyms that mean one type", "[judge]") {
  for (const char* type : {"Computational Error", "computational-error", "COMPUTATIONAL_ERRORS", "computational",
                           "computation error", "Calculation error", "arithmetic_error"}) {
    check_good(changed("type", type), {"names"});
  }
  for (const char* status : {"Error", " ERROR ", "incorrect", "Wrong"})
    check_good(changed("status", status), {"names"});
  for (const char* type : {"execution", "mistake", "error", "computational or logical", "", "none"}) {
    check_invalid(changed("type", type));
  }
  for (const char* status : {"", "err", "error in step 2", "maybe"}) check_invalid(changed("status", status));
  Json none = Json::parse(kGood);
  none["status"] = "No Error";
  none["first_error_step"] = nullptr;
  none["type"] = "None";
  const Judgement j = repaired(none.dump());
  CHECK(j.status == "no_error");
  CHECK(j.type.is_null());
  CHECK(j.repairs == Repairs{"names"});
}

TEST_CASE("every synonym names a type of its taxonomy, in both", "[judge]") {
  const auto type_of = [](const char* taxonomy, const char* said) {
    Json answer{{"status", "error"}, {"type", said}};
    Repairs used;
    repair_names(answer, taxonomy, true, used);
    return answer["type"].get<std::string>();
  };
  CHECK(type_of("v1", "Computational Error") == "computation_error");
  CHECK(type_of("v1", "logical reasoning error") == "logical_error");
  CHECK(type_of("v1", "Misunderstanding of Problem") == "misunderstanding_of_problem");
  CHECK(type_of("v1", "formula rule error") == "formula_misuse");
  CHECK(type_of("v1", "symbolic manipulation") == "symbol_error");
  CHECK(type_of("v1", "boundary error") == "boundary_condition_error");
  CHECK(type_of("v2", "formula misuse") == "formula_rule_error");
  CHECK(type_of("v2", "Symbol error") == "symbolic_manipulation_error");
  CHECK(type_of("v2", "logic error") == "logical_reasoning_error");
  // Which type of the other taxonomy these are is a matter of opinion.
  CHECK(type_of("v2", "step omission") == "step omission");
  CHECK(type_of("v2", "misunderstanding") == "misunderstanding");
}

TEST_CASE("where type and category disagree the type counts", "[judge]") {
  check_good(changed("category", "reasoning"), {"category"});
  Rubric rubric = built_in_rubric();
  rubric.answer_schema = Json::parse(R"({"type": "object", "properties": {"status": {}, "type": {}, "category": {}}})");
  const auto read = [&](const char* text) { return AnswerReader(rubric).read_repaired(text, 0, false); };
  const Judgement j = read(R"({"status": "error", "type": "formula_rule_error", "category": "reasoning"})");
  CHECK(j.category == "method");
  CHECK(j.repairs == Repairs{"category"});
  CHECK(read(R"({"status": "error", "category": "Method errors"})").category == "method");
  rubric.taxonomy = "v1";
  CHECK(read(R"({"status": "error", "type": "symbol_error", "category": "execution"})").category.is_null());
}

TEST_CASE("what would take a guess stays invalid", "[judge]") {
  check_invalid("The first error is in step 2, a computational error.");
  check_invalid(R"({"status": "no_error",)" + std::string(kGood).substr(1));  // a key twice
  check_invalid(changed("status", "no_error"));
  check_invalid(changed("first_error_step", "2"));
  check_invalid(changed("first_error_step", 4));
  check_invalid(changed("confidence", 75));
  check_invalid(changed("extra", 1));
  check_invalid(R"({'status': 'error'})");
  check_invalid(std::string(100000, ' '), true);
  check_invalid("{\"" + std::string(100000, ' '), true);
}

TEST_CASE("repairs of an answer that is cut, doubled or mangled anywhere never invent a verdict", "[judge]") {
  // Whatever is left of the good answer, a verdict from it is that answer's.
  const std::string good = kGood;
  static const AnswerReader reader(built_in_rubric());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const std::string& text : {good.substr(at), good.substr(0, at), good.substr(0, at) + good.substr(at + 1),
                                    good.substr(0, at) + "," + good.substr(at), good.substr(0, at) + good}) {
      const Judgement j = reader.read_repaired(text, 3, true);
      if (j.status == "invalid") continue;
      INFO(text);
      CHECK(j.status == "error");
      CHECK(j.type == "computational_error");
    }
  }
}
