// Sets of real numbers as unions of intervals: what (0, 1) ∪ {1}, 0 < x <= 1 and R \ {0} have in common.
#pragma once

#include <optional>
#include <vector>

#include "answers/evaluate.h"
#include "answers/expression.h"
#include "answers/limits.h"

namespace lowbit::answers {

/// Ends may be infinite, and are open then.
struct Piece {
  Real low, high;
  bool low_open = true, high_open = true;
};
/// Disjoint, in order, and with something between any two.
using RealSet = std::vector<Piece>;

[[nodiscard]] RealSet united(RealSet a, const RealSet& b);
[[nodiscard]] RealSet complement(const RealSet& set);
[[nodiscard]] bool same_set(const RealSet& a, const RealSet& b);

/// An interval, a finite set, R, or what unions, intersections and differences make of them; ends must be numbers.
[[nodiscard]] std::optional<RealSet> real_set_of(const Node& node, Budget& budget);
/// Where an inequality of one name holds: x > 3, -2 <= f(x) < 7, 1 <= |z|.
[[nodiscard]] std::optional<RealSet> solutions_of(const Expression& chain, Budget& budget);
/// Nothing lies between its ends: (3, 1), which is no interval but a point of the plane.
[[nodiscard]] bool is_backwards(const Expression& interval, Budget& budget);

}  // namespace lowbit::answers
