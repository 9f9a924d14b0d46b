#include "lm/pattern.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace lowbit::lm {
namespace {

std::string pcre2_message(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR bytes(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

/// \s and \S as Unicode's White_Space, which is what Oniguruma means; PCRE2's take U+180E in as well.
std::string with_unicode_blanks(const std::string& expression) {
  const std::string blanks =
      R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
  std::string result;
  bool in_class = false;
  for (size_t i = 0; i < expression.size(); ++i) {
    const std::string two = expression.substr(i, 2);
    if (in_class && two == "[:") {  // [[:alpha:]\s]: its bracket does not end the class
      const size_t end = std::min(expression.find(":]", i + 2), expression.size() - 2) + 2;
      result += expression.substr(i, end - i);
      i = end - 1;
      continue;
    }
    if (expression[i] == '[') in_class = true;
    if (expression[i] == ']') in_class = false;
    if (expression[i] != '\\' || two.size() == 1) {
      result += expression[i];
      continue;
    }
    ++i;
    if (two == "\\s") {
      result += in_class ? blanks : "[" + blanks + "]";
    } else if (two == "\\S") {
      if (in_class) throw std::invalid_argument("\\S inside of brackets is not supported");
      result += "[^" + blanks + "]";
    } else {
      result += two;
    }
  }
  return result;
}

}  // namespace

struct Pattern::Regex {
  explicit Regex(const std::string& expression) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code = pcre2_compile(bytes(expression), expression.size(), PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
    if (code == nullptr) {
      throw std::invalid_argument(pcre2_message(error) + " at byte " + std::to_string(offset));
    }
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without it matching is only slower
  }
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex() { pcre2_code_free(code); }
  pcre2_code* code;
};

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

Pattern Pattern::regex(const std::string& expression) {
  Pattern pattern;
  pattern.regex_ = std::make_shared<const Regex>(with_unicode_blanks(expression));
  return pattern;
}

std::vector<Span> Pattern::spans(std::string_view text) const {
  std::vector<Span> result;
  size_t done = 0;
  const auto add_match = [&](size_t begin, size_t end) {
    if (begin > done) result.push_back({done, begin, false});
    result.push_back({begin, end, true});
    done = end;
  };
  if (!regex_) {
    if (!literal_.empty()) {
      for (size_t at = text.find(literal_); at != text.npos; at = text.find(literal_, at + literal_.size())) {
        add_match(at, at + literal_.size());
      }
    }
  } else {
    const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
        pcre2_match_data_create_from_pattern(regex_->code, nullptr), &pcre2_match_data_free);
    size_t from = 0;
    while (from <= text.size()) {
      const int n = pcre2_match(regex_->code, bytes(text), text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                                data.get(), nullptr);
      if (n == PCRE2_ERROR_NOMATCH) break;
      if (n < 0) throw std::runtime_error("regular expression: " + pcre2_message(n));
      const PCRE2_SIZE* const ends = pcre2_get_ovector_pointer(data.get());
      add_match(ends[0], ends[1]);
      from = ends[1];
    }
  }
  if (done < text.size()) result.push_back({done, text.size(), false});
  return result;
}

std::string Pattern::replace(std::string_view text, std::string_view replacement) const {
  std::string result;
  for (const Span& span : spans(text)) {
    result += span.is_match ? replacement : text.substr(span.begin, span.end - span.begin);
  }
  return result;
}

std::vector<std::string_view> split(std::string_view text, const Pattern& pattern, SplitBehavior behavior,
                                    bool invert) {
  std::vector<Span> spans = pattern.spans(text);
  for (Span& span : spans) span.is_match = span.is_match != invert;
  std::vector<Span> pieces;
  bool previous_is_match = false;
  const auto take = [&](const Span& span, bool join, bool before) {
    if (join && !pieces.empty()) {
      (before ? pieces.back().begin : pieces.back().end) = before ? span.begin : span.end;
    } else {
      pieces.push_back(span);
    }
    previous_is_match = span.is_match;
  };
  switch (behavior) {
    case SplitBehavior::removed:
      std::copy_if(spans.begin(), spans.end(), std::back_inserter(pieces), [](const Span& s) { return !s.is_match; });
      break;
    case SplitBehavior::isolated: pieces = spans; break;
    case SplitBehavior::contiguous:
      for (const Span& span : spans) take(span, span.is_match == previous_is_match, false);
      break;
    case SplitBehavior::merged_with_previous:
      for (const Span& span : spans) take(span, span.is_match && !previous_is_match, false);
      break;
    case SplitBehavior::merged_with_next:
      std::for_each(spans.rbegin(), spans.rend(),
                    [&](const Span& span) { take(span, span.is_match && !previous_is_match, true); });
      std::reverse(pieces.begin(), pieces.end());
      break;
  }
  std::vector<std::string_view> result;
  for (const Span& piece : pieces) result.push_back(text.substr(piece.begin, piece.end - piece.begin));
  return result;
}

}  // namespace lowbit::lm
