// The words by which problems are compared.
//
// Words are what is left when case and white space do not count: runs of letters and digits, every other sign alone. So
// `3 x + 4` and `3 x - 4` differ, and `Tom  has` and `tom has` do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

namespace lowbit::overlap {

inline constexpr std::size_t kRun = 13;

/// Words joined by one space.
[[nodiscard]] std::string normalised(std::string_view text);

/// Distinct runs of kRun words of a normalised text, each as its 64-bit hash: for a million of them two different ones
/// are taken for the same with a probability below 1e-6. A text of fewer words has none.
[[nodiscard]] std::unordered_set<std::uint64_t> runs_of(std::string_view normalised_text);

}  // namespace lowbit::overlap
