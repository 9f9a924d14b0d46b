#include "lm/perplexity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lm/error.h"

namespace lowbit::lm {
namespace {

[[noreturn]] void bad_param(const std::string& what, const std::string& where, const std::string& why,
                            const std::string& fix) {
  throw Error(Status::bad_param, {.what = what, .where = where, .why = why, .fix = fix});
}

constexpr int64_t kLogitChunk = 128;  // positions whose logits are held at once

/// Windows of equal length, in order; at most `limit` together.
struct Batch {
  size_t begin, end;
};
std::vector<Batch> equal_length_batches(const std::vector<Window>& windows, size_t begin, size_t end, int64_t limit) {
  std::vector<Batch> batches;
  for (size_t i = begin; i < end; ++i) {
    const bool joins = !batches.empty() && windows[i].ids.size() == windows[batches.back().begin].ids.size() &&
                       static_cast<int64_t>(i - batches.back().begin) < limit;
    if (joins) {
      batches.back().end = i + 1;
    } else {
      batches.push_back({i, i + 1});
    }
  }
  return batches;
}

void check(const Llama& model, const std::vector<Window>& windows) {
  if (windows.empty()) {
    bad_param("there is no window to score", "windows", "the text has fewer tokens than one window",
              "use a longer text or a shorter context_length");
  }
  for (const Window& window : windows) {
    const auto length = static_cast<int64_t>(window.ids.size());
    if (length > model.config().max_positions) {
      bad_param("a window is longer than the model's context", "context_length",
                "the window has " + std::to_string(length) + " tokens, the model " +
                    std::to_string(model.config().max_positions) + " positions",
                "lower context_length");
    }
    if (window.first_target < 1 || window.first_target >= length) {
      bad_param("a window has no token to score", "windows",
                "it has " + std::to_string(length) + " tokens and its targets begin at " +
                    std::to_string(window.first_target),
                "cut windows of at least two tokens");
    }
    const auto [low, high] = std::minmax_element(window.ids.begin(), window.ids.end());
    if (*low < 0 || *high >= model.config().vocab_size) {
      bad_param("the tokens do not belong to this model", "windows",
                "token id " + std::to_string(*low < 0 ? *low : *high) + " is outside the model's vocabulary of " +
                    std::to_string(model.config().vocab_size),
                "cut the windows with this model's own tokenizer");
    }
  }
}

at::Tensor stack_ids(const std::vector<Window>& windows, const Batch& batch) {
  std::vector<at::Tensor> rows;
  for (size_t i = batch.begin; i < batch.end; ++i) rows.push_back(at::tensor(windows[i].ids, at::kLong));
  return at::stack(rows);
}

}  // namespace

std::vector<Window> cut_windows(const std::vector<int64_t>& ids, const WindowOptions& options) {
  const auto n_prefix = static_cast<int64_t>(options.prefix.size());
  const int64_t n_new = options.context_length - n_prefix;  // tokens of the text in a window
  const int64_t stride = options.stride == 0 ? n_new : options.stride;
  if (options.context_length < 2 || n_new < 1) {
    bad_param("a window would have no token to score", "context_length",
              "it is " + std::to_string(options.context_length) + ", of which the prefix takes " + std::to_string(n_prefix),
              "use a context_length of at least 2 and longer than the prefix");
  }
  if (stride < 1 || stride > n_new) {
    bad_param("the stride would leave gaps between windows", "stride",
              "it is " + std::to_string(stride) + ", a window holds " + std::to_string(n_new) + " tokens of the text",
              "use a stride from 1 to " + std::to_string(n_new) + ", or 0 for windows side by side");
  }
  std::vector<Window> windows;
  const auto n_tokens = static_cast<int64_t>(ids.size());
  for (int64_t begin = 0; begin + n_new <= n_tokens; begin += stride) {
    Window window{.ids = options.prefix};
    window.ids.insert(window.ids.end(), ids.begin() + begin, ids.begin() + begin + n_new);
    // Side by side, the first token of a window is context only; in overlap, so is all that was scored before.
    const int64_t scored_before = begin == 0 ? 0 : n_new - stride;
    window.first_target = std::max<int64_t>(1, n_prefix + scored_before);
    windows.push_back(std::move(window));
  }
  return windows;
}

Nll& Nll::operator+=(const Nll& other) {
  sum += other.sum;
  count += other.count;
  return *this;
}

Nll Perplexity::total() const {
  Nll all;
  for (const Nll& window : windows) all += window;
  return all;
}

double Perplexity::value() const { return std::exp(total().mean()); }

double Perplexity::mean_std_error() const {
  const auto n = static_cast<double>(windows.size());
  if (windows.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const Nll all = total();
  double squares = 0;
  for (const Nll& window : windows) {
    const double residual = window.sum - all.mean() * static_cast<double>(window.count);
    squares += residual * residual;
  }
  return std::sqrt(squares * n / (n - 1)) / static_cast<double>(all.count);
}

at::Tensor token_nll(const Llama& model, const at::Tensor& hidden, const at::Tensor& ids) {
  const int64_t n_targets = ids.size(1) - 1;
  const at::ScalarType wide = model.dtype() == at::kDouble ? at::kDouble : at::kFloat;
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < n_targets; begin += kLogitChunk) {
    const int64_t length = std::min(kLogitChunk, n_targets - begin);
    const at::Tensor logits = model.logits(hidden.narrow(1, begin, length)).to(wide);
    const at::Tensor target = ids.narrow(1, begin + 1, length).unsqueeze(-1);
    parts.push_back((at::logsumexp(logits, -1) - logits.gather(-1, target).squeeze(-1)).to(at::kDouble));
  }
  return at::cat(parts, 1);
}

Perplexity score(const Llama& model, const std::vector<Window>& windows, const ScoreOptions& options,
                 const std::function<void(int64_t, int64_t)>& tick) {
  const c10::InferenceMode no_gradients;
  check(model, windows);
  Perplexity result;
  result.windows.resize(windows.size());
  const int64_t n_blocks = model.config().n_blocks;

  // A pass takes as many windows through one block after another as fit; a resident model gains nothing from more than
  // one batch at a time.
  std::vector<Batch> passes{{0, 0}};
  int64_t n_pass_tokens = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    const auto length = static_cast<int64_t>(windows[i].ids.size());
    if (options.tokens_per_pass > 0 && n_pass_tokens > 0 && n_pass_tokens + length > options.tokens_per_pass) {
      passes.push_back({i, i});
      n_pass_tokens = 0;
    }
    n_pass_tokens += length;
    passes.back().end = i + 1;
  }
  if (!model.streaming()) passes = equal_length_batches(windows, 0, windows.size(), options.batch_size);

