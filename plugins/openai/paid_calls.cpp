#include "openai/paid_calls.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <lowbit/errors.hpp>
#include <utility>

namespace lowbit::openai {
namespace {

using Json = nlohmann::json;

[[noreturn]] void cannot(const char* doing, const std::filesystem::path& file, int problem) {
  throw StageError(LB_RESOURCE, {.what = std::string("the paid-calls file cannot be ") + doing,
                                 .where = file.string(),
                                 .why = std::strerror(problem),
                                 .fix = "free disk space or make the file writable, then run again: answers that were "
                                        "paid for are kept"});
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

void write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) cannot("written", file, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sync_directory(const std::filesystem::path& file) {
  const Descriptor directory(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.number() < 0 || ::fsync(directory.number()) != 0) cannot("written", file, errno);
}

}  // namespace

PaidCalls::PaidCalls(std::filesystem::path file, std::set<std::string> keys)
    : file_(std::move(file)), keys_(std::move(keys)) {
  refresh();
}

void PaidCalls::refresh() {
  const Descriptor in(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.number() < 0 && errno == ENOENT) return;
  struct stat facts {};
  if (in.number() < 0 || ::fstat(in.number(), &facts) != 0) cannot("read", file_, errno);
  if (static_cast<std::uint64_t>(facts.st_size) <= read_) return;
  std::string line;
  std::array<char, 1U << 16U> piece{};
  for (std::uint64_t at = read_;;) {
    const ssize_t n = ::pread(in.number(), piece.data(), piece.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) cannot("read", file_, errno);
    if (n == 0) return;  // what is left in `line` is unfinished
    std::string_view rest(piece.data(), static_cast<std::size_t>(n));
    at += rest.size();
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      line += rest.substr(0, end);
      rest.remove_prefix(end + 1);
      read_ += line.size() + 1;
      Json record = Json::parse(line, nullptr, false);
      line.clear();
      if (!record.is_object() || record.value("format", Json()) != 1) continue;
      const Json key = record.value("key", Json());
      if (key.is_string() && keys_.contains(key.get<std::string>())) {
        records_[key.get<std::string>()].push_back(std::move(record));
      }
    }
    line += rest;
  }
}

const std::vector<Json>& PaidCalls::records(const std::string& key) const {
  static const std::vector<Json> none;
  const auto found = records_.find(key);
  return found == records_.end() ? none : found->second;
}

const Json* PaidCalls::answer(const std::string& key) const {
  for (const Json& record : records(key)) {
    if (record.value("answered", Json()) == true) return &record;
  }
  return nullptr;
}

std::vector<const Json*> PaidCalls::behind(const std::string& key) const {
  const Json* const counted = answer(key);
  std::vector<const Json*> out;
  for (const Json& record : records(key)) {
    if (record.at("answered") == false || &record == counted) out.push_back(&record);
  }
  return out;
}

void PaidCalls::append(const Json& record) {
  {
    const Descriptor out(::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    struct stat facts {};
    if (out.number() < 0 || ::flock(out.number(), LOCK_EX) != 0 || ::fstat(out.number(), &facts) != 0) {
      cannot("written", file_, errno);
    }
    char last = '\n';
    if (facts.st_size > 0 && ::pread(out.number(), &last, 1, facts.st_size - 1) != 1) cannot("read", file_, errno);
    std::string line = last == '\n' ? "" : "\n";  // an unfinished line of a job that was killed
    line += record.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    write_all(out.number(), line, file_);
    if (::fdatasync(out.number()) != 0) cannot("written", file_, errno);
    if (facts.st_size == 0) sync_directory(file_);
  }
  refresh();
}

}  // namespace lowbit::openai
