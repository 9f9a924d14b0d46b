#include "lm/block.h"

#include <algorithm>
#include <cmath>

#include "lm/activations.h"
#include "lm/decode_attention.h"
#include "lm/device.h"
#include "lm/error.h"
#include "lm/finite.h"
#include "lm/fused.h"
#include "lm/product.h"

namespace lowbit::lm {
namespace {

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (const int64_t dim : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dim);
  return text + "]";
}

/// One of the block's linears applied to x.
at::Tensor apply(const BlockWeights& w, Linear which, const at::Tensor& x) {
  const at::Tensor& matrix = w[which];
  const at::Tensor& bias = w.bias(which);
  const at::ScalarType type = matrix.scalar_type();
  const at::Tensor y = linear_product(x.to(type), matrix, bias.defined() ? bias.to(type) : bias).to(x.scalar_type());
  const at::Tensor more = w.branch ? w.branch(which, x) : at::Tensor();
  return more.defined() ? y + more : y;
}

at::Tensor read_by(const BlockWeights& w, Linear group, const at::Tensor& x, const at::Tensor& real) {
  return w.activations.input ? w.activations.input(group, x, real) : x;
}

// Queries are taken in chunks so that scores take memory linear in S, and keys behind a chunk are not multiplied at
// all. A constant: another value would change sums in the last bit.
constexpr int64_t kQueryChunk = 256;

/// Attention without its output matrix: x [B, T, h] -> [B, T, n d].
at::Tensor attended(const ModelConfig& c, const BlockWeights& w, const at::Tensor& x, const Positions& positions,
                    KvCache* cache, int64_t block) {
  const int64_t n_sequences = x.size(0);  // B
  const int64_t n_new = x.size(1);        // T
  const int64_t n_groups = c.n_heads / c.n_kv_heads;
  const int64_t n_seen = positions.past + n_new;  // S
  const auto projected = [&](Linear linear) {
    const at::Tensor y = apply(w, linear, x);
    return w.activations.qkv_output ? w.activations.qkv_output(y) : y;
  };
  const auto heads = [&](Linear linear, int64_t n) {
    return projected(linear).view({n_sequences, n_new, n, c.head_dim}).transpose(1, 2);
  };
  const auto placed = [&](Linear linear, int64_t n) {
    return c.position == ModelConfig::Position::rotary
               ? rotated_heads(projected(linear), n, positions.cos, positions.sin)
               : heads(linear, n);
  };
  at::Tensor q = placed(Linear::q, c.n_heads);     // [B, n, T, d]
  at::Tensor k = placed(Linear::k, c.n_kv_heads);  // [B, m, T, d]
  at::Tensor v = heads(Linear::v, c.n_kv_heads);   // [B, m, T, d]
  if (w.activations.cached) {
    k = w.activations.cached(k);
    v = w.activations.cached(v);
  }
  if (cache != nullptr) {
    const auto i = static_cast<size_t>(block);
    cache->keys[i].narrow(2, positions.past, n_new).copy_(k);
    cache->values[i].narrow(2, positions.past, n_new).copy_(v);
    k = cache->keys[i];
    v = cache->values[i];
    const bool in_one_pass =
        x.scalar_type() == at::kFloat || (x.scalar_type() == at::kBFloat16 && c10::InferenceMode::is_enabled());
    if (n_new == 1 && in_one_pass && x.device().is_cpu() && !q.requires_grad()) {
      return decode_attention(q.to(at::kFloat), k, v, n_seen, positions.n_pads, w.window)
          .to(x.scalar_type())
          .view({n_sequences, 1, c.n_heads * c.head_dim});
    }
    k = k.narrow(2, 0, n_seen);
    v = v.narrow(2, 0, n_seen);
  }

  const int64_t batch = n_sequences * c.n_kv_heads;
  const at::ScalarType type = product_dtype(x);
  q = q.reshape({n_sequences, c.n_kv_heads, n_groups, n_new, c.head_dim}).to(type);
  k = k.reshape({batch, n_seen, c.head_dim}).to(type);
  v = v.reshape({batch, n_seen, c.head_dim}).to(type);
  std::vector<at::Tensor> chunks;
  for (int64_t begin = 0; begin < n_new; begin += kQueryChunk) {
    const int64_t length = std::min(kQueryChunk, n_new - begin);
    const int64_t reach = positions.past + begin + length;  // causal: nothing beyond is visible to this chunk
    const at::Tensor q_chunk = q.narrow(3, begin, length).reshape({batch, n_groups * length, c.head_dim});
    const at::Tensor scores =
        at::bmm(q_chunk, k.narrow(1, 0, reach).transpose(1, 2)).to(x.scalar_type()).to(wide(x.scalar_type()));
    const at::Tensor weights = causal_softmax(scores.view({n_sequences, c.n_heads, length, reach}),
                                              1 / std::sqrt(static_cast<double>(c.head_dim)), positions.past + begin,
                                              positions.n_pads, w.window)
                                   .to(x.scalar_type())
                                   .to(type)
                                   .view({batch, n_groups * length, reach});
    chunks.push_back(
        at::bmm(weights, v.narrow(1, 0, reach)).to(x.scalar_type()).view({n_sequences, c.n_heads, length, c.head_dim}));
  }
  return (chunks.size() == 1 ? chunks.front() : at::cat(chunks, 2))
      .transpose(1, 2)
      .reshape({n_sequences, n_new, c.n_heads * c.head_dim});
}

/// What down reads, of what the MLP reads.
at::Tensor mlp_inner(const ModelConfig& config, const BlockWeights& w, const at::Tensor& a) {
  const at::Tensor up = apply(w, Linear::up, a);
  return config.mlp == ModelConfig::Mlp::swiglu ? swiglu(apply(w, Linear::gate, a), up) : at::relu(up);
}

}  // namespace

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

