#include "answers/equivalent.h"

#include <algorithm>
#include <optional>
#include <string>

#include "answers/evaluate.h"
#include "answers/limits.h"
#include "answers/matrix_arithmetic.h"
#include "answers/normal_form.h"
#include "answers/read_latex.h"
#include "answers/real_set.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

constexpr std::uint64_t kPoints = 6;

bool all_equal_signs(const Expression& node) {
  return node.kind == Kind::chain && std::all_of(node.relations.begin(), node.relations.end(),
                                                 [](Relation relation) { return relation == Relation::equal; });
}

/// x = ... = 5
bool is_assignment(const Expression& node) { return all_equal_signs(node) && is_name(*node.parts.front()); }

/// The word that letters make, in their order: o d d, or one symbol.
std::optional<std::string> spelled(const Expression& node) {
  if (node.kind == Kind::symbol || (node.kind == Kind::constant && node.name.size() == 1)) return node.name;
  if (node.kind != Kind::product) return std::nullopt;
  std::string word;
  for (const Node& part : node.parts) {
    const auto letter = spelled(*part);
    if (!letter) return std::nullopt;
    word += *letter;
  }
  return word;
}

class Comparison {
 public:
  explicit Comparison(const ComparisonOptions& options) : options_(options) {}

  [[nodiscard]] bool too_large() const { return too_large_; }

  bool same(Node gold, Node given) {
    numeric_.spend(16);
    unwrap(gold, given);
    if (same_tree(*gold, *given)) return true;
    if (is(gold, Kind::chain) && is(given, Kind::chain)) return same_chains(*gold, *given);
    if (const auto decided = same_solutions(gold, given)) return *decided;
    if (is(gold, Kind::chain) || is(given, Kind::chain)) return false;
    if (is_set_like(*gold) || is_set_like(*given)) return same_sets(gold, given);
    if (contains(*gold, Kind::matrix) || contains(*given, Kind::matrix)) return same_matrices(gold, given);
    return same_words(*gold, *given) || same_scalars(gold, given);
  }

 private:
  /// Equations give way to their value where the other side is a value.
  static void unwrap(Node& gold, Node& given) {
    const bool gold_assigns = is_assignment(*gold);
    for (Node* side : {&gold, &given}) {
      if (is_assignment(**side) && (*side)->parts.size() > 2)
        *side = chain({(*side)->parts.front(), (*side)->parts.back()}, {Relation::equal});
    }
    const bool gold_equation = all_equal_signs(*gold);
    const bool given_equation = all_equal_signs(*given);
    if (given_equation && !gold_equation) {
      given = given->parts.back();
    } else if (gold_assigns && !given_equation) {
      gold = gold->parts.back();
    }
  }

  /// An inequality and a set.
  std::optional<bool> same_solutions(const Node& gold, const Node& given) {
    const bool as_set = is(gold, Kind::chain) && is_set_like(*given);
    const bool as_relation = options_.relation_for_set && is(given, Kind::chain) && is_set_like(*gold);
    if (!as_set && !as_relation) return std::nullopt;
    const auto solutions = solutions_of(as_set ? *gold : *given, numeric_);
    const auto set = real_set_of(as_set ? given : gold, numeric_);
    return solutions && set && same_set(*solutions, *set);
  }

  bool same_chains(const Expression& gold, const Expression& given) {
    if (gold.parts.size() != given.parts.size()) return false;
    const std::size_t n = gold.relations.size();
    bool in_order = true;
    bool reversed = true;
    for (std::size_t i = 0; i < n && (in_order || reversed); ++i) {
      const std::size_t j = n - 1 - i;
      in_order = in_order && same_relations(gold.parts[i], gold.relations[i], gold.parts[i + 1], given.parts[i],
                                            given.relations[i], given.parts[i + 1]);
      reversed = reversed && same_relations(gold.parts[i], gold.relations[i], gold.parts[i + 1], given.parts[j + 1],
                                            flipped(given.relations[j]), given.parts[j]);
    }
    return in_order || reversed;
  }

  /// a < b and c < d: side by side, or with differences that one number scales into each other.
  bool same_relations(const Node& a, Relation left, const Node& b, const Node& c, Relation right, const Node& d) {
    if (left == right && same(a, c) && same(b, d)) return true;
    if (is_set_like(*a) || is_set_like(*b) || is_set_like(*c) || is_set_like(*d)) return false;
    const auto factor = within([&] { return factor_between(difference(a, b), difference(c, d), exact_); });
    if (!factor) return false;
    if (left == Relation::equal || left == Relation::not_equal) return left == right;
    return (*factor > 0 ? right : flipped(right)) == left;
  }

