#include "exec/manifest.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "support/program.h"

using namespace lowbit;
using test::TemporaryDirectory;
using test::write_text;

namespace fs = std::filesystem;

namespace {

Digest digest_of(const fs::path& path) {
  const auto manifest = exec::read_manifest(path, true);
  REQUIRE(manifest.ok());
  return manifest->digest();
}

}  // namespace

TEST_CASE("a manifest is known by paths, sizes and bytes, not by where it lies or when", "[exec]") {
  const TemporaryDirectory one;
  const TemporaryDirectory two;
  for (const TemporaryDirectory* directory : {&two, &one}) {
    fs::create_directories(directory->path() / "b");
    write_text(directory->path() / "b" / "x", "1");
    write_text(directory->path() / "a", "2");
  }
  CHECK(digest_of(one.path()) == digest_of(two.path()));
  write_text(one.path() / "a", "3");
  CHECK(digest_of(one.path()) != digest_of(two.path()));
  write_text(one.path() / "a", "2");
  CHECK(digest_of(one.path()) == digest_of(two.path()));
  fs::rename(one.path() / "a", one.path() / "c");
  CHECK(digest_of(one.path()) != digest_of(two.path()));
}

// The formula in docs/artifacts.md, computed by hand for one file.
TEST_CASE("the digest of a single file does not depend on its name", "[exec]") {
  const TemporaryDirectory directory;
  write_text(directory.path() / "a", "abc");
  write_text(directory.path() / "b", "abc");
  CHECK(digest_of(directory.path() / "a") == digest_of(directory.path() / "b"));
  CHECK(digest_of(directory.path() / "a") ==
        sha256(R"([{"bytes":3,"path":"","sha256":")" + sha256("abc").hex() + R"("}])"));
}

TEST_CASE("an artifact with a link or a pipe in it is refused", "[exec]") {
  const TemporaryDirectory directory;
  fs::create_symlink("/dev/null", directory.path() / "link");
  const auto link = exec::read_manifest(directory.path(), false);
  REQUIRE_FALSE(link.ok());
  CHECK(link.error().front().code == "LB6105");
  fs::remove(directory.path() / "link");
  REQUIRE(::mkfifo((directory.path() / "pipe").c_str(), 0600) == 0);
  const auto pipe = exec::read_manifest(directory.path(), false);
  REQUIRE_FALSE(pipe.ok());
  CHECK(render(pipe.error()) == "error[LB6106]: " + (directory.path() / "pipe").string() +
                                    " is neither a file nor a directory\n"
                                    " = note: sockets, pipes and devices have no bytes to keep\n"
                                    " = help: remove it\n");
}

TEST_CASE("a stat fingerprint changes when a file may have changed", "[exec]") {
  const TemporaryDirectory directory;
  write_text(directory.path() / "a", "1");
  const std::string before = *exec::stat_fingerprint(directory.path());
  CHECK(*exec::stat_fingerprint(directory.path()) == before);
  write_text(directory.path() / "a", "22");
  CHECK(*exec::stat_fingerprint(directory.path()) != before);
  CHECK_FALSE(exec::stat_fingerprint(directory.path() / "missing").ok());
}
