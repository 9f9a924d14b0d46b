#include <catch2/catch.hpp>

#include "graph/plan.h"
#include "unit/graph/study.h"

namespace lowbit::test {
namespace {

constexpr const char* kCatalog = R"(
toy.rtn: model:model/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "group_size": {"type": "integer", "default": 64}, "comment": {"type": "string"}}
toy.eval: model:model/1|quantized-model/1 -> predictions:predictions/1
  {"limit": {"type": "integer", "default": 10}}
toy.pool: reports*:predictions/1 -> report:file
)";

// A pipeline of three stages over two bit widths, beside a baseline that shares nothing with it but its input.
std::string experiment(const std::string& bits = "[4, 3]", const std::string& quantize_params = "",
                       const std::string& eval_params = "", const std::string& name = "e") {
  return "experiment: " + name + "\nmatrix: {num_bits: " + bits + R"(}
inputs:
  base: {type: model/1, path: models/a}
stages:
  - {id: baseline, use: toy.eval, with: {model: inputs.base}}
  - {id: quantize, use: toy.rtn, with: {model: inputs.base}, params: {num_bits: "${num_bits}")" +
         quantize_params + R"(}}
  - {id: evaluate, use: toy.eval, with: {model: quantize.quantized}, params: {)" +
         eval_params + R"(}}
  - {id: pool, use: toy.pool, with: {reports: {each: evaluate.predictions, over: [num_bits], require: {min: 1}}}}
)";
}

using Labels = std::vector<std::string>;

const Labels kAll{
    "baseline", "quantize[num_bits=4]", "quantize[num_bits=3]", "evaluate[num_bits=4]", "evaluate[num_bits=3]", "pool"};

constexpr const char* kAllReused = R"(reuse  baseline              up to date
reuse  quantize[num_bits=4]  up to date
reuse  quantize[num_bits=3]  up to date
reuse  evaluate[num_bits=4]  up to date
reuse  evaluate[num_bits=3]  up to date
reuse  pool                  up to date
6 variants: 6 reuse, 0 run, 0 maybe
)";

Study after_a_run() {
  Study study(kCatalog);
  REQUIRE(study.run(experiment()) == kAll);
  return study;
}

}  // namespace

TEST_CASE("the first plan runs everything", "[graph][plan]") {
  const Study study(kCatalog);
  CHECK(study.plan_text(experiment()) == R"(run    baseline              never ran
run    quantize[num_bits=4]  never ran
run    quantize[num_bits=3]  never ran
run    evaluate[num_bits=4]  never ran
run    evaluate[num_bits=3]  never ran
run    pool                  never ran
6 variants: 0 reuse, 6 run, 0 maybe
)");
}

TEST_CASE("after a run everything is reused and nothing runs", "[graph][plan]") {
  Study study = after_a_run();
  CHECK(study.plan_text(experiment()) == kAllReused);
  CHECK(study.run(experiment()).empty());
}

TEST_CASE("a killed run goes on where it stopped", "[graph][plan]") {
  Study study(kCatalog);
  CHECK(study.run(experiment(), {.killed_before = "evaluate[num_bits=3]"}) == Labels(kAll.begin(), kAll.begin() + 4));
  CHECK(study.run(experiment()) == Labels(kAll.begin() + 4, kAll.end()));
}

TEST_CASE("editing one parameter runs its stage, leaves its dependants maybe and touches nothing else",
          "[graph][plan]") {
  Study study = after_a_run();
  const std::string edited = experiment("[4, 3]", ", group_size: 128");
  CHECK(study.plan_text(edited) == R"(reuse  baseline              up to date
run    quantize[num_bits=4]  parameter group_size 64 -> 128
run    quantize[num_bits=3]  parameter group_size 64 -> 128
maybe  evaluate[num_bits=4]  waits for quantize[num_bits=4]
maybe  evaluate[num_bits=3]  waits for quantize[num_bits=3]
maybe  pool                  waits for evaluate[num_bits=3]
6 variants: 1 reuse, 2 run, 3 maybe
)");
  CHECK(study.run(edited) == Labels(kAll.begin() + 1, kAll.end()));
  CHECK(study.plan_text(experiment()) == kAllReused);  // the earlier results are still there
}

TEST_CASE("writing out a default changes nothing", "[graph][plan]") {
  Study study = after_a_run();
  CHECK(study.plan_text(experiment("[4, 3]", ", group_size: 64")) == kAllReused);
}

TEST_CASE("names of experiments do not enter keys: another experiment finds the results", "[graph][plan]") {
  Study study = after_a_run();
  CHECK(study.plan_text(experiment("[4, 3]", "", "", "other")) == kAllReused);
}

