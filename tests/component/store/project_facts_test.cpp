#include "store/project_facts.h"

#include "base/words.h"
#include "component/store/fixture.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

using Kind = Meaning::Kind;

ProjectFacts facts_of(const Directory& dir) { return must(ProjectFacts::open(dir.database())); }

std::string names(ProjectFacts& facts, Named what) { return joined(must(facts.names(what))); }

Meaning only_meaning(ProjectFacts& facts, const std::string& word) {
  const std::vector<Meaning> found = must(facts.meanings_of(word, {}));
  REQUIRE(found.size() == 1);
  return found.front();
}

std::string states(const std::vector<VariantLine>& variants) {
  std::vector<std::string> lines;
  for (const VariantLine& one : variants) {
    lines.push_back(one.experiment + " " + one.label + " " + one.state + (one.cause.empty() ? "" : ":" + one.cause));
  }
  return joined(lines);
}

Publication model_of(Writer& writer, const std::string& content, const std::string& label) {
  Publication made = writer.publication(content, label);
  made.outputs.front().port = "model";
  made.outputs.front().artifact.type = "model/1";
  made.result.outputs = {{"model", made.outputs.front().artifact}};
  return made;
}

}  // namespace

TEST_CASE("a word means a variant, an experiment, a run or what has a key that begins so", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"},
                              {row("score", {}, "c"), row("o'clock", {}, "q")}));
  must(store.record_expansion({.experiment = "copy", .file = "copy.yaml"}, {row("score", {}, "c")}));
  must(store.record_expansion({.experiment = "other", .file = "other.yaml"},
                              {row("o'clock", {}, "r"), row("study", {}, "s")}));
  writer.publish(writer.publication("c", "score"));
  ProjectFacts facts = facts_of(dir);

  CHECK(only_meaning(facts, "score").name == "study");  // and copy's, which has the same key
  const std::vector<Meaning> two = must(facts.meanings_of("o'clock", {}));
  REQUIRE(two.size() == 2);
  CHECK(two[0].name == "study");
  CHECK(two[1].name == "other");
  CHECK(must(facts.meanings_of("o'clock", "other")).at(0).id == two[1].id);
  CHECK(must(facts.meanings_of("o'clock", "copy")).empty());
  CHECK(only_meaning(facts, "study").kind == Kind::variant);  // a label goes before the name of an experiment
  CHECK(only_meaning(facts, "copy").kind == Kind::experiment);
  CHECK(only_meaning(facts, "run:1").id == 1);
  CHECK(only_meaning(facts, "run:1").kind == Kind::run);
  CHECK(must(facts.meanings_of("run:2", {})).empty());
  CHECK(must(facts.meanings_of("' OR '1'='1", {})).empty());

  const std::string key = sha256("c").hex();
  CHECK(only_meaning(facts, key).kind == Kind::result);
  CHECK(only_meaning(facts, key.substr(0, 6)).kind == Kind::result);
  CHECK(must(facts.meanings_of(key.substr(0, 5), {})).empty());
  CHECK(only_meaning(facts, sha256("p:c").hex().substr(0, 8)).kind == Kind::variant);
  CHECK(only_meaning(facts, sha256("a:c").hex().substr(0, 8)).name == sha256("a:c").hex());
}

TEST_CASE("the beginning of a key that several things have means all of them", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  Publication made = writer.publication("c", "score");
  made.outputs.front().artifact.digest = made.result.content_key;
  made.result.outputs = {{"predictions", made.outputs.front().artifact}};
  writer.publish(made);
  ProjectFacts facts = facts_of(dir);
  const std::vector<Meaning> both = must(facts.meanings_of(sha256("c").hex().substr(0, 6), {}));
  REQUIRE(both.size() == 2);
  CHECK(both[0].kind == Kind::artifact);
  CHECK(both[1].kind == Kind::result);
}

