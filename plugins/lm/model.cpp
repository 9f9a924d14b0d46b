#include "lm/model.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "lm/decode_attention.h"
#include "lm/error.h"
#include "lm/fused.h"

namespace lowbit::lm {
namespace {

std::string block_prefix(int64_t block) { return "model.layers." + std::to_string(block) + "."; }

const char* linear_suffix(Linear linear) {
  switch (linear) {
    case Linear::q: return "self_attn.q_proj.weight";
    case Linear::k: return "self_attn.k_proj.weight";
    case Linear::v: return "self_attn.v_proj.weight";
    case Linear::o: return "self_attn.o_proj.weight";
    case Linear::gate: return "mlp.gate_proj.weight";
    case Linear::up: return "mlp.up_proj.weight";
    case Linear::down: return "mlp.down_proj.weight";
  }
  return "";
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (const int64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + "]";
}

at::Tensor load(const WeightSource& weights, const std::string& name, at::IntArrayRef shape, at::ScalarType dtype) {
  at::Tensor tensor = weights.tensor(name);
  if (tensor.sizes() != shape || !tensor.is_floating_point()) {
    throw Error(Status::bad_input,
                {.what = "tensor " + name + " does not fit config.json",
                 .where = name,
                 .why = "expected floating-point numbers of shape " + shape_text(shape) + ", found " +
                        c10::toString(tensor.scalar_type()) + std::string(" ") + shape_text(tensor.sizes()),
                 .fix = "use the config.json that belongs to these weights"});
  }
  return tensor.to(dtype, /*non_blocking=*/false, /*copy=*/true);
}

/// One of the block's matrices applied to x.
at::Tensor apply(const BlockWeights& w, Linear linear, const at::Tensor& x) {
  const at::Tensor& matrix = w[linear];
  const at::Tensor y = at::linear(x.to(matrix.scalar_type()), matrix).to(x.scalar_type());
  const at::Tensor more = w.branch ? w.branch(linear, x) : at::Tensor();
  return more.defined() ? y + more : y;
}

// Queries are taken in chunks so that scores take memory linear in S, and keys behind a chunk are not multiplied at
// all. A constant: another value would change sums in the last bit.
constexpr int64_t kQueryChunk = 256;

at::Tensor attention(const LlamaConfig& c, const BlockWeights& w, const at::Tensor& x, const Positions& positions,
                     KvCache* cache, int64_t block, const InputTap& tap) {
  const int64_t n_sequences = x.size(0);  // B
  const int64_t n_new = x.size(1);        // T
  const int64_t n_groups = c.n_heads / c.n_kv_heads;
  const int64_t n_seen = positions.past + n_new;  // S
  const auto rotated = [&](Linear linear, int64_t n) {
    return rotated_heads(apply(w, linear, x), n, positions.cos, positions.sin);
  };
  at::Tensor q = rotated(Linear::q, c.n_heads);     // [B, n, T, d]
  at::Tensor k = rotated(Linear::k, c.n_kv_heads);  // [B, m, T, d]
  at::Tensor v =
      apply(w, Linear::v, x).view({n_sequences, n_new, c.n_kv_heads, c.head_dim}).transpose(1, 2);  // [B, m, T, d]
  if (cache != nullptr) {
    const auto i = static_cast<size_t>(block);
    cache->keys[i].narrow(2, positions.past, n_new).copy_(k);
    cache->values[i].narrow(2, positions.past, n_new).copy_(v);
    if (n_new == 1 && x.scalar_type() == at::kFloat && !q.requires_grad()) {
      const at::Tensor heads_out = decode_attention(q, cache->keys[i], cache->values[i], n_seen, positions.n_pads);
      const at::Tensor joined = heads_out.view({n_sequences, 1, c.n_heads * c.head_dim});
      if (tap) tap(Linear::o, joined);
      return at::linear(joined, w.o);
    }
    k = cache->keys[i].narrow(2, 0, n_seen);
    v = cache->values[i].narrow(2, 0, n_seen);
  }

  const int64_t batch = n_sequences * c.n_kv_heads;
  q = q.reshape({n_sequences, c.n_kv_heads, n_groups, n_new, c.head_dim});
  k = k.reshape({batch, n_seen, c.head_dim});
  v = v.reshape({batch, n_seen, c.head_dim});
  std::vector<at::Tensor> chunks;
  for (int64_t begin = 0; begin < n_new; begin += kQueryChunk) {
    const int64_t length = std::min(kQueryChunk, n_new - begin);
    const int64_t reach = positions.past + begin + length;  // causal: nothing beyond is visible to this chunk
    const at::Tensor q_chunk = q.narrow(3, begin, length).reshape({batch, n_groups * length, c.head_dim});
    const at::Tensor scores = at::bmm(q_chunk, k.narrow(1, 0, reach).transpose(1, 2)).to(wide(x.scalar_type()));
    const at::Tensor weights =
        causal_softmax(scores.view({n_sequences, c.n_heads, length, reach}),
                       1 / std::sqrt(static_cast<double>(c.head_dim)), positions.past + begin, positions.n_pads)
            .to(x.scalar_type())
            .view({batch, n_groups * length, reach});
    chunks.push_back(at::bmm(weights, v.narrow(1, 0, reach)).view({n_sequences, c.n_heads, length, c.head_dim}));
  }
  const at::Tensor joined = (chunks.size() == 1 ? chunks.front() : at::cat(chunks, 2))
                                .transpose(1, 2)
                                .reshape({n_sequences, n_new, c.n_heads * c.head_dim});
  if (tap) tap(Linear::o, joined);
  return apply(w, Linear::o, joined);
}

}  // namespace

std::string linear_name(int64_t block, Linear linear) { return block_prefix(block) + linear_suffix(linear); }

std::vector<int64_t> linear_shape(const LlamaConfig& c, Linear linear) {
  const int64_t q_size = c.n_heads * c.head_dim;
  const int64_t kv_size = c.n_kv_heads * c.head_dim;
  switch (linear) {
    case Linear::q: return {q_size, c.hidden_size};
    case Linear::k:
    case Linear::v: return {kv_size, c.hidden_size};
    case Linear::o: return {c.hidden_size, q_size};
    case Linear::gate:
    case Linear::up: return {c.intermediate_size, c.hidden_size};
    case Linear::down: return {c.hidden_size, c.intermediate_size};
  }
  return {};
}

at::Tensor& BlockWeights::operator[](Linear linear) {
  switch (linear) {
    case Linear::q: return q;
    case Linear::k: return k;
    case Linear::v: return v;
    case Linear::o: return o;
    case Linear::gate: return gate;
    case Linear::up: return up;
    case Linear::down: break;
  }
  return down;
}
const at::Tensor& BlockWeights::operator[](Linear linear) const { return const_cast<BlockWeights&>(*this)[linear]; }

Linear input_group(Linear linear) {
  switch (linear) {
    case Linear::q:
    case Linear::k:
    case Linear::v: return Linear::q;
    case Linear::gate:
    case Linear::up: return Linear::gate;
    case Linear::o:
    case Linear::down: break;
  }
  return linear;
}

void check_tensors(const LlamaConfig& config, const WeightSource& weights) {
  std::set<std::string, std::less<>> known{"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"};
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    for (const Linear linear : kLinears) known.insert(linear_name(i, linear));
    known.insert(block_prefix(i) + "input_layernorm.weight");
    known.insert(block_prefix(i) + "post_attention_layernorm.weight");
    known.insert(block_prefix(i) + "self_attn.rotary_emb.inv_freq");  // recomputed; old files carry it
  }
  for (const std::string& name : weights.names()) {
    if (known.find(name) != known.end()) continue;
    throw Error(Status::bad_input, {.what = "tensor " + name + " is not part of a LLaMA model",
                                    .where = name,
                                    .why = "config.json describes " + std::to_string(config.n_blocks) +
                                           " blocks without biases; nothing would read this tensor",
                                    .fix = "use the config.json that belongs to these weights"});
  }
}

BlockWeights load_block(const LlamaConfig& config, const WeightSource& weights, int64_t block, at::ScalarType dtype) {
  BlockWeights w;
  for (const Linear linear : kLinears) {
    w[linear] = load(weights, linear_name(block, linear), linear_shape(config, linear), dtype);
  }
  w.attention_norm = load(weights, block_prefix(block) + "input_layernorm.weight", {config.hidden_size}, dtype);
  w.mlp_norm = load(weights, block_prefix(block) + "post_attention_layernorm.weight", {config.hidden_size}, dtype);
  return w;
}

void KvCache::keep(const at::Tensor& rows) {
  for (auto* tensors : {&keys, &values}) {
    for (at::Tensor& tensor : *tensors) tensor = tensor.index_select(0, rows);
  }
}

KvCache::KvCache(const LlamaConfig& config, int64_t n_sequences, int64_t capacity, at::ScalarType dtype) {
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    keys.push_back(at::zeros({n_sequences, config.n_kv_heads, capacity, config.head_dim}, dtype));
    values.push_back(at::zeros({n_sequences, config.n_kv_heads, capacity, config.head_dim}, dtype));
  }
}

