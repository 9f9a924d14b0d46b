// A literal text or a regular expression, as tokenizer.json writes them, and the five ways to split at its matches.
// Thread rule: const members may be called from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::lm {

struct Span {
  size_t begin, end;  ///< bytes
  bool is_match;
};

class Pattern {
 public:
  [[nodiscard]] static Pattern literal(std::string text);
  /// An expression of tokenizer.json, which Hugging Face reads with Oniguruma (Ruby's syntax); here PCRE2 matches it.
  /// What the two would read differently is refused: \w, \b, set operations, (?i) without a colon, the empty match, ...
  /// Throws std::invalid_argument with the compiler's message and position; std::domain_error with what is refused.
  [[nodiscard]] static Pattern regex(const std::string& expression);
  /// An expression of lowbit's own, in PCRE2's syntax. REQUIRES: it is valid and does not match the empty text.
  [[nodiscard]] static Pattern pcre2(const std::string& expression);

  /// Covers `text` from begin to end with alternating-or-adjacent spans; matches are leftmost and never empty.
  /// Throws Error{bad_input} when matching takes more memory or steps than PCRE2 allows. REQUIRES: text is UTF-8.
  [[nodiscard]] std::vector<Span> spans(std::string_view text) const;
  [[nodiscard]] std::string replace(std::string_view text, std::string_view replacement) const;

 private:
  struct Regex;
  std::string literal_;
  std::shared_ptr<const Regex> regex_;  // null: literal
};

/// What becomes of the matches; the names are those of tokenizer.json.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// Pieces are views of `text` and never empty. `invert`: the matches are the content, the rest is the delimiter.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, const Pattern& pattern, SplitBehavior behavior,
                                                  bool invert = false);

}  // namespace lowbit::lm
