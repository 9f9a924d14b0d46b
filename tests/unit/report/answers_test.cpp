#include "report/answers.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace lowbit;
using namespace lowbit::report;
using Catch::WithinAbs;

namespace {

/// Item i is right where `grades` has 1, wrong at 0, not graded at ?; each its own problem.
std::vector<ItemAnswer> answers(const std::string& grades, const std::string& prompt = "p") {
  std::vector<ItemAnswer> out;
  for (std::size_t i = 0; i < grades.size(); ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    out.push_back({id, "problem " + id, prompt, grades[i] == '?' ? std::nullopt : std::optional(grades[i] == '1')});
  }
  return out;
}

std::string error_of(const Diagnostics& problems) { return render(problems); }

}  // namespace

TEST_CASE("an accuracy is the mean over seeds and items, and an answer without a grade is wrong", "[report][answers]") {
  const auto first = answers("1100");
  const auto second = answers("111?");
  const auto accuracy = accuracy_of({{"s[seed=0]", 0, &first}, {"s[seed=1]", 1, &second}});
  REQUIRE(accuracy.ok());
  CHECK(accuracy->mean.mean == 5.0 / 8);
  CHECK_THAT(*accuracy->deviation, WithinAbs(.25 / std::sqrt(2.0), 1e-12));
  CHECK(accuracy->n_items == 4);
  CHECK(accuracy->n_ungraded == 1);
  // Item means 1, 1, .5, 0: their population variance over 4.
  CHECK_THAT(accuracy->mean.std_error, WithinAbs(std::sqrt((2 * .375 * .375 + .125 * .125 + .625 * .625) / 16), 1e-12));
}

TEST_CASE("several samples of one problem are one cluster", "[report][answers]") {
  std::vector<ItemAnswer> samples;
  for (const char* problem : {"x", "y"}) {
    for (const char* sample : {"#1", "#2"}) {
      samples.push_back({std::string(problem) + sample, problem, "p", *problem == 'x'});
    }
  }
  const auto accuracy = accuracy_of({{"s", std::nullopt, &samples}});
  REQUIRE(accuracy.ok());
  CHECK_FALSE(accuracy->deviation.has_value());
  CHECK_THAT(accuracy->mean.std_error, WithinAbs(std::sqrt(.25 / 2), 1e-12));
}

TEST_CASE("differences pair items whatever their order, and seeds with seeds", "[report][answers]") {
  auto a0 = answers("110");
  std::reverse(a0.begin(), a0.end());
  const auto a1 = answers("111");
  const auto b0 = answers("100");
  const auto b1 = answers("011");
  const auto paired = paired_difference({{"a0", 0, &a0}, {"a1", 1, &a1}}, {{"b1", 1, &b1}, {"b0", 0, &b0}});
  REQUIRE(paired.ok());
  CHECK_THAT(paired->mean.mean, WithinAbs(2.0 / 6, 1e-12));  // items: (0 + 1)/2, (1 + 0)/2, (0 + 0)/2
  CHECK_THAT(paired->mean.std_error, WithinAbs(std::sqrt((2 * 1.0 / 36 + 1.0 / 9) / 9), 1e-12));
}

TEST_CASE("a result without seed is compared with every seed", "[report][answers]") {
  const auto one = answers("10");
  const auto b0 = answers("00");
  const auto b1 = answers("11");
  const auto paired = paired_difference({{"one", std::nullopt, &one}}, {{"b0", 0, &b0}, {"b1", 1, &b1}});
  REQUIRE(paired.ok());
  CHECK(paired->mean.mean == 0);
  CHECK(paired->mean.n_scores == 4);
}

TEST_CASE("what cannot be paired is refused with the reason", "[report][answers]") {
  const auto three = answers("101");
  const auto two = answers("10");
  const auto other = answers("101", "q");
  const std::vector<ItemAnswer> none;
  CHECK(error_of(paired_difference({{"a", 0, &three}}, {{"b", 0, &two}}).error()) ==
        "error[LB7025]: `a` and `b` cannot be compared item by item\n"
        " = note: they answer 3 and 2 items, and 1 of these stand in one of them only: `c`\n"
        " = help: give both stages the same task\n");
  CHECK(error_of(paired_difference({{"a", 0, &three}}, {{"b", 0, &other}}).error()) ==
        "error[LB7025]: `a` and `b` cannot be compared item by item\n"
        " = note: item `a` was asked with different prompts\n"
        " = help: give both stages the same task and the same prompt\n");
  CHECK(error_of(paired_difference({{"a", 0, &three}}, {{"b", 1, &three}}).error()) ==
        "error[LB7025]: `a` and `b` cannot be compared seed by seed\n"
        " = note: they were not measured with the same seeds\n"
        " = help: compare rows of one experiment with the same seeds\n");
  CHECK(error_of(accuracy_of({{"a", 0, &none}}).error()) ==
        "error[LB7026]: an accuracy cannot be computed from `a`\n"
        " = note: it has no predictions\n"
        " = help: name a stage that writes one predictions/1 artifact, such as lowbit.generate\n");
  auto twice = answers("10");
  twice[1].item_id = "a";
  CHECK_THAT(error_of(accuracy_of({{"a", 0, &twice}}).error()),
             Catch::Contains("it has several predictions for item `a`"));
}
