// Schedules, update rules, and steps over shards: closed forms, slow twins, equal bits.
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>

#include "lm/train/optimizer.h"
#include "lm/train/schedule.h"
#include "lm/train/trainer.h"
#include "numerics/support/files.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
using lm::train::Schedule;

TEST_CASE("the cosine schedule has the values of Hugging Face's", "[train]") {
  const Schedule dpo{.shape = Schedule::Shape::cosine, .n_steps = 207, .n_warmup = 21};
  CHECK(dpo.factor(0) == 0);
  CHECK(dpo.factor(1) == Approx(0.047619048).epsilon(1e-8));
  CHECK(dpo.factor(20) == Approx(0.952380952).epsilon(1e-8));
  CHECK(dpo.factor(21) == 1);
  CHECK(dpo.factor(22) == Approx(0.999928681).epsilon(1e-8));
  CHECK(dpo.factor(114) == Approx(0.5).epsilon(1e-12));
  CHECK(dpo.factor(206) == Approx(7.1319e-5).epsilon(1e-4));
  CHECK(dpo.factor(207) == 0);
  const Schedule sft{.shape = Schedule::Shape::cosine, .n_steps = 1500, .n_warmup = 75};
  CHECK(sft.factor(1) == Approx(0.013333333).epsilon(1e-7));
  CHECK(sft.factor(75) == 1);
  CHECK(sft.factor(76) == Approx(0.999998785).epsilon(1e-8));
  CHECK(sft.factor(1499) == Approx(1.215e-6).epsilon(1e-3));
}

TEST_CASE("linear falls to 0 at the end, a trapezoid over its last part only", "[train]") {
  const Schedule linear{.shape = Schedule::Shape::linear, .n_steps = 110, .n_warmup = 10};
  CHECK(linear.factor(5) == 0.5);
  CHECK(linear.factor(60) == 0.5);
  CHECK(linear.factor(110) == 0);
  const Schedule trapezoid{.shape = Schedule::Shape::trapezoid, .n_steps = 100, .n_warmup = 4, .decay_fraction = 0.4};
  CHECK(trapezoid.factor(2) == 0.5);
  CHECK(trapezoid.factor(4) == 1);
  CHECK(trapezoid.factor(60) == 1);
  CHECK(trapezoid.factor(80) == Approx(0.5));
  CHECK(trapezoid.factor(99) == Approx(1.0 / 40));
  CHECK(trapezoid.factor(100) == 0);
}

TEST_CASE("AdamW's first step is lr g / (|g| + eps) after the decay", "[train]") {
  at::Tensor p = at::tensor({1.0, -2.0, 0.5}, at::kDouble);
  const at::Tensor g = at::tensor({0.3, -4.0, 1e-9}, at::kDouble);
  const at::Tensor before = p.clone();
  lm::train::AdamW adam({.weight_decay = 0.1}, 3, 2, at::kDouble);
  adam.step(p, g, 0.01, 1);
  for (int64_t i = 0; i < 3; ++i) {
    const auto x = g[i].item<double>();
    const double kept = before[i].item<double>() * (i < 2 ? 1 - 0.01 * 0.1 : 1);  // two of three are decayed
    CHECK(p[i].item<double>() == Approx(kept - 0.01 * x / (std::abs(x) + 1e-8)).epsilon(1e-12));
  }
}

TEST_CASE("a scale multiplies AdamW's rate number by number, and not its decay", "[train]") {
  at::Tensor p = at::ones({2}, at::kDouble);
  lm::train::AdamW adam({.weight_decay = 0.1}, 2, 2, at::kDouble);
  adam.scale = at::tensor({1.0, 30.0}, at::kDouble);
  adam.step(p, at::tensor({2.0, -2.0}, at::kDouble), 0.01, 1);  // the first step is lr sign(g)
  CHECK(p[0].item<double>() == Approx(1 - 0.01 * 0.1 - 0.01));
  CHECK(p[1].item<double>() == Approx(1 - 0.01 * 0.1 + 0.30));
}

TEST_CASE("AdamW follows its equations number by number", "[train]") {
  constexpr double kB1 = 0.9;
  constexpr double kB2 = 0.98;
  lm::train::AdamW adam({.beta1 = kB1, .beta2 = kB2, .eps = 1e-9, .weight_decay = 0.05}, 5, 5, at::kDouble);
  at::Tensor p = test::normal({5}, 1);
  std::vector<double> slow(p.data_ptr<double>(), p.data_ptr<double>() + 5);
  std::vector<double> m(5, 0.0);
  std::vector<double> v(5, 0.0);
  for (int t = 1; t <= 100; ++t) {
    const at::Tensor g = test::normal({5}, static_cast<uint64_t>(t) + 10);
    const double lr = 0.01 * t;
    adam.step(p, g, lr, t);
    for (size_t i = 0; i < 5; ++i) {
      const double x = g.data_ptr<double>()[i];
      slow[i] -= lr * 0.05 * slow[i];
      m[i] = kB1 * m[i] + (1 - kB1) * x;
      v[i] = kB2 * v[i] + (1 - kB2) * x * x;
      slow[i] -= lr * (m[i] / (1 - std::pow(kB1, t))) / (std::sqrt(v[i] / (1 - std::pow(kB2, t))) + 1e-9);
    }
  }
  for (size_t i = 0; i < 5; ++i) CHECK(p.data_ptr<double>()[i] == Approx(slow[i]).epsilon(1e-10));
}

