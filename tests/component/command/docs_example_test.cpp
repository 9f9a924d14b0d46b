// The Python program of docs/command-stage.md, as printed there.
#include <catch2/catch.hpp>

#include "command_fixture.h"
#include "exec/artifact_check.h"

using lowbit::test::CommandFixture;

TEST_CASE("the example of docs/command-stage.md runs and writes valid predictions", "[command][docs]") {
  std::ostringstream text;
  text << std::ifstream(std::string(LOWBIT_SOURCE_DIR) + "/docs/command-stage.md").rdbuf();
  const std::string docs = text.str();
  const std::string open = "```python\n";
  const auto begin = docs.find(open);
  REQUIRE(begin != std::string::npos);
  const std::string code =
      docs.substr(begin + open.size(), docs.find("```", begin + open.size()) - begin - open.size());

  CommandFixture stage;
  std::filesystem::create_directories(stage.host.path("task"));
  std::ofstream items(stage.host.path("task/items.jsonl"));
  items << R"({"item_id":"a","problem_id":"a","answer":"4"})" << '\n'
        << R"({"item_id":"b","problem_id":"b","answer":"5"})" << '\n'
        << R"({"item_id":"c","problem_id":"c","answer":"4"})" << '\n';
  items.close();
  stage.host.bind("task", {.path = stage.host.path("task"), .type = "task/1"});
  stage.host.params["args"] = {{"limit", 2}};
  stage.program(code);
  REQUIRE(stage.run() == LB_OK);
  REQUIRE(stage.host.metrics.size() == 1);
  CHECK(stage.host.metrics[0].value == 0.5);
  CHECK(stage.host.metrics[0].count == 2);
  CHECK(stage.host.progress.size() == 2);
  const auto artifact = lowbit::exec::check_artifact("predictions/1", stage.host.path("predictions"));
  REQUIRE(artifact.ok());
  CHECK(artifact->items.size() == 2);
}
