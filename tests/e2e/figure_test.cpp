// `lowbit figure` on a study that was run: what its CSV says against the database, and what it does without results.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::WithinAbs;

namespace {

namespace fs = std::filesystem;

constexpr const char* kTrain = R"py(
import json, os

job = json.load(open(os.environ["LOWBIT_JOB"]))
args = job["args"]
draw = int(open(os.path.join(job["inputs"]["data"][0]["path"], "data.txt")).read().split()[-1])
right = {2: 30, 3: 55, 4: 80}[args["bits"]]
with open(os.path.join(job["outputs"]["predictions"], "predictions.jsonl"), "w") as out:
    for i in range(40):
        out.write(json.dumps({"item_id": f"item-{i}", "problem_id": f"problem-{i}", "prompt_sha": "0" * 64, "text": "4",
                              "steps": [], "extracted": "4", "correct": (37 * i + draw * (i % 3)) % 100 < right,
                              "n_tokens": 1, "truncated": False}) + "\n")
with open(job["events"], "a") as events:
    share = right / 1000 + draw / 4096
    events.write(json.dumps({"metric": {"name": "toys/format_kept", "unit": "fraction", "value": share}}) + "\n")
    for step in range(5):
        point = {"name": "train/loss", "unit": "nats", "value": 4 / (step + 1) + share, "step": step}
        events.write(json.dumps({"metric": point}) + "\n")
)py";

constexpr const char* kSweep = R"(experiment: toys
seeds: [0, 1]
matrix:
  bits: [4, 3, 2]
inputs:
  program: {type: file, path: train.py}
stages:
  - {id: draw, use: lowbit.toy.seeded-source}
  - id: answer
    use: lowbit.command-dataset
    with: {data: draw.out, program: inputs.program}
    params: {command: [python3, "{program}"], args: {bits: "${bits}"}}
)";

constexpr const char* kFigures = R"(experiment: toys
figures:
  accuracy:
    kind: line
    x: {axis: bits}
    y: {label: accuracy, accuracy: {of: answers}}
    rows: [{id: all, stages: {answers: answer}, over: [bits]}]
  kept:
    kind: bars
    parts: [{label: kept, value: {of: answers, metric: toys/format_kept}}]
    rows: [{id: bits, label: "${bits} bits", stages: {answers: answer}, by: [bits]}]
  loss:
    kind: curves
    curves: [{of: answers, metric: train/loss}]
    rows: [{id: two, stages: {answers: answer}, at: {bits: 2}}]
)";

struct Sweep : Project {
  Sweep() : Project(kSweep) {
    write_text(path() / "train.py", kTrain);
    write_text(path() / "figures.yaml", kFigures);
  }
  [[nodiscard]] std::string text(const std::string& file) const { return read_text(path() / file); }
};

std::vector<std::vector<std::string>> rows_of(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    auto& row = rows.emplace_back();
    std::istringstream cells(line + ",");
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return rows;
}

}  // namespace

