#include "store/review_ledger.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <tuple>

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

/// Kept or not.
bool append(const store::ReviewLedger& ledger, Decision one) {
  const auto kept = ledger.append(one);
  REQUIRE(kept.ok());
  return *kept;
}

/// Takes back what counts, or what is named.
bool withdraw(const store::ReviewLedger& ledger, const std::string& id, std::string decision_id = {}) {
  Decision one = decision(id, "withdrawn");
  if (decision_id.empty()) decision_id = ledger.read()->by_case.at(id).decision_id;
  one.withdraws = decision_id;
  return append(ledger, one);
}

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

TEST_CASE("a case is decided once, until its decision is withdrawn", "[review]") {
  const TemporaryDirectory directory;
  const store::ReviewLedger ledger(directory.path() / "reviews");
  CHECK(read(ledger).by_case.empty());
  CHECK(append(ledger, decision("a", "error")));
  CHECK(append(ledger, decision("b", "no_error")));
  CHECK_FALSE(append(ledger, decision("a", "undetermined")));  // somebody was faster
  const std::string first = read(ledger).by_case.at("a").decision_id;
  CHECK(first.size() == 16);
  CHECK(withdraw(ledger, "a"));
  CHECK_FALSE(withdraw(ledger, "a", first));  // it does not count any more
  CHECK(append(ledger, decision("a", "undetermined")));
  CHECK_FALSE(withdraw(ledger, "a", first));  // that is another decision
  const auto decided = read(ledger);
  CHECK(decided.n_lines == 4);
  REQUIRE(decided.by_case.size() == 2);
  CHECK(decided.by_case.at("a").status == "undetermined");
  CHECK(decided.ids.size() == 4);
}

TEST_CASE("the beginning of a line that a killed process left counts for nothing and harms nothing", "[review]") {
  const TemporaryDirectory directory;
  const store::ReviewLedger ledger(directory.path());
  append(ledger, decision("a", "error"));
  std::ofstream(ledger.file(), std::ios::app) << R"({"case":"b","status":"no_er)";
  CHECK(read(ledger).cut == std::vector<std::size_t>{2});
  append(ledger, decision("c", "no_error"));
  const auto decided = read(ledger);
  CHECK(decided.by_case.size() == 2);
  CHECK(decided.cut.size() == 1);
  CHECK(ledger.freeze("final").ok());
}

TEST_CASE("a line that somebody edited into none is told, and nothing is frozen with it", "[review]") {
  const auto [key, value, why] = GENERATE(std::tuple("status", Json("no error"), "there is no status no error"),
                                          std::tuple("type", Json("nonsense"), "there is no error type nonsense"),
                                          std::tuple("type", Json(), "type and category"),
                                          std::tuple("first_error_step", Json(0), "counted from 1"),
                                          std::tuple("item_id", Json(1), "must be string"));
  const TemporaryDirectory directory;
  const store::ReviewLedger ledger(directory.path());
  append(ledger, decision("a", "error"));
  Json line = lines_of(ledger.file()).front();
  line[key] = value;
  if (value.is_null()) line["category"] = "method", line["type"] = "computational_error";
  std::ofstream(ledger.file()) << line.dump() << "\n";
  const auto decided = read(ledger);
  CHECK(decided.by_case.empty());
  REQUIRE(decided.invalid.size() == 1);
  CHECK(decided.invalid.front().code == "LB6016");
  CHECK_THAT(render(decided.invalid), Catch::Contains(why));
  CHECK(ledger.freeze("final").error().front().code == "LB6016");
}

TEST_CASE("a snapshot holds what counts, and knows what it lacks", "[review]") {
  const TemporaryDirectory directory;
  const store::ReviewLedger ledger(directory.path());
  CHECK(ledger.freeze("final").error().front().code == "LB0046");
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
  withdraw(ledger, "a");
  append(ledger, decision("a", "no_error"));
  append(ledger, decision("c", "error"));
  withdraw(ledger, "d");
  CHECK(*ledger.newer_than(ledger.snapshot("final")) == 3);
  CHECK(*ledger.freeze("final") == 3);
  CHECK(*ledger.newer_than(ledger.snapshot("final")) == 0);
  // Lines that are none are missing, and another project's ledger does not replace it.
  std::filesystem::create_directories(ledger.snapshot("odd"));
  std::ofstream(ledger.snapshot("odd") / "decisions.jsonl") << R"({"case":1,"decision_id":2})"
                                                            << "\n[]\n";
  CHECK(*ledger.newer_than(ledger.snapshot("odd")) == 3);
  std::filesystem::remove(ledger.file());
  append(ledger, decision("z", "error"));
  CHECK(ledger.freeze("final").error().front().code == "LB0046");
}

TEST_CASE("a review queue that is none is told from one that cannot be read", "[review]") {
  const TemporaryDirectory directory;
  REQUIRE_FALSE(store::read_review_queue(directory.path()).ok());
  CHECK(store::read_review_queue(directory.path()).error().front().code == "LB6101");
  std::ofstream(directory.path() / "review.json") << R"({"taxonomy":"v2"})";
  std::ofstream(directory.path() / "queue.jsonl") << "{}\n";
  CHECK(store::read_review_queue(directory.path()).error().front().code == "LB6015");
}
