#include "answers/latex_strings.h"
#include "answers/string_graders.h"

namespace lowbit::answers {

bool hendrycks_same(std::string_view given, std::string_view reference) {
  const auto a = hendrycks_form(given);
  const auto b = hendrycks_form(reference);
  return a && b ? *a == *b : given == reference;
}

}  // namespace lowbit::answers
