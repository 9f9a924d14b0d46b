// open-compass/opencompass, opencompass/datasets/math.py: MATHEvaluator with math_postprocess, and both in version 2.
#include <algorithm>

#include "answers/boxed.h"
#include "answers/characters.h"
#include "answers/latex_strings.h"
#include "answers/minerva_words.h"
#include "answers/string_graders.h"
#include "answers/text.h"

namespace lowbit::answers {
namespace {

bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

/// What stands behind the last `word` of the text, to the end of its line; the text itself without one.
std::string behind_last(const std::string& text, std::string_view word) {
  const std::size_t at = text.rfind(word);
  return at == std::string::npos ? text : text.substr(at + word.size());
}

/// Behind the last "answeris" or "answeis", and a colon there.
std::string behind_answer_is(const std::string& text) {
  std::size_t end = 0;
  for (std::size_t at = 0; (at = text.find("answe", at)) != std::string::npos; ++at) {
    std::size_t next = at + 5;
    if (next < text.size() && text[next] == 'r') ++next;
    if (!starts_with_at(text, next, "is")) continue;
    next += 2;
    end = next < text.size() && text[next] == ':' ? next + 1 : next;
    break;  // what follows on the line belongs to this one
  }
  return end == 0 ? text : text.substr(end);
}

/// The content of the last pair, from left to right without overlaps; the text itself without one.
std::string last_between(const std::string& text, std::string_view open, std::string_view close) {
  std::string found = text;
  for (std::size_t at = 0;;) {
    const std::size_t begin = text.find(open, at);
    const std::size_t end = begin == std::string::npos ? begin : text.find(close, begin + open.size());
    if (end == std::string::npos) return found;
    found = text.substr(begin + open.size(), end - begin - open.size());
    at = end + close.size();
  }
}

/// \text{(A)} as A.
std::string without_text_parentheses(std::string_view text) {
  constexpr std::string_view kOpen = "\\text{(";
  std::string result;
  for (;;) {
    const std::size_t at = text.find(kOpen);
    const std::size_t close = at == std::string_view::npos ? at : text.find(")}", at + kOpen.size());
    if (close == std::string_view::npos) return result.append(text);
    result.append(text.substr(0, at)).append(text.substr(at + kOpen.size(), close - at - kOpen.size()));
    text.remove_prefix(close + 2);
  }
}

/// `normalize_final_answer`.
std::string final_form(std::string_view answer) {
  // Version 1 of the words writes \le as < before it drops any; no other word has a part of it.
  std::string text = without_minerva_words(replaced(answer, "\\le", "<"));
  for (const std::string_view dropped : {"\n", "\r", "\f"}) text = erased(text, dropped);
  text = without_text_parentheses(text);
  for (const std::string_view command : {"\\text{", "\\textbf{", "\\overline{"}) text = unwrapped(text, command);
  text = unwrapped(text, "\\boxed{", true);
  text = behind_answer_is(behind_last(text, "finalansweris"));
  text = last_between(last_between(text, "oxed{", "}"), "$", "$");
  text = trimmed(text);
  if (text.find("rac") != std::string::npos && text.find("\\frac") == std::string::npos)
    text = replaced(text, "rac", "\\frac");
  text = with_braces_behind(with_braces_behind(text, "frac", 2), "sqrt", 1);
  return without_digit_commas(erased(text, "$"));
}

/// \sqrt with the letters and digits behind it in braces.
std::string with_braced_words(std::string_view text) {
  constexpr std::string_view kSqrt = "\\sqrt";
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at + kSqrt.size();
    if (!starts_with_at(text, at, kSqrt) || begin >= text.size() || !is_word(text[begin])) {
      result += text[at++];
      continue;
    }
    at = begin;
    while (at < text.size() && is_word(text[at])) ++at;
    result.append(kSqrt).append("{").append(text.substr(begin, at - begin)).append("}");
  }
  return result;
}

/// 5.00 as 5; 5.10 stays.
std::string without_zero_decimals(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '.' && at > 0 && is_digit(text[at - 1])) {
      const std::size_t end = std::min(text.find_first_not_of('0', at + 1), text.size());
      if (end > at + 1 && (end == text.size() || !is_digit(text[end]))) {
        at = end;
        continue;
      }
    }
    result += text[at++];
  }
  return result;
}

