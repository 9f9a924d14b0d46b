#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "component/tinymath/support.h"
#include "tinymath/drill.h"
#include "tinymath/families.h"

using namespace lowbit;
using tinymath::Split;

namespace {

/// A multiple of an unknown plus a number: both sides of "x + 5 = 40 / 4" are of this form.
struct Side {
  int factor = 0, term = 0;
};

/// Reads "3 x + 4", "x", "7", "496 - 358", "132 / 6", "2 * 9": one unknown or one operation.
Side read_side(const std::string& text) {
  static const std::regex unknown("(?:(\\d+) )?[xyz](?: ([+-]) (\\d+))?");
  static const std::regex operation("(\\d+) ([-+*/]) (\\d+)");
  std::smatch m;
  if (std::regex_match(text, m, unknown)) {
    const int term = m[3].matched ? std::stoi(m[3]) : 0;
    return {m[1].matched ? std::stoi(m[1]) : 1, m[2] == "-" ? -term : term};
  }
  if (std::regex_match(text, m, operation)) {
    const int a = std::stoi(m[1]);
    const int b = std::stoi(m[3]);
    if (m[2] == "+") return {0, a + b};
    if (m[2] == "-") return {0, a - b};
    if (m[2] == "*") return {0, a * b};
    REQUIRE(b != 0);
    REQUIRE(a % b == 0);
    return {0, a / b};
  }
  INFO(text);
  static const std::regex digits("\\d+");
  REQUIRE(std::regex_match(text, digits));
  return {0, std::stoi(text)};
}

std::vector<std::string> split_at(const std::string& text, const std::string& mark) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + mark.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::vector<int> numbers_in(const std::string& text) {
  std::vector<int> numbers;
  static const std::regex number("\\d+");
  for (std::sregex_iterator it(text.begin(), text.end(), number), end; it != end; ++it) {
    numbers.push_back(std::stoi(it->str()));
  }
  return numbers;
}

}  // namespace

TEST_CASE("the first problems of a seed are these, on every machine", "[tinymath]") {
  // A golden text: models and stored results depend on it. It changes only together with the stage's version.
  const auto first = test::problems({.split = Split::train, .seed = 1}, 3);
  std::string text;
  for (const auto& problem : first) {
    text += problem.family + ": " + problem.text + "\n" + test::solution(problem, answers::Format::plain) + "\n";
  }
  CHECK(text ==
        "wages: ivan earns 15 dollars each hour and works 7 hours each day for 6 days . then he spends 133 dollars . "
        "how many dollars does ivan have left ?\n"
        "15 * 7 = 105\n"
        "105 * 6 = 630\n"
        "630 - 133 = 497\n"
        "answer 497\n"
        "shelves: there are 6 shelves with 68 cards each . 22 cards are added and 55 cards are removed . how many "
        "cards are there now ?\n"
        "6 * 68 = 408\n"
        "408 + 22 = 430\n"
        "430 - 55 = 375\n"
        "answer 375\n"
        "week: a farm sells 143 marbles on monday , 55 more marbles on tuesday than on monday , and 73 more marbles on "
        "friday than on tuesday . how many marbles in all ?\n"
        "143 + 55 = 198\n"
        "198 + 73 = 271\n"
        "143 + 198 = 341\n"
        "341 + 271 = 612\n"
        "answer 612\n");
  CHECK(test::solution(first[0], answers::Format::tagged) ==
        "<|step_start|>15 * 7 = 105<|step_end|><|step_start|>105 * 6 = 630<|step_end|>"
        "<|step_start|>630 - 133 = 497<|step_end|><|answer_start|>497<|answer_end|>");
}

TEST_CASE("the equation of every step is true when computed from its text", "[tinymath]") {
  for (const auto& problem : test::problems({.split = Split::train, .seed = 2}, 8000)) {
    for (const std::string& step : test::step_texts(problem)) {
      // "a op b = c", or "unknown = a op b = c"
      const auto sides = split_at(step, " = ");
      const bool two_or_three = sides.size() == 2 || sides.size() == 3;
      if (two_or_three && read_side(sides[sides.size() - 2]).term == read_side(sides.back()).term) continue;
      FAIL_CHECK(problem.text << "\n" << step);
    }
  }
}

TEST_CASE("the last result answers the problem when the problem is an equation", "[tinymath]") {
  // Put into both sides of the equation as it stands in the text; the steps are not looked at.
  int n_equations = 0;
  for (const auto& problem : test::problems({.split = Split::train, .seed = 3}, 20000)) {
    if (problem.text.find('=') == std::string::npos) continue;
    ++n_equations;
    INFO(problem.text);
    const std::string equation = problem.text.substr(problem.text.find_first_of("0123456789"));
    const auto sides = split_at(equation, " = ");
    REQUIRE(sides.size() == 2);
    const auto value = [&](const std::string& side) {
      const std::size_t bracket = side.find(" ( ");
      if (bracket == side.npos) {
        const Side s = read_side(side);
        return s.factor * problem.answer() + s.term;
      }
      const Side s = read_side(side.substr(bracket + 3, side.find(" )") - bracket - 3));
      return std::stoi(side) * (s.factor * problem.answer() + s.term);
    };
    CHECK(value(sides[0]) == value(sides[1]));
  }
  CHECK(n_equations > 4000);
}

