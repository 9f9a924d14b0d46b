#include "plugin/digest_memory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <system_error>

#include "base/json.h"
#include "plugin/library.h"

namespace lowbit::plugin {
namespace {

namespace fs = std::filesystem;
using std::chrono::system_clock;
using namespace std::chrono_literals;

constexpr auto kSettled = 2s;

struct Seen {
  std::string identity;
  system_clock::time_point touched;
};

system_clock::time_point time_of(const timespec& time) {
  return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
      std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)));
}

std::optional<Seen> look_at(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return std::nullopt;
  std::string identity;
  const auto add = [&](auto number) { identity += std::to_string(number) + " "; };
  add(info.st_dev);
  add(info.st_ino);
  add(info.st_size);
  for (const timespec& time : {info.st_mtim, info.st_ctim}) {
    add(time.tv_sec);
    add(time.tv_nsec);
  }
  return Seen{std::move(identity), std::max(time_of(info.st_mtim), time_of(info.st_ctim))};
}

}  // namespace

DigestMemory DigestMemory::load(fs::path file) {
  DigestMemory memory;
  memory.file_ = std::move(file);
  std::ifstream in(memory.file_, std::ios::binary);
  const Json json = in ? Json::parse(in, nullptr, false) : Json();
  if (!json.is_object()) return memory;
  for (const auto& [path, entry] : json.items()) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_string()) continue;
    if (const auto digest = Digest::from_hex(entry[1].get<std::string>())) {
      memory.known_[path] = {entry[0].get<std::string>(), *digest};
    }
  }
  return memory;
}

Result<Digest> DigestMemory::digest_of(const fs::path& library, system_clock::time_point now) {
  std::error_code failure;
  const std::string path = fs::absolute(library, failure).string();
  const std::optional<Seen> before = look_at(library);
  if (const auto known = known_.find(path);
      before && known != known_.end() && known->second.first == before->identity) {
    return known->second.second;
  }
  LB_TRY_ASSIGN(const Digest digest, digest_of_file(library));
  if (before && now - before->touched >= kSettled) {
    known_[path] = {before->identity, digest};
    changed_ = true;
  }
  return digest;
}

void DigestMemory::save() const {
  if (!changed_ || file_.empty()) return;
  std::error_code failure;
  fs::create_directories(file_.parent_path(), failure);
  Json json = Json::object();
  for (const auto& [path, entry] : known_) {
    if (fs::exists(path, failure)) json[path] = {entry.first, entry.second.hex()};
  }
  fs::path fresh = file_;
  fresh += "." + std::to_string(::getpid());
  {
    std::ofstream out(fresh, std::ios::binary);
    out << canonical(json) << '\n';
    if (!out.flush()) return;
  }
  fs::rename(fresh, file_, failure);
  if (failure) fs::remove(fresh, failure);
}

fs::path digest_memory_file() {
  for (const auto& [name, below] : {std::pair{"XDG_CACHE_HOME", ""}, std::pair{"HOME", ".cache"}}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value == '/') return fs::path(value) / below / "lowbit" / "plugin-digests.json";
  }
  return {};
}

}  // namespace lowbit::plugin
