#include "answers/minerva_words.h"

#include <array>
#include <utility>

#include "answers/text.h"

namespace lowbit::answers {

std::string without_minerva_words(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kReplaced{{{"an ", ""},
                                                                                     {"a ", ""},
                                                                                     {".$", "$"},
                                                                                     {"\\$", ""},
                                                                                     {"\\ ", ""},
                                                                                     {" ", ""},
                                                                                     {"mbox", "text"},
                                                                                     {",\\text{and}", ","},
                                                                                     {"\\text{and}", ","},
                                                                                     {"\\text{m}", "\\text{}"}}};
  constexpr std::array<std::string_view, 42> kDropped{"square",       "ways",
                                                      "integers",     "dollars",
                                                      "mph",          "inches",
                                                      "ft",           "hours",
                                                      "km",           "units",
                                                      "\\ldots",      "sue",
                                                      "points",       "feet",
                                                      "minutes",      "digits",
                                                      "cents",        "degrees",
                                                      "cm",           "gm",
                                                      "pounds",       "meters",
                                                      "meals",        "edges",
                                                      "students",     "childrentickets",
                                                      "multiples",    "\\text{s}",
                                                      "\\text{.}",    "\\text{\ns}",
                                                      "\\text{}^2",   "\\text{}^3",
                                                      "\\text{\n}",   "\\text{}",
                                                      "\\mathrm{th}", "^\\circ",
                                                      "^{\\circ}",    "\\;",
                                                      ",\\!",         "{,}",
                                                      "\"",           "\\dots"};
  std::string result(text);
  for (const auto& [from, to] : kReplaced) result = replaced(result, from, to);
  for (const std::string_view word : kDropped) result = erased(result, word);
  return result;
}

}  // namespace lowbit::answers
