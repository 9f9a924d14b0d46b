#include "store/review_ledger.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "env/files.h"
#include "store/review_queue.h"
#include "support/program.h"

using namespace lowbit;
using test::TemporaryDirectory;

namespace {

Decision decision(const std::string& id, const std::string& status) {
  Decision one;
  one.case_id = id;
  one.item_id = "i";
  one.problem_id = "p";
  one.status = status;
  one.answer = "\\frac12";
  one.extracted = "0.5";
  one.reviewer = "ann";
  if (status == "error") {
    one.category = "execution";
    one.type = "computational_error";
    one.first_error_step = 2;
  }
  return one;
}

void append(const store::ReviewLedger& ledger, Decision one) { REQUIRE(ledger.append(one).ok()); }

std::vector<Json> lines_of(const std::filesystem::path& file) {
  std::vector<Json> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

store::Decided read(const store::ReviewLedger& ledger) {
  auto decided = ledger.read();
  REQUIRE(decided.ok());
  return *std::move(decided);
}

}  // namespace

TEST_CASE("the last decision about a case counts, unless it was withdrawn", "[review]") {
  const TemporaryDirectory directory;
  const store::ReviewLedger ledger(directory.path() / "reviews");
  CHECK(read(ledger).by_case.empty());
  append(ledger, decision("a", "error"));
  append(ledger, decision("b", "no_error"));
  append(ledger, decision("a", "undetermined"));
  append(ledger, decision("c", "error"));
  append(ledger, decision("c", "withdrawn"));
  const auto decided = read(ledger);
  CHECK(decided.n_lines == 5);
  REQUIRE(decided.by_case.size() == 2);
  CHECK(decided.by_case.at("a").status == "undetermined");
  CHECK(decided.by_case.at("a").decision_id.size() == 16);
  CHECK(decided.by_case.at("a").decision_id != decided.by_case.at("b").decision_id);
}

TEST_CASE("the beginning of a line that a killed process left counts for nothing and harms nothing", "[review]") {
  const TemporaryDirectory directory;
  const store::ReviewLedger ledger(directory.path());
  append(ledger, decision("a", "error"));
  std::ofstream(ledger.file(), std::ios::app) << R"({"case":"b","status":"no_er)";
  CHECK(read(ledger).n_broken == 1);
  append(ledger, decision("c", "no_error"));
  const auto decided = read(ledger);
  CHECK(decided.by_case.size() == 2);
  CHECK(decided.n_broken == 1);
}

TEST_CASE("a snapshot holds what counts, and knows what it lacks", "[review]") {
  const TemporaryDirectory directory;
  const store::ReviewLedger ledger(directory.path());
  append(ledger, decision("a", "error"));
  append(ledger, decision("b", "no_error"));
  append(ledger, decision("d", "error"));
  CHECK(*ledger.newer_than(ledger.snapshot("final")) == 3);
  CHECK(*ledger.freeze("final") == 3);
  CHECK(*ledger.newer_than(ledger.snapshot("final")) == 0);
  const auto lines = lines_of(ledger.snapshot("final") / "decisions.jsonl");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == Json{{"case", "a"},
                         {"decision_id", read(ledger).by_case.at("a").decision_id},
                         {"status", "error"},
                         {"category", "execution"},
                         {"type", "computational_error"},
                         {"first_error_step", 2}});
  // An answer that was graded wrong and is right is a case for the grader.
  const auto cases = lines_of(ledger.snapshot("final") / "grader-cases.jsonl");
  REQUIRE(cases.size() == 1);
  CHECK(cases[0]["gold"] == "\\frac12");
  CHECK(cases[0]["pred"] == "0.5");
  // Another word on a case, a new case, and one taken back.
  append(ledger, decision("a", "no_error"));
  append(ledger, decision("c", "error"));
  append(ledger, decision("d", "withdrawn"));
  CHECK(*ledger.newer_than(ledger.snapshot("final")) == 3);
  CHECK(*ledger.freeze("final") == 3);
  CHECK(*ledger.newer_than(ledger.snapshot("final")) == 0);
}

TEST_CASE("a review queue that is none is told from one that cannot be read", "[review]") {
  const TemporaryDirectory directory;
  REQUIRE_FALSE(store::read_review_queue(directory.path()).ok());
  CHECK(store::read_review_queue(directory.path()).error().front().code == "LB6101");
  std::ofstream(directory.path() / "review.json") << R"({"taxonomy":"v2"})";
  std::ofstream(directory.path() / "queue.jsonl") << "{}\n";
  CHECK(store::read_review_queue(directory.path()).error().front().code == "LB6015");
}