BlockWeights assemble_block(const ModelConfig& config, int64_t block, const GetTensor& get) {
  BlockWeights w;
  for (const Linear linear : linears(config)) {
    const std::vector<int64_t> shape = linear_shape(config, linear);
    w[linear] = get(linear_name(config, block, linear), shape);
    if (has_bias(config, linear)) w.bias(linear) = get(bias_name(config, block, linear), {shape.front()});
  }
  const auto norm = [&](const NormNames& names) {
    const std::vector<int64_t> shape{config.hidden_size};
    return Norm{get(names.weight, shape), names.bias.empty() ? at::Tensor() : get(names.bias, shape)};
  };
  w.attention_norm = norm(attention_norm_names(config, block));
  w.mlp_norm = norm(mlp_norm_names(config, block));
  w.window = config.window(block);
  return w;
}

at::Tensor shaped_tensor(const WeightSource& weights, const std::string& name, const std::vector<int64_t>& shape) {
  at::Tensor tensor = weights.tensor(name);
  if (!tensor.is_floating_point()) {
    throw Error(Status::bad_input, {.what = "tensor " + name + " has a dtype that is not supported",
                                    .where = name,
                                    .why = std::string("it is ") + c10::toString(tensor.scalar_type()),
                                    .fix = "export the model in F32, F16 or BF16"});
  }
  if (tensor.sizes() != shape) {
    throw Error(Status::bad_input,
                {.what = "tensor " + name + " does not fit config.json",
                 .where = name,
                 .why = "expected shape " + shape_text(shape) + ", found " + shape_text(tensor.sizes()),
                 .fix = "use the config.json that belongs to these weights"});
  }
  return tensor;
}

at::Tensor load_tensor(const WeightSource& weights, const std::string& name, const std::vector<int64_t>& shape,
                       const at::TensorOptions& as) {
  at::Tensor tensor = shaped_tensor(weights, name, shape);
  tensor = tensor.to(as.device());  // as it is stored: that is less
  check_finite(tensor, name);
  return tensor.to(as);
}

BlockWeights load_block(const ModelConfig& config, const WeightSource& weights, int64_t block,
                        const at::TensorOptions& as) {
  BlockWeights w = assemble_block(config, block, [&](const std::string& name, const std::vector<int64_t>& shape) {
    return load_tensor(weights, name, shape, as);
  });
  if (const ActivationRules* rules = weights.activation_rules()) w.activations = hooks_of(*rules, config, block);
  return w;
}

void KvCache::keep(const at::Tensor& rows) {
  for (auto* tensors : {&keys, &values}) {
    for (at::Tensor& tensor : *tensors) tensor = tensor.index_select(0, rows.to(tensor.device()));
  }
}

void KvCache::drop_front(int64_t n) {
  for (auto* tensors : {&keys, &values}) {
    for (const at::Tensor& tensor : *tensors) {
      tensor.narrow(2, 0, length - n).copy_(tensor.narrow(2, n, length - n).clone());  // they overlap
    }
  }
  length -= n;
}

void KvCache::copy(int64_t row, int64_t position, const KvCache& from, int64_t from_row, int64_t from_position,
                   int64_t n) {
  const auto part = [n](const at::Tensor& tensor, int64_t b, int64_t begin) {
    return tensor.select(0, b).narrow(1, begin, n);
  };
  for (size_t i = 0; i < keys.size(); ++i) {
    part(keys[i], row, position).copy_(part(from.keys[i], from_row, from_position));
    part(values[i], row, position).copy_(part(from.values[i], from_row, from_position));
  }
}

