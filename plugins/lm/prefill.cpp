#include "lm/prefill.h"

#include <algorithm>

namespace lowbit::lm {

int64_t common_length(const std::vector<std::vector<int64_t>>& prompts) {
  if (prompts.empty()) return 0;
  const auto& first = prompts.front();
  auto end = first.end();
  for (const auto& prompt : prompts) end = std::mismatch(first.begin(), end, prompt.begin(), prompt.end()).first;
  return end - first.begin();
}

SharedPrefix::SharedPrefix(const Model& model, const std::vector<std::vector<int64_t>>& prompts)
    : cache_(model.config(), 1, 0, model.options()) {
  const int64_t length = std::min(common_length(prompts), model.config().max_positions);
  if (prompts.size() < 2 || length == 0) return;
  const c10::InferenceMode no_gradients;
  cache_ = KvCache(model.config(), 1, length, model.options());
  const auto& ids = prompts.front();
  (void)model.forward(at::tensor(std::vector<int64_t>(ids.begin(), ids.begin() + length), at::kLong).unsqueeze(0), {},
                      &cache_);
}

at::Tensor padding_tensor(const std::vector<int64_t>& n_pads) {
  const bool none = std::all_of(n_pads.begin(), n_pads.end(), [](int64_t n) { return n == 0; });
  return none ? at::Tensor() : at::tensor(n_pads, at::kLong);
}

at::Tensor prefill(const Model& model, const std::vector<std::vector<int64_t>>& prompts, const SharedPrefix* prefix,
                   KvCache& cache) {
  int64_t longest = 0;
  for (const auto& prompt : prompts) longest = std::max(longest, static_cast<int64_t>(prompt.size()));
  const int64_t n_copied = prefix == nullptr ? 0 : std::min(prefix->length(), longest - 1);  // columns

  const auto n_sequences = static_cast<int64_t>(prompts.size());
  at::Tensor ids = at::zeros({n_sequences, longest - n_copied}, at::kLong);  // padding is never seen, any id will do
  auto ids_at = ids.accessor<int64_t, 2>();
  std::vector<int64_t> n_pads;
  for (int64_t b = 0; b < n_sequences; ++b) {
    const auto& prompt = prompts[static_cast<size_t>(b)];
    const int64_t pads = longest - static_cast<int64_t>(prompt.size());
    n_pads.push_back(pads);
    if (pads < n_copied) cache.copy(b, pads, prefix->cache(), 0, 0, n_copied - pads);
    for (int64_t t = std::max(pads, n_copied); t < longest; ++t) {
      ids_at[b][t - n_copied] = prompt[static_cast<size_t>(t - pads)];
    }
  }
  cache.length = n_copied;
  const at::Tensor hidden = model.forward(ids, padding_tensor(n_pads), &cache);
  return hidden.narrow(1, hidden.size(1) - 1, 1);
}

}  // namespace lowbit::lm
