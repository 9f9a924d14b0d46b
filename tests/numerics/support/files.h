// Files of the numerics tests: the committed fixtures, data that lies beside a checkout, and scratch directories.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "lm/error.h"

namespace lowbit::test {

inline std::filesystem::path fixtures() { return std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data"; }

/// `relative` below ../shared/data; nothing, and a warning in the output, where a checkout has no such neighbour.
inline std::optional<std::filesystem::path> shared_data(const std::string& relative) {
  const auto path = std::filesystem::path(LOWBIT_SOURCE_DIR).parent_path() / "shared/data" / relative;
  if (std::filesystem::exists(path)) return path;
  WARN("skipped: no " << path.string());
  return std::nullopt;
}

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}
inline nlohmann::json read_json(const std::filesystem::path& file) { return nlohmann::json::parse(read_text(file)); }

/// A directory that goes away with the object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "lowbit-numerics-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Full text of the error that `action` throws, with this directory written as DIR; fails the test when none comes.
  template <class Action>
  [[nodiscard]] std::string error_of(const Action& action) const {
    std::string text;
    try {
      action();
    } catch (const lm::Error& e) {
      text = e.what();
    }
    REQUIRE_FALSE(text.empty());
    for (size_t at = text.find(path_.string()); at != text.npos; at = text.find(path_.string())) {
      text.replace(at, path_.string().size(), "DIR");
    }
    return text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace lowbit::test
