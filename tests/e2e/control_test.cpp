// Telling a run that goes on: cancel, retry, stop; and retrying when none goes on.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

/// `slow` runs until it is stopped; `after` needs both of it.
constexpr const char* kEndless = R"(experiment: endless
matrix: {word: [a, b]}
stages:
  - {id: slow, use: lowbit.toy.transform, params: {text: "${word}", steps: 10000, delay_ms: 20, checkpoint_every: 1}}
  - {id: after, use: lowbit.toy.concat, with: {in: {each: slow.out, over: [word]}}}
)";

std::size_t running(const Project& project, const std::string& label) {
  const Ended rows =
      project.lowbit({"query", "SELECT 1 FROM attempts WHERE state = 1 AND label = '" + label + "'", "--csv"});
  return rows.out.find("\n1\n") == std::string::npos ? 0 : 1;
}

std::string failing(const std::string& first, const std::string& second) {
  return "experiment: failing\nstages:\n"
         "  - {id: first, use: lowbit.toy.fail_until, params: {path: " +
         first +
         ", status: resource}}\n"
         "  - {id: reads, use: lowbit.toy.transform, with: {in: first.out}}\n"
         "  - {id: second, use: lowbit.toy.fail_until, params: {path: " +
         second + ", status: numeric}}\n";
}

}  // namespace

TEST_CASE("a cancelled variant stops, what needs it is blocked, and the rest goes on", "[e2e][control]") {
  const Project project(kEndless);
  const auto host = project.start({"run", "experiment.yaml", "--jobs", "2"});
  wait_until([&] { return running(project, "slow[word=a]") + running(project, "slow[word=b]") == 2; });
  const Ended wrong = project.lowbit({"cancel", "slwo"});
  CHECK(wrong.status == 2);
  CHECK(wrong.err ==
        "error[LB0003]: there is no stage slwo in the running experiment endless\n"
        " = note: a stage with a similar name exists: slow\n"
        " = help: `lowbit status` lists them\n");
  CHECK(project.lowbit({"cancel", "slow[word=a]"}).out == "cancelled  slow[word=a]\n");
  wait_until([&] { return running(project, "slow[word=a]") == 0; });
  CHECK(running(project, "slow[word=b]") == 1);
  const Ended again = project.lowbit({"cancel", "slow[word=a]"});
  CHECK(again.status == 2);
  CHECK(again.err ==
        "error[LB0031]: nothing of slow[word=a] is left to cancel\n"
        " = note: slow[word=a] is cancelled\n"
        " = help: only what runs or waits can be cancelled: see `lowbit status`\n");
  CHECK(Json::parse(project.lowbit({"cancel", "after", "slow", "--json"}).out) ==
        Json{{"ok", true}, {"labels", {"slow[word=b]", "after"}}});
  const Ended ended = host->wait();
  CHECK(ended.status == 1);
  CHECK_THAT(without_times(ended.err), Contains("stop    slow[word=a]  what it had saved stays\n") &&
                                           Contains("stop    after  before it started\n") &&
                                           Contains("0 done, 3 stopped in T s; continue with: lowbit run"));
}

TEST_CASE("status shows what a live run does, how far it is and how long it will take", "[e2e][control]") {
  const Project project(R"(experiment: watched
matrix: {word: [a, b]}
stages:
  - id: slow
    use: lowbit.toy.transform
    params: {text: "${word}", steps: 2000, delay_ms: 20}
    resources: {memory: 3GiB, rate: {judge: 30}}
  - {id: after, use: lowbit.toy.concat, with: {in: {each: slow.out, over: [word]}}}
)");
  const auto host = project.start({"run", "experiment.yaml", "--jobs", "1", "--memory", "8GiB"});
  Json live;
  wait_until([&] {
    const Ended status = project.lowbit({"status", "--json"});
    if (status.status != 0) return false;  // the database is not there yet
    live = Json::parse(status.out)["live"];
    return live.is_object() && !live["running"].empty() && live["running"][0]["speed"] > 0;
  });
  CHECK(live["experiment"] == "watched");
  CHECK(live["counts"] == Json{{"running", 1}, {"ready", 1}, {"waiting", 1}});
  CHECK(live["cpus_in_use"] == 1);
  CHECK(live["memory_in_use"] == 3ULL << 30U);
  CHECK(live["memory_bytes"] == 8ULL << 30U);
  CHECK(live["pid"].get<int>() > 1);
  CHECK(live["seconds"] > 0);
  const Json& job = live["running"][0];
  CHECK(job["label"] == "slow[word=a]");
  CHECK(job["rates"] == Json{{"judge", 30}});
  CHECK(job["progress"]["total"] == 2000);
  CHECK(job["left_seconds"] > 1);  // 2,000 times 20 ms, at the speed that it has told so far
  CHECK(live["left_seconds"] == job["left_seconds"]);
  CHECK(live["left_unknown"] == 2);

  const Ended shown = project.lowbit({"status"});
  CHECK(shown.status == 0);
  CHECK_THAT(shown.out,
             Contains("process " + live["pid"].dump() + " runs this now; `lowbit cancel --all` stops it\n") &&
                 Contains("watched  ") && Contains("left about ") && Contains("cpus 1/1") &&
                 Contains("slow[word=a]  ") && Contains("of 2000") && Contains("1 cpu 3.0 GiB judge 30/min") &&
                 Contains("word=a") && Contains("experiment"));
  CHECK(shown.out.find('\x1b') == std::string::npos);
  REQUIRE(project.lowbit({"cancel", "--all"}).status == 0);
  CHECK(host->wait().status == 130);
  CHECK_THAT(project.lowbit({"status"}).out, !Contains("runs this now"));
  CHECK(Json::parse(project.lowbit({"status", "--json"}).out)["live"].is_null());
}

