// Data sets as they are published: JSON Lines, a JSON array, or a directory with a file for each record.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace lowbit::tasks {

struct Record {
  const nlohmann::json& json;  ///< an object
  std::size_t number;          ///< from 1 on, over all files
  /// Of a record that is a file of its own, below the directory: `algebra/1.json`; empty for all others.
  std::string path;
  std::string where;  ///< for errors
};

/// A file whose name ends in `.json` is one record or an array of them, every other file JSON Lines. Of a directory
/// all `.json` and `.jsonl` files below it are read, in the order of their paths; others are passed over. Throws
/// StageError{LB_BAD_INPUT}; nlohmann::json::exception of `use` becomes one that says where.
void for_each_record(const std::filesystem::path& path, const std::function<void(const Record&)>& use);

}  // namespace lowbit::tasks
