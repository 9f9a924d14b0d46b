// What keeps a project whole over years: the database made again, bytes checked, what nobody needs removed.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::StartsWith;

namespace fs = std::filesystem;

namespace {

constexpr const char* kStudy = R"(experiment: study
seeds: [0, 1]
matrix: {levels: [1, 7]}
stages:
  - {id: model, use: lowbit.toy.model}
  - {id: task, use: lowbit.toy.task}
  - {id: round, use: lowbit.toy.round, with: {model: model.model}, params: {levels: "${levels}"}}
  - {id: answer, use: lowbit.toy.answer, with: {model: round.quantized, task: task.task}}
  - {id: judge, use: lowbit.toy.judge, with: {predictions: answer.predictions, task: task.task}}
  - {id: noise, use: lowbit.toy.seeded-source}
  - {id: same, use: lowbit.toy.constant, with: {in: noise.out}}
  - {id: mix, use: lowbit.toy.transform, with: {in: same.out}}
  - {id: twin, use: lowbit.toy.transform, with: {in: same.out}}
)";

/// All that tables stand on.
std::string tables(const Project& project) {
  return project.results() +
         project.query("SELECT label, coordinates, metric, value, std_error, count FROM v_results ORDER BY 1, 3") +
         project.query("SELECT * FROM v_agg ORDER BY 1, 2, 3, 5") +
         project.query("SELECT label, item_id, judge, type, status FROM v_verdicts ORDER BY 1, 2") +
         project.query("SELECT label_a, label_b, item_id, correct_a FROM v_flips ORDER BY 1, 2, 3") +
         project.query(
             "SELECT s.label, c.name, c.step, c.value FROM v_stages s JOIN curves c USING (result_id) "
             "ORDER BY 1, 2, 3") +
         project.query("SELECT label, state, attempt FROM v_stages ORDER BY 1");
}

/// The one file of this name below the results whose path holds `part`.
fs::path published(const Project& project, const std::string& name, const std::string& part = "") {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(project.path() / ".lowbit" / "results")) {
    if (entry.path().filename() == name && entry.path().string().find(part) != std::string::npos) {
      found.push_back(entry.path());
    }
  }
  REQUIRE_FALSE(found.empty());
  return *std::min_element(found.begin(), found.end());
}

/// DIR for the project's directory, KEY-NONCE for the name of a result.
std::string anonymous(const Project& project, std::string text) {
  const std::string directory = project.path().string();
  for (auto at = text.find(directory); at != std::string::npos; at = text.find(directory)) {
    text.replace(at, directory.size(), "DIR");
  }
  return std::regex_replace(text, std::regex("[0-9a-f]{2}/[0-9a-f]{64}-[0-9a-f]{12}"), "KEY-NONCE");
}

}  // namespace

TEST_CASE("a database that is gone, cut or another file is refused, and the rebuild gives the same tables", "[e2e]") {
  const Project project(kStudy);
  REQUIRE(project.run().status == 0);
  REQUIRE(project.lowbit({"run", "experiment.yaml", "--force", "task"}).status == 0);
  const std::string before = tables(project);
  const fs::path database = project.path() / ".lowbit" / "results.db";
  const std::string harm = GENERATE("gone", "empty", "cut", "other");
  INFO(harm);
  if (harm == "gone") fs::remove(database);
  if (harm == "empty") write_text(database, "");
  if (harm == "cut") fs::resize_file(database, fs::file_size(database) / 2);
  if (harm == "other") write_text(database, std::string(9000, 'x'));
  const std::string code = harm == "cut" ? "LB6005" : harm == "other" ? "LB6004" : "LB6013";
  for (const Ended& refused : {project.run(), project.lowbit({"status"}), project.lowbit({"gc"}),
                               project.lowbit({"plan", "experiment.yaml"})}) {
    CHECK(refused.status == 3);
    CHECK_THAT(refused.err, Contains("error[" + code + "]") && Contains("`lowbit doctor --rebuild`"));
  }
  CHECK_THAT(project.lowbit({"doctor"}).out, Contains("`lowbit doctor --rebuild` makes"));

  const Ended rebuilt = project.lowbit({"doctor", "--rebuild"});
  CHECK(rebuilt.status == 0);
  CHECK(rebuilt.err.empty());
  CHECK(rebuilt.out == std::string("rebuilt   .lowbit/results.db: 1 experiment, 14 results, 0 unfinished attempts\n") +
                           (harm == "gone" ? "" : "kept      the former one as .lowbit/results.db.before-rebuild-1\n"));
  CHECK(tables(project) == before);
  CHECK_THAT(project.run().err, Contains("nothing to do"));
  CHECK(tables(project) == before);
  CHECK(project.lowbit({"doctor", "--verify"}).status == 0);
}

