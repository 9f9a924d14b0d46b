#include <algorithm>
#include <optional>
#include <set>

#include "lm/adapter.h"
#include "lm/error.h"
#include "lm/files.h"
#include "lm/finite.h"
#include "lm/formats/awq.h"
#include "lm/formats/bitsandbytes.h"
#include "lm/formats/compressed_tensors.h"
#include "lm/formats/directory.h"
#include "lm/formats/gptq.h"
#include "lm/json_file.h"

namespace lowbit::lm::formats {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

[[noreturn]] void not_read(const fs::path& where, const std::string& why) {
  throw Error(Status::bad_input,
              {.what = "this quantized checkpoint is not read",
               .where = where.string(),
               .why = why,
               .fix = "import GPTQ, AWQ (gemm), compressed-tensors (integers) or bitsandbytes NF4 checkpoints"});
}

/// How a checkpoint stores its linears.
struct Reader {
  std::string method;
  std::function<StoredLinear(const std::string& module, const WeightSource& stored)> read;
  ActivationRules activations;
};

int64_t positive_or_all(const Json& json) {
  return json.is_null() || json.get<int64_t>() < 1 ? -1 : json.get<int64_t>();
}

/// Keys of a configuration whose values must be absent, null or one of those that change nothing.
void refuse_unknown(const Json& config, std::initializer_list<std::pair<const char*, std::vector<Json>>> plain,
                    const fs::path& where) {
  for (const auto& [key, accepted] : plain) {
    const Json value = config.value(key, Json());
    if (value.is_null() || std::find(accepted.begin(), accepted.end(), value) != accepted.end()) continue;
    not_read(where, std::string(key) + " = " + value.dump() + " is not implemented");
  }
}

/// 2, 3, 4 or 8.
int gptq_bits(const Json& config, const fs::path& where) {
  const int bits = config.at("bits").get<int>();
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) not_read(where, "bits is " + std::to_string(bits));
  return bits;
}

Reader compressed_reader(const Json& config, const fs::path& where) {
  const auto format = config.at("format").get<std::string>();
  const Json& groups = config.at("config_groups");
  if (groups.size() != 1) not_read(where, "it has " + std::to_string(groups.size()) + " config_groups, not 1");
  const Json& group = groups.begin().value();
  const Json& weights = group.at("weights");
  refuse_unknown(
      config, {{"kv_cache_scheme", {}}, {"transform_config", {Json::object()}}, {"sparsity_config", {Json::object()}}},
      where);
  refuse_unknown(group, {{"output_activations", {}}}, where);
  const Json inputs = group.value("input_activations", Json());
  if (weights.value("type", "int") != "int") not_read(where, "its weights are not integers");
  if (format == "pack-quantized" && inputs.is_null()) {
    const int bits = weights.at("num_bits").get<int>();
    if (bits != 4 && bits != 8) not_read(where, "num_bits is " + std::to_string(bits));
    const int64_t group_size = positive_or_all(weights.value("group_size", Json()));
    return {"compressed-tensors",
            [=](const std::string& module, const WeightSource& stored) {
              return from_pack_quantized(module, stored, bits, group_size);
            },
            {}};
  }
  if (format == "int-quantized" && inputs.is_object() && inputs.value("strategy", "") == "token" &&
      inputs.value("num_bits", 0) == 8 && inputs.value("symmetric", false)) {
    Reader reader{"compressed-tensors", from_int_quantized, {}};
    reader.activations.inputs = ActivationGrid{};
    return reader;
  }
  not_read(where, "format " + format + " with these input_activations is not one of those implemented");
}

Reader reader_of(const Json& config, const fs::path& where) {
  const std::string method = config.value("quant_method", "");
  if (method == "gptq") {
    refuse_unknown(config,
                   {{"checkpoint_format", {"gptq", "gptq_v2"}},
                    {"is_marlin_format", {false}},
                    {"dynamic", {Json::object()}},
                    {"lm_head", {false}},
                    {"rotation", {}}},
                   where);
    const int bits = gptq_bits(config, where);
    const int64_t group_size = positive_or_all(config.at("group_size"));
    const GptqVersion version =
        config.value("checkpoint_format", "gptq") == "gptq_v2" ? GptqVersion::v2 : GptqVersion::v1;
    return {method,
            [=](const std::string& module, const WeightSource& stored) {
              return from_gptq(module, stored, bits, group_size, version);
            },
            {}};
  }
  if (method == "awq") {
    if (config.value("version", "gemm") != "gemm" || config.at("bits") != 4) {
      not_read(where, "only version gemm with 4 bits is implemented");
    }
    refuse_unknown(
        config, {{"zero_point", {true, false}}, {"modules_to_not_convert", {Json::array(), Json::array({"lm_head"})}}},
        where);
    const int64_t group_size = positive_or_all(config.at("group_size"));
    return {method,
            [=](const std::string& module, const WeightSource& stored) { return from_awq(module, stored, group_size); },
            {}};
  }
  if (method == "compressed-tensors") return compressed_reader(config, where);
  if (method == "bitsandbytes") {
    if (!config.value("load_in_4bit", false) || config.value("bnb_4bit_quant_type", "") != "nf4") {
      not_read(where, "only 4-bit nf4 is implemented");
    }
    return {"nf4", from_bitsandbytes, {}};
  }
  not_read(where, "quant_method is `" + method + "`");
}

