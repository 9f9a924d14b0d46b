// Jobs of a stage that ends within moments: after the first they share one shim, which is the fork server.
#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

namespace fs = std::filesystem;

/// Two of its jobs are over at once; the third, two seconds long, is watched by the fork server.
constexpr const char* kBrief = R"(experiment: brief
matrix: {steps: [1, 20, 100]}
stages: [{id: brief, use: lowbit.toy.transform, params: {steps: "${steps}", delay_ms: 20}}]
)";

std::string only_line_of(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line, '\0');
  return line;
}

/// The job that runs now; empty until it has a journal and the others are published.
fs::path third_attempt(const Project& project) {
  if (project.query("SELECT count(*) FROM results") != "2\n") return {};
  std::error_code code;
  for (const auto& entry : fs::recursive_directory_iterator(project.path() / ".lowbit" / "work", code)) {
    if (entry.path().filename() == "journal") return entry.path().parent_path();
  }
  return {};
}

std::unique_ptr<Program> start_and_wait_for_third(const Project& project) {
  auto host = project.start({"run", "experiment.yaml", "-j", "1"});
  wait_until([&] { return !third_attempt(project).empty(); });
  CHECK_THAT(only_line_of(third_attempt(project) / "attempt.json"), Contains(R"("brief":true)"));
  return host;
}

pid_t shim_of(const fs::path& attempt) {
  const std::string text = only_line_of(attempt / "shim.json");
  return std::stoi(text.substr(text.find("\"pid\":") + 6));
}

}  // namespace

TEST_CASE("a brief job whose shim is killed ends, and runs again in the same run", "[e2e]") {
  const Project project(kBrief);
  const auto host = start_and_wait_for_third(project);
  REQUIRE(::kill(shim_of(third_attempt(project)), SIGKILL) == 0);
  const Ended ended = host->wait();
  CHECK(ended.status == 0);
  CHECK_THAT(ended.err, Contains("the job was lost; again in 1.0 s"));
  CHECK(project.query("SELECT count(*) FROM attempts") == "4\n");
  const Project undisturbed(kBrief);
  REQUIRE(undisturbed.run().status == 0);
  CHECK(project.results() == undisturbed.results());
}

TEST_CASE("a brief job outlives its host; the next one adopts it, and can stop it", "[e2e]") {
  const Project project(kBrief);
  const auto host = start_and_wait_for_third(project);
  host->send(SIGKILL);
  (void)host->wait();
  const auto next = project.start({"run", "experiment.yaml", "-j", "1"});
  const bool stops = GENERATE(false, true);
  if (stops) {
    wait_until([&] { return project.query("SELECT count(*) FROM runs") == "2\n"; });
    next->send(SIGINT);
  }
  const Ended ended = next->wait();
  CHECK(ended.status == (stops ? 130 : 0));
  CHECK_THAT(ended.err, Contains("adopt   brief[steps=100]  still running since"));
  CHECK(project.query("SELECT count(*) FROM attempts") == "3\n");
}

TEST_CASE("what a brief job leaves running ends with it, and nobody else's processes do", "[e2e]") {
  const Project project("");
  const fs::path pids = project.path() / "pids";
  write_text(project.path() / "family.py", "import json, os, subprocess\npids = '" + pids.string() + R"('
job = json.load(open(os.environ["LOWBIT_JOB"]))
role = job["args"]["role"]
if role == "leaves":
  for words in (["sleep", "3003"], ["setsid", "sleep", "3004"], ["env", "-i", "setsid", "sleep", "3005"]):
    print(subprocess.Popen(words).pid, file=open(pids, "a"))
if role == "stays":
  subprocess.run(["setsid", "-w", "sleep", "2"], check=True)
with open(os.path.join(job["outputs"]["text"], "text"), "w") as out: out.write(role)
)");
  project.edit(R"(experiment: family
matrix: {role: [first, second, stays, leaves]}
stages:
  - {id: family, use: lowbit.command-dataset, params: {command: [python3, )" +
               (project.path() / "family.py").string() + R"(], args: {role: "${role}"}}, resources: {timeout: 60s}}
)");
  REQUIRE(project.lowbit({"run", "experiment.yaml", "-j", "2"}).status == 0);
  std::ifstream in(pids);
  int seen = 0;
  for (std::string pid; in >> pid; ++seen) CHECK_FALSE(fs::exists("/proc/" + pid));
  CHECK(seen == 3);
}

TEST_CASE("a brief job has its limits of time and memory", "[e2e]") {
  const Project slow(R"(experiment: slow
matrix: {steps: [1, 5, 1000]}
stages: [{id: slow, use: lowbit.toy.transform, params: {steps: "${steps}", delay_ms: 20}, resources: {timeout: 2s}}]
)");
  const Ended late = slow.lowbit({"run", "experiment.yaml", "-j", "1"});
  CHECK(late.status == 1);
  CHECK_THAT(late.err, Contains("2 done, 1 failed") && Contains("the job exceeded its time limit"));

  const Project project("");
  write_text(project.path() / "holds.py", R"py(import json, os, subprocess, sys
job = json.load(open(os.environ["LOWBIT_JOB"]))
hold = "import time; block = b'x' * (80 << 20); time.sleep(60)"
if job["args"]["holds"]:
  for child in [subprocess.Popen([sys.executable, "-c", hold]) for _ in range(4)]: child.wait()
with open(os.path.join(job["outputs"]["text"], "text"), "w") as out: out.write("held")
)py");
  project.edit(R"(experiment: holds
matrix: {holds: [0, false, true]}
stages:
  - {id: holds, use: lowbit.command-dataset, params: {command: [python3, )" +
               (project.path() / "holds.py").string() +
               R"(], args: {holds: "${holds}"}}, resources: {memory: 200MiB}}
)");
  const Ended large = project.lowbit({"run", "experiment.yaml", "-j", "1"});
  CHECK(large.status == 1);
  CHECK_THAT(large.err, Contains("2 done, 1 failed") && Contains("more than its lease of 0.20 GiB"));
}