/// Without the first \text{...} and all behind it when the text ends in } and something else remains.
std::string without_last_text(const std::string& text) {
  const std::size_t at = text.find("\\text{");
  if (at == std::string::npos || text.back() != '}') return text;
  const std::string_view rest = trimmed(std::string_view(text).substr(0, at));
  return rest.empty() ? text : std::string(rest);
}

/// `_strip_string_v2`. Nothing where the original raises.
std::optional<std::string> second_form(std::string_view answer) {
  std::string text = erased(trimmed(answer), "\n");
  text.resize(text.find_last_not_of('.') + 1);
  text = erased(erased(text, "\\!"), "\\ ");
  text = replaced(replaced(text, "\\\\", "\\"), "\\\\", "\\");
  text = replaced(replaced(text, "tfrac", "frac"), "dfrac", "frac");
  text = erased(erased(text, "\\left"), "\\right");
  text = without_last_text(text);
  for (const std::string_view dropped : {"^{\\circ}", "^\\circ", "\\$", "$", "\\text", "x\\in", "\\%", "%"})
    text = erased(text, dropped);
  text = replaced(replaced(text, " .", " 0."), "{.", "{0.");
  text = replaced(erased(text, "\\cdot"), "infinity", "\\infty");
  if (text.find("\\infty") == std::string::npos) text = replaced(text, "inf", "\\infty");
  text = erased(erased(replaced(text, "+\\inity", "\\infty"), "and"), "\\mathbf");
  for (std::size_t at = text.find("\\mbox{"); at != std::string::npos; at = text.find("\\mbox{", at)) {
    const std::size_t close = text.find('}', at);
    if (close == std::string::npos) break;
    text.erase(at, close + 1 - at);
  }
  if (text.find('j') != std::string::npos && text.find('i') == std::string::npos) text = replaced(text, "j", "i");
  text = without_zero_decimals(text);
  if (text.empty()) return text;
  if (text.front() == '.') text.insert(0, "0");
  if (const std::size_t sign = text.find('='); sign <= 2 && text.find('=', sign + 1) == std::string::npos)
    text.erase(0, sign + 1);
  const std::string rooted = erased(with_braced_words(text), " ");
  auto fractions =
      with_braced_fractions(rooted + (rooted.size() >= 5 && rooted.substr(rooted.size() - 5) == "\\frac" ? " " : ""));
  if (!fractions || !slash_has_integers(*fractions)) return std::nullopt;
  return with_frac_for_slash(*fractions);
}

std::optional<std::string> first_form(std::string_view answer) {
  auto form = hendrycks_form(answer);
  return form && slash_has_integers(*form) ? form : std::nullopt;
}

}  // namespace

std::string opencompass_answer(std::string_view response, OpenCompassVersion version) {
  if (version == OpenCompassVersion::v2) {
    if (const auto box = last_box(response); box && !box->empty()) {
      const bool doubled = box->size() > 1 && box->front() == '{' && box->back() == '}';
      return std::string(doubled ? box->substr(1, box->size() - 2) : *box);
    }
  }
  for (std::string_view rest = response;;) {
    const std::string_view sentence = rest.substr(0, rest.find('.'));
    const std::string lower = lowered(sentence);
    const bool announces = lower.find("final answer") != std::string::npos ||
                           (version == OpenCompassVersion::v2 && lower.find("answer is") != std::string::npos);
    if (announces) return final_form(sentence);
    if (sentence.size() == rest.size()) break;
    rest.remove_prefix(sentence.size() + 1);
  }
  return final_form(response.substr(0, response.find('.')));
}

bool opencompass_same(std::string_view given, std::string_view reference, OpenCompassVersion version) {
  const auto form = version == OpenCompassVersion::v1 ? first_form : second_form;
  const auto a = form(given);
  const auto b = form(reference);
  if (a && b && (*a == *b || final_form(*a) == final_form(*b))) return true;
  return final_form(given) == final_form(reference) || given == reference;
}

}  // namespace lowbit::answers
