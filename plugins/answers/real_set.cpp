#include "answers/real_set.h"

#include <algorithm>
#include <limits>

#include "answers/read_latex.h"

namespace lowbit::answers {
namespace {

const Real& infinity() {
  static const Real value = std::numeric_limits<Real>::infinity();
  return value;
}

bool same_end(const Real& a, const Real& b) { return a == b || (isfinite(a) && isfinite(b) && close(a, b)); }

bool is_empty(const Piece& piece) {
  if (same_end(piece.low, piece.high)) return piece.low_open || piece.high_open;
  return piece.low > piece.high;
}

std::optional<Real> end_of(const Node& node, Budget& budget) {
  if (is(node, Kind::constant) && node->name == "infinity") return infinity();
  if (same_tree(*node, *negated(constant("infinity")))) return Real(-infinity());
  return real_value(node, budget);
}

RealSet intersected(const RealSet& a, const RealSet& b) { return complement(united(complement(a), complement(b))); }

RealSet mirrored(const RealSet& set) {
  RealSet result;
  for (const Piece& piece : set)
    result.insert(result.begin(), {-piece.high, -piece.low, piece.high_open, piece.low_open});
  return result;
}

/// Values v with `v relation bound`.
RealSet half_line(Relation relation, const Real& bound) {
  const Real& most = infinity();
  switch (relation) {
    case Relation::less: return {{-most, bound, true, true}};
    case Relation::less_equal: return {{-most, bound, true, false}};
    case Relation::greater: return {{bound, most, true, true}};
    case Relation::greater_equal: return {{bound, most, false, true}};
    case Relation::not_equal: return {{-most, bound, true, true}, {bound, most, true, true}};
    case Relation::equal: return {{bound, bound, false, false}};
  }
  return {};
}

}  // namespace

RealSet united(RealSet a, const RealSet& b) {
  a.insert(a.end(), b.begin(), b.end());
  a.erase(std::remove_if(a.begin(), a.end(), is_empty), a.end());
  std::sort(a.begin(), a.end(), [](const Piece& x, const Piece& y) {
    return same_end(x.low, y.low) ? x.low_open < y.low_open : x.low < y.low;
  });
  RealSet result;
  for (const Piece& piece : a) {
    if (!result.empty()) {
      Piece& last = result.back();
      const bool touch = same_end(last.high, piece.low);
      if ((touch && !(last.high_open && piece.low_open)) || (!touch && piece.low < last.high)) {
        if (same_end(last.high, piece.high)) {
          last.high_open = last.high_open && piece.high_open;
        } else if (piece.high > last.high) {
          last.high = piece.high;
          last.high_open = piece.high_open;
        }
        continue;
      }
    }
    result.push_back(piece);
  }
  return result;
}

RealSet complement(const RealSet& set) {
  RealSet result;
  Piece gap{-infinity(), infinity(), true, true};
  for (const Piece& piece : set) {
    gap.high = piece.low;
    gap.high_open = !piece.low_open;
    if (!is_empty(gap)) result.push_back(gap);
    gap.low = piece.high;
    gap.low_open = !piece.high_open;
  }
  gap.high = infinity();
  gap.high_open = true;
  if (gap.low != infinity() && !is_empty(gap)) result.push_back(gap);
  return result;
}

bool same_set(const RealSet& a, const RealSet& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Piece& x, const Piece& y) {
    return same_end(x.low, y.low) && same_end(x.high, y.high) && x.low_open == y.low_open && x.high_open == y.high_open;
  });
}

std::optional<RealSet> real_set_of(const Node& node, Budget& budget) {
  switch (node->kind) {
    case Kind::interval: {
      const auto low = end_of(node->parts[0], budget);
      const auto high = end_of(node->parts[1], budget);
      if (!low || !high) return std::nullopt;
      return united({{*low, *high, node->left_open || !isfinite(*low), node->right_open || !isfinite(*high)}}, {});
    }
    case Kind::set: {
      RealSet points;
      for (const Node& part : node->parts) {
        const auto value = real_value(part, budget);
        if (!value || !isfinite(*value)) return std::nullopt;
        points.push_back({*value, *value, false, false});
      }
      return united(points, {});
    }
    case Kind::number_set:
      if (node->name != "R") return std::nullopt;
      return RealSet{{-infinity(), infinity(), true, true}};
    case Kind::union_of:
    case Kind::intersection:
    case Kind::difference: {
      const auto a = real_set_of(node->parts[0], budget);
      const auto b = real_set_of(node->parts[1], budget);
      if (!a || !b) return std::nullopt;
      if (node->kind == Kind::union_of) return united(*a, *b);
      return intersected(*a, node->kind == Kind::difference ? complement(*b) : *b);
    }
    default: return std::nullopt;
  }
}

std::optional<RealSet> solutions_of(const Expression& chain, Budget& budget) {
  const auto& parts = chain.parts;
  if (parts.size() > 3) return std::nullopt;
  const std::size_t name = parts.size() == 3 || has_variables(*parts[1]) ? 1 : 0;
  const bool absolute = is(parts[name], Kind::function) && parts[name]->name == "abs";
  if (!is_name(*parts[name])) return std::nullopt;
  RealSet result{{-infinity(), infinity(), true, true}};
  for (std::size_t i = 0; i < chain.relations.size(); ++i) {
    const bool bound_first = name == i + 1;
    const auto bound = end_of(parts[bound_first ? i : i + 1], budget);
    if (!bound) return std::nullopt;
    const Relation relation = bound_first ? flipped(chain.relations[i]) : chain.relations[i];
    result = intersected(result, half_line(relation, *bound));
  }
  if (absolute) {
    result = intersected(result, half_line(Relation::greater_equal, 0));
    result = united(mirrored(result), result);
  }
  return result;
}

bool is_backwards(const Expression& interval, Budget& budget) {
  const auto low = end_of(interval.parts[0], budget);
  const auto high = end_of(interval.parts[1], budget);
  if (!low || !high || interval.left_open != interval.right_open) return false;
  return *high < *low || (interval.left_open && *high == *low);
}

}  // namespace lowbit::answers
