#include "tinymath/injection.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace lowbit::tinymath {
namespace {

constexpr std::array<Op, 4> kOps{Op::add, Op::subtract, Op::multiply, Op::divide};

bool is_equation(const Problem& problem) { return !problem.steps.back().unknown.empty(); }
bool is_additive(Op op) { return op == Op::add || op == Op::subtract; }
Op opposite(Op op) { return op == Op::add ? Op::subtract : Op::add; }

/// The problem's own numbers, in order of the text.
std::vector<int> given_numbers(const Problem& problem) {
  std::vector<int> numbers;
  const std::string& text = problem.text;
  for (std::size_t at = text.find_first_of("0123456789"); at != std::string_view::npos;
       at = text.find_first_of("0123456789", at)) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    numbers.push_back(std::stoi(text.substr(at, end - at)));
    at = end;
  }
  return numbers;
}

/// Every number of the problem and of its solution.
std::vector<int> known_numbers(const Problem& problem) {
  std::vector<int> numbers = given_numbers(problem);
  for (const Step& step : problem.steps) numbers.push_back(step.result);
  return numbers;
}

/// Computes step `i` and all after it; nothing when a result is negative or not whole.
std::optional<Corruption> computed(Corruption corruption, std::size_t i) {
  Step& step = corruption.steps[i];
  const auto result = apply(step.left.value, step.op, step.right.value);
  if (!result) return std::nullopt;
  step.result = *result;
  if (!recompute_after(corruption.steps, i)) return std::nullopt;
  return corruption;
}

/// The drafts of one problem by one operator; the last check, against all other operators, is made elsewhere.
class Drafts {
 public:
  explicit Drafts(const Problem& problem) : problem_(problem), known_(known_numbers(problem)) {}

