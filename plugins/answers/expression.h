// Mathematical answers as trees, as written: nothing is computed here.
//
//   read_latex("\\frac{1}{2}, x^2")  ->  set{ product(1, power(2, -1)), power(x, 2) }
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::answers {

// Without expression templates, so that no result refers to an operand that is gone.
using Integer = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;
using Number =
    boost::multiprecision::number<boost::multiprecision::cpp_rational_backend, boost::multiprecision::et_off>;

struct Expression;
using Node = std::shared_ptr<const Expression>;

enum class Kind {
  number,      ///< `value`; `decimal` when written with a point
  symbol,      ///< `name`: a variable, or a word
  constant,    ///< `name`: pi, e, i, infinity
  sum,         ///< of parts
  product,     ///< of parts, in their order
  power,       ///< parts: base, exponent
  function,    ///< `name` of parts; `root` of a base and a degree
  plus_minus,  ///< parts: a and b of a ± b; `opposite` for ∓
  matrix,      ///< parts row by row, `columns` in a row
  tuple,       ///< parts in order
  set,         ///< parts without order, and in the order they were written
  interval,    ///< parts: ends; `left_open`, `right_open`
  number_set,  ///< `name`: N, Z, Q, R, C
  union_of,    ///< of two sets; likewise the next two
  intersection,
  difference,
  chain,  ///< parts a, b, c with `relations` between them: a < b <= c
};

enum class Relation { equal, not_equal, less, less_equal, greater, greater_equal };

struct Expression {
  Kind kind = Kind::number;
  Number value = {};
  bool decimal = false, opposite = false, left_open = false, right_open = false;
  std::size_t columns = 0;
  std::string name = {};
  std::vector<Node> parts = {};
  std::vector<Relation> relations = {};
};

[[nodiscard]] Node number(Number value, bool decimal = false);
[[nodiscard]] Node symbol(std::string name);
[[nodiscard]] Node constant(std::string name);
/// One part is itself.
[[nodiscard]] Node sum(std::vector<Node> parts);
[[nodiscard]] Node product(std::vector<Node> parts);
[[nodiscard]] Node power(Node base, Node exponent);
[[nodiscard]] Node quotient(Node top, Node bottom);
[[nodiscard]] Node negated(Node node);
[[nodiscard]] Node difference(Node a, Node b);
[[nodiscard]] Node function(std::string name, std::vector<Node> arguments);
[[nodiscard]] Node collection(Kind kind, std::vector<Node> parts);
[[nodiscard]] Node interval(Node left, Node right, bool left_open, bool right_open);
[[nodiscard]] Node matrix(std::vector<Node> entries, std::size_t columns);
[[nodiscard]] Node chain(std::vector<Node> parts, std::vector<Relation> relations);

/// The relation with its sides exchanged: < for >.
[[nodiscard]] Relation flipped(Relation relation);

/// The same tree; decimals and fractions of the same value are the same.
[[nodiscard]] bool same_tree(const Expression& a, const Expression& b);
/// Whether any part, however deep, is of this kind.
[[nodiscard]] bool contains(const Expression& node, Kind kind);

[[nodiscard]] inline bool is(const Node& node, Kind kind) { return node->kind == kind; }
[[nodiscard]] inline bool is_set_like(const Expression& node) {
  return node.kind >= Kind::tuple && node.kind <= Kind::difference;
}

}  // namespace lowbit::answers
