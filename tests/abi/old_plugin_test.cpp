#include <catch2/catch.hpp>

#include "plugin/describe.h"
#include "plugin/library.h"
#include "support/fake_host.h"

using namespace lowbit;

TEST_CASE("a plugin built with the headers of interface 1.0 loads, describes itself and runs", "[abi]") {
  const auto described = plugin::describe_file(LOWBIT_OLD_PLUGIN);
  REQUIRE(described.ok());
  CHECK(described->abi_major == 1);
  CHECK(described->abi_minor == 0);
  REQUIRE(described->stages.size() == 1);
  CHECK(described->stages[0].id == "test.interface-1-0");
  CHECK(described->stages[0].seeded);

  const auto plugin = plugin::load_plugin(LOWBIT_OLD_PLUGIN);
  REQUIRE(plugin.ok());
  test::FakeHost host;
  host.seed = 7;
  REQUIRE(host.run((*plugin)->stages[0]->run) == LB_OK);
  CHECK(host.metrics.at(0).name == "x/seed");
  CHECK(host.metrics.at(0).value == 7);
}
