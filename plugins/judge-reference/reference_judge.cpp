#include "reference_judge.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace lowbit::judge {
namespace {

using verdicts::Finding;
using verdicts::Status;

constexpr std::size_t kMaxEquations = 60;  // bits of Quantity::lines, less a few

Finding undetermined(std::string why) {
  return {.status = Status::undetermined,
          .first_error_step = {},
          .category = {},
          .type = {},
          .explanation = std::move(why)};
}
Finding no_error() {
  return {.status = Status::no_error,
          .first_error_step = {},
          .category = {},
          .type = {},
          .explanation = "all equations hold and lead to the answer"};
}

bool is_additive(char op) { return op == '+' || op == '-'; }

/// One equation of the solution and what is known of it.
struct Equation {
  std::size_t step = 0;  ///< from 1
  Statement statement;
  std::optional<char> letter;
  std::vector<Rational> numbers;      ///< values of the sides without letters
  std::optional<Rational> letters;    ///< what the sides with letters are at the solution, if they agree
  const Expression* work = nullptr;   ///< the first side that computes something from numbers
  std::vector<Reading> readings;      ///< of `work`; those that lead to a target, if any does
  std::optional<std::size_t> target;  ///< of the reference that `work` gives
  bool readable = true;               ///< every side can be computed
  bool vindicated = false;            ///< its result leads to a target later

