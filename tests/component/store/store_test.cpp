#include <cmath>

#include "component/store/fixture.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

TEST_CASE("each lease has the next number", "[store]") {
  const Directory dir;
  const auto store = must(open_sqlite(dir.database(), Access::read_write));
  CHECK_FALSE(must(store->current_lease()));
  CHECK(must(store->take_lease("a", "boot", 1)).epoch == 1);
  CHECK(must(store->take_lease("b", "boot", 2)).epoch == 2);
  const Lease lease = *must(store->current_lease());
  CHECK(lease.epoch == 2);
  CHECK(lease.host == "b");
  CHECK(lease.boot_id == "boot");
  CHECK(lease.pid == 2);
}

TEST_CASE("a writer whose lease was taken over stores nothing any more", "[store]") {
  const Directory dir;
  Writer old(dir.database());
  const Publication late = old.publication("c", "score");
  const auto heir = must(open_sqlite(dir.database(), Access::read_write));
  must(heir->take_lease("host-b", "boot-1", 200));

  const auto refused = [](const std::string& doing) {
    return "error[LB6010]: another process holds this project now\n"
           " = note: lease 2 was taken by process 200 on host-b\n"
           " = note: this process has lease 1\n"
           " = note: nothing was stored while " +
           doing +
           "\n"
           " = help: wait until the other process has ended, then give the same command again\n";
  };
  Store& store = old.store();
  CHECK(dir.error_of(store.publish({late}, false)) == refused("storing the result of 1 attempt"));
  CHECK(dir.error_of(store.publish({late, late}, true)) == refused("storing the results of 2 attempts"));
  CHECK(dir.error_of(store.begin_run({.experiment = "e", .file = "f", .command = "c"})) == refused("recording a run"));
  CHECK(dir.error_of(store.end_run(old.run(), "done")) == refused("recording the end of a run"));
  CHECK(dir.error_of(store.record_expansion({.experiment = "e", .file = "f"}, {})) ==
        refused("recording the expansion of e"));
  CHECK(dir.error_of(store.begin_attempt(old.run(), {.stage_label = "s"})) == refused("recording an attempt at s"));
  CHECK(dir.error_of(store.end_attempt(late.attempt_id, AttemptState::lost, {}, 0)) ==
        refused("recording the end of an attempt"));
  CHECK(dir.error_of(store.link(Digest(), Digest())) == refused("linking a cut-off stage to its result"));
  CHECK(dir.error_of(store.remember_external({})) == refused("recording the digest of an external file"));

  CHECK(ask(dir.database(),
            "SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM runs), (SELECT count(*) FROM attempts), "
            "(SELECT count(*) FROM provenance), (SELECT count(*) FROM experiments), "
            "(SELECT count(*) FROM external_digests), (SELECT state FROM attempts)") == "0,1,1,0,0,0,1\n");
}

TEST_CASE("a writer that took no lease stores nothing", "[store]") {
  const Directory dir;
  const auto store = must(open_sqlite(dir.database(), Access::read_write));
  CHECK(dir.error_of(store->begin_run({.experiment = "e", .file = "f", .command = "c"})) ==
        "error[LB6010]: another process holds this project now\n"
        " = note: this process has no lease\n"
        " = note: nothing was stored while recording a run\n"
        " = help: wait until the other process has ended, then give the same command again\n");
}

TEST_CASE("a result is found by its content key, its provenance key and its own record", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const Publication p = writer.publication("c", "score");
  const StageResult stored = writer.publish(p);
  CHECK(stored.id == 1);

  const Store& store = writer.store();
  for (const auto& found : {store.by_content_key(sha256("c")), store.by_provenance_key(sha256("p:c"))}) {
    REQUIRE(found);
    CHECK(found->id == stored.id);
    CHECK(found->content_key == p.result.content_key);
    CHECK(found->plugin_digest == p.result.plugin_digest);
    REQUIRE(found->outputs.size() == 1);
    CHECK(found->outputs.at("predictions").type == "predictions/1");
    CHECK(found->outputs.at("predictions").digest == sha256("a:c"));
    CHECK(store.metrics_of(*found).size() == 1);
  }
  CHECK(store.by_provenance_key(sha256("p:c"))->content_record == p.result.content_record);
  CHECK(store.has_own_record(sha256(p.own_record.text())));
  CHECK_FALSE(store.has_own_record(sha256("another recipe")));
  CHECK_FALSE(store.by_content_key(sha256("other")));
  CHECK_FALSE(store.by_provenance_key(sha256("c")));
  must(store.lookup_state());
}

