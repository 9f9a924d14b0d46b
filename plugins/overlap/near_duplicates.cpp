#include "overlap/near_duplicates.h"

#include <utility>

#include "overlap/words.h"

namespace lowbit::overlap {

std::optional<std::size_t> NearDuplicates::offer(std::string_view text) {
  std::string words = normalised(text);
  if (const auto same = by_text_.find(words); same != by_text_.end()) return same->second;
  const auto runs = runs_of(words);
  std::unordered_map<std::size_t, std::size_t> n_shared;
  for (const std::uint64_t run : runs) {
    const auto holders = by_run_.find(run);
    if (holders == by_run_.end()) continue;
    for (const std::size_t kept : holders->second) ++n_shared[kept];
  }
  std::optional<std::size_t> repeated;
  for (const auto& [kept, shared] : n_shared) {
    const auto n_either = static_cast<double>(runs.size() + n_runs_[kept] - shared);
    if (static_cast<double>(shared) / n_either < least_jaccard_) continue;
    if (!repeated || kept < *repeated) repeated = kept;
  }
  if (repeated) return repeated;
  const std::size_t number = n_runs_.size();
  n_runs_.push_back(runs.size());
  for (const std::uint64_t run : runs) by_run_[run].push_back(number);
  by_text_.emplace(std::move(words), number);
  return std::nullopt;
}

}  // namespace lowbit::overlap
