#include "answers/equivalent.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "answers/read_latex.h"
#include "answers/tidy.h"

using namespace lowbit::answers;

namespace {

Node read(const std::string& text) {
  INFO(text);
  const auto node = read_latex(tidied(text));
  REQUIRE(node);
  return *node;
}

Verdict verdict(const std::string& gold, const std::string& given, const ComparisonOptions& options = {}) {
  return equivalent(read(gold), read(given), options);
}
bool same(const std::string& gold, const std::string& given, const ComparisonOptions& options = {}) {
  INFO(gold << " and " << given);
  return verdict(gold, given, options) == Verdict::equal;
}

}  // namespace

TEST_CASE("radicals, complex numbers and quotients of polynomials are compared exactly", "[answers]") {
  CHECK(same("3\\sqrt2", "\\sqrt{18}"));
  CHECK(same("\\frac{1}{\\sqrt{6}}", "\\frac{\\sqrt6}{6}"));
  CHECK(same("\\frac{1}{1+\\sqrt2}", "\\sqrt2-1"));
  CHECK(same("(1+i)^2", "2i"));
  CHECK(same("\\sqrt{-9}", "3i"));
  CHECK(same("\\frac{x^2-1}{x-1}", "x+1"));
  CHECK(same("(a+b)^3", "a^3+3a^2b+3ab^2+b^3"));
  CHECK(same("\\frac{1}{3\\sqrt[3]{x}^2}", "\\frac{1}{3x^{2/3}}"));
  CHECK(same("\\sqrt{3+2\\sqrt2}", "1+\\sqrt2"));
  CHECK(same("\\tan^2 y + 1", "\\sec^2 y"));
  CHECK(same("e^{i\\pi}", "-1"));
  CHECK(same("\\sqrt{12.25}", "3.5"));
  CHECK_FALSE(same("4", "4\\sqrt2"));
  CHECK_FALSE(same("\\sqrt2", "1.41421356237", {.decimals = std::nullopt}));
  CHECK_FALSE(same("x^2+1", "x^2-1"));
  CHECK_FALSE(same("\\sqrt{x^2}", "x"));
  CHECK_FALSE(same("\\frac{1}{2^{199}}", "\\frac{1}{2^{198}}"));
  CHECK_FALSE(same("2^{2025}", "3^{2025}"));
  CHECK(same("2^{2025}", "2 \\cdot 2^{2024}"));
}

TEST_CASE("decimals round, fractions do not", "[answers]") {
  CHECK(same("\\frac13", "0.333333"));
  CHECK_FALSE(same("\\frac13", "0.333"));
  CHECK(same("\\frac13", "0.33", {.decimals = 2}));
  CHECK_FALSE(same("\\frac13", "\\frac{333333}{1000000}"));
  CHECK(same("(\\frac{3}{5},\\frac{8}{3}]", "(0.6,2.6667]", {.decimals = 2}));
}

TEST_CASE("sets have no order, tuples have one", "[answers]") {
  CHECK(same("\\{1,2,3\\}", "\\{3,2,1\\}"));
  CHECK(same("1,2", "2,1"));
  CHECK(same("\\{1,1,2\\}", "\\{2,1\\}"));
  CHECK(same("(1,2,3)", "(1,2,3)"));
  CHECK_FALSE(same("(1,2,3)", "(3,2,1)"));
  CHECK_FALSE(same("(3,1)", "{1,3}"));
  CHECK(same("(1,3)", "{1,3}"));
  CHECK_FALSE(same("\\{1,2\\}", "\\{1,2,3\\}"));
  CHECK_FALSE(same("\\{1,2,3\\}", "\\{1,2\\}"));
  CHECK(same("\\{5\\}", "5"));
}

TEST_CASE("intervals have ends that belong to them or not, and unions one form", "[answers]") {
  CHECK_FALSE(same("(1,2)", "[1,2]"));
  CHECK(same("(-\\infty,3)", "(-infinity,3)"));
  CHECK(same("[0,1] \\cup [1,2]", "[0,2]"));
  CHECK(same("[0,1) \\cup \\{1\\}", "[0,1]"));
  CHECK(same("\\mathbb{R} \\setminus \\{0\\}", "(-\\infty,0) \\cup (0,\\infty)"));
  CHECK(same("[0,3] \\cap (1,5)", "(1,3]"));
  CHECK_FALSE(same("[0,1) \\cup (1,2]", "[0,2]"));
  CHECK(same("[1,\\sqrt4]", "[1,2]"));
}

TEST_CASE("the reference sets the form", "[answers]") {
  CHECK(same("5", "x = 5"));
  CHECK(same("x = 5", "5"));
  CHECK_FALSE(same("x = 5", "y = 5"));
  CHECK(same("x = 5", "x = 2 + 3 = 5"));
  CHECK_FALSE(same("2x + z = 1", "1"));
  CHECK(same("-2 \\le x \\le 7", "[-2,7]"));
  CHECK_FALSE(same("[-2,7]", "-2 \\le x \\le 7"));
  CHECK(same("[-2,7]", "-2 \\le x \\le 7", {.relation_for_set = true}));
  CHECK(same("1 \\le |z| \\le 2", "[-2,-1] \\cup [1,2]"));
  CHECK(same("x \\ne 3", "(-\\infty,3) \\cup (3,\\infty)"));
}

