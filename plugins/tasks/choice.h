// Which of many items are taken, so that anybody can say why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::tasks {

enum class Choice { first, random };
/// REQUIRES: "first" or "random".
[[nodiscard]] Choice choice_named(std::string_view name);

/// The place of an id in a random order: SHA-256 of `<seed>/<id>`. It depends on neither the other ids nor on where
/// this one stands.
[[nodiscard]] std::string draw_of(std::int64_t seed, const std::string& id);

/// Indices of `n` ids, ascending: the first ones, or those whose draws are smallest. n = 0: all. Throws
/// StageError{LB_BAD_INPUT} when there are fewer, that names `param`.
[[nodiscard]] std::vector<std::size_t> chosen(const std::vector<std::string>& ids, std::int64_t n, Choice choice,
                                              std::int64_t seed, const std::string& param = "n");

}  // namespace lowbit::tasks
