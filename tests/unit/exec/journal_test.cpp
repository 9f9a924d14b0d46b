#include <lowbit/plugin_abi.h>

#include <catch2/catch.hpp>

#include "exec/journal.h"
#include "support/program.h"

using namespace lowbit;
using namespace lowbit::exec;

namespace {

std::vector<Json> three_records() {
  return {{{"k", "hello"}, {"pid", 7}},
          {{"k", "metric"},
           {"name", "x/a"},
           {"unit", "ratio"},
           {"value", 0.5},
           {"std_error", nullptr},
           {"count", 3},
           {"step", -1}},
          {{"k", "done"}, {"status", 0}}};
}

std::string journal_of(const std::vector<Json>& records) {
  std::string bytes;
  for (const Json& record : records) bytes += journal_record(record);
  return bytes;
}

}  // namespace

TEST_CASE("a journal cut at any byte gives the records before the cut", "[exec]") {
  const std::vector<Json> records = three_records();
  const std::string whole = journal_of(records);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const JournalRecords parsed = parse_journal(std::string_view(whole).substr(0, cut));
    CAPTURE(cut);
    REQUIRE_FALSE(parsed.damaged);
    REQUIRE(parsed.records.size() <= records.size());
    for (std::size_t i = 0; i < parsed.records.size(); ++i) REQUIRE(parsed.records[i] == records[i]);
    REQUIRE(parsed.consumed ==
            journal_of({records.begin(), records.begin() + static_cast<long>(parsed.records.size())}).size());
  }
  CHECK(parse_journal(whole).records == records);
}

TEST_CASE("a flipped bit hides its record and what follows, never invents one", "[exec]") {
  const std::vector<Json> records = three_records();
  const std::string whole = journal_of(records);
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    std::string broken = whole;
    broken[byte] = static_cast<char>(broken[byte] ^ 0x10);
    const JournalRecords parsed = parse_journal(broken);
    CAPTURE(byte);
    REQUIRE(parsed.records.size() < records.size());
    for (std::size_t i = 0; i < parsed.records.size(); ++i) REQUIRE(parsed.records[i] == records[i]);
  }
}

TEST_CASE("a length beyond the limit is damage, not a wait for more bytes", "[exec]") {
  CHECK(parse_journal(std::string(64, '\xFF')).damaged);
}

TEST_CASE("the last value of a metric wins; curve points stay apart by step", "[exec]") {
  const auto metric = [](double value, int step) {
    return Json{{"k", "metric"},        {"name", "train/loss"}, {"unit", "nats"}, {"value", value},
                {"std_error", nullptr}, {"count", 0},           {"step", step}};
  };
  const JobReport report = summarize({metric(3, 0), metric(2, 1), metric(2.5, 0), metric(1, -1)});
  REQUIRE(report.metrics.size() == 3);
  CHECK(report.metrics[0].value == 2.5);
  CHECK(report.metrics[1].value == 2);
  CHECK(report.metrics[2].step == -1);
}

TEST_CASE("a job that said nothing has no status; a failure is kept whole", "[exec]") {
  CHECK(summarize({{{"k", "log"}, {"level", LB_LOG_WARN}, {"text", "few"}},
                   {{"k", "log"}, {"level", LB_LOG_INFO}, {"text", "fine"}},
                   {{"k", "log"}, {"level", LB_LOG_WARN}, {"text", "few"}}})
            .warnings == std::vector<std::string>{"few"});
  CHECK_FALSE(summarize({}).status);
  const Json fail{{"k", "fail"}, {"what", "a"}, {"where", "b"}, {"why", "c"}, {"fix", "d"}};
  const JobReport report = summarize({fail, {{"k", "done"}, {"status", 6}}});
  CHECK(report.status == 6);
  CHECK(report.failure == fail);
}

TEST_CASE("records of unknown kinds or with missing fields are passed over", "[exec]") {
  const JobReport report =
      summarize({{{"k", "from-the-future"}}, {{"k", "metric"}, {"name", "x/a"}}, {{"k", "done"}, {"status", 0}}});
  CHECK(report.metrics.empty());
  CHECK(report.status == 0);
}

TEST_CASE("a record whose fields are of other types than its readers expect is passed over", "[exec]") {
  const std::vector<Json> told{{{"k", 3}},
                               {{"k", "progress"}, {"done", 1}, {"total", "4"}, {"unit", "x"}},
                               {{"k", "progress"}, {"done", 1}, {"total", 4}, {"unit", 7}},
                               {{"k", "fail"}, {"what", {1}}},
                               {{"k", "checkpoint"}, {"step", 1e300}},
                               {{"k", "done"}, {"status", 0}}};
  const JournalRecords parsed = parse_journal(journal_of(told));
  CHECK_FALSE(parsed.damaged);
  CHECK(parsed.records == std::vector<Json>{told.back()});
}

TEST_CASE("a record that is nested without end is damage, as deep as the stack is not", "[exec]") {
  Json nested;
  for (int i = 0; i < 40; ++i) nested = Json{{"k", nested}};
  const std::vector<Json> records{{{"k", "done"}, {"status", 0}}, nested};
  const JournalRecords parsed = parse_journal(journal_of(records));
  CHECK(parsed.damaged);
  CHECK(parsed.records == std::vector<Json>{records.front()});
}

TEST_CASE("a checkpoint whose record was not written any more stands after all that was told", "[exec]") {
  const lowbit::test::TemporaryDirectory directory;
  const Json point{{"k", "metric"},        {"name", "x/a"}, {"unit", "ratio"}, {"value", 0.5},
                   {"std_error", nullptr}, {"count", 0},    {"step", 1}};
  const std::string whole = journal_of({point, {{"k", "checkpoint"}, {"step", 4}}});
  const std::size_t told = journal_of({point}).size();
  for (std::size_t cut = told; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    lowbit::test::write_text(directory.path() / "journal", whole.substr(0, cut));
    const CarriedRecords carried = carried_records(directory.path() / "journal", 4);
    CHECK(carried.gap.empty());
    CHECK(carried.records == std::vector<Json>(1, point));
  }
}
