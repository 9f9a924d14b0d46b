// A person's view of `lowbit run`: what it does first, again, after an edit, after a stop.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <regex>
#include <set>
#include <thread>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

constexpr const char* kChain = R"(experiment: chain
matrix: {word: [a, b]}
stages:
  - {id: first, use: lowbit.toy.source, params: {text: "${word}"}}
  - {id: second, use: lowbit.toy.transform, with: {in: first.out}, params: {text: x}}
  - {id: third, use: lowbit.toy.concat, with: {in: {each: second.out, over: [word]}}}
)";

std::string without_estimate(const std::string& plan) { return plan.substr(0, plan.find("estimate: ")); }

}  // namespace

TEST_CASE("a first run does everything, a second one nothing", "[e2e]") {
  const Project project(kChain);
  const Ended first = project.run();
  CHECK(first.status == 0);
  CHECK_THAT(first.err, Contains("5 done in"));
  const Ended second = project.run();
  CHECK(second.status == 0);
  CHECK_THAT(without_times(second.err), Contains("nothing to do: all 5 stages are up to date (T s)"));
  CHECK(project.query("SELECT state, count(*) FROM v_stages GROUP BY state") == "done,5\n");
}

TEST_CASE("after editing one parameter the plan lists its stage as run, its dependants as maybe, nothing else",
          "[e2e]") {
  const Project project(kChain);
  REQUIRE(project.run().status == 0);
  std::string edited = kChain;
  edited.replace(edited.find("text: x"), 7, "text: z");
  project.edit(edited);
  CHECK(without_estimate(project.plan()) ==
        "reuse  first[word=a]   up to date\n"
        "reuse  first[word=b]   up to date\n"
        "run    second[word=a]  parameter text x -> z\n"
        "run    second[word=b]  parameter text x -> z\n"
        "maybe  third           waits for second[word=a]\n"
        "5 variants: 2 reuse, 2 run, 1 maybe\n");
  const Ended run = project.run();
  CHECK(run.status == 0);
  CHECK_THAT(run.err, Contains("3 done, 2 reused"));
  project.edit(kChain);
  CHECK_THAT(project.plan(), Contains("5 variants: 5 reuse, 0 run, 0 maybe"));
}

TEST_CASE("a stage whose output comes out as it was cuts its dependants off", "[e2e]") {
  const std::string text = R"(experiment: cutoff
stages:
  - {id: same, use: lowbit.toy.constant, params: {ignored: 1}}
  - {id: after, use: lowbit.toy.transform, with: {in: same.out}}
)";
  const Project project(text);
  REQUIRE(project.run().status == 0);
  std::string edited = text;
  edited.replace(edited.find("ignored: 1"), 10, "ignored: 2");
  project.edit(edited);
  CHECK_THAT(project.plan(), Contains("1 run, 1 maybe"));
  const Ended run = project.run();
  CHECK(run.status == 0);
  CHECK_THAT(without_times(run.err), Contains("1 done, 1 cut off in T s"));
  CHECK_THAT(project.plan(), Contains("2 reuse, 0 run, 0 maybe"));
}

TEST_CASE("a forced stage runs again; equal bytes leave its dependants alone", "[e2e]") {
  const Project project(kChain);
  REQUIRE(project.run().status == 0);
  const Ended forced = project.lowbit({"run", "experiment.yaml", "--force", "first"});
  CHECK(forced.status == 0);
  CHECK_THAT(without_times(forced.err), Contains("2 done, 3 cut off in T s"));
  const Ended unknown = project.lowbit({"run", "experiment.yaml", "--force", "frist"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err ==
        "error[LB0003]: there is no stage frist to force\n"
        " = note: a stage with a similar name exists: first\n"
        " = help: --force takes the id of a stage; `lowbit plan` lists them\n");
}

TEST_CASE("a result whose files are gone runs again", "[e2e]") {
  const Project project(kChain);
  REQUIRE(project.run().status == 0);
  const std::string before = project.results();
  std::filesystem::remove_all(project.path() / ".lowbit" / "results");
  CHECK_THAT(project.plan(), Contains("run    first[word=a]"));
  REQUIRE(project.run().status == 0);
  CHECK(project.results() == before);
}

TEST_CASE("a second lowbit on one project is told who works there, or waits", "[e2e]") {
  const Project project(R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: 60, delay_ms: 20}}]
)");
  const auto first = project.start({"run", "experiment.yaml"});
  wait_until([&] { return !project.query("SELECT 1 FROM attempts").empty(); });
  const Ended second = project.run();
  CHECK(second.status == 3);
  CHECK_THAT(second.err, Contains("error[LB4101]: another lowbit is working on") && Contains("it is process ") &&
                             Contains(" on host ") && Contains(", since 20") &&
                             Contains("note: it runs slow: lowbit run experiment.yaml") &&
                             Contains("`lowbit status` shows how far it is, `lowbit run --wait` begins") &&
                             Contains("`lowbit cancel --all` stops it"));
  const Ended waiting = project.lowbit({"run", "experiment.yaml", "--wait"});
  CHECK(waiting.status == 0);
  CHECK_THAT(waiting.err, Contains("nothing to do"));
  CHECK(first->wait().status == 0);
}

