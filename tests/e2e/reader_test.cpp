// Other programs read results.db while a run writes: with Python's sqlite3, as docs/results-schema.md tells people to.
#include <chrono>
#include <filesystem>
#include <sstream>

#include "e2e/project.h"

using namespace lowbit::test;
namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

namespace {

constexpr std::size_t kSmall = 5, kMany = 150;

std::string study(std::size_t n) {
  std::string seeds;
  for (std::size_t i = 0; i < n; ++i) seeds += (i == 0 ? "" : ", ") + std::to_string(i);
  return "experiment: study\nseeds: [" + seeds + "]\nstages:\n  - {id: noise, use: lowbit.toy.seeded-source}\n" +
         "  - {id: mix, use: lowbit.toy.transform, with: {in: noise.out}}\n";
}

// Holds one read transaction until a file `release` appears. Says what it counts at first, before the end of the
// transaction and after it.
constexpr const char* kHolds = R"py(
import os, sqlite3, time
db = sqlite3.connect("file:.lowbit/results.db?mode=ro", uri=True, isolation_level=None)
count = lambda: db.execute("SELECT count(*) FROM v_results").fetchone()[0]
db.execute("BEGIN")
first = count()
open("holding", "w").close()
while not os.path.exists("release"):
    time.sleep(0.01)
held = count()
db.execute("COMMIT")
print(first, held, count())
)py";

// Reads again and again until a file `release` appears. Says how often, and how many bytes the log had at most.
constexpr const char* kReads = R"py(
import os, sqlite3, time
db = sqlite3.connect("file:.lowbit/results.db?mode=ro", uri=True, isolation_level=None, timeout=0)
n = largest = 0
open("holding", "w").close()
while not os.path.exists("release"):
    db.execute("SELECT count(*), avg(mean), max(std) FROM v_agg").fetchone()
    n += 1
    largest = max(largest, os.path.getsize(".lowbit/results.db-wal"))
    time.sleep(0.005)
print(n, largest)
)py";

struct Watched {
  Seconds took;
  std::string reader;  ///< what it said
};

/// Runs `project` to `n` seeds while a reader is at work.
Watched run_beside(const Project& project, std::size_t n, const std::string& reader) {
  Program reading({"/usr/bin/env", "python3", "-c", reader}, project.path(), {});
  wait_until([&] { return fs::exists(project.path() / "holding"); });
  project.edit(study(n));
  const auto begin = std::chrono::steady_clock::now();
  const Ended run = project.run();
  const Seconds took = std::chrono::steady_clock::now() - begin;
  write_text(project.path() / "release", "");
  const Ended ended = reading.wait();
  INFO(run.err << ended.err);
  REQUIRE(run.status == 0);
  REQUIRE(ended.status == 0);
  return {.took = took, .reader = ended.out};
}

std::uintmax_t log_size(const Project& project) {
  const fs::path log = project.path() / ".lowbit" / "results.db-wal";
  return fs::exists(log) ? fs::file_size(log) : 0;
}

}  // namespace

TEST_CASE("a reader that holds its transaction blocks no run and keeps seeing what it saw", "[e2e][readers]") {
  const Project alone(study(kSmall));
  REQUIRE(alone.run().status == 0);
  alone.edit(study(kMany));
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(alone.run().status == 0);
  const Seconds took_alone = std::chrono::steady_clock::now() - begin;

  const Project project(study(kSmall));
  REQUIRE(project.run().status == 0);
  const std::string before = project.query("SELECT count(*) FROM v_results");
  const Watched watched = run_beside(project, kMany, kHolds);
  const std::string after = project.query("SELECT count(*) FROM v_results");
  CHECK(project.results() == alone.results());
  std::istringstream said(watched.reader);
  std::string first;
  std::string held;
  std::string last;
  said >> first >> held >> last;
  CHECK(first + "\n" == before);
  CHECK(held == first);
  CHECK(last + "\n" == after);
  CHECK(before != after);
  // A writer that waited for the reader would have waited for ever: nobody lets go before the run has ended. The rest
  // is what a busy machine may add.
  CHECK(watched.took < 3 * took_alone + Seconds(5));

  // What the transaction kept from being written back goes with the next run.
  project.edit(study(kMany + 1));
  REQUIRE(project.run().status == 0);
  CHECK(log_size(project) == 0);
}

TEST_CASE("readers that come and go see every state of a run, and the log beside the database stays small",
          "[e2e][readers]") {
  const Project project(study(kSmall));
  REQUIRE(project.run().status == 0);
  const Watched watched = run_beside(project, kMany, kReads);
  std::istringstream said(watched.reader);
  std::size_t n_reads = 0;
  std::uintmax_t largest = 0;
  said >> n_reads >> largest;
  CHECK(n_reads > 5);
  CHECK(largest > 0);
  // SQLite writes the log back at 1000 pages of 4 KiB, or when no reader is in the way after that; that of the whole
  // run would be 17 MiB.
  CHECK(largest < 3U * 1000 * 4096);
}
