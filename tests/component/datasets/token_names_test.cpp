#include <fstream>

#include "lm/json_file.h"
#include "lm/tokenizer.h"
#include "support/stage_fixture.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

Json added(int id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

struct Naming {
  test::StageFixture stage{"lowbit.name-tokens"};

  Naming() {
    const auto model = stage.input("model");
    // Bytes of "a" and "b" as GPT-2 writes them, and two reserved tokens among others.
    lm::write_json_file(
        model / "tokenizer.json",
        {{"version", "1.0"},
         {"added_tokens",
          {added(2, "<|begin|>"), added(3, "<|reserved_special_token_0|>"), added(4, "<|reserved_special_token_1|>")}},
         {"normalizer", nullptr},
         {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
         {"post_processor", nullptr},
         {"decoder", {{"type", "ByteLevel"}}},
         {"model", {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}}}, {"merges", Json::array()}}}});
    lm::write_json_file(model / "tokenizer_config.json",
                        {{"added_tokens_decoder", {{"3", {{"content", "<|reserved_special_token_0|>"}}}}}});
    lm::write_json_file(model / "config.json", {{"model_type", "llama"}});
    std::ofstream(model / "model.safetensors", std::ios::binary) << std::string(100, '\xff');
    stage.host.bind("model", {.path = model.string(), .type = "model/1"});
  }
};

}  // namespace

TEST_CASE("reserved tokens get names, and everything else stays", "[token-names]") {
  Naming n;
  n.stage.host.params = {{"tokens", {"<|begin|>", "<|step_start|>", "<|step_end|>"}}};
  REQUIRE(n.stage.run() == LB_OK);
  const Json tokenizer = Json::parse(n.stage.read("model/tokenizer.json"));
  CHECK(tokenizer["added_tokens"][1]["content"] == "<|step_start|>");
  CHECK(tokenizer["added_tokens"][1]["id"] == 3);
  CHECK(tokenizer["added_tokens"][2]["content"] == "<|step_end|>");
  const Json config = Json::parse(n.stage.read("model/tokenizer_config.json"));
  CHECK(config["added_tokens_decoder"]["3"]["content"] == "<|step_start|>");
  CHECK(n.stage.read("model/model.safetensors") == std::string(100, '\xff'));
  CHECK(n.stage.read("model/config.json") == test::read_text(n.stage.input("model") / "config.json"));
  CHECK(n.stage.metric("data/n_items").value == 2);
}

TEST_CASE("too few reserved tokens, and names that are none, are refused", "[token-names]") {
  Naming few;  // four names by default
  CHECK(few.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(few.stage.error(), Catch::Contains("2 are reserved, 4 names are wanted"));
  Naming twice;
  twice.stage.host.params = {{"tokens", {"<|a|>", "<|a|>"}}};
  CHECK(twice.stage.run() == LB_BAD_PARAM);
  for (const char* name : {"a", "<|reserved_special_token_1|>", ""}) {
    Naming taken;
    taken.stage.host.params = {{"tokens", {"<|step_start|>", name}}};
    CHECK(taken.stage.run() == LB_BAD_PARAM);
  }
  Naming none;
  std::filesystem::remove(none.stage.input("model") / "tokenizer.json");
  CHECK(none.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(none.stage.error(), Catch::StartsWith("the model has no tokenizer.json\n"));
}

TEST_CASE("Llama 3's tags become single tokens under its reserved ids", "[token-names]") {
  const std::filesystem::path shared = std::filesystem::path(LOWBIT_SOURCE_DIR) / "../shared/data/tokenizers/llama3";
  if (!std::filesystem::exists(shared)) {
    WARN("skipped: ../shared/data is not there");
    return;
  }
  test::StageFixture stage("lowbit.name-tokens");
  stage.host.bind("model", {.path = shared.string(), .type = "model/1"});
  REQUIRE(stage.run() == LB_OK);
  const auto tokenizer = lm::Tokenizer::open(stage.host.directory / "model" / "tokenizer.json");
  const auto ids =
      tokenizer.encode("<|step_start|>one<|step_end|><|answer_start|>2<|answer_end|>", lm::Tokenizer::Special::skip);
  CHECK(ids == std::vector<std::int64_t>{128002, 606, 128003, 128004, 17, 128005});
  CHECK(tokenizer.encode("This is a test sentence.", lm::Tokenizer::Special::skip) ==
        std::vector<std::int64_t>{2028, 374, 264, 1296, 11914, 13});
}