at::Tensor rope_frequencies(const LlamaConfig& config) {
  const at::Tensor exponent = at::arange(0, config.head_dim, 2, at::kDouble) / static_cast<double>(config.head_dim);
  const at::Tensor frequency = at::pow(config.rope_theta, exponent.neg());
  const RopeScaling& scaling = config.rope_scaling;
  switch (scaling.kind) {
    case RopeScaling::Kind::none: return frequency;
    case RopeScaling::Kind::linear: return frequency / scaling.factor;
    case RopeScaling::Kind::llama3: break;
  }
  // How often a pair turns in the original context: below low_freq_factor times the frequency is divided, above
  // high_freq_factor times it stays.
  const at::Tensor turns = static_cast<double>(scaling.original_positions) * frequency / (2 * M_PI);
  const at::Tensor kept =
      ((turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)).clamp(0, 1);
  return frequency * (kept + (1 - kept) / scaling.factor);
}

Positions::Positions(const LlamaConfig& config, int64_t past_length, int64_t n_new, const at::Tensor& left_pads,
                     at::ScalarType dtype)
    : past(past_length), n_pads(left_pads) {
  const int64_t n_seen = past + n_new;
  const at::Tensor columns = at::arange(past, n_seen, at::kLong).unsqueeze(0);                         // [1, T]
  const at::Tensor index = n_pads.defined() ? (columns - n_pads.unsqueeze(1)).clamp_min(0) : columns;  // [1 or B, T]
  // Angles in fp64: position times frequency loses digits in fp32 long before a context ends.
  const at::Tensor half = index.to(at::kDouble).unsqueeze(-1) * rope_frequencies(config);  // [.., T, d / 2]
  const at::Tensor angle = at::cat({half, half}, -1).unsqueeze(1);
  cos = angle.cos().to(wide(dtype));
  sin = angle.sin().to(wide(dtype));
}

