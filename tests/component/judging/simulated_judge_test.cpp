#include <cmath>
#include <map>

#include "support/stage_fixture.h"
#include "verdicts/verdict.h"
#include "vote.h"

using namespace lowbit;
using verdicts::Status;

namespace {

constexpr std::size_t kItems = 4000;

/// Every second solution is wrong in its second of four steps, by a computation.
std::string truth_of(std::size_t i) { return i % 2 == 0 ? "computational_error" : ""; }

std::vector<verdicts::Verdict> verdicts_of(const nlohmann::json& params, std::uint64_t seed = 0) {
  test::StageFixture stage{"lowbit.simulated-judge"};
  JsonLinesWriter predictions(stage.input("predictions") / "predictions.jsonl");
  JsonLinesWriter truth(stage.input("truth") / "verdicts.jsonl");
  for (std::size_t i = 0; i < kItems; ++i) {
    const std::string id = "i" + std::to_string(i);
    predictions.write({{"item_id", id},
                       {"problem_id", id},
                       {"prompt_sha", ""},
                       {"text", ""},
                       {"steps", {"a", "b", "c", "d"}},
                       {"extracted", nullptr},
                       {"correct", truth_of(i).empty()}});
    const verdicts::Finding right{.status = Status::no_error, .first_error_step = {}, .category = {}, .type = {}};
    truth.write(
        verdicts::json_of(truth_of(i).empty() ? right : verdicts::error_of_type(truth_of(i), 2, ""), id, "truth"));
  }
  predictions.close();
  truth.close();
  stage.host.bind("predictions", {.path = stage.input("predictions").string(), .type = "predictions/1"});
  stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
  stage.host.bind("truth", {.path = stage.input("truth").string(), .type = "verdicts/1"});
  stage.host.params = params;
  stage.host.seed = seed;
  REQUIRE(stage.run() == LB_OK);
  std::vector<verdicts::Verdict> out;
  for (const auto& row : stage.lines("verdicts/verdicts.jsonl")) {
    verdicts::Finding finding{.status = Status::no_error, .first_error_step = {}, .category = {}, .type = {}};
    if (row["status"] == "error")
      finding = verdicts::error_of_type(row["type"].get<std::string>(), row["first_error_step"], "");
    if (row["status"] == "undetermined") finding.status = Status::undetermined;
    if (row["status"] == "invalid") finding.status = Status::invalid;
    out.push_back({.item_id = row["item_id"], .judge = row["judge"], .finding = finding});
  }
  REQUIRE(out.size() == kItems);
  return out;
}

/// Share over the wrong (or right) solutions.
template <class Holds>
double share(const std::vector<verdicts::Verdict>& all, bool of_wrong, Holds&& holds) {
  std::size_t k = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    k += (truth_of(i).empty() != of_wrong) && holds(all[i].finding) ? 1U : 0U;
  return static_cast<double>(k) / (kItems / 2.0);
}

/// Four standard errors of a share of half the items: one seed in 16,000 would fail by chance.
double within(double p) { return 4 * std::sqrt(p * (1 - p) / (kItems / 2.0)); }

}  // namespace

TEST_CASE("a simulated judge errs at the rates that are asked for", "[simulated-judge]") {
  const auto all = verdicts_of({{"judge", "ann"},
                                {"type_accuracy", 0.7},
                                {"step_accuracy", 0.6},
                                {"missed", 0.1},
                                {"false_alarms", 0.2},
                                {"undetermined", 0.1},
                                {"invalid", 0.05}});
  const double speaks = 0.9 * 0.95;
  const double sees = speaks * 0.9;
  CHECK(share(all, true, [](const auto& f) { return f.status == Status::undetermined; }) ==
        Approx(0.1).margin(within(0.1)));
  CHECK(share(all, true, [](const auto& f) { return f.status == Status::invalid; }) ==
        Approx(0.045).margin(within(0.045)));
  CHECK(share(all, true, [](const auto& f) { return f.status == Status::no_error; }) ==
        Approx(speaks * 0.1).margin(within(speaks * 0.1)));
  CHECK(share(all, true, [](const auto& f) { return f.type == "computational_error"; }) ==
        Approx(sees * 0.7).margin(within(sees * 0.7)));
  CHECK(share(all, true, [](const auto& f) { return f.first_error_step == std::size_t{2}; }) ==
        Approx(sees * 0.6).margin(within(sees * 0.6)));
  CHECK(share(all, false, [](const auto& f) { return f.status == Status::error; }) ==
        Approx(speaks * 0.2).margin(within(speaks * 0.2)));
  // Wrong types and steps are drawn alike.
  std::map<std::string, double> types;
  for (const auto& entry : verdicts::kErrorTypes) {
    if (entry.type == "computational_error") continue;
    CHECK(share(all, true, [&](const auto& f) { return f.type == entry.type; }) ==
          Approx(sees * 0.05).margin(within(sees * 0.05)));
  }
  for (const std::size_t step : {1U, 3U, 4U}) {
    CHECK(share(all, true, [&](const auto& f) { return f.first_error_step == step; }) ==
          Approx(sees * 0.4 / 3).margin(within(sees * 0.4 / 3)));
  }
}

TEST_CASE("a majority of five independent judges is right as often as Condorcet says", "[simulated-judge]") {
  // P(at least 3 of 5 right); a majority for one wrong type among six is possible and rare.
  const auto [accuracy, expected] = GENERATE(std::pair(0.7, 0.83692), std::pair(0.8, 0.94208), std::pair(0.9, 0.99144));
  std::vector<std::vector<verdicts::Verdict>> panel;
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    panel.push_back(verdicts_of({{"judge", name}, {"type_accuracy", accuracy}}));
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < kItems; i += 2) {
    std::vector<vote::Ballot> ballots;
    for (const auto& judge : panel) ballots.push_back({.judge = judge[i].judge, .finding = judge[i].finding});
    right += vote::counted(ballots, {}).finding.type == "computational_error" ? 1U : 0U;
  }
  CHECK(static_cast<double>(right) / (kItems / 2.0) == Approx(expected).margin(within(expected)));
}

TEST_CASE("a perfect judge says the truth, a seed repeats itself, and another one does not", "[simulated-judge]") {
  const nlohmann::json perfect{{"judge", "ann"}, {"type_accuracy", 1}, {"step_accuracy", 1}};
  const auto truth = verdicts_of(perfect);
  CHECK(share(truth, true, [](const auto& f) {
          return f.type == "computational_error" && f.first_error_step == std::size_t{2};
        }) == 1);
  CHECK(share(truth, false, [](const auto& f) { return f.status == Status::no_error; }) == 1);
  const auto types = [](const std::vector<verdicts::Verdict>& all) {
    std::vector<std::optional<std::string>> out;
    for (const auto& verdict : all) out.push_back(verdict.finding.type);
    return out;
  };
  const nlohmann::json fair{{"judge", "ann"}, {"type_accuracy", 0.5}};
  CHECK(types(verdicts_of(fair)) == types(verdicts_of(fair)));
  CHECK(types(verdicts_of(fair)) != types(verdicts_of(fair, 1)));
}
