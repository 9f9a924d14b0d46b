#include <catch2/catch.hpp>

#include "child_process.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

#include "command_fixture.h"

using namespace std::chrono_literals;
using lowbit::command::ChildProcess;
using lowbit::command::Command;
using lowbit::command::Ending;

namespace {

Ending wait(ChildProcess& process) {
  for (;;) {
    if (const auto end = process.watch(1s)) return *end;
  }
}

/// Whether a process of that number runs; one that ended but was not reaped yet does not.
bool runs(const std::string& pid) {
  std::ifstream stat("/proc/" + pid + "/stat");
  std::string text;
  return std::getline(stat, text) && text.substr(text.rfind(')') + 2, 1) != "Z";
}

Command shell(const std::string& script) {
  return {.arguments = {"sh", "-c", script}, .environment = {}, .directory = "/"};
}

}  // namespace

TEST_CASE("a program that ignores SIGTERM is killed after its grace", "[command]") {
  ChildProcess process(shell("trap '' TERM; echo ready >&2; while :; do sleep 1; done"));
  while (process.last_words() != "ready") process.watch(1s);
  const auto start = std::chrono::steady_clock::now();
  process.stop(200ms);
  const auto seconds = std::chrono::steady_clock::now() - start;
  CHECK(seconds >= 200ms);
  CHECK(seconds < 5s);
  const Ending end = wait(process);
  CHECK(end.signalled);
  CHECK(end.code == SIGKILL);
}

TEST_CASE("what a program leaves running in its group ends with it", "[command]") {
  ChildProcess process(shell("sleep 1000 & echo $! >&2"));
  CHECK_FALSE(wait(process).signalled);
  const std::string pid = process.last_words();
  REQUIRE_FALSE(pid.empty());
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (runs(pid) && std::chrono::steady_clock::now() < until) {
  }
  CHECK_FALSE(runs(pid));
}

TEST_CASE("a program that is dropped is killed", "[command]") {
  std::string pid;
  {
    ChildProcess process(shell("echo $$ >&2; exec sleep 1000"));
    while (process.last_words().empty()) process.watch(1s);
    pid = process.last_words();
    CHECK(runs(pid));
  }
  CHECK_FALSE(runs(pid));
}

TEST_CASE("a program may close its stderr and go on", "[command]") {
  ChildProcess process(shell("exec 2>&-; exit 6"));
  const Ending end = wait(process);
  CHECK_FALSE(end.signalled);
  CHECK(end.code == 6);
}

TEST_CASE("long lines of stderr are cut, not lost", "[command]") {
  ChildProcess process(shell("printf '%01000d\\nend\\n' 0 >&2"));
  wait(process);
  CHECK(process.last_words() == std::string(500, '0') + "\nend");
}

TEST_CASE("PATH of the added environment is where the program is looked for", "[command]") {
  CHECK_THROWS_AS(ChildProcess({.arguments = {"sh"}, .environment = {{"PATH", "/nowhere"}}, .directory = "/"}),
                  lowbit::StageError);
}
