#include "answers/grade.h"

#include <catch2/catch.hpp>
#include <string>

using namespace lowbit::answers;

namespace {

std::string read(std::string_view text) {
  const auto number = read_number(text);
  return number ? std::to_string(number->numerator) + "/" + std::to_string(number->denominator) : "none";
}

}  // namespace

TEST_CASE("integers, decimals and fractions are read exactly", "[answers]") {
  CHECK(read("33") == "33/1");
  CHECK(read("-7") == "-7/1");
  CHECK(read("+7") == "7/1");
  CHECK(read("- 7") == "-7/1");
  CHECK(read(" 033. ") == "33/1");
  CHECK(read("$1,234.50$") == "2469/2");
  CHECK(read("0.1") == "1/10");
  CHECK(read(".5") == "1/2");
  CHECK(read("2.500") == "5/2");
  CHECK(read("6/4") == "3/2");
  CHECK(read("\\frac{6}{4}") == "3/2");
  CHECK(read("-\\frac{1}{3}") == "-1/3");
  CHECK(read("0.5/0.25") == "2/1");
  CHECK(read("-0") == "0/1");
  CHECK(read("0/5") == "0/1");
  CHECK(read("123456789012345678") == "123456789012345678/1");
  CHECK(read("0.000000000000000001") == "1/1000000000000000000");
}

TEST_CASE("what is not one number is none", "[answers]") {
  for (const char* text : {"",
                           " ",
                           ".",
                           "-",
                           "x",
                           "1 2",
                           "1.2.3",
                           "1/0",
                           "1/2/3",
                           "1e5",
                           "12a",
                           "1,23",
                           "1,2345",
                           ",123",
                           "1,",
                           "1..",
                           "--1",
                           "\\frac{1}",
                           "\\frac{1}{",
                           "\\frac{}{}",
                           "\\frac{1}{0}",
                           "/",
                           "1/",
                           "/2",
                           "1234567890123456789",
                           "0.0000000000000000001",
                           "999999999999999999/0.5",
                           "1/-2"}) {
    INFO(text);
    CHECK(read(text) == "none");
  }
}

TEST_CASE("answers are the same as rational numbers, else as texts", "[answers]") {
  CHECK(same_answer("33", "33"));
  CHECK(same_answer("33.0", "33"));
  CHECK(same_answer("1/2", "0.5"));
  CHECK(same_answer("1,000", "1000"));
  CHECK(same_answer(" blue ", "blue"));
  CHECK(same_answer("12345678901234567890", "12345678901234567890"));
  CHECK_FALSE(same_answer("33", "-33"));
  CHECK_FALSE(same_answer("0.333", "1/3"));
  CHECK_FALSE(same_answer("x = 7", "7"));
  CHECK_FALSE(same_answer("", "0"));
  CHECK_FALSE(same_answer("12345678901234567890", "12345678901234567891"));
  CHECK_FALSE(same_answer("1/3", "0.333333333333333333"));  // floating point would say yes
}
