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

TEST_CASE("of a long line the part around the place is shown", "[base]") {
  const std::string line = "k: [" + std::string(300, 'a') + ", größe, " + std::string(300, 'b') + "]";
  const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", line});
  const std::string before(58, 'a');
  CHECK(render(error("LB1001", "what").at({source, 1, 307, 7}, "here")) ==
        "error[LB1001]: what\n"
        " --> e.yaml:1:307\n"
        "  |\n"
        "1 | …" +
            before + ", größe, " + std::string(91, 'b') +
            "…\n"
            "  |  " +
            std::string(60, ' ') + "^^^^^ here\n");
  // A marked value that is longer still is marked as far as it is shown; no character is cut in two.
  CHECK_THAT(render(error("LB1001", "what").at({source, 1, 1, line.size()})),
             Catch::Contains("\n  | " + std::string(160, '^') + "\n"));
  const auto umlauts = std::make_shared<const SourceText>(SourceText{"e.yaml", "x" + std::string(400, '\xC3')});
  CHECK(!render(error("LB1001", "what").at({umlauts, 1, 200, 1})).empty());
}

TEST_CASE("fifty problems are printed, of a text of many lines too", "[base]") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "line\n";
  const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", std::move(text)});
  Diagnostics all;
  for (std::size_t line = 100'000; line > 0; --line) all.push_back(error("LB1001", "what").at({source, line, 1, 4}));
  const std::string shown = render(std::move(all));
  CHECK_THAT(shown, Catch::Contains(" --> e.yaml:50:1\n") && !Catch::Contains(" --> e.yaml:51:1\n"));
  CHECK_THAT(shown, Catch::EndsWith("… and 99950 more problems\n"));
}

TEST_CASE("control characters in a problem are not sent to the terminal", "[base]") {
  const auto source = std::make_shared<const SourceText>(SourceText{"a\x1b.yaml", "k: 1"});
  const std::string text =
      render(error("LB1001", "no stage \x1b[31m").at({source, 1, 1, 1}, "\x07").note("one\ntwo\r").fix("\x7f"));
  CHECK(text.find_first_of("\x1b\x07\r\x7f") == std::string::npos);
  CHECK_THAT(text, Catch::Contains("no stage \\x1b[31m\n") && Catch::Contains("= note: one\ntwo\\x0d\n"));
}
