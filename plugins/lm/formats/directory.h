// Whole directories in the formats of other tools: written from a model of the project, and read back.
//
//   lm::formats::export_model(directory, *weights, {.format = lm::formats::Format::gptq}, out);
//   lm::formats::import_quantized(directory, out);      // becomes a quantized-model/1
//
// One file a block, so that memory does not grow with depth. docs/formats.md says which format holds what.
// Thread rule: free functions without state.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lm/quantized_model.h"

namespace lowbit::lm::formats {

enum class Format { gptq, gptq_v2, awq, compressed_tensors, bitsandbytes, hf, peft };
/// "gptq", "gptq-v2", "awq", "compressed-tensors", "bitsandbytes", "hf", "peft": in the order of Format.
[[nodiscard]] const std::vector<std::string>& format_names();
/// REQUIRES: one of format_names().
[[nodiscard]] Format format_named(const std::string& name);

struct ExportOptions {
  Format format = Format::hf;
  at::ScalarType dtype = at::kFloat;   ///< of Format::hf: kFloat, kBFloat16 or kHalf
  const WeightSource* like = nullptr;  ///< of Format::hf: each tensor in the dtype that it has there, instead of dtype
  bool allow_loss = false;             ///< rules for activations that the format has no field for are left out
};

/// Called before each block; may throw to stop.
using Progress = std::function<void(int64_t block, int64_t n_blocks)>;

/// Writes `weights` into the empty directory `out`. `source`: directory of their config.json and tokenizer. Returns
/// what a reader of the format may compute otherwise, one sentence each. Format::gptq is version 1 where all linears
/// are symmetric, else version 2. Every format but hf takes a quantized-model/1 without adapters; peft is
/// export_adapter(). Throws Error{bad_input} for what the format cannot hold, Error{resource}.
std::vector<std::string> export_model(const std::filesystem::path& source, const WeightSource& weights,
                                      const ExportOptions& options, const std::filesystem::path& out,
                                      const Progress& progress = {});

/// An adapter/1 as PEFT loads it beside a base model of its own. `base_model`: name or path, as PEFT keeps it.
void export_adapter(const std::filesystem::path& adapter, const std::string& base_model,
                    const std::filesystem::path& out);

/// What the files of a directory are.
enum class Kind { model, quantized, adapter };
/// Throws Error{bad_input} when they are none of these.
[[nodiscard]] Kind kind_of(const std::filesystem::path& directory);

/// GPTQ (both versions), AWQ, compressed-tensors (pack- and int-quantized), bitsandbytes NF4 -> quantized-model/1 with
/// the same codes and scales. Throws Error{bad_input}.
void import_quantized(const std::filesystem::path& directory, const std::filesystem::path& out,
                      const Progress& progress = {});
/// A full-precision directory -> model/1, its files as they are. Throws Error{bad_input, numeric, resource}.
void import_model(const std::filesystem::path& directory, const std::filesystem::path& out);
/// A PEFT adapter -> adapter/1 on the artifact `base_digest`, whose weights and configuration are `base` and `config`.
/// Throws Error{bad_input, numeric} when it does not fit them.
void import_adapter(const std::filesystem::path& directory, const ModelConfig& config,
                    std::unique_ptr<WeightSource> base, const std::string& base_digest,
                    const std::filesystem::path& out);

}  // namespace lowbit::lm::formats
