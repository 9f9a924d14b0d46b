// Weights in memory and models whose answers are known in closed form.
#pragma once

#include <string>
#include <vector>

#include "lm/error.h"
#include "lm/model.h"

namespace lowbit::test {

/// The fixtures of reference_models.py: every family, and what varies within one.
inline const std::vector<std::string> kReferenceModels{
    "random-untied", "random-tied", "random-llama3", "random-mistral", "random-qwen2", "random-opt", "random-opt-350m"};

class MemoryWeights final : public lm::WeightSource {
 public:
  explicit MemoryWeights(lm::NamedTensors tensors) : tensors_(std::move(tensors)) {}
  [[nodiscard]] std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : tensors_) names.push_back(name);
    return names;
  }
  [[nodiscard]] bool contains(std::string_view name) const override { return tensors_.find(name) != tensors_.end(); }
  [[nodiscard]] at::Tensor tensor(std::string_view name) const override {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      throw lm::Error(lm::Status::bad_input, {.what = "tensor " + std::string(name) + " is missing",
                                              .where = "memory",
                                              .why = "nobody put it there",
                                              .fix = "put it there"});
    }
    return found->second;
  }
  [[nodiscard]] int64_t stored_bytes() const override {
    int64_t n = 0;
    for (const auto& [name, tensor] : tensors_) n += static_cast<int64_t>(tensor.nbytes());
    return n;
  }
  [[nodiscard]] int64_t code_bits(std::string_view name) const override {
    return static_cast<int64_t>(tensor(name).element_size()) * 8;
  }
  lm::NamedTensors& tensors() { return tensors_; }

 private:
  lm::NamedTensors tensors_;
};

inline lm::ModelConfig small_config(int64_t vocab_size, int64_t hidden_size) {
  lm::ModelConfig c;
  c.hidden_size = c.embedding_size = hidden_size;
  c.intermediate_size = 2 * hidden_size;
  c.n_blocks = 2;
  c.n_heads = 2;
  c.n_kv_heads = 1;
  c.head_dim = 4;
  c.vocab_size = vocab_size;
  c.max_positions = 64;
  c.norm_eps = 1e-6;
  c.rope_theta = 10000;
  return c;
}

/// All matrices zero, norms one: every block passes its input on.
inline MemoryWeights zero_weights(const lm::ModelConfig& c) {
  lm::NamedTensors t;
  const int64_t q = c.n_heads * c.head_dim;
  const int64_t kv = c.n_kv_heads * c.head_dim;
  const int64_t h = c.hidden_size;
  t["model.embed_tokens.weight"] = at::zeros({c.vocab_size, h});
  t["lm_head.weight"] = at::zeros({c.vocab_size, h});
  t["model.norm.weight"] = at::ones({h});
  for (int64_t i = 0; i < c.n_blocks; ++i) {
    const std::vector<std::vector<int64_t>> shapes{
        {q, h}, {kv, h}, {kv, h}, {h, q}, {c.intermediate_size, h}, {c.intermediate_size, h}, {h, c.intermediate_size}};
    for (size_t j = 0; j < shapes.size(); ++j) t[lm::linear_name(c, i, lm::linears(c)[j])] = at::zeros(shapes[j]);
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    t[prefix + "input_layernorm.weight"] = at::ones({h});
    t[prefix + "post_attention_layernorm.weight"] = at::ones({h});
  }
  return MemoryWeights(std::move(t));
}

inline at::Tensor ids_of(const std::vector<int64_t>& ids) { return at::tensor(ids, at::kLong).unsqueeze(0); }

inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace lowbit::test