TEST_CASE("dependants of a stage that came out as it was are cut off, and the next plan knows", "[graph][plan]") {
  Study study = after_a_run();
  const std::string edited = experiment("[4, 3]", ", comment: again");
  CHECK(study.plan_text(edited) == R"(reuse  baseline              up to date
run    quantize[num_bits=4]  parameter comment is new: again
run    quantize[num_bits=3]  parameter comment is new: again
maybe  evaluate[num_bits=4]  waits for quantize[num_bits=4]
maybe  evaluate[num_bits=3]  waits for quantize[num_bits=3]
maybe  pool                  waits for evaluate[num_bits=3]
6 variants: 1 reuse, 2 run, 3 maybe
)");
  CHECK(study.run(edited) == Labels{"quantize[num_bits=4]", "quantize[num_bits=3]"});
  CHECK(study.plan_text(edited) == kAllReused);
}

TEST_CASE("a dependant that was edited too cannot be cut off: it runs, with its own reason", "[graph][plan]") {
  Study study = after_a_run();
  const std::string edited = experiment("[4, 3]", ", group_size: 128", "limit: 20");
  CHECK(study.plan_text(edited) == R"(reuse  baseline              up to date
run    quantize[num_bits=4]  parameter group_size 64 -> 128
run    quantize[num_bits=3]  parameter group_size 64 -> 128
run    evaluate[num_bits=4]  parameter limit 10 -> 20 and 1 more
         parameter limit 10 -> 20
         input model changed
run    evaluate[num_bits=3]  parameter limit 10 -> 20 and 1 more
         parameter limit 10 -> 20
         input model changed
maybe  pool                  waits for evaluate[num_bits=3]
6 variants: 1 reuse, 4 run, 1 maybe
)");
}

TEST_CASE("an external input with other content runs what reads it and names the input", "[graph][plan]") {
  Study study = after_a_run();
  study.files["models/a"] = "edited";
  CHECK(study.plan_text(experiment()) == R"(run    baseline              input model changed
run    quantize[num_bits=4]  input model changed
run    quantize[num_bits=3]  input model changed
maybe  evaluate[num_bits=4]  waits for quantize[num_bits=4]
maybe  evaluate[num_bits=3]  waits for quantize[num_bits=3]
maybe  pool                  waits for evaluate[num_bits=3]
6 variants: 0 reuse, 3 run, 3 maybe
)");
}

TEST_CASE("a forced stage runs and its dependants may be cut off", "[graph][plan]") {
  Study study = after_a_run();
  const graph::PlanOptions force{.force = {"quantize"}};
  CHECK(study.plan_text(experiment(), force) == R"(reuse  baseline              up to date
run    quantize[num_bits=4]  forced
run    quantize[num_bits=3]  forced
maybe  evaluate[num_bits=4]  waits for quantize[num_bits=4]
maybe  evaluate[num_bits=3]  waits for quantize[num_bits=3]
maybe  pool                  waits for evaluate[num_bits=3]
6 variants: 1 reuse, 2 run, 3 maybe
)");
  CHECK(study.run(experiment(), {.plan = force}) == Labels{"quantize[num_bits=4]", "quantize[num_bits=3]"});
}

TEST_CASE("a forced stage runs although its input is not known yet", "[graph][plan]") {
  Study study = after_a_run();
  study.files["models/a"] = "edited";
  const graph::ExpandedGraph graph = study.expand(experiment());
  const graph::Plan plan = study.plan(graph, {.force = {"pool"}});
  CHECK(plan.variants.back().decision == graph::Decision::run);
  CHECK(plan.variants.back().reason.kind == graph::ReasonKind::forced);
}

TEST_CASE("recreation with other bytes makes dependants stale with that reason", "[graph][plan]") {
  Study study = after_a_run();
  study.salt = "the second time";
  study.run(experiment(), {.plan = {.force = {"quantize"}}, .killed_before = "evaluate[num_bits=4]"});
  CHECK(study.plan_text(experiment()) == R"(reuse  baseline              up to date
reuse  quantize[num_bits=4]  up to date
reuse  quantize[num_bits=3]  up to date
run    evaluate[num_bits=4]  input model changed: made again, with other bytes
run    evaluate[num_bits=3]  input model changed: made again, with other bytes
maybe  pool                  waits for evaluate[num_bits=3]
6 variants: 3 reuse, 2 run, 1 maybe
)");
}

