// SHA-256 of files and texts, as artifacts name them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace lowbit::lm {

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_of_text(std::string_view bytes);
/// Throws Error{bad_input} when the file cannot be read.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace lowbit::lm
