#include "env/files.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "env/file_lock.h"
#include "support/program.h"

using namespace lowbit;
using test::TemporaryDirectory;

namespace fs = std::filesystem;

TEST_CASE("what the system says about a file becomes what, why and what to do", "[env]") {
  CHECK(render(env::file_error("reading", "a/b", ENOENT)) ==
        "error[LB6101]: reading a/b failed\n"
        " = note: there is no such file or directory\n"
        " = help: check the path; was it moved or deleted?\n");
  CHECK(render(env::file_error("writing", "a/b", EACCES)) ==
        "error[LB6102]: writing a/b failed\n"
        " = note: Permission denied\n"
        " = help: make it accessible to this user (chmod, chown), or use another directory\n");
  CHECK(render(env::file_error("writing", "a/b", ENOSPC)) ==
        "error[LB6103]: writing a/b failed\n"
        " = note: No space left on device\n"
        " = help: free some space and run the same command again: finished results are kept\n");
  CHECK(render(env::file_error("writing", "a/b", EIO)) ==
        "error[LB6104]: writing a/b failed\n"
        " = note: Input/output error\n"
        " = help: repair the cause and run the same command again\n");
}

TEST_CASE("a durable write replaces the whole text and leaves nothing else", "[env]") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "a";
  REQUIRE(env::write_file_durably(file, "one").ok());
  REQUIRE(env::write_file_durably(file, "two").ok());
  CHECK(*env::read_file(file) == "two");
  CHECK(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()) == 1);
  const auto nowhere = env::write_file_durably(directory.path() / "no" / "a", "x");
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().front().code == "LB6101");
  const auto directory_as_file = env::read_file(directory.path());
  REQUIRE_FALSE(directory_as_file.ok());
  CHECK(directory_as_file.error().front().code == "LB6104");
}

TEST_CASE("a link or a pipe is durable with its directory: nothing is opened behind it", "[env]") {
  const TemporaryDirectory directory;
  fs::create_symlink("/nowhere", directory.path() / "link");
  REQUIRE(::mkfifo((directory.path() / "pipe").c_str(), 0600) == 0);  // to open it would wait for a writer
  CHECK(env::sync_tree(directory.path()).ok());
}

TEST_CASE("directories are moved into place together", "[env]") {
  const auto n = GENERATE(std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{20});
  const TemporaryDirectory directory;
  fs::create_directory(directory.path() / "to");
  std::vector<std::pair<fs::path, fs::path>> moves;
  for (std::size_t i = 0; i < n; ++i) {
    const std::string name = std::to_string(i);
    fs::create_directories(directory.path() / "from" / name / "out");
    REQUIRE(env::write_file(directory.path() / "from" / name / "out" / "text", name).ok());
    moves.emplace_back(directory.path() / "from" / name, directory.path() / "to" / name);
  }
  REQUIRE(env::rename_durably(moves).ok());
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(*env::read_file(moves[i].second / "out" / "text") == std::to_string(i));
    CHECK_FALSE(env::exists(moves[i].first));
  }
}

TEST_CASE("a lock is held by one at a time and freed when its holder goes", "[env]") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "lock";
  {
    const auto first = env::FileLock::try_take(file);
    REQUIRE(first.ok());
    REQUIRE(first->has_value());
    const auto second = env::FileLock::try_take(file);
    REQUIRE(second.ok());
    CHECK_FALSE(second->has_value());
  }
  const auto third = env::FileLock::try_take(file);
  REQUIRE(third.ok());
  CHECK(third->has_value());
}

namespace {

Result<bool> append(const fs::path& file, const std::string& line) {
  return env::append_line_durably(file, [&](std::string_view) { return std::optional(line); });
}

}  // namespace

TEST_CASE("lines are appended whole, behind a line that was not ended", "[env]") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "ledger";
  REQUIRE(append(file, "one").ok());
  REQUIRE(append(file, "two").ok());
  CHECK(*env::read_file(file) == "one\ntwo\n");
  REQUIRE(env::write_file(file, "one\ntw").ok());
  REQUIRE(append(file, "three").ok());
  CHECK(*env::read_file(file) == "one\ntw\nthree\n");
  std::string seen;
  const auto declined = env::append_line_durably(file, [&](std::string_view text) {
    seen = text;
    return std::optional<std::string>();
  });
  CHECK(*declined == false);
  CHECK(seen == "one\ntw\nthree\n");
  CHECK(*env::read_file(file) == seen);
  CHECK(append(directory.path() / "gone" / "ledger", "one").error().front().code == "LB6101");
}

TEST_CASE("a line that cannot be written whole is taken back", "[env]") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "ledger";
  REQUIRE(append(file, "one").ok());
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{.rlim_cur = 10, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto appended = append(file, std::string(100, 'x'));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK_FALSE(appended.ok());
  CHECK(*env::read_file(file) == "one\n");
}
