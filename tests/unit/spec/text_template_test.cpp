#include <catch2/catch.hpp>

#include "domain/text_template.h"

namespace lowbit {

using Kind = TemplatePiece::Kind;
using Pieces = std::vector<TemplatePiece>;

TEST_CASE("a text is split into literals and axes without gaps", "[domain]") {
  CHECK(split_template("").empty());
  CHECK(split_template("plain") == Pieces{{Kind::literal, "plain", 0, 5}});
  CHECK(split_template("${a}") == Pieces{{Kind::axis, "a", 0, 4}});
  CHECK(split_template("x/${num_bits}/${b-2}") == Pieces{{Kind::literal, "x/", 0, 2},
                                                         {Kind::axis, "num_bits", 2, 11},
                                                         {Kind::literal, "/", 13, 1},
                                                         {Kind::axis, "b-2", 14, 6}});
}

TEST_CASE("two dollars are one literal dollar", "[domain]") {
  CHECK(split_template("$$") == Pieces{{Kind::literal, "$", 0, 2}});
  CHECK(split_template("a$${b}") == Pieces{{Kind::literal, "a${b}", 0, 6}});
  CHECK(split_template("$$${b}") == Pieces{{Kind::literal, "$", 0, 2}, {Kind::axis, "b", 2, 4}});
}

TEST_CASE("any other dollar is malformed and says why", "[domain]") {
  CHECK(split_template("5$") == Pieces{{Kind::literal, "5", 0, 1}, {Kind::malformed, "a lone `$`", 1, 1}});
  CHECK(split_template("${a") == Pieces{{Kind::malformed, "`${` without `}`", 0, 3}});
  const std::string no_name = "not the name of an axis between `${` and `}`";
  CHECK(split_template("${}x") == Pieces{{Kind::malformed, no_name, 0, 3}, {Kind::literal, "x", 3, 1}});
  CHECK(split_template("${ a }") == Pieces{{Kind::malformed, no_name, 0, 6}});
  CHECK(split_template("${${a}}") == Pieces{{Kind::malformed, no_name, 0, 6}, {Kind::literal, "}", 6, 1}});
}

TEST_CASE("names are a letter, then letters, digits, underscores and hyphens", "[domain]") {
  for (const char* good : {"a", "Z9", "format_align", "r-1"}) CHECK(is_identifier(good));
  for (const char* bad : {"", "1a", "_a", "-a", "a.b", "a b", "\xC3\xA9"}) CHECK_FALSE(is_identifier(bad));
}

}  // namespace lowbit
