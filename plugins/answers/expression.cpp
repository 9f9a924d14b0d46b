#include "answers/expression.h"

#include <algorithm>

namespace lowbit::answers {
namespace {

Node made(Expression expression) { return std::make_shared<const Expression>(std::move(expression)); }

/// Sums in sums and products in products are spelled out, so that a long row is not a deep tree.
Node row(Kind kind, std::vector<Node> parts) {
  if (parts.size() == 1) return parts.front();
  std::vector<Node> flat;
  for (Node& part : parts) {
    if (part->kind == kind) {
      flat.insert(flat.end(), part->parts.begin(), part->parts.end());
    } else {
      flat.push_back(std::move(part));
    }
  }
  return made({.kind = kind, .parts = std::move(flat)});
}

}  // namespace

Node number(Number value, bool decimal) {
  return made({.kind = Kind::number, .value = std::move(value), .decimal = decimal});
}
Node symbol(std::string name) { return made({.kind = Kind::symbol, .name = std::move(name)}); }
Node constant(std::string name) { return made({.kind = Kind::constant, .name = std::move(name)}); }
Node sum(std::vector<Node> parts) { return row(Kind::sum, std::move(parts)); }
Node product(std::vector<Node> parts) { return row(Kind::product, std::move(parts)); }
Node power(Node base, Node exponent) {
  return made({.kind = Kind::power, .parts = {std::move(base), std::move(exponent)}});
}
Node quotient(Node top, Node bottom) { return product({std::move(top), power(std::move(bottom), number(-1))}); }
Node negated(Node node) {
  if (is(node, Kind::number)) return number(-node->value, node->decimal);
  return product({number(-1), std::move(node)});
}
Node difference(Node a, Node b) { return sum({std::move(a), negated(std::move(b))}); }
Node function(std::string name, std::vector<Node> arguments) {
  return made({.kind = Kind::function, .name = std::move(name), .parts = std::move(arguments)});
}
Node collection(Kind kind, std::vector<Node> parts) { return made({.kind = kind, .parts = std::move(parts)}); }
Node interval(Node left, Node right, bool left_open, bool right_open) {
  return made({.kind = Kind::interval,
               .left_open = left_open,
               .right_open = right_open,
               .parts = {std::move(left), std::move(right)}});
}
Node matrix(std::vector<Node> entries, std::size_t columns) {
  return made({.kind = Kind::matrix, .columns = columns, .parts = std::move(entries)});
}
Node chain(std::vector<Node> parts, std::vector<Relation> relations) {
  return made({.kind = Kind::chain, .parts = std::move(parts), .relations = std::move(relations)});
}

Relation flipped(Relation relation) {
  switch (relation) {
    case Relation::less: return Relation::greater;
    case Relation::less_equal: return Relation::greater_equal;
    case Relation::greater: return Relation::less;
    case Relation::greater_equal: return Relation::less_equal;
    default: return relation;
  }
}

bool same_tree(const Expression& a, const Expression& b) {
  return a.kind == b.kind && a.value == b.value && a.opposite == b.opposite && a.left_open == b.left_open &&
         a.right_open == b.right_open && a.columns == b.columns && a.name == b.name && a.relations == b.relations &&
         std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), b.parts.end(),
                    [](const Node& x, const Node& y) { return same_tree(*x, *y); });
}

bool contains(const Expression& node, Kind kind) {
  return node.kind == kind ||
         std::any_of(node.parts.begin(), node.parts.end(), [&](const Node& part) { return contains(*part, kind); });
}

}  // namespace lowbit::answers