TEST_CASE("relations may be turned round and scaled", "[answers]") {
  CHECK(same("x < 1", "-x > -1"));
  CHECK(same("x \\leq 5", "5 \\geq x"));
  CHECK(same("1 < x < 2", "2 > x > 1"));
  CHECK(same("2x+4y-3=0", "y=-\\frac{1}{2}x+\\frac{3}{4}"));
  CHECK_FALSE(same("x < 1", "x > -1"));
  CHECK_FALSE(same("x < 1", "x \\le 1"));
  CHECK_FALSE(same("x > 5", "-x > -5"));
}

TEST_CASE("matrices are compared entry by entry, once computed", "[answers]") {
  const std::string sum = "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}+\\begin{pmatrix}5&6\\\\7&8\\end{pmatrix}";
  CHECK(same("\\begin{bmatrix}6&8\\\\10&12\\end{bmatrix}", sum));
  CHECK(same("\\begin{pmatrix}7&10\\\\15&22\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}^2"));
  CHECK_FALSE(same("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}"));
  CHECK_FALSE(same("\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1&3\\end{pmatrix}"));
}

TEST_CASE("words are compared whatever their case, letters with it", "[answers]") {
  CHECK(same("\\text{odd}", "odd"));
  CHECK(same("\\text{Even}", "\\text{even}"));
  CHECK(same("\\text{E}", "E"));
  CHECK_FALSE(same("d", "D"));
  CHECK_FALSE(same("\\text{odd}", "\\text{even}"));
}

TEST_CASE("what is too large ends soon and is not equal", "[answers]") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(verdict("9^{9^{9}}", "9^{9^{8}}") != Verdict::equal);
  CHECK(verdict("(a+b+c+d+f)^{40}", "(a+b+c+d+f)^{39}(f+d+c+b+a)") == Verdict::too_large);
  CHECK(verdict("10000!", "2 \\cdot 10000!") != Verdict::equal);
  CHECK(verdict("\\sin(10^{300})", "1") == Verdict::too_large);
  CHECK(verdict("x^{99999999}", "x^{99999998}x") == Verdict::too_large);
  std::string nested = "1";
  for (int i = 0; i < 28; ++i) nested.insert(0, "\\{1,").append("\\}");
  std::string other = "2";
  for (int i = 0; i < 28; ++i) other.insert(0, "\\{1,").append("\\}");
  CHECK(verdict(nested, other) != Verdict::equal);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

namespace {

/// Rational numbers in a random one of many spellings.
class Spellings {
 public:
  explicit Spellings(unsigned seed) : random_(seed) {}

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }

  std::string of(std::int64_t top, std::int64_t bottom) {
    const auto text = [](std::int64_t n) { return std::to_string(n); };
    const std::int64_t k = 1 + below(9);
    const std::int64_t shift = below(50);
    switch (below(9)) {
      case 0: return "\\frac{" + text(top) + "}{" + text(bottom) + "}";
      case 1: return "(" + text(top) + ")/" + text(bottom);
      case 2: return "\\dfrac{" + text(top * k) + "}{" + text(bottom * k) + "}";
      case 3: return "x = \\frac{" + text(top) + "}{" + text(bottom) + "}";
      case 4: return "\\frac{" + text(top - shift * bottom) + "}{" + text(bottom) + "} + " + text(shift);
      case 5: return "\\sqrt{" + text(k * k) + "} \\cdot \\frac{" + text(top) + "}{" + text(bottom * k) + "}";
      case 6: return "\\boxed{\\left(\\tfrac{" + text(top) + "}{" + text(bottom) + "}\\right)}";
      case 7: return text(top) + " \\cdot " + text(bottom) + "^{-1}";
      default: return "\\frac{" + text(100 * top) + "}{" + text(bottom) + "}\\%";
    }
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("a rational number is itself in every spelling, and no other one", "[answers]") {
  Spellings spellings(7);
  for (int i = 0; i < 2000; ++i) {
    const std::int64_t top = spellings.below(2001) - 1000;
    const std::int64_t bottom = 1 + spellings.below(400);
    const std::int64_t other = top + 1 + spellings.below(20);
    const std::string a = spellings.of(top, bottom);
    const std::string b = spellings.of(top, bottom);
    const std::string c = spellings.of(other, bottom);
    INFO(a << " | " << b << " | " << c);
    REQUIRE(same(a, a));
    REQUIRE(same(a, b));
    REQUIRE(same(b, a));
    REQUIRE_FALSE(same(a, c));
    REQUIRE_FALSE(same(c, a));
  }
}

TEST_CASE("equality of expressions is reflexive and symmetric", "[answers]") {
  const std::vector<std::string> texts{"1",       "x",         "\\sqrt2",        "x+1",         "\\frac{1}{x}",
                                       "\\sin x", "\\{1,x\\}", "(1,2)",          "[1,2)",       "\\pi/2",
                                       "x<1",     "1>x",       "\\text{Evelyn}", "2i",          "\\infty",
                                       "0.5",     "1/2",       "\\emptyset",     "\\mathbb{R}", "e^x"};
  for (const auto& a : texts) {
    CHECK(same(a, a));
    for (const auto& b : texts) {
      INFO(a << " and " << b);
      CHECK(same(a, b) == same(b, a));
    }
  }
}
