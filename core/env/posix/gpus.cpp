#include "env/gpus.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "env/files.h"

namespace lowbit::env {
namespace {

constexpr const char* kDriver = "/proc/driver/nvidia/gpus";
// A driver in trouble may never answer.
constexpr const char* kAsk =
    "timeout 10 nvidia-smi --query-gpu=index,uuid,memory.total --format=csv,noheader,nounits 2>/dev/null";
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;

struct ClosePipe {
  void operator()(std::FILE* pipe) const { ::pclose(pipe); }
};

std::string output_of(const char* command) {
  const std::unique_ptr<std::FILE, ClosePipe> pipe(::popen(command, "re"));
  std::string text;
  if (!pipe) return text;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), n);
  }
  return text;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// Takes what stands before the next `separator` away.
std::string_view take(std::string_view& rest, char separator) {
  const auto end = std::min(rest.find(separator), rest.size());
  const std::string_view field = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(field);
}

}  // namespace

std::vector<GpuDevice> parse_nvidia_smi(std::string_view text) {
  std::vector<GpuDevice> devices;
  while (!text.empty()) {
    std::string_view line = take(text, '\n');
    GpuDevice device;
    device.index = take(line, ',');
    device.uuid = take(line, ',');
    const std::string_view memory = take(line, ',');
    if (device.index.empty() || device.index.find_first_not_of("0123456789") != std::string::npos) continue;
    std::uint64_t mebibytes = 0;
    std::from_chars(memory.data(), memory.data() + memory.size(), mebibytes);  // "[N/A]" leaves 0: not known
    device.memory_bytes = mebibytes * kMebibyte;
    devices.push_back(std::move(device));
  }
  return devices;
}

std::vector<GpuDevice> gpu_devices() {
  std::error_code code;
  std::size_t shown = 0;
  for (std::filesystem::directory_iterator it(kDriver, code), end; !code && it != end; it.increment(code)) ++shown;
  if (shown == 0) return {};
  std::vector<GpuDevice> devices = parse_nvidia_smi(output_of(kAsk));
  if (!devices.empty()) return devices;
  for (std::size_t i = 0; i < shown; ++i) {
    devices.push_back({.index = std::to_string(i), .uuid = {}, .memory_bytes = 0});
  }
  return devices;
}

}  // namespace lowbit::env
