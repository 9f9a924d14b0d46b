// Second moments of the inputs of a model's linears on disk: hessians/1 (docs/artifacts.md). Collected once, they serve
// every method and every width. One file per block, written and read block by block.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "lm/safetensors.h"
#include "lm/tensor_names.h"

namespace lowbit::lm {

class HessianWriter {
 public:
  /// `model_digest`: of the artifact whose inputs are observed. All must outlive this.
  HessianWriter(std::filesystem::path directory, const ModelConfig& config, std::string model_digest);

  /// Writes the moments of a block: group -> [in, in] fp32. REQUIRES: blocks in order, all groups.
  /// Throws Error{numeric} when they are not finite.
  void add(int64_t block, const std::map<Linear, at::Tensor>& moments);
  void finish(int64_t n_tokens);

  /// Copies (or links) the files of finished blocks; and takes them up again, returning their number.
  void save(const std::filesystem::path& directory) const;
  int64_t restore(const std::filesystem::path& directory);

 private:
  std::filesystem::path directory_;
  const ModelConfig& config_;
  std::string model_digest_;
  int64_t n_finished_ = 0;
};

class Hessians {
 public:
  /// `model_digest`: of the artifact that is quantized. Throws Error{bad_input} when a file is missing or malformed, or
  /// the moments are of another model.
  static Hessians open(const std::filesystem::path& directory, const ModelConfig& config,
                       const std::string& model_digest);

  /// H [in, in] fp32 of what this group of linears reads. Throws Error{bad_input}.
  [[nodiscard]] at::Tensor moments(int64_t block, Linear group) const;
  [[nodiscard]] int64_t n_tokens() const { return n_tokens_; }

 private:
  std::filesystem::path directory_;
  ModelConfig config_;
  int64_t n_tokens_ = 0;
};

}  // namespace lowbit::lm
