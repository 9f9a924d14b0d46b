// The graders by name. The matrix states which pairs the originals accept, as measured by running them;
// docs/answers.md.
#include "answers/graders.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "answers/boxed.h"
#include "answers/string_graders.h"

using namespace lowbit::answers;

namespace {

struct Row {
  std::string gold, given;
  std::string accepted;  ///< Y or . by hendrycks-math, prm800k, opencompass-v1, opencompass-v2, math-verify
};

bool correct(const std::string& grader, const std::string& response, const std::string& reference) {
  return grader_named(grader)->grade(response, reference).correct;
}
std::string extracted(const std::string& grader, const std::string& response) {
  return grader_named(grader)->grade(response, "1").extracted.value_or("nothing");
}

}  // namespace

TEST_CASE("each grader accepts what its original accepts", "[answers]") {
  const std::vector<Row> rows{
      {"\\frac{11}{2}", "5.5", ".Y..Y"},
      {"\\frac12", "0.5", "YYY.Y"},
      {"0.5", "5E-01", ".Y..Y"},
      {"0.5", "5 \\times 10^{-1}", ".Y..Y"},
      {"6", "2\\cdot 3", "....Y"},
      {"23", "2\\cdot 3", "...Y."},
      {"12", "1 and 2", "...Y."},
      {"23", "2,3", "..YY."},
      {"10", "10\\%", "YYYY."},
      {"0.1", "10\\%", "....Y"},
      {"1000", "1,000", ".YYYY"},
      {"\\frac12", "\\frac24", "....Y"},
      {"(1,2)", "[1,2]", "....."},
      {"\\text{(A)}", "A", ".YYYY"},
      {"3\\sqrt2", "\\sqrt{18}", ".Y..Y"},
      {"x^2+2x+1", "(x+1)^2", ".Y..Y"},
      {"1,2", "2,1", "....Y"},
      {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix}1\\\\2\\end{bmatrix}", ".Y..Y"},
      {"\\frac32", "1\\frac12", ".Y..Y"},
      {"\\frac13", "0.333", "....."},
      {"\\frac13", "0.333333", "....Y"},
      {"(-\\infty,3)", "(-infinity,3)", "...YY"},
      {"1024", "2^{10}", "....Y"},
      {"5", "5.0", ".Y.YY"},
      {"p - q", "-q+p", ".Y..Y"},
      {"2\\sqrt3", "2sqrt{3}", "....Y"},  // Math-Verify rejects this one; see docs/answers.md
      {"x=1,y=2", "(1,2)", "....Y"},
  };
  const std::vector<std::string> names{"hendrycks-math", "prm800k", "opencompass-v1", "opencompass-v2", "math-verify"};
  for (const Row& row : rows) {
    std::string accepted;
    for (const std::string& name : names) accepted += grader_named(name)->same(row.given, row.gold) ? 'Y' : '.';
    INFO(row.gold << " and " << row.given);
    CHECK(accepted == row.accepted);
  }
}

TEST_CASE("each grader seeks the answer where its original does", "[answers]") {
  CHECK(extracted("hendrycks-math", "so \\boxed{1}, no, \\boxed{\\frac{1}{2}} it is") == "\\frac{1}{2}");
  CHECK(extracted("hendrycks-math", "\\fbox{3}") == "3");
  CHECK(extracted("hendrycks-math", "the answer is 3") == "nothing");
  CHECK(extracted("hendrycks-math", "\\boxed{3") == "nothing");
  CHECK(extracted("prm800k", "steps\n\n# Answer\n\n17") == "17");
  CHECK(extracted("lm-eval-minerva", "Final Answer: The final answer is $5$. I hope it is correct.") == "$5$");
  CHECK(extracted("lm-eval-minerva", "The final answer is $5$.") == "nothing");
  CHECK(extracted("opencompass-v2", "The final answer is 3.5") == "3");
  CHECK(extracted("opencompass-v2", "\\boxed{{7}}") == "7");
  CHECK(extracted("opencompass-v2", "boxed{42}") == "42");
  CHECK(extracted("opencompass-v1", "I think. The final answer is 7. Bye") == "7");
  CHECK(extracted("gsm8k-strict", "2 + 2 = 4\n#### 1,234.\n#### 5") == "1,234.");
  CHECK(extracted("gsm8k-strict", "the answer is 4") == "nothing");
  CHECK(extracted("gsm8k-flexible", "16 - 3 is 13, so $26 in all") == "$26");
  CHECK(extracted("gsm8k-flexible", "x") == "nothing");
  CHECK(extracted("math-verify", "The final answer is $\\frac{1}{2}$. I hope it is correct.") == "\\frac{1}{2}");
}

