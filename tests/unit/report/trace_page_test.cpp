#include "report/trace_page.h"

#include <catch2/catch.hpp>

#include "support/written_study.h"

using namespace lowbit;
using namespace lowbit::report;
using Catch::Contains;

namespace {

Text text(const std::string& value) {
  Text out;
  out.value = value;
  return out;
}

MetricOf metric_of(const std::string& role, const std::string& metric) { return {text(role), text(metric)}; }

/// A model, two rows of which one is quantized, answers with two seeds and their grades.
struct TracedStudy : test::WrittenStudy {
  TableSpec table;

  std::size_t add(const std::string& stage, const Json& axes, std::optional<std::int64_t> seed,
                  const std::string& plugin, const Json& params) {
    return WrittenStudy::add(stage, axes, seed, params, {}, plugin, "3");
  }

  TracedStudy() {
    const std::size_t quantize = add("quantize", {{"bits", 2}}, {}, "lowbit.rtn", {{"num_bits", 2}});
    recipes[quantize].inputs = {{"model", "model/1", "aaaaaaaaaaaa1111", "", {}}};
    for (const bool full : {true, false}) {
      for (std::int64_t seed = 0; seed < 2; ++seed) {
        const std::size_t solve =
            add("solve", {{"base", full ? "model" : "quantized"}}, seed, "lowbit.generate", {{"stop", "x\x1b[0m"}});
        recipes[solve].inputs = {{"model", full ? "model/1" : "quantized-model/1", full ? "aaaaaaaaaaaa1111" : "bbbb",
                                  full ? "" : "quantized", full ? std::nullopt : std::optional(quantize)},
                                 {"decided", "decisions/1", "dddddddddddd2222", "", {}}};
        study.variants[solve].metrics["toys/kept"] = {"fraction", full ? 0.75 : 0.25 * static_cast<double>(seed), 4};
        for (const char* item : {"i1", "i2"}) {
          const bool right = full || (seed == 1 && *item == 'i' && item[1] == '2');
          answers[*study.variants[solve].result_id].push_back({item, item, "p", right});
        }
      }
    }
    // What grades the answers reads decisions of its own.
    recipes[add("grade", Json::object(), {}, "lowbit.effective-grades", {})].inputs = {
        {"decided", "decisions/1", "3333333333334444", "", {}}};
    table.name = text("main");
    ColumnSpec kept{
        .kind = ColumnSpec::Kind::value, .label = text("kept ↑"), .metrics = {metric_of("answers", "*/kept")}};
    ColumnSpec accuracy{.kind = ColumnSpec::Kind::accuracy, .label = text("accuracy"), .metrics = {}};
    accuracy.role = text("answers");
    ColumnSpec delta{.kind = ColumnSpec::Kind::delta, .label = text("Δ"), .metrics = {}};
    delta.role = text("answers");
    delta.baseline = text("full");
    for (ColumnSpec* column : {&kept, &accuracy, &delta}) {
      column->digits = 1;
      column->percent = true;
    }
    table.columns = {kept, accuracy, delta};
    for (const bool full : {true, false}) {
      RowSpec row;
      row.id = text(full ? "full" : "low");
      row.label = text(full ? "full precision" : "two bits");
      row.stages = {{text("answers"), text("solve")}};
      Located<Json> base;
      base.value = full ? "model" : "quantized";
      row.at = {{text("base"), base}};
      table.rows.push_back(row);
    }
  }

