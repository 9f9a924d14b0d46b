#include "tinymath/injection.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>
#include <set>

#include "component/tinymath/support.h"
#include "support/stage_fixture.h"
#include "tinymath/families.h"
#include "tinymath/wording.h"

using namespace lowbit;
using tinymath::Corruption;
using tinymath::Op;
using tinymath::Operator;
using tinymath::Step;

namespace {

/// By the text alone: whether "52 - 4 = 48" at the end of a step is true.
bool holds(const std::string& step) {
  std::smatch m;
  INFO(step);
  REQUIRE(std::regex_search(step, m, std::regex("(\\d+) ([-+*/]) (\\d+) = (\\d+)$")));
  const int a = std::stoi(m[1]);
  const int b = std::stoi(m[3]);
  const int r = std::stoi(m[4]);
  if (m[2] == "+") return a + b == r;
  if (m[2] == "-") return a - b == r;
  if (m[2] == "*") return a * b == r;
  return b != 0 && a == b * r;
}

std::vector<int> numbers_in(const std::string& text) {
  std::vector<int> numbers;
  const std::regex number("\\d+");
  for (std::sregex_iterator it(text.begin(), text.end(), number), end; it != end; ++it) {
    numbers.push_back(std::stoi(it->str()));
  }
  return numbers;
}

/// In lower case, without signs.
std::set<std::string> runs_of_five_words(const std::string& text) {
  std::vector<std::string> words;
  const std::regex word("[A-Za-z0-9]+");
  for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it) {
    words.push_back(it->str());
    for (char& c : words.back()) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  std::set<std::string> runs;
  for (std::size_t i = 0; i + 5 <= words.size(); ++i) {
    std::string run;
    for (std::size_t j = i; j < i + 5; ++j) run += words[j] + " ";
    runs.insert(run);
  }
  return runs;
}

bool is_equation(const tinymath::Problem& p) { return !p.steps.back().unknown.empty(); }

const std::vector<tinymath::Problem>& some_problems() {
  static const auto problems = test::problems({.split = tinymath::Split::test, .seed = 5}, 500);
  return problems;
}

template <class Check>
void for_each_corruption(Operator by, const Check& check) {
  std::size_t n = 0;
  for (const auto& problem : some_problems()) {
    for (const Corruption& c : corruptions(problem, by)) {
      INFO(problem.text);
      check(problem, c);
      ++n;
    }
  }
  REQUIRE(n > 60);
}

}  // namespace

TEST_CASE("up to the named step a corrupted trace is the reference, and there it is not", "[injection]") {
  const auto by = static_cast<Operator>(GENERATE(range(0, static_cast<int>(tinymath::kOperators))));
  for_each_corruption(by, [&](const auto& problem, const Corruption& c) {
    const auto reference = test::step_texts(problem);
    REQUIRE(c.by == by);
    REQUIRE(c.step <= c.steps.size());
    for (std::size_t i = 0; i < c.step; ++i) REQUIRE(c.steps[i].text() == reference.at(i));
    if (c.step < c.steps.size() && c.step < reference.size()) REQUIRE(c.steps[c.step].text() != reference[c.step]);
    // After it, and in all operators but a wrong value also there, every line is true in itself.
    for (std::size_t i = c.step; i < c.steps.size(); ++i) {
      REQUIRE(holds(c.steps[i].text()) == (by != Operator::wrong_value || i != c.step));
    }
    const bool only_a_letter = c.steps.back().unknown != problem.steps.back().unknown;
    REQUIRE((c.answer() == problem.answer()) == only_a_letter);
  });
}

TEST_CASE("what follows a corrupted step uses its result", "[injection]") {
  for_each_corruption(Operator::wrong_value, [](const auto& problem, const Corruption& c) {
    for (std::size_t i = c.step + 1; i < c.steps.size(); ++i) {
      for (const auto& number : {c.steps[i].left, c.steps[i].right}) {
        if (number.from >= 0) REQUIRE(number.value == c.steps[static_cast<std::size_t>(number.from)].result);
      }
    }
    REQUIRE(c.steps.size() == problem.steps.size());
  });
}

