// Bare operations, to learn arithmetic from before and between the problems: "12 + 34 = " and "46".
#pragma once

#include "tinymath/draw.h"
#include "tinymath/problem.h"

namespace lowbit::tinymath {

struct Drill {
  int left = 0;
  Op op = Op::add;
  int right = 0;
  int result = 0;
};

/// A third each of sums and differences, a sixth each of products by one digit and their quotients; all numbers within
/// 0 .. kLargest. Two of five sums and differences stay below 151, so that short numbers are not rare.
[[nodiscard]] Drill draw_drill(Draw& draw);

}  // namespace lowbit::tinymath
