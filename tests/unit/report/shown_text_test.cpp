#include "report/shown_text.h"

#include <catch2/catch.hpp>

#include <limits>

#include "base/utf8.h"
#include "report/number_text.h"

using namespace lowbit;
using namespace lowbit::report;

TEST_CASE("what could steer a terminal stands as what it is", "[report][shown]") {
  CHECK(shown_text("a\x1b[31mred\x1b[0m\r\n\tb\x07", 0) == R"(a\x1b[31mred\x1b[0m\x0d\n\tb\x07)");
  CHECK(shown_text("\xC2\x9B"
                   "31m",
                   0) == R"(\x9b31m)");
  CHECK(shown_text("right \u202Eleft\u202C \u2066isolated\u2069 \u200Bzero\uFEFF\u2028", 0) ==
        R"(right \u202eleft\u202c \u2066isolated\u2069 \u200bzero\ufeff\u2028)");
  CHECK(shown_text("\U000E0041tag", 0) == R"(\ue0041tag)");
  CHECK(shown_text("שלום, 你好, naïve", 0) == "שלום, 你好, naïve");
}

TEST_CASE("bytes that are no text are shown one by one", "[report][shown]") {
  CHECK(shown_text("\xFF\xC3(\xED\xA0\x80\xC2", 0) == R"(\xff\xc3(\xed\xa0\x80\xc2)");
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  const std::string shown = shown_text(every + every, 0);
  CHECK(is_utf8(shown));
  CHECK(printable(shown) == shown);
}

TEST_CASE("a long text is cut between characters, and how much is said", "[report][shown]") {
  CHECK(shown_text("äöü", 3) == "äöü");
  CHECK(shown_text("äöüß", 3) == "äöü… (+1 character)");
  CHECK(shown_text(std::string(2000000, 'x'), 5) == "xxxxx… (+1999995 characters)");
  CHECK(shown_text("\n\n\n\n", 2) == R"(\n\n… (+2 characters))");
  CHECK(shown_text("", 2).empty());
}

TEST_CASE("figures have a true minus sign, and none before a zero", "[report][shown]") {
  CHECK(fixed(-3.456, 1) == "−3.5");
  CHECK(fixed(-0.04, 1) == "0.0");
  CHECK(fixed_signed(0.04, 1) == "0.0");
  CHECK(fixed_signed(12.25, 1) == "+12.2");  // to even, as the double lies in the middle
  CHECK(significant(-1234567.0, 4) == "−1.235e+06");
  CHECK(significant(std::numeric_limits<double>::infinity(), 4) == "inf");
  CHECK(signed_significant(-std::numeric_limits<double>::infinity(), 4) == "−inf");
  CHECK(signed_significant(0, 4) == "0");
  CHECK(signed_significant(0.00012, 4) == "+0.00012");
  CHECK(unrounded(0.1) == "0.1");
  CHECK(unrounded(-1.0 / 3) == "−0.3333333333333333");
}
