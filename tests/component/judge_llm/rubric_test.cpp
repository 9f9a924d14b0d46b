#include "rubric.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <lowbit/errors.hpp>

#include "exec/artifact_check.h"
#include "lm/digest.h"
#include "support/program.h"

using namespace lowbit;
using namespace lowbit::judge_llm;

namespace {

const std::filesystem::path kFile =
    std::filesystem::path(LOWBIT_SOURCE_DIR) / "plugins/judge-llm/rubrics/lowbit.first-error.v2-1.json";

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

TEST_CASE("the built-in rubric is a rubric/1 and never changes under its name", "[judge]") {
  const test::TemporaryDirectory directory;
  std::filesystem::copy_file(kFile, directory.path() / "rubric.json");
  CHECK(exec::check_artifact("rubric/1", directory.path()).ok());
  CHECK(read_rubric(directory.path()).prompt == built_in_rubric().prompt);
  CHECK(built_in_rubric().name + ".json" == kFile.filename());
  // Another text asks another question: give it another name, and the stage another version.
  CHECK(lm::sha256_of_file(kFile) == "57894d29a82592ee3dd3b7c7c906b9e758fe9a42a3cbfd22ab36699ca617e935");
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
