// A file that is written piece by piece and read by nobody before a later step says that it is there. Not thread-safe.
//
//   LB_TRY_ASSIGN(env::FileWriter file, env::FileWriter::create(directory / "curves.csv"));
//   for (...) LB_TRY(file.write(line));
//   LB_TRY(file.close());
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace lowbit::env {

class FileWriter {
 public:
  /// A new file, empty; one that is there is an error (LB61xx, as of all calls).
  [[nodiscard]] static Result<FileWriter> create(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(FileWriter&&) noexcept;
  FileWriter& operator=(FileWriter&&) noexcept;

  /// Small pieces are gathered. REQUIRES: not closed.
  [[nodiscard]] Result<void> write(std::string_view piece);
  /// After it every piece is in the file. REQUIRES: called once.
  [[nodiscard]] Result<void> close();

 private:
  struct State;
  explicit FileWriter(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace lowbit::env
