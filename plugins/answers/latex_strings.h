// The rewriting of answers as strings that the graders of MATH share (hendrycks/math, and those that took it over).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lowbit::answers {

/// \frac12 as \frac{1}{2}, \frac1{72} as \frac{1}{72}; \frac{72}1 stays. Nothing where the original raises: a \frac at
/// the end. The text itself when a single character follows one.
[[nodiscard]] std::optional<std::string> with_braced_fractions(std::string_view text);
/// \sqrt3 as \sqrt{3}. Nothing where the original raises: a \sqrt at the end.
[[nodiscard]] std::optional<std::string> with_braced_roots(std::string_view text);
/// a/b as \frac{a}{b} when both are integers as Python writes them and nothing else stands there.
[[nodiscard]] std::string with_frac_for_slash(std::string_view text);
/// Whether both sides of the only / are integers as Python reads them; true without exactly one /.
[[nodiscard]] bool slash_has_integers(std::string_view text);

/// The normal form of hendrycks/math. Nothing where the original raises.
[[nodiscard]] std::optional<std::string> hendrycks_form(std::string_view answer);

/// Without `command{` and the `}` that follows it, the first or, if `to_last`, the last of its line.
[[nodiscard]] std::string unwrapped(std::string_view text, std::string_view command, bool to_last = false);
/// frac and sqrt with the characters that follow them in braces, as Minerva and OpenCompass do.
[[nodiscard]] std::string with_braces_behind(std::string_view text, std::string_view word, std::size_t n_arguments);
/// Without its commas when there is nothing else but digits.
[[nodiscard]] std::string without_digit_commas(std::string_view text);

}  // namespace lowbit::answers
