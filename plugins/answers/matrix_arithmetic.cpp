#include "answers/matrix_arithmetic.h"

#include "answers/limits.h"

namespace lowbit::answers {
namespace {

constexpr int kPower = 6;

std::size_t rows_of(const Expression& m) { return m.parts.size() / m.columns; }

/// Null when the shapes differ.
Node added(const Node& a, const Node& b) {
  if (!is(a, Kind::matrix) || !is(b, Kind::matrix) || a->columns != b->columns || a->parts.size() != b->parts.size())
    return nullptr;
  std::vector<Node> entries;
  for (std::size_t i = 0; i < a->parts.size(); ++i) entries.push_back(sum({a->parts[i], b->parts[i]}));
  return matrix(std::move(entries), a->columns);
}

Node scaled(const Node& factor, const Expression& m) {
  std::vector<Node> entries;
  for (const Node& entry : m.parts) entries.push_back(product({factor, entry}));
  return matrix(std::move(entries), m.columns);
}

/// Null when the shapes do not fit.
Node multiplied(const Node& a, const Node& b) {
  const bool left = is(a, Kind::matrix);
  const bool right = is(b, Kind::matrix);
  if (!left && !right) return product({a, b});
  if (!left) return scaled(a, *b);
  if (!right) return scaled(b, *a);
  const std::size_t inner = a->columns;
  if (inner != rows_of(*b)) return nullptr;
  if (inner > kMatrixSide || rows_of(*a) > kMatrixSide || b->columns > kMatrixSide) throw TooLarge{};
  std::vector<Node> entries;
  for (std::size_t r = 0; r < rows_of(*a); ++r) {
    for (std::size_t c = 0; c < b->columns; ++c) {
      std::vector<Node> terms;
      for (std::size_t k = 0; k < inner; ++k)
        terms.push_back(product({a->parts[r * inner + k], b->parts[k * b->columns + c]}));
      entries.push_back(sum(std::move(terms)));
    }
  }
  return matrix(std::move(entries), b->columns);
}

Node folded(const Expression& node, const std::vector<Node>& parts) {
  Node result = parts.front();
  for (std::size_t i = 1; i < parts.size() && result; ++i)
    result = node.kind == Kind::sum ? added(result, parts[i]) : multiplied(result, parts[i]);
  return result;
}

Node computed(const Node& node, Budget& budget) {
  budget.spend(1000);
  if (!contains(*node, Kind::matrix) || is(node, Kind::matrix)) return node;
  std::vector<Node> parts;
  for (const Node& part : node->parts) parts.push_back(computed(part, budget));
  if (node->kind == Kind::sum || node->kind == Kind::product) {
    if (Node result = folded(*node, parts)) return result;
  }
  if (node->kind == Kind::power && is(parts[0], Kind::matrix) && is(parts[1], Kind::number)) {
    for (int n = 1; n <= kPower; ++n) {
      if (parts[1]->value == n) {
        Node result = parts[0];
        for (int i = 1; i < n && result; ++i) result = multiplied(result, parts[0]);
        if (result) return result;
      }
    }
  }
  return node;
}

}  // namespace

Node with_matrices_computed(const Node& node) {
  Budget budget;
  return computed(node, budget);
}

}  // namespace lowbit::answers
