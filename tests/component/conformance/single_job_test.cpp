#include "exec/single_job.h"

#include "component/conformance/conformance_fixture.h"
#include "plugin/describe_in_child.h"

using namespace lowbit;
using namespace lowbit::test;

namespace {

/// The stage of toy.so, run once into `destination`.
Result<exec::SingleResult> run_once(const std::string& stage, const Json& params,
                                    const std::filesystem::path& destination) {
  const auto plugin = plugin::describe_in_child({.program = kProgram})(kToys / "toy.so");
  REQUIRE(plugin.ok());
  for (const StageDescription& one : plugin->stages) {
    if (one.id != stage) continue;
    return exec::run_single_job(
        one, {.program = kProgram, .library = kToys / "toy.so", .params = params, .destination = destination});
  }
  FAIL("toy.so has no stage " << stage);
  std::abort();
}

}  // namespace

TEST_CASE("a single job leaves its output at the destination and nothing beside it", "[single-job]") {
  const Directory files;
  const auto out = files.path() / "out";
  const auto result = run_once("lowbit.toy.source", {{"text", "toy"}, {"lines", 2}}, out);
  if (!result.ok()) FAIL(render(result.error()));
  CHECK(result->type == "file");
  CHECK(result->bytes > 0);
  CHECK_FALSE(std::filesystem::is_empty(out));
  CHECK(std::distance(std::filesystem::directory_iterator(files.path()), std::filesystem::directory_iterator()) == 1);
  const auto again = run_once("lowbit.toy.source", {{"text", "toy"}, {"lines", 2}}, out);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().front().code == "LB0015");
}

TEST_CASE("a single job that crashes leaves nothing", "[single-job]") {
  const Directory files;
  const auto result = run_once("lowbit.toy.crash", Json::object(), files.path() / "out");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().front().code == "LB4102");
  CHECK_THAT(result.error().front().what, Catch::Contains("signal 11"));
  CHECK(exit_code(result.error()) == 3);
  CHECK(std::filesystem::is_empty(files.path()));
}
