// `lowbit table` on a study that was run: every figure against the same figure computed here from the prediction rows.
#include <catch2/catch.hpp>

#include <cmath>
#include <map>
#include <sstream>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::WithinAbs;

namespace {

constexpr const char* kAnswer = R"py(
import json, os

job = json.load(open(os.environ["LOWBIT_JOB"]))
draw = open(os.path.join(job["inputs"]["data"][0]["path"], "data.txt")).read() if job["inputs"].get("data") else "x 0"
draw = int(draw.split()[-1])
right = {"full": 80, "low": 30, "tuned": 55}[job["args"]["model"]]
with open(os.path.join(job["outputs"]["predictions"], "predictions.jsonl"), "w") as out:
    for i in range(120):
        out.write(json.dumps({"item_id": f"item-{i}", "problem_id": f"problem-{i}", "prompt_sha": "0" * 64, "text": "4",
                              "steps": [], "extracted": "4", "correct": (37 * i + draw * (i % 3)) % 100 < right,
                              "n_tokens": 1, "truncated": False}) + "\n")
with open(job["events"], "a") as events:
    metric = {"name": "toys/format_kept", "unit": "fraction", "value": right / 1000 + draw / 4096}
    events.write(json.dumps({"metric": metric}) + "\n")
)py";

constexpr const char* kExperiment = R"(experiment: toys
seeds: [0, 1, 2]
matrix:
  model: [full, low, tuned]
inputs:
  program: {type: file, path: answer.py}
stages:
  - {id: draw, use: lowbit.toy.seeded-source}
  - id: answer
    use: lowbit.command-dataset
    with: {data: draw.out, program: inputs.program}
    params: {command: [python3, "{program}"], args: {model: "${model}"}}
  - id: plain
    use: lowbit.command-dataset
    with: {program: inputs.program}
    params: {command: [python3, "{program}"], args: {model: low}}
)";

constexpr const char* kTables = R"(experiment: toys
tables:
  toys:
    columns:
      - {label: format, value: {of: answers, metric: "*/format_kept"}, percent: true}
      - {label: accuracy, accuracy: {of: answers}}
      - {label: delta, delta: {of: answers, to: full}}
    rows:
      - {id: plain, stages: {answers: plain}}
      - {id: full, stages: {answers: answer}, at: {model: full}}
      - {id: low, stages: {answers: answer}, at: {model: low}}
      - {id: tuned, stages: {answers: answer}, at: {model: tuned}}
    comparisons:
      - {of: answers, a: low, b: tuned}
  others:
    columns: [{label: accuracy, accuracy: {of: answers}}]
    rows: [{id: plain, stages: {answers: plain}}]
)";

/// A project with the three files.
struct Toys : Project {
  Toys() : Project(kExperiment) {
    write_text(path() / "answer.py", kAnswer);
    write_text(path() / "tables.yaml", kTables);
  }
};

using Grades = std::map<std::pair<std::string, std::string>, double>;  // seed and item to 0 or 1

Grades grades_of(const Project& project, const std::string& where) {
  std::istringstream lines(
      project.query("SELECT coalesce(s.seed, 0), p.item_id, p.correct FROM v_stages s "
                    "JOIN predictions p USING (result_id) WHERE " +
                    where));
  Grades grades;
  std::string seed;
  std::string item;
  std::string correct;
  while (std::getline(lines, seed, ',') && std::getline(lines, item, ',') && std::getline(lines, correct)) {
    grades[{seed, item}] = std::stod(correct);
  }
  return grades;
}

/// Item to mean over seeds.
std::map<std::string, double> item_means(const Grades& grades, double n_seeds) {
  std::map<std::string, double> means;
  for (const auto& [key, grade] : grades) means[key.second] += grade / n_seeds;
  return means;
}

struct Moments {
  double mean = 0;
  double std_error = 0;
};