Json quantization_of(const fs::path& directory) {
  const Json json = read_json_file(directory / "config.json");
  return json.is_object() ? json.value("quantization_config", Json()) : Json();
}

/// The grid that quantization.json names for the whole model: that of the first linear.
GridOptions grid_of(const StoredLinear& linear) {
  if (const auto* const nf4 = std::get_if<Nf4Matrix>(&linear)) {
    return {.num_bits = 4, .group_size = nf4->block_size, .symmetric = true};
  }
  const auto& matrix = std::get<QuantizedMatrix>(linear);
  return {.num_bits = matrix.num_bits,
          .group_size = matrix.group_width == matrix.codes.size(1) ? -1 : matrix.group_width,
          .symmetric = matrix.symmetric};
}

/// Whether all tensors are there, in the shapes that config.json says, and finite.
void check_whole(const ModelConfig& config, const WeightSource& weights) {
  const Model outer(config, weights, at::kFloat, Model::Blocks::streaming);
  for (int64_t block = 0; block < config.n_blocks; ++block) (void)outer.block(block);
}

}  // namespace

Kind kind_of(const fs::path& directory) {
  if (fs::exists(directory / "adapter_config.json")) return Kind::adapter;
  return quantization_of(directory).is_object() ? Kind::quantized : Kind::model;
}

void import_quantized(const fs::path& directory, const fs::path& out, const Progress& progress) {
  const fs::path where = directory / "config.json";
  const auto stored = Checkpoint::open(directory);
  std::optional<Reader> reader;
  try {
    reader = reader_of(quantization_of(directory), where);
  } catch (const Json::exception& e) {
    malformed_format(where.string(), std::string("quantization_config: ") + e.what());
  }
  // What the model computes is read without the entry that says how it is stored.
  Json json = read_json_file(where);
  json.erase("quantization_config");
  write_json_file(out / "config.json", json);
  const ModelConfig config = read_model_config(out);
  fs::remove(out / "config.json");

  const GridOptions grid = grid_of(reader->read(module_of(linear_name(config, 0, Linear::q)), stored));
  QuantizedModelWriter writer(directory, out, stored, config,
                              {.method = reader->method, .grid = grid, .activations = reader->activations});
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    if (progress) progress(block, config.n_blocks);
    for (const Linear linear : linears(config)) {
      const std::string name = linear_name(config, block, linear);
      std::visit([&](const auto& matrix) { writer.add(block, linear, matrix, dequantize(matrix)); },
                 reader->read(module_of(name), stored));
    }
    writer.finish_block(block);
  }
  (void)writer.finish();
  write_json_file(out / "config.json", json);  // over the copy
  check_whole(config, *open_quantized(out));
}

void import_model(const fs::path& directory, const fs::path& out) {
  check_whole(read_model_config(directory), Checkpoint::open(directory));
  copy_companions(directory, out);
  const std::string index = "model.safetensors.index.json";
  std::set<std::string> files{"model.safetensors"};
  if (fs::exists(directory / index)) {
    files = {index};
    const Json json = read_json_file(directory / index);
    for (const auto& [tensor, file] : json.at("weight_map").items()) files.insert(file.get<std::string>());
  }
  for (const std::string& file : files) copy_into(directory / file, out / file);
}

void import_adapter(const fs::path& directory, const ModelConfig& config, std::unique_ptr<WeightSource> base,
                    const std::string& base_digest, const fs::path& out) {
  const Adapter adapter = read_adapter(directory);
  check_whole(config, *adapted(std::move(base), adapter));
  (void)write_adapter(out, adapter, base_digest);
}

}  // namespace lowbit::lm::formats
