#include "lm/perplexity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lm/batches.h"
#include "lm/error.h"
#include "lm/fused.h"

namespace lowbit::lm {
namespace {

[[noreturn]] void bad_param(const std::string& what, const std::string& where, const std::string& why,
                            const std::string& fix) {
  throw Error(Status::bad_param, {.what = what, .where = where, .why = why, .fix = fix});
}

constexpr int64_t kLogitChunk = 128;  // positions whose logits are held at once

/// Some windows on their way through the model, cut behind the last of their tokens that is scored.
struct Batch {
  std::vector<size_t> windows;  // n of them
  at::Tensor ids;               // [n, T]
  at::Tensor scored;            // [n, T]
  at::Tensor hidden;            // [n, T, h]
  Positions positions;
};

/// Of each window, the number of tokens up to the last one that is scored.
std::vector<int64_t> reach_of(const at::Tensor& scored) {
  const int64_t length = scored.size(1);
  const at::Tensor behind = scored.flip(1).to(at::kByte).argmax(1);  // tokens behind the last scored one
  const auto behind_at = behind.accessor<int64_t, 1>();
  std::vector<int64_t> reach;
  for (int64_t i = 0; i < scored.size(0); ++i) reach.push_back(length - behind_at[i]);
  return reach;
}

Nll sum_of(const at::Tensor& nll, const at::Tensor& scored, size_t window) {
  const at::Tensor losses = nll.masked_select(scored);
  const Nll result{.sum = losses.sum().item<double>(), .count = losses.numel()};
  if (std::isfinite(result.sum)) return result;
  throw Error(Status::numeric,
              {.what = "the loss of a window is not finite",
               .where = "window " + std::to_string(window),
               .why = std::string("its sum is ") + (std::isnan(result.sum) ? "nan" : std::to_string(result.sum)) +
                      ": the weights or activations hold NaN or overflow",
               .fix = "compute in fp32, and look at how the model was quantized"});
}

}  // namespace

Windows windows_of(const TokenBatches& batches) {
  Windows windows{.ids = batches.ids, .scored = batches.loss_mask, .keep = batches.attention_mask};
  if (!windows.scored.defined()) {
    windows.scored = at::ones_like(windows.ids, at::kBool);
    windows.scored.select(1, 0).fill_(false);
    if (windows.keep.defined()) {  // a token is scored when it and the one before it are real
      windows.scored.narrow(1, 1, windows.ids.size(1) - 1)
          .copy_(windows.keep.narrow(1, 1, windows.ids.size(1) - 1)
                     .logical_and(windows.keep.narrow(1, 0, windows.ids.size(1) - 1)));
    }
  }
  return windows;
}

void check_windows(const Model& model, const Windows& windows) {
  const ModelConfig& config = model.config();
  if (!windows.ids.defined() || windows.ids.size(0) == 0) {
    bad_param("there is no window to score", "windows", "the text has fewer tokens than one window",
              "use a longer text or a shorter context_length");
  }
  if (windows.ids.size(1) > config.max_positions) {
    bad_param("a window is longer than the model's context", "context_length",
              "the window has " + std::to_string(windows.ids.size(1)) + " tokens, the model " +
                  std::to_string(config.max_positions) + " positions",
              "lower context_length");
  }
  if (!windows.scored.sum(1).ge(1).all().item<bool>() || windows.scored.select(1, 0).any().item<bool>()) {
    bad_param("a window has no token to score, or its first one", "windows",
              "the first token of a window has nothing before it that could predict it",
              "score at least one token of each window, from the second on");
  }
  const auto low = windows.ids.min().item<int64_t>();
  const auto high = windows.ids.max().item<int64_t>();
  if (low < 0 || high >= config.vocab_size) {
    bad_param("the tokens do not belong to this model", "windows",
              "token id " + std::to_string(low < 0 ? low : high) + " is outside the model's vocabulary of " +
                  std::to_string(config.vocab_size),
              "cut the windows with this model's own tokenizer");
  }
}

Windows cut_windows(const std::vector<int64_t>& ids, const WindowOptions& options) {
  const auto n_prefix = static_cast<int64_t>(options.prefix.size());
  const int64_t n_new = options.context_length - n_prefix;  // tokens of the text in a window
  const int64_t stride = options.stride == 0 ? n_new : options.stride;
  if (options.context_length < 2 || n_new < 1) {
    bad_param(
        "a window would have no token to score", "context_length",
        "it is " + std::to_string(options.context_length) + ", of which the prefix takes " + std::to_string(n_prefix),
        "use a context_length of at least 2 and longer than the prefix");
  }
  if (stride < 1 || stride > n_new) {
    bad_param("the stride would leave gaps between windows", "stride",
              "it is " + std::to_string(stride) + ", a window holds " + std::to_string(n_new) + " tokens of the text",
              "use a stride from 1 to " + std::to_string(n_new) + ", or 0 for windows side by side");
  }
  const auto n_tokens = static_cast<int64_t>(ids.size());
  const int64_t n_windows = n_tokens < n_new ? 0 : (n_tokens - n_new) / stride + 1;
  Windows windows{.ids = at::empty({n_windows, options.context_length}, at::kLong),
                  .scored = at::zeros({n_windows, options.context_length}, at::kBool),
                  .keep = {}};
  auto* to = windows.ids.data_ptr<int64_t>();
  for (int64_t i = 0; i < n_windows; ++i) {
    to = std::copy(options.prefix.begin(), options.prefix.end(), to);
    to = std::copy_n(ids.begin() + i * stride, n_new, to);
    // Side by side, the first token of a window is context only; in overlap, so is all that was scored before.
    const int64_t scored_before = i == 0 ? 0 : n_new - stride;
    const int64_t first = std::max<int64_t>(1, n_prefix + scored_before);
    windows.scored[i].narrow(0, first, options.context_length - first).fill_(true);
  }
  return windows;
}

Nll Perplexity::total() const {
  Nll all;
  for (const Nll& window : windows) {
    all.sum += window.sum;
    all.count += window.count;
  }
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

at::Tensor token_nll(const Model& model, const at::Tensor& hidden, const at::Tensor& ids) {
  const int64_t n_targets = ids.size(1) - 1;
  std::vector<at::Tensor> parts;
  for (int64_t begin = 0; begin < n_targets; begin += kLogitChunk) {
    const int64_t length = std::min(kLogitChunk, n_targets - begin);
    const at::Tensor logits = model.logits(hidden.narrow(1, begin, length)).to(wide(model.dtype()));
    const at::Tensor target = ids.narrow(1, begin + 1, length).unsqueeze(-1).to(logits.device());
    parts.push_back((at::logsumexp(logits, -1) - logits.gather(-1, target).squeeze(-1)).to(at::kDouble));
  }
  return at::cat(parts, 1).to(at::kCPU);
}

Perplexity score(const Model& model, const Windows& windows, const ScoreOptions& options,
                 const std::function<void(int64_t, int64_t)>& tick) {
  const c10::InferenceMode no_gradients;
  check_windows(model, windows);
  const ModelConfig& config = model.config();
  const std::vector<int64_t> reach = reach_of(windows.scored);
  const std::vector<std::vector<size_t>> plan = plan_batches(reach, options.batch_size);  // of like reach
  const auto n_batches = static_cast<int64_t>(plan.size());
  // A resident model gains nothing from taking several batches through a block before the next is used.
  const int64_t per_pass = !model.streaming()              ? 1
                           : options.batches_per_pass == 0 ? n_batches
                                                           : options.batches_per_pass;
  Perplexity result{.windows = std::vector<Nll>(reach.size())};
  int64_t done = 0;
  for (int64_t pass = 0; pass < n_batches; pass += per_pass) {
    std::vector<Batch> batches;
    for (int64_t b = pass; b < std::min(pass + per_pass, n_batches); ++b) {
      const std::vector<size_t>& members = plan[static_cast<size_t>(b)];
      const int64_t length = reach[members.front()];
      const at::Tensor rows = at::tensor(std::vector<int64_t>(members.begin(), members.end()), at::kLong);
      const auto part = [&](const at::Tensor& t) { return t.index_select(0, rows).narrow(1, 0, length); };
      const at::Tensor ids = part(windows.ids);
      const at::Tensor n_pads = windows.keep.defined() ? left_padding(part(windows.keep)) : at::Tensor();
      Positions positions(config, 0, length, n_pads, model.options());
      if (windows.keep.defined()) positions.real = part(windows.keep).to(model.options().device());
      at::Tensor hidden = model.embed(ids, positions);
      batches.push_back({members, ids, part(windows.scored), std::move(hidden), std::move(positions)});
    }
    for (int64_t block = 0; block < config.n_blocks; ++block) {
      const BlockWeights w = model.block(block);
      for (Batch& batch : batches) {
        if (tick) tick(done++, n_batches * config.n_blocks);
        batch.hidden = block_forward(config, w, batch.hidden, batch.positions);
      }
    }
    for (const Batch& batch : batches) {
      const at::Tensor nll = token_nll(model, batch.hidden, batch.ids);
      for (size_t i = 0; i < batch.windows.size(); ++i) {
        const auto row = static_cast<int64_t>(i);
        const at::Tensor scored = batch.scored[row].narrow(0, 1, batch.scored.size(1) - 1);
        result.windows[batch.windows[i]] = sum_of(nll[row], scored, batch.windows[i]);
      }
    }
  }
  return result;
}

}  // namespace lowbit::lm
