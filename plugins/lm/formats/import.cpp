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
#include "lm/tensor_names.h"

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

/// Columns that the configuration says are grouped by an index would otherwise be taken in their order.
void require_index(bool declared, const WeightSource& stored, const std::string& name, int64_t group_size) {
  if (!declared || group_size == -1 || stored.contains(name)) return;
  malformed_format(name,
                   "the configuration says that columns are grouped in activation order, and the index of their "
                   "groups is not there");
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
    const bool by_activation = weights.value("actorder", Json()) == "group";
    return {"compressed-tensors",
            [=](const std::string& module, const WeightSource& stored) {
              require_index(by_activation, stored, module + ".weight_g_idx", group_size);
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
    const bool desc_act = config.value("desc_act", false);
    const GptqVersion version =
        config.value("checkpoint_format", "gptq") == "gptq_v2" ? GptqVersion::v2 : GptqVersion::v1;
    return {method,
            [=](const std::string& module, const WeightSource& stored) {
              require_index(desc_act, stored, module + ".g_idx", group_size);
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

/// A checkpoint that remembers what was read of it.
class Remembered final : public WeightSource {
 public:
  explicit Remembered(const WeightSource& stored) : stored_(stored) {}
  [[nodiscard]] std::vector<std::string> names() const override { return stored_.names(); }
  [[nodiscard]] bool contains(std::string_view name) const override { return stored_.contains(name); }
  [[nodiscard]] at::Tensor tensor(std::string_view name) const override {
    read_.emplace(name);
    return stored_.tensor(name);
  }
  [[nodiscard]] int64_t stored_bytes() const override { return stored_.stored_bytes(); }
  [[nodiscard]] int64_t code_bits(std::string_view name) const override { return stored_.code_bits(name); }

  /// Biases of zeros, which some writers add, are left out.
  [[nodiscard]] std::vector<std::string> unread() const {
    std::vector<std::string> names;
    for (const std::string& name : stored_.names()) {
      if (read_.find(name) != read_.end()) continue;
      const bool is_bias = name.size() > 5 && name.compare(name.size() - 5, 5, ".bias") == 0;
      if (!is_bias || at::count_nonzero(stored_.tensor(name)).item<int64_t>() > 0) names.push_back(name);
    }
    return names;
  }

 private:
  const WeightSource& stored_;
  mutable std::set<std::string, std::less<>> read_;
};

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

  const Remembered remembered(stored);
  const GridOptions grid = grid_of(reader->read(module_of(linear_name(config, 0, Linear::q)), remembered));
  QuantizedModelWriter writer(directory, out, stored, config,
                              {.method = reader->method, .grid = grid, .activations = reader->activations});
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    if (progress) progress(block, config.n_blocks);
    for (const Linear linear : linears(config)) {
      const std::string name = linear_name(config, block, linear);
      std::visit([&](const auto& matrix) { writer.add(block, linear, matrix, dequantize(matrix)); },
                 reader->read(module_of(name), remembered));
    }
    writer.finish_block(block);
  }
  check_names(config, remembered.unread());
  (void)writer.finish();
  write_json_file(out / "config.json", json);  // over the copy
  check_whole(config, *open_quantized(out));
}

void import_model(const fs::path& directory, const fs::path& out) {
  check_whole(read_model_config(directory), Checkpoint::open(directory));
  copy_companions(directory, out);
  for (const std::string& file : weights_files(directory)) copy_into(directory / file, out / file);
}

void import_adapter(const fs::path& directory, const ModelConfig& config, std::unique_ptr<WeightSource> base,
                    const std::string& base_digest, const fs::path& out) {
  const Adapter adapter = read_adapter(directory);
  check_whole(config, *adapted(std::move(base), adapter, config.tied_embeddings));
  (void)write_adapter(out, adapter, base_digest);
}

}  // namespace lowbit::lm::formats
