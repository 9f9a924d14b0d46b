// Answers of models: every grader on whatever text, as a response and as a reference. A line `====` parts the two;
// without one the text is both.
#include <string>

#include "answers/graders.h"
#include "answers/read_latex.h"
#include "answers/response.h"
#include "answers/tidy.h"
#include "fuzz/fuzz.h"

using namespace lowbit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kParting = "\n====\n";
  const std::size_t parting = text.find(kParting);
  const std::string_view response = text.substr(0, parting);
  const std::string_view reference = parting == std::string_view::npos ? text : text.substr(parting + kParting.size());
  for (const answers::Grader& grader : answers::graders()) {
    const answers::Grade grade = grader.grade(response, reference);
    test::require(!grade.correct || (grade.extracted && !grade.too_large), "what is correct was found and compared");
    static_cast<void>(grader.same(response, reference));
  }
  for (const auto format : {answers::Format::plain, answers::Format::tagged})
    static_cast<void>(answers::read_response(response, format));
  static_cast<void>(answers::read_latex(answers::without_units(answers::tidied(text))));
  return 0;
}
