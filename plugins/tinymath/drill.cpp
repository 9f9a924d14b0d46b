#include "tinymath/drill.h"

namespace lowbit::tinymath {

Drill draw_drill(Draw& draw) {
  const int kind = draw.between(0, 5);
  if (kind < 4) {
    const int whole = draw.between(2, draw.chance(60) ? kLargest : 150);
    const int part = draw.between(0, whole);
    if (kind < 2) return {part, Op::add, whole - part, whole};
    return {whole, Op::subtract, part, whole - part};
  }
  const int digit = draw.between(2, 9);
  const int number = draw.between(1, 99);
  if (kind == 5) return {digit * number, Op::divide, digit, number};
  if (draw.chance(50)) return {digit, Op::multiply, number, digit * number};
  return {number, Op::multiply, digit, digit * number};
}

}  // namespace lowbit::tinymath
