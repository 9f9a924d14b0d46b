#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

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

/// Modules that a reader takes for linears and that are stored in full.
std::vector<std::string> full_modules(const ModelConfig& config) {
  std::vector<std::string> modules{"lm_head"};
  const OuterNames outer = outer_names(config);
  for (const std::string* name : {&outer.project_in, &outer.project_out}) {
    if (!name->empty()) modules.push_back(module_of(*name));
  }
  return modules;
}

/// Writes a directory file by file; what belongs to no block comes first.
class ShardWriter {
 public:
  ShardWriter(fs::path out, int64_t n_blocks) : out_(std::move(out)), n_files_(n_blocks + 1) {}

  void write(const NamedTensors& tensors) {
    std::array<char, 80> name{};
    (void)std::snprintf(name.data(), name.size(), "model-%05lld-of-%05lld.safetensors",
                        static_cast<long long>(++n_written_), static_cast<long long>(n_files_));
    write_safetensors(out_ / name.data(), tensors);
    for (const auto& [tensor_name, tensor] : tensors) {
      file_of_[tensor_name] = name.data();
      n_bytes_ += tensor.nbytes();
    }
  }
  void finish() const { write_safetensors_index(out_, file_of_, n_bytes_); }

 private:
  fs::path out_;
  int64_t n_files_;
  int64_t n_written_ = 0;
  std::map<std::string, std::string> file_of_;
  uint64_t n_bytes_ = 0;
};

/// How one linear is written, and what config.json says about all of them.
struct Plan {
  std::function<NamedTensors(const std::string& module, const StoredLinear& linear)> write;
  Json config;
  std::vector<std::string> losses;
};

/// Activation rules have a field in int-quantized alone.
void check_rules(const WeightSource& weights, const ExportOptions& options, bool holds,
                 std::vector<std::string>& losses) {
  if (weights.activation_rules() == nullptr || holds) return;
  const std::string& format = format_names()[static_cast<size_t>(options.format)];
  if (!options.allow_loss) {
    cannot_hold(
        format, "quantization.json, activations",
        "the model rounds activations as it runs, which the format has no field for",
        "allow the loss (allow_loss: true, on the command line --allow-loss) to leave the rules out, or evaluate with "
        "lowbit");
  }
  losses.push_back("the rules for activations are left out: a reader computes with activations as they are");
}

Plan plan_affine(const QuantizedWeights& weights, const ModelConfig& config, const ExportOptions& options) {
  const std::string& format = format_names()[static_cast<size_t>(options.format)];
  const UniformGrid grid = uniform_grid(weights, format);
  const auto with = [](auto function) {
    return [function](const std::string& module, const StoredLinear& linear) {
      return function(module, std::get<QuantizedMatrix>(linear));
    };
  };
  Plan plan;
  if (options.format == Format::awq) {
    check_rules(weights, options, false, plan.losses);
    plan.write = with(to_awq);
    plan.config = awq_config(grid);
  } else if (options.format == Format::compressed_tensors) {
    const ActivationRules* const rules = weights.activation_rules();
    const bool integers = rules != nullptr && is_dynamic_per_token(*rules);
    check_rules(weights, options, integers, plan.losses);
    if (integers) {
      plan.write = with(to_int_quantized);
      plan.losses.emplace_back(
          "readers choose the step of activations: lowbit and vLLM a / 127, compressed-tensors itself a / 127.5");
    } else {
      // The field says for all linears whether zero points are stored.
      plan.write = [symmetric = grid.symmetric](const std::string& module, const StoredLinear& linear) {
        auto matrix = std::get<QuantizedMatrix>(linear);
        matrix.symmetric = symmetric;
        return to_pack_quantized(module, matrix);
      };
    }
    plan.config = compressed_tensors_config(grid, integers, full_modules(config));
  } else {
    check_rules(weights, options, false, plan.losses);
    const GptqVersion version = options.format == Format::gptq && grid.symmetric ? GptqVersion::v1 : GptqVersion::v2;
    plan.write = with([version](const std::string& module, const QuantizedMatrix& matrix) {
      return to_gptq(module, matrix, version);
    });
    plan.config = gptq_config(grid, version);
  }
  return plan;
}

Plan plan_nf4(const QuantizedWeights& weights, const ModelConfig& config, const ExportOptions& options) {
  Plan plan;
  check_rules(weights, options, false, plan.losses);
  std::optional<bool> double_quant;
  int64_t block_size = 0;
  for (const std::string& name : weights.linear_names()) {
    weights.release_block();
    const StoredLinear linear = weights.stored_linear(name);
    const auto* const matrix = std::get_if<Nf4Matrix>(&linear);
    if (matrix == nullptr) {
      cannot_hold("bitsandbytes", name, "its weights are codes on a grid, not NormalFloat4",
                  "quantize with lowbit.nf4, or export to gptq, compressed-tensors or hf");
    }
    if (double_quant && (*double_quant != matrix->double_quant() || block_size != matrix->block_size)) {
      cannot_hold("bitsandbytes", name, "its blocks differ from those of other linears",
                  "quantize all linears with one block_size and double_quant");
    }
    double_quant = matrix->double_quant();
    block_size = matrix->block_size;
  }
  if (!double_quant) cannot_hold("bitsandbytes", "quantization.json", "no linear is stored as codes", "export to hf");
  const at::ScalarType dtype = weights.tensor(outer_names(config).embedding).scalar_type();
  if (dtype != at::kFloat) {
    plan.losses.push_back(std::string("readers round the dequantized weights to ") + torch_name(dtype) +
                          ", the dtype of the rest of the model");
  }
  plan.write = [dtype](const std::string& module, const StoredLinear& linear) {
    return to_bitsandbytes(module, std::get<Nf4Matrix>(linear), dtype);
  };
  plan.config = bitsandbytes_config(*double_quant, dtype, full_modules(config));
  return plan;
}