TEST_CASE("all of one result", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  must(store.remember_external({.path = "/data/task", .fingerprint = "f", .digest = sha256("task")}));
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"}, {row("score", {}, "c")}));
  const std::int64_t failed = writer.begin("c", "score");
  must(store.end_attempt(failed, AttemptState::failed, Json{{"what", "it broke"}, {"cause", "stage"}}, 1.5));
  writer.publish(writer.publication("c", "score", 0.25));
  ProjectFacts facts = facts_of(dir);

  const VariantFacts variant = must(facts.variant(only_meaning(facts, "score")));
  CHECK(variant.experiment == "study");
  CHECK(variant.state == "done");
  CHECK(variant.content_key == sha256("c").hex());
  CHECK(variant.provenance_key == sha256("p:c").hex());
  CHECK(variant.seconds == 2.0);
  CHECK(variant.record["params"]["num_bits"] == 3);
  REQUIRE(variant.inputs.size() == 1);
  CHECK(variant.inputs[0].port == "task");
  CHECK(variant.inputs[0].digest == sha256("task").hex());
  CHECK(variant.inputs[0].path == "/data/task");
  CHECK_FALSE(variant.inputs[0].made_as);
  REQUIRE(variant.outputs.size() == 1);
  CHECK(variant.outputs[0].digest == sha256("a:c").hex());
  CHECK(variant.outputs[0].bytes == 42);
  REQUIRE(variant.metrics.size() == 1);
  CHECK(variant.metrics[0].value == 0.25);
  CHECK(variant.metrics[0].count == 10);
  REQUIRE(variant.attempts.size() == 2);
  CHECK(variant.attempts[0].state == "failed");
  CHECK(variant.attempts[0].failure["what"] == "it broke");
  CHECK(variant.attempts[0].directory == "work/c/a1");
  CHECK(variant.attempts[1].state == "done");
  CHECK(variant.attempts[1].directory == variant.directory);

  const VariantFacts result = must(facts.variant(only_meaning(facts, sha256("c").hex())));
  CHECK(result.label == "score");
  CHECK_FALSE(result.experiment);
  CHECK(result.outputs.size() == 1);
}

TEST_CASE("a variant that never ran has the inputs of its provenance record", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  ExpansionRow later = row("later", {}, "l");
  later.provenance_record =
      Json{{"inputs",
            {{"all", {{{"at", {{"seed", 1}}}, {"of", {{"from", sha256("p:c").hex()}, {"port", "predictions"}}}}}},
             {"one", {{"type", "task/1"}, {"digest", sha256("a:c").hex()}}}}}};
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("score", {}, "c"), later}));
  writer.publish(writer.publication("c", "score"));
  ProjectFacts facts = facts_of(dir);
  const VariantFacts variant = must(facts.variant(only_meaning(facts, "later")));
  CHECK(variant.state == "never");
  CHECK_FALSE(variant.content_key);
  CHECK(variant.attempts.empty());
  REQUIRE(variant.inputs.size() == 2);
  CHECK(variant.inputs[0].at["seed"] == 1);
  CHECK(variant.inputs[0].made_as == "score.predictions");
  CHECK_FALSE(variant.inputs[0].digest);
  CHECK(variant.inputs[1].made_as == "score.predictions");
  CHECK(variant.inputs[1].path == must(facts.place_of(sha256("a:c").hex()))->path);
}

TEST_CASE("an artifact knows who made it, who used it and what it is based on", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("score", {}, "c")}));
  Publication task = writer.publication("t", "task");
  task.outputs.front().artifact = {"task/1", sha256("task")};
  task.outputs.front().bases = {sha256("base")};
  task.outputs.front().summary = Json{{"items", 7}};
  task.result.outputs = {{"predictions", task.outputs.front().artifact}};
  writer.publish(task);
  writer.publish(writer.publication("c", "score"));
  ProjectFacts facts = facts_of(dir);
  const ArtifactFacts artifact = must(facts.artifact(only_meaning(facts, sha256("task").hex())));
  CHECK(artifact.type == "task/1");
  CHECK(artifact.bytes == 42);
  CHECK(artifact.summary["items"] == 7);
  CHECK(artifact.made_by == std::vector<std::string>{"task.predictions"});
  CHECK(artifact.used_by == std::vector<std::string>{"score"});
  CHECK(artifact.bases == std::vector<std::string>{sha256("base").hex()});
}

