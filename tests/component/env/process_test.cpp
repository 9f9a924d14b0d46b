#include "env/process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace lowbit;

TEST_CASE("a process is known by more than its pid", "[env]") {
  const env::ProcessIdentity self = env::own_identity();
  CHECK(self.pid == ::getpid());
  CHECK(env::is_alive(self));
  env::ProcessIdentity other = self;
  other.start_ticks += 1;  // the same pid, given to a later process
  CHECK_FALSE(env::is_alive(other));
  other = self;
  other.boot_id = "another boot";
  CHECK_FALSE(env::is_alive(other));
  CHECK(env::process_identity(env::to_json(self)) == self);
  CHECK_FALSE(env::process_identity(Json{{"pid", 1}}));
}

TEST_CASE("memory that processes share counts once when it is looked at closely", "[env]") {
  constexpr std::size_t kBytes = 64U << 20U;
  [[maybe_unused]] const std::uint64_t before = env::held_memory(::getpid(), false);
  std::vector<char> block(kBytes, 'x');
  int ready[2];
  int done[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(done) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = block[kBytes / 2];
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    ::_exit(::read(done[0], &byte, 1) == 1 ? 0 : 1);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  const std::vector<std::int64_t> below = env::descendants(::getpid());
  CHECK(std::find(below.begin(), below.end(), child) != below.end());
  const auto of_both = [&](bool quick) { return env::held_memory(::getpid(), quick) + env::held_memory(child, quick); };
  CHECK(of_both(true) >= 2 * kBytes);
  CHECK(of_both(false) >= kBytes);
#ifndef __SANITIZE_THREAD__  // a child of that sanitizer has shadow memory of its own
  CHECK(of_both(false) < before + kBytes + kBytes / 2);
#endif
  REQUIRE(::write(done[1], "x", 1) == 1);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(env::held_memory(child, true) == 0);
}

TEST_CASE("ending a session ends the processes of that attempt and no others", "[env]") {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const auto spawn = [&](const char* attempt) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setsid();
      std::string variable = std::string("LOWBIT_ATTEMPT=") + attempt;
      std::string command = "echo >&" + std::to_string(ready[1]) + "; exec sleep 60";
      std::vector<char*> environment{variable.data(), nullptr};
      std::string shell = "/bin/sh";
      std::string flag = "-c";
      std::vector<char*> arguments{shell.data(), flag.data(), command.data(), nullptr};
      ::execve(arguments[0], arguments.data(), environment.data());
      ::_exit(127);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);  // it runs with its own environment now
    return pid;
  };
  const pid_t mine = spawn("aaa");
  const pid_t theirs = spawn("bbb");
  CHECK(env::kill_session(mine, "bbb") == 0);  // the session of one attempt, the name of another
  CHECK(env::kill_session(mine, "aaa") == 1);
  int status = 0;
  ::waitpid(mine, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(::kill(theirs, 0) == 0);
  ::kill(theirs, SIGKILL);
  ::waitpid(theirs, nullptr, 0);
}
