// The events file: JSON lines that the program appends and this side reads while it grows. docs/command-stage.md.
#pragma once

#include <lowbit/sdk.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace lowbit::command {

class Events {
 public:
  /// Creates the empty `file`. `checkpoints`: the directory in whose subdirectory <step> a checkpoint lies.
  Events(const Job& job, std::filesystem::path file, std::filesystem::path checkpoints);

  /// Acts on every complete line that is new. Throws StageError(LB_INTERNAL) at a line that is not an event.
  void read();
  /// The same for all there is: the last line may lack its newline. Call once, when the program has ended.
  void read_to_end();

  /// The first {"error": ...}, to be thrown once the program has ended.
  [[nodiscard]] const std::optional<StageError>& error() const { return error_; }
  [[nodiscard]] std::size_t final_metrics() const { return final_metrics_; }

 private:
  void take(const std::string& line);
  void metric(const nlohmann::json& event);
  void progress(const nlohmann::json& event);
  void log(const nlohmann::json& event);
  void checkpoint(const nlohmann::json& event);
  void remember_error(const nlohmann::json& event);

  const Job& job_;
  std::filesystem::path file_;
  std::filesystem::path checkpoints_;
  std::ifstream in_;
  std::string partial_;  ///< of the line that is still being written
  std::size_t line_ = 0;
  std::size_t final_metrics_ = 0;
  std::optional<StageError> error_;
};

}  // namespace lowbit::command
