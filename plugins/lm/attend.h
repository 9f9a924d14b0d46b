// One query over a cache, in plain loops that are compiled once for every processor and once for AVX2. Declared apart
// from decode_attention.h: attend.cpp may include nothing that has inline functions, whose AVX2 variants would be
// linked into the rest of the program.
#pragma once

#include <stdint.h>

namespace lowbit::lm {

/// q: [d]; keys, values: [n, d]; scores: room for n numbers; out: [d], softmax(q k / sqrt(d)) v. All fp32; a weight
/// below e^-87 of the largest counts as 0. REQUIRES: n > 0.
void attend(const float* q, const float* keys, const float* values, int64_t n, int64_t d, float* scores, float* out);
/// The same. Built for x86-64 only. REQUIRES: a processor with AVX2 and FMA.
void attend_avx2(const float* q, const float* keys, const float* values, int64_t n, int64_t d, float* scores,
                 float* out);

}  // namespace lowbit::lm