TEST_CASE("orthogonalizing keeps the singular vectors and brings the values near 1", "[train]") {
  const std::vector<int64_t> shape = GENERATE(std::vector<int64_t>{24, 64}, std::vector<int64_t>{64, 24});
  const at::Tensor g = test::normal(shape, 3);
  const auto [u, s, vh] = at::linalg_svd(g, /*full_matrices=*/false);
  const at::Tensor o = lm::train::orthogonalize(g, at::kDouble);
  const at::Tensor inner = u.t().mm(o).mm(vh.t());  // diagonal when the vectors are kept
  const at::Tensor values = inner.diagonal();
  // Over |G|_F these values lie about in [0.08, 0.33]; five steps bring all of [0.05, 1] to between 0.65 and 1.25.
  CHECK(values.min().item<double>() > 0.65);
  CHECK(values.max().item<double>() < 1.25);
  CHECK((inner - values.diag()).abs().max().item<double>() < 1e-10);
}

TEST_CASE("Muon moves a matrix by its orthogonalized Nesterov momentum", "[train]") {
  at::Tensor w = test::normal({12, 6}, 4);
  const at::Tensor before = w.clone();
  const at::Tensor g = test::normal({12, 6}, 5);
  at::Tensor b = at::zeros({12, 6}, at::kDouble);
  lm::train::Muon::step(w, g, b, 0.02, {.momentum = 0.95, .weight_decay = 0.1, .dtype = at::kDouble});
  CHECK((b - 0.05 * g).abs().max().item<double>() < 1e-15);
  // First step: gradient and momentum are parallel and the scale does not matter. Tall: times sqrt(12 / 6).
  const at::Tensor expected = before * (1 - 0.002) - 0.02 * std::sqrt(2.0) * lm::train::orthogonalize(g, at::kDouble);
  CHECK((w - expected).abs().max().item<double>() < 1e-7);  // 1e-7 is added to the norm
}

TEST_CASE("a gradient is clipped to its norm and refused when it is not finite", "[train]") {
  at::Tensor g = at::tensor({3.0F, 4.0F});
  CHECK(lm::train::clip_norm(g, 10) == 5);
  CHECK(g[1].item<float>() == 4);
  CHECK(lm::train::clip_norm(g, 1) == 5);
  CHECK(g.norm().item<double>() == Approx(1));
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([] {
    at::Tensor bad = at::tensor({1.0F, std::nanf("")});
    (void)lm::train::clip_norm(bad, 1);
  }) == "the gradient is not finite\n  where: gradient norm\n"
        "  why: it is nan: the loss or a weight overflowed\n"
        "  fix: lower the learning rate, raise the warm-up, or compute in float32");
}

namespace {

/// Least squares with a bias, cut into shards: something with matrices (Muon) and a vector (AdamW).
struct Regression {
  at::Tensor x = test::normal({32, 6}, 6).to(at::kFloat);
  at::Tensor y = test::normal({32, 4}, 7).to(at::kFloat);
  lm::train::ThreadPool pool;
  lm::train::Parameters parameters{{{"bias", at::zeros({4})}, {"w", test::normal({4, 6}, 8).to(at::kFloat)}}};
  lm::train::Trainer trainer;

  explicit Regression(int64_t n_threads, int64_t n_shards = 4)
      : pool(n_threads),
        trainer(parameters,
                {.adam = {.weight_decay = 0.01},
                 .n_decayed = 4,
                 .muon_matrices = {"w"},
                 .muon = {},
                 .clip_norm = 1,
                 .n_shards = n_shards},
                pool) {}

  void step() {
    const int64_t n_shards = 4;
    const auto loss = [&](int64_t shard, const lm::NamedTensors& leaves) {
      const at::Tensor rows = x.narrow(0, shard * 32 / n_shards, 32 / n_shards);
      const at::Tensor error =
          at::linear(rows, leaves.at("w"), leaves.at("bias")) - y.narrow(0, shard * 32 / n_shards, 32 / n_shards);
      return error.square().sum() / 32;
    };
    trainer.record("loss", trainer.step(loss, {.adam = 0.1, .muon = 0.05}).loss);
  }
  void steps(int n) {
    for (int i = 0; i < n; ++i) step();
  }
};

}  // namespace

TEST_CASE("the bits of training do not depend on the number of threads", "[train]") {
  Regression one(1);
  Regression three(3);
  one.steps(20);
  three.steps(20);
  CHECK(at::equal(one.parameters.values, three.parameters.values));
  CHECK(one.trainer.curves() == three.trainer.curves());
  CHECK(one.trainer.curves().at("loss").back() < one.trainer.curves().at("loss").front());
}

TEST_CASE("a resumed training ends with the same bits as one that was not stopped", "[train]") {
  Regression whole(2);
  whole.steps(15);
  const test::ScratchDirectory dir;
  Regression stopped(2);
  stopped.steps(6);
  stopped.trainer.save(dir.path());
  stopped.steps(3);  // lost work
  Regression resumed(2);
  resumed.trainer.restore(dir.path());
  CHECK(resumed.trainer.n_steps() == 6);
  resumed.steps(9);
  CHECK(at::equal(whole.parameters.values, resumed.parameters.values));
  CHECK(whole.trainer.curves() == resumed.trainer.curves());
}

TEST_CASE("a failure in a shard ends the step with that shard's error", "[train]") {
  lm::train::ThreadPool pool(3);
  int64_t seen = -1;
  try {
    pool.run(8, [](int64_t i) {
      if (i >= 2) throw i;
    });
  } catch (int64_t i) {
    seen = i;
  }
  CHECK(seen == 2);
  std::atomic<int64_t> sum{0};
  pool.run(100, [&](int64_t i) { sum += i; });
  CHECK(sum == 4950);
}

TEST_CASE("final metrics are means over the last tenth of the steps", "[train]") {
  Regression r(1);
  for (int i = 0; i < 25; ++i) r.trainer.record("x", i);
  CHECK(r.trainer.tail_mean("x") == 23.5);  // steps 23 and 24
}
