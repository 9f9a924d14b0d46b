// Tokens drawn from a model's distribution, as Hugging Face's warpers leave it: divided by the temperature, cut to the
// top k, cut to the top p.
//
//   const lm::Sampling sampling{.temperature = 0.7, .top_p = 0.95};
//   int64_t token = lm::draw(lm::distribution(logits, sampling), lm::uniform_at(stream, position));
//
// A draw is a pure function of (stream, position) and of the distribution: what stands beside a sequence in a batch
// changes nothing but the last bits of its logits, and a resumed job needs no state.
// Thread rule: free functions without state.
#pragma once

#include <cstdint>
#include <vector>

#include "lm/torch.h"

namespace lowbit::lm {

struct Sampling {
  double temperature = 1;  ///< above 0
  /// The likeliest tokens that reach this share are kept, that which passes it among them: a token is cut when those up
  /// to it, from the least likely one on, have 1 - top_p or less. 1: all.
  double top_p = 1;
  int64_t top_k = 0;  ///< tokens at least as likely as the k-th are kept; 0: all
};

/// Probability of each token, fp64 [V] on the CPU, computed in fp64. logits: [V], finite.
[[nodiscard]] at::Tensor distribution(const at::Tensor& logits, const Sampling& sampling);

/// The first token, in the order of ids, at which the sum of the probabilities exceeds `u`, 0 <= u < 1; never one of
/// probability 0.
[[nodiscard]] int64_t draw(const at::Tensor& probabilities, double u);

/// The stream of a sample of an item, of which no two share a draw but by chance.
[[nodiscard]] uint64_t stream_of(uint64_t seed, uint64_t item, int64_t sample);

/// A number in [0, 1) for the token at `position` of an answer whose stream is `stream`: 53 bits of a counter-based
/// generator.
[[nodiscard]] double uniform_at(uint64_t stream, int64_t position);

}  // namespace lowbit::lm