TEST_CASE("what a figure draws stands in its CSV, as the database has it", "[e2e][figure]") {
  const Sweep project;
  REQUIRE(project.run().status == 0);
  const Ended ended = project.lowbit({"figure", ".", "--to", "pictures/of it"});
  REQUIRE(ended.status == 0);
  CHECK(ended.err.empty());
  CHECK(ended.out ==
        "pictures/of it/accuracy.svg\npictures/of it/accuracy.csv\npictures/of it/kept.svg\npictures/of it/kept.csv\n"
        "pictures/of it/loss.svg\npictures/of it/loss.csv\n");

  auto rows = rows_of(project.text("pictures/of it/accuracy.csv"));
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == std::vector<std::string>{"row", "label", "bits", "accuracy", "accuracy: std", "accuracy: n seeds",
                                            "accuracy: low", "accuracy: high"});
  for (std::size_t i = 1; i < rows.size(); ++i) {
    INFO(rows[i].at(2));
    const std::string where = "JOIN v_stages s USING (result_id) WHERE s.axes ->> '$.bits' = " + rows[i].at(2);
    CHECK_THAT(std::stod(rows[i].at(3)),
               WithinAbs(std::stod(project.query("SELECT avg(p.correct) FROM predictions p " + where)), 1e-12));
    CHECK(rows[i].at(5) == "2");
  }
  rows = rows_of(project.text("pictures/of it/kept.csv"));
  REQUIRE(rows.size() == 4);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string bits = rows[i].at(0).substr(5);
    INFO(bits);
    CHECK(rows[i].at(1) == bits + " bits");
    const auto figures =
        rows_of(project.query("SELECT mean, std FROM v_agg WHERE metric = 'toys/format_kept' AND axes ->> "
                              "'$.bits' = " +
                              bits));
    CHECK_THAT(std::stod(rows[i].at(2)), WithinAbs(std::stod(figures.at(0).at(0)), 1e-12));
    CHECK_THAT(std::stod(rows[i].at(3)), WithinAbs(std::stod(figures.at(0).at(1)), 1e-12));
  }
  rows = rows_of(project.text("pictures/of it/loss.csv"));
  REQUIRE(rows.size() == 6);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    CHECK_THAT(std::stod(rows[i].at(4)),
               WithinAbs(std::stod(project.query("SELECT avg(c.value) FROM curves c JOIN v_stages s USING (result_id) "
                                                 "WHERE s.axes ->> '$.bits' = 2 AND c.step = " +
                                                 rows[i].at(3))),
                         1e-12));
  }
  CHECK_THAT(project.text("pictures/of it/accuracy.svg"),
             Contains("<title>accuracy</title>") && Contains("n = 40 items; mean over seeds 0, 1"));
  // The same numbers are the same bytes.
  const std::string before = project.text("pictures/of it/kept.svg");
  REQUIRE(project.lowbit({"figure", "experiment.yaml", "kept", "-o", "again.svg"}).out == "again.svg\nagain.csv\n");
  CHECK(project.text("again.svg") == before);
  CHECK(project.lowbit({"figure", "figures.yaml", "kept", "-o", "data.csv"}).out == "data.csv\n");
  CHECK(project.text("data.csv") == project.text("again.csv"));
}

TEST_CASE("figures before the end of a run say what is missing", "[e2e][figure]") {
  const Sweep project;
  CHECK_THAT(project.lowbit({"figure", "."}).err, Contains("error[LB7010]"));
  std::string broken = kTrain;
  broken.replace(broken.find("2: 30"), 5, "5: 30");
  write_text(project.path() / "train.py", broken);
  REQUIRE(project.run().status == 1);
  const Ended ended = project.lowbit({"figure", "."});
  CHECK(ended.status == 0);
  CHECK(ended.err == "results are missing; make them with: lowbit run experiment.yaml\n");
  CHECK_THAT(project.text("accuracy.svg"), Contains("not there yet: answer[bits=2,seed=0] (failed), "
                                                    "answer[bits=2,seed=1] (failed)"));
  CHECK_THAT(project.text("accuracy.csv"), Contains("\nall,all,2,,,2,,\n"));
  CHECK_THAT(project.text("loss.csv"), Contains("\ntwo,two,train/loss,,,\n"));
  CHECK(project.lowbit({"figure", ".", "--strict"}).status == 1);
  CHECK(project.lowbit({"figure", ".", "loss", "--strict"}).status == 1);
}

