// Slow twins of the quantizers: fp64, one column at a time, written from the papers' formulas rather than from the fast
// code. Reference only.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "lm/gptq.h"
#include "lm/rtn.h"
#include "lm/torch.h"

namespace lowbit::test {

/// Repeatable normal numbers, fp64.
inline at::Tensor normal(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kDouble));
}
inline at::Tensor uniform(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::rand(shape, generator, at::TensorOptions().dtype(at::kDouble));
}

struct SlowGrid {
  double scale, zero;
};

/// Grid of one group, w: [k] fp64. Frantar et al. 2022, reference quant.py, in formulas: see lm/grid.h.
inline SlowGrid slow_grid(const at::Tensor& w, const lm::GridOptions& o) {
  double low = std::min(w.min().item<double>(), 0.0);
  double high = std::max(w.max().item<double>(), 0.0);
  if (low == 0 && high == 0) {
    low = -1;
    high = 1;
  } else if (o.symmetric) {
    high = std::max(-low, high);
    low = -high;
  }
  const double top = lm::max_code(o);
  const auto grid = [&](double a, double b) {
    const double s = at::tensor((b - a) / top, at::kDouble).to(o.scale_dtype).to(at::kDouble).item<double>();
    return SlowGrid{s, o.symmetric ? (top + 1) / 2 : std::nearbyint(-a / s)};
  };
  if (o.range == lm::GridOptions::Range::min_max) return grid(low, high);
  SlowGrid best{};
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 80; ++i) {
    const double p = 1 - i / 100.0;
    const SlowGrid g = grid(p * low, p * high);
    const at::Tensor q = (at::round(w / g.scale) + g.zero).clamp(0, top);
    const double error = ((q - g.zero) * g.scale - w).abs().pow(2.4).sum().item<double>();
    if (error < least) {
      least = error;
      best = g;
    }
  }
  return best;
}

struct SlowResult {
  at::Tensor codes;   // int64 [m, n]
  at::Tensor values;  // fp64 [m, n]
};

inline SlowResult slow_rtn(const at::Tensor& w, const lm::GridOptions& o) {
  const at::Tensor codes = at::zeros_like(w, at::kLong);
  const at::Tensor values = at::zeros_like(w);
  const int64_t width = lm::group_width(o, w.size(1));
  for (int64_t r = 0; r < w.size(0); ++r) {
    for (int64_t begin = 0; begin < w.size(1); begin += width) {
      const int64_t length = std::min(width, w.size(1) - begin);
      const at::Tensor group = w[r].narrow(0, begin, length);
      const SlowGrid g = slow_grid(group, o);
      const at::Tensor q = (at::round(group / g.scale) + g.zero).clamp(0, lm::max_code(o));
      codes[r].narrow(0, begin, length).copy_(q);
      values[r].narrow(0, begin, length).copy_((q - g.zero) * g.scale);
    }
  }
  return {codes, values};
}

/// Optimal brain quantization in a fixed column order, which is what GPTQ computes: after each column the inverse
/// Hessian is reduced by one Gaussian elimination step (GPTQ paper, equations 2 and 3), with no Cholesky factor and no
/// blocks.
inline SlowResult slow_gptq(const at::Tensor& weight, const at::Tensor& hessian, const lm::GptqOptions& o) {
  using ActOrder = lm::GptqOptions::ActOrder;
  at::Tensor w = weight.to(at::kDouble).clone();
  at::Tensor h = hessian.to(at::kDouble).clone();
  const int64_t m = w.size(0);
  const int64_t n = w.size(1);
  const int64_t width = lm::group_width(o.grid, n);
  for (int64_t i = 0; i < n; ++i) {
    if (h[i][i].item<double>() != 0) continue;
    h[i][i] = 1;
    w.select(1, i).zero_();
  }
  const at::Tensor natural = w.clone();
  const at::Tensor order =
      o.actorder == ActOrder::none ? at::arange(n, at::kLong) : std::get<1>(at::sort(h.diagonal(), true, 0, true));
  w = w.index_select(1, order);
  h = h.index_select(0, order).index_select(1, order);
  h.diagonal().add_(o.dampening_frac * h.diagonal().mean());
  at::Tensor inverse = at::linalg_inv(h);
  const bool natural_groups = o.static_groups || o.actorder == ActOrder::fixed;

  SlowResult result{at::zeros({m, n}, at::kLong), at::zeros({m, n}, at::kDouble)};
  std::vector<SlowGrid> grids(static_cast<size_t>(m));
  for (int64_t i = 0; i < n; ++i) {
    const auto column = order[i].item<int64_t>();
    for (int64_t r = 0; r < m; ++r) {
      SlowGrid& g = grids[static_cast<size_t>(r)];
      if (natural_groups) {
        const int64_t begin = column / width * width;
        g = slow_grid(natural[r].narrow(0, begin, std::min(width, n - begin)), o.grid);
      } else if (i % width == 0) {
        g = slow_grid(w[r].narrow(0, i, std::min(width, n - i)), o.grid);
      }
      const double x = w[r][i].item<double>();
      const double code =
          std::min(std::max(std::nearbyint(x / g.scale) + g.zero, 0.0), static_cast<double>(lm::max_code(o.grid)));
      result.codes[r][column] = static_cast<int64_t>(code);
      result.values[r][column] = (code - g.zero) * g.scale;
      w[r] -= (x - (code - g.zero) * g.scale) / inverse[i][i] * inverse[i];
    }
    inverse = inverse - at::outer(inverse.select(1, i), inverse[i]) / inverse[i][i];
    inverse[i].zero_();  // exact zeros, where elimination leaves rounding
    inverse.select(1, i).zero_();
    inverse[i][i] = 1;
  }
  return result;
}

