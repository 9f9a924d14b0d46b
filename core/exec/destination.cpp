#include "exec/destination.h"

#include "env/files.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

/// `shown`: as it was typed.
Result<void> check_destination(const fs::path& destination, const std::string& shown) {
  std::error_code code;
  if (!fs::exists(fs::symlink_status(destination, code))) return {};
  if (fs::equivalent(destination, fs::current_path(), code)) {
    return error("LB0015", "the destination is the current directory")
        .note("it is replaced as a whole, which would leave you in a directory that is gone")
        .fix("give the name of a new directory");
  }
  if (fs::is_directory(destination, code) && fs::is_empty(destination, code) && !code) return {};
  return error("LB0015", "the destination " + shown + " is not empty")
      .note("nothing is overwritten")
      .fix("give a directory that does not exist yet, or remove this one");
}

}  // namespace

Result<fs::path> new_directory(const fs::path& written) {
  fs::path destination = fs::weakly_canonical(fs::absolute(written));
  if (!destination.has_filename()) destination = destination.parent_path();
  LB_TRY(check_destination(destination, written.string()));
  LB_TRY(env::make_directories(destination.parent_path()));
  return destination;
}

}  // namespace lowbit::exec
