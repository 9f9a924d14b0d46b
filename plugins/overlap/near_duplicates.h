// Texts that are kept as long as none that was kept before says nearly the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lowbit::overlap {

/// Two texts are near duplicates when their normalised texts are equal, or the Jaccard index of their runs of 13 words
/// (shared ones over all that either has) is at least `least_jaccard`. Texts without runs are compared whole.
class NearDuplicates {
 public:
  /// 0 < least_jaccard <= 1.
  explicit NearDuplicates(double least_jaccard) : least_jaccard_(least_jaccard) {}

  /// Keeps the text and returns nothing, or returns the number (from 0, in order of keeping) of one that it repeats.
  std::optional<std::size_t> offer(std::string_view text);

 private:
  double least_jaccard_;
  std::vector<std::size_t> n_runs_;  ///< by kept text
  std::unordered_map<std::string, std::size_t> by_text_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_run_;
};

}  // namespace lowbit::overlap