TEST_CASE("questions within one moment are answered as of that moment", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  writer.publish(writer.publication("a", "score"));
  const auto reader = must(open_sqlite(dir.database(), Access::read_only));
  reader->at_one_moment([&] {
    CHECK(reader->by_content_key(sha256("a")));
    writer.publish(writer.publication("b", "score"));
    CHECK_FALSE(reader->by_content_key(sha256("b")));
  });
  CHECK(reader->by_content_key(sha256("b")));
  must(reader->lookup_state());
}

TEST_CASE("the first result of a content key stays; only replace puts another in its place", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const StageResult first = writer.publish(writer.publication("c", "score", 0.1));

  const Publication second = writer.publication("c", "score", 0.2);
  CHECK(writer.publish(second).id == first.id);
  CHECK(ask(dir.database(), "SELECT value FROM metrics") == "0.1\n");

  const Publication third = writer.publication("c", "score", 0.3);
  const StageResult replaced = writer.publish(third, true);
  CHECK(replaced.id != first.id);
  CHECK(writer.store().by_content_key(sha256("c"))->id == replaced.id);
  CHECK(
      ask(dir.database(), "SELECT is_current, value FROM results JOIN metrics USING (result_id) ORDER BY result_id") ==
      "0,0.1\n1,0.3\n");
  // The directory of the loser is nobody's: an orphan. That of the replaced result is still a result's.
  CHECK(must(writer.store().result_directories()) == std::vector<std::string>{"results/c-1", "results/c-3"});
  CHECK(ask(dir.database(), "SELECT count(*) FROM attempts WHERE state = 2") == "3\n");
}

TEST_CASE("a result that is handed over twice is one result", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const Publication p = writer.publication("c", "score");
  const StageResult once = writer.publish(p);
  CHECK(writer.publish(p, true).id == once.id);
  CHECK(ask(dir.database(), "SELECT count(*) FROM results") == "1\n");
}

TEST_CASE("a group of results is stored in one transaction, all or nothing", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  std::vector<Publication> group{writer.publication("x", "score"), writer.publication("y", "score"),
                                 writer.publication("x", "score")};
  const std::vector<StageResult> stored = must(writer.store().publish(group, false));
  REQUIRE(stored.size() == 3);
  CHECK(stored[0].id == stored[2].id);
  CHECK(stored[1].content_key == sha256("y"));

  Publication stranger = writer.publication("z", "score");
  stranger.attempt_id = 99;
  CHECK(dir.error_of(writer.store().publish({writer.publication("w", "score"), stranger}, false)) ==
        "error[LB6011]: a record was refused while storing the result of 1 attempt\n"
        " = note: there is no attempt 99\n"
        " = note: nothing of this step was stored\n"
        " = help: this is a mistake in lowbit: please report it with this text\n");
  CHECK_FALSE(writer.store().by_content_key(sha256("w")));
}

TEST_CASE("metrics, curves, parameters, summaries and items of a result are rows", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  Publication p = writer.publication("c", "score", 0.5);
  p.metrics.push_back({.name = "loss", .unit = "nats", .value = 2.5, .std_error = {}, .count = 0, .step = 10});
  p.metrics.push_back({.name = "loss", .unit = "nats", .value = 2.25, .std_error = {}, .count = 0, .step = 20});
  p.metrics.push_back({.name = "loss", .unit = "nats", .value = 2.0, .std_error = {}, .count = 0, .step = 20});
  p.metrics.push_back(
      {.name = "broken", .unit = "nats", .value = std::nan(""), .std_error = {}, .count = 0, .step = 30});
  Json record = p.result.content_record.json();
  record["params"] = {{"bits", 3}, {"sym", true}, {"lr", 1e-5}, {"name", "x"}, {"list", {1, 2}}, {"none", nullptr}};
  p.result.content_record = record;
  p.outputs[0].summary = {{"items", 2}};
  p.items["predictions"] = {
      {"i1",
       {{"item_id", "i1"},
        {"problem_id", "q"},
        {"correct", true},
        {"extracted", "42"},
        {"n_tokens", 7},
        {"truncated", false},
        {"text", "…"}}},
      {"i2", {{"item_id", "i2"}, {"correct", nullptr}, {"extracted", nullptr}, {"n_tokens", "many"}}}};
  for (const auto& [port, type] : {std::pair("verdicts", "verdicts/1"), std::pair("grades", "grades/1")}) {
    PublishedOutput output;
    output.port = port;
    output.artifact = {type, sha256(type)};
    p.outputs.push_back(output);
  }
  p.items["verdicts"] = {{"i1",
                          {{"judge", "vote"},
                           {"first_error_step", 2},
                           {"category", "method"},
                           {"type", "t"},
                           {"confidence", 1},
                           {"status", "error"}}}};
  p.items["grades"] = {{"i1",
                        {{"problem_id", "q"},
                         {"correct", false},
                         {"source", "vote"},
                         {"category", "method"},
                         {"type", "t"},
                         {"first_error_step", 2}}}};
  writer.publish(p);

  const auto& db = dir.database();
  CHECK(ask(db, "SELECT name, unit, value, std_error, count FROM metrics") == "toy/accuracy,fraction,0.5,0.1,10\n");
  CHECK(ask(db, "SELECT name, step, value FROM curves ORDER BY step") == "loss,10,2.5\nloss,20,2.0\nbroken,30,\n");
  CHECK(ask(db, "SELECT name, value, typeof(value) FROM params ORDER BY name") ==
        "bits,3,integer\nlist,[1,2],text\nlr,1e-05,real\nname,x,text\nnone,,null\nsym,1,integer\n");
  CHECK(ask(db, "SELECT bytes, summary FROM artifacts WHERE port = 'predictions'") == "42,{\"items\":2}\n");
  CHECK(ask(db, "SELECT item_id, problem_id, correct, extracted, n_tokens, truncated FROM predictions") ==
        "i1,q,1,42,7,0\ni2,,,,,\n");
  CHECK(ask(db, "SELECT json_extract(fields, '$.text') FROM predictions WHERE item_id = 'i1'") == "…\n");
  CHECK(ask(db, "SELECT item_id, judge, first_error_step, category, type, confidence, status FROM verdicts") ==
        "i1,vote,2,method,t,1.0,error\n");
  CHECK(ask(db, "SELECT item_id, problem_id, correct, source, category, type, first_error_step FROM grades") ==
        "i1,q,0,vote,method,t,2\n");
}

