#include "answers/read_latex.h"

#include <catch2/catch.hpp>
#include <string>

#include "answers/equivalent.h"
#include "answers/limits.h"
#include "answers/tidy.h"

using namespace lowbit::answers;

namespace {

/// Whether the two texts mean the same, the first being the reference.
bool means(const std::string& text, const std::string& meaning) {
  const auto a = read_latex(without_units(tidied(text)));
  const auto b = read_latex(meaning);
  INFO(text << " and " << meaning);
  REQUIRE(b);
  return a && equivalent(*a, *b, {.decimals = std::nullopt}) == Verdict::equal;
}

}  // namespace

TEST_CASE("numbers are read exactly in all their spellings", "[answers]") {
  CHECK(means("0.125", "1/8"));
  CHECK(means(".5", "1/2"));
  CHECK(means("5E-01", "1/2"));
  CHECK(means("5 \\times 10^{-1}", "1/2"));
  CHECK(means("1,234,567", "1234567"));
  CHECK(means("12,\\!345", "12345"));
  CHECK(means("14{,}916", "14916"));
  CHECK(means("14 {, }916", "14916"));
  CHECK(means("12\\,000", "12000"));
  CHECK(means("0.\\overline{3}", "1/3"));
  CHECK(means("0.1\\overline{6}", "1/6"));
  CHECK(means("2\\frac{1}{3}", "7/3"));
  CHECK(means("1\\frac12", "3/2"));
  CHECK(means("7 3/4", "31/4"));
  CHECK(means("33.5\\%", "0.335"));
  CHECK(means("\\$15", "15"));
  CHECK(means("½", "1/2"));
  CHECK(means("123456789012345678901234567890", "123456789012345678901234567890"));
  CHECK_FALSE(means("123456789012345678901234567890", "123456789012345678901234567891"));
}

TEST_CASE("units at the end are dropped, words elsewhere are not", "[answers]") {
  CHECK(means("35 cm", "35"));
  CHECK(means("15\\mbox{ cm}^2", "15"));
  CHECK(means("10\\text{ units}", "10"));
  CHECK(means("125\\textnormal{ miles}", "125"));
  CHECK(means("12 square feet", "12"));
  CHECK(means("90^\\circ", "90"));
  CHECK(means("74°", "74"));
  CHECK_FALSE(means("\\text{Evelyn}", "5"));
  CHECK(means("\\text{Evelyn}", "\\text{evelyn}"));
  CHECK(means("\\text{(C)}", "C"));
}

TEST_CASE("fractions, roots and functions in the spellings that people use", "[answers]") {
  CHECK(means("\\frac12", "1/2"));
  CHECK(means("\\frac1{72}", "1/72"));
  CHECK(means("\\dfrac{a}{b}", "a/b"));
  CHECK(means("\\sqrt2", "\\sqrt{2}"));
  CHECK(means("2sqrt{3}", "2\\sqrt3"));
  CHECK(means("\\sqrt[3]{-8}", "-2"));
  CHECK(means("\\sin^2 x + \\cos^2 x", "1"));
  CHECK(means("\\log_2 8", "3"));
  CHECK(means("\\left( \\frac{1}{3} \\right)", "1/3"));
  CHECK(means("2**(1/4)", "\\sqrt{\\sqrt{2}}"));
  CHECK(means("\\binom{5}{2}", "10"));
  CHECK(means("4!", "24"));
  CHECK(means("|-3|", "3"));
  CHECK(means("\\lfloor -2.5 \\rfloor", "-3"));
}

TEST_CASE("several answers are a set, and what follows a name stays with it", "[answers]") {
  CHECK(means("1 \\text{ and } 2", "\\{2, 1\\}"));
  CHECK(means("1 or 2", "1,2"));
  CHECK(means("\\pm 3", "3,-3"));
  CHECK(means("x = 1 \\pm \\sqrt{2}", "1+\\sqrt2, 1-\\sqrt2"));
  CHECK(means("a=4,\\,-8,\\,-10", "-10,-8,4"));
  CHECK(means("(1;2),(3;4)", "(3,4),(1,2)"));
}

TEST_CASE("what is not understood is not read", "[answers]") {
  for (const char* text : {"",
                           " ",
                           "+",
                           "1 +",
                           "(1",
                           "1)",
                           "{",
                           "\\frac{1}",
                           "\\frac",
                           "\\unknown{1}",
                           "\\sqrt",
                           "^2",
                           "x^",
                           "1 = ",
                           "\\begin{pmatrix} 1 & 2 \\\\ 3 \\end{pmatrix}",
                           "[1, 2",
                           "\\{1, 2",
                           "|x",
                           "a_",
                           "\\text{}",
                           "0.\\overline{}",
                           "5E999"}) {
    INFO(text);
    CHECK_FALSE(read_latex(text));
  }
}

TEST_CASE("texts beyond the limits are not read", "[answers]") {
  const auto repeated = [](const std::string& part, std::size_t n) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) text += part;
    return text;
  };
  CHECK_FALSE(read_latex(std::string(kLiteralDigits + 1, '7')));
  CHECK(read_latex(std::string(kLiteralDigits, '7')));
  CHECK_FALSE(read_latex(repeated("(", 2000) + "1" + repeated(")", 2000)));
  CHECK_FALSE(read_latex(repeated("{", 2000) + "1" + repeated("}", 2000)));
  CHECK_FALSE(read_latex(repeated("\\sqrt", 800) + "2"));
  CHECK_FALSE(read_latex(repeated("x^", 1500) + "2"));
  CHECK_FALSE(read_latex(repeated("1+", kNodes + 1) + "1"));
  CHECK_FALSE(read_latex(repeated("\\frac1", 600) + "2"));
  CHECK_FALSE(read_latex(std::string(kAnswerBytes + 1, '1')));
}