// Semantics 16.
TEST_CASE("a late member makes the stage that gathers it stale", "[graph][plan]") {
  Study study = after_a_run();
  const std::string wider = experiment("[4, 3, 2]");
  SECTION("while the member is missing, the stage waits for it") {
    CHECK(study.plan_text(wider) == R"(reuse  baseline              up to date
reuse  quantize[num_bits=4]  up to date
reuse  quantize[num_bits=3]  up to date
run    quantize[num_bits=2]  never ran
reuse  evaluate[num_bits=4]  up to date
reuse  evaluate[num_bits=3]  up to date
maybe  evaluate[num_bits=2]  waits for quantize[num_bits=2]
maybe  pool                  waits for evaluate[num_bits=2]
8 variants: 5 reuse, 1 run, 2 maybe
)");
  }
  SECTION("when another experiment has made the member, that is the reason") {
    study.run(experiment("[2]", "", "", "other"));
    CHECK_THAT(study.plan_text(wider), Catch::EndsWith("run    pool                  input reports gained num_bits=2\n"
                                                       "8 variants: 7 reuse, 1 run, 0 maybe\n"));
  }
}

TEST_CASE("a member that failed is left out, and comes in late when it has been made", "[graph][plan]") {
  Study study(kCatalog);
  study.run(experiment(), {.fails = {"evaluate[num_bits=3]"}});
  CHECK_THAT(study.plan_text(experiment()), Catch::EndsWith("run    evaluate[num_bits=3]  never ran\n"
                                                            "maybe  pool                  waits for "
                                                            "evaluate[num_bits=3]\n"
                                                            "6 variants: 4 reuse, 1 run, 1 maybe\n"));
  study.run(experiment(), {.killed_before = "pool"});
  const graph::ExpandedGraph graph = study.expand(experiment());
  const graph::PlannedVariant pool = study.plan(graph).variants.back();
  CHECK(pool.decision == graph::Decision::run);
  CHECK(pool.reason.kind == graph::ReasonKind::late_member);
  CHECK(pool.reason.text == "input reports gained num_bits=3");
}

TEST_CASE("a result whose files are gone is made again", "[graph][plan]") {
  Study study = after_a_run();
  const graph::ExpandedGraph graph = study.expand(experiment());
  study.results.lose_artifact(study.plan(graph).variants[1].result->outputs.at("quantized").digest);
  CHECK(study.plan_text(experiment()) == R"(reuse  baseline              up to date
run    quantize[num_bits=4]  the files of output quantized are gone
reuse  quantize[num_bits=3]  up to date
maybe  evaluate[num_bits=4]  waits for quantize[num_bits=4]
reuse  evaluate[num_bits=3]  up to date
maybe  pool                  waits for evaluate[num_bits=4]
6 variants: 3 reuse, 1 run, 2 maybe
)");
}

TEST_CASE("a changed plugin file with the same version is one notice, and stale when strict", "[graph][plan]") {
  Study study(kCatalog);
  study.plugins = {{"toy.rtn", sha256("built on Monday")}, {"toy.eval", sha256("built on Monday")}};
  study.run(experiment());
  study.plugins["toy.rtn"] = sha256("built on Tuesday");
  CHECK(study.plan_text(experiment()) ==
        std::string(kAllReused) +
            "notice: the file of plugin toy.rtn changed since its results were made, its version 1.0.0 did not: they "
            "are reused; --strict makes them stale\n");
  CHECK(study.plan_text(experiment(), {.strict = true}) == R"(reuse  baseline              up to date
run    quantize[num_bits=4]  the file of plugin toy.rtn changed, its version 1.0.0 did not
run    quantize[num_bits=3]  the file of plugin toy.rtn changed, its version 1.0.0 did not
maybe  evaluate[num_bits=4]  waits for quantize[num_bits=4]
maybe  evaluate[num_bits=3]  waits for quantize[num_bits=3]
maybe  pool                  waits for evaluate[num_bits=3]
6 variants: 1 reuse, 2 run, 3 maybe
)");
}

TEST_CASE("what was printed reuse does not run, and what runs was printed run or maybe", "[graph][plan]") {
  Study study = after_a_run();
  study.salt = "other bytes";
  const std::string edited = experiment("[4, 3, 2]", ", group_size: 128", "limit: 20");
  const graph::ExpandedGraph graph = study.expand(edited);
  const graph::Plan plan = study.plan(graph);
  Labels promised;
  for (const graph::PlannedVariant& planned : plan.variants) {
    if (planned.decision != graph::Decision::reuse) promised.push_back(graph.variants[planned.variant].label());
  }
  CHECK(study.run(edited) == promised);
}

}  // namespace lowbit::test
