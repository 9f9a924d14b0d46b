#include "cli/review_session.h"

#include <catch2/catch.hpp>
#include <sstream>

using namespace lowbit;

namespace {

ReviewCase review_case(const std::string& id, std::size_t n_steps = 2) {
  ReviewCase one{.case_id = id,
                 .item_id = "i-" + id,
                 .problem_id = "p-" + id,
                 .reason = "conflict",
                 .audited = true,
                 .problem = "2 + 2?\x1b[31m",
                 .answer = "4",
                 .solution = std::nullopt,
                 .reference_steps = {"2 + 2 = 4"},
                 .steps = {},
                 .text = "so it is 5",
                 .extracted = std::nullopt};
  for (std::size_t i = 0; i < n_steps; ++i) one.steps.push_back("step " + std::to_string(i + 1));
  return one;
}

struct Reviewed {
  std::size_t n_decided = 0;
  std::vector<Decision> saved;
  std::string shown;
};

Reviewed review(const std::vector<ReviewCase>& cases, const std::string& typed, const std::string& taxonomy = "v2") {
  Reviewed out;
  std::istringstream in(typed);
  std::ostringstream shown;
  cli::ReviewSession session(
      in, shown, "ann",
      [&](Decision& decision) -> Result<bool> {
        decision.decision_id = "d" + std::to_string(out.saved.size());
        out.saved.push_back(decision);
        return decision.note != "too late";
      },
      [](const std::string& case_id) -> Result<bool> { return case_id == "decided-by-bob"; });
  std::vector<cli::OpenCase> open;
  for (const ReviewCase& one : cases) open.push_back({.subject = &one, .types = &error_types(taxonomy)});
  const auto n = session.decide(open);
  REQUIRE(n.ok());
  out.n_decided = *n;
  out.shown = shown.str();
  return out;
}

}  // namespace

TEST_CASE("a person names step and type, or no error, or that it cannot be told", "[review]") {
  const auto reviewed =
      review({review_case("a"), review_case("b"), review_case("c")}, "2\n5\n7 * 6 is 42\nn\n\n?\nunclear\n");
  CHECK(reviewed.n_decided == 3);
  REQUIRE(reviewed.saved.size() == 3);
  CHECK(reviewed.saved[0].case_id == "a");
  CHECK(reviewed.saved[0].status == "error");
  CHECK(reviewed.saved[0].first_error_step == 2U);
  CHECK(reviewed.saved[0].type == "computational_error");
  CHECK(reviewed.saved[0].category == "execution");
  CHECK(reviewed.saved[0].note == "7 * 6 is 42");
  CHECK(reviewed.saved[0].reviewer == "ann");
  CHECK(reviewed.saved[0].answer == "4");
  CHECK_FALSE(reviewed.saved[0].decided_at.empty());
  CHECK(reviewed.saved[1].status == "no_error");
  CHECK_FALSE(reviewed.saved[1].type);
  CHECK(reviewed.saved[2].status == "undetermined");
}

TEST_CASE("a person is told the case and nothing of the judges", "[review]") {
  const auto reviewed = review({review_case("a")}, "q\n");
  CHECK(reviewed.n_decided == 0);
  CHECK(reviewed.shown ==
        "\ncase 1 of 1\nproblem\n  2 + 2?\\x1b[31m\nreference answer\n  4\nreference solution\n  1  2 + 2 = 4\n"
        "solution\n  1  step 1\n  2  step 2\nits answer\n  (none was found)\n"
        "first wrong step: 1 to 2; n: no error, the answer is right; ?: cannot tell; s: skip; u: undo the last; q: "
        "quit\n> ");
}

TEST_CASE("what cannot be is asked again, and types can be left again", "[review]") {
  const auto reviewed = review({review_case("a")}, "3\n0\nx\n1\n8\nb\n2\n1\n\n");
  REQUIRE(reviewed.saved.size() == 1);
  CHECK(reviewed.saved[0].first_error_step == 2U);
  CHECK(reviewed.saved[0].type == "conceptual_misunderstanding");
  CHECK_THAT(reviewed.shown, Catch::Contains("`3` is none of these"));
  CHECK_THAT(reviewed.shown, Catch::Contains("`8` is none of these"));
}

TEST_CASE("a case is skipped, the last decision taken back, and the end of input leaves", "[review]") {
  const auto reviewed = review({review_case("a"), review_case("b"), review_case("c")}, "u\nn\n\ns\nu\n?\n\n");
  // a: no error; b: skipped; at c the person goes back to a, cannot tell; then the input ends at b.
  REQUIRE(reviewed.saved.size() == 3);
  CHECK(reviewed.saved[0].status == "no_error");
  CHECK(reviewed.saved[1].status == "withdrawn");
  CHECK(reviewed.saved[1].case_id == "a");
  CHECK(reviewed.saved[1].withdraws == "d0");
  CHECK(reviewed.saved[2].status == "undetermined");
  CHECK(reviewed.n_decided == 1);
  CHECK_THAT(reviewed.shown, Catch::Contains("nothing was decided before this case"));
}

TEST_CASE("a decision without its type, or whose note was not asked for, is none", "[review]") {
  CHECK(review({review_case("a")}, "2\n").saved.empty());
  CHECK(review({review_case("a")}, "2\n5\n").saved.empty());
  const auto reviewed = review({review_case("a")}, "n\n" + std::string(3000, 'x') + "\nshort\n");
  REQUIRE(reviewed.saved.size() == 1);
  CHECK(reviewed.saved[0].note == "short");
}

TEST_CASE("what somebody else decided is not asked, nor overwritten", "[review]") {
  const auto reviewed = review({review_case("decided-by-bob"), review_case("b")}, "n\ntoo late\n");
  CHECK(reviewed.n_decided == 0);
  CHECK_THAT(reviewed.shown, Catch::Contains("case 1 of 2 was decided by somebody else"));
  CHECK_THAT(reviewed.shown, Catch::Contains("somebody else has decided this case meanwhile"));
}

TEST_CASE("going back and forth is no recursion", "[review]") {
  std::string typed;
  for (int i = 0; i < 200000; ++i) typed += "1\nb\n";
  CHECK(review({review_case("a")}, typed).saved.empty());
}

TEST_CASE("a solution without steps has errors without a step, of either taxonomy", "[review]") {
  const auto reviewed = review({review_case("a", 0)}, "1\ne\n3\n\n", "v1");
  REQUIRE(reviewed.saved.size() == 1);
  CHECK_FALSE(reviewed.saved[0].first_error_step);
  CHECK(reviewed.saved[0].type == "computation_error");
  CHECK_FALSE(reviewed.saved[0].category);
  CHECK_THAT(reviewed.shown, Catch::Contains("solution, not in steps\n  so it is 5\n"));
}
