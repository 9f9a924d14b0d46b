// JSON as it lies in model directories. Stricter than the parser alone: a key that appears twice is an error, because
// whichever value won, somebody meant the other.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace lowbit::lm {

struct JsonProblem : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws JsonProblem.
[[nodiscard]] nlohmann::json parse_json(std::string_view text);
/// Throws Error{bad_input} that names the file.
[[nodiscard]] nlohmann::json read_json_file(const std::filesystem::path& file);
/// Indented by two, keys in order, a newline at the end. Throws Error{resource}.
void write_json_file(const std::filesystem::path& file, const nlohmann::json& json);

}  // namespace lowbit::lm
