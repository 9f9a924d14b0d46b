#include "vote.h"

#include "support/stage_fixture.h"

using namespace lowbit;
using verdicts::Status;
using vote::Ballot;

namespace {

/// "type@step", "category:step" for a category alone, "ok", "?" for undetermined, "!" for invalid.
Ballot ballot(const std::string& text) {
  verdicts::Finding finding;
  if (text == "ok") {
    finding.status = Status::no_error;
  } else if (text == "?" || text == "!") {
    finding.status = text == "?" ? Status::undetermined : Status::invalid;
  } else if (const auto at = text.find('@'); at != text.npos) {
    finding = verdicts::error_of_type(text.substr(0, at), std::stoul(text.substr(at + 1)), "");
  } else {
    finding.status = Status::error;
    finding.category = text;
  }
  return {.judge = "j", .finding = finding};
}

/// Judges are called j0, j1, ...
std::string outcome(const std::vector<std::string>& texts, const vote::Counting& counting) {
  std::vector<Ballot> ballots;
  for (const auto& text : texts) {
    ballots.push_back(ballot(text));
    ballots.back().judge += std::to_string(ballots.size() - 1);
  }
  const auto finding = vote::counted(ballots, counting).finding;
  if (finding.status != Status::error) return std::string(name_of(finding.status));
  const std::string step = finding.first_error_step ? "@" + std::to_string(*finding.first_error_step) : "";
  return finding.type.value_or(*finding.category) + step;
}

std::string outcome(const std::vector<std::string>& texts, std::size_t quorum = 2) {
  return outcome(texts, vote::Counting{.rule = vote::Rule::majority, .quorum = quorum});
}

const std::string kSum = "computational_error", kSign = "symbolic_manipulation_error", kRule = "formula_rule_error",
                  kStep = "procedural_error";

using Rows = std::vector<std::vector<std::string>>;
/// `counts[i]` times row i.
Rows repeated(const std::vector<std::pair<std::vector<std::string>, int>>& counts) {
  Rows rows;
  for (const auto& [row, n] : counts) rows.insert(rows.end(), static_cast<std::size_t>(n), row);
  return rows;
}

}  // namespace

TEST_CASE("more than half of the valid ballots decide", "[vote]") {
  CHECK(outcome({kSum + "@1", kSum + "@1", kRule + "@2"}) == kSum + "@1");
  CHECK(outcome({"ok", "ok", kRule + "@2"}) == "no_error");
  CHECK(outcome({kSum + "@2", kSum + "@2"}) == kSum + "@2");
  CHECK(outcome({kSum + "@1", "?", "!", kSum + "@1"}) == kSum + "@1");  // who abstains has no weight
  CHECK(outcome({kSum + "@1"}, 1) == kSum + "@1");
}

TEST_CASE("without a majority for a type one for a category decides", "[vote]") {
  CHECK(outcome({kSum + "@1", kSign + "@1", kRule + "@1"}) == "execution@1");
  CHECK(outcome({kSum + "@1", "execution"}) == "execution@1");
  CHECK(outcome({"execution", "execution"}) == "execution");
  CHECK(outcome({kSum + "@1", kSum + "@1", "execution", "ok"}) == "execution@1");
}

TEST_CASE("a tie is a conflict, never broken", "[vote]") {
  CHECK(outcome({kSum + "@1", kRule + "@1"}) == "conflict");
  CHECK(outcome({"ok", kRule + "@1"}) == "conflict");
  CHECK(outcome({kSum + "@1", kSum + "@1", "ok", "ok"}) == "conflict");
  CHECK(outcome({kSum + "@1", kRule + "@1", "ok"}) == "conflict");
  CHECK(outcome({kSum + "@1", kSign + "@1", kRule + "@1", kStep + "@1"}) == "conflict");
}

TEST_CASE("a plurality is strictly ahead, and of two ballots at least", "[vote]") {
  const vote::Counting plurality{.rule = vote::Rule::plurality, .quorum = 1};
  CHECK(outcome({kSum + "@1", kSum + "@1", kRule + "@2", "ok", kStep + "@1"}, plurality) == kSum + "@1");
  CHECK(outcome({kSum + "@1", kSum + "@1", kRule + "@2", kRule + "@2"}, plurality) == "conflict");
  CHECK(outcome({kSum + "@1", kRule + "@2", "ok"}, plurality) == "conflict");
  CHECK(outcome({kSum + "@1", kSign + "@3", kRule + "@2", "ok"}, plurality) == "execution@1");
  CHECK(outcome({kSum + "@1", "?", "!"}, plurality) == kSum + "@1");
}

TEST_CASE("a unanimous vote has all valid ballots", "[vote]") {
  const vote::Counting unanimous{.rule = vote::Rule::unanimous, .quorum = 2};
  CHECK(outcome({kSum + "@1", kSum + "@2", "?"}, unanimous) == kSum + "@1");
  CHECK(outcome({kSum + "@1", kSum + "@1", kSum + "@1", kRule + "@1"}, unanimous) == "conflict");
  CHECK(outcome({kSum + "@1", kSign + "@1", kSum + "@1"}, unanimous) == "execution@1");
  CHECK(outcome({"ok", "ok"}, unanimous) == "no_error");
}

