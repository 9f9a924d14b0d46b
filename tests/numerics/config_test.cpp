#include "lm/config.h"

#include <array>
#include <catch2/catch.hpp>

#include "numerics/support/files.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

Json plain_config() {
  return {{"model_type", "llama"},    {"hidden_size", 64},
          {"intermediate_size", 172}, {"num_hidden_layers", 5},
          {"num_attention_heads", 8}, {"num_key_value_heads", 4},
          {"vocab_size", 512},        {"max_position_embeddings", 512},
          {"rms_norm_eps", 1e-5}};
}

std::string error_of(const Json& json) {
  const test::ScratchDirectory dir;
  test::write_text(dir.path() / "config.json", json.dump());
  return dir.error_of([&] { (void)lm::read_model_config(dir.path()); });
}

std::string unsupported(const std::string& what, const std::string& why) {
  return what + " is not supported\n  where: DIR/config.json\n  why: " + why +
         "\n  fix: use a model of a supported family as it was published: docs/numerics.md lists them";
}

std::string malformed(const std::string& why) {
  return "config.json does not describe a model\n  where: DIR/config.json\n  why: " + why +
         "\n  fix: copy or download the file again, or correct the key";
}

Json with(const char* key, const Json& value) {
  Json json = plain_config();
  json[key] = value;
  return json;
}

}  // namespace

TEST_CASE("absent keys of config.json take the defaults of the format", "[config]") {
  const test::ScratchDirectory dir;
  Json json = plain_config();
  json.erase("num_key_value_heads");
  json["eos_token_id"] = {2, 7};
  json["bos_token_id"] = 1;
  test::write_text(dir.path() / "config.json", json.dump());
  const lm::ModelConfig c = lm::read_model_config(dir.path());
  CHECK(c.n_kv_heads == 8);
  CHECK(c.head_dim == 8);
  CHECK(c.rope_theta == 10000.0);
  CHECK_FALSE(c.tied_embeddings);
  CHECK(c.bos_id == 1);
  CHECK_FALSE(c.pad_id);
  CHECK(c.eos_ids == std::vector<int64_t>{2, 7});

  test::write_text(dir.path() / "generation_config.json", R"({"eos_token_id": 9})");
  CHECK(lm::read_model_config(dir.path()).eos_ids == std::vector<int64_t>{9});
}

TEST_CASE("what generation_config.json sets and nobody uses is named", "[config]") {
  const test::ScratchDirectory dir;
  const auto unused = [&] { return lm::unused_generation_settings(dir.path()); };
  CHECK(unused().empty());
  test::write_text(dir.path() / "generation_config.json", R"({"_from_model_config": true, "bos_token_id": 1,
    "eos_token_id": [2, 3], "pad_token_id": 0, "transformers_version": "4.42.3", "do_sample": false, "top_k": null})");
  CHECK(unused().empty());
  test::write_text(dir.path() / "generation_config.json", R"({"top_p": 0.9, "temperature": 0.6, "do_sample": true,
    "max_length": 4096, "eos_token_id": 2})");
  CHECK(unused() == std::vector<std::string>{"do_sample true", "max_length 4096", "temperature 0.6", "top_p 0.9"});
}

