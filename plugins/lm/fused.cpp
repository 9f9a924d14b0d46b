#include "lm/fused.h"

#include <algorithm>
#include <limits>

#include <torch/csrc/autograd/custom_function.h>

#include "lm/kernels.h"

namespace lowbit::lm {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrain = 32768;  // numbers that are worth another thread

bool in_one_pass(const at::Tensor& x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat; }

bool with_gradient(const at::Tensor& a, const at::Tensor& b = {}) {
  return c10::GradMode::is_enabled() && (a.requires_grad() || (b.defined() && b.requires_grad()));
}

/// work(row) for each of n rows of `width` numbers.
template <class Work>
void each_row(int64_t n, int64_t width, const Work& work) {
  at::parallel_for(0, n, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) work(row);
  });
}

// ---- RMSNorm

/// r: [rows], or undefined when nobody asks for it.
at::Tensor rms_norm_rows(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& r) {
  const int64_t width = x.size(-1);
  at::Tensor y = at::empty_like(x);
  const auto* x_at = x.data_ptr<float>();
  const auto* weight_at = weight.data_ptr<float>();
  auto* y_at = y.data_ptr<float>();
  auto* r_at = r.defined() ? r.data_ptr<float>() : nullptr;
  each_row(x.numel() / width, width, [&](int64_t row) {
    const int64_t i = row * width;
    const float scale = kernels().rms_norm(x_at + i, weight_at, static_cast<float>(eps), width, y_at + i);
    if (r_at != nullptr) r_at[row] = scale;
  });
  return y;
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, double eps) {
    const at::Tensor r = at::empty({x.numel() / x.size(-1)}, x.options());
    context->save_for_backward({x, weight, r});
    return rms_norm_rows(x, weight, eps, r);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& r = saved[2];
    const int64_t width = x.size(-1);
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty_like(x);
    const auto* x_at = x.data_ptr<float>();
    const auto* weight_at = weight.data_ptr<float>();
    const auto* r_at = r.data_ptr<float>();
    const auto* dy_at = dy.data_ptr<float>();
    auto* dx_at = dx.data_ptr<float>();
    each_row(r.numel(), width, [&](int64_t row) {
      const int64_t i = row * width;
      kernels().rms_norm_backward(x_at + i, weight_at, r_at[row], dy_at + i, width, dx_at + i);
    });
    at::Tensor d_weight;
    if (context->needs_input_grad(1)) d_weight = (dy * x).view({-1, width}).mul_(r.unsqueeze(1)).sum(0);
    return {dx, d_weight, {}};
  }
};

// ---- RoPE

/// The rotation by `direction` times the angles, from [B, T, n, d] (`from_tokens`) to [B, n, T, d] or back.
at::Tensor rotated(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, float direction,
                   bool from_tokens) {
  const at::Tensor source = x.contiguous();
  const int64_t batch = x.size(0);
  const int64_t n_tokens = x.size(from_tokens ? 1 : 2);
  const int64_t n_heads = x.size(from_tokens ? 2 : 1);
  const int64_t d = x.size(3);
  at::Tensor result = from_tokens ? at::empty({batch, n_heads, n_tokens, d}, x.options())
                                  : at::empty({batch, n_tokens, n_heads, d}, x.options());
  const auto* from = source.data_ptr<float>();
  const auto* cos_at = cos.data_ptr<float>();
  const auto* sin_at = sin.data_ptr<float>();
  auto* to = result.data_ptr<float>();
  const int64_t angles_per_sequence = cos.size(0) == 1 ? 0 : n_tokens * d;
  each_row(batch * n_tokens, n_heads * d, [&](int64_t token) {
    const int64_t b = token / n_tokens;
    const int64_t t = token % n_tokens;
    const int64_t angle = b * angles_per_sequence + t * d;
    for (int64_t head = 0; head < n_heads; ++head) {
      const int64_t by_token = (token * n_heads + head) * d;
      const int64_t by_head = ((b * n_heads + head) * n_tokens + t) * d;
      kernels().rotate(from + (from_tokens ? by_token : by_head), cos_at + angle, sin_at + angle, direction, d,
                       to + (from_tokens ? by_head : by_token));
    }
  });
  return result;
}