TEST_CASE("each operator does what its label says and nothing else", "[injection]") {
  SECTION("a wrong value keeps what is computed") {
    for_each_corruption(Operator::wrong_value, [](const auto& problem, const Corruption& c) {
      const Step& was = problem.steps[c.step];
      const Step& is = c.steps[c.step];
      REQUIRE((is.op == was.op && is.left.value == was.left.value && is.right.value == was.right.value));
      // No other operation on these numbers gives it.
      for (const Op op : {Op::add, Op::subtract, Op::multiply, Op::divide}) {
        REQUIRE(tinymath::apply(is.left.value, op, is.right.value) != is.result);
      }
    });
  }
  SECTION("a sign or a letter changes in equations only") {
    std::size_t signs = 0;
    std::size_t letters = 0;
    for_each_corruption(Operator::sign_or_letter, [&](const auto& problem, const Corruption& c) {
      const Step& was = problem.steps[c.step];
      const Step& is = c.steps[c.step];
      REQUIRE(is_equation(problem));
      const bool sign = is.op != was.op;
      const bool letter = is.unknown != was.unknown;
      REQUIRE(sign != letter);
      if (sign) REQUIRE((was.op == Op::add || was.op == Op::subtract));
      if (sign) REQUIRE((is.op == Op::add || is.op == Op::subtract));
      signs += sign ? 1U : 0U;
      letters += letter ? 1U : 0U;
    });
    CHECK(signs > 50);
    CHECK(letters > 50);
  }
  SECTION("a wrong operator replaces a product or quotient of a word problem") {
    for_each_corruption(Operator::wrong_operator, [](const auto& problem, const Corruption& c) {
      const Step& was = problem.steps[c.step];
      const Step& is = c.steps[c.step];
      REQUIRE(!is_equation(problem));
      REQUIRE((was.op == Op::multiply || was.op == Op::divide));
      REQUIRE((is.op != was.op && is.left.value == was.left.value && is.right.value == was.right.value));
    });
  }
  SECTION("a skipped step leaves the others, and no number of a word problem unused") {
    for_each_corruption(Operator::skipped_step, [](const auto& problem, const Corruption& c) {
      REQUIRE(c.steps.size() + 1 == problem.steps.size());
      for (std::size_t i = c.step; i < c.steps.size(); ++i) REQUIRE(c.steps[i].op == problem.steps[i + 1].op);
      if (is_equation(problem)) return;
      std::set<int> used;
      for (const Step& step : c.steps) {
        for (const auto& number : {step.left, step.right}) used.insert(number.value);
      }
      for (const int number : numbers_in(problem.text)) REQUIRE(used.count(number) == 1);
    });
  }
  SECTION("a wrong quantity is a number of the problem that an earlier step used") {
    for_each_corruption(Operator::wrong_quantity, [](const auto& problem, const Corruption& c) {
      const Step& was = problem.steps[c.step];
      const Step& is = c.steps[c.step];
      REQUIRE(!is_equation(problem));
      REQUIRE(is.op == was.op);
      REQUIRE((is.left.value == was.left.value) != (is.right.value == was.right.value));
      const int in = is.left.value != was.left.value ? is.left.value : is.right.value;
      const auto numbers = numbers_in(problem.text);
      REQUIRE(std::count(numbers.begin(), numbers.end(), in) > 0);
      bool before = false;
      for (std::size_t i = 0; i < c.step; ++i) {
        before = before || c.steps[i].left.value == in || c.steps[i].right.value == in;
      }
      REQUIRE(before);
    });
  }
  SECTION("a wrong unknown is a sum or difference of right quantities") {
    for_each_corruption(Operator::wrong_unknown, [](const auto& problem, const Corruption& c) {
      std::set<int> right;
      for (const int n : numbers_in(problem.text)) right.insert(n);
      for (const Step& step : problem.steps) right.insert(step.result);
      REQUIRE(right.count(c.steps[c.step].left.value) == 1);
      REQUIRE(right.count(c.steps[c.step].right.value) == 1);
    });
  }
  SECTION("a non sequitur leaves all steps as they are") {
    for_each_corruption(Operator::non_sequitur, [](const auto& problem, const Corruption& c) {
      REQUIRE(c.step == c.steps.size());
      REQUIRE(c.steps.size() == problem.steps.size());
      REQUIRE(c.conclusion);
    });
  }
}

TEST_CASE("no two operators write the same solution", "[injection]") {
  for (const auto& problem : some_problems()) {
    std::map<std::string, Operator> seen;
    for (std::size_t i = 0; i < tinymath::kOperators; ++i) {
      for (const Corruption& c : corruptions(problem, static_cast<Operator>(i))) {
        std::string text;
        for (const Step& step : c.steps) text += step.text() + "\n";
        text += std::to_string(c.answer());
        INFO(problem.text << "\n" << text);
        REQUIRE(seen.emplace(text, c.by).first->second == c.by);
      }
    }
  }
}

