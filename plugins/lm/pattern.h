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
  /// PCRE2 with Unicode properties; tokenizer.json's Oniguruma expressions of practice mean the same in it. \s and \S
  /// are Unicode's White_Space.
  /// Throws std::invalid_argument with the compiler's message and position.
  [[nodiscard]] static Pattern regex(const std::string& expression);

  /// Covers `text` from begin to end with alternating-or-adjacent spans; matches are leftmost and never empty.
  /// REQUIRES: text is UTF-8.
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
