#include "lm/kernels.h"

#include <math.h>
#include <string.h>

// The name that the loops below are compiled under: kPlainKernels, kAvx2Kernels or kAvx512Kernels.
#ifndef LOWBIT_KERNELS
#define LOWBIT_KERNELS kPlainKernels
#endif

namespace lowbit::lm {
namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 16;
#elif defined(__AVX2__)
constexpr int kWidth = 8;
#else
constexpr int kWidth = 4;
#endif
using Vector = float __attribute__((vector_size(kWidth * sizeof(float))));
using BitsVector = uint32_t __attribute__((vector_size(kWidth * sizeof(uint32_t))));
using HalfBitsVector = uint16_t __attribute__((vector_size(kWidth * sizeof(uint16_t))));

/// Numbers of arrays from index i on: as many as a vector register holds (T = Vector), or one (float).
template <class T>
struct At {
  int64_t i;

  inline T operator()(const float* array) const {
    T numbers;
    memcpy(&numbers, array + i, sizeof numbers);
    return numbers;
  }
  /// Of bf16 numbers, given by their bits.
  inline T operator()(const uint16_t* array) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return __builtin_bit_cast(float, static_cast<uint32_t>(array[i]) << 16);
    } else {
      HalfBitsVector bits;
      memcpy(&bits, array + i, sizeof bits);
      return __builtin_bit_cast(T, __builtin_convertvector(bits, BitsVector) << 16);
    }
  }
  inline void store(float* array, T numbers) const { memcpy(array + i, &numbers, sizeof numbers); }
};

/// step(at) for all of 0 <= i < n, by vectors and what is left one by one.
template <class Step>
inline void each(int64_t n, Step step) {
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) step(At<Vector>{i});
  for (; i < n; ++i) step(At<float>{i});
}

/// first joined with term(at) for all of 0 <= i < n, each lane of a vector for itself before they are joined.
template <class Term, class Join>
inline float fold(int64_t n, float first, Term term, Join join) {
  Vector lanes = Vector{} + first;
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) lanes = join(lanes, term(At<Vector>{i}));
  float result = first;
  for (; i < n; ++i) result = join(result, term(At<float>{i}));
  for (int lane = 0; lane < kWidth; ++lane) result = join(result, float{lanes[lane]});
  return result;
}

template <class Term>
inline float sum(int64_t n, Term term) {
  return fold(n, 0, term, [](auto a, auto b) { return a + b; });
}

template <class T>
inline T constant(float x) {
  return T{} + x;
}

/// e^x for x <= 0, 0 below -87, NaN for NaN: 2^k e^r with |r| <= ln(2) / 2, e^r by its Taylor polynomial of degree 7
/// (remainder below 6e-9).
template <class T, class Bits>
inline T exp_of_negative_as(T x) {
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  constexpr float kToInteger = 12582912;  // 1.5 * 2^23: added to k, its bits end in k
  const T least = constant<T>(-87);
  const T bounded = x < least ? least : x;
  const T shifted = bounded * 1.44269504F + kToInteger;
  const T k = shifted - kToInteger;
  const T r = (bounded - k * kLn2High) - k * kLn2Low;
  constexpr float kCoefficients[] = {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1, 1};
  T y = constant<T>(1.0F / 5040);
  for (const float coefficient : kCoefficients) y = y * r + coefficient;
  const T power = __builtin_bit_cast(T, (__builtin_bit_cast(Bits, shifted) + 127) << 23);
  return x < least ? T{} : y * power;
}
inline float exp_of_negative(float x) { return exp_of_negative_as<float, uint32_t>(x); }
inline Vector exp_of_negative(Vector x) { return exp_of_negative_as<Vector, BitsVector>(x); }

template <class T>
inline T sigmoid(T x) {
  const T one = constant<T>(1);
  const T e = exp_of_negative(x < T{} ? x : -x);
  return (x < T{} ? e : one) / (one + e);
}

/// y [n]: e^(scale (x - max x)); returns their sum, NaN when an x is. REQUIRES: n > 0, scale > 0.
inline float exponentials(const float* x, float scale, int64_t n, float* y) {
  const float largest = fold(
      n, x[0], [=](auto at) { return at(x); }, [](auto a, auto b) { return a > b ? a : b; });
  each(n, [=](auto at) { at.store(y, exp_of_negative((at(x) - largest) * scale)); });
  return sum(n, [=](auto at) { return at(y); });
}

