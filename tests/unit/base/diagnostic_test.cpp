#include <catch2/catch.hpp>

#include "base/diagnostic.h"

using namespace lowbit;

TEST_CASE("a diagnostic shows place, caret, notes and help", "[base]") {
  const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", "a: 1\n  grup_size: 128\n"});
  const Diagnostic d = error("LB2004", "quantizer `lowbit.gptq` has no parameter `grup_size`")
                           .at({source, 2, 3, 9}, "not in its schema")
                           .note("its parameters are num_bits, group_size")
                           .fix("a parameter with a similar name exists: `group_size`");
  CHECK(render(d) ==
        "error[LB2004]: quantizer `lowbit.gptq` has no parameter `grup_size`\n"
        " --> e.yaml:2:3\n"
        "  |\n"
        "2 |   grup_size: 128\n"
        "  |   ^^^^^^^^^ not in its schema\n"
        "  = note: its parameters are num_bits, group_size\n"
        "  = help: a parameter with a similar name exists: `group_size`\n");
}

TEST_CASE("the caret stands under the character, not the byte", "[base]") {
  const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", "größe: x"});
  CHECK_THAT(render(error("LB1001", "what").at({source, 1, 10, 1})), Catch::Contains("\n  |        ^\n"));
}

TEST_CASE("diagnostics are printed in the order of the text, warnings last", "[base]") {
  const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", "a\nb\nc\n"});
  Diagnostics all{error("LB1002", "second").at({source, 2, 1, 1}), warning("LB1003", "third").at({source, 1, 1, 1}),
                  error("LB1001", "first").at({source, 1, 1, 1})};
  const std::string text = render(all);
  CHECK(text.find("first") < text.find("second"));
  CHECK(text.find("second") < text.find("third"));
}

TEST_CASE("the exit code tells the user's input from the machine and from a failed stage", "[base]") {
  CHECK(exit_code({}) == 0);
  CHECK(exit_code({warning("LB1001", "")}) == 0);
  CHECK(exit_code({error("LB5001", "")}) == 1);
  CHECK(exit_code({error("LB4001", ""), error("LB5001", "")}) == 3);
  CHECK(exit_code({error("LB2001", ""), error("LB6001", "")}) == 2);
}

TEST_CASE("a similar name is offered only when it is near", "[base]") {
  CHECK(nearest("grup_size", {"group_size", "num_bits"}) == "group_size");
  CHECK(nearest("nubm", {"numb"}) == "numb");
  CHECK(nearest("xyz", {"num_bits", "abc"}).empty());
  CHECK(nearest("ab", {"cd"}).empty());
}
