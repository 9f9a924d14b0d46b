#include "lm/config.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "lm/error.h"
#include "lm/json_file.h"

namespace lowbit::lm {
namespace {

using Json = nlohmann::json;

constexpr const char* kGenerationFile = "generation_config.json";

class Reader {
 public:
  /// `within`: the keys of `json` are shown as within + key.
  Reader(const Json& json, std::string where, std::string within = "")
      : json_(json), where_(std::move(where)), within_(std::move(within)) {
    if (!json_.is_object())
      malformed((within_.empty() ? "it" : within_.substr(0, within_.size() - 1)) + " is not a JSON object");
  }
  /// The object under `key`. REQUIRES: `json` outlives it.
  [[nodiscard]] Reader within(const Json& json, const std::string& key) const {
    return {json, where_, within_ + key + "."};
  }

  [[noreturn]] void malformed(const std::string& why) const {
    throw Error(Status::bad_input, {.what = "config.json does not describe a model",
                                    .where = where_,
                                    .why = why,
                                    .fix = "copy or download the file again, or correct the key"});
  }
  [[noreturn]] void unsupported(const std::string& what, const std::string& why) const {
    throw Error(Status::bad_input,
                {.what = what + " is not supported",
                 .where = where_,
                 .why = why,
                 .fix = "use a model of a supported family as it was published: docs/numerics.md lists them"});
  }

  [[nodiscard]] Json get(const char* key) const { return json_.value(key, Json()); }
  [[nodiscard]] bool has(const char* key) const { return json_.contains(key); }

  [[nodiscard]] int64_t size(const char* key, std::optional<int64_t> fallback = std::nullopt) const {
    return whole(key, fallback, 1, "an integer from 1 to 2147483647");
  }
  [[nodiscard]] int64_t count(const char* key, std::optional<int64_t> fallback = std::nullopt) const {
    return whole(key, fallback, 0, "an integer from 0 to 2147483647");
  }
  [[nodiscard]] double positive(const char* key, std::optional<double> fallback = std::nullopt) const {
    const Json value = get(key);
    if (value.is_null() && fallback) return *fallback;
    if (!value.is_number() || !(value.get<double>() > 0)) {
      malformed(within_ + key + (value.is_null() ? " is missing" : " is " + value.dump() + ", not a positive number"));
    }
    return value.get<double>();
  }
  /// Refuses every value but null and those that mean the implemented behaviour.
  void require(const char* key, std::initializer_list<Json> accepted, const char* why) const {
    const Json value = get(key);
    if (value.is_null()) return;
    for (const Json& ok : accepted) {
      if (value == ok) return;
    }
    unsupported(std::string(key) + " = " + value.dump(), why);
  }
  [[nodiscard]] bool flag(const char* key, bool fallback) const {
    const Json value = get(key);
    if (value.is_null()) return fallback;
    if (!value.is_boolean()) malformed(within_ + key + " is " + value.dump() + ", neither true nor false");
    return value.get<bool>();
  }
  [[nodiscard]] std::vector<int64_t> ids(const char* key) const {
    const Json value = get(key);
    std::vector<int64_t> result;
    if (value.is_null()) return result;
    for (const Json& id : value.is_array() ? value : Json::array({value})) {
      if (!id.is_number_integer()) malformed(std::string(key) + " is " + value.dump() + ", not a token id");
      if (id.get<int64_t>() >= 0) result.push_back(id.get<int64_t>());  // -1: none, in older files
    }
    return result;
  }

 private:
  [[nodiscard]] int64_t whole(const char* key, std::optional<int64_t> fallback, uint64_t least,
                              const char* wanted) const {
    const Json value = get(key);
    if (value.is_null() && fallback) return *fallback;
    if (!value.is_number_unsigned() || value.get<uint64_t>() < least ||
        value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      malformed(within_ + key + (value.is_null() ? " is missing" : " is " + value.dump() + ", not " + wanted));
    }
    return value.get<int64_t>();
  }