TEST_CASE("a rebuild keeps what was under way: checkpoints and jobs that still run", "[e2e]") {
  const Project project(R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: 60, delay_ms: 20, checkpoint_every: 5}}]
)");
  const auto host = project.start({"run", "experiment.yaml"});
  wait_until([&] {  // its job runs
    std::error_code code;
    for (const auto& entry : fs::recursive_directory_iterator(project.path() / ".lowbit" / "work", code)) {
      if (entry.path().filename() == "journal") return true;
    }
    return false;
  });
  host->send(SIGKILL);
  (void)host->wait();
  fs::remove(project.path() / ".lowbit" / "results.db-wal");
  write_text(project.path() / ".lowbit" / "results.db", "not a database");
  const Ended rebuilt = project.lowbit({"doctor", "--rebuild"});
  CHECK_THAT(rebuilt.out, Contains("0 results, 1 unfinished attempt\n"));
  const Ended run = project.run();
  CHECK(run.status == 0);
  CHECK_THAT(run.err, Contains("adopt   slow"));
  CHECK(project.query("SELECT count(*) FROM attempts") == "1\n");
}

TEST_CASE("results that the database does not know are taken in by the next run", "[e2e]") {
  const Project project(kStudy);
  const fs::path database = project.path() / ".lowbit" / "results.db";
  std::string first = kStudy;
  first.resize(first.find("  - {id: answer"));
  project.edit(first);
  REQUIRE(project.run().status == 0);
  const std::string copy = read_text(database);
  project.edit(kStudy);
  REQUIRE(project.run().status == 0);
  const std::string before = tables(project);
  write_text(database, copy);  // a backup from in between
  CHECK_THAT(project.run().err, Contains("nothing to do"));
  CHECK(tables(project) == before);
}

TEST_CASE("bytes that changed after they were published are named, set aside and made again", "[e2e]") {
  const Project project(kStudy);
  REQUIRE(project.run().status == 0);
  const std::string before = tables(project);
  const Ended whole = project.lowbit({"doctor", "--verify"});
  CHECK(whole.status == 0);
  CHECK_THAT(whole.out, Contains("13 results, ") && Contains(" read: every byte is as it was published\n"));

  const fs::path predictions = published(project, "predictions.jsonl");
  std::string text = read_text(predictions);
  text[text.size() / 2] ^= 1;
  write_text(predictions, text);
  const fs::path verdicts = published(project, "verdicts.jsonl");
  write_text(verdicts.parent_path() / "notes.txt", "mine");
  fs::remove(verdicts);
  const fs::path items = published(project, "items.jsonl");
  const fs::path manifest = items.parent_path().parent_path().parent_path() / "manifest.json";
  std::string record = read_text(manifest);
  record.replace(record.find("\"seconds\": "), 11, "\"seconds\": 1");
  write_text(manifest, record);

  const Ended damaged = project.lowbit({"doctor", "--verify"});
  CHECK(damaged.status == 3);
  CHECK(damaged.err ==
        "error[LB6014]: 3 results of 13 are damaged\n"
        " = note: files of a result never change after it was published: a disk, or a hand, changed them\n"
        " = help: `lowbit doctor --verify --repair` sets them aside; then the same `lowbit run` makes them again\n");
  const std::string out = anonymous(project, damaged.out);
  CHECK_THAT(out, Contains("damaged  task\n         DIR/.lowbit/results/KEY-NONCE\n"
                           "           a published result is damaged: its manifest.json is not what was written\n"));
  CHECK_THAT(out, Contains("           out/predictions/predictions.jsonl: other bytes\n"));
  CHECK_THAT(out, Contains("           out/verdicts/notes.txt: not published\n"
                           "           out/verdicts/verdicts.jsonl: missing\n"));
  CHECK_THAT(project.lowbit({"doctor", "--verify", "--json"}).out, Contains("\"problems\": ["));

  const Ended repaired = project.lowbit({"doctor", "--verify", "--repair"});
  CHECK(repaired.status == 0);
  CHECK_THAT(repaired.out, Contains("set aside in .lowbit/damaged"));
  CHECK(std::distance(fs::directory_iterator(project.path() / ".lowbit" / "damaged"), fs::directory_iterator()) == 3);
  CHECK(project.lowbit({"doctor", "--verify"}).status == 0);
  REQUIRE(project.run().status == 0);
  CHECK_THAT(project.run().err, Contains("nothing to do"));
  CHECK(project.results() + "x" == before.substr(0, project.results().size()) + "x");
  CHECK(project.lowbit({"doctor", "--repair"}).status == 2);
  CHECK(project.lowbit({"doctor", "--verify", "--rebuild"}).status == 2);
}

