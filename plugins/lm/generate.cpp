#include "lm/generate.h"

#include <algorithm>
#include <optional>

#include "lm/error.h"

namespace lowbit::lm {
namespace {

using Prompts = std::vector<std::vector<int64_t>>;

// Columns beyond the longest sequence where rows are refilled: keys and values move to the front once in so many steps.
constexpr int64_t kSpareColumns = 64;
constexpr size_t kNone = static_cast<size_t>(-1);

/// Sequences that are computed together. All end in the same column of one cache; what stands before a sequence, that
/// of its row's earlier ones included, is padding to it.
class Rows {
 public:
  /// `capacity`: columns; more than the longest prompt and its answer.
  Rows(const Model& model, const GenerateOptions& options, int64_t capacity, std::vector<Generation>& answers)
      : model_(model),
        options_(options),
        capacity_(capacity),
        answers_(answers),
        cache_(model.config(), 0, 0, model.options()) {}

  [[nodiscard]] size_t n_open() const {
    return static_cast<size_t>(std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return row.open; }));
  }

  /// Begins prompts, in new rows when no sequence is open, else in the rows of ended ones, and takes their first
  /// tokens. REQUIRES: none is longer than one that is open, rows are free.
  void begin(const std::vector<size_t>& which, const Prompts& prompts) {
    Prompts begun;
    for (const size_t i : which) begun.push_back(prompts[i]);
    const auto n_begun = static_cast<int64_t>(which.size());
    int64_t longest = 0;
    for (const auto& prompt : begun) longest = std::max(longest, static_cast<int64_t>(prompt.size()));
    std::optional<KvCache> beside;  // where the prompts are computed when rows of the cache are in use
    if (n_open() > 0) {
      beside.emplace(model_.config(), n_begun, longest, model_.options());
    } else {
      cache_ = KvCache(model_.config(), n_begun, capacity_, model_.options());
      rows_.assign(which.size(), Row());
    }
    const std::vector<int64_t> next =
        next_of(prefill(model_, begun, options_.prefix, beside ? *beside : cache_), which);
    size_t row = 0;
    for (size_t i = 0; i < which.size(); ++i, ++row) {
      while (rows_[row].open) ++row;
      const auto length = static_cast<int64_t>(begun[i].size());
      rows_[row] = {.prompt = which[i], .n_pads = cache_.length - length, .open = true};
      if (beside) {
        cache_.copy(static_cast<int64_t>(row), rows_[row].n_pads, *beside, static_cast<int64_t>(i), longest - length,
                    length);
      }
      take(rows_[row], next[i]);
    }
  }

  /// One token more for every open sequence.
  void step() {
    if (cache_.length == capacity_) move_to_front();
    std::vector<int64_t> tokens;
    std::vector<int64_t> n_pads;
    std::vector<size_t> which;
    for (const Row& row : rows_) {
      which.push_back(row.open ? row.prompt : kNone);
      tokens.push_back(row.token);
      n_pads.push_back(row.n_pads);
    }
    const std::vector<int64_t> next =
        next_of(model_.forward(at::tensor(tokens, at::kLong).unsqueeze(1), padding_tensor(n_pads), &cache_), which);
    for (size_t row = 0; row < rows_.size(); ++row) {
      if (rows_[row].open) take(rows_[row], next[row]);
    }
  }

  /// Goes on without ended rows, if they are many: it copies the cache.
  void drop_ended() {
    const size_t n = n_open();
    if (n * 4 > rows_.size() * 3) return;
    std::vector<int64_t> kept;
    for (size_t row = 0; row < rows_.size(); ++row) {
      if (rows_[row].open) kept.push_back(static_cast<int64_t>(row));
    }
    cache_.keep(at::tensor(kept, at::kLong));
    rows_.erase(std::remove_if(rows_.begin(), rows_.end(), [](const Row& row) { return !row.open; }), rows_.end());
  }

 private:
  struct Row {
    size_t prompt = 0;
    int64_t n_pads = 0;
    int64_t token = 0;  // the last one, not yet in the cache
    bool open = false;
  };

