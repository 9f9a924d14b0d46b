#include "answers/response.h"

#include <catch2/catch.hpp>
#include <chrono>

using namespace lowbit::answers;
using Steps = std::vector<std::string>;

namespace {

Response plain(std::string_view text) { return read_response(text, Format::plain); }
Response tagged(std::string_view text) { return read_response(text, Format::tagged); }

const std::string kTagged =
    "<|step_start|>3 * 7 = 21<|step_end|><|step_start|>12 + 21 = "
    "33<|step_end|><|answer_start|>33<|answer_end|>";

std::string repeated(const std::string& text, int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("solutions are written in these two forms", "[answers]") {
  const Steps steps{"3 * 7 = 21", "12 + 21 = 33"};
  CHECK(render(steps, "33", Format::plain) == "3 * 7 = 21\n12 + 21 = 33\nanswer 33");
  CHECK(render(steps, "33", Format::tagged) == kTagged);
}

TEST_CASE("what is written is read back", "[answers]") {
  const Steps steps{"3 * 7 = 21", "12 + 21 = 33"};
  const auto format = GENERATE(Format::plain, Format::tagged);
  const Response response = read_response(render(steps, "33", format), format);
  CHECK(response.steps == steps);
  CHECK(response.answer == "33");
  CHECK(response.format_kept);
}

TEST_CASE("a plain answer is the answer line, else the last number", "[answers]") {
  CHECK(plain("1 + 1 = 2\nanswer 2\n3 + 3 = 6").answer == "2");
  CHECK(plain("answer 2\nanswer 3").answer == "3");
  CHECK(plain("1 + 1 = 2\n2 + 3 = 5").answer == "5");
  CHECK(plain("so it is -12.5 .").answer == "-12.5");
  CHECK(plain("it costs $1,234.").answer == "1,234");
  CHECK(plain("x=-3").answer == "-3");
  CHECK(plain("5-3").answer == "3");
  CHECK(plain("in all 3/4").answer == "3/4");
  CHECK(plain("item 7, 8").answer == "8");
  CHECK_FALSE(plain("no idea").answer);
  CHECK_FALSE(plain("").answer);
}

TEST_CASE("plain steps are the lines before the answer", "[answers]") {
  CHECK(plain("\n 1 + 1 = 2 \n\nanswer 2").steps == Steps{"1 + 1 = 2"});
  CHECK(plain("answer 2").steps.empty());
  CHECK_FALSE(plain("1 + 1 = 2\n").format_kept);
  CHECK_FALSE(plain("1 + 1 = 2\nanswer 2\n").format_kept);
  CHECK_FALSE(plain("answer 2").format_kept);
}

TEST_CASE("a tagged answer is boxed inside the answer tags, with less strict fallbacks", "[answers]") {
  CHECK(tagged("<|answer_start|>so \\boxed{33} it is<|answer_end|>").answer == "33");
  CHECK(tagged("<|answer_start|> 33 <|answer_end|>").answer == "33");
  CHECK(tagged("<|answer_start|>\\boxed{33}").answer == "33");
  CHECK(tagged("<|answer_start|>\\boxed{\\frac{1}{2}}<|answer_end|>").answer == "\\frac{1}{2}");
  CHECK(tagged("\\boxed{1} then \\boxed{2}").answer == "2");
  CHECK(tagged("<|answer_start|>1<|answer_end|><|answer_start|>2<|answer_end|>").answer == "2");
  CHECK(tagged("\\boxed{\\boxed{3}").answer == "3");
  CHECK_FALSE(tagged("the answer is 33").answer);
  CHECK_FALSE(tagged("<|answer_start|><|answer_end|>").answer);
  CHECK_FALSE(tagged("\\boxed{33").answer);
}

TEST_CASE("tagged steps are told apart even when tags are missing", "[answers]") {
  CHECK(tagged("<|step_start|>a<|step_start|>b<|step_end|>c<|answer_start|>1").steps == Steps{"a", "b"});
  CHECK(tagged("<|step_start|> <|step_end|>").steps.empty());
  CHECK(tagged("a<|step_end|>b").steps.empty());
}

TEST_CASE("the format is kept by steps, then one answer, and nothing else", "[answers]") {
  CHECK(tagged(kTagged).format_kept);
  const std::string step = "<|step_start|>1 + 1 = 2<|step_end|>";
  const std::string answer = "<|answer_start|>2<|answer_end|>";
  CHECK(tagged(step + answer).format_kept);
  CHECK(tagged(step + "<|answer_start|>\\boxed{2}<|answer_end|>").format_kept);
  for (const std::string& broken : {answer,
                                    step,
                                    answer + step,
                                    step + answer + answer,
                                    step + answer + step,
                                    " " + step + answer,
                                    step + answer + "\n",
                                    step + "\n" + answer,
                                    step + "so " + answer,
                                    step + step.substr(0, step.size() - 12) + answer,
                                    step.substr(14) + answer,
                                    "<|step_start|><|step_end|>" + answer,
                                    "<|step_start|>" + step + "<|step_end|>" + answer,
                                    step + "<|answer_start|><|answer_end|>",
                                    step + "<|answer_start|>\\boxed{}<|answer_end|>",
                                    step + "<|answer_start|>\\boxed{2} ok<|answer_end|>",
                                    step + "<|answer_start|>\\boxed{1}\\boxed{2}<|answer_end|>",
                                    step + "<|answer_start|>2",
                                    step + answer + "<eos>",
                                    std::string("1 + 1 = 2\nanswer 2"),
                                    std::string()}) {
    INFO(broken);
    CHECK_FALSE(tagged(broken).format_kept);
  }
}

TEST_CASE("hostile texts are read in time linear in their length", "[answers]") {
  // Quadratic work on a million characters would take hours; the limit is far from both.
  const auto start = std::chrono::steady_clock::now();
  constexpr int kMany = 150000;
  for (const char* part : {"\\boxed{", "<|", "<|step_start|>", "<|answer_start|>", "{", "}", "\n", "answer ", "1,", "-",
                           "\\boxed{<|answer_start|>", "<|step_end|", "\xFF", "1"}) {
    const std::string text = repeated(part, kMany);
    for (const auto format : {Format::plain, Format::tagged}) CHECK_FALSE(read_response(text, format).format_kept);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}