/// Sum of w[i] x[i], in four partial sums, so that no addition waits for the one before it.
template <class Number>
float dot(const Number* w, const float* x, int64_t n) {
  constexpr int kSums = 4;
  Vector sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums * kWidth <= n; i += kSums * kWidth) {
    for (int k = 0; k < kSums; ++k) {
      const At<Vector> at{i + k * kWidth};
      sums[k] += at(w) * at(x);
    }
  }
  for (; i + kWidth <= n; i += kWidth) sums[0] += At<Vector>{i}(w)*At<Vector>{i}(x);
  const Vector lanes = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float result = 0;
  for (; i < n; ++i) result += At<float>{i}(w)*x[i];
  for (int lane = 0; lane < kWidth; ++lane) result += float{lanes[lane]};
  return result;
}

inline void clear(float* numbers, int64_t n) { memset(numbers, 0, static_cast<size_t>(n) * sizeof *numbers); }

template <class Number>
void attend(const float* q, const Number* keys, const Number* values, int64_t n, int64_t d, float* scores, float* out) {
  for (int64_t s = 0; s < n; ++s) scores[s] = sum(d, [=](auto at) { return at(q) * at(keys + s * d); });
  const float total = exponentials(scores, 1 / sqrtf(static_cast<float>(d)), n, scores);
  clear(out, d);
  for (int64_t s = 0; s < n; ++s) {
    const float weight = scores[s] / total;
    each(d, [=](auto at) { at.store(out, at(out) + weight * at(values + s * d)); });
  }
}

void softmax(const float* x, float scale, int64_t begin, int64_t end, int64_t n, float* y) {
  const float reciprocal = 1 / exponentials(x + begin, scale, end - begin, y + begin);
  clear(y, begin);
  each(end - begin, [=, seen = y + begin](auto at) { at.store(seen, at(seen) * reciprocal); });
  clear(y + end, n - end);
}

void softmax_backward(const float* y, const float* dy, float scale, int64_t begin, int64_t end, int64_t n, float* dx) {
  const float* weights = y + begin;
  const float* gradient = dy + begin;
  const float mean = sum(end - begin, [=](auto at) { return at(weights) * at(gradient); });
  clear(dx, begin);
  each(end - begin, [=, to = dx + begin](auto at) { at.store(to, scale * at(weights) * (at(gradient) - mean)); });
  clear(dx + end, n - end);
}

float rms_norm(const float* x, const float* weight, float eps, int64_t n, float* y) {
  const float squares = sum(n, [=](auto at) { return at(x) * at(x); });
  const float r = 1 / sqrtf(squares / static_cast<float>(n) + eps);
  each(n, [=](auto at) { at.store(y, at(x) * r * at(weight)); });
  return r;
}

void rms_norm_backward(const float* x, const float* weight, float r, const float* dy, int64_t n, float* dx) {
  const float along_x = sum(n, [=](auto at) { return at(dy) * at(weight) * at(x); }) * r * r / static_cast<float>(n);
  each(n, [=](auto at) { at.store(dx, r * (at(dy) * at(weight) - along_x * at(x))); });
}

void rotate(const float* x, const float* cos, const float* sin, float direction, int64_t d, float* y) {
  const int64_t half = d / 2;
  each(half, [=](auto at) {
    const auto a = at(x);
    const auto b = at(x + half);
    const auto c = at(cos);
    const auto s = direction * at(sin);
    at.store(y, a * c - b * s);
    at.store(y + half, b * c + a * s);
  });
}

void swiglu(const float* gate, const float* up, int64_t n, float* y) {
  each(n, [=](auto at) { at.store(y, at(gate) * sigmoid(at(gate)) * at(up)); });
}

void swiglu_backward(const float* gate, const float* up, const float* dy, int64_t n, float* d_gate, float* d_up) {
  each(n, [=](auto at) {
    const auto g = at(gate);
    const auto s = sigmoid(g);
    at.store(d_gate, at(dy) * at(up) * s * (1 + g * (1 - s)));
    at.store(d_up, at(dy) * g * s);
  });
}

}  // namespace

const Kernels LOWBIT_KERNELS{dot<float>, dot<uint16_t>,    attend<float>,  attend<uint16_t>,
                             softmax,    softmax_backward, rms_norm,       rms_norm_backward,
                             rotate,     swiglu,           swiglu_backward};

}  // namespace lowbit::lm
