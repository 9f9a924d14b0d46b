#include "openai/paid_calls.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <lowbit/errors.hpp>
#include <thread>

#include "support/program.h"

using namespace lowbit;
using lowbit::openai::PaidCalls;
using Json = nlohmann::json;

namespace {
Json record(const std::string& key, bool answered, const std::string& text = "") {
  return {{"format", 1}, {"key", key}, {"answered", answered}, {"response", text}};
}
}  // namespace

TEST_CASE("what was appended is there for the next reader, and only its own keys", "[openai]") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "paid-calls.jsonl";
  PaidCalls first(file, {"a", "b"});
  CHECK(first.answer("a") == nullptr);
  first.append(record("a", false));
  CHECK(first.answer("a") == nullptr);
  first.append(record("a", true, "one"));
  first.append(record("a", true, "two"));
  first.append(record("x", true));
  const PaidCalls second(file, {"a"});
  CHECK(second.records("a").size() == 3);
  REQUIRE(second.answer("a") != nullptr);
  CHECK((*second.answer("a"))["response"] == "one");
  CHECK(second.records("x").empty());
  CHECK(second.answer("b") == nullptr);
}

TEST_CASE("what another stage appends is seen after a refresh", "[openai]") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "paid-calls.jsonl";
  PaidCalls mine(file, {"a"});
  PaidCalls(file, {}).append(record("a", true, "theirs"));
  CHECK(mine.answer("a") == nullptr);
  mine.refresh();
  REQUIRE(mine.answer("a") != nullptr);
  CHECK((*mine.answer("a"))["response"] == "theirs");
}

TEST_CASE("a line that a kill cut off costs its own record only", "[openai]") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "paid-calls.jsonl";
  const std::string whole = record("a", true).dump() + "\n";
  for (std::size_t kept = 0; kept < whole.size() - 1; ++kept) {
    test::write_text(file, whole + whole.substr(0, kept));
    PaidCalls calls(file, {"a", "b"});
    REQUIRE(calls.records("a").size() == 1);
    calls.append(record("b", true));
    REQUIRE(calls.answer("b") != nullptr);
    REQUIRE(PaidCalls(file, {"a", "b"}).records("a").size() == 1);
  }
}

TEST_CASE("records of another format and lines of no kind are passed over", "[openai]") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "paid-calls.jsonl";
  test::write_text(file, "[]\n7\n\n{\"format\":2,\"key\":\"a\",\"answered\":true}\n{\"format\":1,\"key\":5}\n" +
                             record("a", true, std::string(200000, 'x')).dump() + "\n");
  const PaidCalls calls(file, {"a"});
  REQUIRE(calls.records("a").size() == 1);
  CHECK((*calls.answer("a"))["response"].get<std::string>().size() == 200000);
}

TEST_CASE("appenders at the same time do not mix their lines", "[openai]") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "paid-calls.jsonl";
  constexpr int kEach = 20;
  const auto append = [&](const std::string& key) {
    PaidCalls calls(file, {key});
    for (int i = 0; i < kEach; ++i) calls.append(record(key, true, std::string(30000, key[0])));
  };
  std::thread other([&] { append("b"); });
  append("a");
  other.join();
  const PaidCalls all(file, {"a", "b"});
  CHECK(all.records("a").size() == kEach);
  CHECK(all.records("b").size() == kEach);
}

TEST_CASE("a file that cannot be written is a failure of the machine that names it", "[openai]") {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "missing" / "paid-calls.jsonl";
  try {
    PaidCalls(file, {"a"}).append(record("a", true));
    FAIL("it was written");
  } catch (const StageError& e) {
    CHECK(e.status() == LB_RESOURCE);
    CHECK(e.text().what == "the paid-calls file cannot be written");
    CHECK(e.text().where == file.string());
    CHECK(e.text().why == "No such file or directory");
  }
}
