#include "report/review_page.h"

#include <algorithm>

#include "base/utf8.h"

namespace lowbit::report {
namespace {

/// Each line of `text`, indented.
std::string block(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += "  " + printable(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out.empty() ? "  (nothing)\n" : out;
}

/// "  3  text", further lines of the text under its first.
std::string numbered(const std::vector<std::string>& texts) {
  const std::size_t width = std::to_string(texts.size()).size();
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string number = std::to_string(i + 1);
    number.insert(0, width - number.size(), ' ');
    std::string body = block(texts[i]);
    body.replace(0, 2, "  " + number + "  ");
    for (std::size_t at = body.find('\n'); at + 1 < body.size(); at = body.find('\n', at + 1)) {
      body.insert(at + 1, width + 2, ' ');
    }
    out += body;
  }
  return out;
}

}  // namespace

std::string review_page(const ReviewCase& one) {
  std::string page = "problem\n" + block(one.problem);
  if (one.answer) page += "reference answer\n" + block(*one.answer);
  if (one.solution) {
    page += "reference solution\n" + block(*one.solution);
  } else if (!one.reference_steps.empty()) {
    page += "reference solution\n" + numbered(one.reference_steps);
  }
  page += one.steps.empty() ? "solution, not in steps\n" + block(one.text) : "solution\n" + numbered(one.steps);
  page += "its answer\n" + block(one.extracted.value_or("(none was found)"));
  return page;
}

std::string types_page(const std::vector<NamedType>& types) {
  std::string page;
  for (std::size_t i = 0; i < types.size(); ++i)
    page += "  " + std::to_string(i + 1) + "  " + std::string(types[i].words) + "\n";
  return page;
}

}  // namespace lowbit::report
