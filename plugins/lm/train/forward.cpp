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

at::Tensor scored_nll(const ModelConfig& config, const OuterWeights& outer, const BlockStep& step, const Batch& batch) {
  const at::ScalarType dtype = outer.embedding.scalar_type();
  Positions positions(config, 0, batch.ids.size(1), batch.start, dtype);
  positions.real = batch.real;
  at::Tensor x = embed(outer, batch.ids, positions);
  for (int64_t block = 0; block < config.n_blocks; ++block) x = step(block, x, positions);
  x = x.reshape({-1, config.hidden_size}).index_select(0, batch.position);
  x = head_input(config, outer, x).to(outer.head.scalar_type());
  const at::Tensor logits = at::linear(x, outer.head).to(dtype);
  return at::logsumexp(logits, -1) - logits.gather(-1, batch.target.unsqueeze(-1)).squeeze(-1);
}

at::Tensor scored_nll(const ModelConfig& config, const Weights& weights, const Batch& batch) {
  const BlockStep step = [&](int64_t block, const at::Tensor& x, const Positions& positions) {
    return block_forward(config, weights.blocks[static_cast<size_t>(block)], x, positions);
  };
  return scored_nll(config, weights.outer, step, batch);
}

at::Tensor row_logps(const at::Tensor& nll, const Batch& batch) {
  return at::zeros({batch.ids.size(0)}, nll.options()).index_add(0, batch.row, nll.neg());
}

}  // namespace lowbit::lm::train
