#include "plugin/digest_memory.h"

#include <catch2/catch.hpp>

#include "component/plugin/plugin_files.h"
#include "plugin/library.h"

using lowbit::Digest;
using lowbit::plugin::digest_of_file;
using lowbit::plugin::DigestMemory;
using lowbit::test::read_bytes;
using lowbit::test::Scratch;
using namespace std::chrono_literals;

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

/// As if the file had been there for a while.
const auto kLater = std::chrono::system_clock::now() + 1h;

}  // namespace

TEST_CASE("a digest is remembered as long as the file is as it was", "[plugin][digest]") {
  const Scratch scratch;
  const auto library = scratch / "a.so";
  const auto file = scratch / "cache";
  write(library, "one");
  const Digest one = *digest_of_file(library);
  DigestMemory first = DigestMemory::load(file / "digests.json");
  CHECK(*first.digest_of(library, kLater) == one);
  first.save();

  // What stands in the memory is believed: another digest put there comes back.
  std::string text = read_bytes(file / "digests.json");
  const std::string other(64, 'a');
  text.replace(text.find(one.hex()), 64, other);
  write(file / "digests.json", text);
  DigestMemory second = DigestMemory::load(file / "digests.json");
  CHECK(second.digest_of(library, kLater)->hex() == other);

  write(library, "another");
  CHECK(*second.digest_of(library, kLater) == *digest_of_file(library));
  CHECK(*second.digest_of(library, kLater) != one);
}

TEST_CASE("a file that was just written is read each time", "[plugin][digest]") {
  const Scratch scratch;
  const auto library = scratch / "a.so";
  write(library, "one");
  DigestMemory memory = DigestMemory::load(scratch / "digests.json");
  CHECK(*memory.digest_of(library, std::chrono::system_clock::time_point{}) == *digest_of_file(library));
  memory.save();
  CHECK_FALSE(std::filesystem::exists(scratch / "digests.json"));
}

TEST_CASE("a damaged memory, one that cannot be written, and a missing file change nothing", "[plugin][digest]") {
  const Scratch scratch;
  const auto library = scratch / "a.so";
  write(library, "one");
  for (const char* text : {"", "{", "[]", R"({"x":1})", R"({"x":["1","short"]})"}) {
    write(scratch / "digests.json", text);
    DigestMemory memory = DigestMemory::load(scratch / "digests.json");
    CHECK(*memory.digest_of(library, kLater) == *digest_of_file(library));
  }
  write(scratch / "file", "");
  DigestMemory nowhere = DigestMemory::load(scratch / "file" / "digests.json");
  CHECK(nowhere.digest_of(library, kLater).ok());
  nowhere.save();
  DigestMemory memory = DigestMemory::load({});
  CHECK_FALSE(memory.digest_of(scratch / "nothing.so", kLater).ok());
}
