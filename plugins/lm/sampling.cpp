#include "lm/sampling.h"

#include <algorithm>
#include <numeric>

#include "lm/train/random.h"

namespace lowbit::lm {

at::Tensor distribution(const at::Tensor& logits, const Sampling& sampling) {
  const at::Tensor wide = logits.to(at::TensorOptions(at::kCPU).dtype(at::kDouble)).contiguous();
  const int64_t n = wide.numel();
  // The largest is taken away first: a temperature near 0 leaves 0 and -inf.
  at::Tensor p = ((wide - wide.max()) / sampling.temperature).exp();
  auto* const at = p.data_ptr<double>();
  const bool cut = (sampling.top_k > 0 && sampling.top_k < n) || sampling.top_p < 1;
  if (!cut) return p.div_(p.sum());
  std::vector<int64_t> ascending(static_cast<size_t>(n));
  std::iota(ascending.begin(), ascending.end(), int64_t{0});
  std::stable_sort(ascending.begin(), ascending.end(), [at](int64_t a, int64_t b) { return at[a] < at[b]; });
  if (sampling.top_k > 0 && sampling.top_k < n) {
    const double least = at[ascending[static_cast<size_t>(n - sampling.top_k)]];
    for (int64_t i = 0; i < n; ++i) at[i] = at[i] < least ? 0 : at[i];
  }
  p.div_(p.sum());
  if (sampling.top_p < 1) {
    double sum = 0;
    for (size_t i = 0; i + 1 < ascending.size(); ++i) {  // the likeliest one stays
      sum += at[ascending[i]];
      if (sum > 1 - sampling.top_p) break;
      at[ascending[i]] = 0;
    }
    p.div_(p.sum());
  }
  return p;
}

int64_t draw(const at::Tensor& probabilities, double u) {
  const auto* const at = probabilities.data_ptr<double>();
  double sum = 0;
  int64_t last = 0;  // with a probability: where rounding leaves the whole sum at u or below
  for (int64_t i = 0; i < probabilities.numel(); ++i) {
    if (at[i] == 0) continue;
    last = i;
    sum += at[i];
    if (sum > u) return i;
  }
  return last;
}

uint64_t stream_of(uint64_t seed, uint64_t item, int64_t sample) {
  return train::seed_at(seed, {static_cast<int64_t>(item), sample});
}

double uniform_at(uint64_t stream, int64_t position) {
  constexpr double kStep = 0x1p-53;
  return static_cast<double>(train::seed_at(stream, {position}) >> 11U) * kStep;
}

}  // namespace lowbit::lm
