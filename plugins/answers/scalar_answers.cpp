#include "answers/scalar_answers.h"

#include "answers/equivalent.h"
#include "answers/read_latex.h"

namespace lowbit::answers {
namespace {

std::optional<Node> expression(std::string_view text) {
  auto node = read_latex(text);
  const bool single = node && !is_set_like(**node) && !is(*node, Kind::chain) && !contains(**node, Kind::matrix);
  return single ? node : std::nullopt;
}

}  // namespace

bool same_expression(std::string_view a, std::string_view b) {
  const auto left = expression(a);
  const auto right = expression(b);
  return left && right && equivalent(*left, *right, {.decimals = std::nullopt}) == Verdict::equal;
}

}  // namespace lowbit::answers
