#include "answers/latex_strings.h"

#include <algorithm>

#include "answers/characters.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t n = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++n;
  return n;
}

/// An integer as Python's int() reads it from a string, underscores aside.
bool is_python_integer(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// As Python's str() writes it.
bool is_written_integer(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  return text.front() != '0' || (text.size() == 1 && !negative);
}

/// `k = 5` and `x=5` give what stands behind the only equals sign.
std::string without_short_name(const std::string& text) {
  const std::size_t sign = text.find('=');
  if (sign > 2 || text.find('=', sign + 1) != std::string::npos) return text;
  return text.substr(sign + 1);
}

}  // namespace

std::optional<std::string> with_braced_fractions(std::string_view text) {
  constexpr std::string_view kFrac = "\\frac";
  std::string result;
  std::size_t at = text.find(kFrac);
  result.append(text.substr(0, at));
  while (at != std::string_view::npos) {
    const std::size_t begin = at + kFrac.size();
    at = text.find(kFrac, begin);
    const std::string_view rest = text.substr(begin, at == std::string_view::npos ? at : at - begin);
    result.append(kFrac);
    if (rest.empty()) return std::nullopt;
    if (rest.front() == '{') {
      result.append(rest);
      continue;
    }
    if (rest.size() < 2) return std::string(text);
    result.append({'{', rest[0], '}'});
    if (rest[1] == '{') {
      result.append(rest.substr(1));
    } else {
      result.append({'{', rest[1], '}'}).append(rest.substr(2));
    }
  }
  return result;
}

std::optional<std::string> with_braced_roots(std::string_view text) {
  constexpr std::string_view kSqrt = "\\sqrt";
  std::string result;
  std::size_t at = text.find(kSqrt);
  result.append(text.substr(0, at));
  while (at != std::string_view::npos) {
    const std::size_t begin = at + kSqrt.size();
    at = text.find(kSqrt, begin);
    const std::string_view rest = text.substr(begin, at == std::string_view::npos ? at : at - begin);
    if (rest.empty()) return std::nullopt;
    result.append(kSqrt);
    if (rest.front() == '{') {
      result.append(rest);
    } else {
      result.append({'{', rest.front(), '}'}).append(rest.substr(1));
    }
  }
  return result;
}

bool slash_has_integers(std::string_view text) {
  if (count(text, "/") != 1) return true;
  const std::size_t slash = text.find('/');
  return is_python_integer(text.substr(0, slash)) && is_python_integer(text.substr(slash + 1));
}

std::string with_frac_for_slash(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (count(text, "/") != 1 || !is_written_integer(text.substr(0, slash)) ||
      !is_written_integer(text.substr(slash + 1)))
    return std::string(text);
  return "\\frac{" + std::string(text.substr(0, slash)) + "}{" + std::string(text.substr(slash + 1)) + "}";
}

std::optional<std::string> hendrycks_form(std::string_view answer) {
  std::string text = erased(erased(answer, "\n"), "\\!");
  text = replaced(text, "\\\\", "\\");
  text = replaced(replaced(text, "tfrac", "frac"), "dfrac", "frac");
  text = erased(erased(text, "\\left"), "\\right");
  text = erased(erased(text, "^{\\circ}"), "^\\circ");
  text = erased(text, "\\$");
  const std::size_t n_units = count(text, "\\text{ ");
  if (n_units > 1) return std::nullopt;
  if (n_units == 1) text.resize(text.find("\\text{ "));
  text = erased(text, "\\%");
  text = replaced(replaced(text, " .", " 0."), "{.", "{0.");
  if (text.empty()) return text;
  if (text.front() == '.') text.insert(0, "0");
  text = without_short_name(text);
  auto rooted = with_braced_roots(text);
  if (!rooted) return std::nullopt;
  auto fractions = with_braced_fractions(erased(*rooted, " "));
  if (!fractions) return std::nullopt;
  if (*fractions == "0.5") fractions = "\\frac{1}{2}";
  return with_frac_for_slash(*fractions);
}

std::string unwrapped(std::string_view text, std::string_view command, bool to_last) {
  std::string result;
  for (;;) {
    const std::size_t at = text.find(command);
    if (at == std::string_view::npos) break;
    const std::size_t begin = at + command.size();
    const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
    const std::size_t close = to_last ? line.rfind('}') : line.find('}');
    if (close == std::string_view::npos) {
      result.append(text.substr(0, begin));
      text.remove_prefix(begin);
      continue;
    }
    result.append(text.substr(0, at)).append(line.substr(0, close));
    text.remove_prefix(begin + close + 1);
  }
  return result.append(text);
}

std::string with_braces_behind(std::string_view text, std::string_view word, std::size_t n_arguments) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t first = at + word.size();
    const bool here = starts_with_at(text, at, word) && first + n_arguments <= text.size() && text[first] != '{' &&
                      (n_arguments < 2 || text[first + 1] != '\n');
    if (!here) {
      result += text[at++];
      continue;
    }
    result.append(word);
    for (std::size_t i = 0; i < n_arguments; ++i) result.append({'{', text[first + i], '}'});
    at = first + n_arguments;
  }
  return result;
}

std::string without_digit_commas(std::string_view text) {
  std::string digits = erased(text, ",");
  return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit) ? digits : std::string(text);
}

}  // namespace lowbit::answers
