// Plugins that crash, throw, hang and lie: each costs its own branch, says what happened and what to do, and nothing
// that was finished is lost.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

std::string with_bystander(const std::string& bad_stage) {
  return "experiment: bad\nstages:\n  - {id: good, use: lowbit.toy.source}\n  - " + bad_stage +
         "\n  - {id: after, use: lowbit.toy.transform, with: {in: bad.out}}\n";
}

/// Runs a bad stage beside a good one; returns what the program said of it.
std::string failure_of(const std::string& bad_stage) {
  const Project project(with_bystander(bad_stage));
  const Ended run = project.run();
  CHECK(run.status == 1);
  CHECK(project.query("SELECT label, state FROM v_stages ORDER BY 1") == "after,never\nbad,failed\ngood,done\n");
  CHECK_THAT(without_times(run.err),
             Contains("1 done, 1 failed, 1 blocked in T s; continue with: lowbit run experiment.yaml"));
  CHECK_THAT(run.err, Contains("blocked after  input in needs bad.out, which is not there"));
  const std::string said = without_times(run.err);
  const auto begin = said.find("FAIL    bad");
  REQUIRE(begin != std::string::npos);
  return said.substr(begin, said.find("blocked after") - begin);
}

constexpr const char* kMargin = "                      ";

}  // namespace

TEST_CASE("a stage that crashes is reported with its signal and its last position", "[e2e]") {
  const std::string said = failure_of("{id: bad, use: lowbit.toy.crash}");
  CHECK_THAT(said, Contains("FAIL    bad  the job ended without a result: signal 11 (Segmentation fault)"));
  CHECK_THAT(said, Contains("last progress: 1 of 2 steps"));
  CHECK_THAT(said, Contains("the plugin crashed: report this to its author; see `lowbit logs 'bad'`"));
}

TEST_CASE("whatever a stage throws ends as a four-part failure", "[e2e]") {
  CHECK(failure_of("{id: bad, use: lowbit.toy.throw, params: {what: stage_error}}") ==
        std::string("FAIL    bad  the toy's Hessian is singular\n") + kMargin + "where step 1\n" + kMargin +
            "why   it was told to be\n" + kMargin + "fix   choose another `what`\n");
  CHECK_THAT(failure_of("{id: bad, use: lowbit.toy.throw, params: {what: int}}"),
             Contains("report this to the plugin's author"));
  CHECK_THAT(failure_of("{id: bad, use: lowbit.toy.throw, params: {what: runtime_error}}"),
             Contains("the toy was told to throw") && Contains("report this to the plugin's author"));
  CHECK_THAT(failure_of("{id: bad, use: lowbit.toy.throw, params: {what: bad_alloc}}"), Contains("memory"));
}

TEST_CASE("a stage that hangs is ended at its time limit, with everything it started", "[e2e]") {
  const std::string said =
      failure_of("{id: bad, use: lowbit.toy.hang, params: {honours_cancel: true}, resources: {timeout: 1s}}");
  CHECK_THAT(said, Contains("FAIL    bad  the job exceeded its time limit") && Contains("resources.timeout"));
}

TEST_CASE("a stage that lies is caught: what it claims is not published", "[e2e]") {
  const auto lie = [](const char* what) {
    return failure_of("{id: bad, use: lowbit.toy.lie, params: {about: " + std::string(what) + "}}");
  };
  CHECK_THAT(lie("no_output"), Contains("succeeded without writing its output `out`"));
  CHECK_THAT(lie("silent_failure"), Contains("failed without saying why"));
  CHECK_THAT(lie("wrong_metric_unit"), Contains("final metric data/n_items is not as declared"));
  CHECK_THAT(lie("malformed_artifact"), Contains("output `predictions` is not a valid predictions/1"));
}

