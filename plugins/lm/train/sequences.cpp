#include "lm/train/sequences.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include "lm/error.h"
#include "lm/train/random.h"

namespace lowbit::lm::train {
namespace {

/// Fisher-Yates with own arithmetic: the library's shuffle differs between its implementations.
template <class T>
void shuffle(std::vector<T>& items, std::mt19937_64& rng) {
  for (size_t n = items.size(); n > 1; --n) std::swap(items[n - 1], items[rng() % n]);
}

constexpr int64_t kPoolBatches = 50;

}  // namespace

int64_t Sequence::n_scored() const { return std::count(scored.begin(), scored.end(), true); }

Sequence tokenize(const Tokenizer& tokenizer, std::string_view prompt, std::string_view completion) {
  const auto context = tokenizer.encode(prompt, Tokenizer::Special::add);
  const auto refuse = [&](const std::string& what, const std::string& why, const std::string& fix) {
    throw Error(
        Status::bad_input,
        {.what = what, .where = "prompt \"" + std::string(prompt.substr(0, 60)) + "\"", .why = why, .fix = fix});
  };
  if (context.empty()) {
    refuse("a prompt has no tokens", "nothing would predict the first token of its completion",
           "give it some text, or a tokenizer that adds a start token");
  }
  Sequence row{.ids = tokenizer.encode(std::string(prompt) + std::string(completion), Tokenizer::Special::add),
               .scored = {},
               .starts = {}};
  if (row.ids.size() < context.size() || !std::equal(context.begin(), context.end(), row.ids.begin())) {
    refuse("prompt and completion share a token",
           "their concatenation does not begin with the tokens of the prompt, which is what a model will be given",
           "move the boundary to where the tokenizer separates, such as behind a line end");
  }
  if (row.ids.size() == context.size()) {
    refuse("a completion has no tokens", "there is nothing to learn from it", "leave the row out");
  }
  row.scored.assign(context.size(), false);
  row.scored.resize(row.ids.size(), true);
  return row;
}

void append(Sequence& row, const Sequence& next, int64_t n_start_tokens) {
  row.ids.insert(row.ids.end(), next.ids.begin() + n_start_tokens, next.ids.end());
  row.scored.insert(row.scored.end(), next.scored.begin() + n_start_tokens, next.scored.end());
}

BatchPlan::BatchPlan(std::vector<int64_t> lengths, Options options) : lengths_(std::move(lengths)), options_(options) {}

int64_t BatchPlan::per_epoch() const {
  return (static_cast<int64_t>(lengths_.size()) + options_.batch_size - 1) / options_.batch_size;
}

std::vector<int64_t> BatchPlan::batch(int64_t index) const {
  const int64_t epoch = index / per_epoch();
  if (epoch != epoch_) order_epoch(epoch);
  return batches_[static_cast<size_t>(index % per_epoch())];
}

void BatchPlan::order_epoch(int64_t epoch) const {
  std::mt19937_64 rng(seed_at(options_.seed, {epoch}));
  std::vector<int64_t> order(lengths_.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  shuffle(order, rng);
  const auto by_length = [&](int64_t a, int64_t b) {
    return lengths_[static_cast<size_t>(a)] < lengths_[static_cast<size_t>(b)];
  };
  const auto size_of = [&](auto begin, int64_t wanted) { return std::min<int64_t>(wanted, order.end() - begin); };
  batches_.clear();
  for (auto pool = order.begin(); pool != order.end();) {
    const auto pool_end = pool + size_of(pool, kPoolBatches * options_.batch_size);
    std::stable_sort(pool, pool_end, by_length);
    for (; pool != pool_end; pool += static_cast<std::ptrdiff_t>(batches_.back().size())) {
      batches_.emplace_back(pool, pool + std::min<int64_t>(options_.batch_size, pool_end - pool));
    }
  }
  shuffle(batches_, rng);
  epoch_ = epoch;
}

Batch collate(const std::vector<const Sequence*>& rows, int64_t pad_id) {
  int64_t longest = 0;
  for (const Sequence* row : rows) longest = std::max(longest, row->length());
  const auto n_rows = static_cast<int64_t>(rows.size());
  Batch batch{.ids = at::full({n_rows, longest}, pad_id, at::kLong),
              .position = {},
              .target = {},
              .row = {},
              .start = {},
              .real = {}};
  at::Tensor real = at::zeros({n_rows, longest}, at::kBool);
  at::Tensor start = at::zeros({n_rows, longest}, at::kLong);
  bool has_padding = false;
  bool has_starts = false;
  std::vector<int64_t> position;
  std::vector<int64_t> target;
  std::vector<int64_t> row_of;
  for (int64_t b = 0; b < n_rows; ++b) {
    const Sequence& row = *rows[static_cast<size_t>(b)];
    std::copy(row.ids.begin(), row.ids.end(), batch.ids.data_ptr<int64_t>() + b * longest);
    std::fill_n(real.data_ptr<bool>() + b * longest, row.length(), true);
    has_padding = has_padding || row.length() < longest;
    has_starts = has_starts || row.starts.size() > 1;
    auto* const starts = start.data_ptr<int64_t>() + b * longest;
    for (const int64_t begin : row.starts) std::fill(starts + begin, starts + longest, begin);
    for (int64_t t = 1; t < row.length(); ++t) {
      if (!row.scored[static_cast<size_t>(t)]) continue;
      position.push_back(b * longest + t - 1);
      target.push_back(row.ids[static_cast<size_t>(t)]);
      row_of.push_back(b);
    }
  }
  batch.position = at::tensor(position, at::kLong);
  batch.target = at::tensor(target, at::kLong);
  batch.row = at::tensor(row_of, at::kLong);
  if (has_starts) batch.start = std::move(start);
  if (has_padding) batch.real = std::move(real);
  return batch;
}

}  // namespace lowbit::lm::train