  bool same_sets(Node gold, Node given) {
    for (Node* side : {&gold, &given}) {
      if (is(*side, Kind::interval) && is_backwards(**side, numeric_)) *side = collection(Kind::tuple, (*side)->parts);
    }
    if (is(gold, Kind::interval) && is(given, Kind::interval)) {
      return gold->left_open == given->left_open && gold->right_open == given->right_open &&
             same(gold->parts[0], given->parts[0]) && same(gold->parts[1], given->parts[1]);
    }
    const bool both_listed = is_listed(*gold) && is_listed(*given);
    if (!both_listed) {
      const auto a = real_set_of(gold, numeric_);
      const auto b = real_set_of(given, numeric_);
      if (a && b && same_set(*a, *b)) return true;
      if (gold->kind == given->kind && gold->parts.size() == 2)
        return same(gold->parts[0], given->parts[0]) && same(gold->parts[1], given->parts[1]);
    }
    // (1, 2) is a point of the plane as well as an interval.
    for (Node* side : {&gold, &given}) {
      if (is(*side, Kind::interval) && (*side)->left_open && (*side)->right_open)
        *side = collection(Kind::tuple, (*side)->parts);
      if (!is_set_like(**side)) *side = collection(Kind::set, {*side});
    }
    return is_listed(*gold) && is_listed(*given) && same_members(*gold, *given);
  }

  static bool is_listed(const Expression& node) { return node.kind == Kind::tuple || node.kind == Kind::set; }

  /// The order counts for a reference that is a tuple.
  bool same_members(const Expression& gold, const Expression& given) {
    if (gold.parts.size() > kMembers || given.parts.size() > kMembers) throw TooLarge{};
    if (gold.kind == Kind::tuple) {
      return std::equal(gold.parts.begin(), gold.parts.end(), given.parts.begin(), given.parts.end(),
                        [&](const Node& a, const Node& b) { return same(a, b); });
    }
    if (given.kind == Kind::tuple && gold.parts.size() != given.parts.size()) return false;
    const auto found = [&](const Node& a) {
      return std::any_of(given.parts.begin(), given.parts.end(), [&](const Node& b) { return same(a, b); });
    };
    const auto expected = [&](const Node& b) {
      return std::any_of(gold.parts.begin(), gold.parts.end(), [&](const Node& a) { return same(a, b); });
    };
    return std::all_of(gold.parts.begin(), gold.parts.end(), found) &&
           std::all_of(given.parts.begin(), given.parts.end(), expected);
  }

  bool same_matrices(const Node& gold, const Node& given) {
    const Node a = with_matrices_computed(gold);
    const Node b = with_matrices_computed(given);
    if (!is(a, Kind::matrix) || !is(b, Kind::matrix) || a->columns != b->columns) return false;
    return std::equal(a->parts.begin(), a->parts.end(), b->parts.begin(), b->parts.end(),
                      [&](const Node& x, const Node& y) { return same_words(*x, *y) || same_scalars(x, y); });
  }

  /// Words whatever their case, single letters with it. One side at least is a symbol.
  static bool same_words(const Expression& gold, const Expression& given) {
    if (gold.kind != Kind::symbol && given.kind != Kind::symbol) return false;
    const auto a = spelled(gold);
    const auto b = spelled(given);
    return a && b && (a->size() > 1 ? lowered(*a) == lowered(*b) : *a == *b);
  }

  bool same_scalars(const Node& gold, const Node& given) {
    const auto is_decimal = [](const Node& node) { return is(node, Kind::number) && node->decimal; };
    if (options_.decimals && (is_decimal(gold) || is_decimal(given))) {
      if (const auto decided = same_rounded(gold, given)) return *decided;
    }
    bool exact_too_large = false;
    try {
      const Sameness sameness = compare_exactly(gold, given, exact_);
      if (sameness != Sameness::unknown) return sameness == Sameness::same;
    } catch (const TooLarge&) {
      exact_too_large = true;
    }
    if (!same_values(gold, given)) return false;
    too_large_ = too_large_ || exact_too_large;
    return !exact_too_large;
  }

  std::optional<bool> same_rounded(const Node& gold, const Node& given) {
    const auto a = real_value(gold, numeric_);
    const auto b = real_value(given, numeric_);
    if (!a || !b) return std::nullopt;
    const Real scale = pow(Real(10), *options_.decimals);
    const auto round_off = [&](const Real& value) { return Real(floor(value * scale + Real(0.5))); };
    return round_off(*a) == round_off(*b);
  }

  /// At one point without variables, else at several, of which at least two must be defined.
  bool same_values(const Node& gold, const Node& given) {
    const bool varies = has_variables(*gold) || has_variables(*given);
    std::uint64_t n_defined = 0;
    for (std::uint64_t point = 0; point < (varies ? kPoints : 1); ++point) {
      const auto a = value_at(gold, point, numeric_);
      const auto b = value_at(given, point, numeric_);
      if (!a || !b) continue;
      if (!close(*a, *b)) return false;
      ++n_defined;
    }
    return n_defined >= (varies ? 2U : 1U);
  }

  template <typename F>
  auto within(F&& compute) -> decltype(compute()) {
    try {
      return compute();
    } catch (const TooLarge&) {
      too_large_ = true;
      return std::nullopt;
    }
  }

  ComparisonOptions options_;
  Budget exact_, numeric_;
  bool too_large_ = false;
};

}  // namespace

Verdict equivalent(const Node& reference, const Node& given, const ComparisonOptions& options) {
  Comparison comparison(options);
  try {
    if (comparison.same(reference, given)) return Verdict::equal;
  } catch (const TooLarge&) {
    return Verdict::too_large;
  }
  return comparison.too_large() ? Verdict::too_large : Verdict::different;
}

}  // namespace lowbit::answers
