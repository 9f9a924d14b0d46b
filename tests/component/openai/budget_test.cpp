#include "openai/budget.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using namespace lowbit::openai;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t kMaxTokens = 50;
const Request kTen{.id = "q", .body = "0123456789"};  // at most ten input tokens
const Prices kPrices{.input = 1e5, .output = 2e5};    // 0.1 and 0.2 USD a token

Json record(int prompt_tokens, int completion_tokens) {
  const Json usage{{"prompt_tokens", prompt_tokens}, {"completion_tokens", completion_tokens}};
  return {{"answered", true}, {"http_status", 200}, {"response", Json{{"usage", usage}}.dump()}};
}
Request named(const char* id) { return {.id = id, .body = kTen.body}; }
bool may(Budget& budget, const char* id) {
  const Turn turn = budget.turn(named(id), kMaxTokens);
  if (const auto* problem = std::get_if<StageError>(&turn)) throw *problem;
  return std::holds_alternative<Request>(turn);
}
std::string refusal(Budget& budget) {
  try {
    (void)may(budget, "refused");
  } catch (const StageError& e) {
    CHECK(e.status() == LB_BAD_PARAM);
    return e.text().what + "|" + e.text().where + "|" + e.text().why + "|" + e.text().fix;
  }
  return "it may begin";
}

}  // namespace

TEST_CASE("calls under way count at their most until they have ended", "[openai]") {
  Budget budget({.cost_usd = {}, .total_tokens = 130, .calls = {}}, {});
  CHECK(may(budget, "a"));        // 60
  CHECK(may(budget, "b"));        // 120
  CHECK_FALSE(may(budget, "c"));  // 180 at most: it waits
  budget.ended("a", record(9, 11));
  CHECK_FALSE(may(budget, "c"));  // 20 and 60 and 60
  budget.ended("b", record(9, 11));
  CHECK(may(budget, "c"));
  budget.ended("c", record(10, 50));
  CHECK(budget.spent().prompt_tokens == 28);
  CHECK(budget.spent().completion_tokens == 72);
  CHECK(
      refusal(budget) ==
      "the budget of this stage is used up|parameter max_total_tokens|spent are 3 calls, 100 tokens, 0.0 USD; the next "
      "call may take 60 tokens|raise `max_total_tokens` and run again: answers that were paid for are kept, and the "
      "rest is asked");
}

TEST_CASE("no limit is passed as long as a call takes no more than its bytes and its token limit", "[openai]") {
  // Every history of answers between nothing and the most: the sums stay below each limit.
  for (int tokens = 0; tokens <= 50; tokens += 5) {
    const Limits limits{.cost_usd = 30.0, .total_tokens = 200, .calls = 7};
    Budget budget(limits, kPrices);
    int n = 0;
    while (refusal(budget) == "it may begin") {
      budget.ended("refused", record(10, tokens));
      REQUIRE(++n < 100);
    }
    CHECK(n > 0);
    CHECK(budget.spent().calls <= 7);
    CHECK(budget.spent().prompt_tokens + budget.spent().completion_tokens <= 200);
    CHECK(budget.spent().cost_usd <= 30.0);
  }
}

TEST_CASE("what was spent before counts, failed calls as calls", "[openai]") {
  Budget budget({.cost_usd = {}, .total_tokens = {}, .calls = 2}, kPrices);
  budget.count(record(1, 2));
  budget.count({{"answered", false}, {"http_status", 503}, {"response", "busy"}});
  CHECK(budget.spent().calls == 2);
  CHECK(budget.spent().cost_usd == Approx(0.1 + 0.4));
  CHECK_THAT(refusal(budget), Catch::Contains("|parameter max_calls|"));
}

TEST_CASE("a limit in USD needs both prices, and an estimate tells what is known", "[openai]") {
  CHECK_NOTHROW(expect_prices({.cost_usd = 1, .total_tokens = {}, .calls = {}}, kPrices));
  CHECK_NOTHROW(expect_prices({}, {}));
  try {
    expect_prices({.cost_usd = 1, .total_tokens = {}, .calls = {}}, {.input = 1, .output = {}});
    FAIL("it was accepted");
  } catch (const StageError& e) {
    CHECK(e.status() == LB_BAD_PARAM);
    CHECK(e.text().what == "a budget in USD needs prices");
  }
  CHECK(estimate(3, 4000, 100, {.input = 2, .output = 10}) ==
        "about 1000 input tokens and at most 300 output tokens, at most 0.005 USD");
  CHECK(estimate(3, 4000, 100, {}) == "about 1000 input tokens and at most 300 output tokens");
}