  const Json& json_;
  std::string where_, within_;
};

RopeScaling read_scaling(const Reader& rope) {
  const Json type = rope.get(rope.get("rope_type").is_null() ? "type" : "rope_type");
  RopeScaling scaling;
  if (type.is_null() || type == "default") return scaling;
  if (type != "linear" && type != "llama3") {
    rope.unsupported("RoPE of type " + type.dump(), "implemented are default, linear and llama3");
  }
  scaling.factor = rope.positive("factor");
  if (type == "linear") {
    scaling.kind = RopeScaling::Kind::linear;
    return scaling;
  }
  scaling.kind = RopeScaling::Kind::llama3;
  scaling.low_freq_factor = rope.positive("low_freq_factor");
  scaling.high_freq_factor = rope.positive("high_freq_factor");
  scaling.original_positions = rope.size("original_max_position_embeddings");
  if (scaling.low_freq_factor >= scaling.high_freq_factor) {
    rope.malformed("low_freq_factor is not below high_freq_factor: there is no blend between them");
  }
  return scaling;
}

/// transformers 5 moves rope_theta and rope_scaling into rope_parameters.
void read_rope(const Reader& config, ModelConfig& c) {
  c.rope_theta = config.positive("rope_theta", 10000.0);
  const Json scaling = config.get("rope_scaling");
  const Json parameters = config.get("rope_parameters");
  if (!scaling.is_null() && !parameters.is_null()) {
    config.malformed("it has both rope_scaling and rope_parameters: one of them would be ignored");
  }
  if (scaling.is_null() && parameters.is_null()) return;
  const Reader rope = scaling.is_null() ? config.within(parameters, "rope_parameters")  //
                                        : config.within(scaling, "rope_scaling");
  c.rope_scaling = read_scaling(rope);
  c.rope_theta = rope.positive("rope_theta", c.rope_theta);
}

struct FamilyNames {
  Family family;
  const char* model_type;
  const char* architecture;
};
constexpr std::array<FamilyNames, 4> kFamilies{{{Family::llama, "llama", "LlamaForCausalLM"},
                                                {Family::mistral, "mistral", "MistralForCausalLM"},
                                                {Family::qwen2, "qwen2", "Qwen2ForCausalLM"},
                                                {Family::opt, "opt", "OPTForCausalLM"}}};

/// model_type decides, as in transformers; architectures must agree where it is given.
Family read_family(const Reader& config) {
  const Json type = config.get("model_type");
  const Json architectures = config.get("architectures");
  if (type.is_null()) config.malformed("model_type is missing");
  for (const FamilyNames& names : kFamilies) {
    if (type == names.model_type && (architectures.is_null() || architectures == Json::array({names.architecture}))) {
      return names.family;
    }
  }
  config.unsupported(architectures.is_null() ? "model_type " + type.dump() : "architecture " + architectures.dump(),
                     "implemented are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and OPTForCausalLM; "
                     "model_type is " +
                         type.dump());
}

/// Windows of Mistral and Qwen2, as transformers resolves them.
void read_windows(const Reader& config, ModelConfig& c) {
  const bool mistral = c.family == Family::mistral;
  const bool is_absent = !config.has("sliding_window");
  if (mistral ? !is_absent && config.get("sliding_window").is_null() : !config.flag("use_sliding_window", false)) {
    return;
  }
  const int64_t window = config.size("sliding_window", 4096);
  const int64_t n_full = mistral ? 0 : config.count("max_window_layers", 28);  // the first blocks see everything
  const Json types = config.get("layer_types");
  if (!types.is_null() && (!types.is_array() || types.size() != static_cast<size_t>(c.n_blocks))) {
    config.malformed("layer_types is not a list of num_hidden_layers names");
  }
  for (int64_t i = 0; i < c.n_blocks; ++i) {
    bool windowed = i >= n_full;
    if (!types.is_null()) {
      const Json& type = types[static_cast<size_t>(i)];
      if (type != "sliding_attention" && type != "full_attention") {
        config.unsupported("attention of type " + type.dump(), "implemented are full_attention and sliding_attention");
      }
      windowed = type == "sliding_attention";
    }
    c.windows.push_back(windowed ? window : 0);
  }
}

/// LLaMA and what was built like it.
void read_llama_like(const Reader& config, ModelConfig& c) {
  config.require("hidden_act", {"silu"}, "only SwiGLU is implemented");
  config.require("partial_rotary_factor", {1, 1.0}, "RoPE turns whole heads here");
  if (c.family == Family::llama) {
    c.qkv_bias = c.o_bias = config.flag("attention_bias", false);
    c.mlp_bias = config.flag("mlp_bias", false);
  }
  if (c.family == Family::qwen2) c.qkv_bias = true;
  c.intermediate_size = config.size("intermediate_size");
  c.n_kv_heads = c.family == Family::llama ? config.size("num_key_value_heads", c.n_heads)  //
                                           : config.size("num_key_value_heads");
  if (config.get("head_dim").is_null() && c.hidden_size % c.n_heads != 0) {
    config.malformed("hidden_size " + std::to_string(c.hidden_size) + " is not a multiple of num_attention_heads " +
                     std::to_string(c.n_heads) + " and head_dim is not given");
  }
  c.head_dim = config.size("head_dim", c.hidden_size / c.n_heads);
  c.norm_eps = config.positive("rms_norm_eps", 1e-6);
  read_rope(config, c);
  if (c.n_heads % c.n_kv_heads != 0) {
    config.malformed("num_attention_heads " + std::to_string(c.n_heads) + " is not a multiple of num_key_value_heads " +
                     std::to_string(c.n_kv_heads));
  }
  if (c.head_dim % 2 != 0) config.malformed("head_dim " + std::to_string(c.head_dim) + " is odd, RoPE needs pairs");
  if (c.family == Family::mistral || c.family == Family::qwen2) read_windows(config, c);
  c.tied_embeddings = config.flag("tie_word_embeddings", false);
}

void read_opt(const Reader& config, ModelConfig& c) {
  config.require("activation_function", {"relu"}, "only ReLU is implemented for OPT");
  config.require("layer_norm_elementwise_affine", {true}, "LayerNorm has weights here");
  c.position = ModelConfig::Position::learned;
  c.norm = ModelConfig::Norm::layer;
  c.norm_eps = 1e-5;  // not in config.json
  c.mlp = ModelConfig::Mlp::relu;
  c.qkv_bias = c.o_bias = c.mlp_bias = config.flag("enable_bias", true);
  c.intermediate_size = config.size("ffn_dim");
  c.n_kv_heads = c.n_heads;
  if (c.hidden_size % c.n_heads != 0) {
    config.malformed("hidden_size " + std::to_string(c.hidden_size) + " is not a multiple of num_attention_heads " +
                     std::to_string(c.n_heads));
  }
  c.head_dim = c.hidden_size / c.n_heads;
  c.embedding_size = config.size("word_embed_proj_dim", c.hidden_size);
  c.norm_first = config.flag("do_layer_norm_before", true);
  c.final_norm = c.norm_first && !config.flag("_remove_final_layer_norm", false);
  c.tied_embeddings = config.flag("tie_word_embeddings", true);
}

}  // namespace

const char* name_of(Family family) {
  return std::find_if(kFamilies.begin(), kFamilies.end(), [&](const FamilyNames& n) { return n.family == family; })
      ->model_type;
}

ModelConfig read_model_config(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "config.json";
  const Json json = read_json_file(file);
  const Reader config(json, file.string());

  ModelConfig c;
  c.family = read_family(config);
  config.require("quantization_config", {},
                 "the weights are quantized already: `lowbit import` reads such a directory");
  c.hidden_size = config.size("hidden_size");
  c.embedding_size = c.hidden_size;
  c.n_blocks = config.size("num_hidden_layers");
  c.n_heads = config.size("num_attention_heads");
  c.vocab_size = config.size("vocab_size");
  c.max_positions = config.size("max_position_embeddings", 2048);
  if (c.family == Family::opt) {
    read_opt(config, c);
  } else {
    read_llama_like(config, c);
  }

  const auto first = [](const std::vector<int64_t>& ids) {
    return ids.empty() ? std::nullopt : std::optional(ids.front());
  };
  c.bos_id = first(config.ids("bos_token_id"));
  c.pad_id = first(config.ids("pad_token_id"));
  c.eos_ids = config.ids("eos_token_id");
  const std::filesystem::path generation_file = directory / kGenerationFile;
  if (std::filesystem::exists(generation_file)) {
    const Json generation_json = read_json_file(generation_file);
    const auto ids = Reader(generation_json, generation_file.string()).ids("eos_token_id");
    if (!ids.empty()) c.eos_ids = ids;
  }
  return c;
}

std::vector<std::string> unused_generation_settings(const std::filesystem::path& directory) {
  static const std::set<std::string> known{"_from_model_config", "bos_token_id", "eos_token_id", "pad_token_id",
                                           "transformers_version"};
  std::vector<std::string> settings;
  if (!std::filesystem::exists(directory / kGenerationFile)) return settings;
  const Json json = read_json_file(directory / kGenerationFile);
  for (const auto& [name, value] : json.items()) {
    if (!known.contains(name) && !value.is_null() && value != false) settings.push_back(name + " " + value.dump());
  }
  return settings;
}

}  // namespace lowbit::lm
