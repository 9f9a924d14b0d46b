#include "tasks/record_files.h"

#include <algorithm>
#include <fstream>
#include <lowbit/sdk.hpp>
#include <utility>
#include <vector>

namespace lowbit::tasks {
namespace {

using Json = nlohmann::json;

[[noreturn]] void cannot_read(const std::string& where, const std::string& why) {
  throw StageError(LB_BAD_INPUT, {.what = "a record cannot be read",
                                  .where = where,
                                  .why = why,
                                  .fix = "repair the file, or take it out of the input"});
}

/// Files in the order of their paths below `root`, with these.
std::vector<std::pair<std::string, std::filesystem::path>> files_of(const std::filesystem::path& root) {
  if (!std::filesystem::is_directory(root)) return {{root.filename().string(), root}};
  std::vector<std::pair<std::string, std::filesystem::path>> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto extension = entry.path().extension();
    if (!entry.is_regular_file() || (extension != ".json" && extension != ".jsonl")) continue;
    files.emplace_back(entry.path().lexically_relative(root).generic_string(), entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) cannot_read(root.string(), "no file below it ends in .json or .jsonl");
  return files;
}

class Reader {
 public:
  explicit Reader(const std::function<void(const Record&)>& use) : use_(use) {}

  void read(const std::string& name, const std::filesystem::path& file, bool is_member) {
    if (file.extension() == ".json") {
      read_json(name, file, is_member);
      return;
    }
    for_each_json_line(
        file, [&](const Json& json, std::size_t line) { give(json, "", name + ", line " + std::to_string(line)); });
  }

 private:
  void read_json(const std::string& name, const std::filesystem::path& file, bool is_member) {
    std::ifstream in(file, std::ios::binary);
    const Json json = [&] {
      try {
        return Json::parse(in);
      } catch (const Json::exception& e) {
        cannot_read(name, e.what());
      }
    }();
    if (!json.is_array()) {
      give(json, is_member ? name : "", name);
      return;
    }
    for (std::size_t i = 0; i < json.size(); ++i) give(json[i], "", name + ", record " + std::to_string(i + 1));
  }

  void give(const Json& json, const std::string& path, const std::string& where) {
    if (!json.is_object()) cannot_read(where, "it is " + std::string(json.type_name()) + " instead of an object");
    try {
      use_({.json = json, .number = ++n_, .path = path, .where = where});
    } catch (const Json::exception& e) {
      cannot_read(where, e.what());
    }
  }

  const std::function<void(const Record&)>& use_;
  std::size_t n_ = 0;
};

}  // namespace

void for_each_record(const std::filesystem::path& path, const std::function<void(const Record&)>& use) {
  Reader reader(use);
  const bool is_directory = std::filesystem::is_directory(path);
  for (const auto& [name, file] : files_of(path)) reader.read(name, file, is_directory);
}

}  // namespace lowbit::tasks
