// How wide what is printed may be.
#pragma once

#include <cstddef>

namespace lowbit::cli {

/// Columns of the terminal that stdout is, else COLUMNS of the environment, else 80.
[[nodiscard]] std::size_t output_width();

}  // namespace lowbit::cli
