#include <catch2/catch.hpp>

#include "component/plugin/plugin_files.h"
#include "plugin/catalog.h"

using namespace lowbit;
using namespace lowbit::test;
using plugin::PluginCatalog;

namespace {

PluginDescription description(const std::string& bytes, const std::string& id, std::uint32_t major = 1) {
  PluginDescription plugin;
  plugin.library_digest = sha256(bytes);
  plugin.abi_major = major;
  plugin.build = "b";
  plugin.stages.push_back(
      {.id = id,
       .version = "1.0.0",
       .kind = StageKind::dataset,
       .summary = "For tests.",
       .params_schema = Json::parse(R"({"type":"object","additionalProperties":false,"properties":{}})"),
       .inputs = {},
       .outputs = {{.name = "out", .types = {"file"}, .doc = "o"}},
       .environment = {}});
  return plugin;
}

/// A file with these bytes and, beside it, the description of `described` (its own bytes unless said otherwise).
void put(const std::filesystem::path& library, const std::string& bytes, const PluginDescription& side_car) {
  write_bytes(library, bytes);
  auto file = library;
  write_bytes(file.replace_extension(".plugin.json"), to_json(side_car).dump());
}

/// Describes a file as one stage `test.<stem>` and remembers that it was asked.
struct FakeDescriber {
  std::vector<std::string> asked;
  plugin::Describer function() {
    return [this](const std::filesystem::path& library) -> Result<PluginDescription> {
      asked.push_back(library.filename().string());
      if (library.stem() == "broken") return error("LB4012", "it crashes").fix("nothing");
      if (library.stem() == "library") return error("LB4003", "not a plugin").fix("nothing");
      PluginDescription plugin = description(read_bytes(library), "test." + library.stem().string());
      plugin.library = library;
      return plugin;
    };
  }
};

}  // namespace

TEST_CASE("a plugin with a description of its very bytes is not asked again", "[plugin][catalog]") {
  const Scratch dir;
  put(dir / "a.so", "bytes", description("bytes", "test.saved"));
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  CHECK(describer.asked.empty());
  CHECK(catalog.problems().empty());
  CHECK(catalog.ids() == std::vector<std::string>{"test.saved"});
  REQUIRE(catalog.plugin_of("test.saved") != nullptr);
  CHECK(catalog.plugin_of("test.saved")->library == dir / "a.so");
  CHECK(catalog.plugin_of("test.saved")->library_digest == sha256("bytes"));
}

TEST_CASE("a description that is missing, damaged or of other bytes is asked for again", "[plugin][catalog]") {
  const Scratch dir;
  write_bytes(dir / "missing.so", "1");
  write_bytes(dir / "damaged.so", "2");
  write_bytes(dir / "damaged.plugin.json", "{\"format\": 1,");
  put(dir / "other.so", "3", description("older bytes", "test.stale"));
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  CHECK(describer.asked == std::vector<std::string>{"damaged.so", "missing.so", "other.so"});
  CHECK(catalog.ids() == std::vector<std::string>{"test.damaged", "test.missing", "test.other"});
  CHECK(catalog.find("test.stale") == nullptr);
}

TEST_CASE("one bad plugin is reported and the others still work", "[plugin][catalog]") {
  const Scratch dir;
  write_bytes(dir / "broken.so", "1");
  write_bytes(dir / "good.so", "2");
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  CHECK(catalog.ids() == std::vector<std::string>{"test.good"});
  CHECK(render(catalog.problems()) == "error[LB4012]: it crashes\n = help: nothing\n");
}

TEST_CASE("a library that is no plugin is worth a warning only", "[plugin][catalog]") {
  const Scratch dir;
  write_bytes(dir / "library.so", "1");
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  CHECK(render(catalog.problems()) == "warning[LB4003]: not a plugin\n = help: nothing\n");
}

TEST_CASE("a saved description does not let a plugin of another interface in", "[plugin][catalog]") {
  const Scratch dir;
  put(dir / "a.so", "bytes", description("bytes", "test.a", 2));
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  CHECK(catalog.ids().empty());
  CHECK(text_in(dir.path(), catalog.problems()) ==
        "error[LB4006]: `DIR/a.so` was built for another plugin interface\n"
        " = note: expected: 1.0\n"
        " = note: found: 2.0\n"
        " = note: built with: b\n"
        " = help: build the plugin again with the headers of this lowbit\n");
}