TEST_CASE("whole responses are graded", "[answers]") {
  CHECK(correct("math-verify", "Thus $x \\in [-2,7]$.", "-2 \\le x \\le 7"));
  CHECK_FALSE(correct("math-verify", "Thus $-2 \\le x \\le 7$.", "[-2,7]"));
  CHECK(correct("math-verify", "\\(\\boxed{1}\\) and \\(\\boxed{-2}\\)", "-2, 1"));
  CHECK(correct("math-verify", "Answer: 28 percent", "28\\%"));
  CHECK_FALSE(correct("math-verify", "no idea", "5"));
  CHECK(correct("hendrycks-math", "\\boxed{0.5}", "\\frac{1}{2}"));
  CHECK(correct("prm800k", "\\boxed{7\\frac{3}{4}}", "\\frac{31}{4}"));
  CHECK_FALSE(correct("prm800k", "\\boxed{2/4}", "1/2"));
  CHECK(correct("lm-eval-minerva", "Final Answer: The final answer is $0.5$. I hope it is correct.", "\\frac12"));
  CHECK_FALSE(correct("lm-eval-minerva", "Final Answer: The final answer is $(1,2)$. I hope it is correct.", "(1,2)"));
  CHECK(correct("gsm8k-strict", "#### 1,234.", "#### 1234"));
  CHECK(correct("gsm8k-flexible", "It costs $1,234.", "1234"));
  CHECK_FALSE(correct("gsm8k-flexible", "It costs $1,234 for 2", "1234"));
}

TEST_CASE("what makes the original of hendrycks-math raise is compared as it stands", "[answers]") {
  CHECK(hendrycks_same("1\\text{ a}\\text{ b}", "1\\text{ a}\\text{ b}"));
  CHECK_FALSE(hendrycks_same("1\\text{ a}\\text{ b}", "1"));
  CHECK(hendrycks_same("\\sqrt", "\\sqrt"));
  CHECK_FALSE(hendrycks_same("\\sqrt", " \\sqrt"));
}

TEST_CASE("boxes are found whatever stands in them", "[answers]") {
  CHECK(last_box("\\boxed{\\frac{1}{2}} \\boxed{ {a} }") == "{a}");
  CHECK_FALSE(last_box("\\boxed{1"));
  CHECK_FALSE(last_box("\\boxed 1"));
  CHECK(boxed_answers("\\boxed{1} and \\boxed{2}", Boxes::near) == "1,2");
  CHECK(boxed_answers("\\boxed{1} no no no no no \\boxed{2}", Boxes::near) == "2");
  CHECK(boxed_answers("\\boxed{1} no no no no no \\boxed{2}", Boxes::all) == "1,2");
  CHECK(boxed_answers("\\boxed{4} \\boxed{4}", Boxes::all) == "4");
  CHECK(boxed_answers("none", Boxes::all) == "none");
  CHECK(boxed_answers("\\boxed{a, b", Boxes::near) == "a, b");
}

TEST_CASE("names of graders", "[answers]") {
  CHECK(grader_named("math-verify") != nullptr);
  CHECK(grader_named("lowbit.v1") == nullptr);
  CHECK(grader_named("") == nullptr);
  CHECK(graders().size() == 8);
}

TEST_CASE("no response holds a grader up", "[answers]") {
  const auto repeated = [](const std::string& part) {
    std::string text;
    while (text.size() < 200'000) text += part;
    return text;
  };
  for (const std::string& part :
       {std::string("$"), std::string("$$"), std::string("\\["), std::string("\\( "), std::string("answer "),
        std::string("final answer is "), std::string("\\boxed{"), std::string("{"), std::string("1+"),
        std::string(" [1 "), std::string("1,"), std::string("$1$ and "), std::string("#### "),
        std::string("\\frac{1}{"), std::string("answer = 1 = "), std::string("\\text{ ")}) {
    const std::string response = repeated(part);
    for (const Grader& grader : graders()) {
      const auto begin = std::chrono::steady_clock::now();
      static_cast<void>(grader.grade(response, "1"));
      static_cast<void>(grader.grade("\\boxed{1}", response));
      INFO(grader.name << " with " << part);
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
    }
  }
}