struct RotatedHeads : torch::autograd::Function<RotatedHeads> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    return rotated(x, cos, sin, 1, /*from_tokens=*/true);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    return {rotated(gradients[0], saved[0], saved[1], -1, /*from_tokens=*/false), {}, {}};
  }
};

// ---- SwiGLU

struct Swiglu : torch::autograd::Function<Swiglu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate, const at::Tensor& up) {
    if (context != nullptr) context->save_for_backward({gate, up});
    at::Tensor y = at::empty_like(gate);
    const int64_t width = gate.size(-1);
    const auto* gate_at = gate.data_ptr<float>();
    const auto* up_at = up.data_ptr<float>();
    auto* y_at = y.data_ptr<float>();
    each_row(gate.numel() / width, width, [&](int64_t row) {
      kernels().swiglu(gate_at + row * width, up_at + row * width, width, y_at + row * width);
    });
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& gate = saved[0];
    const at::Tensor& up = saved[1];
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor d_gate = at::empty_like(gate);
    at::Tensor d_up = at::empty_like(up);
    const int64_t width = gate.size(-1);
    const auto* gate_at = gate.data_ptr<float>();
    const auto* up_at = up.data_ptr<float>();
    const auto* dy_at = dy.data_ptr<float>();
    auto* d_gate_at = d_gate.data_ptr<float>();
    auto* d_up_at = d_up.data_ptr<float>();
    each_row(gate.numel() / width, width, [&](int64_t row) {
      const int64_t i = row * width;
      kernels().swiglu_backward(gate_at + i, up_at + i, dy_at + i, width, d_gate_at + i, d_up_at + i);
    });
    return {d_gate, d_up};
  }
};

// ---- softmax

/// The keys [begin, end) that a query at column `position` sees.
struct Seen {
  int64_t begin, end;
};
/// What a query sees of what stands before it.
struct Sight {
  int64_t first;      // position of the first query
  at::Tensor n_pads;  // [B] or [B, S] int64, contiguous; undefined: none
  int64_t window;     // 0: everything

  [[nodiscard]] Seen from(int64_t position, int64_t pads) const {
    const int64_t begin = window == 0 ? 0 : std::max<int64_t>(0, position + 1 - window);
    return {std::min(std::max(begin, pads), position), position + 1};
  }
};

/// work(row of [B, n, T, S], what its query sees)
template <class Work>
void each_query(const at::Tensor& scores, const Sight& sight, const Work& work) {
  const int64_t n_heads = scores.size(1);
  const int64_t n_queries = scores.size(2);
  const auto* pads = sight.n_pads.defined() ? sight.n_pads.data_ptr<int64_t>() : nullptr;
  const bool by_position = pads != nullptr && sight.n_pads.dim() == 2;
  const int64_t stride = by_position ? sight.n_pads.size(1) : 1;
  each_row(scores.size(0) * n_heads * n_queries, scores.size(3), [&](int64_t row) {
    const int64_t b = row / (n_heads * n_queries);
    const int64_t position = sight.first + row % n_queries;
    const int64_t n_pads = pads == nullptr ? 0 : pads[b * stride + (by_position ? position : 0)];
    work(row, sight.from(position, n_pads));
  });
}

/// May be given the same tensor twice.
void softmax_rows(const at::Tensor& scores, double scale, const Sight& sight, at::Tensor& y) {
  const int64_t width = scores.size(3);
  const auto* x_at = scores.data_ptr<float>();
  auto* y_at = y.data_ptr<float>();
  each_query(scores, sight, [&](int64_t row, Seen seen) {
    kernels().softmax(x_at + row * width, static_cast<float>(scale), seen.begin, seen.end, width, y_at + row * width);
  });
}

struct CausalSoftmax : torch::autograd::Function<CausalSoftmax> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& scores, double scale, const Sight* sight) {
    at::Tensor y = at::empty_like(scores);
    softmax_rows(scores, scale, *sight, y);
    context->save_for_backward({y, sight->n_pads});
    context->saved_data["scale"] = scale;
    context->saved_data["first"] = sight->first;
    context->saved_data["window"] = sight->window;
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& y = saved[0];
    const auto scale = static_cast<float>(context->saved_data["scale"].toDouble());
    const int64_t width = y.size(3);
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty_like(y);
    const auto* y_at = y.data_ptr<float>();
    const auto* dy_at = dy.data_ptr<float>();
    auto* dx_at = dx.data_ptr<float>();
    const Sight sight{context->saved_data["first"].toInt(), saved[1], context->saved_data["window"].toInt()};
    each_query(y, sight, [&](int64_t row, Seen seen) {
      const int64_t i = row * width;
      kernels().softmax_backward(y_at + i, dy_at + i, scale, seen.begin, seen.end, width, dx_at + i);
    });
    return {dx, {}, {}};
  }
};

