// Whether two answers are the same: grader `lowbit.v1`.
//
//   same_answer("1,234.50", "2469/2")  -> true
//   same_answer("\\frac{1}{2}", "0.5") -> true
//   same_answer("x = 7", "7")          -> false: not a number, and not the same text
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lowbit::answers {

inline constexpr std::string_view kGrader = "lowbit.v1";

/// In lowest terms, denominator > 0.
struct Rational {
  std::int64_t numerator = 0, denominator = 1;
  friend bool operator==(const Rational&, const Rational&) = default;
};

/// An integer, decimal (1.5, .5), fraction (3/4, \frac{3}{4}) or any of them with a sign; surrounding blanks, dollar
/// signs and one full stop at the end are dropped, commas count when they group thousands. Nothing when the text is
/// anything else, or needs more than 18 digits.
[[nodiscard]] std::optional<Rational> read_number(std::string_view text);

/// Equal as rational numbers; where one of them is no number, equal as texts without surrounding blanks.
[[nodiscard]] bool same_answer(std::string_view given, std::string_view reference);

}  // namespace lowbit::answers
