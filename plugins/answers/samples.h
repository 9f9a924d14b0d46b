// Several answers to one problem: votes among them, and what k of them would have reached.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::answers {

using SameAnswer = std::function<bool(std::string_view, std::string_view)>;

/// By answer, which class of equal answers it is in: the number of the first answer that it equals; nothing for answers
/// that are missing. Each answer is compared with the first of every class only.
[[nodiscard]] std::vector<std::optional<std::size_t>> answer_classes(
    const std::vector<std::optional<std::string>>& answers, const SameAnswer& same);

/// The first answer of the class that most are in, of several such the one seen first; nothing without an answer.
/// Answers that are missing do not vote.
[[nodiscard]] std::optional<std::size_t> majority(const std::vector<std::optional<std::size_t>>& classes);

/// The chance that k of n samples, drawn without replacement, hold one of the c that are correct:
/// 1 - C(n - c, k) / C(n, k). REQUIRES: c <= n, 1 <= k <= n.
[[nodiscard]] double pass_at_k(std::size_t n, std::size_t c, std::size_t k);

/// The mean over all C(n, k) draws of k of n samples of whether the majority of the draw is correct; ties are won by
/// each of the classes that lead with equal chance. `sizes`: of the classes; `correct`: by class. Samples without an
/// answer are the rest up to n. REQUIRES: 1 <= k <= n <= 256, sizes add up to n at most, equally many of both.
[[nodiscard]] double majority_at_k(std::size_t n, std::size_t k, const std::vector<std::size_t>& sizes,
                                   const std::vector<bool>& correct);

}  // namespace lowbit::answers