/// LDLQ (QuIP, Chee et al. 2023): H = (U + I) D (U + I)^T with U strictly upper; column i is rounded after adding the
/// errors of the columns before it, weighted by U. Another route to the same integers as GPTQ. Per-row grids.
inline SlowResult slow_ldlq(const at::Tensor& w, const at::Tensor& hessian, const lm::GptqOptions& o) {
  at::Tensor h = hessian.to(at::kDouble).clone();
  h.diagonal().add_(o.dampening_frac * h.diagonal().mean());
  const at::Tensor r = at::linalg_cholesky(h.flip({0, 1})).flip({0, 1});  // H = R R^T, R upper
  const at::Tensor u = r / r.diagonal().unsqueeze(0);
  const int64_t m = w.size(0);
  const int64_t n = w.size(1);
  SlowResult result{at::zeros({m, n}, at::kLong), at::zeros({m, n}, at::kDouble)};
  for (int64_t row = 0; row < m; ++row) {
    const SlowGrid g = slow_grid(w[row], o.grid);
    for (int64_t i = 0; i < n; ++i) {
      const at::Tensor error = (w[row] - result.values[row]).narrow(0, 0, i);
      const double x = w[row][i].item<double>() + at::dot(error, u.select(1, i).narrow(0, 0, i)).item<double>();
      const double code =
          std::min(std::max(std::nearbyint(x / g.scale) + g.zero, 0.0), static_cast<double>(lm::max_code(o.grid)));
      result.codes[row][i] = static_cast<int64_t>(code);
      result.values[row][i] = (code - g.zero) * g.scale;
    }
  }
  return result;
}

/// tr((W - Q) H (W - Q)^T)
inline double proxy_loss(const at::Tensor& w, const at::Tensor& q, const at::Tensor& h) {
  const at::Tensor e = w.to(at::kDouble) - q.to(at::kDouble);
  return (e.mm(h.to(at::kDouble)) * e).sum().item<double>();
}

/// Share of the codes that differ.
inline double mismatch(const at::Tensor& a, const at::Tensor& b) {
  return a.to(at::kLong).ne(b.to(at::kLong)).to(at::kDouble).mean().item<double>();
}

/// Second moments of n features from `n_tokens` random tokens: independent, of very different sizes, or nearly of
/// rank 8.
enum class Inputs { isotropic, anisotropic, low_rank };
inline at::Tensor second_moments(Inputs kind, int64_t n, int64_t n_tokens, uint64_t seed) {
  at::Tensor x = normal({n, n_tokens}, seed);
  if (kind == Inputs::anisotropic) x = x * (1.5 * normal({n, 1}, seed + 1)).exp();
  if (kind == Inputs::low_rank) x = normal({n, 8}, seed + 2).mm(normal({8, n_tokens}, seed + 3)) + 0.05 * x;
  return 2 * x.mm(x.t()) / static_cast<double>(n_tokens);
}

}  // namespace lowbit::test
