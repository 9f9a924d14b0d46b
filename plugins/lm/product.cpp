#include "lm/product.h"

#include <algorithm>

#include "lm/kernels.h"

namespace lowbit::lm {
namespace {

// Up to here a product takes as long as its weights take to come from memory, and row by row they come once; a matrix
// product would first copy them into another order.
constexpr int64_t kFewRows = 8;
// Numbers of a weight matrix that are held in fp32 at once; 4 MiB stay in the cache until they are multiplied.
constexpr int64_t kTileNumbers = 1 << 20;

bool has_fast_bf16() {
#ifdef __x86_64__
  static const bool fast = at::globalContext().hasMKLDNN() && __builtin_cpu_supports("avx512bw") &&
                           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return fast;
#else
  return true;
#endif
}

/// rows: fp32 contiguous [r, in]; returns fp32 [r, out].
at::Tensor times_few_rows(const at::Tensor& rows, const at::Tensor& w) {
  const int64_t n_rows = rows.size(0);
  const int64_t n_in = w.size(1);
  const int64_t n_out = w.size(0);
  at::Tensor y = at::empty({n_rows, n_out}, at::kFloat);
  const auto* const x_at = rows.data_ptr<float>();
  auto* const y_at = y.data_ptr<float>();
  const Kernels& k = kernels();
  const auto run = [&](const auto* weights, const auto& dot) {
    const int64_t at_least = std::max<int64_t>(1, 32768 / n_in);  // weight rows worth a thread
    at::parallel_for(0, n_out, at_least, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        for (int64_t r = 0; r < n_rows; ++r) y_at[r * n_out + o] = dot(weights + o * n_in, x_at + r * n_in, n_in);
      }
    });
  };
  if (w.scalar_type() == at::kFloat) {
    run(w.data_ptr<float>(), k.dot);
  } else {
    run(static_cast<const uint16_t*>(w.data_ptr()), k.dot_bf16);
  }
  return y;
}

/// rows: fp32 [r, in]; w: bf16; returns fp32 [r, out].
at::Tensor times_widened(const at::Tensor& rows, const at::Tensor& w) {
  const int64_t n_out = w.size(0);
  const int64_t width = std::min(n_out, std::max<int64_t>(64, kTileNumbers / w.size(1)));
  const at::Tensor tile = at::empty({width, w.size(1)}, at::kFloat);
  at::Tensor y = at::empty({rows.size(0), n_out}, at::kFloat);
  for (int64_t begin = 0; begin < n_out; begin += width) {
    const int64_t length = std::min(width, n_out - begin);
    at::Tensor part = tile.narrow(0, 0, length);
    part.copy_(w.narrow(0, begin, length));
    at::Tensor out = y.narrow(1, begin, length);
    at::mm_out(out, rows, part.t());
  }
  return y;
}

}  // namespace

at::ScalarType product_dtype(const at::Tensor& x) {
  const at::ScalarType stored = x.scalar_type();
  const bool slow = stored == at::kBFloat16 && x.device().is_cpu() && !has_fast_bf16();
  return slow && c10::InferenceMode::is_enabled() ? at::kFloat : stored;
}

at::Tensor linear_product(const at::Tensor& x, const at::Tensor& w, const at::Tensor& bias) {
  const at::ScalarType type = w.scalar_type();
  const int64_t n_rows = w.size(1) == 0 ? 0 : x.numel() / w.size(1);
  const bool ours = c10::InferenceMode::is_enabled() && x.device().is_cpu() && w.is_contiguous() && n_rows > 0;
  const bool few = n_rows <= kFewRows && (type == at::kFloat || type == at::kBFloat16);
  if (!ours || (!few && product_dtype(w) == type)) return bias.defined() ? at::linear(x, w, bias) : at::linear(x, w);
  const at::Tensor rows = x.reshape({n_rows, w.size(1)}).to(at::kFloat).contiguous();
  at::Tensor y = few ? times_few_rows(rows, w) : times_widened(rows, w);
  if (bias.defined()) y.add_(bias.to(at::kFloat));
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = w.size(0);
  return y.to(type).view(shape);
}

}  // namespace lowbit::lm