TEST_CASE("a figure, a file or an end of a name that is not there says so", "[e2e][figure]") {
  const Sweep project;
  REQUIRE(project.run().status == 0);
  CHECK_THAT(project.lowbit({"figure", ".", "acuracy"}).err,
             Contains("error[LB0007]: there is no figure `acuracy`") && Contains("similar name exists: `accuracy`"));
  CHECK_THAT(project.lowbit({"figure", ".", "-o", "all.svg"}).err,
             Contains("error[LB0007]: the file has several figures\n = note: its figures: accuracy, kept, loss\n"));
  CHECK_THAT(project.lowbit({"figure", ".", "kept", "-o", "kept.png"}).err,
             Contains("error[LB0001]: `lowbit figure` writes no file `kept.png`") && Contains(".svg, .pdf or .csv"));
  CHECK_THAT(project.lowbit({"figure", ".", "kept", "-o", "kept.svg", "--to", "there"}).err, Contains("error[LB0001]"));
  CHECK_THAT(project.lowbit({"figure", "none.yaml"}).err,
             Contains("error[LB0006]: the figures file none.yaml cannot be read") && Contains("docs/figures.md"));
  CHECK_THAT(project.lowbit({"figure", ".", "kept", "-o", "no/such/kept.svg"}).err, Contains("error[LB61"));
  write_text(project.path() / "figures.yaml",
             "experiment: toy\nfigures: {a: {kind: bars, rows: [{id: a, stages: {r: "
             "answer}}], parts: [{label: l, value: {of: r, metric: m}}]}}\n");
  CHECK_THAT(project.lowbit({"figure", "."}).err, Contains("error[LB7020]") && Contains("`toys`"));
}

TEST_CASE("a PDF is made by rsvg-convert, and what goes wrong with it is told", "[e2e][figure]") {
  const Sweep project;
  REQUIRE(project.run().status == 0);
  const fs::path tools = project.path() / "tools";
  fs::create_directories(tools);
  const auto with_tools = [&](const std::vector<std::string>& words) {
    // Nothing but this directory: no rsvg-convert of the machine.
    return project.lowbit(words, {{"PATH", tools.string()}});
  };
  const Ended without = with_tools({"figure", ".", "kept", "-o", "kept.pdf"});
  CHECK(without.status == 3);
  CHECK_THAT(without.err, Contains("error[LB6201]") && Contains("apt install librsvg2-bin"));
  CHECK_FALSE(fs::exists(project.path() / "kept.pdf"));
  CHECK_THAT(with_tools({"doctor"}).out, Contains("no rsvg-convert: `lowbit figure` writes SVG, no PDF"));

  const auto tool = [&](const std::string& script) {
    write_text(tools / "rsvg-convert", "#!/bin/sh\n" + script);
    REQUIRE(::chmod((tools / "rsvg-convert").c_str(), 0755) == 0);
  };
  tool("exit 0\n");
  CHECK_THAT(with_tools({"doctor"}).out, Contains("figures by " + (tools / "rsvg-convert").string()));
  tool("echo half >\"$4\"; exit 7\n");
  const Ended failed = with_tools({"figure", ".", "kept", "-o", "kept.pdf"});
  CHECK(failed.status == 3);
  CHECK_THAT(failed.err, Contains("error[LB6202]") && Contains("it ended with status 7"));
  for (const char* left : {"kept.pdf", "kept.pdf.tmp", "kept.pdf.svg.tmp"}) {
    INFO(left);
    CHECK_FALSE(fs::exists(project.path() / left));
  }
  tool("kill -9 $$\n");
  CHECK_THAT(with_tools({"figure", ".", "kept", "-o", "kept.pdf"}).err, Contains("signal 9 ended it"));
  // What it is given: --format pdf --output FILE SVG.
  tool("[ \"$1 $2 $3\" = \"--format pdf --output\" ] && while read -r line; do echo \"$line\"; done <\"$5\" >\"$4\"\n");
  const Ended made = with_tools({"figure", ".", "kept", "-o", "kept.pdf"});
  CHECK(made.status == 0);
  CHECK(made.out == "kept.csv\nkept.pdf\n");
  REQUIRE(project.lowbit({"figure", ".", "kept"}).status == 0);
  CHECK(project.text("kept.pdf") == project.text("kept.svg"));
  CHECK(with_tools({"figure", ".", "kept", "--pdf", "--to", "both"}).out ==
        "both/kept.svg\nboth/kept.csv\nboth/kept.pdf\n");

  const Ended real = project.lowbit({"figure", ".", "kept", "-o", "real.pdf"});
  if (real.status != 0) {
    WARN("rsvg-convert is not installed: no real PDF was made");
    CHECK_THAT(real.err, Contains("error[LB6201]"));
  } else {
    CHECK(project.text("real.pdf").substr(0, 5) == "%PDF-");
  }
}
