// The law: each loop, in each of its variants, is the formula it stands for, computed in fp64. Numbers are of size one,
// so fp32 sums of up to 70 terms err by some 1e-6; a wrong index or sign shows as an error of size one.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "lm/kernels.h"

using namespace lowbit;

namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

std::vector<const lm::Kernels*> variants() {
  std::vector<const lm::Kernels*> all{&lm::kPlainKernels};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&lm::kAvx2Kernels);
  if (&lm::kernels() == &lm::kAvx512Kernels) all.push_back(&lm::kAvx512Kernels);
#endif
  return all;
}

class Numbers {
 public:
  Floats operator()(std::size_t n, float scale = 1) {
    Floats numbers(n);
    for (float& x : numbers) x = scale * normal_(random_);
    return numbers;
  }

 private:
  std::mt19937 random_{1};
  std::normal_distribution<float> normal_;
};

void check_close(const Floats& found, const Doubles& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(double{found[i]} == Approx(expected[i]).margin(1e-5));
}

Doubles softmax(const Doubles& x) {
  Doubles y(x.size());
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) total += y[i] = std::exp(x[i]);
  for (double& weight : y) weight /= total;
  return y;
}

Doubles attention(const Floats& q, const Floats& keys, const Floats& values) {
  const std::size_t d = q.size();
  Doubles scores(keys.size() / d);
  for (std::size_t s = 0; s < scores.size(); ++s) {
    for (std::size_t i = 0; i < d; ++i) {
      scores[s] += double{q[i]} * double{keys[s * d + i]} / std::sqrt(static_cast<double>(d));
    }
  }
  const Doubles weights = softmax(scores);
  Doubles out(d);
  for (std::size_t s = 0; s < scores.size(); ++s) {
    for (std::size_t i = 0; i < d; ++i) out[i] += weights[s] * double{values[s * d + i]};
  }
  return out;
}

/// (f(x + h e_i) - f(x - h e_i)) / 2h for every i: the gradient of sum_j dy_j f_j.
template <class Function>
Doubles gradient(const Floats& x, const Floats& dy, const Function& f) {
  constexpr double h = 1e-5;
  Doubles point(x.begin(), x.end());
  Doubles result(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (const double sign : {1.0, -1.0}) {
      point[i] = double{x[i]} + sign * h;
      const Doubles y = f(point);
      for (std::size_t j = 0; j < y.size(); ++j) result[i] += sign * double{dy[j]} * y[j] / (2 * h);
    }
    point[i] = double{x[i]};
  }
  return result;
}

/// Numbers that bf16 holds, and their bits.
struct Halves {
  std::vector<uint16_t> bits;
  Floats numbers;
};

Halves halves(Floats numbers) {
  Halves cut{{}, std::move(numbers)};
  for (float& x : cut.numbers) {
    const auto word = __builtin_bit_cast(uint32_t, x);
    cut.bits.push_back(static_cast<uint16_t>(word >> 16U));
    x = __builtin_bit_cast(float, word & 0xFFFF0000U);
  }
  return cut;
}

const auto kSizes = {1, 3, 4, 7, 8, 9, 32, 70};

}  // namespace

TEST_CASE("a product of two rows, of any length and with weights in either dtype", "[kernels]") {
  const std::size_t n = GENERATE(1U, 3U, 4U, 7U, 8U, 31U, 32U, 33U, 70U);
  Numbers numbers;
  const Floats x = numbers(n);
  const auto [bits, w] = halves(numbers(n));
  double expected = 0;
  for (std::size_t i = 0; i < n; ++i) expected += double{w[i]} * double{x[i]};
  for (const lm::Kernels* k : variants()) {
    CHECK(double{k->dot(w.data(), x.data(), static_cast<int64_t>(n))} == Approx(expected).margin(1e-5));
    CHECK(double{k->dot_bf16(bits.data(), x.data(), static_cast<int64_t>(n))} == Approx(expected).margin(1e-5));
  }
}

TEST_CASE("attention over a cache is that of fp64, whatever the head's size", "[kernels]") {
  Numbers numbers;
  for (const std::size_t d : {1U, 7U, 8U, 32U, 36U}) {
    for (const std::size_t n : {1U, 2U, 70U}) {
      const Floats q = numbers(d), keys = numbers(n * d), values = numbers(n * d);
      for (const lm::Kernels* variant : variants()) {
        Floats scores(n), out(d);
        variant->attend(q.data(), keys.data(), values.data(), static_cast<int64_t>(n), static_cast<int64_t>(d),
                        scores.data(), out.data());
        check_close(out, attention(q, keys, values));

        const Halves key_bits = halves(keys), value_bits = halves(values);
        variant->attend_bf16(q.data(), key_bits.bits.data(), value_bits.bits.data(), static_cast<int64_t>(n),
                             static_cast<int64_t>(d), scores.data(), out.data());
        check_close(out, attention(q, key_bits.numbers, value_bits.numbers));
      }
    }
  }
}

