// What a case file cannot hold: bytes that are no text, large texts, exact places. The rest: tests/cases/spec.
#include "spec/yaml_document.h"

#include <catch2/catch.hpp>

#include <functional>

namespace lowbit::spec {
namespace {

std::shared_ptr<const SourceText> file(std::string text) {
  return std::make_shared<const SourceText>(SourceText{"e.yaml", std::move(text)});
}

std::string problems_of(std::string text) {
  Diagnostics problems;
  static_cast<void>(parse_yaml(file(std::move(text)), 0, problems));
  return render(problems);
}

Node tree(std::string text) {
  Diagnostics problems;
  const std::optional<Node> node = parse_yaml(file(std::move(text)), 0, problems);
  INFO(render(problems));
  REQUIRE(problems.empty());
  REQUIRE(node.has_value());
  return *node;
}

std::string shown(const Node& node) {
  const std::string place = std::to_string(node.span.line) + ":" + std::to_string(node.span.column) + "+" +
                            std::to_string(node.span.length) + " ";
  std::string out = place;
  switch (node.kind) {
    case Node::Kind::scalar: return out + (node.plain ? "" : "'") + node.text;
    case Node::Kind::sequence:
      out += "[";
      for (const Node& item : node.items) out += " " + shown(item);
      return out + " ]";
    case Node::Kind::mapping:
      out += "{";
      for (const Node::Entry& entry : node.entries) {
        out += " " + std::to_string(entry.key.span.line) + ":" + std::to_string(entry.key.span.column) + "+" +
               std::to_string(entry.key.span.length) + " " + entry.key.value + ": " + shown(entry.value);
      }
      return out + " }";
  }
  return out;
}

}  // namespace

TEST_CASE("every value has the place where it stands, in bytes", "[spec][yaml]") {
  CHECK(shown(tree("a: 1\nb: [x, 'y z', \"w\"]\n")) ==
        "1:1+1 { 1:1+1 a: 1:4+1 1 2:1+1 b: 2:4+1 [ 2:5+1 x 2:8+5 'y z 2:15+3 'w ] }");
  CHECK(shown(tree("\xC3\xA9: \xC3\xA9t\xC3\xA9 # c\nk: {a: b}\n")) ==
        "1:1+1 { 1:1+2 \xC3\xA9: 1:5+5 \xC3\xA9t\xC3\xA9 2:1+1 k: 2:4+1 { 2:5+1 a: 2:8+1 b } }");
  CHECK(shown(tree("a: one\n  two\nb: |\n  x\n")) == "1:1+1 { 1:1+1 a: 1:4+3 one two 3:1+1 b: 3:4+1 'x\n }");
}

TEST_CASE("line ends of either kind and a byte order mark change no place and no value", "[spec][yaml]") {
  CHECK(shown(tree("a: 1\r\nb: x\r\n")) == shown(tree("a: 1\nb: x\n")));
  CHECK(shown(tree("\xEF\xBB\xBF"
                   "a: 1\n")) == "1:4+1 { 1:4+1 a: 1:7+1 1 }");
}

TEST_CASE("a value that nobody wrote is placed at what it belongs to", "[spec][yaml]") {
  CHECK(shown(tree("a:\nb: ~\n")) == "1:1+1 { 1:1+1 a: 1:1+1  2:1+1 b: 2:4+1 ~ }");
  CHECK(shown(tree("a:\nnull: 1\n")) == "1:1+1 { 1:1+1 a: 1:1+1  2:1+4 null: 2:7+1 1 }");
  CHECK(shown(tree("- \n- x\n")) == "1:1+1 [ 1:1+1  2:3+1 x ]");
  CHECK(shown(tree("[x, , null]\n")) == "1:1+1 [ 1:2+1 x 1:3+1  1:7+4 null ]");
  CHECK(tree("").missing());
  CHECK(tree("# nothing\n").missing());
  CHECK_FALSE(tree("null\n").missing());
  CHECK_FALSE(tree("''\n").missing());
}

TEST_CASE("an alias is a copy of what its anchor names", "[spec][yaml]") {
  CHECK(shown(tree("a: &x [1, &y k]\nb: *x\nc: *y\n")) ==
        "1:1+1 { 1:1+1 a: 1:7+1 [ 1:8+1 1 1:14+1 k ] 2:1+1 b: 1:7+1 [ 1:8+1 1 1:14+1 k ] 3:1+1 c: 1:14+1 k }");
  CHECK(shown(tree("a: &x # note\n  k: v\nb: *x\n")) ==
        "1:1+1 { 1:1+1 a: 2:3+1 { 2:3+1 k: 2:6+1 v } 3:1+1 b: 2:3+1 { 2:3+1 k: 2:6+1 v } }");
}

TEST_CASE("places inside a scalar are known when it stands letter by letter in the text", "[spec][yaml]") {
  const Node node = tree("a: plain\nb: \"quoted\"\nc: \"esc\\taped\"\n");
  CHECK(node.find("a")->within(2, 3).column == 6);
  CHECK(node.find("b")->within(2, 3).column == 7);
  CHECK(node.find("c")->within(2, 3).column == 4);
  CHECK(node.find("c")->within(2, 3).length == 11);
}

TEST_CASE("bytes that are not UTF-8 are refused and not printed", "[spec][yaml]") {
  CHECK(problems_of("a: 1\nb: \xFF\xC3\n") ==
        "error[LB1001]: `e.yaml` is not UTF-8 text\n"
        " --> e.yaml:2:4\n"
        "  |\n"
        "2 | b: ??\n"
        "  |    ^ byte 0xFF does not belong here\n"
        "  = help: save a file as UTF-8, give an argument as UTF-8\n");
  for (const char* bad : {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5", "\x80", "\xE2\x82"}) {
    CHECK_THAT(problems_of(bad), Catch::StartsWith("error[LB1001]"));
  }
  for (const char* good : {"\xC2\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(problems_of(good).empty());
  }
}

TEST_CASE("control characters are refused and not printed", "[spec][yaml]") {
  CHECK(problems_of(std::string("a: 1\nb: \0x\n", 11)) ==
        "error[LB1002]: `e.yaml` holds a character that has no place in a text\n"
        " --> e.yaml:2:4\n"
        "  |\n"
        "2 | b: ?x\n"
        "  |    ^ the control character 0x00\n"
        "  = help: remove it\n");
  CHECK_THAT(problems_of("a: \x1B[31m\n"), Catch::Contains("the control character 0x1B"));
  CHECK_THAT(problems_of("a: 1\rb: 2\n"), Catch::Contains("a carriage return without a line feed"));
  CHECK(problems_of("a:\t1\r\n").empty());
}

TEST_CASE("a text of more than 4 MiB is refused", "[spec][yaml]") {
  const std::string comment(std::size_t{4} << 20U, '#');
  CHECK(problems_of(comment).empty());
  CHECK(problems_of(comment + "#") ==
        "error[LB1003]: `e.yaml` has 4194305 bytes, more than the 4 MiB that an experiment file may have\n"
        " = help: give the experiment file, not a model or a data set; long lists of data belong into `inputs`\n");
}

TEST_CASE("nesting is followed 64 levels deep", "[spec][yaml]") {
  CHECK(problems_of(std::string(64, '[') + std::string(64, ']')).empty());
  CHECK_THAT(problems_of(std::string(65, '[') + std::string(65, ']')), Catch::StartsWith("error[LB1009]"));
  CHECK_THAT(problems_of(std::string(100'000, '[')), Catch::StartsWith("error[LB1009]"));
  const std::string half(40, '['), end(40, ']');
  CHECK_THAT(problems_of("a: &x " + half + end + "\nb: " + half + "*x" + end), Catch::StartsWith("error[LB1009]"));
}

TEST_CASE("aliases of aliases do not fill the memory", "[spec][yaml]") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
    for (int j = 1; j < 10; ++j) text += ", " + alias;
    text += "]\n";
  }
  CHECK_THAT(problems_of(text),
             Catch::StartsWith("error[LB1010]: the anchors and aliases of this file stand for more than"));
}

TEST_CASE("anchors inside anchors do not fill the memory", "[spec][yaml]") {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 5'000; ++i) text += "x, ";
  text += std::string(60, ']');
  CHECK_THAT(problems_of(text),
             Catch::StartsWith("error[LB1010]: the anchors and aliases of this file stand for more than"));
  CHECK(problems_of("a: &a " + std::string(60, '[') + "x" + std::string(60, ']') + "\nb: *a\n").empty());
}

TEST_CASE("every truncation of a file is read or refused with a place", "[spec][yaml]") {
  const std::string text =
      "experiment: e\nmatrix: {m: [a, \"b\\n\"], exclude: [{m: a}]}\ninputs:\n  x: &x {type: file, path: 'it''s'}\n"
      "stages:\n  - id: s\n    use: |\n      t\n    with: {p: *x}\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    INFO(length);
    Diagnostics problems;
    const auto node = parse_yaml(file(text.substr(0, length)), 0, problems);
    CHECK(node.has_value() == problems.empty());
    for (const Diagnostic& problem : problems) CHECK(static_cast<bool>(problem.span));
  }
}

}  // namespace lowbit::spec
