#include "lm/pattern.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lm/error.h"

namespace lowbit::lm {
namespace {

std::string pcre2_message(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR bytes(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

/// Members of a class, without its brackets.
constexpr std::string_view kBlanks =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

/// An expression in Oniguruma's terms rewritten in PCRE2's, construct by construct; what is not known to mean the same
/// in both is refused. Facts: Oniguruma's doc/RE (syntax Ruby, Unicode), pcre2pattern(3).
class Translation {
 public:
  explicit Translation(std::string_view expression) : in_(expression) {}

  /// Throws std::domain_error that names the construct, std::invalid_argument when a bracket stays open.
  [[nodiscard]] std::string run() {
    refuse_multi_character_folds();
    while (!done()) {
      switch (in_[at_]) {
        case '\\': escape(false); break;
        case '[': set(); break;
        case '(': group(); break;
        case '{': count(); break;
        case '.': put(1, R"([^\n])"); break;
        case '^': put(1, R"((?:\A|(?<=\n)(?!\z)))"); break;
        case '$': put(1, R"((?:(?=\n)|(?<!\n)\z))"); break;
        default: keep(1);
      }
    }
    return out_;
  }

 private:
  [[nodiscard]] bool done() const { return at_ >= in_.size(); }
  [[nodiscard]] std::string_view ahead(size_t n) const { return in_.substr(at_, n); }
  void put(size_t n_read, std::string_view text) {
    out_ += text;
    at_ += n_read;
  }
  void keep(size_t n) { put(n, ahead(n)); }
  [[noreturn]] static void refuse(std::string_view construct) {
    throw std::domain_error(std::string(construct) + " in an expression");
  }
  /// The text from here to `end`, inclusive.
  [[nodiscard]] std::string_view until(std::string_view end) const {
    const size_t found = in_.find(end, at_);
    if (found == std::string_view::npos)
      throw std::invalid_argument("no " + std::string(end) + " after byte " + std::to_string(at_));
    return in_.substr(at_, found + end.size() - at_);
  }

  void escape(bool in_set) {
    if (ahead(2).size() < 2) throw std::invalid_argument("it ends in a backslash");
    const char c = in_[at_ + 1];
    const auto is_plain = [](char x) { return x >= 0 && std::isalnum(x) == 0; };
    if (c == 's') {
      put(2, in_set ? std::string(kBlanks) : "[" + std::string(kBlanks) + "]");
    } else if (c == 'S') {
      put(2, in_set ? R"(\P{White_Space})" : "[^" + std::string(kBlanks) + "]");
    } else if (c == 'd' || c == 'D') {
      put(2, c == 'd' ? R"(\p{Nd})" : R"(\P{Nd})");
    } else if (c == 'v') {  // PCRE2's is a class
      put(2, R"(\x{b})");
    } else if (c == 'p' || c == 'P') {
      property();
    } else if (c == 'x') {
      if (ahead(3) != R"(\x{)") refuse(ahead(2));
      keep(until("}").size());
    } else if (is_plain(c) || std::string_view("nrtfae").find(c) != std::string_view::npos ||
               (!in_set && std::string_view("AzZ").find(c) != std::string_view::npos)) {
      keep(2);
    } else {
      refuse(ahead(2));
    }
  }

  /// General categories; other names only as scripts, and those as characters have them (PCRE2 would take in the
  /// characters that a script shares with others).
  void property() {
    if (ahead(3).substr(2) != "{") refuse(ahead(3));
    const std::string_view whole = until("}");
    std::string_view name = whole.substr(3, whole.size() - 4);
    const bool inverse = name.substr(0, 1) == "^";
    if (inverse) name.remove_prefix(1);
    out_ += std::string(whole.substr(0, 3)) + (inverse ? "^" : "") + (name.size() > 2 ? "sc:" : "");
    put(whole.size(), std::string(name) + "}");
  }

  void set() {
    const size_t start = at_;
    keep(ahead(2) == "[^" ? 2 : 1);
    if (ahead(1) == "]") refuse(in_.substr(start, at_ + 1 - start));
    while (ahead(1) != "]") {
      if (done()) throw std::invalid_argument("no ] after byte " + std::to_string(start));
      if (ahead(2) == "[:") {
        named_set();
      } else if (ahead(1) == "[" || ahead(2) == "&&") {
        refuse(in_.substr(start, at_ + 2 - start));
      } else if (ahead(1) == "\\") {
        escape(true);
      } else {
        keep(1);
      }
    }
    keep(1);
  }

  void named_set() {
    const std::string_view name = until(":]");
    for (const auto& [posix, property] :
         {std::pair<std::string_view, std::string_view>{"[:alpha:]", R"(\p{Alphabetic})"},
          {"[:digit:]", R"(\p{Nd})"},
          {"[:lower:]", R"(\p{Lowercase})"},
          {"[:upper:]", R"(\p{Uppercase})"},
          {"[:space:]", kBlanks}}) {
      if (name == posix) return put(name.size(), property);
    }
    refuse(name);
  }

  void group() {
    for (const std::string_view start : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"}) {
      if (ahead(start.size()) == start) return keep(start.size());
    }
    if (ahead(2) == "(?" || ahead(2) == "(*") refuse(ahead(3));
    keep(1);
  }

  /// {2}, {2,} and {2,3}, greedy or not; Ruby's {2}+ is a repetition of the repetition, PCRE2's is possessive.
  void count() {
    size_t end = at_ + 1;
    const auto digits = [&] {
      const size_t from = end;
      while (end < in_.size() && in_[end] >= '0' && in_[end] <= '9') ++end;
      return end > from;
    };
    bool valid = digits();
    const bool exact = in_.substr(end, 1) == "}";
    if (in_.substr(end, 1) == ",") {
      ++end;
      digits();
    }
    valid = valid && in_.substr(end, 1) == "}";
    const std::string_view next = in_.substr(std::min(end + 1, in_.size()), 1);
    if (!valid || next == "+" || (next == "?" && exact)) refuse(in_.substr(at_, end + (valid ? 2 : 1) - at_));
    keep(end + 1 - at_);
  }

  /// Oniguruma lets (?i:ss) match a sharp s.
  void refuse_multi_character_folds() const {
    if (in_.find("(?i:") == std::string_view::npos) return;
    std::string lower(in_);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const std::string_view fold : {"ss", "ff", "fi", "fl", "st"}) {
      if (lower.find(fold) != std::string::npos) refuse("(?i: with " + std::string(fold));
    }
  }

  std::string_view in_;
  size_t at_ = 0;
  std::string out_;
};

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
  [[nodiscard]] bool matches_empty() const {
    uint32_t empty = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
    return empty != 0;
  }
  /// pcre2_match; what overflows the JIT compiler's stack is matched on the heap.
  int match(std::string_view text, size_t from, pcre2_match_data* data) const {
    const uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY;
    const int n = pcre2_match(code, bytes(text), text.size(), from, options, data, nullptr);
    if (n != PCRE2_ERROR_JIT_STACKLIMIT) return n;
    return pcre2_match(code, bytes(text), text.size(), from, options | PCRE2_NO_JIT, data, nullptr);
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
  Pattern pattern = pcre2(Translation(expression).run());
  if (pattern.regex_->matches_empty()) throw std::domain_error("a match of the empty text in an expression");
  return pattern;
}

Pattern Pattern::pcre2(const std::string& expression) {
  Pattern pattern;
  pattern.regex_ = std::make_shared<const Regex>(expression);
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
      const int n = regex_->match(text, from, data.get());
      if (n == PCRE2_ERROR_NOMATCH) break;
      if (n < 0) {
        throw Error(Status::bad_input, {.what = "an expression of the tokenizer cannot be matched",
                                        .where = "byte " + std::to_string(from) + " of " + std::to_string(text.size()),
                                        .why = pcre2_message(n),
                                        .fix = "cut the text into shorter ones"});
      }
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