TEST_CASE("a metric that is not a number is kept as a result, and nothing is made from it, then and later", "[e2e]") {
  const Project project(with_bystander("{id: bad, use: lowbit.toy.lie, params: {about: nan_metric}}"));
  const Ended run = project.run();
  CHECK(run.status == 1);
  CHECK_THAT(run.err, Contains("gated   bad  toy/value is not a finite number"));
  CHECK_THAT(run.err, Contains("blocked after  behind the gate of bad: toy/value is not a finite number"));
  CHECK_THAT(without_times(run.err), Contains("2 done, 1 held back by a gate, 1 behind one in T s"));
  CHECK(project.query("SELECT label, state FROM v_stages ORDER BY 1") == "after,never\nbad,done\ngood,done\n");
  CHECK(project.query("SELECT count(*) FROM v_results WHERE label = 'bad' AND value IS NULL") == "1\n");
  CHECK(project.plan() ==
        "reuse  good   up to date\n"
        "reuse  bad    up to date; held back: toy/value is not a finite number\n"
        "gated  after  behind the gate of bad: toy/value is not a finite number\n"
        "3 variants: 2 reuse, 0 run, 0 maybe, 1 gated\n");
  CHECK_THAT(project.lowbit({"status", "--failed"}).out, Contains("gated: bad  toy/value is not a finite number"));
  const Ended again = project.run();
  CHECK(again.status == 1);
  CHECK_THAT(without_times(again.err),
             Contains("nothing to do: 2 up to date, 1 held back by a gate, 1 behind one (T s)"));
  CHECK(project.query("SELECT count(*) FROM attempts") == "2\n");
}

TEST_CASE("with --fail-fast nothing starts after a failure", "[e2e]") {
  const Project project(
      "experiment: fast\nstages:\n  - {id: bad, use: lowbit.toy.crash}\n"
      "  - {id: other, use: lowbit.toy.source}\n  - {id: after, use: lowbit.toy.transform, with: {in: other.out}}\n");
  // `other` has the longer way behind it and goes first; `bad` fails before `after` can start.
  const Ended run = project.lowbit({"run", "experiment.yaml", "--fail-fast", "-j", "1"});
  CHECK(run.status == 1);
  CHECK_THAT(without_times(run.err), Contains("1 done, 1 failed, 1 not started in T s"));
  CHECK(project.query("SELECT label, state FROM v_stages ORDER BY 1") == "after,never\nbad,failed\nother,done\n");
}

TEST_CASE("a stage that asks for more than the machine has is refused before anything runs", "[e2e]") {
  const Project project(
      "experiment: large\nstages:\n  - {id: small, use: lowbit.toy.source}\n"
      "  - {id: large, use: lowbit.toy.source, params: {text: x}, resources: {memory: 8GiB, gpus: 2}}\n");
  const std::vector<std::string> words{"run", "experiment.yaml", "--memory", "4GiB", "--gpus", "0"};
  const Ended run = project.lowbit(words);
  CHECK(run.status == 3);
  CHECK_THAT(run.err, Contains("error[LB4110]: stage large asks for more than this machine has") &&
                          Contains("it asks for 8.00 GiB of memory; there are 4.00 GiB for jobs") &&
                          Contains("it asks for 2 GPUs; there is 1"));
  CHECK(project.query("SELECT count(*) FROM attempts") == "0\n");
  CHECK_THAT(project.lowbit({"plan", "experiment.yaml", "--memory", "4GiB", "--gpus", "0,1"}).out,
             Contains("notice: stage large asks for more than this machine has: it asks for 8.00 GiB of memory"));
  CHECK(project.lowbit({"run", "experiment.yaml"}, {{"LOWBIT_GPUS", "0,1"}}).status == 0);
  CHECK_THAT(project.lowbit({"run", "experiment.yaml", "--gpus", "0,0"}).err, Contains("error[LB0018]: --gpus"));
}

