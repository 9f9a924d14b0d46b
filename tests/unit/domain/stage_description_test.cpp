#include "domain/stage_description.h"

#include <catch2/catch.hpp>

using namespace lowbit;

namespace {

PluginDescription example() {
  PluginDescription plugin;
  plugin.abi_major = 1;
  plugin.build = "g++ 12";
  plugin.library_digest = sha256("so");
  plugin.stages.push_back(
      {.id = "lowbit.gptq",
       .version = "1.0.0",
       .kind = StageKind::quantizer,
       .summary = "GPTQ",
       .params_schema = {{"type", "object"}},
       .inputs = {{.name = "model", .types = {"model/1", "adapter/1"}, .doc = "a model"},
                  {.name = "more", .types = {"file"}, .doc = "files", .optional = true, .many = true}},
       .outputs = {{.name = "quantized", .types = {"quantized-model/1"}, .doc = "codes"}},
       .environment = {"HF_HOME"},
       .seeded = true,
       .resumable = true});
  return plugin;
}

std::string refusal(const Json& json) {
  const auto plugin = plugin_description(json);
  REQUIRE_FALSE(plugin.ok());
  return render(plugin.error());
}

}  // namespace

TEST_CASE("a plugin description survives its file", "[domain]") {
  const Json json = to_json(example());
  const auto back = plugin_description(json);
  REQUIRE(back.ok());
  CHECK(to_json(*back) == json);
  CHECK(back->stages.front().input("model")->accepts("adapter/1"));
  CHECK_FALSE(back->stages.front().input("model")->accepts("file"));
  CHECK(back->stages.front().output("model") == nullptr);
}

TEST_CASE("a description of another format, or a damaged one, is refused with the remedy", "[domain]") {
  Json json = to_json(example());
  json["format"] = 2;
  CHECK(refusal(json) ==
        "error[LB4002]: the plugin description has format 2, this lowbit reads 1\n"
        " = help: rebuild the plugin\n");
  json = to_json(example());
  json["library_sha256"] = "abc";
  CHECK(refusal(json) ==
        "error[LB4002]: the plugin description holds no valid library_sha256\n"
        " = help: rebuild the plugin\n");
  json = to_json(example());
  json["stages"][0]["kind"] = "pruner";
  CHECK(refusal(json) ==
        "error[LB4002]: the plugin description names an unknown stage kind \"pruner\"\n"
        " = help: rebuild the plugin, or use a newer lowbit\n");
  json = to_json(example());
  json["stages"][0].erase("summary");
  CHECK_THAT(refusal(json), Catch::StartsWith("error[LB4002]: the plugin description cannot be read\n"));
}

TEST_CASE("every kind has a name and is found by it", "[domain]") {
  for (const StageKind kind :
       {StageKind::quantizer, StageKind::trainer, StageKind::evaluator, StageKind::judge, StageKind::dataset}) {
    CHECK(stage_kind(name_of(kind)) == kind);
  }
  CHECK_FALSE(stage_kind("pruner"));
}
