// `lowbit worker --describe PLUGIN.so --output FILE`: loads one plugin in this process and writes what it says about
// itself. lowbit_add_plugin() calls it after linking, the host when a plugin has no description that fits.
#pragma once

#include <filesystem>
#include <optional>

namespace lowbit::worker {

struct DescribeRequest {
  std::filesystem::path library;
  std::filesystem::path output;                 ///< *.plugin.json; left alone on failure
  std::optional<std::filesystem::path> errors;  ///< problems go here, as a JSON array, instead of to stderr
};

/// Returns the exit status of the process.
[[nodiscard]] int describe(const DescribeRequest& request);

}  // namespace lowbit::worker