TEST_CASE("a job that holds more memory than its lease is ended; one that maps a large file is not", "[e2e]") {
  const Project project("");
  const auto experiment = [&](const std::string& program) {
    write_text(project.path() / "holds.py", "import json, mmap, os, subprocess, sys, time\n" + program + R"(
job = json.load(open(os.environ["LOWBIT_JOB"]))
with open(os.path.join(job["outputs"]["text"], "text"), "w") as out: out.write("held")
)");
    project.edit(R"(experiment: holds
stages:
  - id: holds
    use: lowbit.command-dataset
    params: {command: [python3, )" +
                 (project.path() / "holds.py").string() + "], args: {text: '" + std::to_string(program.size()) +
                 "'}}\n    resources: {memory: 200MiB}\n    retry: {attempts: 2, on: [resource]}\n");
  };
  experiment("block = b\"x\" * (300 << 20)\ntime.sleep(60)\n");
  const Ended own = project.run();
  CHECK(own.status == 1);
  CHECK_THAT(own.err, Contains("the job held 0.") &&
                          Contains(" GiB of memory, more than its lease of 0.20 GiB; again in 1.0 s") &&
                          Contains("FAIL    holds  the job held 0.") &&
                          Contains("raise `resources.memory` of the stage, or leave it out"));
  CHECK(project.query("SELECT DISTINCT json_extract(failure, '$.cause') FROM attempts") == "resource\n");

  // Not one of them holds more than the lease: all of them together do.
  experiment(R"py(hold = "import os, time; block = b'x' * (80 << 20); time.sleep(60)"
for child in [subprocess.Popen([sys.executable, "-c", hold]) for _ in range(4)]: child.wait()
)py");
  CHECK_THAT(project.run().err, Contains("more than its lease"));

  experiment(R"(with open("large", "wb") as file: file.truncate(400 << 20)
with open("large", "r+b") as file:
  pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
  seen = sum(pages[i] for i in range(0, len(pages), 4096))
block = b"x" * (100 << 20)
time.sleep(1.5)
)");
  CHECK(project.run().status == 0);
}

TEST_CASE("a time limit ends everything that a job started, sessions of their own included", "[e2e]") {
  const Project project("");
  const std::string pids = (project.path() / "pids").string();
  // One child in the program's own group, one in a session of its own, and one that its parent has left.
  write_text(project.path() / "family.sh", "sleep 3003 & echo $! >> " + pids + "\nsetsid sleep 3004 & echo $! >> " +
                                               pids + "\n(setsid sh -c 'echo $$ >> " + pids +
                                               "; exec sleep 3005' &)\nsleep 3006\n");
  project.edit("experiment: family\nstages:\n  - {id: family, use: lowbit.command-dataset, params: {command: [sh, " +
               (project.path() / "family.sh").string() + "]}, resources: {timeout: 2s}}\n");
  const Ended run = project.run();
  CHECK(run.status == 1);
  CHECK_THAT(run.err, Contains("the job exceeded its time limit"));
  std::ifstream in(pids);
  int seen = 0;
  for (std::string pid; in >> pid; ++seen) {
    INFO(pid);
    CHECK_FALSE(std::filesystem::exists("/proc/" + pid));
  }
  CHECK(seen == 3);
}

TEST_CASE("a link or a pipe among what a stage wrote is the stage's failure, and is gone after the repair", "[e2e]") {
  const Project project("");
  const std::string wrong = GENERATE("os.symlink('text', out + '/latest')", "os.mkfifo(out + '/pipe')");
  const auto experiment = [&](const std::string& more) {
    write_text(project.path() / "write.py",
               "import json, os\nout = json.load(open(os.environ['LOWBIT_JOB']))"
               "['outputs']['text']\nopen(out + '/text', 'w').write('x')\n" +
                   more + "\n");
  };
  experiment(wrong);
  project.edit(
      "experiment: linked\nstages:\n  - {id: good, use: lowbit.toy.source}\n  - id: bad\n    use: "
      "lowbit.command-dataset\n    params: {command: [python3, " +
      (project.path() / "write.py").string() + "]}\n");
  const Ended run = project.run();
  CHECK(run.status == 1);
  CHECK_THAT(run.err, Contains("FAIL    bad  output `text` is not a valid text/1") && Contains("1 done, 1 failed"));
  experiment("");
  CHECK(project.run().status == 0);
}

TEST_CASE("warnings are told with the result, however long", "[e2e]") {
  const Project project("");
  write_text(project.path() / "talk.py", R"(import json, os
job = json.load(open(os.environ["LOWBIT_JOB"]))
with open(job["events"], "a") as events:
    for text in ["x" * (17 << 20), "few tokens"]:
        print(json.dumps({"log": {"level": "warn", "text": text}}), file=events, flush=True)
with open(job["outputs"]["text"] + "/text", "w") as out: out.write("said")
)");
  project.edit("experiment: talk\nstages:\n  - {id: talk, use: lowbit.command-dataset, params: {command: [python3, " +
               (project.path() / "talk.py").string() + "]}}\n");
  const Ended run = project.run();
  CHECK(run.status == 0);
  CHECK_THAT(run.err, Contains("talk  warning: few tokens") && Contains("warning: xxx") && Contains("x …\n"));
  CHECK(run.err.size() < 2000);
}

TEST_CASE("a stage that fails for want of something continues after the repair", "[e2e]") {
  const Project project(with_bystander("{id: bad, use: lowbit.toy.fail_until, params: {path: repaired}}"));
  std::string text = read_text(project.path() / "experiment.yaml");
  text.replace(text.find("repaired"), 8, (project.path() / "repaired").string());
  project.edit(text);
  CHECK(project.run().status == 1);
  CHECK_THAT(project.lowbit({"status", "--failed"}).out, Contains("failed: bad  the file is not there yet"));
  CHECK_THAT(project.lowbit({"logs", "bad"}).out, Contains("fix   create the file, then run again"));
  write_text(project.path() / "repaired", "");
  const Ended again = project.run();
  CHECK(again.status == 0);
  CHECK_THAT(again.err, Contains("2 done, 1 reused"));
}

TEST_CASE("a retry happens for the causes it was asked for, and only for those", "[e2e]") {
  const auto attempts = [](const std::string& status, const std::string& on) {
    const Project project(
        "experiment: retry\nstages: [{id: bad, use: lowbit.toy.fail_until, params: {path: /nowhere, status: " + status +
        "}, retry: {attempts: 3, on: [" + on + "]}}]\n");
    CHECK(project.run().status == 1);
    return project.query("SELECT count(*) FROM attempts");
  };
  CHECK(attempts("resource", "resource") == "3\n");
  CHECK(attempts("resource", "preempted") == "1\n");
  CHECK(attempts("transient", "transient") == "3\n");
  CHECK(attempts("transient", "resource") == "1\n");
  CHECK(attempts("numeric", "resource") == "1\n");
}

TEST_CASE("a gathered input with a minimum goes on without the member that failed, and is stale when it comes",
          "[e2e]") {
  const Project project("");
  const auto experiment = [&](const std::string& missing) {
    return "experiment: min\nmatrix: {path: [" + (project.path() / "experiment.yaml").string() + ", " + missing +
           "]}\nstages:\n" + "  - {id: member, use: lowbit.toy.fail_until, params: {path: \"${path}\"}}\n" +
           "  - {id: all, use: lowbit.toy.concat, with: {in: {each: member.out, over: [path], require: {min: 1}}}}\n";
  };
  const std::string late = (project.path() / "late").string();
  project.edit(experiment(late));
  CHECK(project.run().status == 1);
  CHECK(project.query("SELECT count(*) FROM results") == "2\n");
  const Ended again = project.run();
  CHECK(again.status == 1);
  CHECK(project.query("SELECT count(*) FROM results") == "2\n");
  write_text(late, "");
  CHECK(project.run().status == 0);
  CHECK(project.query("SELECT count(*) FROM results") == "4\n");
  CHECK_THAT(project.plan(), Contains("3 reuse, 0 run, 0 maybe"));
}
