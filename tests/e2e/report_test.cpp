// `lowbit report` on a study that was run.
#include <catch2/catch.hpp>

#include <filesystem>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

constexpr const char* kDraw = R"py(
import json, os

job = json.load(open(os.environ["LOWBIT_JOB"]))
share = job["args"]["amount"] / 4
with open(job["events"], "a") as events:
    events.write(json.dumps({"metric": {"name": "toys/format_kept", "unit": "fraction", "value": share}}) + "\n")
)py";

constexpr const char* kTwo = R"(experiment: two
matrix: {amount: [1, 2]}
inputs:
  program: {type: file, path: draw.py}
stages:
  - id: draw
    use: lowbit.command-dataset
    with: {program: inputs.program}
    params: {command: [python3, "{program}"], args: {amount: "${amount}"}}
)";

constexpr const char* kTables = R"(experiment: two
tables:
  kept:
    title: What was kept
    columns: [{label: kept, value: {of: draw, metric: toys/format_kept}, percent: true, digits: 1}]
    rows:
      - {id: one, stages: {draw: draw}, at: {amount: 1}}
      - {id: two, stages: {draw: draw}, at: {amount: 2}}
)";

constexpr const char* kFigures = R"(experiment: two
figures:
  kept:
    kind: bars
    parts: [{label: kept, value: {of: draw, metric: toys/format_kept}}]
    rows: [{id: draws, label: "${amount} drawn", stages: {draw: draw}, by: [amount]}]
)";

struct Study : Project {
  Study() : Project(kTwo) { write_text(path() / "draw.py", kDraw); }
  [[nodiscard]] std::string html(const std::string& file = "two.html") const { return read_text(path() / file); }
};

}  // namespace

TEST_CASE("a report without tables compares, with them prints them, and draws figures", "[e2e]") {
  const Study study;
  REQUIRE(study.run().status == 0);
  const Ended plain = study.lowbit({"report"});
  INFO(plain.err);
  REQUIRE(plain.status == 0);
  CHECK_THAT(plain.out, Contains("two.html: "));
  CHECK_THAT(study.html(), Contains("<h2 id=\"tables\">Comparison</h2>"));
  CHECK_THAT(study.html(), Contains("toys/format_kept"));
  CHECK_THAT(study.html(), !Contains("<h2 id=\"figures\">"));

  write_text(study.path() / "tables.yaml", kTables);
  write_text(study.path() / "figures.yaml", kFigures);
  REQUIRE(study.lowbit({"report", "experiment.yaml", "-o", "all.html"}).status == 0);
  const std::string html = study.html("all.html");
  CHECK_THAT(html, Contains("<caption>What was kept</caption>"));
  CHECK_THAT(html, Contains("<td>50.0</td>"));
  CHECK_THAT(html, Contains("<code>lowbit table tables.yaml kept</code>"));
  CHECK_THAT(html, Contains("<h2 id=\"figures\">"));
  CHECK_THAT(html, Contains("2 of 2 results of <code>experiment.yaml</code>"));
  // By name, file and directory it is the same report, byte for byte.
  for (const char* word : {"two", "."}) {
    REQUIRE(study.lowbit({"report", word, "-o", "again.html"}).status == 0);
    CHECK(study.html("again.html") == html);
  }
}

TEST_CASE("a report says the command that makes what it shows, and the text that was run", "[e2e]") {
  const Study study;
  REQUIRE(study.run().status == 0);
  REQUIRE(study.lowbit({"report"}).status == 0);
  CHECK_THAT(study.html(), Contains("`lowbit run experiment.yaml` computes them again"));
  REQUIRE(study.lowbit({"run", "experiment.yaml", "--set", "matrix.amount=[2]"}).status == 0);
  write_text(study.path() / "tables.yaml", kTables);
  study.edit(std::string("# changed\n") + kTwo);
  REQUIRE(study.lowbit({"report"}).status == 2);  // a row of the table is gone
  std::filesystem::remove(study.path() / "tables.yaml");
  REQUIRE(study.lowbit({"report"}).status == 0);
  CHECK_THAT(study.html(), Contains("`lowbit run experiment.yaml --set 'matrix.amount=[2]'` computes them again"));
  CHECK_THAT(study.html(), Contains("was changed since") && !Contains("# changed"));
  // And once more after the database was lost.
  REQUIRE(study.shell("rm .lowbit/results.db* && lowbit doctor --rebuild && lowbit report -o again.html").status == 0);
  CHECK_THAT(study.html("again.html"), Contains("--set 'matrix.amount=[2]'` computes them again"));
}

TEST_CASE("tables and figures of another experiment are left out of a report with a word", "[e2e]") {
  const Study study;
  REQUIRE(study.run().status == 0);
  std::string other = kTables;
  write_text(study.path() / "tables.yaml", other.replace(other.find("two"), 3, "owt"));
  const Ended report = study.lowbit({"report"});
  CHECK(report.status == 0);
  CHECK_THAT(report.err, Contains("tables.yaml is of the experiment `owt`, not of `two`"));
}

TEST_CASE("a report of an experiment that is not there, or not there yet", "[e2e]") {
  const Study study;
  const Ended nothing = study.lowbit({"report"});
  CHECK(nothing.status == 2);
  CHECK_THAT(nothing.err, Contains("LB7010"));
  REQUIRE(study.run().status == 0);
  const Ended other = study.lowbit({"report", "tow"});
  CHECK(other.status == 2);
  CHECK_THAT(other.err, Contains("LB7067") && Contains("`two`"));
  write_text(study.path() / "tables.yaml", "experiment: two\ntables: 3\n");
  const Ended wrong = study.lowbit({"report"});
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err, Contains("tables.yaml:2:"));
}

TEST_CASE("a report that cannot be written loses nothing", "[e2e]") {
  const Study study;
  REQUIRE(study.run().status == 0);
  const Ended nowhere = study.lowbit({"report", "-o", "no/such/place.html"});
  CHECK(nowhere.status == 3);
  REQUIRE(study.lowbit({"report"}).status == 0);
  const std::string before = study.html();
  CHECK(study.shell("lowbit report -o /dev/full").status == 3);
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK(study.shell("lowbit report -o /dev/stdout | head -c 15").out == "<!doctype html>");
  std::filesystem::create_symlink("two.html", study.path() / "link.html");
  write_text(study.path() / "two.html", "");
  REQUIRE(study.lowbit({"report", "-o", "link.html"}).status == 0);
  CHECK(std::filesystem::is_symlink(study.path() / "link.html"));
  CHECK(study.html() == before);
  // The file system refuses the file half way: the old report stays, and nothing lies beside it.
  write_text(study.path() / "two.html", "old");
  CHECK(study.shell("ulimit -f 1; trap '' XFSZ; lowbit report").status == 3);
  CHECK(study.html() == "old");
  CHECK_FALSE(std::filesystem::exists(study.path() / "two.html.tmp"));
}
