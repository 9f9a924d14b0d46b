#include "base/markup.h"

#include <catch2/catch.hpp>

using namespace lowbit;

TEST_CASE("text is harmless inside markup, and what XML cannot hold is replaced", "[markup]") {
  CHECK(escaped_xml("a<b & \"c\"> 'd'") == "a&lt;b &amp; &quot;c&quot;&gt; 'd'");
  CHECK(escaped_xml("Δ ↓ …") == "Δ ↓ …");
  CHECK(escaped_xml(std::string_view("a\0b\x1b\xff\xEF\xBF\xBF", 8)) == "a\uFFFDb\uFFFD\uFFFD\uFFFD");
}