  [[nodiscard]] Result<FigureTrace> trace(const std::string& row, const std::string& column) const {
    LB_TRY_ASSIGN(const auto sources, find_sources(table, study));
    LB_TRY_ASSIGN(const MeasuredTable measured, measure(table, sources, answers));
    LB_TRY_ASSIGN(FigureTrace trace, trace_figure(table, row, column, measured, sources, study, recipes));
    trace.rerun = "lowbit run study.yaml";
    for (TracedResult& result : trace.results) {
      const StudyVariant& variant = study.variants[result.variant];
      result.execution = ExecutionFacts{.label = variant.label,
                                        .content_key = "0123456789abcdef",
                                        .plugin_digest = "ffff",
                                        .directory = "results/01",
                                        .attempt = 2,
                                        .started_at = "2026-03-01T12:00:00.000Z",
                                        .ended_at = "2026-03-01T12:00:09.000Z",
                                        .seconds = 9,
                                        .environment = {{"device", "cpu"}, {"lease", {{"cpus", 1}}}},
                                        .run = 4,
                                        .command = "lowbit run study.yaml",
                                        .versions = {{"lowbit", "0.1.0"}},
                                        .build = "g++ 12.2.0, libtorch 1.13.0",
                                        .host = "node7"};
      result.predictions = PredictionsPlace{.result_id = *variant.result_id,
                                            .label = variant.label,
                                            .port = "predictions",
                                            .digest = "eeee",
                                            .task_path = {},
                                            .n = 2,
                                            .n_right = 1};
      result.marks = {{.result_id = 99,
                       .label = variant.seed == 0 ? "grade" : "grade[" + std::to_string(result.variant) + "]",
                       .port = "grades",
                       .type = "grades/1",
                       .sources = {"human", "prediction"},
                       .n = 2,
                       .n_human = 1}};
    }
    add_decisions(trace, study, recipes);
    return trace;
  }
};

}  // namespace