  std::vector<std::vector<Batch>> plan;
  int64_t total = 0;
  for (const Batch& pass : passes) {
    plan.push_back(equal_length_batches(windows, pass.begin, pass.end, options.batch_size));
    total += static_cast<int64_t>(plan.back().size()) * n_blocks;
  }
  int64_t done = 0;
  for (const std::vector<Batch>& batches : plan) {
    std::vector<at::Tensor> ids;
    std::vector<at::Tensor> hidden;
    for (const Batch& batch : batches) {
      ids.push_back(stack_ids(windows, batch));
      hidden.push_back(model.embed(ids.back()));
    }
    for (int64_t block = 0; block < n_blocks; ++block) {
      const BlockWeights w = model.block(block);
      for (at::Tensor& x : hidden) {
        if (tick) tick(done++, total);
        x = block_forward(model.config(), w, x, Positions(model.config(), 0, x.size(1), {}, model.dtype()));
      }
    }
    for (size_t b = 0; b < batches.size(); ++b) {
      const at::Tensor nll = token_nll(model, hidden[b], ids[b]);
      for (size_t i = batches[b].begin; i < batches[b].end; ++i) {
        const int64_t first = windows[i].first_target - 1;
        const at::Tensor scored = nll[static_cast<int64_t>(i - batches[b].begin)].narrow(0, first, nll.size(1) - first);
        result.windows[i] = {.sum = scored.sum().item<double>(), .count = scored.numel()};
        if (!std::isfinite(result.windows[i].sum)) {
          throw Error(Status::numeric, {.what = "the loss of a window is not finite",
                                        .where = "window " + std::to_string(i),
                                        .why = "its sum is " + std::to_string(result.windows[i].sum) +
                                               ": the weights or activations hold NaN or overflow",
                                        .fix = "compute in fp32, and look at how the model was quantized"});
        }
      }
    }
  }
  return result;
}

}  // namespace lowbit::lm