TEST_CASE("the number of a riddle gives its result when the riddle is followed", "[tinymath]") {
  int n_riddles = 0;
  const std::regex form(
      "i think of a number . i multiply it by (\\d+) , (add|subtract) (\\d+) and (add|subtract) "
      "(\\d+) . the result is (\\d+) . what is the number \\?");
  for (const auto& problem : test::problems({.split = Split::test, .seed = 3}, 5000)) {
    if (problem.family != "riddle") continue;
    ++n_riddles;
    std::smatch m;
    REQUIRE(std::regex_match(problem.text, m, form));
    const auto change = [&](std::size_t verb, std::size_t number) {
      return (m[verb] == "add" ? 1 : -1) * std::stoi(m[number]);
    };
    CHECK(problem.answer() * std::stoi(m[1]) + change(2, 3) + change(4, 5) == std::stoi(m[6]));
  }
  CHECK(n_riddles > 200);
}

TEST_CASE("numbers stay in 0 to 999, and one factor or divisor has one digit", "[tinymath]") {
  for (const auto& problem : test::problems({.split = Split::train, .seed = 4}, 20000)) {
    INFO(problem.text);
    for (const int number : numbers_in(problem.text + "\n" + test::solution(problem, answers::Format::plain))) {
      CHECK(number <= 999);
    }
    for (const auto& step : problem.steps) {
      if (step.op == tinymath::Op::multiply) CHECK(std::min(step.left.value, step.right.value) <= 9);
      if (step.op == tinymath::Op::divide) CHECK(step.right.value <= 9);
    }
  }
}

TEST_CASE("every operand stands in the problem or is the result its step names", "[tinymath]") {
  for (const auto& problem : test::problems({.split = Split::train, .seed = 5}, 20000)) {
    INFO(problem.text);
    const auto given = numbers_in(problem.text);
    std::set<int> used;
    for (std::size_t i = 0; i < problem.steps.size(); ++i) {
      for (const auto* number : {&problem.steps[i].left, &problem.steps[i].right}) {
        if (number->from == tinymath::Number::kGiven) {
          CHECK(std::find(given.begin(), given.end(), number->value) != given.end());
        } else {
          REQUIRE(number->from < static_cast<int>(i));
          CHECK(number->value == problem.steps[static_cast<std::size_t>(number->from)].result);
          used.insert(number->from);
        }
      }
      if (const auto& coefficient = problem.steps[i].coefficient; coefficient && coefficient->from >= 0) {
        CHECK(coefficient->value == problem.steps[static_cast<std::size_t>(coefficient->from)].result);
        used.insert(coefficient->from);
      }
    }
    CHECK(used.size() == problem.steps.size() - 1);  // no step is idle
  }
}

TEST_CASE("a changed step changes what follows from it and nothing else", "[tinymath]") {
  // boxes: 3 * 7 = 21, 12 + 21 = 33
  using tinymath::Op;
  std::vector<tinymath::Step> steps{
      {.coefficient = {}, .unknown = {}, .left = {3}, .op = Op::multiply, .right = {7}, .result = 21},
      {.coefficient = {}, .unknown = {}, .left = {12}, .op = Op::add, .right = {21, 0}, .result = 33}};
  steps[0].result = 24;
  REQUIRE(tinymath::recompute_after(steps, 0));
  CHECK(steps[0].text() == "3 * 7 = 24");
  CHECK(steps[1].text() == "12 + 24 = 36");

  // 5 x + 4 = 2 x + 52: the coefficient of the second step is the first one's result.
  std::vector<tinymath::Step> equation{
      {.coefficient = {}, .unknown = {}, .left = {5}, .op = Op::subtract, .right = {2}, .result = 3},
      {.coefficient = {{3, 0}}, .unknown = "x = ", .left = {52}, .op = Op::subtract, .right = {4}, .result = 48},
      {.coefficient = {}, .unknown = "x = ", .left = {48, 1}, .op = Op::divide, .right = {3, 0}, .result = 16}};
  equation[0].result = 4;
  REQUIRE(tinymath::recompute_after(equation, 0));
  CHECK(equation[1].text() == "4 x = 52 - 4 = 48");
  CHECK(equation[2].text() == "x = 48 / 4 = 12");
  equation[0].result = 5;
  CHECK_FALSE(tinymath::recompute_after(equation, 0));  // 48 / 5
  equation[0].result = 0;
  CHECK_FALSE(tinymath::recompute_after(equation, 0));  // 48 / 0
}

TEST_CASE("splits have no problem in common, whatever the seeds", "[tinymath]") {
  std::map<std::string, Split> home;
  for (int split = 0; split < 5; ++split) {
    for (const std::uint64_t seed : {0U, 1U, 2U}) {
      for (const auto& problem : test::problems({.split = static_cast<Split>(split), .seed = seed}, 1000)) {
        CHECK(tinymath::split_of(problem.text) == static_cast<Split>(split));
        CHECK(home.emplace(problem.text, static_cast<Split>(split)).first->second == static_cast<Split>(split));
      }
    }
  }
  CHECK(home.size() > 13000);
}