TEST_CASE("a rebuild leaves out what is damaged and says so", "[e2e]") {
  const Project project(kStudy);
  REQUIRE(project.run().status == 0);
  const std::string before = project.results();
  write_text(published(project, "verdicts.jsonl"), "{}\n");
  write_text(project.path() / ".lowbit" / "expansions" / "other.jsonl", "{}\n");
  const Ended rebuilt = project.lowbit({"doctor", "--rebuild"});
  CHECK(rebuilt.status == 0);
  CHECK_THAT(anonymous(project, rebuilt.out),
             Contains("left out  .lowbit/results/KEY-NONCE: a published result is damaged: output `verdicts` is not a "
                      "valid verdicts/1\n") &&
                 Contains("left out  .lowbit/expansions/other.jsonl: the expansion ") && Contains("12 results"));
  REQUIRE(project.run().status == 0);
  CHECK(project.results() == before);
}

TEST_CASE("a rebuild sets nothing aside that a newer lowbit published", "[e2e]") {
  const Project project("experiment: one\nstages: [{id: one, use: lowbit.toy.source}]\n");
  REQUIRE(project.run().status == 0);
  const fs::path manifest = published(project, "manifest.json");
  std::string text = read_text(manifest);
  const std::string_view format = "\n \"format\": 1,";  // its own, not a key's
  REQUIRE(text.find(format) != std::string::npos);
  text.replace(text.find(format), format.size(), "\n \"format\": 2,");
  write_text(manifest, text);
  for (const char* what : {"--rebuild", "--verify"}) {
    const Ended refused = project.lowbit({"doctor", what});
    CHECK(refused.status == 3);
    CHECK_THAT(refused.err, StartsWith("error[LB4108]: the record of an attempt was written by a newer lowbit\n"));
  }
  CHECK(fs::exists(manifest));
}

TEST_CASE("an expansion that is not what was written is named by its code", "[e2e]") {
  const Project project("experiment: one\nstages: [{id: one, use: lowbit.toy.source}]\n");
  REQUIRE(project.run().status == 0);
  const fs::path file = project.path() / ".lowbit" / "expansions" / "one.jsonl";
  const std::string whole = read_text(file);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, whole.find('\n') + 1, whole.size() - 1}) {
    INFO("LB5007: " << size << " of " << whole.size() << " bytes");
    write_text(file, whole.substr(0, size));
    const Ended rebuilt = project.lowbit({"doctor", "--rebuild", "--json"});
    CHECK(rebuilt.status == 0);
    CHECK_THAT(rebuilt.out, Contains("the expansion ") && Contains("cannot be read") && Contains("\"results\": 1"));
  }
  CHECK(project.run().status == 0);  // it is written again
  CHECK(project.lowbit({"doctor", "--rebuild"}).out.find("left out") == std::string::npos);
}

