#include "rubric.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <lowbit/errors.hpp>

#include "exec/artifact_check.h"
#include "lm/digest.h"
#include "support/program.h"
#include "verdicts/error_types.h"

using namespace lowbit;
using namespace lowbit::judge_llm;

namespace {

const std::filesystem::path kRubrics = std::filesystem::path(LOWBIT_SOURCE_DIR) / "plugins/judge-llm/rubrics";
const std::filesystem::path kFile = kRubrics / "lowbit.first-error.v2-1.json";

Case subject() {
  return {.problem = "how many?",
          .answer = "3",
          .solution = "1 + 2 = 3",
          .extracted = "4",
          .steps = {"1 + 2 = 4", "answer 4"},
          .text = "1 + 2 = 4\nanswer 4"};
}
std::string rendered(const std::string& prompt, const Case& about) {
  Rubric rubric = built_in_rubric();
  rubric.prompt = prompt;
  return render_prompt(rubric, about);
}

}  // namespace

TEST_CASE("a built-in rubric is a rubric/1 and never changes under its name", "[judge]") {
  struct BuiltIn {
    const char* taxonomy;
    const char* digest;
  };
  // Another text asks another question: give it another name, and the stage another version.
  const auto known = GENERATE(BuiltIn{"v1", "d7af416f16372bbda45d32b31a0e5b84a00b54c3b76b36dded6d016c25093fc3"},
                              BuiltIn{"v2", "57894d29a82592ee3dd3b7c7c906b9e758fe9a42a3cbfd22ab36699ca617e935"});
  const Rubric rubric = built_in_rubric(known.taxonomy);
  const auto file = kRubrics / (rubric.name + ".json");
  const test::TemporaryDirectory directory;
  std::filesystem::copy_file(file, directory.path() / "rubric.json");
  CHECK(exec::check_artifact("rubric/1", directory.path()).ok());
  CHECK(rubric.taxonomy == known.taxonomy);
  CHECK(read_rubric(directory.path()).prompt == rubric.prompt);
  CHECK(lm::sha256_of_file(file) == known.digest);
}

TEST_CASE("a built-in rubric explains and offers exactly the types of its taxonomy", "[judge]") {
  const std::string taxonomy = GENERATE(as<std::string>{}, "v1", "v2");
  const Rubric rubric = built_in_rubric(taxonomy);
  nlohmann::json types = nlohmann::json::array();
  for (const verdicts::ErrorType& known : verdicts::types_of(taxonomy)) {
    types.push_back(known.type);
    CHECK_THAT(rubric.prompt, Catch::Contains("\n- " + std::string(known.type) + ": "));
  }
  CHECK(types.size() == 7);
  nlohmann::json offered = rubric.answer_schema["properties"]["type"]["enum"];
  CHECK(offered.back().is_null());
  offered.erase(offered.size() - 1);
  std::sort(types.begin(), types.end());
  std::sort(offered.begin(), offered.end());
  CHECK(offered == types);
}

TEST_CASE("the built-in prompt shows the problem, both solutions and numbered steps", "[judge]") {
  const std::string prompt = render_prompt(built_in_rubric(), subject());
  CHECK_THAT(prompt, Catch::Contains("# Problem\nhow many?\n") && Catch::Contains("# Reference answer\n3\n") &&
                         Catch::Contains("1. 1 + 2 = 4\n2. answer 4\n") && !Catch::Contains("{{"));
}

TEST_CASE("places are filled in once; what is filled in is text", "[judge]") {
  Case about = subject();
  about.problem = "{{answer}}";
  CHECK(rendered("{{problem}}|{{answer}}|{{solution}}|{{extracted}}|{{", about) == "{{answer}}|3|1 + 2 = 3|4|{{");
}

TEST_CASE("what is not known is said to be so, and a text without steps stands for them", "[judge]") {
  const Case about{.problem = "p", .answer = {}, .solution = {}, .extracted = {}, .steps = {}, .text = "no idea"};
  CHECK(rendered("{{answer}}|{{solution}}|{{extracted}}|{{steps}}", about) ==
        "(not given)|(not given)|(none found)|no idea");
}

TEST_CASE("rubrics that cannot be used are refused with the place and what to do", "[judge]") {
  const test::TemporaryDirectory directory;
  const auto refusal = [&](const std::string& text) -> std::string {
    test::write_text(directory.path() / "rubric.json", text);
    try {
      (void)render_prompt(read_rubric(directory.path()), subject());
    } catch (const StageError& e) {
      CHECK(e.status() == LB_BAD_INPUT);
      CHECK(e.text().what == "the rubric cannot be used");
      return e.text().why;
    }
    return "accepted";
  };
  const std::string text = test::read_text(kFile);
  const auto with = [&](const std::string& old, const std::string& other) {
    std::string changed = text;
    REQUIRE(changed.find(old) != changed.npos);
    return changed.replace(changed.find(old), old.size(), other);
  };
  CHECK(refusal(text) == "accepted");
  CHECK(refusal(with("{{steps}}", "{{step}}")) == "its template names {{step}}");
  CHECK(refusal(with("\"v2\"", "\"v3\"")) == "its taxonomy is v3");
  CHECK(refusal(with("\"status\": {", "\"state\": {")) ==
        "`answer_schema` has no property `status`, or neither `type` nor `category`");
  CHECK_THAT(refusal(text.substr(0, 200)), Catch::Contains("parse error"));
}