TEST_CASE("RoPE parameters are understood in both spellings", "[config]") {
  const test::ScratchDirectory dir;
  const auto theta = [&](const Json& json) {
    test::write_text(dir.path() / "config.json", json.dump());
    return lm::read_model_config(dir.path()).rope_theta;
  };
  CHECK(theta(with("rope_theta", 500000.0)) == 500000.0);
  CHECK(theta(with("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 1e6}})) == 1e6);
  CHECK(theta(with("rope_scaling", {{"type", "default"}})) == 10000.0);
}

TEST_CASE("RoPE for longer contexts is read, and must be whole", "[config]") {
  using Kind = lm::RopeScaling::Kind;
  const test::ScratchDirectory dir;
  const auto scaling = [&](const char* key, const Json& rope) {
    test::write_text(dir.path() / "config.json", with(key, rope).dump());
    return lm::read_model_config(dir.path()).rope_scaling;
  };
  CHECK(scaling("rope_scaling", nullptr).kind == Kind::none);
  const auto linear = scaling("rope_scaling", {{"type", "linear"}, {"factor", 2.0}});
  CHECK(linear.kind == Kind::linear);
  CHECK(linear.factor == 2);
  Json llama3{{"rope_type", "llama3"},
              {"factor", 8.0},
              {"low_freq_factor", 1.0},
              {"high_freq_factor", 4.0},
              {"original_max_position_embeddings", 8192}};
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const auto read = scaling(key, llama3);
    CHECK(read.kind == Kind::llama3);
    CHECK(read.factor == 8);
    CHECK(read.low_freq_factor == 1);
    CHECK(read.high_freq_factor == 4);
    CHECK(read.original_positions == 8192);
  }
  llama3["low_freq_factor"] = 4.0;
  CHECK(error_of(with("rope_scaling", llama3)) ==
        malformed("low_freq_factor is not below high_freq_factor: there is no blend between them"));
  llama3["original_max_position_embeddings"] = 1e300;
  llama3["low_freq_factor"] = 1.0;
  CHECK(error_of(with("rope_scaling", llama3)) ==
        malformed("rope_scaling.original_max_position_embeddings is 1e+300, not an integer from 1 to 2147483647"));
  Json both = with("rope_scaling", {{"type", "linear"}, {"factor", 2.0}});
  both["rope_parameters"] = {{"rope_type", "default"}};
  CHECK(error_of(both) == malformed("it has both rope_scaling and rope_parameters: one of them would be ignored"));
  CHECK(error_of(with("rope_scaling", 8)) == malformed("rope_scaling is not a JSON object"));
  llama3.erase("factor");
  CHECK(error_of(with("rope_scaling", llama3)) == malformed("rope_scaling.factor is missing"));
  llama3["factor"] = -1;
  CHECK(error_of(with("rope_scaling", llama3)) == malformed("rope_scaling.factor is -1, not a positive number"));
}

TEST_CASE("families have their own keys, defaults and parts", "[config]") {
  const test::ScratchDirectory dir;
  const auto read = [&](const Json& json) {
    test::write_text(dir.path() / "config.json", json.dump());
    return lm::read_model_config(dir.path());
  };
  const auto biases = [](const lm::ModelConfig& c) { return std::array{c.qkv_bias, c.o_bias, c.mlp_bias}; };
  CHECK(biases(read(plain_config())) == std::array{false, false, false});
  CHECK(biases(read(with("attention_bias", true))) == std::array{true, true, false});
  CHECK(biases(read(with("mlp_bias", true))) == std::array{false, false, true});

  Json mistral = with("model_type", "mistral");
  CHECK(read(mistral).windows == std::vector<int64_t>(5, 4096));  // the default of an absent key
  mistral["sliding_window"] = nullptr;
  CHECK(read(mistral).windows.empty());
  CHECK(read(mistral).window(3) == 0);
  mistral["sliding_window"] = 7;
  CHECK(read(mistral).window(3) == 7);
  mistral["sliding_window"] = 0;
  CHECK(error_of(mistral) == malformed("sliding_window is 0, not an integer from 1 to 2147483647"));
  mistral.erase("num_key_value_heads");
  mistral["sliding_window"] = nullptr;
  CHECK(error_of(mistral) == malformed("num_key_value_heads is missing"));

  Json qwen = with("architectures", {"Qwen2ForCausalLM"});
  qwen["model_type"] = "qwen2";
  qwen["sliding_window"] = 9;
  CHECK(read(qwen).windows.empty());
  CHECK(biases(read(qwen)) == std::array{true, false, false});
  qwen["use_sliding_window"] = true;
  qwen["max_window_layers"] = 3;
  CHECK(read(qwen).windows == std::vector<int64_t>{0, 0, 0, 9, 9});
  qwen["layer_types"] = {"sliding_attention", "full_attention", "full_attention", "full_attention", "full_attention"};
  CHECK(read(qwen).windows == std::vector<int64_t>{9, 0, 0, 0, 0});
  qwen["layer_types"] = {"full_attention"};
  CHECK(error_of(qwen) == malformed("layer_types is not a list of num_hidden_layers names"));
  qwen["layer_types"] = {"full_attention", "chunked_attention", "full_attention", "full_attention", "full_attention"};
  CHECK(error_of(qwen) ==
        unsupported("attention of type \"chunked_attention\"", "implemented are full_attention and sliding_attention"));

  Json opt{{"model_type", "opt"},
           {"hidden_size", 16},
           {"ffn_dim", 64},
           {"num_hidden_layers", 2},
           {"num_attention_heads", 4},
           {"vocab_size", 50272},
           {"max_position_embeddings", 128},
           {"word_embed_proj_dim", 8},
           {"do_layer_norm_before", false},
           {"bos_token_id", 2},
           {"eos_token_id", 2},
           {"pad_token_id", 1}};
  const lm::ModelConfig c = read(opt);
  CHECK(c.embedding_size == 8);
  CHECK(c.n_kv_heads == 4);
  CHECK(c.head_dim == 4);
  CHECK_FALSE(c.norm_first);
  CHECK_FALSE(c.final_norm);
  CHECK(c.tied_embeddings);
  CHECK(biases(c) == std::array{true, true, true});
  opt["do_layer_norm_before"] = true;
  CHECK(read(opt).final_norm);
  opt["_remove_final_layer_norm"] = true;
  CHECK_FALSE(read(opt).final_norm);
  opt["activation_function"] = "gelu";
  CHECK(error_of(opt) == unsupported("activation_function = \"gelu\"", "only ReLU is implemented for OPT"));
}

TEST_CASE("what would be computed otherwise is refused by name", "[config]") {
  const std::string known = "implemented are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and OPTForCausalLM";
  CHECK(error_of(with("architectures", {"MistralForCausalLM"})) ==
        unsupported("architecture [\"MistralForCausalLM\"]", known + "; model_type is \"llama\""));
  CHECK(error_of(with("model_type", "gemma")) ==
        unsupported("model_type \"gemma\"", known + "; model_type is \"gemma\""));
  CHECK(error_of(with("model_type", nullptr)) == malformed("model_type is missing"));
  CHECK(error_of(with("hidden_act", "gelu")) == unsupported("hidden_act = \"gelu\"", "only SwiGLU is implemented"));
  CHECK(error_of(with("partial_rotary_factor", 0.5)) ==
        unsupported("partial_rotary_factor = 0.5", "RoPE turns whole heads here"));
  CHECK(error_of(with("rope_parameters", {{"rope_type", "yarn"}})) ==
        unsupported("RoPE of type \"yarn\"", "implemented are default, linear and llama3"));
  CHECK(error_of(with("quantization_config", {{"bits", 4}})) ==
        unsupported("quantization_config = {\"bits\":4}",
                    "the weights are quantized already: `lowbit import` reads such a directory"));
}

TEST_CASE("a config.json that contradicts itself is refused", "[config]") {
  CHECK(error_of(with("hidden_size", "64")) == malformed("hidden_size is \"64\", not an integer from 1 to 2147483647"));
  CHECK(error_of(with("hidden_size", nullptr)) == malformed("hidden_size is missing"));
  CHECK(error_of(with("num_key_value_heads", 3)) ==
        malformed("num_attention_heads 8 is not a multiple of num_key_value_heads 3"));
  CHECK(error_of(with("hidden_size", 60)) ==
        malformed("hidden_size 60 is not a multiple of num_attention_heads 8 and head_dim is not given"));
  CHECK(error_of(with("head_dim", 7)) == malformed("head_dim 7 is odd, RoPE needs pairs"));
  CHECK(error_of(with("rms_norm_eps", 0)) == malformed("rms_norm_eps is 0, not a positive number"));
  CHECK(error_of(with("rope_theta", "x")) == malformed("rope_theta is \"x\", not a positive number"));
  CHECK(error_of(with("tie_word_embeddings", 1)) == malformed("tie_word_embeddings is 1, neither true nor false"));
  CHECK(error_of(with("eos_token_id", "</s>")) == malformed("eos_token_id is \"</s>\", not a token id"));
  CHECK(error_of(Json::array()) == malformed("it is not a JSON object"));
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([&] { (void)lm::read_model_config(dir.path()); }) ==
        "cannot read config.json\n  where: DIR/config.json\n  why: no such file\n"
        "  fix: check that the directory is a complete Hugging Face model directory");
}
