#include "support/stage_fixture.h"
#include "verdicts/verdict.h"

using namespace lowbit;
using verdicts::Finding;
using verdicts::Status;

namespace {

Finding with_status(Status status) { return {.status = status, .first_error_step = {}, .category = {}, .type = {}}; }
Finding error(const char* type, std::size_t step) { return verdicts::error_of_type(type, step, ""); }
const char* const kSum = "computational_error";
const char* const kSign = "symbolic_manipulation_error";
const char* const kRule = "formula_rule_error";

struct Scoring {
  test::StageFixture stage{"lowbit.judge-scores"};

  void bind(const std::string& port, const std::string& judge,
            const std::vector<std::pair<std::string, Finding>>& findings) {
    JsonLinesWriter out(stage.input(port) / "verdicts.jsonl");
    for (const auto& [item, finding] : findings) out.write(verdicts::json_of(finding, item, judge));
    out.close();
    stage.host.bind(port, {.path = stage.input(port).string(), .type = "verdicts/1"});
  }
  void check(const std::string& metric, double value, std::uint64_t count) {
    INFO(metric);
    const auto m = stage.metric(metric);
    CHECK(m.value == Approx(value));
    CHECK(m.count == count);
    CHECK(m.std_error == Approx(std::sqrt(value * (1 - value) / static_cast<double>(count))).margin(1e-12));
  }
};

}  // namespace

TEST_CASE("a judge is scored as counted by hand", "[judge-scores]") {
  // Six wrong items and two right ones:
  //   right type and step; right type, wrong step; right category only; wrong category; cannot tell; not judged at all;
  //   a control that is acquitted; a control that is accused.
  Scoring s;
  s.bind("truth", "truth",
         {{"1", error(kSum, 1)},
          {"2", error(kSum, 2)},
          {"3", error(kSum, 1)},
          {"4", error(kRule, 1)},
          {"5", error(kRule, 3)},
          {"6", error(kRule, 1)},
          {"7", with_status(Status::no_error)},
          {"8", with_status(Status::no_error)}});
  s.bind("verdicts", "me",
         {{"1", error(kSum, 1)},
          {"2", error(kSum, 1)},
          {"3", error(kSign, 1)},
          {"4", with_status(Status::no_error)},
          {"5", with_status(Status::undetermined)},
          {"7", with_status(Status::no_error)},
          {"8", error(kSum, 1)}});
  REQUIRE(s.stage.run() == LB_OK);
  s.check("judge/type_accuracy", 2.0 / 6, 6);
  s.check("judge/category_accuracy", 3.0 / 6, 6);
  s.check("judge/step_accuracy", 2.0 / 6, 6);
  s.check("judge/type_precision", 2.0 / 4, 4);
  s.check("judge/undetermined", 2.0 / 8, 8);
  s.check("judge/missed", 1.0 / 6, 6);
  s.check("judge/false_alarms", 1.0 / 2, 2);
  s.check("judge/recall/computational_error", 2.0 / 3, 3);
  s.check("judge/recall/formula_rule_error", 0, 3);
  CHECK(nlohmann::json::parse(s.stage.read("report/report.json")) == nlohmann::json::parse(R"({
    "kind": "judge_scores", "outcome": "pass", "findings": [], "counts": {"items": 8, "without_verdict": 1,
      "confusion/computational_error/computational_error": 2,
      "confusion/computational_error/symbolic_manipulation_error": 1,
      "confusion/formula_rule_error/no_error": 1, "confusion/formula_rule_error/undetermined": 2,
      "confusion/no_error/no_error": 1, "confusion/no_error/computational_error": 1}})"));
}

TEST_CASE("verdicts of several judges, or about other items, or a truth that is none, are refused", "[judge-scores]") {
  Scoring s;
  s.bind("truth", "truth", {{"1", error(kSum, 1)}});
  SECTION("several judges") {
    JsonLinesWriter out(s.stage.input("two") / "verdicts.jsonl");
    out.write(verdicts::json_of(error(kSum, 1), "1", "ann"));
    out.write(verdicts::json_of(error(kSum, 1), "1", "bob"));
    out.close();
    s.stage.host.bind("verdicts", {.path = s.stage.input("two").string(), .type = "verdicts/1"});
    CHECK(s.stage.run() == LB_BAD_INPUT);
    CHECK(s.stage.error() ==
          "these are the verdicts of several judges\nverdicts.jsonl\nof ann and bob\n"
          "score each judge by itself, or their vote");
  }
  SECTION("other items") {
    s.bind("verdicts", "me", {{"2", error(kSum, 1)}});
    CHECK(s.stage.run() == LB_BAD_INPUT);
    CHECK_THAT(s.stage.error(), Catch::Contains("the truth has no such item"));
  }
  SECTION("no truth") {
    Scoring t;
    t.bind("truth", "truth", {{"1", with_status(Status::undetermined)}});
    t.bind("verdicts", "me", {});
    CHECK(t.stage.run() == LB_BAD_INPUT);
    CHECK_THAT(t.stage.error(), Catch::Contains("this is not a truth"));
  }
}