TEST_CASE("records that contradict what is stored are refused", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  const auto refused = [](const std::string& doing, const std::string& why) {
    return "error[LB6011]: a record was refused while " + doing + "\n = note: " + why +
           "\n = note: nothing of this step was stored\n"
           " = help: this is a mistake in lowbit: please report it with this text\n";
  };
  Publication p = writer.publication("c", "score");
  p.items["nowhere"] = {{"i1", Json::object()}};
  CHECK(dir.error_of(store.publish({p}, false)) ==
        refused("storing items", "port nowhere has items and its type `` has no table for them"));
  CHECK(dir.error_of(store.begin_attempt(77, {.stage_label = "s"})) ==
        refused("recording an attempt at s", "FOREIGN KEY constraint failed"));
  CHECK(dir.error_of(store.end_run(77, "done")) == refused("recording the end of a run", "there is no run 77"));
  CHECK(dir.error_of(store.end_attempt(77, AttemptState::lost, {}, 0)) ==
        refused("recording the end of an attempt", "there is no attempt 77"));
  CHECK(dir.error_of(store.link(sha256("p"), sha256("c"))) ==
        refused("linking a cut-off stage to its result", "no result has content key " + sha256("c").hex()));

  must(store.end_attempt(p.attempt_id, AttemptState::failed, {{"what", "it broke"}}, 1));
  must(store.end_attempt(p.attempt_id, AttemptState::failed, {{"what", "it broke"}}, 1));
  CHECK(dir.error_of(store.end_attempt(p.attempt_id, AttemptState::lost, {}, 0)) ==
        refused("recording the end of an attempt", "attempt 1 has already ended in state 3, not 5"));
}

TEST_CASE("a cut-off links another provenance key to the result", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const StageResult result = writer.publish(writer.publication("c", "score"));
  must(writer.store().link(sha256("p2"), sha256("c")));
  CHECK(writer.store().by_provenance_key(sha256("p2"))->id == result.id);
  CHECK(writer.store().by_provenance_key(sha256("p:c"))->id == result.id);
}

TEST_CASE("attempts are kept with how they ended, newest first", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const std::int64_t first = writer.begin("c", "score[seed=0]");
  const std::int64_t second = writer.begin("c", "score[seed=0]");
  must(writer.store().end_attempt(first, AttemptState::failed, {{"what", "it broke"}}, 1.5));
  const std::vector<Attempt> attempts = must(writer.store().attempts_of(sha256("c")));
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].id == second);
  CHECK(attempts[0].state == AttemptState::running);
  CHECK_FALSE(attempts[0].seconds);
  CHECK(attempts[1].state == AttemptState::failed);
  CHECK(attempts[1].failure == Json{{"what", "it broke"}});
  CHECK(attempts[1].seconds == 1.5);
  CHECK(attempts[1].environment == Json{{"threads", 1}});
  CHECK(attempts[1].directory == "work/c/a1");
  CHECK(attempts[1].nonce == "n1");
  CHECK(attempts[1].stage_label == "score[seed=0]");
  CHECK(attempts[1].content_key == sha256("c"));
  const std::vector<Attempt> running = must(writer.store().running_attempts());
  REQUIRE(running.size() == 1);
  CHECK(running[0].id == second);
}

