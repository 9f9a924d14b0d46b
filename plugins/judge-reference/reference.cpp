#include <algorithm>
#include <set>

#include "reference_judge.h"

namespace lowbit::judge {
namespace {

/// The sides without letters, and the first of them that computes something.
struct Numeric {
  const Expression* work = nullptr;
  std::vector<Rational> values;
};
std::optional<Numeric> numeric_sides(const Statement& statement) {
  Numeric numeric;
  for (const Expression& side : statement.sides) {
    if (side.has_letter()) continue;
    const auto value = value_at(side, {});
    if (!value) return std::nullopt;
    numeric.values.push_back(*value);
    if (numeric.work == nullptr && !side.is_number()) numeric.work = &side;
  }
  return numeric;
}

/// A reference uses what it has found: of several readings the one with the most results that are not used yet.
const Reading& likeliest(const std::vector<Reading>& all, const std::set<std::uint64_t>& unused) {
  const auto n_unused = [&](const Reading& reading) {
    std::set<std::uint64_t> used;
    for (const Quantity& leaf : reading.leaves) {
      if (leaf.derived && unused.contains(leaf.formula)) used.insert(leaf.formula);
    }
    return used.size();
  };
  return *std::max_element(all.begin(), all.end(),
                           [&](const Reading& a, const Reading& b) { return n_unused(a) < n_unused(b); });
}

}  // namespace

std::optional<Reference> Reference::read(std::string_view problem, const std::vector<std::string>& steps,
                                         std::string_view answer) {
  const auto number = answers::read_number(answer);
  if (!number) return std::nullopt;
  Reference reference;
  reference.answer = *number;
  for (const Rational& n : numbers_of(problem)) {
    const bool there =
        std::any_of(reference.givens.begin(), reference.givens.end(), [&](const Quantity& q) { return q.value == n; });
    if (!there) reference.givens.push_back(given(n));
  }
  std::vector<Quantity> known = reference.givens;
  std::set<std::uint64_t> unused;
  for (const std::string& text : steps) {
    const Line line = read_line(text);
    if (line.statements.empty() || line.unclear) return std::nullopt;
    for (const Statement& statement : line.statements) {
      const auto numeric = numeric_sides(statement);
      if (!numeric || numeric->work == nullptr) return std::nullopt;
      for (const Rational& value : numeric->values) {
        if (value != numeric->values.front()) return std::nullopt;
      }
      for (const Expression& side : statement.sides) {
        for (const Node& node : side.nodes) {
          if (node.letter != 0) reference.unknown = node.letter;
        }
      }
      const auto all = readings(*numeric->work, known);
      if (all.empty()) return std::nullopt;
      const Reading& reading = likeliest(all, unused);
      Target target{.quantity = reading.result, .operands = {}};
      for (std::size_t i = 0; i < reading.leaves.size(); ++i) {
        if (numeric->work->nodes[i].op != 0) continue;
        target.operands.push_back(reading.leaves[i].formula);
        unused.erase(reading.leaves[i].formula);
      }
      known.push_back(target.quantity);
      unused.insert(target.quantity.formula);
      reference.targets.push_back(std::move(target));
    }
  }
  if (reference.targets.empty() || reference.last().quantity.value != reference.answer) return std::nullopt;
  return reference;
}

}  // namespace lowbit::judge
