// Adapters in PEFT's form: low-rank updates of linears, and replaced rows of the embedding and the output matrix, or
// both matrices whole.
//
//   const lm::Adapter adapter = lm::read_adapter(directory);
//   const auto weights = lm::adapted(lm::open_weights(base), adapter);   // reads like the merged model, fp32
//
// Letters: r rank, W [out, in] a linear's weight, A [r, in], B [out, r], n trained tokens, h hidden.
// The update is W + (alpha / r) B A (LoRA, Hu et al. 2021), computed in fp32. It is never written back into packed
// codes: that would round it away.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lm/safetensors.h"

namespace lowbit::lm {

struct LowRank {
  at::Tensor a, b;  // [r, in], [out, r], fp32
};

struct Adapter {
  int64_t rank = 0;
  double alpha = 0;
  double dropout = 0;                                   ///< of the branch's input, in training only
  std::vector<std::string> targets;                     ///< last parts of module names: q_proj, ...
  std::map<std::string, LowRank, std::less<>> updates;  ///< by the name of the weight they change

  std::vector<int64_t> token_ids;                ///< whose rows are replaced
  std::string embedding = "model.embed_tokens";  ///< module name of the embedding
  at::Tensor embedding_rows;                     // [n, h]; undefined: none
  at::Tensor head_rows;                          // [n, h]; undefined: none, or the embedding's when the two are tied
  at::Tensor embedding_matrix;                   // [V, h], in place of the base's; undefined: none
  at::Tensor head_matrix;                        // [V, h]; undefined: none, or the embedding's when is_tied
  bool is_tied = false;  ///< embedding_matrix is the output matrix too, as in a base whose two are one

  [[nodiscard]] double scale() const { return alpha / static_cast<double>(rank); }
  [[nodiscard]] int64_t n_parameters() const;
  [[nodiscard]] int64_t n_bytes() const;  ///< as lowbit stores it, in fp32
};

/// Refuses by name what PEFT has and this library has not: DoRA, rank-stabilised scaling, ranks of their own for some
/// modules, biases, whole modules other than embedding and output matrix. Throws Error{bad_input}.
[[nodiscard]] Adapter read_adapter(const std::filesystem::path& directory);
/// Digest of the artifact that the adapter in `directory` is applied to. Throws Error{bad_input}.
[[nodiscard]] std::string read_adapter_base(const std::filesystem::path& directory);
/// adapter/1 in fp32. Returns the bytes of its tensors.
int64_t write_adapter(const std::filesystem::path& directory, const Adapter& adapter, const std::string& base_digest);

/// The weights of `base` with the adapter applied. Throws Error{bad_input} when a tensor it changes is missing or of
/// another shape, or when it would part an embedding and an output matrix that the base ties. `base_is_tied`: what its
/// config.json says of them; empty: they are tied when they are equal.
[[nodiscard]] std::unique_ptr<WeightSource> adapted(std::unique_ptr<WeightSource> base, Adapter adapter,
                                                    std::optional<bool> base_is_tied = {});

}  // namespace lowbit::lm