TEST_CASE("a saved description keeps the rules of a fresh one", "[plugin][catalog]") {
  const Scratch dir;
  put(dir / "a.so", "bytes", description("bytes", "nameless"));
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  CHECK(catalog.ids().empty());
  CHECK(render(catalog.problems()) ==
        "error[LB4009]: stage `nameless` of `a.so` needs another id\n"
        " = help: name it as VENDOR.METHOD in lower-case letters, digits, - and _: `lowbit.gptq`\n");
}

TEST_CASE("LB4015: a stage that two different plugins offer is offered by neither", "[plugin][catalog]") {
  const Scratch dir;
  put(dir / "a.so", "1", description("1", "test.same"));
  put(dir / "b.so", "2", description("2", "test.same"));
  put(dir / "c.so", "3", description("3", "test.other"));
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  CHECK(catalog.ids() == std::vector<std::string>{"test.other"});
  CHECK(catalog.find("test.same") == nullptr);
  CHECK(catalog.plugin_of("test.same") == nullptr);
  CHECK(text_in(dir.path(), catalog.problems()) ==
        "error[LB4015]: several plugins offer the stage `test.same`\n"
        " = note: offered by DIR/a.so\n"
        " = note: offered by DIR/b.so\n"
        " = help: remove all but one of these files, or rename the stage in the plugin that is yours\n");
}

TEST_CASE("the same file in two directories counts once, where it was found first", "[plugin][catalog]") {
  const Scratch one;
  const Scratch two;
  put(one / "a.so", "1", description("1", "test.a"));
  put(two / "copy.so", "1", description("1", "test.a"));
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({one.path(), two.path()}, describer.function());
  CHECK(catalog.problems().empty());
  CHECK(catalog.plugin_of("test.a")->library == one / "a.so");
}

TEST_CASE("LB4016: a plugin directory that cannot be searched", "[plugin][catalog]") {
  const Scratch dir;
  FakeDescriber describer;
  const auto catalog = PluginCatalog::scan({dir / "gone"}, describer.function());
  CHECK(text_in(dir.path(), catalog.problems()) ==
        "error[LB4016]: cannot search the plugin directory `DIR/gone`\n"
        " = note: No such file or directory\n"
        " = help: correct LOWBIT_PLUGIN_PATH or the option that names it\n");
}

TEST_CASE("the catalog's pointers survive its being moved", "[plugin][catalog]") {
  const Scratch dir;
  put(dir / "a.so", "1", description("1", "test.a"));
  FakeDescriber describer;
  auto catalog = PluginCatalog::scan({dir.path()}, describer.function());
  const StageDescription* before = catalog.find("test.a");
  const PluginCatalog moved = std::move(catalog);
  CHECK(moved.find("test.a") == before);
  CHECK(before->id == "test.a");
}

TEST_CASE("directories are searched in order and once: given, LOWBIT_PLUGIN_PATH, beside the program",
          "[plugin][catalog]") {
  const Scratch dir;
  for (const char* name : {"a", "b", "c"}) std::filesystem::create_directory(dir / name);
  const std::string list = (dir / "b").string() + "::" + (dir / "a").string() + "/:" + (dir / "c").string();
  auto found = plugin::plugin_directories({dir / "a"}, list.c_str());
  const std::filesystem::path own = LOWBIT_BINARY_DIR "/lib/lowbit/plugins";  // this test lies in BINARY_DIR/tests
  if (!found.empty() && std::filesystem::exists(own) && std::filesystem::equivalent(found.back(), own))
    found.pop_back();
  CHECK(found == std::vector<std::filesystem::path>{dir / "a", dir / "b", dir / "c"});
  CHECK(plugin::plugin_directories({}, nullptr).size() <= 1);
}

TEST_CASE("real plugins are found through their descriptions, others through a process of their own",
          "[plugin][catalog]") {
  const Scratch dir;
  for (const char* name : {"crash.so", "export.so", "major.so", "stripped.so"}) {
    std::filesystem::copy_file(kBadPlugins / name, dir / name);
  }
  const auto catalog = PluginCatalog::scan({kToys, dir.path()}, plugin::describe_in_child({.program = kProgram}));
  REQUIRE(catalog.find("lowbit.toy.transform") != nullptr);
  CHECK(catalog.find("lowbit.toy.transform")->resumable);
  CHECK(catalog.plugin_of("lowbit.toy.lie")->library == kToys / "toy-lie.so");
  CHECK(catalog.find("test.bad") != nullptr);  // stripped.so, which is sound
  std::vector<std::string> codes;
  for (const Diagnostic& problem : catalog.problems()) codes.push_back(problem.code);
  CHECK(codes == std::vector<std::string>{"LB4012", "LB4003", "LB4006"});
}