TEST_CASE("the results of an experiment are where its last expansion leads, those of a run what it made",
          "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().record_expansion({.experiment = "new", .file = "new.yaml"},
                                       {row("renamed", {}, "c"), row("later", {}, "l")}));
  writer.publish(writer.publication("c", "score", 0.25));
  writer.publish(writer.publication("d", "dropped", 0.75));
  ProjectFacts facts = facts_of(dir);
  const auto experiment = must(facts.results(only_meaning(facts, "new")));
  REQUIRE(experiment.size() == 1);
  CHECK(experiment.at("renamed").metrics.at(0).value == 0.25);
  CHECK(experiment.at("renamed").record["params"]["num_bits"] == 3);
  const auto run = must(facts.results(only_meaning(facts, "run:1")));
  REQUIRE(run.size() == 2);
  CHECK(run.at("dropped").metrics.at(0).value == 0.75);
}

TEST_CASE("variants say how far they are, and why they did not get further", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"},
                              {row("done", {}, "d"), row("gated", {}, "g"), row("broke", {}, "b"), row("gone", {}, "x"),
                               row("never", {}, "n")}));
  must(store.record_expansion({.experiment = "it's another", .file = "other.yaml"}, {row("done", {}, "d")}));
  for (const char* content : {"d", "g"}) writer.publish(writer.publication(content, content));
  must(store.record_gates({{sha256("g"), "it is too much"}}));
  const auto ended = [&](const char* content, AttemptState state, const Json& failure) {
    Attempt attempt{.content_key = sha256(content), .nonce = "n", .directory = "work", .stage_label = content};
    attempt.provenance_key = sha256(std::string("p:") + content);
    attempt.started_at = "2026-03-01T12:00:00.000Z";
    must(store.end_attempt(must(store.begin_attempt(writer.run(), attempt)), state, failure, 1));
  };
  ended("b", AttemptState::failed, Json{{"what", "it broke"}, {"cause", "stage"}});
  ended("x", AttemptState::lost, nullptr);
  ProjectFacts facts = facts_of(dir);
  const std::vector<VariantLine> all = must(facts.variants());
  CHECK(states(all) ==
        "it's another done done, study done done, study gated gated:gate, study broke failed:stage, study gone lost, "
        "study never never");
  CHECK(all[2].failure == "it is too much");
  CHECK(all[2].seconds == 2.0);
  CHECK_FALSE(all[5].seconds);
  CHECK(states(must(facts.variants("it's another"))) == "it's another done done");
}

TEST_CASE("experiments and runs by their states", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"},
                              {row("score", {}, "c"), row("later", {}, "l")}));
  writer.publish(writer.publication("c", "score"));
  const std::int64_t failed = writer.begin("l", "later");
  must(store.end_attempt(failed, AttemptState::cancelled, nullptr, 1));
  must(store.end_run(writer.run(), "failed"));
  must(store.begin_run({.experiment = "study", .file = "study.yaml", .command = "lowbit run study.yaml -j 2"}));
  ProjectFacts facts = facts_of(dir);
  const std::vector<ExperimentLine> experiments = must(facts.experiments());
  REQUIRE(experiments.size() == 1);
  CHECK(experiments[0].file == "study.yaml");
  CHECK(experiments[0].variants == 2);
  CHECK(experiments[0].done == 1);
  const std::vector<RunLine> runs = must(facts.runs(std::nullopt));
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].run == 2);
  CHECK(runs[0].outcome == "open");
  CHECK_FALSE(runs[0].seconds);
  CHECK(runs[0].command == "lowbit run study.yaml -j 2");
  CHECK(runs[1].outcome == "failed");
  CHECK(runs[1].done == 1);
  CHECK(runs[1].failed == 1);
  CHECK(runs[1].seconds);
  CHECK(must(facts.runs(1)).size() == 1);
}

TEST_CASE("names of each kind", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  must(
      writer.store().record_expansion({.experiment = "study", .file = "study.yaml"},
                                      {row("z", {{"bits", 3}}, "m"), row("z", {{"bits", 2}}, "c"), row("a", {}, "a")}));
  writer.publish(model_of(writer, "m", "z[bits=3]"));
  writer.publish(writer.publication("c", "earlier"));
  ProjectFacts facts = facts_of(dir);
  CHECK(names(facts, Named::experiments) == "study");
  CHECK(names(facts, Named::runs) == "run:1");
  CHECK(names(facts, Named::stages) == "a, z");
  CHECK(names(facts, Named::variants) == "z[bits=3], z[bits=2], a");
  CHECK(names(facts, Named::attempts) == "earlier, z[bits=3]");
  CHECK(names(facts, Named::models) == "z[bits=3]");
}