TEST_CASE("the baseline is accepted where the others say the same", "[vote]") {
  // j0 is the baseline; over four others: three votes carry, two as the unique plurality, 2-2 and 1-1-1-1 do not.
  const vote::Counting baseline{.rule = vote::Rule::baseline, .quorum = 3, .baseline = "j0"};
  CHECK(outcome({kSum + "@2", kSum + "@1", kSum + "@2", kSum + "@2", kRule + "@1"}, baseline) == kSum + "@2");
  CHECK(outcome({kSum + "@2", kSum + "@2", kSum + "@2", kRule + "@1", kStep + "@1"}, baseline) == kSum + "@2");
  CHECK(outcome({kSum + "@2", kSum + "@2", kSum + "@2", kRule + "@1", kRule + "@1"}, baseline) == "conflict");
  CHECK(outcome({kSum + "@2", kSum + "@2", kRule + "@1", kStep + "@1", "ok"}, baseline) == "conflict");
  CHECK(outcome({kSum + "@2", kRule + "@1", kRule + "@1", kRule + "@1", kRule + "@1"}, baseline) == "conflict");
  CHECK(outcome({"ok", "ok", "ok", "ok", kRule + "@1"}, baseline) == "no_error");
  // The category carries where the type does not.
  CHECK(outcome({kSum + "@2", kSign + "@2", kSign + "@2", kSum + "@2", kSum + "@2"}, baseline) == "execution@2");
  CHECK(outcome({kSum + "@2", kSign + "@2", kSign + "@2", kSign + "@2", "?"}, baseline) == "execution@2");
  // The baseline abstains, or too few judges are valid.
  CHECK(outcome({"?", kSum + "@1", kSum + "@1", kSum + "@1", kSum + "@1"}, baseline) == "insufficient");
  CHECK(outcome({kSum + "@1", kSum + "@1", "?", "!", "?"}, baseline) == "insufficient");
}

TEST_CASE("how far the winners' steps lie apart is known", "[vote]") {
  const auto spread = [](const std::vector<std::string>& texts) {
    std::vector<Ballot> ballots;
    for (const auto& text : texts) ballots.push_back(ballot(text));
    return vote::counted(ballots, {}).step_spread;
  };
  CHECK(spread({kSum + "@1", kSum + "@4", kRule + "@9"}) == 3);
  CHECK(spread({kSum + "@2", kSum + "@2"}) == 0);
  CHECK(spread({"execution", "execution"}) == 0);
  CHECK(spread({kSum + "@1", kRule + "@4"}) == 0);
}

TEST_CASE("too few valid ballots are insufficient", "[vote]") {
  CHECK(outcome({}) == "insufficient");
  CHECK(outcome({kSum + "@1", "?"}) == "insufficient");
  CHECK(outcome({"!", "!", "!"}) == "insufficient");
  CHECK(outcome({kSum + "@1", kSum + "@1"}, 3) == "insufficient");
}

TEST_CASE("the step is the median of the winners, the earlier of two", "[vote]") {
  CHECK(outcome({kSum + "@1", kSum + "@4", kSum + "@3"}) == kSum + "@3");
  CHECK(outcome({kSum + "@4", kSum + "@2"}) == kSum + "@2");
  CHECK(outcome({kSum + "@4", kSum + "@4", kRule + "@1"}) == kSum + "@4");
}

TEST_CASE("kappas have their published values", "[vote]") {
  // Cohen, three tables of 50, 100 and 100 items: [[20, 5], [10, 15]] is the textbook's 0.4.
  const auto table = [](int a, int b, int c, int d) {
    return repeated({{{"y", "y"}, a}, {{"y", "n"}, b}, {{"n", "y"}, c}, {{"n", "n"}, d}});
  };
  CHECK(*vote::cohen_kappa(table(20, 5, 10, 15)) == Approx(0.4));
  CHECK(*vote::cohen_kappa(table(45, 15, 25, 15)) == Approx(0.130435).margin(1e-6));
  CHECK(*vote::cohen_kappa(table(25, 35, 5, 35)) == Approx(0.259259).margin(1e-6));
  CHECK_FALSE(vote::cohen_kappa({}));
  CHECK_FALSE(vote::cohen_kappa(table(5, 0, 0, 0)));
  // Fleiss, 14 raters, 10 items, 5 categories.
  const std::vector<std::vector<int>> counts{{0, 0, 0, 0, 14}, {0, 2, 6, 4, 2}, {0, 0, 3, 5, 6}, {0, 3, 9, 2, 0},
                                             {2, 2, 8, 1, 1},  {7, 7, 0, 0, 0}, {3, 2, 6, 3, 0}, {2, 5, 3, 2, 2},
                                             {6, 5, 2, 1, 0},  {0, 2, 2, 3, 7}};
  Rows rows;
  for (const auto& item : counts) {
    auto& row = rows.emplace_back();
    for (std::size_t c = 0; c < item.size(); ++c)
      row.insert(row.end(), static_cast<std::size_t>(item[c]), std::to_string(c));
  }
  CHECK(*vote::fleiss_kappa(rows) == Approx(0.209931).margin(1e-6));
  CHECK_FALSE(vote::fleiss_kappa({}));
}