TEST_CASE("an artifact is where a result put it, and present while its files are", "[store]") {
  const Directory dir;
  std::string there = "/results/x-1/predictions";
  OpenOptions options;
  options.exists = [&](const std::filesystem::path& p) { return p == dir.path().string() + there; };
  Writer writer(dir.database(), options);
  Publication x = writer.publication("x", "score");
  Publication y = writer.publication("y", "score");
  y.outputs[0].artifact.digest = x.outputs[0].artifact.digest;  // the same bytes by another recipe
  y.outputs[0].bases = {sha256("base"), sha256("base of base")};
  must(writer.store().publish({x, y}, false));

  const Digest artifact = sha256("a:x");
  CHECK(writer.store().artifact_present(artifact));
  CHECK(must(writer.store().locate(artifact))->path == "results/x-1/predictions");
  there = "/results/y-2/predictions";
  CHECK(writer.store().artifact_present(artifact));
  const ArtifactLocation location = *must(writer.store().locate(artifact));
  CHECK(location.path == "results/y-2/predictions");
  CHECK(location.type == "predictions/1");
  CHECK(location.bases == std::vector<Digest>{sha256("base"), sha256("base of base")});
  there = "nowhere";
  CHECK_FALSE(writer.store().artifact_present(artifact));
  CHECK(must(writer.store().locate(artifact))->path == "results/x-1/predictions");
  CHECK_FALSE(writer.store().artifact_present(sha256("unknown")));
  CHECK_FALSE(must(writer.store().locate(sha256("unknown"))));
}

TEST_CASE("an expansion comes back with the order and the types of its axes", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const std::vector<Coordinates::Entry> point{
      {"quantizer", "gptq"}, {"num_bits", 3}, {"sym", true}, {"damp", 0.01}, {"seed", 1}};
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"},
                                       {row("b", point, "b"), row("a", {}, "a")}));
  must(writer.store().record_expansion({.experiment = "other", .file = "other.yaml"}, {}));
  CHECK(must(writer.store().experiments()) == std::vector<std::string>{"other", "study"});
  CHECK(must(writer.store().experiment_file("nobody")).empty());

  const std::vector<ExpansionRow> rows = must(writer.store().expansion("study"));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].stage == "b");
  CHECK(rows[0].coordinates.entries() == point);
  CHECK(rows[0].plugin_id == "toy.score");
  CHECK(rows[0].provenance_key == sha256("p:b"));
  CHECK(rows[0].provenance_record == Json{{"of", "b"}});
  CHECK(writer.store().last_record("study", "b", Coordinates(point)) == Json{{"of", "b"}});
  CHECK_FALSE(writer.store().last_record("study", "b", {}));
  CHECK_FALSE(writer.store().last_record("other", "b", Coordinates(point)));
  CHECK(ask(dir.database(),
            "SELECT stage FROM expansions JOIN expansion_axes USING (expansion_id) "
            "WHERE axis = 'num_bits' AND value = 3") == "b\n");

  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("a", {}, "a2")}));
  CHECK(must(writer.store().expansion("study")).size() == 1);
  CHECK_FALSE(writer.store().last_record("study", "b", Coordinates(point)));
  CHECK(ask(dir.database(), "SELECT count(*) FROM expansion_axes") == "0\n");
  REQUIRE(writer.store().forget({}, {"study"}).ok());
  CHECK(must(writer.store().experiments()) == std::vector<std::string>{"other"});
  CHECK(must(writer.store().expansion("study")).empty());
}

TEST_CASE("digests of external files are remembered with their fingerprint", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  CHECK_FALSE(writer.store().external_digest("/data/x"));
  must(writer.store().remember_external({"/data/x", "f1", sha256("1")}));
  must(writer.store().remember_external({"/data/x", "f2", sha256("2")}));
  const ExternalDigest digest = *writer.store().external_digest("/data/x");
  CHECK(digest.fingerprint == "f2");
  CHECK(digest.digest == sha256("2"));
}

TEST_CASE("a run is kept with its command and its outcome", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().end_run(writer.run(), "done"));
  CHECK(ask(dir.database(),
            "SELECT experiment, file, command, versions, epoch, outcome, ended_at >= started_at "
            "FROM runs") == "study,study.yaml,lowbit run study.yaml,{\"lowbit\":\"0.1.0\"},1,done,1\n");
}
