#include "answers/response.h"

#include <algorithm>
#include <array>
#include <utility>

#include "answers/characters.h"

namespace lowbit::answers {
namespace {

constexpr std::string_view kBoxed = "\\boxed{";
constexpr std::string_view kAnswerWord = "answer ";

/// Content of the \boxed{...} that closes last.
std::optional<std::string_view> last_boxed(std::string_view text) {
  std::optional<std::string_view> found;
  std::vector<std::pair<size_t, bool>> open;  // where the content of an open brace begins, and whether it is boxed
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{') {
      const bool boxed = at + 1 >= kBoxed.size() && text.substr(at + 1 - kBoxed.size(), kBoxed.size()) == kBoxed;
      open.emplace_back(at + 1, boxed);
    } else if (text[at] == '}' && !open.empty()) {
      const auto [begin, boxed] = open.back();
      open.pop_back();
      if (boxed) found = trimmed(text.substr(begin, at - begin));
    }
  }
  return found;
}

/// The last number of a text: digits with a sign, a decimal point, thousands separators or a fraction bar.
std::optional<std::string_view> last_number(std::string_view text) {
  const auto digit = std::find_if(text.rbegin(), text.rend(), is_digit);
  if (digit == text.rend()) return std::nullopt;
  const auto end = static_cast<size_t>(text.rend() - digit);
  size_t begin = end;
  const auto is_inner = [&](size_t i) {  // a sign between two digits, so that "16." and "a,1" give 16 and 1
    return (text[i] == '.' || text[i] == ',' || text[i] == '/') && i > 0 && is_digit(text[i - 1]);
  };
  while (begin > 0 && (is_digit(text[begin - 1]) || is_inner(begin - 1))) --begin;
  // A minus after a digit or a letter is an operation.
  if (begin > 0 && text[begin - 1] == '-' &&
      (begin == 1 || kBlank.find(text[begin - 2]) != std::string_view::npos || text[begin - 2] == '=' ||
       text[begin - 2] == '$')) {
    --begin;
  }
  return text.substr(begin, end - begin);
}

Response read_plain(std::string_view text) {
  Response response;
  std::optional<std::string_view> answer_line;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    if (line.substr(0, kAnswerWord.size()) == kAnswerWord) {
      answer_line = trimmed(line.substr(kAnswerWord.size()));
    } else {
      response.steps.emplace_back(line);
    }
  }
  if (!answer_line) answer_line = last_number(text);
  if (answer_line) response.answer = *answer_line;
  response.format_kept =
      !response.steps.empty() && answer_line && render(response.steps, *answer_line, Format::plain) == text;
  return response;
}

/// Where the next tag begins, or the end of the text.
size_t next_tag(std::string_view text, size_t from) {
  constexpr std::array<std::string_view, 4> kTags{kStepStart, kStepEnd, kAnswerStart, kAnswerEnd};
  for (size_t at = text.find("<|", from); at != std::string_view::npos; at = text.find("<|", at + 1)) {
    for (const std::string_view tag : kTags) {
      if (text.substr(at, tag.size()) == tag) return at;
    }
  }
  return text.size();
}

Response read_tagged(std::string_view text) {
  Response response;
  std::optional<std::string_view> region;
  size_t n_answers = 0;
  for (size_t at = next_tag(text, 0); at < text.size();) {
    const bool step = text.substr(at, kStepStart.size()) == kStepStart;
    const bool answer = text.substr(at, kAnswerStart.size()) == kAnswerStart;
    const size_t begin = std::min(text.find("|>", at) + 2, text.size());
    const size_t end = next_tag(text, begin);
    const std::string_view content = trimmed(text.substr(begin, end - begin));
    if (step && !content.empty()) response.steps.emplace_back(content);
    if (answer) {
      region = content;
      ++n_answers;
    }
    at = end;
  }
  const auto boxed = last_boxed(region.value_or(text));
  if (boxed) {
    response.answer = *boxed;
  } else if (region && !region->empty()) {
    response.answer = *region;
  }
  // Written again from its parts: whatever was unclosed, out of order, doubled or outside shows as a difference.
  const bool one_answer = n_answers == 1 && response.answer && !response.answer->empty() &&
                          (!boxed || *region == std::string(kBoxed).append(*boxed).append("}"));
  response.format_kept =
      !response.steps.empty() && one_answer && render(response.steps, *region, Format::tagged) == text;
  return response;
}

}  // namespace

Format format_named(std::string_view name) { return name == "tagged" ? Format::tagged : Format::plain; }

std::string render(const std::vector<std::string>& steps, std::string_view answer, Format format) {
  std::string text;
  for (const std::string& step : steps) {
    if (format == Format::plain) {
      text.append(step).append("\n");
    } else {
      text.append(kStepStart).append(step).append(kStepEnd);
    }
  }
  if (format == Format::plain) return text.append(kAnswerWord).append(answer);
  return text.append(kAnswerStart).append(answer).append(kAnswerEnd);
}

Response read_response(std::string_view text, Format format) {
  return format == Format::plain ? read_plain(text) : read_tagged(text);
}

}  // namespace lowbit::answers
