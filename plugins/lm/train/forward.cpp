#include "lm/train/forward.h"

#include "lm/fused.h"

namespace lowbit::lm::train {

Weights assemble(const LlamaConfig& config, const std::function<at::Tensor(const std::string&)>& get,
                 at::ScalarType matrices) {
  Weights w;
  w.embedding = get("model.embed_tokens.weight");
  w.final_norm = get("model.norm.weight");
  w.head = (config.tied_embeddings ? w.embedding : get("lm_head.weight")).to(matrices);
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    BlockWeights& block = w.blocks.emplace_back();
    for (const Linear linear : kLinears) block[linear] = get(linear_name(i, linear)).to(matrices);
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    block.attention_norm = get(prefix + "input_layernorm.weight");
    block.mlp_norm = get(prefix + "post_attention_layernorm.weight");
  }
  return w;
}

at::Tensor scored_nll(const LlamaConfig& config, const Weights& weights, const Batch& batch) {
  const at::ScalarType dtype = weights.embedding.scalar_type();
  const Positions positions(config, 0, batch.ids.size(1), {}, dtype);
  at::Tensor x = at::embedding(weights.embedding, batch.ids);
  for (const BlockWeights& block : weights.blocks) x = block_forward(config, block, x, positions);
  x = x.reshape({-1, config.hidden_size}).index_select(0, batch.position);
  x = rms_norm(x, weights.final_norm, config.rms_norm_eps).to(weights.head.scalar_type());
  const at::Tensor logits = at::linear(x, weights.head).to(dtype);
  return at::logsumexp(logits, -1) - logits.gather(-1, batch.target.unsqueeze(-1)).squeeze(-1);
}

at::Tensor row_logps(const at::Tensor& nll, const Batch& batch) {
  return at::zeros({batch.ids.size(0)}, nll.options()).index_add(0, batch.row, nll.neg());
}

}  // namespace lowbit::lm::train