/// bool [1 or B, 1, T, S]: what each query sees.
at::Tensor visible_keys(const at::Tensor& scores, const Sight& sight) {
  const at::Tensor key = at::arange(0, scores.size(3), at::TensorOptions(at::kLong).device(scores.device()));
  const at::Tensor query = key.narrow(0, sight.first, scores.size(2)).view({1, 1, -1, 1});
  at::Tensor behind = key <= query;
  if (sight.window > 0) behind = behind.logical_and(key > query - sight.window);
  if (!sight.n_pads.defined()) return behind;
  const at::Tensor first = sight.n_pads.dim() == 1
                               ? sight.n_pads.view({-1, 1, 1, 1})
                               : sight.n_pads.narrow(1, sight.first, scores.size(2)).unsqueeze(1).unsqueeze(-1);
  return behind.logical_and(key >= first).logical_or(key == query);
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  TORCH_CHECK(weight.numel() == x.size(-1), "rms_norm: a weight for each of a row's numbers");
  if (in_one_pass(x) && in_one_pass(weight) && x.numel() > 0) {
    const at::Tensor rows = x.contiguous();
    if (with_gradient(x, weight)) return RmsNorm::apply(rows, weight.contiguous(), eps);
    return rms_norm_rows(rows, weight.contiguous(), eps, {});
  }
  const at::Tensor wide_x = x.to(wide(x.scalar_type()));
  const at::Tensor scale = (wide_x.square().mean(-1, /*keepdim=*/true) + eps).rsqrt();
  return (wide_x * scale).to(x.scalar_type()) * weight;
}

at::Tensor rotated_heads(const at::Tensor& x, int64_t n_heads, const at::Tensor& cos, const at::Tensor& sin) {
  const at::Tensor heads = x.view({x.size(0), x.size(1), n_heads, x.size(2) / n_heads});
  if (in_one_pass(x) && in_one_pass(cos)) {
    TORCH_CHECK(cos.is_contiguous() && sin.is_contiguous(), "rotated_heads: angles are read as they lie");
    return with_gradient(x) ? RotatedHeads::apply(heads, cos, sin) : rotated(heads, cos, sin, 1, /*from_tokens=*/true);
  }
  const at::Tensor wide_x = heads.transpose(1, 2).to(cos.scalar_type());
  const auto halves = wide_x.chunk(2, -1);
  const at::Tensor turned = at::cat({halves[1].neg(), halves[0]}, -1);
  return (wide_x * cos + turned * sin).to(x.scalar_type()).contiguous();
}

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& up) {
  TORCH_CHECK(gate.sizes() == up.sizes(), "swiglu: gate and up of one shape");
  if (!in_one_pass(gate) || !in_one_pass(up) || gate.numel() == 0) return at::silu(gate) * up;
  const at::Tensor g = gate.contiguous();
  const at::Tensor u = up.contiguous();
  return with_gradient(gate, up) ? Swiglu::apply(g, u) : Swiglu::forward(nullptr, g, u);
}

at::Tensor causal_softmax(const at::Tensor& scores, double scale, int64_t first, const at::Tensor& n_pads,
                          int64_t window) {
  const Sight sight{first, n_pads.defined() ? n_pads.contiguous() : n_pads, window};
  TORCH_CHECK(first + scores.size(2) <= scores.size(3), "causal_softmax: a query sees at least itself");
  if (in_one_pass(scores)) {
    at::Tensor rows = scores.contiguous();
    if (with_gradient(scores)) return CausalSoftmax::apply(rows, scale, &sight);
    softmax_rows(rows, scale, sight, rows);
    return rows;
  }
  at::Tensor scaled = scores * scale;
  if (n_pads.defined() || scores.size(3) > first + 1 || (window > 0 && scores.size(3) > window)) {
    const at::Tensor hidden = visible_keys(scores, sight).logical_not();
    scaled = scaled.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  }
  return at::softmax(scaled, -1);
}

}  // namespace lowbit::lm
