#include "lm/files.h"

#include <fstream>
#include <string>
#include <vector>

#include "lm/error.h"

namespace lowbit::lm {

namespace {

[[noreturn]] void cannot_write(const std::filesystem::path& to, const std::string& why) {
  throw Error(Status::resource, {.what = "cannot write " + to.filename().string(),
                                 .where = to.string(),
                                 .why = why,
                                 .fix = "free disk space or check the permissions, then run the same command again"});
}

}  // namespace

void copy_into(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code refused;
  std::filesystem::copy_file(from, to, refused);
  if (refused) cannot_write(to, refused.message());
}

void copy_in_parts(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::function<void()>& tick) {
  std::ifstream in(from, std::ios::binary);
  std::ofstream out(to, std::ios::binary);
  std::vector<char> part(size_t{8} << 20U);
  while (in && out) {
    if (tick) tick();
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    out.write(part.data(), in.gcount());
  }
  out.close();
  if (!in.eof() || !out) cannot_write(to, in.eof() ? "the disk refuses" : from.string() + " cannot be read to its end");
}

void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code refused;
  std::filesystem::create_hard_link(from, to, refused);
  if (refused) copy_into(from, to);
}

}  // namespace lowbit::lm
