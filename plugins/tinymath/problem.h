// A problem and its reference trace. A step knows where its numbers come from, so that a trace can be changed in one
// step and computed on from there.
//
//   Problem p = ...;                          // "find x if 3 x + 4 = 52"
//   p.steps[0].text()                         // "3 x = 52 - 4 = 48"
//   p.steps[1].text()                         // "x = 48 / 3 = 16"
//   p.steps[0].result = 58; recompute_after(p.steps, 0);   // "x = 58 / 3" has no whole result: false
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::tinymath {

/// Largest number that occurs anywhere in a problem or its solution; the smallest is 0.
inline constexpr int kLargest = 999;

enum class Op : char { add = '+', subtract = '-', multiply = '*', divide = '/' };

/// Nothing when the result is negative or not whole.
[[nodiscard]] std::optional<int> apply(int left, Op op, int right);
/// "12 + 34 = "
[[nodiscard]] std::string left_side(int left, Op op, int right);

struct Number {
  int value = 0;
  int from = kGiven;                 ///< index of the step whose result it is
  static constexpr int kGiven = -1;  ///< stands in the problem
};

struct Step {
  std::optional<Number> coefficient;  ///< of the unknown: 3 in "3 x = 52 - 4 = 48"
  std::string unknown;                ///< "x = ", "x + 5 = "; empty in word problems
  Number left;
  Op op = Op::add;
  Number right;
  int result = 0;

  [[nodiscard]] std::string text() const;
};

/// Carries changes of step `changed` into the steps after it. False when one of them has no whole, non-negative result;
/// `steps` is then half done.
[[nodiscard]] bool recompute_after(std::vector<Step>& steps, std::size_t changed);

struct Problem {
  std::string family;  ///< one of kFamilies (families.h)
  std::string text;    ///< lower case, one space between words and signs
  std::vector<Step> steps;

  [[nodiscard]] int answer() const { return steps.back().result; }
};

}  // namespace lowbit::tinymath