TEST_CASE("places of models and artifacts", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  must(store.remember_external({.path = "/models/base", .fingerprint = "f", .digest = sha256("base")}));
  must(store.record_expansion({.experiment = "study", .file = "study.yaml"},
                              {row("train", {}, "m"), row("score", {}, "c")}));
  const Publication model = model_of(writer, "m", "train");
  writer.publish(model);
  writer.publish(writer.publication("c", "score"));
  ProjectFacts facts = facts_of(dir);
  for (const std::string& name : {std::string("train"), sha256("a:m").hex()}) {
    const ArtifactPlace place = must(facts.model(name)).value();
    CHECK(place.digest == sha256("a:m"));
    CHECK(place.type == "model/1");
    CHECK(place.path == model.outputs.front().path);
    CHECK(place.made_as == "train.model");
  }
  CHECK_FALSE(must(facts.model("score")));  // predictions are no model
  CHECK_FALSE(must(facts.model("' OR 1 --")));
  const ArtifactPlace outside = must(facts.place_of(sha256("base").hex())).value();
  CHECK(outside.path == "/models/base");
  CHECK_FALSE(outside.made_as);
  CHECK_FALSE(must(facts.place_of("")));
  CHECK(must(facts.newest_attempt_directory("train")) == model.result_directory);
  CHECK_FALSE(must(facts.newest_attempt_directory("nothing")));
}

TEST_CASE("what results took", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().record_expansion({.experiment = "it's", .file = "study.yaml"},
                                       {row("score", {}, "c"), row("base", {}, "b")}));
  for (const auto& [content, seconds] : {std::pair{"c", 1.0}, std::pair{"b", 3.0}}) {
    Publication made = writer.publication(content, content);
    made.seconds = seconds;
    writer.publish(made);
  }
  ProjectFacts facts = facts_of(dir);
  const DurationHistory history = must(facts.mean_seconds("it's"));
  CHECK(history.by_stage == std::map<std::string, double>{{"base", 3}, {"score", 1}});
  CHECK(history.by_plugin == std::map<std::string, double>{{"toy.score", 2}});
  CHECK(must(facts.mean_seconds("another")).by_stage.empty());
  const std::vector<graph::CostSample> costs = must(facts.costs());
  REQUIRE(costs.size() == 2);
  CHECK(costs[0].label == "c");
  CHECK(costs[0].plugin_id == "toy.score");
  CHECK(costs[0].bytes == 42);
  CHECK(costs[1].seconds == 3);
}

TEST_CASE("the holder is told with what it runs", "[store][facts]") {
  const Directory dir;
  {
    const auto store = must(open_sqlite(dir.database(), Access::read_write));
    CHECK_FALSE(must(facts_of(dir).holder()));
    must(store->take_lease("host-b", "boot-2", 7));
    const HolderFacts idle = must(facts_of(dir).holder()).value();
    CHECK(idle.pid == 7);
    CHECK(idle.host == "host-b");
    CHECK(idle.experiment.empty());
  }
  Writer writer(dir.database());
  const HolderFacts busy = must(facts_of(dir).holder()).value();
  CHECK(busy.pid == 100);
  CHECK(busy.experiment == "study");
  CHECK(busy.command == "lowbit run study.yaml");
  must(writer.store().end_run(writer.run(), "done"));
  CHECK(must(facts_of(dir).holder())->experiment.empty());
}

TEST_CASE("all answers of one object are of one moment", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("score", {}, "c")}));
  ProjectFacts before = facts_of(dir);
  CHECK(states(must(before.variants())) == "study score never");
  writer.publish(writer.publication("c", "score"));
  CHECK(states(must(before.variants())) == "study score never");
  CHECK(must(before.costs()).empty());
  ProjectFacts after = facts_of(dir);
  CHECK(states(must(after.variants())) == "study score done");
  CHECK(must(after.costs()).size() == 1);
}

TEST_CASE("without a database there are no facts", "[store][facts]") {
  const Directory dir;
  CHECK_THAT(dir.error_of(ProjectFacts::open(dir.database())), Catch::StartsWith("error[LB6002]"));
}