TEST_CASE("cancel --all stops the run as Ctrl-C does", "[e2e][control]") {
  const Project project(kEndless);
  const auto host = project.start({"run", "experiment.yaml"});
  wait_until([&] { return running(project, "slow[word=a]") == 1; });
  CHECK(project.lowbit({"cancel", "--all"}).out == "the run stops; `lowbit run` continues it\n");
  CHECK(host->wait().status == 130);
  CHECK_FALSE(std::filesystem::exists(project.path() / ".lowbit" / "control.sock"));
}

TEST_CASE("without a live run there is nothing to tell, also where one was killed", "[e2e][control]") {
  const Project project(kEndless);
  const auto refused = [&] {
    const Ended cancel = project.lowbit({"cancel", "slow"});
    CHECK(cancel.status == 2);
    CHECK_THAT(cancel.err,
               Contains("error[LB0030]: no lowbit is running on ") &&
                   Contains("help: `lowbit run FILE` starts one; `lowbit status` shows what the last one left"));
  };
  refused();
  const auto host = project.start({"run", "experiment.yaml"});
  wait_until([&] { return running(project, "slow[word=a]") == 1; });
  host->send(SIGKILL);
  CHECK(host->wait().status == 128 + SIGKILL);
  CHECK(std::filesystem::exists(project.path() / ".lowbit" / "control.sock"));
  refused();
  const auto next = project.start({"run", "experiment.yaml"});
  wait_until([&] { return project.lowbit({"cancel", "--all"}).status == 0; });
  CHECK(next->wait().status == 130);
}

TEST_CASE("what failed in a live run is retried there, with what it blocked", "[e2e][control]") {
  const Project project("x");
  const std::string there = (project.path() / "there").string();
  project.edit(failing(there, there + "2") +
               "  - {id: slow, use: lowbit.toy.transform, params: {steps: 10000, delay_ms: 20}}\n");
  const auto host = project.start({"run", "experiment.yaml", "--jobs", "4"});
  wait_until([&] { return project.query("SELECT count(*) FROM attempts WHERE state = 3") == "2\n"; });
  wait_until([&] { return running(project, "slow") == 1; });
  write_text(there, "");
  write_text(there + "2", "");
  const Ended none = project.lowbit({"retry", "experiment.yaml", "--failed", "--cause", "timeout"});
  CHECK(none.status == 0);
  CHECK(none.out == "nothing to retry: nothing failed so in the live run\n");
  CHECK(project.lowbit({"retry", "experiment.yaml", "--failed", "--cause", "resource"}).out ==
        "again  first\nagain  reads\n");
  wait_until([&] { return project.query("SELECT state FROM v_stages WHERE label = 'reads'") == "done\n"; });
  CHECK(project.query("SELECT state FROM v_stages WHERE label = 'second'") == "failed\n");
  CHECK(project.lowbit({"retry", "experiment.yaml", "--failed"}).out == "again  second\n");
  wait_until([&] { return project.query("SELECT state FROM v_stages WHERE label = 'second'") == "done\n"; });
  REQUIRE(project.lowbit({"cancel", "slow"}).status == 0);
  const Ended ended = host->wait();
  CHECK(ended.status == 1);
  CHECK_THAT(without_times(ended.err), Contains("3 done, 1 stopped in T s"));
}

