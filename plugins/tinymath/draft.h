// A problem while it is being written: text word by word, trace step by step. A number that leaves 0 .. kLargest, a
// product or quotient of two long numbers, or a quotient that is not whole spoils the draft, and it is thrown away as a
// whole; so a family need not care.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tinymath/draw.h"
#include "tinymath/problem.h"

namespace lowbit::tinymath {

class Draft {
 public:
  explicit Draft(Draw& source) : draw(source) {}

  Draw& draw;

  /// A number that will stand in the text.
  Number number(int low, int high) { return given(draw.between(low, high)); }
  Number given(int value) {
    sound_ = sound_ && value >= 0 && value <= kLargest;
    return {.value = value};
  }

  /// Words and numbers with a space before each but the first of the text.
  template <class... Words>
  void say(const Words&... words) {
    (append(words), ...);
  }

  /// Adds a step to the trace; its result. `unknown` ends in "= ".
  Number step(Number left, Op op, Number right, std::string unknown = {}) {
    return add({.coefficient = {}, .unknown = std::move(unknown), .left = left, .op = op, .right = right});
  }
  Number step_of(Number coefficient, std::string unknown, Number left, Op op, Number right) {
    return add({.coefficient = coefficient, .unknown = std::move(unknown), .left = left, .op = op, .right = right});
  }

  [[nodiscard]] bool sound() const { return sound_; }
  [[nodiscard]] std::string& text() { return text_; }
  [[nodiscard]] std::vector<Step>& steps() { return steps_; }

 private:
  void append(std::string_view word) {
    if (!text_.empty()) text_ += ' ';
    text_ += word;
  }
  void append(Number number) { append(std::to_string(number.value)); }

  Number add(Step step) {
    const bool scales = step.op == Op::multiply || step.op == Op::divide;
    const bool by_one_digit = step.right.value <= 9 || (step.op == Op::multiply && step.left.value <= 9);
    const auto result = apply(step.left.value, step.op, step.right.value);
    sound_ = sound_ && result && *result <= kLargest && (!scales || by_one_digit);
    step.result = sound_ ? *result : 0;
    steps_.push_back(std::move(step));
    return {.value = steps_.back().result, .from = static_cast<int>(steps_.size()) - 1};
  }

  std::string text_;
  std::vector<Step> steps_;
  bool sound_ = true;
};

}  // namespace lowbit::tinymath
