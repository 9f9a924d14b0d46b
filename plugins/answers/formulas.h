// Where formulas and numbers stand in a text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lowbit::answers {

struct Formula {
  std::size_t begin = 0, end = 0;  ///< with its delimiters, and with a percent sign or word behind them
  std::string_view content;        ///< between the delimiters
  bool percent = false;
};
/// Formulas joined by commas, `and` or `or`, at most six.
struct FormulaRow {
  std::size_t begin = 0, end = 0;
  std::vector<Formula> formulas;
};

/// Finds $$...$$, \[...\] (over lines), $...$, \(...\) and [...] between blanks (within a line), and a bare
/// \frac{1}{2}. Looking at any place takes time independent of the text's length, after one pass over it.
class FormulaFinder {
 public:
  /// REQUIRES: the text outlives the finder.
  explicit FormulaFinder(std::string_view text);

  /// The formula that begins at a place.
  [[nodiscard]] std::optional<Formula> formula_at(std::size_t at) const;
  /// The row that begins at a place.
  [[nodiscard]] std::optional<FormulaRow> row_at(std::size_t at) const;

 private:
  using Next = std::vector<std::uint32_t>;  // by place: where the next one begins

  [[nodiscard]] Next next_of(std::string_view mark, bool escaped_too) const;
  [[nodiscard]] bool escaped(std::size_t at) const { return at > 0 && text_[at - 1] == '\\'; }
  [[nodiscard]] std::optional<Formula> between(std::size_t begin, std::size_t content, std::size_t close,
                                               std::size_t mark) const;
  [[nodiscard]] std::optional<Formula> fraction_at(std::size_t at) const;

  std::string_view text_;
  Next dollar_, dollars_, bracket_, parenthesis_, line_end_, square_;
};

struct TypedNumber {
  std::size_t begin = 0, end = 0;  ///< with what must stand before it and a percent sign or word behind it
  std::string_view text;
  bool percent = false;
  bool expression = false;  ///< typed arithmetic (1/2, 3*(4+5)) rather than one number
};
/// A number or typed arithmetic that begins at a place, behind the beginning of the text, a blank or an equals sign.
[[nodiscard]] std::optional<TypedNumber> typed_number_at(std::string_view text, std::size_t at);
[[nodiscard]] std::optional<TypedNumber> typed_expression_at(std::string_view text, std::size_t at);

/// Behind `at`: where a percent sign or word ends that follows it, blanks aside; `at` without one.
[[nodiscard]] std::size_t end_of_percent(std::string_view text, std::size_t at);

}  // namespace lowbit::answers