TEST_CASE("Ctrl-C stops cleanly with status 130, and the same command continues at the checkpoint", "[e2e]") {
  const Project project(R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: 200, delay_ms: 10, checkpoint_every: 5}}]
)");
  const auto host = project.start({"run", "experiment.yaml"});
  const auto checkpointed = [&] {
    std::error_code code;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(project.path() / ".lowbit" / "work", code)) {
      if (entry.path().parent_path().filename() == "ckpt" && entry.path().extension() != ".tmp") return true;
    }
    return false;
  };
  wait_until(checkpointed);
  host->send(SIGINT);
  const Ended stopped = host->wait();
  CHECK(stopped.status == 130);
  CHECK_THAT(stopped.err, Contains("stop    slow") && Contains("continue with: lowbit run experiment.yaml"));
  const Ended resumed = project.run();
  CHECK(resumed.status == 0);
  CHECK_THAT(resumed.err, Contains("resume  slow  from checkpoint "));

  const Project undisturbed(R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: 200, delay_ms: 0, checkpoint_every: 0}}]
)");
  REQUIRE(undisturbed.run().status == 0);
  CHECK(undisturbed.results() == project.results());
  const std::string curves = "SELECT name, step, unit, value FROM curves ORDER BY 1, 2";
  CHECK(project.query("SELECT count(*) FROM curves") == "200\n");
  CHECK(undisturbed.query(curves) == project.query(curves));
}

TEST_CASE("a job that outlives its host is adopted and runs only once", "[e2e]") {
  const Project project(R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: 100, delay_ms: 20}}]
)");
  const auto host = project.start({"run", "experiment.yaml"});
  wait_until([&] {
    std::error_code code;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(project.path() / ".lowbit" / "work", code)) {
      if (entry.path().filename() == "journal") return true;
    }
    return false;
  });
  host->send(SIGKILL);
  (void)host->wait();
  const Ended next = project.run();
  CHECK(next.status == 0);
  CHECK_THAT(next.err, Contains("adopt   slow  still running since"));
  CHECK(project.query("SELECT count(*) FROM attempts") == "1\n");
}

TEST_CASE("an adopted job whose socket a logout removed is asked to stop by a signal", "[e2e]") {
  const Project project(R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: 3000, delay_ms: 20}}]
)");
  const auto host = project.start({"run", "experiment.yaml"});
  std::filesystem::path attempt;
  wait_until([&] {
    std::error_code code;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(project.path() / ".lowbit" / "work", code)) {
      if (entry.path().filename() == "journal") attempt = entry.path().parent_path();
    }
    return !attempt.empty();
  });
  host->send(SIGKILL);
  (void)host->wait();
  std::smatch socket;
  const std::string request = read_text(attempt / "attempt.json");
  REQUIRE(std::regex_search(request, socket, std::regex(R"re("socket":"([^"]+)")re")));
  REQUIRE(std::filesystem::remove(socket[1].str()));
  const auto next = project.start({"run", "experiment.yaml"});
  wait_until([&] { return project.lowbit({"status"}).out.find("process ") != std::string::npos; });
  next->send(SIGINT);
  const Ended stopped = next->wait();
  CHECK(stopped.status == 130);
  CHECK_THAT(stopped.err, Contains("adopt   slow") && Contains("stop    slow"));
}

TEST_CASE("jobs of a library that is slow to load are forked from one process, and outlive it", "[e2e]") {
  const Project project(R"(experiment: slow
matrix: {word: [a, b]}
stages: [{id: slow, use: lowbit.toy.transform, params: {text: "${word}", steps: 100, delay_ms: 20}}]
)");
  const auto host = project.start({"run", "experiment.yaml", "-j", "2"});
  std::set<std::string> attempts;
  pid_t server = -1;
  wait_until([&] {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string pid = entry.path().filename().string();
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      std::error_code gone;
      if (std::filesystem::read_symlink(entry.path() / "cwd", gone) != project.path()) continue;
      if (read_text(entry.path() / "cmdline").find("--fork-server") == std::string::npos) continue;
      const std::string environment = read_text(entry.path() / "environ");
      const std::size_t at = environment.find("LOWBIT_ATTEMPT=");
      if (at != std::string::npos && environment.compare(at, 16, "LOWBIT_ATTEMPT=-") != 0)
        attempts.insert(environment.substr(at, environment.find('\0', at) - at));
      std::ifstream status(entry.path() / "stat");
      pid_t self = 0;
      pid_t parent = 0;
      std::string name;
      std::string state;
      if (status >> self >> name >> state >> parent && parent == host->pid()) server = self;
    }
    return attempts.size() == 2 && server > 0;
  });
  REQUIRE(::kill(server, SIGKILL) == 0);
  CHECK(host->wait().status == 0);
  CHECK(project.query("SELECT count(*) FROM attempts") == "2\n");
}

TEST_CASE("a job that finishes while no host watches is harvested", "[e2e]") {
  const Project project(R"(experiment: slow
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: 20, delay_ms: 20}}]
)");
  const auto host = project.start({"run", "experiment.yaml"});
  const auto left_behind = [&](const char* name) {
    std::error_code code;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(project.path() / ".lowbit" / "work", code)) {
      if (entry.path().filename() == name) return true;
    }
    return false;
  };
  wait_until([&] { return left_behind("journal"); });
  host->send(SIGKILL);
  (void)host->wait();
  wait_until([&] { return left_behind("exit.json"); });
  const Ended next = project.run();
  CHECK(next.status == 0);
  CHECK_THAT(next.err, Contains("harvest slow  finished while no lowbit was watching") && Contains("nothing to do"));
  CHECK(project.query("SELECT count(*) FROM attempts") == "1\n");
}