TEST_CASE("gc removes what no experiment needs and says what it would cost", "[e2e]") {
  const Project project(kStudy);
  REQUIRE(project.run().status == 0);
  CHECK_THAT(project.lowbit({"gc"}).out, Contains("nothing to remove\nkept: 13 results that an experiment needs, "));
  std::string smaller = kStudy;
  smaller.replace(smaller.find("[1, 7]"), 6, "[7]");
  project.edit(smaller);
  REQUIRE(project.run().status == 0);
  const std::string before = tables(project);

  const Ended dry = project.lowbit({"gc", "--dry-run"});
  CHECK(dry.status == 0);
  CHECK_THAT(dry.out, Contains("result    round[levels=1] ") && Contains("result    answer[levels=1]") &&
                          Contains(" to make again\n") && Contains("would remove 3: ") &&
                          Contains("kept: 10 results that an experiment needs"));
  CHECK(project.lowbit({"gc", "--dry-run"}).out == dry.out);
  const Ended removed = project.lowbit({"gc"});
  CHECK(removed.status == 0);
  CHECK_THAT(removed.out, Contains("removed 3: "));
  CHECK(tables(project) == before);
  CHECK_THAT(project.run().err, Contains("nothing to do"));
  CHECK(project.lowbit({"doctor", "--verify"}).status == 0);
  REQUIRE(project.lowbit({"doctor", "--rebuild"}).status == 0);
  CHECK(tables(project) == before);
  CHECK_THAT(project.lowbit({"gc", "--json"}).out, Contains("\"kind\": \"database\""));

  project.edit(kStudy);
  CHECK_THAT(project.plan(), Contains("13 reuse, 1 run, 2 maybe"));
  REQUIRE(project.run().status == 0);
}

TEST_CASE("gc tells of experiments whose files are gone, and forgets those that it is told to", "[e2e]") {
  const Project project(kStudy);
  REQUIRE(project.run().status == 0);
  std::string second = kStudy;
  second.replace(second.find("experiment: ") + 12, second.find('\n') - 12, "second");
  second.replace(second.find("[1, 7]"), 6, "[7, 9]");
  write_text(project.path() / "second.yaml", second);
  REQUIRE(project.lowbit({"run", "second.yaml"}).status == 0);
  CHECK(project.lowbit({"gc"}).out.find("not there any more") == std::string::npos);
  const Ended wrong = project.lowbit({"gc", "--forget", "secnd"});
  CHECK(wrong.status == 2);
  CHECK(wrong.err ==
        "error[LB0041]: there is no experiment secnd to forget\n"
        " = note: an experiment with a similar name exists: second\n"
        " = help: `lowbit ls` lists them\n");

  std::filesystem::remove(project.path() / "second.yaml");
  CHECK_THAT(project.lowbit({"gc"}).out, Contains("nothing to remove\n") &&
                                             Contains("second.yaml is not there any more, its results are: 3 that only "
                                                      "second needs, ") &&
                                             Contains("`lowbit gc --forget second` removes them\n"));
  CHECK_THAT(project.lowbit({"gc", "--json"}).out,
             Contains("\"experiment\": \"second\"") && Contains("\"results\": 3"));
  const Ended dry = project.lowbit({"gc", "--forget", "second", "--dry-run"});
  CHECK_THAT(dry.out, Contains("result    round[levels=9] ") && Contains("would remove 3: ") &&
                          Contains("would forget experiment second\n"));
  CHECK(project.query("SELECT count(*) FROM experiments") == "2\n");
  const Ended forgotten = project.lowbit({"gc", "--forget", "second"});
  CHECK(forgotten.status == 0);
  CHECK_THAT(forgotten.out, Contains("removed 3: ") && Contains("forgot experiment second\n"));
  CHECK(project.query("SELECT experiment FROM experiments").find("second") == std::string::npos);
  CHECK_THAT(project.run().err, Contains("nothing to do"));
  REQUIRE(project.lowbit({"doctor", "--rebuild"}).status == 0);  // nor does a rebuild bring it back
  CHECK(project.query("SELECT count(*) FROM experiments") == "1\n");
}

