#include "lm/files.h"

#include "lm/error.h"

namespace lowbit::lm {

void copy_into(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code refused;
  std::filesystem::copy_file(from, to, refused);
  if (refused) {
    throw Error(Status::resource, {.what = "cannot write " + to.filename().string(),
                                   .where = to.string(),
                                   .why = refused.message(),
                                   .fix = "free disk space or check the permissions, then run the same command again"});
  }
}

void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code refused;
  std::filesystem::create_hard_link(from, to, refused);
  if (refused) copy_into(from, to);
}

}  // namespace lowbit::lm
