// The loops over fp32 numbers that libtorch would need several passes, or many small matrix products, for. Compiled
// once for every processor, once for AVX2 with FMA and once for AVX-512. Declared apart from what calls them:
// kernels.cpp may include nothing that has inline functions, whose variants would be linked into the rest of the
// program.
//
// Exponentials err by less than 2e-7 of their value; e^x for x < -87, where fp32 becomes denormal, is 0. A NaN stays
// one. Pointers of one call may be equal where it says "in place", and overlap nowhere else.
#pragma once

#include <stdint.h>

namespace lowbit::lm {

struct Kernels {
  /// Sum of w[i] x[i] over i < n, in several partial sums; w in fp32, or in bf16 by its bits.
  float (*dot)(const float* w, const float* x, int64_t n);
  float (*dot_bf16)(const uint16_t* w, const float* x, int64_t n);

  /// One query over a cache. q: [d]; keys, values: [n, d], in fp32 or in bf16 by their bits; scores: room for n
  /// numbers; out: [d], softmax(q k / sqrt(d)) v. REQUIRES: n > 0.
  void (*attend)(const float* q, const float* keys, const float* values, int64_t n, int64_t d, float* scores,
                 float* out);
  void (*attend_bf16)(const float* q, const uint16_t* keys, const uint16_t* values, int64_t n, int64_t d, float* scores,
                      float* out);

  /// y [n]: softmax(scale x) over positions [begin, end), 0 elsewhere; in place or not. REQUIRES: begin < end <= n,
  /// scale > 0.
  void (*softmax)(const float* x, float scale, int64_t begin, int64_t end, int64_t n, float* y);
  /// dx [n] of it, from y and dy; in place on dy or not.
  void (*softmax_backward)(const float* y, const float* dy, float scale, int64_t begin, int64_t end, int64_t n,
                           float* dx);

  /// y [n]: x * r * weight; returns r = 1 / sqrt(mean(x^2) + eps).
  float (*rms_norm)(const float* x, const float* weight, float eps, int64_t n, float* y);
  /// dx [n] of it, from x, weight, r and dy.
  void (*rms_norm_backward)(const float* x, const float* weight, float r, const float* dy, int64_t n, float* dx);

  /// y [d]: the pairs (x[i], x[i + d/2]) turned by the angles whose cosines and sines are cos[i], sin[i], i < d/2; the
  /// other way round for direction -1.
  void (*rotate)(const float* x, const float* cos, const float* sin, float direction, int64_t d, float* y);

  /// y [n]: silu(gate) up
  void (*swiglu)(const float* gate, const float* up, int64_t n, float* y);
  void (*swiglu_backward)(const float* gate, const float* up, const float* dy, int64_t n, float* d_gate, float* d_up);
};

extern const Kernels kPlainKernels;
extern const Kernels kAvx2Kernels;    ///< built for x86-64 only; REQUIRES: a processor with AVX2 and FMA
extern const Kernels kAvx512Kernels;  ///< built for x86-64 only; REQUIRES: these and AVX-512 F, DQ, BW and VL

/// The fastest for this processor.
const Kernels& kernels();

}  // namespace lowbit::lm
