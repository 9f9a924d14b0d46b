// The project's paid-calls file (lowbit/paid_calls.h), as far as one stage is concerned.
//
//   PaidCalls paid(*job.paid_calls(), keys_of_this_stage);
//   if (!paid.answer(key)) { ...ask...; paid.append(record); }
//
// A record is an object {"format": 1, "key", "answered", ...}: `key` names a question, `answered` is false for calls
// that failed. Not thread-safe; any number of processes may hold the same file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace lowbit::openai {

class PaidCalls {
 public:
  /// Reads the file, if there is one, and keeps the records of these keys. Throws StageError(LB_RESOURCE).
  PaidCalls(std::filesystem::path file, std::set<std::string> keys);

  /// Takes in what was appended since, by anyone.
  void refresh();
  /// Every record of a key, in the order of the file.
  [[nodiscard]] const std::vector<nlohmann::json>& records(const std::string& key) const;
  /// The first answered one; null when there is none. Valid until the next refresh() or append().
  [[nodiscard]] const nlohmann::json* answer(const std::string& key) const;
  /// The calls that a result made from this key's answer stands on: all records but further answers, which somebody
  /// else paid for who asked at the same moment. Valid as long as answer().
  [[nodiscard]] std::vector<const nlohmann::json*> behind(const std::string& key) const;
  /// Durable when it returns. Throws StageError(LB_RESOURCE): the disk is full, or the file may not be written.
  void append(const nlohmann::json& record);

 private:
  std::filesystem::path file_;
  std::set<std::string> keys_;
  std::map<std::string, std::vector<nlohmann::json>> records_;
  std::uint64_t read_ = 0;  ///< bytes taken in; always behind a newline
};

}  // namespace lowbit::openai
