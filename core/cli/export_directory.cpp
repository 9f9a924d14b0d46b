#include "cli/export_directory.h"

#include <unistd.h>

#include <utility>

#include "env/files.h"
#include "exec/destination.h"

namespace lowbit::cli {
namespace fs = std::filesystem;

ExportDirectory::ExportDirectory(fs::path destination, fs::path beside)
    : destination_(std::move(destination)), beside_(std::move(beside)) {}

ExportDirectory::ExportDirectory(ExportDirectory&& other) noexcept
    : destination_(std::move(other.destination_)),
      beside_(std::exchange(other.beside_, {})),
      paths_(std::move(other.paths_)) {}

ExportDirectory::~ExportDirectory() {
  if (beside_.empty()) return;
  // What is wrong was said already: a failure to clear up adds nothing to it.
  static_cast<void>(env::remove_tree(beside_));
}

Result<ExportDirectory> ExportDirectory::begin(const fs::path& written) {
  LB_TRY_ASSIGN(const fs::path destination, exec::new_directory(written));
  const fs::path beside = destination.parent_path() /
                          ("." + destination.filename().string() + ".lowbit-export-" + std::to_string(::getpid()));
  // Of a killed process that had the same number.
  LB_TRY(env::remove_tree(beside));
  LB_TRY(env::make_directories(beside));
  return ExportDirectory(destination, beside);
}

Result<env::FileWriter> ExportDirectory::open(const std::string& path) {
  paths_.insert(path);
  LB_TRY(env::make_directories((beside_ / path).parent_path()));
  return env::FileWriter::create(beside_ / path);
}

Result<void> ExportDirectory::write(const interchange::ExportFile& file) {
  LB_TRY_ASSIGN(env::FileWriter writer, open(file.path));
  LB_TRY(writer.write(file.bytes));
  return writer.close();
}

Result<void> ExportDirectory::finish() {
  LB_TRY(env::rename_durably({{beside_, destination_}}));
  beside_.clear();
  return {};
}

}  // namespace lowbit::cli