TEST_CASE("the split of a text never changes", "[tinymath]") {
  // Behind each text the first eight bytes of its SHA-256 as a big-endian number modulo 100, by another program.
  CHECK(tinymath::split_of("solve 3 x + 2 = 302") == Split::train);       // 77
  CHECK(tinymath::split_of("solve 3 x + 34 = 302") == Split::alignment);  // 81
  CHECK(tinymath::split_of("solve 3 x + 11 = 302") == Split::pool);       // 86
  CHECK(tinymath::split_of("solve 3 x + 8 = 302") == Split::dev);         // 93
  CHECK(tinymath::split_of("solve 3 x + 12 = 302") == Split::test);       // 97
  CHECK(tinymath::problem_id("solve 3 x + 2 = 302") == "tm-335149d4c7fea1a1");
}

TEST_CASE("a split holds each text once, and another seed draws others", "[tinymath]") {
  std::set<std::string> texts;
  std::set<std::string> ids;
  for (const auto& problem : test::problems({.split = Split::dev, .seed = 6}, 2000)) {
    texts.insert(problem.text);
    ids.insert(tinymath::problem_id(problem.text));
  }
  CHECK(texts.size() == 2000);
  CHECK(ids.size() == 2000);
  std::size_t n_shared = 0;
  for (const auto& problem : test::problems({.split = Split::dev, .seed = 7}, 2000))
    n_shared += texts.count(problem.text);
  CHECK(n_shared < 200);
}

TEST_CASE("families and numbers of steps come in the shares that the models were tried with", "[tinymath]") {
  std::map<std::string, int> of_family;
  std::map<std::size_t, int> of_steps;
  constexpr int kProblems = 20000;
  for (const auto& problem : test::problems({.split = Split::train, .seed = 8}, kProblems)) {
    ++of_family[problem.family];
    ++of_steps[problem.steps.size()];
  }
  CHECK(of_family.size() == tinymath::kFamilies.size());
  for (const auto& [family, n] : of_family) {
    INFO(family << " " << n);
    CHECK(n > 0.03 * kProblems);
    CHECK(n < 0.12 * kProblems);
  }
  // 35 / 53 / 12 %; three standard errors of a share near one half are 1.1 points.
  CHECK(of_steps[2] / double{kProblems} == Approx(0.35).margin(0.03));
  CHECK(of_steps[3] / double{kProblems} == Approx(0.53).margin(0.03));
  CHECK(of_steps[2] + of_steps[3] + of_steps[4] == kProblems);
}

TEST_CASE("only problems with the wanted number of steps are drawn, and none for ever", "[tinymath]") {
  for (const auto& problem : test::problems({.split = Split::test, .seed = 9, .min_steps = 4, .max_steps = 4}, 200)) {
    CHECK(problem.steps.size() == 4);
  }
  tinymath::Generator none({.split = Split::test, .seed = 9, .min_steps = 5, .max_steps = 5});
  CHECK_FALSE(none.next());
}

TEST_CASE("drills are true, in range and in the shares they promise", "[tinymath]") {
  tinymath::Draw draw(10);
  std::map<tinymath::Op, int> of_op;
  constexpr int kDrills = 30000;
  for (int i = 0; i < kDrills; ++i) {
    const auto drill = tinymath::draw_drill(draw);
    ++of_op[drill.op];
    const std::string text = tinymath::left_side(drill.left, drill.op, drill.right) + std::to_string(drill.result);
    const auto in_range = [](int number) { return number >= 0 && number <= 999; };
    if (read_side(split_at(text, " = ")[0]).term == drill.result && in_range(drill.left) && in_range(drill.right) &&
        in_range(drill.result)) {
      continue;
    }
    FAIL_CHECK(text);
  }
  // Three standard errors of a share of a third are 0.8 points.
  CHECK(of_op[tinymath::Op::add] / double{kDrills} == Approx(1 / 3.0).margin(0.01));
  CHECK(of_op[tinymath::Op::subtract] / double{kDrills} == Approx(1 / 3.0).margin(0.01));
  CHECK(of_op[tinymath::Op::multiply] / double{kDrills} == Approx(1 / 6.0).margin(0.01));
}

TEST_CASE("draws are uniform, and two picks differ", "[tinymath]") {
  tinymath::Draw draw(11);
  std::array<int, 7> counts{};
  constexpr int kDraws = 70000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(static_cast<std::size_t>(draw.between(-3, 3) + 3));
  for (const int count : counts) CHECK(std::abs(count - kDraws / 7) < 4 * 93);  // standard error sqrt(70000/7*6/7) = 93
  constexpr std::array<int, 3> kList{1, 2, 3};
  std::map<std::pair<int, int>, int> pairs;
  for (int i = 0; i < 6000; ++i) ++pairs[draw.pick_two(kList)];
  CHECK(pairs.size() == 6);
  for (const auto& [pair, count] : pairs) {
    CHECK(pair.first != pair.second);
    CHECK(std::abs(count - 1000) < 4 * 29);
  }
}