TEST_CASE("a figure leads back to results, recipes, files, judges and commands", "[report][trace]") {
  const TracedStudy f;
  Result<FigureTrace> trace = f.trace("low", "accuracy");
  REQUIRE(trace);
  for (TracedSource& source : trace->decisions) source.path = "/study/reviews/first";
  // 1 right of 4 answers to 2 problems, one of them always wrong: SE = sqrt(1/2) / 4, so m (1 - m) / SE^2 = 6 answers,
  // at most the 4 that there are; Wilson for those.
  CHECK(trace_page(*trace, f.study, f.recipes, nullptr) == R"(table main, row low, column accuracy

  model     accuracy (%) ± std [95 %]
  two bits    25.0 ± 35.4 [4.6, 69.9]

accuracy        0.25
accuracy: std   0.3535533905932738
accuracy: low   0.04558726080970055
accuracy: high  0.6993581574175981
accuracy: n     2
= share of right answers in `answers`, seeds together, an answer without a grade is wrong; ± over seeds, divisor n − 1; [ ] Wilson interval with the standard error over problems

computed from
solve[base=quantized,seed=0]
  1 right of 2
  key 0123456789ab, attempt 2, 2026-03-01T12:00:09.000Z, took 9.0 s
solve[base=quantized,seed=1]
  1 right of 2
  key 0123456789ab, attempt 2, 2026-03-01T12:00:09.000Z, took 9.0 s

made by
stage  parameter  value
solve  plugin     lowbit.generate 3
       stop       x\x1b[0m

environment  device cpu, lease {cpus 1}
computed by  lowbit 0.1.0 (g++ 12.2.0, libtorch 1.13.0) on node7
plugin file  ffff
run          run:4 lowbit run study.yaml

stands on (of the first seed)
solve[base=quantized,seed=0]  lowbit.generate 3
  model bbbb ← quantize[bits=2].quantized
  decided dddddddd ← outside
quantize[bits=2]  lowbit.rtn 3
  model aaaaaaaa ← outside
outside: model/1 aaaaaaaa (path not known)
outside: decisions/1 dddddddd (path not known)

judged by
grade
  grades/1 of 2 items by human, prediction, 1 by people
grade[4]
  grades/1 of 2 items by human, prediction, 1 by people
people's decisions: snapshot dddddddd /study/reviews/first
people's decisions: snapshot 33333333 /study/reviews/first

make it again  lowbit run study.yaml
one result     lowbit show 'solve[base=quantized,seed=0]'
its answers    lowbit samples 'solve[base=quantized,seed=0]'
)");
}

TEST_CASE("a difference stands on both rows, and every item can be listed", "[report][trace]") {
  const TracedStudy f;
  const Result<FigureTrace> trace = f.trace("two bits", "Δ");
  REQUIRE(trace);
  const std::string page = trace_page(*trace, f.study, f.recipes, &f.answers);
  CHECK_THAT(page, Contains("= accuracy of `answers` minus that of row full, paired by item and seed") &&
                       Contains("solve[base=model,seed=1]  (row full)\n"));
  CHECK_THAT(page, Contains(R"(
items: 1 right, 0 wrong, ? not graded
item  solve[base=quantized,seed=0]  solve[base=quantized,seed=1]  solve[base=model,seed=0]  solve[base=model,seed=1]
i1    0                             0                             1                         1
i2    0                             1                             1                         1
)"));
  const Json document = trace_document(*trace, f.study, f.recipes, &f.answers);
  CHECK(document["figures"]["Δ"] == -0.75);
  CHECK(document["results"].size() == 4);
  CHECK(document["results"][1]["items"] == Json{{"i1", false}, {"i2", true}});
  CHECK(document["results"][3]["row"] == "full");
  CHECK(document["chain"][1]["label"] == "quantize[bits=2]");
  CHECK(document["chain"][1]["params"] == Json{{"num_bits", 2}});
  CHECK(document["outside"][0]["path"].is_null());
  CHECK(document["decisions"].size() == 2);
}

TEST_CASE("a metric is traced to what each seed reported", "[report][trace]") {
  const TracedStudy f;
  const Result<FigureTrace> trace = f.trace("low", "kept");  // without the arrow of its label
  REQUIRE(trace);
  CHECK(trace->column == "kept ↑");
  CHECK(trace->figures.front().second == Json(0.125));
  const std::string page = trace_page(*trace, f.study, f.recipes, nullptr);
  CHECK_THAT(page, Contains("= mean over seeds of `*/kept` of `answers`\n") &&
                       Contains("  toys/kept 0 fraction over 4\n  key") &&
                       Contains("  toys/kept 0.25 fraction over 4\n"));
  const Json document = trace_document(*trace, f.study, f.recipes, nullptr);
  CHECK(document["results"][1]["metrics"]["toys/kept"] == Json{{"value", 0.25}, {"unit", "fraction"}, {"count", 4}});
  CHECK_FALSE(document["results"][0].contains("items"));
  CHECK(document["results"][0]["execution"]["attempt"] == 2);
  CHECK(document["results"][0]["execution"]["lowbit"] == "0.1.0");
  CHECK(document["results"][0]["execution"]["host"] == "node7");
}

TEST_CASE("what a table does not have is said with what it has", "[report][trace]") {
  const TracedStudy f;
  CHECK(render(f.trace("lo", "acuracy").error()) ==
        "error[LB7068]: table `main` has no row `lo`\n"
        " = note: its rows: full, low\n"
        " = help: a similar one is there: `low`\n"
        "error[LB7068]: table `main` has no column `acuracy`\n"
        " = note: its columns: kept ↑, accuracy, Δ\n"
        " = help: a similar one is there: `accuracy`\n");
}

TEST_CASE("what is not there, given or a baseline has no results to trace", "[report][trace]") {
  TracedStudy f;
  CHECK_THAT(trace_page(*f.trace("full", "Δ"), f.study, f.recipes, nullptr),
             Contains("= the row that the column's differences are taken to\n"));
  Located<Json> sixteen;
  sixteen.value = 16;
  f.table.rows[0].given = {{text("accuracy"), sixteen}};
  const Result<FigureTrace> given = f.trace("full", "accuracy");
  REQUIRE(given);
  CHECK(given->results.empty());
  CHECK_THAT(trace_page(*given, f.study, f.recipes, nullptr),
             Contains("accuracy  16\n= written by the table's author, not measured\n"));
  f.study.variants[4].result_id.reset();
  f.study.variants[4].state = "failed";
  Result<FigureTrace> missing = f.trace("full", "kept");
  REQUIRE(missing);
  missing->results[0].execution.reset();
  CHECK_THAT(trace_page(*missing, f.study, f.recipes, nullptr), Contains("  no result: done\n"));
}