  [[nodiscard]] bool sides_agree() const {
    return std::all_of(numbers.begin(), numbers.end(), [&](const Rational& n) { return n == numbers.front(); });
  }
  /// A computation whose written results alone are wrong.
  [[nodiscard]] bool only_result_differs(const Rational& expected) const {
    std::size_t side = 0;
    for (const Expression& e : statement.sides) {
      if (e.has_letter()) continue;
      if (!e.is_number() && numbers[side] != expected) return false;
      ++side;
    }
    return work != nullptr;
  }
  /// What a reader goes on with.
  [[nodiscard]] std::optional<Rational> written() const {
    return numbers.empty() ? std::nullopt : std::optional(numbers.back());
  }
};

/// Types that the rules find for one equation, each with the reason.
using Types = std::map<std::string, std::string>;

class Solution {
 public:
  Solution(const Reference& reference, const std::vector<std::string>& steps,
           const std::optional<std::string>& extracted)
      : reference_(reference), n_steps_(steps.size()), known_(reference.givens) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      Line line = read_line(steps[i]);
      if (line.unclear) unclear_.insert(i + 1);
      if (line.statements.empty() && !line.unclear) last_words_ = i + 1;
      for (Statement& statement : line.statements) {
        if (equations_.size() < kMaxEquations) {
          equations_.push_back({.step = i + 1, .statement = std::move(statement)});
        } else {
          unclear_.insert(i + 1);
        }
      }
    }
    if (extracted) answer_ = answers::read_number(*extracted);
    for (std::size_t i = 0; i < equations_.size(); ++i) understand(i);
  }

  Finding finding() {
    if (equations_.empty()) return undetermined("the solution has no step that is an equation");
    if (!answer_) return undetermined("the answer is missing or no number");
    const bool right_end = *answer_ == reference_.answer && reaches_answer();
    std::set<std::size_t> reached;
    for (std::size_t i = 0; i < equations_.size(); ++i) {
      const Equation& e = equations_[i];
      if (!unclear_.empty() && *unclear_.begin() <= e.step) break;
      if (auto found = first_error(e, i + 1 == equations_.size(), right_end, reached)) return *found;
      if (e.target) reached.insert(*e.target);
    }
    if (!unclear_.empty()) {
      return undetermined("step " + std::to_string(*unclear_.begin()) + " cannot be read as an equation");
    }
    return right_end ? no_error() : wrong_end();
  }

 private:
  // ---- understanding

  void understand(std::size_t i) {
    Equation& e = equations_[i];
    for (const Expression& side : e.statement.sides) {
      for (const Node& node : side.nodes) {
        if (node.letter != 0) e.letter = node.letter;
      }
      const auto value = value_at(side, reference_.answer);
      if (!value) {
        e.readable = false;
        return;
      }
      if (side.has_letter()) {
        if (e.letters && *e.letters != *value) e.readable = false;
        e.letters = *value;
      } else {
        e.numbers.push_back(*value);
        if (e.work == nullptr && !side.is_number()) e.work = &side;
      }
    }
    if (e.work != nullptr) e.readings = readings(*e.work, known_);
    keep_readings_of_targets(e);
    remember(e, i);
  }

  [[nodiscard]] std::optional<std::size_t> target_of(std::uint64_t formula) const {
    for (std::size_t t = 0; t < reference_.targets.size(); ++t) {
      if (reference_.targets[t].quantity.formula == formula) return t;
    }
    return std::nullopt;
  }

  void keep_readings_of_targets(Equation& e) {
    std::vector<Reading> good;
    for (const Reading& reading : e.readings) {
      const auto target = target_of(reading.result.formula);
      if (!target) continue;
      e.target = std::max(e.target.value_or(0), *target);
      good.push_back(reading);
    }
    if (good.empty()) return;
    e.readings = std::move(good);
    for (const Reading& reading : e.readings) {
      for (std::size_t j = 0; j < equations_.size(); ++j) {
        if ((reading.result.lines >> j & 1U) != 0) equations_[j].vindicated = true;
      }
    }
  }

  /// The written result is known from here on, by the formulas it may have. What is written without a computation
  /// ("3 x = 48") has the formula of the target of that value.
  void remember(const Equation& e, std::size_t i) {
    const auto value = e.written();
    if (!value) return;
    std::vector<Quantity> results;
    for (const Reading& reading : e.readings) results.push_back(reading.result);
    if (e.work == nullptr && e.letter) {
      for (const Target& target : reference_.targets) {
        if (target.quantity.value == *value) results.push_back(target.quantity);
      }
    }
    for (Quantity& result : results) {
      result.value = *value;
      result.lines |= std::uint64_t{1} << i;
      const bool there = std::any_of(known_.begin(), known_.end(), [&](const Quantity& q) {
        return q.value == result.value && q.formula == result.formula && q.derived;
      });
      if (!there && known_.size() < 256) known_.push_back(result);
    }
  }

  [[nodiscard]] bool reaches_answer() const {
    return std::any_of(equations_.begin(), equations_.end(), [&](const Equation& e) {
      if (!e.readable || e.written() != reference_.answer || !e.sides_agree()) return false;
      if (e.target == reference_.targets.size() - 1) return true;
      const bool alone = std::any_of(e.statement.sides.begin(), e.statement.sides.end(),
                                     [](const Expression& s) { return s.nodes.size() == 1 && s.has_letter(); });
      return alone && e.letter == reference_.unknown;
    });
  }

  // ---- judging

  std::optional<Finding> first_error(const Equation& e, bool last, bool right_end,
                                     const std::set<std::size_t>& reached) const {
    const std::string where = "step " + std::to_string(e.step);
    if (!e.readable) return undetermined(where + " cannot be computed");
    if (e.letter) return error_with_letter(e, where, reached);
    if (e.work == nullptr) return std::nullopt;  // 33 = 33
    if (e.target || e.vindicated) {
      if (e.sides_agree()) return std::nullopt;
      return slip(e, where, *value_at(*e.work, {}));
    }
    if (!e.sides_agree()) return undetermined(where + " is not true, and what it computes is not needed either");
    if (right_end) return std::nullopt;  // a detour without harm
    if (reached.contains(reference_.targets.size() - 1)) {
      if (reference_.unknown) return undetermined(where + " goes on after the solution");
      return verdicts::error_of_type("conceptual_misunderstanding", e.step,
                                     where + " goes on to another quantity when what is asked for is found");
    }
    return one_of(number_types(e, last, reached), e.step, where);
  }

  [[nodiscard]] Finding slip(const Equation& e, const std::string& where, const Rational& expected) const {
    if (!e.only_result_differs(expected)) return undetermined(where + " joins several things that are not equal");
    return verdicts::error_of_type("computational_error", e.step,
                                   where + " computes the right thing, but " + e.work->text() + " is " +
                                       text_of(expected) + ", not " +
                                       text_of(*std::find_if(e.numbers.begin(), e.numbers.end(),
                                                             [&](const Rational& n) { return n != expected; })));
  }

  std::optional<Finding> error_with_letter(const Equation& e, const std::string& where,
                                           const std::set<std::size_t>& reached) const {
    if (!reference_.unknown) return undetermined(where + " calls a quantity " + *e.letter);
    if (e.letter != reference_.unknown) {
      return verdicts::error_of_type("symbolic_manipulation_error", e.step,
                                     where + " speaks of " + *e.letter + ", the problem of " + *reference_.unknown);
    }
    if (e.numbers.empty()) return std::nullopt;  // both sides agree at the solution, or it would not be readable
    const Rational& expected = *e.letters;
    if (e.sides_agree()) {
      if (e.numbers.front() == expected) return std::nullopt;
      return one_of(letter_types(e, expected, reached), e.step, where);
    }
    if (e.only_result_differs(expected)) return slip(e, where, expected);
    return undetermined(where + " does not hold, in more than one way");
  }

  /// Which single changes make an equation of a word problem, or one without letters, what the reference needs.
  [[nodiscard]] Types number_types(const Equation& e, bool last, const std::set<std::size_t>& reached) const {
    const auto found_elsewhere = [&](std::size_t target) {
      return std::any_of(equations_.begin(), equations_.end(),
                         [&](const Equation& other) { return other.target == target; });
    };
    const auto needed = [&](const std::optional<Quantity>& result) {
      const auto target = result ? target_of(result->formula) : std::nullopt;
      // The last computation should have given what is asked for, the others something on the way to it.
      return target && !found_elsewhere(*target) && (*target + 1 == reference_.targets.size()) == last ? target
                                                                                                       : std::nullopt;
    };
    Types types;
    for (const Reading& reading : e.readings) {
      for_each_operation(*e.work, [&](const Expression& changed, const Node& was, char op) {
        const auto target = needed(evaluate(changed, reading.leaves));
        if (!target) return;
        const bool of_results = reading.leaves[was.left].derived && reading.leaves[was.right].derived;
        operation_types(types, was.op, op, last && of_results);
      });
      for_each_leaf(*e.work, [&](std::size_t leaf) {
        const auto with = [&](const Quantity& quantity) {
          auto leaves = reading.leaves;
          leaves[leaf] = quantity;
          return needed(evaluate(*e.work, leaves)).has_value();
        };
        leaf_types(types, reading.leaves[leaf], reached, with);
      });
    }
    return types;
  }

  /// The same where the unknown tells what the value should be.
  [[nodiscard]] Types letter_types(const Equation& e, const Rational& expected,
                                   const std::set<std::size_t>& reached) const {
    Types types;
    for (const Reading& reading : e.readings) {
      for_each_operation(*e.work, [&](const Expression& changed, const Node& was, char op) {
        if (value_at(changed, {}) == expected) operation_types(types, was.op, op, false);
      });
      for_each_leaf(*e.work, [&](std::size_t leaf) {
        const auto with = [&](const Quantity& quantity) {
          Expression changed = *e.work;
          changed.nodes[leaf].number = quantity.value;
          return value_at(changed, {}) == expected;
        };
        leaf_types(types, reading.leaves[leaf], reached, with);
      });
    }
    return types;
  }

  void operation_types(Types& types, char was, char needed, bool of_two_results_at_the_end) const {
    const std::string change = std::string("has ") + was + " where " + needed + " is needed";
    if (!is_additive(was) || !is_additive(needed)) {
      types.emplace("formula_rule_error", change);
    } else if (reference_.unknown) {
      types.emplace("symbolic_manipulation_error", change);
    } else if (of_two_results_at_the_end) {
      types.emplace("conceptual_misunderstanding",
                    "finds the " + std::string(was == '+' ? "sum" : "difference") + ", and asked for is the other");
    } else {
      types.emplace("formula_rule_error", change);
    }
  }

  template <class With>
  void leaf_types(Types& types, const Quantity& was, const std::set<std::size_t>& reached, const With& with) const {
    for (std::size_t t = 0; t < reference_.targets.size(); ++t) {
      const Target& target = reference_.targets[t];
      const Quantity& needed = target.quantity;
      if (needed.formula == was.formula || !with(needed)) continue;
      const std::string change = "takes " + text_of(was.value) + " where " + text_of(needed.value) + " is needed";
      const bool part = std::find(target.operands.begin(), target.operands.end(), was.formula) != target.operands.end();
      if (!reached.contains(t) && part) types.emplace("procedural_error", change + ", a step that was left out");
      if (reached.contains(t) && !reference_.unknown) types.emplace("contextual_oversight", change);
    }
    if (reference_.unknown) return;  // another number in an equation: no rule tells why
    for (const Quantity& needed : reference_.givens) {
      if (needed.formula != was.formula && with(needed)) {
        types.emplace("contextual_oversight",
                      "takes " + text_of(was.value) + " where the problem's " + text_of(needed.value) + " is needed");
      }
    }
  }

  static Finding one_of(const Types& types, std::size_t step, const std::string& where) {
    if (types.empty()) return undetermined(where + " is not needed, and no single change makes it so");
    if (types.size() == 1) {
      return verdicts::error_of_type(types.begin()->first, step, where + " " + types.begin()->second);
    }
    std::string reasons;
    std::set<std::string> categories;
    for (const auto& [type, reason] : types) {
      reasons += (reasons.empty() ? "" : ", or ") + reason;
      categories.insert(*verdicts::category_of(type));
    }
    if (categories.size() > 1) return undetermined(where + " " + reasons);
    return {.status = Status::error,
            .first_error_step = step,
            .category = *categories.begin(),
            .type = {},
            .explanation = where + " " + reasons};
  }

  /// Every equation is in order, but the answer is not.
  [[nodiscard]] Finding wrong_end() const {
    const Equation& e = equations_.back();
    const auto found = e.written();
    if (!found) return undetermined("the last equation has no result");
    const std::size_t step = last_words_ == n_steps_ ? n_steps_ : e.step;
    if (*found != *answer_) {
      const bool known =
          std::any_of(known_.begin(), known_.end(), [&](const Quantity& q) { return q.value == *answer_; });
      if (known) return undetermined("the answer " + text_of(*answer_) + " is another quantity than the last result");
      return verdicts::error_of_type("logical_reasoning_error", step,
                                     "the steps lead to " + text_of(*found) + ", the answer is " + text_of(*answer_));
    }
    if (reference_.unknown && *answer_ != reference_.answer) {
      return verdicts::error_of_type("procedural_error", e.step, "the solution ends before the unknown is found");
    }
    return undetermined("the solution ends before what is asked for is found, or finds something else");
  }

  /// `use(changed expression, the operation as it was, the other sign)` for every other sign of every operation, in
  /// both orders where the order does not count.
  template <class Use>
  static void for_each_operation(const Expression& expression, const Use& use) {
    for (std::size_t i = 0; i < expression.nodes.size(); ++i) {
      const Node& was = expression.nodes[i];
      if (was.op == 0) continue;
      for (const char op : {'+', '-', '*', '/'}) {
        if (op == was.op) continue;
        Expression changed = expression;
        changed.nodes[i].op = op;
        use(changed, was, op);
        if (was.op != '+' && was.op != '*') continue;
        std::swap(changed.nodes[i].left, changed.nodes[i].right);  // 4 + 52 stands for 52 - 4 too
        use(changed, was, op);
      }
    }
  }
  template <class Use>
  static void for_each_leaf(const Expression& expression, const Use& use) {
    for (std::size_t i = 0; i < expression.nodes.size(); ++i) {
      if (expression.nodes[i].op == 0) use(i);
    }
  }

  const Reference& reference_;
  std::size_t n_steps_;
  std::vector<Quantity> known_;
  std::vector<Equation> equations_;
  std::set<std::size_t> unclear_;  ///< steps
  std::size_t last_words_ = 0;     ///< last step without any equation
  std::optional<Rational> answer_;
};

}  // namespace

Finding judge(const Reference& reference, const std::vector<std::string>& steps,
              const std::optional<std::string>& extracted) {
  return Solution(reference, steps, extracted).finding();
}

}  // namespace lowbit::judge