/// Weights in one dtype or in those of another model, and how far that moves them.
class Rounding {
 public:
  explicit Rounding(const ExportOptions& options) : dtype_(options.dtype), like_(options.like) {}
  /// Throws Error{bad_input, numeric} that names `name` when a weight is not finite, or too large for the dtype.
  at::Tensor operator()(const std::string& name, const at::Tensor& weight) {
    check_finite(weight, name);
    if (like_ != nullptr) dtype_ = like_->tensor(name).scalar_type();
    at::Tensor rounded = weight.to(dtype_);
    if (!std::isfinite(rounded.sum(at::kFloat).item<double>()) && !at::isfinite(rounded).all().item<bool>()) {
      cannot_hold("hf", name, std::string("a weight is larger than the largest ") + torch_name(dtype_),
                  "export with dtype bfloat16 or float32");
    }
    const at::Tensor wide = weight.to(at::kFloat);
    squared_change_ += (rounded.to(at::kFloat) - wide).square().sum(at::kDouble).item<double>();
    squared_norm_ += wide.square().sum(at::kDouble).item<double>();
    return rounded;
  }
  [[nodiscard]] std::vector<std::string> losses() const {
    if (squared_change_ == 0) return {};
    std::array<char, 120> text{};
    (void)std::snprintf(text.data(), text.size(),
                        "weights are rounded to %s: root mean square change %.2g of their own", torch_name(dtype_),
                        std::sqrt(squared_change_ / squared_norm_));
    return {text.data()};
  }

 private:
  at::ScalarType dtype_;
  const WeightSource* like_;
  double squared_change_ = 0, squared_norm_ = 0;
};

}  // namespace

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> kNames{"gptq",         "gptq-v2", "awq", "compressed-tensors",
                                               "bitsandbytes", "hf",      "peft"};
  return kNames;
}

Format format_named(const std::string& name) {
  const auto& names = format_names();
  return static_cast<Format>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::vector<std::string> export_model(const fs::path& source, const WeightSource& weights, const ExportOptions& options,
                                      const fs::path& out, const Progress& progress) {
  const ModelConfig config = read_model_config(source);
  const std::string& format = format_names()[static_cast<size_t>(options.format)];
  if (options.format == Format::peft) {
    cannot_hold(format, source.string(), "it is a whole model, the format holds adapters", "export to hf");
  }
  std::optional<Plan> plan;
  Rounding rounding(options);
  std::vector<std::string> losses;
  const auto* const quantized = dynamic_cast<const QuantizedWeights*>(&weights);
  if (options.format == Format::hf) {
    check_rules(weights, options, false, losses);
  } else if (quantized == nullptr) {
    cannot_hold(format, source.string(),
                "its linears are not stored as codes: it is a full-precision model, or one with an adapter",
                "quantize it first, or export to hf, which merges adapters");
  } else {
    plan = options.format == Format::bitsandbytes ? plan_nf4(*quantized, config, options)
                                                  : plan_affine(*quantized, config, options);
    losses = plan->losses;
  }
  // What other formats keep as it is, hf gives its dtype too.
  const auto plain = [&](const std::string& name) {
    const at::Tensor tensor = weights.tensor(name);
    return plan ? tensor : rounding(name, tensor);
  };

  ShardWriter shards(out, config.n_blocks);
  NamedTensors tensors;
  for (const std::string& name : outer_tensors(config)) tensors[name] = plain(name);
  shards.write(tensors);
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    if (progress) progress(block, config.n_blocks);
    tensors.clear();
    for (const std::string& name : vector_names(config, block)) tensors[name] = plain(name);
    for (const Linear linear : linears(config)) {
      const std::string name = linear_name(config, block, linear);
      if (plan) {
        tensors.merge(plan->write(module_of(name), quantized->stored_linear(name)));
      } else {
        tensors[name] = rounding(name, weights.tensor(name));
      }
    }
    shards.write(tensors);
    weights.release_block();
  }
  shards.finish();

  copy_companions(source, out);
  Json json = read_json_file(source / "config.json");
  if (plan) {
    json["quantization_config"] = plan->config;
    if (plan->config["quant_method"] == "gptq") write_json_file(out / "quantize_config.json", plan->config);
  } else {
    if (options.like == nullptr) {
      json["torch_dtype"] = torch_name(options.dtype);
      json.erase("dtype");  // the newer name of the same
    }
    losses = rounding.losses();
    if (weights.activation_rules() != nullptr) {
      losses.emplace_back("the rules for activations are left out: a reader computes with activations as they are");
    }
  }
  write_json_file(out / "config.json", json);
  return losses;
}

void export_adapter(const fs::path& adapter, const std::string& base_model, const fs::path& out) {
  if (base_model.empty()) {
    throw Error(Status::bad_param, {.what = "base_model is missing",
                                    .where = "base_model",
                                    .why = "an adapter in PEFT's format names the model that it is loaded onto",
                                    .fix = "give the name or path of the base model, as transformers loads it"});
  }
  (void)read_adapter(adapter);
  Json json = read_json_file(adapter / "adapter_config.json");
  json["base_model_name_or_path"] = base_model;
  write_json_file(out / "adapter_config.json", json);
  copy_into(adapter / "adapter_model.safetensors", out / "adapter_model.safetensors");
}

}  // namespace lowbit::lm::formats