  std::vector<Corruption> by(Operator op) {
    by_ = op;
    switch (op) {
      case Operator::wrong_value: wrong_value(); break;
      case Operator::sign_or_letter: sign_or_letter(); break;
      case Operator::wrong_operator: wrong_operator(); break;
      case Operator::skipped_step: skipped_step(); break;
      case Operator::wrong_quantity: wrong_quantity(); break;
      case Operator::wrong_unknown: wrong_unknown(); break;
      case Operator::non_sequitur: non_sequitur(); break;
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::size_t n_steps() const { return problem_.steps.size(); }
  [[nodiscard]] Corruption changed_at(std::size_t i) const {
    return {.by = by_, .steps = problem_.steps, .step = i, .conclusion = {}};
  }
  [[nodiscard]] bool is_known(int value) const {
    return std::find(known_.begin(), known_.end(), value) != known_.end();
  }

  void keep_if_wrong(std::optional<Corruption> corruption) {
    if (corruption && corruption->answer() != problem_.answer()) found_.push_back(std::move(*corruption));
  }
  /// Whether a changed step happens to give a number that is known anyhow: what went wrong would be open.
  [[nodiscard]] bool meets_another(const Step& step) const {
    const auto result = apply(step.left.value, step.op, step.right.value);
    return result && is_known(*result);
  }
  /// Step `i` gets another operation on the same numbers.
  void with_operation(std::size_t i, Op op) {
    Corruption c = changed_at(i);
    c.steps[i].op = op;
    if (meets_another(c.steps[i])) return;
    keep_if_wrong(computed(std::move(c), i));
  }

  // The value is not what another operation on these numbers gives, nor the same operation with one other number, nor a
  // number that was there already: it can only be a slip of calculation.
  void wrong_value() {
    for (std::size_t i = 0; i < n_steps(); ++i) {
      const Step& step = problem_.steps[i];
      for (const int slip : {-100, -20, -10, -9, -2, -1, 1, 2, 9, 10, 20, 100}) {
        const int value = step.result + slip;
        if (value < 0 || is_known(value) || explained_otherwise(step, value)) continue;
        Corruption c = changed_at(i);
        c.steps[i].result = value;
        if (recompute_after(c.steps, i)) keep_if_wrong(std::move(c));
      }
    }
  }
  [[nodiscard]] bool explained_otherwise(const Step& step, int value) const {
    for (const Op op : kOps) {
      if (apply(step.left.value, op, step.right.value) == value) return true;
      if (apply(step.right.value, op, step.left.value) == value) return true;
    }
    return std::any_of(known_.begin(), known_.end(), [&](int number) {
      return apply(number, step.op, step.right.value) == value || apply(step.left.value, step.op, number) == value;
    });
  }

  // Equations only: where there are no symbols, none are handled wrongly.
  void sign_or_letter() {
    if (!is_equation(problem_)) return;
    for (std::size_t i = 0; i < n_steps(); ++i) {
      if (is_additive(problem_.steps[i].op)) with_operation(i, opposite(problem_.steps[i].op));
    }
    // A letter that changes on the way, in the one family where a wrong sign seldom leaves whole numbers.
    if (problem_.family != "two_sided") return;
    const std::string& last = problem_.steps.back().unknown;
    for (std::size_t i = 0; i < n_steps(); ++i) {
      if (problem_.steps[i].unknown.empty()) continue;
      for (const char letter : {'x', 'y', 'z'}) {
        if (letter == last.front()) continue;
        Corruption c = changed_at(i);
        for (std::size_t j = i; j < n_steps(); ++j) {
          if (!c.steps[j].unknown.empty()) c.steps[j].unknown.front() = letter;
        }
        found_.push_back(std::move(c));
      }
    }
  }

  // Word problems, and products and quotients only: "n of m each", "shared among n", speed and time. Plus for minus
  // could as well be a misread "fewer", and in equations it is a sign.
  void wrong_operator() {
    if (is_equation(problem_)) return;
    for (std::size_t i = 0; i < n_steps(); ++i) {
      if (is_additive(problem_.steps[i].op)) continue;
      for (const Op op : kOps) {
        if (op != problem_.steps[i].op) with_operation(i, op);
      }
    }
  }

  // In a word problem only steps whose given numbers are used elsewhere too: otherwise a number of the problem stays
  // unused, and that would be an oversight. Never the last step: stopping early also answers another question.
  void skipped_step() {
    for (std::size_t i = 0; i + 1 < n_steps(); ++i) {
      const Step& step = problem_.steps[i];
      if (is_equation(problem_)) {
        // What the step would have changed stays as it is. Without an unknown it only collects its coefficients.
        if (!step.unknown.empty()) skip(i, step.left);
      } else if (used_elsewhere(i, step.left) && used_elsewhere(i, step.right)) {
        for (const Number& number : {step.left, step.right}) {
          if (number.from != Number::kGiven) skip(i, number);
        }
      }
    }
  }
  [[nodiscard]] bool used_elsewhere(std::size_t i, const Number& number) const {
    if (number.from != Number::kGiven) return true;
    for (std::size_t j = 0; j < n_steps(); ++j) {
      if (j == i) continue;
      for (const Number& other : {problem_.steps[j].left, problem_.steps[j].right}) {
        if (other.from == Number::kGiven && other.value == number.value) return true;
      }
    }
    return false;
  }
  /// Without step `i`; those after it take `instead` for its result. The next step must be one of them.
  void skip(std::size_t i, const Number& instead) {
    const auto skipped = static_cast<int>(i);
    const Step& next = problem_.steps[i + 1];
    if (next.left.from != skipped && next.right.from != skipped) return;
    Corruption c = changed_at(i);
    c.steps.erase(c.steps.begin() + skipped);
    for (std::size_t j = i; j < c.steps.size(); ++j) {
      const auto redirect = [&](Number& number) {
        if (number.from == skipped) {
          number = instead;
        } else if (number.from > skipped) {
          --number.from;
        }
      };
      if (c.steps[j].coefficient) redirect(*c.steps[j].coefficient);
      redirect(c.steps[j].left);
      redirect(c.steps[j].right);
    }
    if (!meets_another(c.steps[i])) keep_if_wrong(computed(std::move(c), i));
  }

  // The number that comes in has been used before or in this step, so that it is not just another order; the one that
  // goes out stands in the problem.
  void wrong_quantity() {
    if (is_equation(problem_)) return;
    std::set<int> used;
    for (std::size_t i = 0; i < n_steps(); ++i) {
      const Step& step = problem_.steps[i];
      for (const bool left : {true, false}) {
        const Number& out = left ? step.left : step.right;
        const Number& stays = left ? step.right : step.left;
        if (out.from != Number::kGiven) continue;
        for (const int in : used) {
          if (in == out.value || in == stays.value) continue;
          Corruption c = changed_at(i);
          (left ? c.steps[i].left : c.steps[i].right) = Number{.value = in};
          if (meets_another(c.steps[i])) continue;
          keep_if_wrong(computed(std::move(c), i));
        }
      }
      for (const Number& number : {step.left, step.right}) {
        if (number.from == Number::kGiven) used.insert(number.value);
      }
    }
  }

  // Families whose template has several questions: the trace of another one.
  void wrong_unknown() {
    const Step& last = problem_.steps.back();
    const bool of_two_results = last.left.from != Number::kGiven && last.right.from != Number::kGiven;
    const auto result = [&](std::size_t i) {
      return Number{.value = problem_.steps[i].result, .from = static_cast<int>(i)};
    };
    if (problem_.family == "journey" && of_two_results) {
      with_operation(n_steps() - 1, opposite(last.op));  // the whole way for the difference, and the other way round
    } else if (problem_.family == "compare" && n_steps() == 2) {
      continue_with({{result(0), result(1)}});  // both together, when one was asked for
    } else if (problem_.family == "compare" && n_steps() == 3) {
      Corruption c = changed_at(2);  // how many more, when both together were asked for
      c.steps[2].op = Op::subtract;
      std::swap(c.steps[2].left, c.steps[2].right);
      keep_if_wrong(computed(std::move(c), 2));
    } else if (problem_.family == "compare") {
      Corruption c = changed_at(2);  // two of them, when all three were asked for
      c.steps[2] = {.coefficient = {}, .unknown = {}, .left = result(0), .op = Op::add, .right = result(1)};
      c.steps.pop_back();
      keep_if_wrong(computed(std::move(c), 2));
    } else if (problem_.family == "week" && n_steps() == 2) {
      // All days, when one was asked for.
      continue_with({{problem_.steps[0].left, result(0)}, {Number{.value = 0, .from = 2}, result(1)}});
    }
  }
  /// Further sums after the answer.
  void continue_with(const std::vector<std::pair<Number, Number>>& sums) {
    Corruption c = changed_at(n_steps());
    for (const auto& [left, right] : sums) {
      c.steps.push_back({.coefficient = {}, .unknown = {}, .left = left, .op = Op::add, .right = right});
    }
    if (!recompute_after(c.steps, n_steps() - 1)) return;
    keep_if_wrong(std::move(c));
  }

  // The value is no number of the problem or its solution and no single operation on two of them gives it: it follows
  // from nothing.
  void non_sequitur() {
    for (const int off : {-50, -30, -17, -12, -5, -3, 3, 4, 6, 12, 17, 30, 50}) {
      const int value = problem_.answer() + off;
      if (value < 0 || is_known(value) || follows_somehow(value)) continue;
      Corruption c = changed_at(n_steps());
      c.conclusion = value;
      found_.push_back(std::move(c));
    }
  }
  [[nodiscard]] bool follows_somehow(int value) const {
    for (const int a : known_) {
      for (const int b : known_) {
        for (const Op op : kOps) {
          if (apply(a, op, b) == value) return true;
        }
      }
    }
    return false;
  }

  const Problem& problem_;
  const std::vector<int> known_;
  Operator by_{};
  std::vector<Corruption> found_;
};

std::string text_of(const Corruption& corruption) {
  std::string text;
  for (const Step& step : corruption.steps) text += step.text() + "\n";
  return text + std::to_string(corruption.answer());
}

}  // namespace

std::vector<Corruption> corruptions(const Problem& problem, Operator by) {
  std::set<std::string> of_others;
  for (std::size_t i = 0; i < kOperators; ++i) {
    const auto other = static_cast<Operator>(i);
    if (other == by) continue;
    for (const Corruption& c : Drafts(problem).by(other)) of_others.insert(text_of(c));
  }
  auto found = Drafts(problem).by(by);
  found.erase(
      std::remove_if(found.begin(), found.end(), [&](const Corruption& c) { return of_others.contains(text_of(c)); }),
      found.end());
  return found;
}

}  // namespace lowbit::tinymath
