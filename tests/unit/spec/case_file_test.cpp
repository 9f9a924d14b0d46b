#include <catch2/catch.hpp>

#include <stdexcept>

#include "support/case_file.h"

namespace lowbit::test {

TEST_CASE("a case file is read into its sections and written back byte by byte", "[support]") {
  const std::string text = "about\n--- a.yaml\nx: 1\n---\ny\n\n--- set\n--- expect: check\nok\n";
  const CaseFile file = parse_case_file("t.case", text);
  CHECK(file.about == "about\n");
  CHECK(file.text_of("a.yaml") == "x: 1\n---\ny\n\n");
  CHECK(file.lines_of("a.yaml") == std::vector<std::string>{"x: 1", "---", "y"});
  CHECK(file.text_of("set").empty());
  CHECK(file.find("expect: check")->line == 8);
  CHECK(file.find("other") == nullptr);
  CHECK(to_text(file) == text);
}

TEST_CASE("a case file that expects nothing or has a section twice is refused", "[support]") {
  CHECK_THROWS_WITH(parse_case_file("t.case", "--- a\n"), "t.case: no section `--- expect: ...`");
  CHECK_THROWS_WITH(parse_case_file("t.case", "--- a\n--- a\n--- expect: x\n"), "t.case:2: section `a` appears twice");
}

}  // namespace lowbit::test
