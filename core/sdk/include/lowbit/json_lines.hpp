// JSON Lines: one JSON value a line, the form of predictions/1, verdicts/1 and their kin, and the null rule of their
// fields. Errors name file and line.
#pragma once

#include <lowbit/errors.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lowbit {

/// A value that does not exist is null in records, never a missing key.
template <class T>
[[nodiscard]] nlohmann::json or_null(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}
/// The other way round. Throws nlohmann::json::exception for a value of another type.
template <class T>
[[nodiscard]] std::optional<T> optional_of(const nlohmann::json& value) {
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

/// Calls `use(value, line_number)` for each line of `file` (numbers from 1; empty lines are skipped). What `use` finds
/// wrong in a value (nlohmann::json::exception: a missing key, another type) becomes a StageError naming the line.
template <class Use>
void for_each_json_line(const std::filesystem::path& file, Use&& use) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    throw StageError(LB_BAD_INPUT, {.what = "cannot open " + file.filename().string(),
                                    .where = file.string(),
                                    .why = "the file is missing or may not be read",
                                    .fix = "check the input, or run the stage that writes it again"});
  }
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      use(nlohmann::json::parse(line), number);
    } catch (const nlohmann::json::exception& e) {
      throw StageError(LB_BAD_INPUT, {.what = "line " + std::to_string(number) + " of " + file.filename().string() +
                                              " cannot be read",
                                      .where = file.string() + ":" + std::to_string(number),
                                      .why = e.what(),
                                      .fix = "repair the line, or run the stage that wrote the file again"});
    }
  }
  if (in.bad()) {
    throw StageError(LB_RESOURCE, {.what = "reading " + file.filename().string() + " failed",
                                   .where = file.string(),
                                   .why = "the system reported an input error",
                                   .fix = "check the disk, then run again"});
  }
}

[[nodiscard]] inline std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& file) {
  std::vector<nlohmann::json> rows;
  for_each_json_line(file, [&](nlohmann::json row, std::size_t) { rows.push_back(std::move(row)); });
  return rows;
}

/// Writes one value a line. Call close(): it is what reports a full disk.
class JsonLinesWriter {
 public:
  explicit JsonLinesWriter(std::filesystem::path file) : file_(std::move(file)), out_(file_, std::ios::binary) {
    expect_good();
  }
  void write(const nlohmann::json& value) {
    out_ << value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    expect_good();
  }
  void close() {
    out_.close();
    expect_good();
  }

 private:
  void expect_good() const {
    if (out_) return;
    throw StageError(LB_RESOURCE, {.what = "cannot write " + file_.filename().string(),
                                   .where = file_.string(),
                                   .why = "the directory is not writable or the disk is full",
                                   .fix = "free disk space, then run again"});
  }

  std::filesystem::path file_;
  std::ofstream out_;
};

}  // namespace lowbit
