#include "lm/awq.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "lm/error.h"
#include "lm/rtn.h"

namespace lowbit::lm {
namespace {

/// dequantize(quantize_rtn(w)) without the codes. w: fp32 [m, n], finite.
at::Tensor nearest_values(const at::Tensor& w, const GridOptions& options) {
  const at::Tensor source = w.contiguous();
  if (!w.device().is_cpu()) {
    const MatrixGrid grid = by_column(fit_matrix_grid(source, options), group_width(options, w.size(1)), w.size(1));
    return value_of(round_to_grid(source, grid, max_code(options)), grid);
  }
  const int64_t m = source.size(0);
  const int64_t n = source.size(1);
  const int64_t width = group_width(options, n);
  const MatrixGrid grid = fit_matrix_grid(source, options);
  const int64_t n_groups = grid.scale.size(1);
  at::Tensor result = at::empty({m, n}, at::kFloat);
  const float* const data = source.data_ptr<float>();
  const float* const scale = grid.scale.data_ptr<float>();
  const float* const zero = grid.zero.data_ptr<float>();
  auto* const values = result.data_ptr<float>();
  const int top = max_code(options);
  at::parallel_for(0, m, 16, [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; ++r) {
      for (int64_t g = 0; g < n_groups; ++g) {
        const Grid group{scale[r * n_groups + g], zero[r * n_groups + g]};
        const int64_t end = r * n + std::min(n, (g + 1) * width);
        for (int64_t j = r * n + g * width; j < end; ++j) {
          values[j] = value_of(round_to_grid(data[j], group, top), group);
        }
      }
    }
  });
  return result;
}

constexpr double kLeastScale = 1e-4;

// The reference's constants: ratios 1 - i / 20 for i < 10.
constexpr int kClipSteps = 20;
constexpr int kClipsTried = 10;

}  // namespace

at::Tensor awq_scale(const at::Tensor& input_mean, const at::Tensor& weight_mean, double ratio) {
  at::Tensor s = input_mean.to(at::kDouble).pow(ratio);
  if (weight_mean.defined()) s = s / (weight_mean.to(at::kDouble).pow(1 - ratio) + 1e-4);
  s = s.clamp_min(kLeastScale);
  return (s / (s.max() * s.min()).sqrt()).to(at::kFloat);
}

at::Tensor awq_weight_mean(const std::vector<at::Tensor>& matrices, const GridOptions& grid) {
  const int64_t n = matrices.front().size(1);
  const int64_t width = group_width(grid, n);
  at::Tensor sum = at::zeros({n}, matrices.front().options().dtype(at::kDouble));
  int64_t n_rows = 0;
  for (const at::Tensor& w : matrices) {
    for (int64_t begin = 0; begin < n; begin += width) {
      const int64_t length = std::min(width, n - begin);
      const at::Tensor group = w.narrow(1, begin, length).abs().to(at::kFloat);
      sum.narrow(0, begin, length) +=
          (group / (group.amax(1, /*keepdim=*/true) + 1e-6)).sum(0, /*keepdim=*/false, at::kDouble);
    }
    n_rows += w.size(0);
  }
  return sum / static_cast<double>(n_rows);
}

at::Tensor awq_rounded(const at::Tensor& w, const at::Tensor& s, const GridOptions& grid) {
  return nearest_values(w.to(at::kFloat) * s, grid) / s;
}

double awq_layer_loss(const at::Tensor& e, const at::Tensor& hessian) {
  return (at::mm(e, hessian) * e).sum(at::kDouble).item<double>() / (2 * static_cast<double>(e.size(0)));
}

ScaleChoice awq_search_scale(int64_t n_grid, const std::function<at::Tensor(double ratio)>& scale_of,
                             const std::function<double(const at::Tensor& s)>& loss_of) {
  if (n_grid < 1) {
    throw Error(Status::bad_param, {.what = "n_grid is out of range",
                                    .where = "n_grid",
                                    .why = "it is " + std::to_string(n_grid) + ", at least one ratio is tried",
                                    .fix = "use 1 or more; 1 leaves all weights unscaled"});
  }
  ScaleChoice best;
  best.loss = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < n_grid; ++i) {
    const double ratio = static_cast<double>(i) / static_cast<double>(n_grid);
    const at::Tensor s = scale_of(ratio);
    const double loss = at::isfinite(s).all().item<bool>() ? loss_of(s) : std::numeric_limits<double>::quiet_NaN();
    best.losses.push_back(loss);
    if (std::isfinite(loss) && loss < best.loss) {
      best.ratio = ratio;
      best.loss = loss;
      best.scale = s;
    }
  }
  if (!best.scale.defined()) {
    throw Error(Status::numeric,
                {.what = "no scale gives a finite loss",
                 .where = "scale search",
                 .why = "with each of the " + std::to_string(n_grid) + " ratios the output is NaN or Inf",
                 .fix = "compute in float32 and use scale_dtype bfloat16 or float32; if that is so, look for NaN or "
                        "Inf, and for huge weights, in the model"});
  }
  return best;
}

ClipChoice awq_search_clip(const at::Tensor& weight, const at::Tensor& x, const GridOptions& options,
                           const std::function<void()>& tick) {
  const at::Tensor w = finite_copy(weight);
  const int64_t n = w.size(1);
  const int64_t width = group_width(options, n);
  const auto n_tokens = static_cast<double>(x.size(0));
  GridOptions grid = options;
  grid.group_size = -1;
  std::vector<at::Tensor> weights, ratios;
  for (int64_t begin = 0; begin < n; begin += width) {
    const int64_t length = std::min(width, n - begin);
    const at::Tensor group = w.narrow(1, begin, length).contiguous();                  // [m, length]
    const at::Tensor inputs = x.narrow(1, begin, length).to(at::kFloat).contiguous();  // [N, length]
    // The same sum two ways, by which is shorter: over tokens, or through their second moments.
    const at::Tensor moments = length < x.size(0) ? inputs.t().mm(inputs) / n_tokens : at::Tensor();
    const auto output_loss = [&](const at::Tensor& e) {  // [m, length] -> [m]
      return moments.defined() ? (e.mm(moments) * e).sum(1) : e.mm(inputs.t()).square().mean(1);
    };
    const at::Tensor largest = group.abs().amax(1, /*keepdim=*/true);  // [m, 1]
    at::Tensor best_ratio = at::ones_like(largest);
    at::Tensor least;  // [m, 1]
    for (int i = 0; i < kClipsTried; ++i) {
      if (tick) tick();
      const float ratio = 1 - static_cast<float>(i) / kClipSteps;
      const at::Tensor bound = largest * ratio;
      const at::Tensor loss = output_loss(nearest_values(at::clamp(group, -bound, bound), grid) - group).unsqueeze(1);
      if (i == 0) {
        least = loss;
        continue;
      }
      const at::Tensor better = loss < least;
      least = at::where(better, loss, least);
      best_ratio.masked_fill_(better, ratio);
    }
    const at::Tensor bound = largest * best_ratio;
    weights.push_back(at::clamp(group, -bound, bound));
    ratios.push_back(best_ratio);
  }
  return {.weight = at::cat(weights, 1), .ratio = at::cat(ratios, 1)};
}

}  // namespace lowbit::lm
