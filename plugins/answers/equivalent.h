// Whether two answers are the same, by what they mean.
//
// The reference sets the form, so the order of the arguments counts: x = 5 answers 5, and [1, 3] answers 1 <= x <= 3,
// while 1 <= x <= 3 does not answer [1, 3] unless `relation_for_set`.
#pragma once

#include <optional>

#include "answers/expression.h"

namespace lowbit::answers {

enum class Verdict { equal, different, too_large };

struct ComparisonOptions {
  std::optional<int> decimals = 6;  ///< places that count where either side is a decimal; nothing: all

  bool relation_for_set = false;  ///< a relation answers a set
};

/// Never throws, never loops: beyond the limits of limits.h the verdict is too_large, which is not equal.
[[nodiscard]] Verdict equivalent(const Node& reference, const Node& given, const ComparisonOptions& options = {});

}  // namespace lowbit::answers