Moments moments_of(const std::map<std::string, double>& values) {
  const auto n = static_cast<double>(values.size());
  Moments out;
  for (const auto& [item, value] : values) out.mean += value / n;
  for (const auto& [item, value] : values) out.std_error += (value - out.mean) * (value - out.mean) / n;
  out.std_error = std::sqrt(out.std_error / n);
  return out;
}

/// Row id to cells of the CSV without its header; the labels hold no commas.
std::map<std::string, std::vector<std::string>> csv_rows(const std::string& csv) {
  std::map<std::string, std::vector<std::string>> rows;
  std::istringstream lines(csv.substr(csv.find('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream parts(line + ",");
    for (std::string cell; std::getline(parts, cell, ',');) cells.push_back(cell);
    rows[cells.at(0)] = cells;
  }
  return rows;
}

}  // namespace

TEST_CASE("every figure of a table is the one its prediction rows give", "[e2e][table]") {
  const Toys project;
  REQUIRE(project.run().status == 0);
  const Ended ended = project.lowbit({"table", ".", "toys", "--csv"});
  REQUIRE(ended.status == 0);
  CHECK(ended.err.empty());
  CHECK(ended.out.substr(0, ended.out.find('\n')) ==
        "row,model,format,accuracy,accuracy: std,accuracy: low,accuracy: high,accuracy: n,delta,delta: low,delta: high,"
        "delta: n");
  auto rows = csv_rows(ended.out);
  const auto cell = [&](const std::string& row, std::size_t column) { return std::stod(rows.at(row).at(column)); };
  const auto full = item_means(grades_of(project, "s.label LIKE 'answer[model=full,%'"), 3);
  REQUIRE(full.size() == 120);

  for (const std::string model : {"full", "low", "tuned"}) {
    INFO(model);
    const Grades grades = grades_of(project, "s.label LIKE 'answer[model=" + model + ",%'");
    REQUIRE(grades.size() == 360);
    const Moments accuracy = moments_of(item_means(grades, 3));
    CHECK_THAT(cell(model, 3), WithinAbs(accuracy.mean, 1e-12));
    double squares = 0;
    for (const char* seed : {"0", "1", "2"}) {
      double share = 0;
      for (const auto& [key, grade] : grades) share += key.first == seed ? grade / 120 : 0;
      squares += (share - accuracy.mean) * (share - accuracy.mean);
    }
    CHECK_THAT(cell(model, 4), WithinAbs(std::sqrt(squares / 2), 1e-12));
    // Wilson: its ends are where |p - end| is 1.96 standard errors of the end itself.
    const double n = accuracy.mean * (1 - accuracy.mean) / (accuracy.std_error * accuracy.std_error);
    for (const std::size_t end : {std::size_t{5}, std::size_t{6}}) {
      const double p = cell(model, end);
      CHECK_THAT(std::abs(accuracy.mean - p), WithinAbs(1.959964 * std::sqrt(p * (1 - p) / n), 1e-7));
    }
    CHECK(rows.at(model).at(7) == "120");
    if (model == "full") continue;
    std::map<std::string, double> differences = item_means(grades, 3);
    for (auto& [item, difference] : differences) difference -= full.at(item);
    const Moments delta = moments_of(differences);
    CHECK_THAT(cell(model, 8), WithinAbs(delta.mean, 1e-12));
    CHECK_THAT(cell(model, 9), WithinAbs(delta.mean - 1.959964 * delta.std_error, 1e-7));
    CHECK_THAT(cell(model, 10), WithinAbs(delta.mean + 1.959964 * delta.std_error, 1e-7));
  }
  CHECK(rows.at("full").at(8).empty());
  CHECK(rows.at("plain").at(4).empty());  // one result has no deviation
  CHECK_THAT(cell("plain", 3),
             WithinAbs(moments_of(item_means(grades_of(project, "s.stage = 'plain'"), 1)).mean, 1e-12));
  CHECK_THAT(cell("tuned", 2), WithinAbs(std::stod(project.query("SELECT avg(value) FROM v_results WHERE metric = "
                                                                 "'toys/format_kept' AND label LIKE '%model=tuned%'")),
                                         1e-12));

  const std::string text = project.lowbit({"table", "experiment.yaml", "toys"}).out;
  CHECK_THAT(text, Contains("n = 120 items; seeds 0, 1, 2\n") && Contains("]: tuned is better; p < 0.0001\n") &&
                       Contains("minimum detectable effect (80 % power, two-sided 5 %)"));
  CHECK_THAT(project.lowbit({"table", "tables.yaml", "toys", "--format", "md"}).out,
             Contains("| model | format (%) |"));
}

TEST_CASE("a table before the end of a run shows what is there and says what is not", "[e2e][table]") {
  const Toys project;
  const Ended never = project.lowbit({"table", "."});
  CHECK(never.status == 2);
  CHECK_THAT(never.err, Contains("error[LB0007]: the file has several tables\n = note: its tables: toys, others\n"));
  CHECK_THAT(project.lowbit({"table", ".", "other"}).err,
             Contains("error[LB0007]: there is no table `other`") && Contains("similar name exists: `others`"));
  CHECK_THAT(project.lowbit({"table", ".", "toys"}).err, Contains("error[LB7010]"));

  std::string broken = kAnswer;
  broken.replace(broken.find("\"low\": 30"), 9, "\"lwo\": 30");
  write_text(project.path() / "answer.py", broken);
  REQUIRE(project.run().status == 1);
  const Ended table = project.lowbit({"table", ".", "toys"});
  CHECK(table.status == 0);
  CHECK_THAT(table.out, Contains("· not there yet: plain (failed), answer[model=low,seed=0] (failed)") &&
                            Contains("`lowbit run experiment.yaml` makes it"));
  CHECK(project.lowbit({"table", ".", "toys", "--strict"}).status == 1);
  CHECK_THAT(project.lowbit({"table", ".", "toys", "--json"}).err, Contains("results are missing"));
}

TEST_CASE("a table that names a study, a file or a format that is not there says so", "[e2e][table]") {
  const Project project("experiment: one\nstages: [{id: one, use: lowbit.toy.source}]\n");
  REQUIRE(project.run().status == 0);
  const Ended missing = project.lowbit({"table", "."});
  CHECK(missing.status == 2);
  CHECK(missing.err ==
        "error[LB0006]: the tables file ./tables.yaml cannot be read\n"
        " = note: there is no such file or directory\n"
        " = help: check the path; docs/tables.md says how to write one\n");
  write_text(project.path() / "tables.yaml",
             "experiment: onne\ntables: {t: {columns: [{label: l, value: {of: r, metric: toy/lines}}], rows: [{id: a, "
             "stages: {r: one}}]}}\n");
  CHECK(project.lowbit({"table", "tables.yaml"}).err ==
        "error[LB7020]: experiment `onne` was never run in this project\n"
        " --> tables.yaml:1:13\n"
        "  |\n"
        "1 | experiment: onne\n"
        "  |             ^^^^ no results\n"
        "  = help: an experiment with a similar name was: `one`\n");
  CHECK_THAT(project.lowbit({"table", ".", "-f", "docx"}).err, Contains("`lowbit table` has no format `docx`"));
}

TEST_CASE("an experiment of any name stands for the tables beside it, and is named from where the person is",
          "[e2e][table]") {
  const Toys project;
  write_text(project.path() / "study.yaml", kExperiment);
  REQUIRE(project.lowbit({"run", "study.yaml", "--set", "matrix.model=[full, low]"}).status == 0);
  const Ended beside = project.lowbit({"table", "study.yaml", "others", "--csv"});
  CHECK(beside.status == 0);
  CHECK(beside.out == project.lowbit({"table", ".", "others", "--csv"}).out);
  REQUIRE(project.lowbit({"run", "study.yaml", "--set", "stages.plain.params.args.model=none"}).status == 1);
  const Ended below = project.shell("mkdir -p below; cd below; lowbit table ../study.yaml others");
  CHECK_THAT(below.out, Contains("`lowbit run ../study.yaml --set stages.plain.params.args.model=none` makes it"));
  CHECK_THAT(project.shell("cd /; lowbit table -C $OLDPWD $OLDPWD/study.yaml others").out,
             Contains("study.yaml --set stages.plain.params.args.model=none --project "));
}

TEST_CASE("files that are kept as a table is are written, checked and found stale", "[e2e][table]") {
  const Toys project;
  std::string tables = kTables;
  tables.replace(tables.find("  others:\n"), 10,
                 "  others:\n    outputs: [paper/others.tex, README.md, others.html, others.csv]\n");
  write_text(project.path() / "tables.yaml", tables);
  write_text(project.path() / "README.md",
             "# toys\n<!-- lowbit table others -->\n<!-- end of lowbit table -->\nthe end\n");
  std::filesystem::create_directories(project.path() / "paper");
  REQUIRE(project.run().status == 0);

  const Ended before = project.lowbit({"table", ".", "--check"});
  CHECK(before.status == 1);
  CHECK_THAT(before.out,
             Contains("stale  ./paper/others.tex  table others: it is not there\n") &&
                 Contains("stale  ./README.md  table others: line 3\n  is      <!-- end of lowbit table -->\n") &&
                 Contains("0 of 4 files are as the results say; write the others with --write\n"));
  const Ended written = project.lowbit({"table", ".", "--write"});
  CHECK(written.status == 0);
  CHECK(written.out ==
        "written  ./paper/others.tex\nwritten  ./README.md\nwritten  ./others.html\nwritten  ./others.csv\n");
  CHECK_THAT(read_text(project.path() / "README.md"),
             Catch::StartsWith("# toys\n<!-- lowbit table others -->\n| model |") &&
                 Catch::EndsWith("<!-- end of lowbit table -->\nthe end\n"));
  CHECK_THAT(read_text(project.path() / "paper/others.tex"),
             Catch::StartsWith("% lowbit table tables.yaml others; results ") && Contains("\\toprule"));
  const Ended after = project.shell("mkdir -p below; cd below; lowbit table .. --check");
  CHECK(after.status == 0);
  CHECK(after.out == "4 of 4 files are as the results say\n");

  REQUIRE(project.lowbit({"run", "experiment.yaml", "--set", "stages.plain.params.args.model=tuned"}).status == 0);
  const Ended stale = project.lowbit({"table", "tables.yaml", "others", "--check"});
  CHECK(stale.status == 1);
  CHECK_THAT(stale.out, Contains("stale  others.csv  table others: line 2\n  is      plain,plain,"));
  const Ended again = project.lowbit({"table", "tables.yaml", "--write"});
  CHECK_THAT(again.out, Contains("written  others.csv\n"));

  CHECK_THAT(project.lowbit({"table", ".", "toys", "--check"}).err,
             Contains("error[LB0007]: no table `toys` has files to keep"));
  write_text(project.path() / "README.md", "<!-- lowbit table others -->\n");
  CHECK_THAT(project.lowbit({"table", ".", "--write"}).err, Contains("README.md has no end for the table `others`"));
  // What a person wrote is never replaced.
  write_text(project.path() / "README.md",
             "<!-- lowbit table others -->\nprecious\n<!-- lowbit table b -->\n<!-- end of lowbit table -->\n");
  CHECK_THAT(project.lowbit({"table", ".", "--write"}).err, Contains("README.md has no end for the table `others`"));
  write_text(project.path() / "README.md", "# mine\n");
  CHECK_THAT(project.lowbit({"table", ".", "--write"}).err, Contains("README.md has no place for the table `others`"));
  CHECK(read_text(project.path() / "README.md") == "# mine\n");
  std::filesystem::remove(project.path() / "README.md");
  write_text(project.path() / "paper/others.tex", "\\documentclass{article}\n");
  CHECK_THAT(project.lowbit({"table", ".", "--write"}).err, Contains("paper/others.tex is no table that lowbit wrote"));
  CHECK(read_text(project.path() / "paper/others.tex") == "\\documentclass{article}\n");
  std::filesystem::remove_all(project.path() / "paper");
  REQUIRE(project.lowbit({"table", ".", "--write"}).status == 0);
  CHECK_THAT(read_text(project.path() / "README.md"), Catch::StartsWith("<!-- lowbit table others -->\n| model |"));
  CHECK(project.lowbit({"table", ".", "--check"}).status == 0);
  const std::string csv = read_text(project.path() / "others.csv");
  write_text(project.path() / "others.csv", csv.substr(0, csv.find('\n') + 1));
  CHECK_THAT(project.lowbit({"table", ".", "--check"}).out, Contains("line 2\n  is      (the file ends)\n  should  "));

  CHECK_THAT(project.lowbit({"table", ".", "others", "-o", "others.docx"}).err,
             Contains("no form of a table is kept in others.docx"));
  CHECK(project.lowbit({"table", ".", "others", "-o", "o.md"}).out.empty());
  CHECK_THAT(read_text(project.path() / "o.md"), Catch::StartsWith("| model |"));
}

TEST_CASE("figures of the source paper stand beside ours, or it is said what is wrong with them", "[e2e][table]") {
  const Toys project;
  std::string tables = kTables;
  tables.replace(tables.find("{label: accuracy, accuracy: {of: answers}}"), 42,
                 "{label: accuracy, accuracy: {of: answers}, published: {table: 1, row: toy, column: all}}");
  write_text(project.path() / "tables.yaml", tables);
  REQUIRE(project.run().status == 0);
  CHECK_THAT(project.lowbit({"table", ".", "toys", "--published"}).err,
             Contains("error[LB0006]: the file of published figures ./published.csv cannot be read"));
  write_text(project.path() / "published.csv",
             "table,row,column,value,unit,certain,note\n1,toy,all,12.5,percent,no,of dogs\n");
  CHECK_THAT(project.lowbit({"table", ".", "toys", "--published"}).out,
             Contains("paper") && Contains("12.5?") && Contains("of dogs"));
  CHECK_THAT(project.lowbit({"table", ".", "toys", "--published", "--csv"}).out,
             Contains("accuracy: paper,accuracy: ours minus paper,accuracy: paper inside,"));
  CHECK(project.lowbit({"compare", ".", "toys", "--published"}).out ==
        "table  row    column    ours  paper  ours − paper  in our [95 %]\n"
        "toys   plain  accuracy  30.8  12.5?         +18.3  no\n"
        "toys   full   accuracy  80.8  12.5?         +68.3  no\n"
        "toys   low    accuracy  29.7  12.5?         +17.2  no\n"
        "toys   tuned  accuracy  56.7  12.5?         +44.2  no\n"
        "\n"
        "4 of 4 figures of the paper have one of ours beside them; 0 of 4 lie in our interval over items\n"
        "?: the text that was read leaves the figure's place open\n");
  CHECK_THAT(
      project.lowbit({"compare", ".", "--published", "--csv"}).out,
      Catch::StartsWith("table,row,column,ours,paper,difference,inside,unit,certain,note,our unit,why no difference\n"
                        "toys,plain,accuracy,"));
  CHECK_THAT(project.lowbit({"compare", ".", "toyz", "--published"}).err, Contains("similar name exists: `toys`"));
  write_text(project.path() / "published.csv", "table,row\n");
  CHECK_THAT(project.lowbit({"table", ".", "toys", "--published"}).err, Contains("error[LB7028]"));
}
