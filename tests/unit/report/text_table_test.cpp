#include "report/text_table.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using namespace lowbit::report;

namespace {

QueryResult sample() {
  return {.columns = {"stage", "value", "note"},
          .rows = {{"score", 0.1, std::nullopt}, {"größe", 12, "a|b"}, {"c,\"d\"", -1.5e-7, "two\nlines"}}};
}

}  // namespace

TEST_CASE("a text table aligns text left and numbers right, by characters", "[report]") {
  CHECK(render(sample(), TableFormat::text) ==
        "stage     value  note\n"
        "score       0.1  –\n"
        "größe        12  a|b\n"
        "c,\"d\"  -1.5e-07  two\\nlines\n"
        "(3 rows)\n");
}

TEST_CASE("a text table without rows still names its columns", "[report]") {
  const QueryResult empty{.columns = {"a", "b"}, .rows = {}};
  CHECK(render(empty, TableFormat::text) == "a  b\n(0 rows)\n");
  CHECK(render(empty, TableFormat::csv) == "a,b\n");
  CHECK(render(empty, TableFormat::json) == "[]\n");
  CHECK(render(empty, TableFormat::markdown) == "| a | b |\n|-----|-----|\n");
}

TEST_CASE("a text table counts one row as one", "[report]") {
  CHECK(render({.columns = {"a"}, .rows = {{1}}}, TableFormat::text) == "a\n1\n(1 row)\n");
}

TEST_CASE("columns stand without a row count", "[report]") {
  CHECK(render({.columns = {"a", "b"}, .rows = {{"x", ""}}}, TableFormat::columns) == "a  b\nx\n");
}

TEST_CASE("control characters cannot reach the terminal", "[report]") {
  CHECK(render({.columns = {"a"}, .rows = {{"\x1b[31m\t\x7f"}}}, TableFormat::text) ==
        "a\n\\x1b[31m\\t\\x7f\n(1 row)\n");
}

TEST_CASE("CSV quotes what must be quoted and tells null from empty text", "[report]") {
  CHECK(render(sample(), TableFormat::csv) ==
        "stage,value,note\n"
        "score,0.1,\n"
        "größe,12,a|b\n"
        "\"c,\"\"d\"\"\",-1.5e-07,\"two\nlines\"\n");
  CHECK(render({.columns = {"a", "b,c"}, .rows = {{"", std::nullopt}}}, TableFormat::csv) == "a,\"b,c\"\n\"\",\n");
}

TEST_CASE("JSON is an array of objects that a parser reads back", "[report]") {
  const std::string text = render(sample(), TableFormat::json);
  CHECK(text ==
        "[\n"
        "  {\"stage\": \"score\", \"value\": 0.1, \"note\": null},\n"
        "  {\"stage\": \"größe\", \"value\": 12, \"note\": \"a|b\"},\n"
        "  {\"stage\": \"c,\\\"d\\\"\", \"value\": -1.5e-07, \"note\": \"two\\nlines\"}\n"
        "]\n");
  CHECK(Json::parse(text).size() == 3);
}

TEST_CASE("column names that repeat are numbered in JSON", "[report]") {
  CHECK(render({.columns = {"x", "x", "x_2", "x"}, .rows = {{1, 2, 3, 4}}}, TableFormat::json) ==
        "[\n  {\"x\": 1, \"x_3\": 2, \"x_2\": 3, \"x_4\": 4}\n]\n");
}

TEST_CASE("Markdown escapes what would break a table", "[report]") {
  CHECK(render(sample(), TableFormat::markdown) ==
        "| stage |    value | note        |\n"
        "|-------|---------:|-------------|\n"
        "| score |      0.1 | –           |\n"
        "| größe |       12 | a\\|b        |\n"
        "| c,\"d\" | -1.5e-07 | two\\\\nlines |\n");
}

TEST_CASE("Markdown shows text as it is, not as HTML, links, emphasis or code", "[report]") {
  CHECK(markdown_cell("W2 <g32> </b> <!-- x --> a < b") == "W2 \\<g32> \\</b> \\<!-- x --> a < b");
  CHECK(markdown_cell("[a](b) ![i](x) [a][b] [^1]") == "[a\\](b) ![i\\](x) [a\\][b] \\[^1]");
  CHECK(markdown_cell("[1]: x") == "[1\\]: x");
  CHECK(markdown_cell("[ ] x") == "\\[ ] x");
  CHECK(markdown_cell("*x* _x_ ~x~ $x$ `x` a|b c\\d") == "\\*x\\* \\_x\\_ \\~x\\~ \\$x\\$ \\`x\\` a\\|b c\\\\d");
  CHECK(markdown_cell("&lt; R&D &#60;") == "\\&lt; R\\&D \\&#60;");
  const std::string plain = "score[seed=0] bits_per_weight [95 %] 50.0 ± 1.0 [−1.5, +2.0]: < 0.05 R&D";
  CHECK(markdown_cell(plain) == plain);
}

TEST_CASE("Markdown lines keep code between backticks", "[report]") {
  CHECK(markdown_line("judge `a_*b` <b> `c` and ` alone") == "judge `a_*b` \\<b> `c` and \\` alone");
  CHECK(markdown_line("plain *x*") == "plain \\*x\\*");
}

TEST_CASE("numbers are printed with the digits that give them back", "[report]") {
  const double third = 1.0 / 3.0;
  const std::string text = render({.columns = {"a"}, .rows = {{third}}}, TableFormat::csv);
  CHECK(std::stod(text.substr(2)) == third);
}