TEST_CASE("gc keeps the checkpoint of a stage that goes on from it, and removes those nobody goes on from", "[e2e]") {
  const std::string text = R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {text: a, steps: 200, delay_ms: 10, checkpoint_every: 5}}]
)";
  const Project project(text);
  const auto host = project.start({"run", "experiment.yaml"});
  const auto attempts = [&] {
    std::error_code code;
    std::size_t n = 0;
    for (const auto& entry : fs::recursive_directory_iterator(project.path() / ".lowbit" / "work", code)) {
      if (entry.path().parent_path().filename() == "ckpt" && entry.path().extension() != ".tmp") ++n;
    }
    return n;
  };
  wait_until([&] { return attempts() > 0; });
  CHECK_THAT(project.lowbit({"gc"}).err, Contains("error[LB4101]"));
  CHECK_THAT(project.lowbit({"gc", "--dry-run"}).out, Contains("nothing to remove"));
  host->send(SIGINT);
  REQUIRE(host->wait().status == 130);
  CHECK_THAT(project.lowbit({"gc"}).out, Contains("nothing to remove"));
  std::string other = text;
  other.replace(other.find("text: a, steps: 200, delay_ms: 10"), 33, "text: b, steps: 2, delay_ms: 0");
  project.edit(other);
  REQUIRE(project.run().status == 0);
  CHECK_THAT(project.lowbit({"gc"}).out, Contains("attempt   slow") && Contains("removed 1: "));
  CHECK(attempts() == 0);
}

TEST_CASE("what a killed host had not linked yet is linked by the next run", "[e2e]") {
  const Project project(kStudy);
  REQUIRE(project.run().status == 0);
  const std::string before = tables(project);
  // The database as it stands between a result and the cut-off of what rests on it.
  const std::string sql =
      "DELETE FROM provenance WHERE provenance_key IN (SELECT provenance_key FROM expansions WHERE stage IN ('mix', "
      "'twin'))";
  const fs::path script = project.path() / "unlink.py";
  write_text(script, "import sqlite3\ndb = sqlite3.connect('.lowbit/results.db')\ndb.execute(\"\"\"" + sql +
                         "\"\"\")\ndb.commit()\n");
  REQUIRE(Program({"/usr/bin/env", "python3", "unlink.py"}, project.path(), {}).wait().status == 0);
  REQUIRE(tables(project) != before);
  CHECK_THAT(project.lowbit({"gc"}).out, Contains("nothing to remove"));
  CHECK_THAT(project.run().err, Contains("nothing to do"));
  CHECK(tables(project) == before);
}

TEST_CASE("a database of an older lowbit is brought up to date by a command that reads, unless somebody holds it",
          "[e2e]") {
  const Project project("experiment: env\nstages: [{id: env, use: lowbit.toy.env}]\n");
  REQUIRE(project.run().status == 0);
  // As version 1 had it.
  const std::string back =
      "PRAGMA user_version = 1; DELETE FROM meta WHERE key = 'schema_version_2_at'; ALTER TABLE runs DROP COLUMN host; "
      "ALTER TABLE runs DROP COLUMN builds; ALTER TABLE experiments DROP COLUMN options; ALTER TABLE experiments DROP "
      "COLUMN text; DROP INDEX "
      "predictions_item; CREATE INDEX predictions_item ON predictions (result_id, port, item_id, correct); ";
  const auto older = [&] {
    write_text(project.path() / "back.sql", back);
    return project.shell(
        "python3 -c \"import sqlite3; sqlite3.connect('.lowbit/results.db').executescript(open('back.sql').read())\"");
  };
  REQUIRE(older().status == 0);
  {
    const Ended held = project.shell("flock .lowbit/lease.lock lowbit ls");
    INFO(held.err);
    CHECK(held.status == 3);
    CHECK_THAT(held.err, Contains("LB6012"));
  }
  const Ended listed = project.lowbit({"ls"});
  CHECK(listed.status == 0);
  CHECK_THAT(listed.err, Contains("was made by an older lowbit and is up to date now"));
  CHECK(project.query("SELECT user_version FROM pragma_user_version") == "2\n");
  CHECK_THAT(project.lowbit({"ls"}).err, !Contains("older"));
}