TEST_CASE("a job sees the variables its stage declares and a short list besides", "[e2e]") {
  const Project project("experiment: env\nstages: [{id: env, use: lowbit.toy.env}]\n");
  REQUIRE(project.run({{"LOWBIT_TOY_VISIBLE", "yes"}, {"LOWBIT_TOY_SECRET", "no"}}).status == 0);
  const std::string directory = project.query("SELECT path FROM artifacts");
  std::string text;
  for (const auto& entry :
       std::filesystem::directory_iterator(project.path() / ".lowbit" / directory.substr(0, directory.size() - 1))) {
    text += read_text(entry.path());
  }
  CHECK_THAT(text, Contains("LOWBIT_TOY_VISIBLE=yes") && !Contains("SECRET"));
}

TEST_CASE("the core type that OpenBLAS is told is the person's own, and is recorded", "[e2e]") {
  const Project project("experiment: env\nstages: [{id: env, use: lowbit.toy.env}]\n");
  REQUIRE(project.run({{"OPENBLAS_CORETYPE", "Haswell"}}).status == 0);
  CHECK(project.query("SELECT json_extract(environment, '$.blas_core_type') FROM attempts") == "Haswell\n");
}

TEST_CASE("a run records which lowbit and plugins ran, how they were built, and where", "[e2e]") {
  const Project project("experiment: env\nstages: [{id: env, use: lowbit.toy.env}]\n");
  REQUIRE(project.run().status == 0);
  const std::string version = project.lowbit({"--version"}).out;
  CHECK("lowbit " + project.query("SELECT versions ->> '$.lowbit' FROM runs") == version);
  const std::string host = project.shell("uname -n").out;
  CHECK(project.query("SELECT host FROM runs") == host);
  CHECK_THAT(project.query("SELECT value FROM runs, json_each(builds) WHERE key = 'lowbit.toy.env'"),
             Contains("g++") || Contains("clang"));
}

TEST_CASE("a plugin file that changed without its version is noticed, and stale when strict", "[e2e]") {
  const Project project(kChain);
  REQUIRE(project.run().status == 0);
  const std::filesystem::path toys = std::filesystem::path(LOWBIT_BINARY_DIR) / "lib" / "lowbit" / "toy-plugins";
  std::filesystem::create_directory(project.path() / "rebuilt");
  std::filesystem::copy_file(toys / "toy.so", project.path() / "rebuilt" / "toy.so");
  std::ofstream(project.path() / "rebuilt" / "toy.so", std::ios::app) << "other bytes";
  const Environment rebuilt{{"LOWBIT_PLUGIN_PATH", (project.path() / "rebuilt").string()}};
  const Ended plan = project.lowbit({"plan", "experiment.yaml"}, rebuilt);
  CHECK_THAT(plan.out, Contains("5 reuse, 0 run, 0 maybe") && Contains("the file of plugin lowbit.toy.source changed"));
  const Ended strict = project.lowbit({"run", "experiment.yaml", "--strict"}, rebuilt);
  CHECK(strict.status == 0);
  CHECK_THAT(strict.err, Contains("5 done in"));
  CHECK_THAT(project.lowbit({"plan", "experiment.yaml", "--strict"}, rebuilt).out, Contains("5 reuse"));
}
