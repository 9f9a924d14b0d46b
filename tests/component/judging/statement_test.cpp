#include "statement.h"

#include <catch2/catch.hpp>

#include "reading.h"

using namespace lowbit;
using judge::read_line;

namespace {

/// Sides of the only statement, joined by " = ".
std::string read(std::string_view text) {
  const auto line = read_line(text);
  std::string all;
  for (const auto& statement : line.statements) {
    if (!all.empty()) all += "; ";
    std::string sides;
    for (const auto& side : statement.sides) sides += (sides.empty() ? "" : " = ") + side.text();
    all += sides;
  }
  return line.unclear ? all + " ?" : all;
}

/// The formula of a text over the problem's numbers 3, 7 and 12.
std::uint64_t formula(const std::string& text) {
  const auto line = read_line(text + " = 0");
  REQUIRE(line.statements.size() == 1);
  const std::vector<judge::Quantity> known{judge::given({3, 1}), judge::given({7, 1}), judge::given({12, 1})};
  const auto all = judge::readings(line.statements[0].sides[0], known);
  REQUIRE(all.size() == 1);
  return all[0].result.formula;
}

}  // namespace

TEST_CASE("equations are read in signs and in words", "[judge]") {
  CHECK(read("3 * 7 = 21") == "3 * 7 = 21");
  CHECK(read("First, 3*7=21.") == "3 * 7 = 21");
  CHECK(read("3 \xC3\x97 7 = 21 apples") == "3 * 7 = 21");
  CHECK(read("3 x 7 = 21") == "3 * 7 = 21");
  CHECK(read("3 x = 52 - 4 = 48") == "3 * x = 52 - 4 = 48");
  CHECK(read("3(x + 4) = 60") == "3 * ( x + 4 ) = 60");
  CHECK(read("3 x equals 52 minus 4, which is 48") == "3 * x = 52 - 4 = 48");
  CHECK(read("48 divided by 3 is 16") == "48 / 3 = 16");
  CHECK(read("Subtracting 4 from 52 gives 48") == "52 - 4 = 48");
  CHECK(read("Dividing 48 by 3 gives x = 16.") == "48 / 3 = x = 16");
  CHECK(read("1,200 + 0.5 = 1200.5") == "1200 + 1/2 = 2401/2");
  CHECK(read("2. 3 * 7 = 21, and 12 + 21 = 33") == "3 * 7 = 21; 12 + 21 = 33");
  CHECK(read("12 + 3 * 7 = 33") == "12 + ( 3 * 7 ) = 33");
  CHECK(read("-5 + 8 = 3") == "( 0 - 5 ) + 8 = 3");
}

TEST_CASE("what is no equation is none, and what only looks like one is unclear", "[judge]") {
  for (const char* text : {"", "So Tom has 33 apples.", "The answer is 33", "12 + 21", "= = =", "a b c", "\xFF\xFE"}) {
    INFO(text);
    CHECK(read(text).empty());
  }
  CHECK(read("3 + = 7") == " ?");
  CHECK(read("( 3 + 4 = 7") == " ?");
  CHECK(read("3 + 4 ) = 7") == " ?");
}

TEST_CASE("any text is read in time linear in its length", "[judge]") {
  CHECK(read(std::string(200000, '(') + "1 + 1 = 2") == " ?");
  std::string sum = "1";
  for (int i = 0; i < 50000; ++i) sum += " + 1";
  CHECK(read(sum + " = 3") == " ?");
  CHECK(read(std::string(100000, '-') + "1 = 3") == " ?");
  CHECK(read("99999999999999999999999 + 1 = 2") == " ?");  // larger than any number that is read
}

TEST_CASE("formulas are equal as algebra, not as values", "[judge]") {
  CHECK(formula("12 + 3 * 7") == formula("( 7 * 3 ) + 12"));
  CHECK(formula("( 12 + 3 ) * 7") == formula("12 * 7 + 3 * 7"));
  CHECK(formula("12 / 3") == formula("7 * 12 / ( 3 * 7 )"));
  CHECK(formula("3 * 7") != formula("3 + 18"));
  CHECK(formula("12 - 7") != formula("7 - 12"));
  CHECK(formula("3 + 7") != formula("10"));
}

TEST_CASE("numbers are computed exactly or not at all", "[judge]") {
  using judge::Rational;
  CHECK(judge::computed({1, 3}, '+', {1, 6}) == Rational{1, 2});
  CHECK(judge::computed({1, 1}, '/', {-2, 1}) == Rational{-1, 2});
  CHECK_FALSE(judge::computed({1, 1}, '/', {0, 1}));
  CHECK_FALSE(judge::computed({INT64_MAX, 1}, '*', {2, 1}));
  CHECK_FALSE(judge::computed({INT64_MAX, 1}, '+', {1, 1}));
}
