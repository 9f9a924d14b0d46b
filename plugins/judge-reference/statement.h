// Equations in a line of text, however they are dressed:
//
//   read_line("First, 3 * 7 = 21.")                       // 3 * 7 = 21
//   read_line("3 x equals 52 minus 4, which is 48")       // 3 x = 52 - 4 = 48
//   read_line("Dividing 48 by 3 gives x = 16.")           // 48 / 3 = x = 16
//   read_line("So Tom has 33 apples.")                    // none
//
// Understood are numbers, + - * / and their signs and English names, brackets, one-letter unknowns, a factor before a
// letter or a bracket, and "is", "equals", "gives", "makes" for the equals sign. Any other word ends an equation.
// Reading is total: no text fails, and takes time linear in its length.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answers/grade.h"

namespace lowbit::judge {

using answers::Rational;

/// An expression as a list of nodes, operands before their operation; the last is the root.
struct Node {
  char op = 0;      ///< + - * /, or 0 for a leaf
  char letter = 0;  ///< the unknown of a leaf, or 0: the leaf is a number
  Rational number{};
  std::size_t left = 0, right = 0;  ///< operands of an operation
};
struct Expression {
  std::vector<Node> nodes;

  [[nodiscard]] bool is_number() const { return nodes.size() == 1 && nodes[0].letter == 0; }
  [[nodiscard]] bool has_letter() const;
  [[nodiscard]] std::string text() const;
};

/// Sides that are said to be equal, two or more.
struct Statement {
  std::vector<Expression> sides;
};
struct Line {
  std::vector<Statement> statements;
  bool unclear = false;  ///< something that looks like an equation and is none
};
[[nodiscard]] Line read_line(std::string_view text);
/// Every number of a text, in order.
[[nodiscard]] std::vector<Rational> numbers_of(std::string_view text);
[[nodiscard]] std::string text_of(const Rational& number);

}  // namespace lowbit::judge
