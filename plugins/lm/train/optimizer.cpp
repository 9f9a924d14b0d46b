#include "lm/train/optimizer.h"

#include <algorithm>
#include <cmath>

#include "lm/error.h"

namespace lowbit::lm::train {

AdamW::AdamW(Options options, int64_t n, int64_t n_decayed, at::ScalarType dtype)
    : m(at::zeros({n}, dtype)), v(at::zeros({n}, dtype)), options_(options), n_decayed_(n_decayed) {}

void AdamW::step(at::Tensor& values, const at::Tensor& gradient, double lr, int64_t t) {
  const auto& o = options_;
  const auto updates = static_cast<double>(t);
  if (o.weight_decay != 0) values.narrow(0, 0, n_decayed_).mul_(1 - lr * o.weight_decay);
  m.mul_(o.beta1).add_(gradient, 1 - o.beta1);
  v.mul_(o.beta2).addcmul_(gradient, gradient, 1 - o.beta2);
  const at::Tensor denominator = (v / (1 - std::pow(o.beta2, updates))).sqrt_().add_(o.eps);
  const at::Tensor direction = scale.defined() ? m * scale : m;
  values.addcdiv_(direction, denominator, -lr / (1 - std::pow(o.beta1, updates)));
}

at::Tensor orthogonalize(const at::Tensor& g, at::ScalarType dtype) {
  const bool tall = g.size(0) > g.size(1);
  at::Tensor x = (g / (g.norm() + 1e-7)).to(dtype);  // |x|_2 <= |x|_F = 1, where the iteration is stable
  if (tall) x = x.t().contiguous();
  for (int i = 0; i < 5; ++i) {
    const at::Tensor a = x.mm(x.t());
    x = 3.4445 * x + (a.mm(a).mul_(2.0315).sub_(a, 4.7750)).mm(x);
  }
  return (tall ? x.t() : x).to(g.scalar_type());
}

void Muon::step(at::Tensor& value, const at::Tensor& gradient, at::Tensor& b, double lr, const Options& options) {
  b.lerp_(gradient, 1 - options.momentum);
  const at::Tensor update = orthogonalize(gradient.lerp(b, options.momentum), options.dtype);
  const double shape = static_cast<double>(value.size(0)) / static_cast<double>(value.size(1));
  if (options.weight_decay != 0) value.mul_(1 - lr * options.weight_decay);
  value.sub_(update, lr * std::sqrt(std::max(1.0, shape)));
}

double clip_norm(at::Tensor& gradient, double max_norm) {
  const auto norm = gradient.norm().item<double>();
  if (!std::isfinite(norm)) {
    throw Error(Status::numeric, {.what = "the gradient is not finite",
                                  .where = "gradient norm",
                                  .why = "it is " + std::to_string(norm) + ": the loss or a weight overflowed",
                                  .fix = "lower the learning rate, raise the warm-up, or compute in float32"});
  }
  if (max_norm > 0 && norm > max_norm) gradient.mul_(max_norm / norm);
  return norm;
}

}  // namespace lowbit::lm::train
