#include <cmath>

#include "component/store/fixture.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

std::vector<Coordinates::Entry> at(int bits, int seed) { return {{"num_bits", bits}, {"seed", seed}}; }

/// A number of the one cell that `sql` asks for.
double number(const std::filesystem::path& file, const std::string& sql) {
  const QueryResult table = must(query_sqlite(file, sql));
  REQUIRE(table.rows.size() == 1);
  REQUIRE(table.rows[0].size() == 1);
  REQUIRE(table.rows[0][0]);
  return table.rows[0][0]->get<double>();
}

}  // namespace

TEST_CASE("v_results is tidy: one row per metric of every stage of the last expansion", "[store][views]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  must(store.record_expansion(
      {.experiment = "study", .file = "study.yaml"},
      {row("score", at(3, 0), "c0"), row("score", at(3, 1), "c1"), row("base", {}, "b"), row("later", {}, "l")}));
  for (const char* content : {"c0", "c1", "b", "history"}) {
    must(store.publish({writer.publication(content, content, 0.5)}, false));
  }
  CHECK(ask(dir.database(),
            "SELECT experiment, stage, label, axes, seed, plugin, metric, unit, value, std_error, count FROM v_results "
            "ORDER BY label") ==
        "study,base,base,{},,toy.score,toy/accuracy,fraction,0.5,0.1,10\n"
        "study,score,score[num_bits=3,seed=0],{\"num_bits\":3},0,toy.score,toy/accuracy,fraction,0.5,0.1,10\n"
        "study,score,score[num_bits=3,seed=1],{\"num_bits\":3},1,toy.score,toy/accuracy,fraction,0.5,0.1,10\n");

  // The same results under another experiment's expansion are its results too; edited stages leave the tables.
  must(store.record_expansion({.experiment = "again", .file = "again.yaml"}, {row("mine", {}, "b")}));
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"},
                              {row("score", at(3, 0), "c0"), row("base", {}, "edited")}));
  CHECK(ask(dir.database(), "SELECT experiment, label FROM v_results ORDER BY 1, 2") ==
        "again,mine\nstudy,score[num_bits=3,seed=0]\n");
}

TEST_CASE("v_results shows the result that replaced another, once", "[store][views]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("score", {}, "c")}));
  writer.publish(writer.publication("c", "score", 0.25));
  writer.publish(writer.publication("c", "score", 0.75), true);
  CHECK(ask(dir.database(), "SELECT value FROM v_results") == "0.75\n");
}

TEST_CASE("v_agg gives mean and sample standard deviation over seeds", "[store][views]") {
  // Values offset + 0, 1, ..., n - 1: mean offset + (n - 1) / 2, sample variance n (n + 1) / 12. The offset shows that
  // the deviations are taken from the mean and not as a difference of large sums.
  const Directory dir;
  Writer writer(dir.database());
  const int n = GENERATE(2, 3, 5);
  const double offset = GENERATE(0.0, 1e6);
  std::vector<ExpansionRow> rows{row("deterministic", {{"num_bits", 3}}, "d")};
  std::vector<Publication> results{writer.publication("d", "deterministic", offset)};
  for (int seed = 0; seed < n; ++seed) {
    const std::string content = "c" + std::to_string(seed);
    rows.push_back(row("score", at(3, seed), content));
    rows.push_back(row("score", at(4, seed), "other" + content));
    results.push_back(writer.publication(content, content, offset + seed));
    results.push_back(writer.publication("other" + content, content, -1));
  }
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, rows));
  must(writer.store().publish(results, false));

  const std::string cell = " FROM v_agg WHERE stage = 'score' AND axes = '{\"num_bits\":3}'";
  CHECK(number(dir.database(), "SELECT n" + cell) == n);
  CHECK(number(dir.database(), "SELECT mean" + cell) == Approx(offset + (n - 1) / 2.0).epsilon(1e-15));
  // Rounding of values near 1e6 is 1e-10; of their squared differences 1e-9 at most.
  CHECK(number(dir.database(), "SELECT std" + cell) == Approx(std::sqrt(n * (n + 1) / 12.0)).epsilon(1e-9));
  CHECK(ask(dir.database(), "SELECT mean, std, n FROM v_agg WHERE axes = '{\"num_bits\":4}'") ==
        "-1.0,0.0," + std::to_string(n) + "\n");
  CHECK(ask(dir.database(), "SELECT std, n FROM v_agg WHERE stage = 'deterministic'") == ",1\n");
}

