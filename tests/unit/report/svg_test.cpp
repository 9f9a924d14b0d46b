#include <catch2/catch.hpp>

#include <cmath>

#include "report/svg.h"

using namespace lowbit::report;
using Catch::Contains;

TEST_CASE("every text of a drawing is made harmless", "[report][svg]") {
  Svg svg("<script>alert(1)</script>", "a & b");
  svg.text({1, 2}, "</text><script>", {});
  const std::string text = svg.finish(10, 10);
  CHECK_THAT(text, Contains("<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>") &&
                       Contains("<desc>a &amp; b</desc>") && Contains(">&lt;/text&gt;&lt;script&gt;</text>"));
  CHECK_THAT(text, !Contains("<script"));
}

TEST_CASE("coordinates have at most one digit after the point", "[report][svg]") {
  CHECK(pixels(3) == "3");
  CHECK(pixels(3.14) == "3.1");
  CHECK(pixels(-0.04) == "0");
  CHECK(pixels(-2.96) == "-3");
  CHECK(pixels(1234.56) == "1234.6");
}

TEST_CASE("widths of texts are those of Helvetica", "[report][svg]") {
  // Adobe's metrics: W 944, i 222, space 278, digits 556.
  CHECK(text_width("W", 1000) == Approx(944));
  CHECK(text_width("ii", 1000) == Approx(444));
  CHECK(text_width("10 00", 10) == Approx(25.02));
  CHECK(text_width("", 12) == 0);
  CHECK(text_width("abc", 12, true) > text_width("abc", 12));
}

TEST_CASE("wrapped lines hold all words, none wider than asked but single words", "[report][svg]") {
  const std::string text = "the quick brown fox jumps over an extraordinarilylongword and rests";
  std::string joined;
  for (const std::string& line : wrapped(text, 90, 12)) {
    CHECK((text_width(line, 12) <= 90 || line.find(' ') == std::string::npos));
    joined += (joined.empty() ? "" : " ") + line;
  }
  CHECK(joined == text);
  CHECK(wrapped("", 90, 12).empty());
}

TEST_CASE("a drawing is one SVG element on white, and defines each pattern once", "[report][svg]") {
  Svg svg("t", "d");
  svg.hatched({0, 0}, 10, 10, "#0072B2", Hatch::rising);
  svg.hatched({20, 0}, 10, 10, "#0072B2", Hatch::rising);
  svg.hatched({40, 0}, 10, 10, "#0072B2", Hatch::none);
  svg.path({{1, 1}}, {});  // one point is no line
  CHECK(svg.finish(100, 50.5) ==
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"50.5\" viewBox=\"0 0 100 50.5\" role=\"img\" "
        "font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\" font-size=\"12\" "
        "fill=\"#16191c\">\n"
        "<title>t</title>\n<desc>d</desc>\n<defs>\n"
        "<pattern id=\"h10072B2\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect width=\"8\" "
        "height=\"8\" "
        "fill=\"#0072B2\"/><path d=\"M-1 1L1 -1M0 8L8 0M7 9L9 7\" stroke=\"#fff\" stroke-width=\"1.4\" fill=\"none\"/>"
        "</pattern>\n</defs>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        "<rect x=\"0\" y=\"0\" width=\"10\" height=\"10\" fill=\"url(#h10072B2)\" stroke=\"#333\" "
        "stroke-width=\"0.6\"/>\n"
        "<rect x=\"20\" y=\"0\" width=\"10\" height=\"10\" fill=\"url(#h10072B2)\" stroke=\"#333\" "
        "stroke-width=\"0.6\"/>\n"
        "<rect x=\"40\" y=\"0\" width=\"10\" height=\"10\" fill=\"#0072B2\" stroke=\"#333\" stroke-width=\"0.6\"/>\n"
        "</svg>\n");
}