TEST_CASE("a key far below the others weighs nothing", "[kernels]") {
  const Floats q{1}, keys{0, -1000, 0}, values{2, 777, 4};
  for (const lm::Kernels* variant : variants()) {
    Floats scores(3), out(1);
    variant->attend(q.data(), keys.data(), values.data(), 3, 1, scores.data(), out.data());
    CHECK(out[0] == 3);
  }
}

TEST_CASE("an exponential errs by less than 2e-7 of its value", "[kernels]") {
  for (const lm::Kernels* variant : variants()) {
    double worst = 0;
    for (float x = 0; x > -87; x -= 0.0137F) {
      const Floats in{0, x, x, x, x, x, x, x, x, x};  // in a vector and in what is left of it
      Floats out(in.size());
      variant->softmax(in.data(), 1, 0, 10, 10, out.data());
      for (std::size_t i = 1; i < 10; ++i) {
        const double expected = std::exp(double{x});
        worst = std::max(worst, std::abs(double{out[i]} / double{out[0]} - expected) / expected);
      }
    }
    CHECK(worst < 2e-7 + 1.2e-7);  // the product with 1 / sum adds a rounding to each of the two
  }
}

TEST_CASE("softmax of scores of any size", "[kernels]") {
  for (const lm::Kernels* variant : variants()) {
    for (const float size : {1e2F, 3e10F, 1e11F, 1e30F}) {
      const Floats x{size, 0, size, 0, 0, 0, 0, 0, -size};
      Floats y(9);
      variant->softmax(x.data(), 0.17677669F, 0, 9, 9, y.data());
      const float far = size < 1e3F ? 2.1e-8F : 0;  // e^-17.7
      for (std::size_t i = 0; i < 8; ++i) {
        CHECK(y[i] == Approx(i == 0 || i == 2 ? 0.5F : far / 2).epsilon(0.1));
      }
      CHECK(y[8] < 1e-15F);
    }
    const Floats saturated{0, 0, -88, -200, -1e30F, -INFINITY, -88, -89, -90};
    Floats y(9);
    variant->softmax(saturated.data(), 1, 0, 9, 9, y.data());
    for (std::size_t i = 0; i < 9; ++i) CHECK(y[i] == (i < 2 ? 0.5F : 0));  // no denormal numbers
  }
}

TEST_CASE("a NaN or an overflow is not hidden", "[kernels]") {
  constexpr std::size_t n = 21;
  const auto all_nan = [](const Floats& x) {
    return std::all_of(x.begin(), x.end(), [](float y) { return std::isnan(y); });
  };
  for (const lm::Kernels* variant : variants()) {
    for (const std::size_t at : {0U, 3U, 9U, 16U, 20U}) {  // first, in both vectors, what is left
      for (const float bad : {std::nanf(""), -std::nanf(""), __builtin_bit_cast(float, 0x7FFFFFFF)}) {
        CAPTURE(at);
        Floats x(n, 0.5F), y(n), scores(n), out(2);
        const Floats ones(n, 1);
        x[at] = bad;
        variant->softmax(x.data(), 1, 0, n, n, y.data());
        CHECK(all_nan(y));
        (void)variant->rms_norm(x.data(), ones.data(), 1e-5F, n, y.data());
        CHECK(all_nan(y));
        variant->swiglu(x.data(), ones.data(), n, y.data());
        CHECK(std::isnan(y[at]));
        variant->swiglu(ones.data(), x.data(), n, y.data());
        CHECK(std::isnan(y[at]));
        const Floats one{1};
        variant->attend(one.data(), x.data(), ones.data(), n, 1, scores.data(), out.data());
        CHECK(std::isnan(out[0]));
        variant->attend(one.data(), ones.data(), x.data(), n, 1, scores.data(), out.data());
        CHECK(std::isnan(out[0]));
      }
      Floats x(n, 0.5F), y(n);
      const Floats ones(n, 1);
      x[at] = INFINITY;
      variant->softmax(x.data(), 1, 0, n, n, y.data());
      CHECK(all_nan(y));
      variant->swiglu(x.data(), ones.data(), n, y.data());
      CHECK(std::isinf(y[at]));
      x[at] = -INFINITY;
      variant->swiglu(x.data(), ones.data(), n, y.data());
      CHECK(std::isnan(y[at]));  // as libtorch: -inf * 0
    }
  }
}

