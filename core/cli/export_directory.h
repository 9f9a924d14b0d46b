// A directory that `lowbit export` writes file by file: it lies beside its destination until all of it is there.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "base/result.h"
#include "env/file_writer.h"
#include "interchange/export_file.h"

namespace lowbit::cli {

class ExportDirectory {
 public:
  /// LB0015 where the destination is there and not empty.
  [[nodiscard]] static Result<ExportDirectory> begin(const std::filesystem::path& written);
  /// Leaves nothing behind unless finish() was called.
  ~ExportDirectory();
  ExportDirectory(ExportDirectory&& other) noexcept;
  ExportDirectory& operator=(ExportDirectory&&) = delete;

  /// `path`: relative, parts separated by /; its directories are made.
  [[nodiscard]] Result<env::FileWriter> open(const std::string& path);
  [[nodiscard]] Result<void> write(const interchange::ExportFile& file);
  /// Whether a file of this path was opened.
  [[nodiscard]] bool has(const std::string& path) const { return paths_.contains(path); }
  [[nodiscard]] std::size_t n_files() const { return paths_.size(); }
  /// Moves it to its destination, durably.
  [[nodiscard]] Result<void> finish();
  [[nodiscard]] const std::filesystem::path& destination() const { return destination_; }

 private:
  ExportDirectory(std::filesystem::path destination, std::filesystem::path beside);

  std::filesystem::path destination_;
  std::filesystem::path beside_;  ///< empty: moved
  std::set<std::string> paths_;
};

}  // namespace lowbit::cli
