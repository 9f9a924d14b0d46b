#include "lm/model.h"

#include <set>

#include "lm/error.h"
#include "lm/product.h"

namespace lowbit::lm {
namespace {

constexpr int64_t kFirstLearned = 2;  // OPT's table has two rows before that of the first token

}  // namespace

void check_names(const ModelConfig& config, const std::vector<std::string>& names) {
  std::set<std::string, std::less<>> known;
  const auto add = [&](const std::vector<std::string>& more) { known.insert(more.begin(), more.end()); };
  add(outer_tensors(config));
  known.insert(outer_names(config).head);
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    for (const Linear linear : linears(config)) known.insert(linear_name(config, i, linear));
    add(vector_names(config, i));
    // Recomputed; old files carry it.
    known.insert("model.layers." + std::to_string(i) + ".self_attn.rotary_emb.inv_freq");
  }
  for (const std::string& name : names) {
    if (known.find(name) != known.end()) continue;
    throw Error(Status::bad_input,
                {.what = "tensor " + name + " is no part of the model",
                 .where = name,
                 .why = std::string("config.json describes a model of family ") + name_of(config.family) + " with " +
                        std::to_string(config.n_blocks) + " blocks, in which nothing would read this tensor",
                 .fix = "use the config.json that belongs to these weights"});
  }
}

void check_tensors(const ModelConfig& config, const WeightSource& weights) {
  check_names(config, weights.names());
  (void)assemble_outer(config, [&](const std::string& name, const std::vector<int64_t>& shape) {
    return shaped_tensor(weights, name, shape);
  });
}

OuterWeights assemble_outer(const ModelConfig& c, const GetTensor& get) {
  const OuterNames names = outer_names(c);
  const std::vector<int64_t> table{c.vocab_size, c.embedding_size};
  const auto optional = [&](const std::string& name, const std::vector<int64_t>& shape) {
    return name.empty() ? at::Tensor() : get(name, shape);
  };
  OuterWeights w;
  w.embedding = get(names.embedding, table);
  w.positions = optional(names.positions, {kFirstLearned + c.max_positions, c.hidden_size});
  w.project_in = optional(names.project_in, {c.hidden_size, c.embedding_size});
  w.project_out = optional(names.project_out, {c.embedding_size, c.hidden_size});
  w.final_norm = {optional(names.final_norm.weight, {c.hidden_size}), optional(names.final_norm.bias, {c.hidden_size})};
  w.head = c.tied_embeddings ? w.embedding : get(names.head, table);
  return w;
}

at::Tensor embed(const OuterWeights& w, const at::Tensor& ids, const Positions& positions) {
  at::Tensor x = at::embedding(w.embedding, ids);
  if (w.project_in.defined()) x = at::linear(x, w.project_in);
  return w.positions.defined() ? x + at::embedding(w.positions, positions.index + kFirstLearned) : x;
}

at::Tensor head_input(const ModelConfig& config, const OuterWeights& w, const at::Tensor& hidden) {
  const at::Tensor x = w.final_norm.weight.defined() ? normed(config, w.final_norm, hidden) : hidden;
  return w.project_out.defined() ? at::linear(x, w.project_out) : x;
}

Model::Model(ModelConfig config, const WeightSource& weights, const at::TensorOptions& as, Blocks blocks)
    : config_(std::move(config)), as_(as), weights_(&weights) {
  check_tensors(config_, weights);
  outer_ = assemble_outer(config_, [&](const std::string& name, const std::vector<int64_t>& shape) {
    return load_tensor(weights, name, shape, as);
  });
  const OuterNames names = outer_names(config_);
  if (config_.tied_embeddings && weights.contains(names.head) &&
      !at::equal(weights.tensor(names.head), weights.tensor(names.embedding))) {
    throw Error(Status::bad_input,
                {.what = "config.json ties the output matrix to the embedding, the weights do not",
                 .where = names.head,
                 .why = "tie_word_embeddings is true and " + names.head + " differs from " + names.embedding,
                 .fix = "set tie_word_embeddings to false, or remove " + names.head + " from the weights"});
  }
  if (blocks == Blocks::streaming) return;
  for (int64_t i = 0; i < config_.n_blocks; ++i) blocks_.push_back(load_block(config_, weights, i, as));
  weights_ = nullptr;
}

BlockWeights Model::block(int64_t index) const {
  if (!streaming()) return blocks_[static_cast<size_t>(index)];
  weights_->release_block();
  return load_block(config_, *weights_, index, as_);
}

BlockWeights& Model::resident_block(int64_t index) { return blocks_.at(static_cast<size_t>(index)); }

at::Tensor Model::embed(const at::Tensor& ids, const Positions& positions) const {
  return lm::embed(outer_, ids.to(as_.device()), positions);
}

at::Tensor Model::logits(const at::Tensor& hidden) const {
  return linear_product(head_input(config_, outer_, hidden), outer_.head);
}

at::Tensor Model::forward(const at::Tensor& ids, const at::Tensor& n_pads, KvCache* cache) const {
  const Positions positions(config_, cache == nullptr ? 0 : cache->length, ids.size(1), n_pads, as_);
  at::Tensor x = embed(ids, positions);
  for (int64_t i = 0; i < config_.n_blocks; ++i) x = block_forward(config_, block(i), x, positions, cache, i);
  if (cache != nullptr) cache->length += ids.size(1);
  return x;
}

}  // namespace lowbit::lm