at::Tensor left_padding(const at::Tensor& keep) {
  const at::Tensor k = keep.to(at::kLong);
  const at::Tensor n_stretches = (k.diff(1, 1) == 1).sum(1) + k.select(1, 0);
  if ((n_stretches != 1).any().item<bool>()) {
    throw Error(Status::bad_input, {.what = "a window is not one stretch of tokens",
                                    .where = "attention_mask",
                                    .why = "padding stands between tokens, or a window has no token at all",
                                    .fix = "pad windows at their ends only"});
  }
  return k.argmax(1);
}

at::Tensor attention_forward(const LlamaConfig& config, const BlockWeights& w, const at::Tensor& x,
                             const Positions& positions, KvCache* cache, int64_t block, const InputTap& tap) {
  const at::Tensor a = rms_norm(x, w.attention_norm, config.rms_norm_eps);
  if (tap) tap(Linear::q, a);
  return x + attention(config, w, a, positions, cache, block, tap);
}

at::Tensor mlp_forward(const LlamaConfig& config, const BlockWeights& w, const at::Tensor& x, const InputTap& tap) {
  const at::Tensor a = rms_norm(x, w.mlp_norm, config.rms_norm_eps);
  if (tap) tap(Linear::gate, a);
  const at::Tensor gated = swiglu(apply(w, Linear::gate, a), apply(w, Linear::up, a));
  if (tap) tap(Linear::down, gated);
  return x + apply(w, Linear::down, gated);
}

at::Tensor block_forward(const LlamaConfig& config, const BlockWeights& w, const at::Tensor& x,
                         const Positions& positions, KvCache* cache, int64_t block) {
  return mlp_forward(config, w, attention_forward(config, w, x, positions, cache, block));
}

Llama::Llama(LlamaConfig config, const WeightSource& weights, at::ScalarType dtype, Blocks blocks)
    : config_(std::move(config)), dtype_(dtype), weights_(&weights) {
  check_tensors(config_, weights);
  const std::vector<int64_t> table{config_.vocab_size, config_.hidden_size};
  embedding_ = load(weights, "model.embed_tokens.weight", table, dtype);
  final_norm_ = load(weights, "model.norm.weight", {config_.hidden_size}, dtype);
  head_ = embedding_;
  if (!config_.tied_embeddings) {
    head_ = load(weights, "lm_head.weight", table, dtype);
  } else if (weights.contains("lm_head.weight") &&
             !at::equal(weights.tensor("lm_head.weight"), weights.tensor("model.embed_tokens.weight"))) {
    throw Error(Status::bad_input,
                {.what = "config.json ties the output matrix to the embedding, the weights do not",
                 .where = "lm_head.weight",
                 .why = "tie_word_embeddings is true and lm_head.weight differs from model.embed_tokens.weight",
                 .fix = "set tie_word_embeddings to false, or remove lm_head.weight from the weights"});
  }
  if (blocks == Blocks::streaming) return;
  for (int64_t i = 0; i < config_.n_blocks; ++i) blocks_.push_back(load_block(config_, weights, i, dtype));
  weights_ = nullptr;
}

BlockWeights Llama::block(int64_t index) const {
  return streaming() ? load_block(config_, *weights_, index, dtype_) : blocks_[static_cast<size_t>(index)];
}

BlockWeights& Llama::resident_block(int64_t index) { return blocks_.at(static_cast<size_t>(index)); }

at::Tensor Llama::embed(const at::Tensor& ids) const { return at::embedding(embedding_, ids); }

at::Tensor Llama::logits(const at::Tensor& hidden) const {
  return at::linear(rms_norm(hidden, final_norm_, config_.rms_norm_eps), head_);
}

at::Tensor Llama::forward(const at::Tensor& ids, const at::Tensor& n_pads, KvCache* cache) const {
  const Positions positions(config_, cache == nullptr ? 0 : cache->length, ids.size(1), n_pads, dtype_);
  at::Tensor x = embed(ids);
  for (int64_t i = 0; i < config_.n_blocks; ++i) x = block_forward(config_, block(i), x, positions, cache, i);
  if (cache != nullptr) cache->length += ids.size(1);
  return x;
}

}  // namespace lowbit::lm
