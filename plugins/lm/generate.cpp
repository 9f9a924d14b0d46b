#include "lm/generate.h"

#include <algorithm>
#include <numeric>

#include "lm/error.h"

namespace lowbit::lm {

std::vector<Generation> generate_greedy(const Model& model, const std::vector<std::vector<int64_t>>& prompts,
                                        const GenerateOptions& options, const std::function<void()>& tick) {
  const c10::InferenceMode no_gradients;
  const auto n_sequences = static_cast<int64_t>(prompts.size());
  if (prompts.empty()) return {};
  int64_t longest = 0;
  bool padded = false;
  for (const auto& prompt : prompts) {
    if (prompt.empty()) {
      throw Error(Status::bad_param, {.what = "a prompt has no tokens",
                                      .where = "generation",
                                      .why = "there is nothing to continue",
                                      .fix = "begin every prompt with the tokenizer's start token or some text"});
    }
    const auto length = static_cast<int64_t>(prompt.size());
    padded = padded || (longest != 0 && length != longest);
    longest = std::max(longest, length);
  }
  const int64_t capacity = longest + options.max_new_tokens;
  if (capacity > model.config().max_positions) {
    throw Error(Status::bad_param,
                {.what = "prompt and answer do not fit into the model's context",
                 .where = "max_new_tokens",
                 .why = "the longest prompt has " + std::to_string(longest) + " tokens, max_new_tokens is " +
                        std::to_string(options.max_new_tokens) + ", the model has " +
                        std::to_string(model.config().max_positions) + " positions",
                 .fix = "lower max_new_tokens or shorten the prompts"});
  }

  at::Tensor ids = at::zeros({n_sequences, longest}, at::kLong);  // padding is never seen, any id will do
  at::Tensor n_pads = at::zeros({n_sequences}, at::kLong);
  auto ids_at = ids.accessor<int64_t, 2>();
  auto pads_at = n_pads.accessor<int64_t, 1>();
  for (int64_t b = 0; b < n_sequences; ++b) {
    const auto& prompt = prompts[static_cast<size_t>(b)];
    const int64_t pads = longest - static_cast<int64_t>(prompt.size());
    pads_at[b] = pads;
    for (int64_t t = pads; t < longest; ++t) ids_at[b][t] = prompt[static_cast<size_t>(t - pads)];
  }
  if (!padded) n_pads.reset();

  KvCache cache(model.config(), n_sequences, capacity, model.dtype());
  std::vector<Generation> results(prompts.size(), {.ids = {}, .truncated = true});
  std::vector<int64_t> rows(prompts.size());  // prompt of each row of the tensors
  std::iota(rows.begin(), rows.end(), int64_t{0});
  for (int64_t step = 0; step < options.max_new_tokens; ++step) {
    if (tick) tick();
    const at::Tensor hidden = model.forward(ids, n_pads, &cache);
    ids = model.logits(hidden.narrow(1, hidden.size(1) - 1, 1)).argmax(-1);  // [B, 1]
    const auto next_at = ids.accessor<int64_t, 2>();
    std::vector<int64_t> open;  // rows that go on
    for (size_t row = 0; row < rows.size(); ++row) {
      Generation& result = results[static_cast<size_t>(rows[row])];
      if (!result.truncated) continue;
      const int64_t id = next_at[static_cast<int64_t>(row)][0];
      if (std::find(options.stop_ids.begin(), options.stop_ids.end(), id) != options.stop_ids.end()) {
        result.truncated = false;
      } else {
        result.ids.push_back(id);
        open.push_back(static_cast<int64_t>(row));
      }
    }
    if (open.empty()) break;
    if (open.size() * 4 > rows.size() * 3) continue;  // dropping rows copies the cache: not for a few
    const at::Tensor kept = at::tensor(open, at::kLong);
    cache.keep(kept);
    ids = ids.index_select(0, kept);
    if (n_pads.defined()) n_pads = n_pads.index_select(0, kept);
    for (size_t row = 0; row < open.size(); ++row) rows[row] = rows[static_cast<size_t>(open[row])];
    rows.resize(open.size());
  }
  return results;
}

}  // namespace lowbit::lm
