#include <catch2/catch.hpp>

#include <lowbit/json_lines.hpp>

#include "component/plugin/plugin_files.h"

using namespace lowbit;
using namespace lowbit::test;
using nlohmann::json;

namespace {

template <class Work>
std::pair<lb_status, ErrorText> failure(Work&& work) {
  try {
    work();
  } catch (const StageError& e) {
    return {e.status(), e.text()};
  }
  return {LB_OK, {}};
}

}  // namespace

TEST_CASE("what was written as JSON lines is read back", "[sdk][json_lines]") {
  const Scratch dir;
  const std::vector<json> rows{{{"item_id", "a"}, {"text", "two\nlines"}}, {{"item_id", "b"}, {"correct", nullptr}}};
  JsonLinesWriter writer(dir / "rows.jsonl");
  for (const json& row : rows) writer.write(row);
  writer.close();
  CHECK(read_bytes(dir / "rows.jsonl") ==
        "{\"item_id\":\"a\",\"text\":\"two\\nlines\"}\n{\"correct\":null,\"item_id\":\"b\"}\n");
  CHECK(read_json_lines(dir / "rows.jsonl") == rows);
}

TEST_CASE("text that is not UTF-8 is written with replacement characters, not refused", "[sdk][json_lines]") {
  const Scratch dir;
  JsonLinesWriter writer(dir / "rows.jsonl");
  writer.write({{"text", "\xff"}});
  writer.close();
  CHECK(read_json_lines(dir / "rows.jsonl").at(0).at("text") == "\xef\xbf\xbd");
}

TEST_CASE("a line that is not JSON is named", "[sdk][json_lines]") {
  const Scratch dir;
  write_bytes(dir / "rows.jsonl", "{\"a\":1}\n\n{\"a\":\n");
  const auto [status, text] = failure([&] { (void)read_json_lines(dir / "rows.jsonl"); });
  CHECK(status == LB_BAD_INPUT);
  CHECK(text.what == "line 3 of rows.jsonl cannot be read");
  CHECK(text.where == (dir / "rows.jsonl").string() + ":3");
  CHECK(text.fix == "repair the line, or run the stage that wrote the file again");
}

TEST_CASE("a line that lacks a key is named as well", "[sdk][json_lines]") {
  const Scratch dir;
  write_bytes(dir / "rows.jsonl", "{\"a\":1}\n{\"b\":1}\n");
  int sum = 0;
  const auto [status, text] = failure([&] {
    for_each_json_line(dir / "rows.jsonl", [&](const json& row, std::size_t) { sum += row.at("a").get<int>(); });
  });
  CHECK(sum == 1);
  CHECK(status == LB_BAD_INPUT);
  CHECK(text.what == "line 2 of rows.jsonl cannot be read");
  CHECK_THAT(text.why, Catch::Contains("key 'a' not found"));
}

TEST_CASE("a missing file and an unwritable place are told apart", "[sdk][json_lines]") {
  const Scratch dir;
  const auto [read_status, read_error] = failure([&] { (void)read_json_lines(dir / "gone.jsonl"); });
  CHECK(read_status == LB_BAD_INPUT);
  CHECK(read_error.what == "cannot open gone.jsonl");
  const auto [write_status, write_error] = failure([&] { JsonLinesWriter writer(dir / "gone/rows.jsonl"); });
  CHECK(write_status == LB_RESOURCE);
  CHECK(write_error.what == "cannot write rows.jsonl");
}

TEST_CASE("a full disk is reported by close() at the latest", "[sdk][json_lines]") {
  const auto [status, text] = failure([] {
    JsonLinesWriter writer("/dev/full");
    writer.write({{"a", 1}});
    writer.close();
  });
  CHECK(status == LB_RESOURCE);
  CHECK(text.what == "cannot write full");
}
