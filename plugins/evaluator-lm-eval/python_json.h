// JSON as Python's json module writes it: NaN, Infinity and -Infinity stand where JSON has no word for them.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

namespace lowbit::lm_eval {

/// These words outside of strings as null. Throws nlohmann::json::exception.
[[nodiscard]] nlohmann::json parse_python_json(std::string_view text);

/// Throws StageError{LB_BAD_INPUT} with file and line.
[[nodiscard]] nlohmann::json read_python_json(const std::filesystem::path& file);

/// Calls `use(value, line)` for each line, from 1 on. A line that is no JSON, and a nlohmann::json::exception of `use`,
/// become a StageError{LB_BAD_INPUT} with file and line.
void for_each_python_json_line(const std::filesystem::path& file,
                               const std::function<void(const nlohmann::json&, std::size_t)>& use);

}  // namespace lowbit::lm_eval