  /// The next token of each row of `hidden`. `which`: the row's prompt, or kNone where nobody asks.
  [[nodiscard]] std::vector<int64_t> next_of(const at::Tensor& hidden, const std::vector<size_t>& which) const {
    const at::Tensor logits = model_.logits(hidden);
    if (!at::isfinite(logits.amax(-1)).all().item<bool>()) {
      throw Error(Status::numeric, {.what = "no token is the most probable one",
                                    .where = "generation",
                                    .why = "the logits of a sequence hold NaN or Inf",
                                    .fix = "compute in float32, and look at how the model was quantized"});
    }
    std::vector<int64_t> next(which.size());
    if (options_.sampling == nullptr) {
      const at::Tensor best = logits.argmax(-1).to(at::kCPU).contiguous();
      std::copy_n(best.data_ptr<int64_t>(), next.size(), next.begin());
      return next;
    }
    const at::Tensor rows = logits.view({hidden.size(0), -1}).to(at::kCPU);
    at::parallel_for(0, hidden.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const size_t prompt = which[static_cast<size_t>(row)];
        if (prompt == kNone) continue;
        const auto position = static_cast<int64_t>(answers_[prompt].ids.size());
        next[static_cast<size_t>(row)] =
            draw(distribution(rows.select(0, row), *options_.sampling), uniform_at(options_.streams[prompt], position));
      }
    });
    return next;
  }

  void take(Row& row, int64_t token) {
    Generation& answer = answers_[row.prompt];
    row.token = token;
    if (std::find(options_.stop_ids.begin(), options_.stop_ids.end(), token) != options_.stop_ids.end()) {
      row.open = false;
    } else {
      answer.ids.push_back(token);
      answer.truncated = static_cast<int64_t>(answer.ids.size()) == options_.max_new_tokens;
      row.open = !answer.truncated;
    }
    if (!row.open) row.n_pads = cache_.length;  // what is still computed for it begins at position 0 again
  }

  void move_to_front() {
    int64_t n_free = cache_.length;
    for (const Row& row : rows_) n_free = row.open ? std::min(n_free, row.n_pads) : n_free;
    cache_.drop_front(n_free);
    for (Row& row : rows_) row.n_pads = std::max<int64_t>(0, row.n_pads - n_free);
  }

  const Model& model_;
  const GenerateOptions& options_;
  int64_t capacity_;
  std::vector<Generation>& answers_;
  KvCache cache_;
  std::vector<Row> rows_;
};

/// Length of the longest prompt.
int64_t checked(const Model& model, const Prompts& prompts, const GenerateOptions& options) {
  int64_t longest = 0;
  for (const auto& prompt : prompts) {
    if (prompt.empty()) {
      throw Error(Status::bad_param, {.what = "a prompt has no tokens",
                                      .where = "generation",
                                      .why = "there is nothing to continue",
                                      .fix = "begin every prompt with the tokenizer's start token or some text"});
    }
    longest = std::max(longest, static_cast<int64_t>(prompt.size()));
  }
  if (longest + options.max_new_tokens > model.config().max_positions) {
    throw Error(Status::bad_param,
                {.what = "prompt and answer do not fit into the model's context",
                 .where = "max_new_tokens",
                 .why = "the longest prompt has " + std::to_string(longest) + " tokens, max_new_tokens is " +
                        std::to_string(options.max_new_tokens) + ", the model has " +
                        std::to_string(model.config().max_positions) + " positions",
                 .fix = "lower max_new_tokens or shorten the prompts"});
  }
  return longest;
}

}  // namespace

std::vector<Generation> generate(const Model& model, const Prompts& prompts, const GenerateOptions& options,
                                 const std::function<void(size_t n_answered)>& tick) {
  const c10::InferenceMode no_gradients;
  if (prompts.empty()) return {};
  const int64_t longest = checked(model, prompts, options);
  std::vector<int64_t> lengths;
  for (const auto& prompt : prompts) lengths.push_back(static_cast<int64_t>(prompt.size()));
  const size_t n_rows = options.n_rows == 0 ? prompts.size() : static_cast<size_t>(options.n_rows);
  const int64_t spare = n_rows < prompts.size() ? kSpareColumns : 0;

  std::vector<Generation> answers(prompts.size());
  Rows rows(model, options, longest + options.max_new_tokens + spare, answers);
  // Long first: a prompt that begins later fits behind the columns of those that are open.
  const std::vector<size_t> order = plan_batches(lengths, static_cast<int64_t>(prompts.size())).front();
  size_t n_begun = 0;
  while (true) {
    const size_t n_open = rows.n_open();
    const size_t n_new = std::min(n_rows - n_open, order.size() - n_begun);
    if (n_open == 0 && n_new == 0) return answers;
    if (tick) tick(n_begun - n_open);
    if (n_new > 0) {
      const auto* const first = order.data() + n_begun;
      rows.begin({first, first + n_new}, prompts);
      n_begun += n_new;
    } else {
      if (n_begun == order.size()) rows.drop_ended();
      rows.step();
    }
  }
}

}  // namespace lowbit::lm
