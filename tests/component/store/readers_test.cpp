#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "component/store/fixture.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

constexpr int kGroup = 4;
constexpr int kGroups = 25;

void write_groups(Writer& writer) {
  for (int g = 0; g < kGroups; ++g) {
    std::vector<Publication> group;
    for (int i = 0; i < kGroup; ++i) {
      group.push_back(writer.publication(std::to_string(g) + "/" + std::to_string(i), "score"));
    }
    must(writer.store().publish(group, false));
  }
}

/// One look at the database: the number of results, or -1 when it shows part of a group, or -2 when it is refused.
int look(const std::filesystem::path& file) {
  const auto table = query_sqlite(file,
                                  "SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM metrics), "
                                  "(SELECT count(*) FROM artifacts), (SELECT count(*) FROM provenance)");
  if (!table) return -2;
  const int results = table->rows.at(0).at(0)->get<int>();
  for (const auto& cell : table->rows.at(0)) {
    if (cell->get<int>() != results) return -1;
  }
  return results % kGroup == 0 ? results : -1;
}

}  // namespace

TEST_CASE("readers see whole groups and never wait while a writer writes", "[store][readers]") {
  const Directory dir;
  Writer writer(dir.database());
  std::atomic<bool> written{false};
  std::atomic<int> torn{0};
  std::atomic<int> looks{0};
  std::thread reader([&] {
    int last = 0;
    do {
      const int now = look(dir.database());
      if (now < last) ++torn;
      last = now;
      ++looks;
    } while (!written);
  });
  write_groups(writer);
  written = true;
  reader.join();
  CHECK(torn == 0);
  CHECK(looks > 0);
  CHECK(look(dir.database()) == kGroup * kGroups);
}

TEST_CASE("another process reads whole groups while a writer writes", "[store][readers]") {
  const Directory dir;
  { must(open_sqlite(dir.database(), Access::read_write)); }
  int begin[2];
  int end[2];
  REQUIRE(::pipe(begin) == 0);
  REQUIRE(::pipe(end) == 0);
  const pid_t child = ::fork();  // before this process opens a connection: those must not cross a fork
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(end[1]);
    int last = look(dir.database());
    const bool told = ::write(begin[1], "x", 1) == 1;
    pollfd writer_done{.fd = end[0], .events = POLLIN, .revents = 0};
    bool torn = !told || last != 0;
    do {
      const int now = look(dir.database());
      torn = torn || now < last;
      last = now;
    } while (::poll(&writer_done, 1, 0) == 0);
    ::_exit(torn || look(dir.database()) != kGroup * kGroups ? 1 : 0);
  }
  ::close(end[0]);
  char ready = 0;
  REQUIRE(::read(begin[0], &ready, 1) == 1);
  {
    Writer writer(dir.database());
    write_groups(writer);
  }
  ::close(end[1]);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  ::close(begin[0]);
  ::close(begin[1]);
}

TEST_CASE("a reader cannot write", "[store][readers]") {
  const Directory dir;
  { const Writer first(dir.database()); }
  const auto reader = must(open_sqlite(dir.database(), Access::read_only));
  CHECK(dir.error_of(reader->take_lease("h", "b", 1)) ==
        "error[LB6007]: access to `DIR/results.db` was denied\n"
        " = note: while taking the lease: attempt to write a readonly database\n"
        " = help: make the file and its directory readable and writable for this user, then give the same command "
        "again\n");
  CHECK(must(reader->current_lease())->epoch == 1);
}

// Not part of the suite: `component_store "[.measure]" -s` prints results stored per second.
TEST_CASE("how many results a second are stored", "[.measure]") {
  const std::size_t group = GENERATE(1U, 64U);
  const Directory dir;
  Writer writer(dir.database());
  constexpr std::size_t kResults = 6400;
  std::vector<Publication> all;
  for (std::size_t i = 0; i < kResults; ++i) all.push_back(writer.publication(std::to_string(i), "score"));
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kResults; i += group) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(i);
    must(writer.store().publish({first, first + static_cast<std::ptrdiff_t>(group)}, false));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  WARN("groups of " << group << ": " << static_cast<double>(kResults) / seconds.count() << " results/s");
}
