// Training data: texts as token sequences that know which of their tokens carry loss, and the order they are seen in.
//
//   auto row = train::tokenize(tokenizer, prompt, completion);              // loss on the completion
//   const train::BatchPlan plan(lengths, {.batch_size = 32, .seed = seed});
//   for (int64_t i = 0;; ++i) train::Batch batch = train::collate(rows, plan.batch(i), pad_id);
//
// Letters: B sequences, T positions, P scored tokens of a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "lm/tokenizer.h"
#include "lm/torch.h"

namespace lowbit::lm::train {

struct Sequence {
  std::vector<int64_t> ids;
  std::vector<bool> scored;  ///< tokens with a loss; never the first of a row, which nothing predicts
  /// Where each row begins, of several that share a sequence and do not see each other; empty: one row, from 0.
  std::vector<int64_t> starts;
  [[nodiscard]] int64_t length() const { return static_cast<int64_t>(ids.size()); }
  [[nodiscard]] int64_t n_scored() const;
};

/// Start token and prompt as context, the completion scored: the tokens of their concatenation behind those of the
/// prompt, as a text is continued (a SentencePiece tokenizer would begin a completion by itself with a blank of its
/// own). Generation is given the prompt alone: an error when the concatenation begins with other tokens. Throws
/// Error{bad_input}.
[[nodiscard]] Sequence tokenize(const Tokenizer& tokenizer, std::string_view prompt, std::string_view completion);

/// `next` behind `row`, without its start token; both keep their scores.
void append(Sequence& row, const Sequence& next, int64_t n_start_tokens);

/// Which rows make up batch i, for every i >= 0: epochs follow each other, in each every row is seen once. Rows of
/// about the same length share a batch: the epoch's permutation is cut into pools of 50 batches, each pool is sorted by
/// length and cut into batches, and the batches are shuffled. All of it is a function of (seed, epoch), so any batch
/// can be asked for without those before it. The last batch of an epoch may be smaller. Thread rule: batch() is for one
/// thread; it keeps the order of the last epoch asked for.
class BatchPlan {
 public:
  struct Options {
    int64_t batch_size = 1;
    uint64_t seed = 0;
  };
  /// REQUIRES: lengths not empty, batch_size >= 1.
  BatchPlan(std::vector<int64_t> lengths, Options options);

  [[nodiscard]] int64_t per_epoch() const;  ///< batches
  [[nodiscard]] std::vector<int64_t> batch(int64_t index) const;

 private:
  void order_epoch(int64_t epoch) const;
  std::vector<int64_t> lengths_;
  Options options_;
  mutable int64_t epoch_ = -1;
  mutable std::vector<std::vector<int64_t>> batches_;
};

struct Batch {
  at::Tensor ids;       // int64 [B, T], padded on the right
  at::Tensor position;  // int64 [P]: b * T + t of the token *before* each scored one
  at::Tensor target;    // int64 [P]
  at::Tensor row;       // int64 [P]: b
  at::Tensor start;     // int64 [B, T]: where the row of each token begins; undefined: all at 0
  at::Tensor real;      // bool [B, T], false on padding; undefined: there is none
  [[nodiscard]] int64_t n_scored() const { return target.defined() ? target.size(0) : 0; }
};

/// REQUIRES: rows not empty. Padding is never looked at: attention is causal, and `real` says so to what looks at all
/// positions, as the search for outliers of LLM.int8 does. It carries no loss.
[[nodiscard]] Batch collate(const std::vector<const Sequence*>& rows, int64_t pad_id);

}  // namespace lowbit::lm::train
