#include "lm/train/forward.h"

namespace lowbit::lm::train {

Weights assemble(const ModelConfig& config, const std::function<at::Tensor(const std::string&)>& get,
                 at::ScalarType matrices) {
  const GetTensor by_name = [&](const std::string& name, const std::vector<int64_t>&) { return get(name); };
  Weights w{.outer = assemble_outer(config, by_name), .blocks = {}};
  w.outer.head = w.outer.head.to(matrices);
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    BlockWeights& block = w.blocks.emplace_back(assemble_block(config, i, by_name));
    for (const Linear linear : linears(config)) block[linear] = block[linear].to(matrices);
  }
  return w;
}

at::Tensor scored_nll(const ModelConfig& config, const Weights& weights, const Batch& batch) {
  const at::ScalarType dtype = weights.outer.embedding.scalar_type();
  Positions positions(config, 0, batch.ids.size(1), {}, dtype);
  positions.real = batch.real;
  at::Tensor x = embed(weights.outer, batch.ids, positions);
  for (const BlockWeights& block : weights.blocks) x = block_forward(config, block, x, positions);
  x = x.reshape({-1, config.hidden_size}).index_select(0, batch.position);
  x = head_input(config, weights.outer, x).to(weights.outer.head.scalar_type());
  const at::Tensor logits = at::linear(x, weights.outer.head).to(dtype);
  return at::logsumexp(logits, -1) - logits.gather(-1, batch.target.unsqueeze(-1)).squeeze(-1);
}

at::Tensor row_logps(const at::Tensor& nll, const Batch& batch) {
  return at::zeros({batch.ids.size(0)}, nll.options()).index_add(0, batch.row, nll.neg());
}

}  // namespace lowbit::lm::train
