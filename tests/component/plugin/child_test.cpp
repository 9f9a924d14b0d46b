#include <catch2/catch.hpp>

#include <chrono>

#include "component/plugin/plugin_files.h"
#include "plugin/describe_in_child.h"

using namespace lowbit;
using namespace lowbit::test;

namespace {

Result<PluginDescription> describe(const std::filesystem::path& library,
                                   std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  return plugin::describe_in_child({.program = kProgram, .limit = limit})(library);
}

const std::string kHelp =
    " = help: report this to the plugin's author; `lowbit worker --describe FILE --output FILE` repeats it\n";

}  // namespace

TEST_CASE("a plugin is described in a process of its own", "[plugin][child]") {
  const auto described = describe(kToys / "toy-lie.so");
  REQUIRE(described.ok());
  CHECK(described->library == kToys / "toy-lie.so");
  CHECK(described->stages.at(0).id == "lowbit.toy.lie");
  CHECK(to_json(*described) == Json::parse(read_bytes(kToys / "toy-lie.plugin.json")));
}

TEST_CASE("what is wrong with a plugin comes back from the process as it was found", "[plugin][child]") {
  const auto described = describe(kBadPlugins / "major.so");
  REQUIRE_FALSE(described.ok());
  CHECK(text_in(kBadPlugins, described.error()) ==
        "error[LB4006]: `DIR/major.so` was built for another plugin interface\n"
        " = note: expected: 1.0\n"
        " = note: found: 2.0\n"
        " = help: build the plugin again with the headers of this lowbit\n");
}

TEST_CASE("LB4012: a plugin that crashes while it is loaded costs a diagnostic", "[plugin][child]") {
  const auto described = describe(kBadPlugins / "crash.so");
  REQUIRE_FALSE(described.ok());
  CHECK(text_in(kBadPlugins, described.error()) ==
        "error[LB4012]: the plugin `DIR/crash.so` crashes when it is loaded and described\n"
        " = note: its process was ended by signal 11 (Segmentation fault)\n"
        " = note: its last words: about to fall\n" +
            kHelp);
}

TEST_CASE("LB4012: a plugin that leaves the process is not taken for described", "[plugin][child]") {
  const auto described = describe(kBadPlugins / "exit.so");
  REQUIRE_FALSE(described.ok());
  CHECK(text_in(kBadPlugins, described.error()) ==
        "error[LB4012]: the plugin `DIR/exit.so` crashes when it is loaded and described\n"
        " = note: its process exited with status 0\n" +
            kHelp);
}

TEST_CASE("LB4013: a plugin that hangs is ended", "[plugin][child]") {
  const auto described = describe(kBadPlugins / "hang.so", std::chrono::milliseconds(200));
  REQUIRE_FALSE(described.ok());
  CHECK(text_in(kBadPlugins, described.error()) ==
        "error[LB4013]: the plugin `DIR/hang.so` hangs when it is loaded and described\n"
        " = note: it was ended after 200 ms\n" +
            kHelp);
}

TEST_CASE("LB4014: no process can be started", "[plugin][child]") {
  const auto described = plugin::describe_in_child({.program = "/no/such/program"})(kToys / "toy.so");
  REQUIRE_FALSE(described.ok());
  CHECK(text_in(kToys, described.error()) ==
        "error[LB4014]: no process could be started to describe the plugin `DIR/toy.so`\n"
        " = note: No such file or directory\n"
        " = help: free memory, processes or space for temporary files, then run again\n");
}