TEST_CASE("without a live run, retry runs what failed and what it blocked, and nothing else", "[e2e][control]") {
  const Project project("x");
  const std::string there = (project.path() / "there").string();
  project.edit(failing(there, there + "2"));
  REQUIRE(project.run().status == 1);
  project.edit(failing(there, there + "2") + "  - {id: fresh, use: lowbit.toy.source}\n");
  write_text(there, "");
  write_text(there + "2", "");
  const Ended retry = project.lowbit({"retry", "experiment.yaml", "--failed", "--cause", "resource"});
  CHECK(retry.status == 0);
  CHECK_THAT(without_times(retry.err),
             Contains("done    first  T s\n") && Contains("done    reads  T s\n") && Contains("2 done in T s"));
  CHECK(project.query("SELECT label, state FROM v_stages ORDER BY label") ==
        "first,done\nfresh,never\nreads,done\nsecond,failed\n");
  CHECK(project.lowbit({"retry", "experiment.yaml", "--failed", "--cause", "resource"}).out ==
        "nothing to retry: nothing of failing failed because of resource\n");
  const Ended cause = project.lowbit({"retry", "experiment.yaml", "--failed", "--cause", "rain"});
  CHECK(cause.status == 2);
  CHECK(cause.err ==
        "error[LB0034]: a stage never fails because of `rain`\n"
        " = note: causes are stage, resource, preempted, timeout, cancelled, transient and stalled\n"
        " = help: `lowbit status --failed` shows what failed; leave --cause out to retry all of it\n");
  CHECK(project.lowbit({"retry", "experiment.yaml", "--failed"}).status == 0);
  CHECK_THAT(project.plan(), Contains("4 variants: 3 reuse, 1 run, 0 maybe"));
}

TEST_CASE("stages to retry may be named, in a live run and without one", "[e2e][control]") {
  const Project project("x");
  const std::string there = (project.path() / "there").string();
  project.edit(failing(there, there + "2"));
  REQUIRE(project.run().status == 1);
  write_text(there, "");
  write_text(there + "2", "");
  const Ended wrong = project.lowbit({"retry", "experiment.yaml", "secnd"});
  CHECK(wrong.status == 2);
  CHECK(wrong.err ==
        "error[LB0003]: there is no stage secnd to retry\n"
        " = note: a stage with a similar name exists: second\n"
        " = help: `lowbit status --failed` lists what failed\n");
  CHECK(project.lowbit({"retry", "experiment.yaml", "reads"}).out == "nothing to retry: nothing of reads failed\n");
  CHECK(project.lowbit({"retry", "experiment.yaml", "second"}).status == 0);
  CHECK(project.query("SELECT label, state FROM v_stages ORDER BY label") ==
        "first,failed\nreads,never\nsecond,done\n");

  std::filesystem::remove(there);
  project.edit(failing(there, there + "2") +
               "  - {id: slow, use: lowbit.toy.transform, params: {steps: 10000, delay_ms: 20}}\n");
  const auto host = project.start({"run", "experiment.yaml", "--jobs", "4"});
  wait_until([&] { return project.query("SELECT count(*) FROM attempts WHERE state = 3") == "3\n"; });
  write_text(there, "");
  CHECK(project.lowbit({"retry", "experiment.yaml", "second", "slow"}).out ==
        "nothing to retry: nothing failed so in the live run\n");
  CHECK(project.lowbit({"retry", "experiment.yaml", "first"}).out == "again  first\nagain  reads\n");
  wait_until([&] { return project.query("SELECT state FROM v_stages WHERE label = 'reads'") == "done\n"; });
  REQUIRE(project.lowbit({"cancel", "--all"}).status == 0);
  CHECK(host->wait().status == 130);
}

TEST_CASE("a retry for another experiment than the one that runs is refused", "[e2e][control]") {
  const Project project(kEndless);
  const auto host = project.start({"run", "experiment.yaml"});
  wait_until([&] { return running(project, "slow[word=a]") == 1; });
  write_text(project.path() / "other.yaml", "experiment: other\nstages: [{id: one, use: lowbit.toy.source}]\n");
  const Ended retry = project.lowbit({"retry", "other.yaml", "--failed"});
  CHECK(retry.status == 2);
  CHECK_THAT(retry.err, Contains("error[LB0033]: the live lowbit runs another experiment\n"
                                 " = note: it runs endless, asked for was other\n"));
  REQUIRE(project.lowbit({"cancel", "--all"}).status == 0);
  CHECK(host->wait().status == 130);
}
