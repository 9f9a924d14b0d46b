// The page of error codes (docs/errors.md), which the program carries with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lowbit::cli {

/// Every code that the page explains, in its order.
[[nodiscard]] std::vector<std::string> error_codes();
/// The entry of a code, its heading first; empty when there is none.
[[nodiscard]] std::string_view error_entry(std::string_view code);

}  // namespace lowbit::cli