TEST_CASE("softmax sees its stretch only, in place too, and has the gradient of it", "[kernels]") {
  Numbers numbers;
  constexpr float kScale = 0.7F;
  for (const int size : kSizes) {
    const auto n = static_cast<std::size_t>(size);
    for (const std::size_t begin : {std::size_t{0}, n / 3}) {
      const std::size_t end = n - n / 4;
      const Floats x = numbers(n), dy = numbers(n);
      const auto expected = [&](const Doubles& point) {
        Doubles seen;
        for (std::size_t i = begin; i < end; ++i) seen.push_back(double{kScale} * point[i]);
        seen = softmax(seen);
        Doubles y(n);
        std::copy(seen.begin(), seen.end(), y.begin() + static_cast<std::ptrdiff_t>(begin));
        return y;
      };
      for (const lm::Kernels* variant : variants()) {
        const auto from = static_cast<int64_t>(begin), to = static_cast<int64_t>(end);
        Floats y(n, 5), in_place = x, dx(n, 5), dx_in_place = dy;
        variant->softmax(x.data(), kScale, from, to, size, y.data());
        variant->softmax(in_place.data(), kScale, from, to, size, in_place.data());
        check_close(y, expected({x.begin(), x.end()}));
        CHECK(in_place == y);
        variant->softmax_backward(y.data(), dy.data(), kScale, from, to, size, dx.data());
        variant->softmax_backward(y.data(), dx_in_place.data(), kScale, from, to, size, dx_in_place.data());
        check_close(dx, gradient(x, dy, expected));
        CHECK(dx_in_place == dx);
      }
    }
  }
}

TEST_CASE("RMSNorm and its gradient are those of fp64", "[kernels]") {
  Numbers numbers;
  constexpr float kEps = 1e-3F;
  for (const int size : kSizes) {
    const auto n = static_cast<std::size_t>(size);
    const Floats x = numbers(n), weight = numbers(n), dy = numbers(n);
    const auto expected = [&](const Doubles& point) {
      double squares = 0;
      for (const double each : point) squares += each * each;
      Doubles y(n);
      for (std::size_t i = 0; i < n; ++i) {
        y[i] = point[i] / std::sqrt(squares / size + double{kEps}) * double{weight[i]};
      }
      return y;
    };
    for (const lm::Kernels* variant : variants()) {
      Floats y(n), dx(n);
      const float r = variant->rms_norm(x.data(), weight.data(), kEps, size, y.data());
      check_close(y, expected({x.begin(), x.end()}));
      variant->rms_norm_backward(x.data(), weight.data(), r, dy.data(), size, dx.data());
      const Doubles dx_expected = gradient(x, dy, expected);
      double largest = 1;  // a row of few numbers near 0 has gradients of size 1 / sqrt(eps)
      for (const double each : dx_expected) largest = std::max(largest, std::abs(each));
      for (std::size_t i = 0; i < n; ++i) CHECK(double{dx[i]} == Approx(dx_expected[i]).margin(1e-5 * largest));
    }
  }
}

TEST_CASE("a rotation turns pairs by their angles, and back", "[kernels]") {
  Numbers numbers;
  for (const std::size_t half : {1U, 4U, 5U, 16U}) {
    const Floats x = numbers(2 * half), angle = numbers(half);
    Floats cos(half), sin(half);
    Doubles expected(2 * half);
    for (std::size_t i = 0; i < half; ++i) {
      cos[i] = std::cos(angle[i]);
      sin[i] = std::sin(angle[i]);
      const double c = std::cos(double{angle[i]}), s = std::sin(double{angle[i]});
      expected[i] = double{x[i]} * c - double{x[i + half]} * s;
      expected[i + half] = double{x[i + half]} * c + double{x[i]} * s;
    }
    for (const lm::Kernels* variant : variants()) {
      Floats y(2 * half), back(2 * half);
      variant->rotate(x.data(), cos.data(), sin.data(), 1, static_cast<int64_t>(2 * half), y.data());
      check_close(y, expected);
      variant->rotate(y.data(), cos.data(), sin.data(), -1, static_cast<int64_t>(2 * half), back.data());
      check_close(back, {x.begin(), x.end()});
    }
  }
}

TEST_CASE("SwiGLU and its gradients are those of fp64, also far out", "[kernels]") {
  Numbers numbers;
  for (const int size : kSizes) {
    const auto n = static_cast<std::size_t>(size);
    const Floats gate = numbers(n, 3), up = numbers(n), dy = numbers(n);
    const auto product = [](double g, double u) { return g / (1 + std::exp(-g)) * u; };
    const auto of_gate = [&](const Doubles& point) {
      Doubles y(n);
      for (std::size_t i = 0; i < n; ++i) y[i] = product(point[i], double{up[i]});
      return y;
    };
    const auto of_up = [&](const Doubles& point) {
      Doubles y(n);
      for (std::size_t i = 0; i < n; ++i) y[i] = product(double{gate[i]}, point[i]);
      return y;
    };
    for (const lm::Kernels* variant : variants()) {
      Floats y(n), d_gate(n), d_up(n);
      variant->swiglu(gate.data(), up.data(), size, y.data());
      check_close(y, of_up({up.begin(), up.end()}));
      variant->swiglu_backward(gate.data(), up.data(), dy.data(), size, d_gate.data(), d_up.data());
      check_close(d_gate, gradient(gate, dy, of_gate));
      check_close(d_up, gradient(up, dy, of_up));
    }
  }
  const Floats far{-1000, 1000}, one{1, 1};
  for (const lm::Kernels* variant : variants()) {
    Floats y(2);
    variant->swiglu(far.data(), one.data(), 2, y.data());
    CHECK(y[0] == Approx(0).margin(1e-30));
    CHECK(y[1] == 1000);
  }
}
