#include "tinymath/problem.h"

namespace lowbit::tinymath {

std::optional<int> apply(int left, Op op, int right) {
  switch (op) {
    case Op::add: return left + right;
    case Op::subtract: return left < right ? std::nullopt : std::optional(left - right);
    case Op::multiply: return left * right;
    case Op::divide: break;
  }
  return right == 0 || left % right != 0 ? std::nullopt : std::optional(left / right);
}

std::string left_side(int left, Op op, int right) {
  return std::to_string(left) + " " + static_cast<char>(op) + " " + std::to_string(right) + " = ";
}

std::string Step::text() const {
  const std::string of_unknown = coefficient ? std::to_string(coefficient->value) + " " + unknown : unknown;
  return of_unknown + left_side(left.value, op, right.value) + std::to_string(result);
}

bool recompute_after(std::vector<Step>& steps, std::size_t changed) {
  const auto refresh = [&](Number& number) {
    if (number.from != Number::kGiven) number.value = steps[static_cast<std::size_t>(number.from)].result;
  };
  for (std::size_t i = changed + 1; i < steps.size(); ++i) {
    Step& step = steps[i];
    if (step.coefficient) refresh(*step.coefficient);
    refresh(step.left);
    refresh(step.right);
    const auto result = apply(step.left.value, step.op, step.right.value);
    if (!result) return false;
    step.result = *result;
  }
  return true;
}

}  // namespace lowbit::tinymath