TEST_CASE("a problem in other words has the same numbers, and no five words in a row as before", "[injection]") {
  tinymath::Draw draw(1);
  std::set<std::string> families;
  for (const auto& problem : some_problems()) {
    const auto text = reworded(problem.text, draw);
    INFO(problem.text);
    REQUIRE(text);
    INFO(*text);
    auto before = numbers_in(problem.text);
    auto after = numbers_in(*text);
    std::sort(before.begin(), before.end());
    std::sort(after.begin(), after.end());
    REQUIRE(before == after);
    REQUIRE(text->find('$') == text->npos);
    if (!is_equation(problem)) {
      const auto original = runs_of_five_words(problem.text);
      for (const auto& run : runs_of_five_words(*text)) REQUIRE(original.count(run) == 0);
    }
    families.insert(problem.family);
  }
  CHECK(families.size() == tinymath::kFamilies.size());
  CHECK_FALSE(reworded("a sentence that no family writes .", draw));
}

TEST_CASE("steps are worded in four manners, each with a conclusion", "[injection]") {
  const Step bought{
      .coefficient = {}, .unknown = {}, .left = {.value = 3}, .op = Op::multiply, .right = {.value = 7}, .result = 21};
  const Step moved{.coefficient = tinymath::Number{.value = 3},
                   .unknown = "x = ",
                   .left = {.value = 52},
                   .op = Op::subtract,
                   .right = {.value = 4},
                   .result = 48};
  using Texts = std::vector<std::string>;
  CHECK(tinymath::worded_solution({bought, moved}, 48, 1) == Texts{"To begin, 3 times 7 is 21.",
                                                                   "Then 3 x equals 52 minus 4, which is 48.",
                                                                   "We end at 48; therefore the answer is 48."});
  CHECK(tinymath::worded_solution({moved}, 40, 3) ==
        Texts{"Subtracting 4 from 52 gives 3 x = 48.", "As 48 came out in the end, the question is answered by 40."});
  CHECK(tinymath::worded_solution({moved}, 48, 0)[0] == "First, 3 x = 52 - 4 = 48.");
  CHECK(tinymath::worded_solution({moved}, 48, 2)[0] == "We have 3 x = 52 - 4 = 48 to start with.");
}

TEST_CASE("the stage writes n cases of each type and the controls, and the truth fits the predictions", "[injection]") {
  const auto format = GENERATE(std::string("plain"), std::string("tagged"));
  test::StageFixture stage("lowbit.injected-errors");
  stage.host.params = {{"n", 5}, {"controls", 4}, {"response_format", format}};
  REQUIRE(stage.run() == LB_OK);
  const auto items = stage.lines("task/items.jsonl");
  const auto predictions = stage.lines("predictions/predictions.jsonl");
  const auto truth = stage.lines("truth/verdicts.jsonl");
  REQUIRE(items.size() == 39);
  REQUIRE(predictions.size() == 39);
  REQUIRE(truth.size() == 39);
  std::map<std::string, int> counts;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    CHECK(predictions[i]["item_id"] == truth[i]["item_id"]);
    CHECK(predictions[i]["item_id"] == items[i]["item_id"]);
    CHECK(truth[i]["judge"] == "truth");
    const auto read = answers::read_response(predictions[i]["text"].get<std::string>(), answers::format_named(format));
    CHECK(read.format_kept);
    CHECK(nlohmann::json(read.steps) == predictions[i]["steps"]);
    CHECK(read.answer == predictions[i]["extracted"].get<std::string>());
    CHECK(predictions[i]["correct"] == (predictions[i]["extracted"] == items[i]["answer"]));
    const bool control = truth[i]["status"] == "no_error";
    ++counts[control ? "control" : truth[i]["type"].get<std::string>()];
    if (control) {
      CHECK(predictions[i]["correct"] == true);
    } else {
      CHECK(truth[i]["first_error_step"] <= predictions[i]["steps"].size());
    }
  }
  CHECK(counts.size() == 8);
  for (const auto& [type, n] : counts) CHECK(n == (type == "control" ? 4 : 5));
}

TEST_CASE("the same seed injects the same errors, another one others", "[injection]") {
  const auto text = [](int seed) {
    test::StageFixture stage("lowbit.injected-errors");
    stage.host.params = {{"n", 2}, {"controls", 2}, {"seed", seed}};
    REQUIRE(stage.run() == LB_OK);
    return stage.read("predictions/predictions.jsonl") + stage.read("truth/verdicts.jsonl");
  };
  CHECK(text(3) == text(3));
  CHECK(text(3) != text(4));
}
