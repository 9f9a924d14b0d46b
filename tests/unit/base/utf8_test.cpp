#include <catch2/catch.hpp>

#include "base/utf8.h"

using namespace lowbit;

TEST_CASE("what is UTF-8 is told by its bytes", "[base]") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("a\xC3\xB6\xF0\x90\x80\x80"));
  for (const char* bad : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "a\xC3", "\x80"}) CHECK_FALSE(is_utf8(bad));
}

TEST_CASE("printable text is one line without control characters of either set", "[base]") {
  CHECK(printable("größe – 1") == "größe – 1");
  CHECK(printable(std::string_view("a\n\t\x1b\x7f\0b", 7)) == "a\\n\\t\\x1b\\x7f\\x00b");
  CHECK(printable("\xC2\x9B"
                  "31m\xC2\xA0x") == "\\x9b31m\xC2\xA0x");
  CHECK(printable("a\u202Ab\u202Ec\u2066d\u2069\u2013\u2070") == "a\\u202ab\\u202ec\\u2066d\\u2069\u2013\u2070");
}

TEST_CASE("text is cut between two characters", "[base]") {
  const std::string_view text = "a\xC3\xB6\xF0\x90\x80\x80z";  // of 1, 2, 4 and 1 bytes
  const std::string_view starts[] = {
      "", "a", "a", "a\xC3\xB6", "a\xC3\xB6", "a\xC3\xB6", "a\xC3\xB6", text.substr(0, 7), text, text};
  for (std::size_t bytes = 0; bytes < std::size(starts); ++bytes) CHECK(utf8_prefix(text, bytes) == starts[bytes]);
  const std::string_view of[] = {"", "a", "a\xC3\xB6", text.substr(0, 7), text, text};
  for (std::size_t n = 0; n < std::size(of); ++n) CHECK(first_characters(text, n) == of[n]);
}
