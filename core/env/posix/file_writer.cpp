#include "env/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <utility>

#include "env/fault.h"
#include "env/files.h"
#include "env/posix/descriptor.h"

namespace lowbit::env {
namespace {

constexpr std::size_t kGatheredBytes = std::size_t{1} << 18U;
constexpr mode_t kOrdinaryFile = 0666;  // less what the umask takes

}  // namespace

struct FileWriter::State {
  std::filesystem::path path;
  Descriptor file;
  std::string gathered;

  Result<void> flush() {
    if (const int fault = fault_point(); fault != 0) return file_error("writing", path, fault);
    std::string_view rest = gathered;
    while (!rest.empty()) {
      const ssize_t written = ::write(file.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return file_error("writing", path, errno);
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    gathered.clear();
    fault_passed();
    return {};
  }
};

FileWriter::FileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileWriter::~FileWriter() = default;
FileWriter::FileWriter(FileWriter&&) noexcept = default;
FileWriter& FileWriter::operator=(FileWriter&&) noexcept = default;

Result<FileWriter> FileWriter::create(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOrdinaryFile));
  if (!state->file) return file_error("writing", path, errno);
  return FileWriter(std::move(state));
}

Result<void> FileWriter::write(std::string_view piece) {
  state_->gathered.append(piece);
  return state_->gathered.size() < kGatheredBytes ? Result<void>() : state_->flush();
}

Result<void> FileWriter::close() {
  LB_TRY(state_->flush());
  if (::close(state_->file.release()) != 0) return file_error("writing", state_->path, errno);
  return {};
}

}  // namespace lowbit::env