KvCache::KvCache(const ModelConfig& config, int64_t n_sequences, int64_t capacity, const at::TensorOptions& as) {
  for (int64_t i = 0; i < config.n_blocks; ++i) {
    keys.push_back(at::zeros({n_sequences, config.n_kv_heads, capacity, config.head_dim}, as));
    values.push_back(at::zeros({n_sequences, config.n_kv_heads, capacity, config.head_dim}, as));
  }
}

at::Tensor rope_frequencies(const ModelConfig& config) {
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

Positions::Positions(const ModelConfig& config, int64_t past_length, int64_t n_new, const at::Tensor& left_pads,
                     const at::TensorOptions& as)
    : past(past_length), n_pads(on(as.device(), left_pads)) {
  const at::Tensor columns = at::arange(past, past + n_new, as.dtype(at::kLong)).unsqueeze(0);  // [1, T]
  const at::Tensor first = n_pads.defined() && n_pads.dim() == 1 ? n_pads.unsqueeze(1) : n_pads;
  index = first.defined() ? (columns - first).clamp_min(0) : columns;  // [1 or B, T]
  if (n_pads.defined() && n_pads.dim() == 1) real = columns >= first;
  if (config.position == ModelConfig::Position::learned) return;
  // Angles in fp64: position times frequency loses digits in fp32 long before a context ends.
  const at::Tensor half =
      index.to(at::kDouble).unsqueeze(-1) * rope_frequencies(config).to(as.device());  // [.., T, d / 2]
  const at::Tensor angle = at::cat({half, half}, -1).unsqueeze(1);
  const at::ScalarType type = wide(c10::typeMetaToScalarType(as.dtype()));
  cos = angle.cos().to(type);
  sin = angle.sin().to(type);
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

at::Tensor normed(const ModelConfig& config, const Norm& norm, const at::Tensor& x) {
  if (config.norm == ModelConfig::Norm::rms) return rms_norm(x, norm.weight, config.norm_eps);
  const at::ScalarType type = wide(x.scalar_type());
  return at::layer_norm(x.to(type), {x.size(-1)}, norm.weight.to(type), norm.bias.to(type), config.norm_eps)
      .to(x.scalar_type());
}

at::Tensor attention_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x) {
  return config.norm_first ? normed(config, w.attention_norm, x) : x;
}

at::Tensor mlp_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x) {
  return config.norm_first ? normed(config, w.mlp_norm, x) : x;
}

at::Tensor output_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                        const Positions& positions) {
  return attended(config, w, read_by(w, Linear::q, attention_input(config, w, x), positions.real), positions, nullptr,
                  0);
}

at::Tensor down_input(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x, const at::Tensor& real) {
  return mlp_inner(config, w, read_by(w, input_group(config, Linear::up), mlp_input(config, w, x), real));
}

at::Tensor attention_output(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                            const Positions& positions) {
  const at::Tensor joined = attended(config, w, read_by(w, Linear::q, x, positions.real), positions, nullptr, 0);
  return apply(w, Linear::o, read_by(w, Linear::o, joined, positions.real));
}

at::Tensor mlp_output(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x, const InputTap& tap,
                      const at::Tensor& real) {
  const Linear group = input_group(config, Linear::up);
  if (tap) tap(group, x);
  const at::Tensor inner = mlp_inner(config, w, read_by(w, group, x, real));
  if (tap) tap(Linear::down, inner);
  return apply(w, Linear::down, read_by(w, Linear::down, inner, real));
}

at::Tensor attention_forward(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                             const Positions& positions, KvCache* cache, int64_t block, const InputTap& tap) {
  const at::Tensor a = attention_input(config, w, x);
  if (tap) tap(Linear::q, a);
  const at::Tensor joined = attended(config, w, read_by(w, Linear::q, a, positions.real), positions, cache, block);
  if (tap) tap(Linear::o, joined);
  const at::Tensor y = x + apply(w, Linear::o, read_by(w, Linear::o, joined, positions.real));
  return config.norm_first ? y : normed(config, w.attention_norm, y);
}

at::Tensor mlp_forward(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x, const InputTap& tap,
                       const at::Tensor& real) {
  const at::Tensor y = x + mlp_output(config, w, mlp_input(config, w, x), tap, real);
  return config.norm_first ? y : normed(config, w.mlp_norm, y);
}

at::Tensor block_forward(const ModelConfig& config, const BlockWeights& w, const at::Tensor& x,
                         const Positions& positions, KvCache* cache, int64_t block) {
  return mlp_forward(config, w, attention_forward(config, w, x, positions, cache, block), {}, positions.real);
}

}  // namespace lowbit::lm