TEST_CASE("v_stages says for every stage of the last expansion how it stands", "[store][views]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  std::vector<ExpansionRow> rows;
  for (const char* stage : {"done", "failed", "running", "never", "cancelled", "lost", "cut_off", "retried"}) {
    rows.push_back(row(stage, {{"seed", 1}}, stage));
  }
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"}, rows));
  writer.publish(writer.publication("done", "done[seed=1]"));
  must(store.end_attempt(writer.begin("failed", "failed[seed=1]"), AttemptState::failed, {{"what", "it broke"}}, 3));
  writer.begin("running", "running[seed=1]");
  must(store.end_attempt(writer.begin("cancelled", "cancelled[seed=1]"), AttemptState::cancelled, {}, 1));
  must(store.end_attempt(writer.begin("lost", "lost[seed=1]"), AttemptState::lost, {}, 1));
  must(store.link(sha256("p:cut_off"), sha256("done")));
  must(store.end_attempt(writer.begin("retried", "retried[seed=1]"), AttemptState::failed, {}, 9));
  writer.publish(writer.publication("retried", "retried[seed=1]"));

  const std::string all = "SELECT stage, state, attempt, seconds, failure, axes, seed FROM v_stages";
  CHECK(ask(dir.database(), all) ==
        "done,done,1,2.0,,{},1\n"
        "failed,failed,1,3.0,it broke,{},1\n"
        "running,running,1,,,{},1\n"
        "never,never,,,,{},1\n"
        "cancelled,cancelled,1,1.0,,{},1\n"
        "lost,lost,1,1.0,,{},1\n"
        "cut_off,done,1,2.0,,{},1\n"
        "retried,done,2,2.0,,{},1\n");

  // An edited stage has not run, whatever its former recipe did.
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"}, {row("failed", {{"seed", 1}}, "edited")}));
  CHECK(ask(dir.database(), all) == "failed,never,,,,{},1\n");
}

TEST_CASE("v_flips names the items on which two results for one task disagree", "[store][views]") {
  const Directory dir;
  Writer writer(dir.database());
  const auto publish = [&](const std::string& content, const std::string& task,
                           const std::vector<std::pair<std::string, Json>>& grades) {
    Publication p = writer.publication(content, content);
    Json record = p.result.content_record.json();
    record["inputs"]["task"]["digest"] = sha256(task).hex();
    p.result.content_record = record;
    for (const auto& [item, correct] : grades) {
      p.items["predictions"].push_back({item, {{"problem_id", "of " + item}, {"correct", correct}}});
    }
    writer.publish(p);
  };
  publish("full", "math", {{"1", true}, {"2", true}, {"3", false}, {"4", nullptr}, {"5", true}});
  publish("low", "math", {{"1", true}, {"2", false}, {"3", true}, {"4", true}});
  publish("elsewhere", "code", {{"1", false}, {"2", false}});
  must(writer.store().record_expansion(
      {.experiment = "study", .file = "study.yaml"},
      {row("full", {}, "full"), row("low", {{"num_bits", 2}}, "low"), row("code", {}, "elsewhere")}));
  const std::string query =
      "SELECT label_a, label_b, item_id, problem_id, correct_a, correct_b FROM v_flips ORDER BY label_a, item_id";
  CHECK(ask(dir.database(), query) ==
        "full,low[num_bits=2],2,of 2,1,0\n"
        "full,low[num_bits=2],3,of 3,0,1\n"
        "low[num_bits=2],full,2,of 2,0,1\n"
        "low[num_bits=2],full,3,of 3,1,0\n");
  // Results of different experiments are not compared.
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("full", {}, "full")}));
  must(writer.store().record_expansion({.experiment = "other", .file = "other.yaml"}, {row("low", {}, "low")}));
  CHECK(ask(dir.database(), query).empty());
}

TEST_CASE("v_verdicts gives each judge's verdict with its stage", "[store][views]") {
  const Directory dir;
  Writer writer(dir.database());
  Publication p = writer.publication("v", "judge");
  p.outputs[0].artifact.type = "verdicts/1";
  p.items["predictions"] = {{"1",
                             {{"judge", "rules"},
                              {"first_error_step", 2},
                              {"category", "method"},
                              {"type", "formula_rule_error"},
                              {"confidence", 0.5},
                              {"status", "error"}}},
                            {"2", {{"judge", "rules"}, {"status", "undetermined"}}}};
  writer.publish(p);
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"},
                                       {row("judge", {{"seed", 0}}, "v")}));
  CHECK(ask(dir.database(),
            "SELECT label, axes, seed, item_id, judge, first_error_step, category, type, confidence, status "
            "FROM v_verdicts") ==
        "judge[seed=0],{},0,1,rules,2,method,formula_rule_error,0.5,error\n"
        "judge[seed=0],{},0,2,rules,,,,,undetermined\n");
}

TEST_CASE("lookups by key and the views' joins use an index", "[store][views]") {
  const Directory dir;
  must(open_sqlite(dir.database(), Access::read_write));
  for (const char* sql : {"SELECT * FROM results WHERE content_key = 'x' AND is_current = 1",
                          "SELECT * FROM results WHERE own_digest = 'x'", "SELECT * FROM artifacts WHERE digest = 'x'",
                          "SELECT * FROM attempts WHERE content_key = 'x'", "SELECT * FROM attempts WHERE state = 1",
                          "SELECT * FROM expansions WHERE experiment = 'x' AND stage = 'x' AND coordinates = 'x'",
                          "SELECT * FROM provenance WHERE provenance_key = 'x'"}) {
    INFO(sql);
    const QueryResult plan = must(query_sqlite(dir.database(), std::string("EXPLAIN QUERY PLAN ") + sql));
    const std::string detail = plan.rows.at(0).at(3)->get<std::string>();
    CHECK_THAT(detail, Catch::Contains("USING"));
  }
}
