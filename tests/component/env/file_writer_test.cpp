#include "env/file_writer.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "env/files.h"
#include "support/program.h"

using namespace lowbit;
using test::TemporaryDirectory;

TEST_CASE("a file holds every piece, small ones and large ones, in their order", "[env]") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "rows";
  auto file = env::FileWriter::create(path);
  REQUIRE(file.ok());
  std::string whole;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece =
        i % 1000 == 999 ? std::string(700'000, static_cast<char>('a' + i / 1000)) : "piece " + std::to_string(i) + "\n";
    whole += piece;
    REQUIRE(file->write(piece).ok());
  }
  REQUIRE(file->close().ok());
  const auto read = env::read_file(path);
  REQUIRE(read.ok());
  CHECK(*read == whole);
}

TEST_CASE("a file that is there is not written over", "[env]") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "rows";
  REQUIRE(env::write_file(path, "mine").ok());
  const auto file = env::FileWriter::create(path);
  REQUIRE_FALSE(file.ok());
  CHECK(file.error().front().code == "LB6104");
  CHECK(*env::read_file(path) == "mine");
  CHECK(env::FileWriter::create(directory.path() / "missing" / "rows").error().front().code == "LB6101");
}

TEST_CASE("what a disk does not take is an error at a later piece, or at the end", "[env]") {
  const TemporaryDirectory directory;
  auto file = env::FileWriter::create(directory.path() / "rows");
  REQUIRE(file.ok());
  REQUIRE(file->write("small").ok());  // gathered
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit none = before;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_FSIZE, &none);
  const bool piece_taken = file->write(std::string(1'000'000, 'x')).ok();
  const bool closed = file->close().ok();
  ::setrlimit(RLIMIT_FSIZE, &before);
  CHECK_FALSE(piece_taken);
  CHECK_FALSE(closed);
}