namespace {

struct Voting {
  test::StageFixture stage{"lowbit.majority-vote"};

  Voting() {
    JsonLinesWriter out(stage.input("predictions") / "predictions.jsonl");
    for (const char* id : {"a", "b"}) {
      out.write({{"item_id", id},
                 {"problem_id", id},
                 {"prompt_sha", ""},
                 {"text", ""},
                 {"steps", {"one", "two"}},
                 {"extracted", nullptr},
                 {"correct", false}});
    }
    out.close();
    stage.host.bind("predictions", {.path = stage.input("predictions").string(), .type = "predictions/1"});
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
  }
  void judge(const std::string& name, const std::vector<std::pair<std::string, std::string>>& ballots) {
    JsonLinesWriter out(stage.input(name) / "verdicts.jsonl");
    for (const auto& [item, text] : ballots) out.write(verdicts::json_of(ballot(text).finding, item, name));
    out.close();
    stage.host.bind("verdicts", {.path = stage.input(name).string(), .type = "verdicts/1"});
  }
};

}  // namespace

TEST_CASE("a vote keeps its ballots and says how far the judges agree", "[vote]") {
  Voting v;
  v.judge("zoe", {{"a", kSum + "@1"}, {"b", "ok"}});
  v.judge("ann", {{"a", kSum + "@2"}, {"b", kRule + "@1"}});
  REQUIRE(v.stage.run() == LB_OK);
  const auto rows = v.stage.lines("verdicts/verdicts.jsonl");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0] == nlohmann::json::parse(R"({"item_id": "a", "judge": "vote", "status": "error", "first_error_step": 1,
    "category": "execution", "type": "computational_error", "confidence": 1.0, "call_ids": [],
    "explanation": "2 of 2 valid ballots", "votes": [
      {"judge": "ann", "status": "error", "category": "execution", "type": "computational_error", "first_error_step": 2},
      {"judge": "zoe", "status": "error", "category": "execution", "type": "computational_error", "first_error_step": 1}]
    })"));
  CHECK(rows[1]["status"] == "conflict");
  CHECK(v.stage.metric("judge/conflict").value == Approx(0.5));
  CHECK(v.stage.metric("judge/agreement").value == Approx(0.5));
  // po = 1/2, pe = 1/2 * 1/2 from "computational_error" alone: (1/2 - 1/4) / (3/4).
  CHECK(v.stage.metric("judge/kappa").value == Approx(1.0 / 3));
}

TEST_CASE("an item that no judge spoke of is insufficient", "[vote]") {
  Voting v;
  v.judge("ann", {{"a", "ok"}});
  v.judge("bob", {{"a", "ok"}});
  REQUIRE(v.stage.run() == LB_OK);
  const auto rows = v.stage.lines("verdicts/verdicts.jsonl");
  CHECK(rows[0]["status"] == "no_error");
  CHECK(rows[1]["status"] == "insufficient");
  CHECK(rows[1]["votes"].empty());
}

TEST_CASE("a baseline is one of the judges, with one ballot", "[vote]") {
  const auto error_of = [](const std::string& rule, const std::string& baseline, bool twice) {
    Voting v;
    v.judge("ann", {{"a", "ok"}});
    v.judge("bob", {{"a", "ok"}});
    if (twice) {
      JsonLinesWriter out(v.stage.input("again") / "verdicts.jsonl");
      out.write(verdicts::json_of(ballot("ok").finding, "a", "ann"));
      out.close();
      v.stage.host.bind("verdicts", {.path = v.stage.input("again").string(), .type = "verdicts/1"});
    }
    v.stage.host.params = {{"rule", rule}, {"baseline", baseline}};
    const auto status = v.stage.run();
    return status == LB_OK ? "" : v.stage.error();
  };
  CHECK(error_of("baseline", "ann", false).empty());
  CHECK_THAT(error_of("baseline", "", false), Catch::StartsWith("rule baseline without a baseline\n"));
  CHECK(error_of("majority", "ann", false).empty());
  CHECK_THAT(error_of("baseline", "zoe", false), Catch::Contains("the verdicts are of ann, bob"));
  CHECK_THAT(error_of("baseline", "ann", true), Catch::Contains("ann on item a"));
}

TEST_CASE("verdicts that do not fit the predictions are refused", "[vote]") {
  Voting v;
  v.judge("ann", {{"a", kSum + "@3"}});
  CHECK(v.stage.run() == LB_BAD_INPUT);
  CHECK(v.stage.error() ==
        "the verdicts are not about these predictions\nverdict of ann on item a\nit names step 3 of 2\n"
        "bind `verdicts` to judges of these very predictions");
  Voting w;
  w.judge("ann", {{"c", "ok"}});
  CHECK(w.stage.run() == LB_BAD_INPUT);
}
