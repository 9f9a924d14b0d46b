// A LLaMA from nothing: its shape, its first weights, and the directory it is written to.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "lm/config.h"
#include "lm/tokenizer.h"
#include "lm/train/parameters.h"

namespace lowbit::pretrain {

/// Seeded first weights by name, in the order of the training buffer: embedding and output matrix (AdamW with decay),
/// norms (AdamW without), then the matrices of the blocks (Muon).
///
/// Embedding and output rows N(0, 1/h), norms 1, matrices N(0, 0.36/h); those that write to the residual stream (o,
/// down) are smaller by sqrt(2 blocks), so that its variance does not grow with depth (GPT-2's rule).
[[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> first_weights(const lm::ModelConfig& config,
                                                                            uint64_t seed);

/// The matrices of the blocks by name, in the order of first_weights().
[[nodiscard]] std::vector<std::string> matrix_names(const lm::ModelConfig& config);

/// Ids of special tokens by their texts. Throws Error{bad_param} for a text that is not a token.
[[nodiscard]] std::vector<int64_t> token_ids(const lm::Tokenizer& tokenizer, const std::vector<std::string>& texts);

/// Keeps rows of embedding and output matrix as they were when this was made.
class FrozenRows {
 public:
  FrozenRows(lm::train::Parameters& parameters, const std::vector<int64_t>& ids);
  void restore();

 private:
  struct Kept {
    at::Tensor matrix, rows;  // [V, h] view, [n, h]
  };
  at::Tensor ids_;
  std::vector<Kept> kept_;
};

/// model/1: config.json, generation_config.json, bf16 weights, tokenizer.json.
void write_model(const std::filesystem::path& directory, const lm::ModelConfig& config,
                 const lm::train::Parameters& parameters, const std::filesystem::path& tokenizer);

}  // namespace lowbit::pretrain
