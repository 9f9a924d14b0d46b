// Problems of one split, each text once. A problem belongs to the split that its own text says, so the splits have
// nothing in common whatever the seed and whoever draws.
//
//   Generator train({.split = Split::train, .seed = 0});
//   while (auto problem = train.next()) { ... }
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "tinymath/draw.h"
#include "tinymath/problem.h"

namespace lowbit::tinymath {

enum class Split { train, alignment, pool, dev, test };
inline constexpr std::array<std::string_view, 5> kSplits{"train", "alignment", "pool", "dev", "test"};

/// By the first eight bytes of the text's SHA-256 as a big-endian number, modulo 100: train 0-79, alignment 80-84,
/// pool 85-91, dev 92-94, test 95-99. This rule never changes: models have been trained by it.
[[nodiscard]] Split split_of(std::string_view problem_text);
/// "tm-" and the first 16 hexadecimal digits of the text's SHA-256: equal for equal problems only.
[[nodiscard]] std::string problem_id(std::string_view problem_text);

struct GeneratorOptions {
  Split split = Split::train;
  std::uint64_t seed = 0;  ///< other seeds draw other problems of the same split
  int min_steps = 2, max_steps = 4;
};

class Generator {
 public:
  explicit Generator(const GeneratorOptions& options);
  /// Nothing when the last 1,000,000 drafts brought nothing new: there are no, or hardly any, further problems.
  [[nodiscard]] std::optional<Problem> next();

 private:
  GeneratorOptions options_;
  Draw draw_;
  std::unordered_set<std::string> seen_;
};

}  // namespace lowbit::tinymath
