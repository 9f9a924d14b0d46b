#include "cli/machine_options.h"

#include <algorithm>
#include <cstdlib>

#include "base/whole_number.h"
#include "spec/quantities.h"

namespace lowbit::cli {
namespace {

Diagnostic not_in_form(const std::string& from, std::string_view text, const std::string& fix) {
  return error("LB0018", from + " cannot be read: " + std::string(text)).fix(fix);
}

}  // namespace

void add_machine_options(CommandOptions& options) {
  options.text("memory", "memory for all jobs together, 24GiB (default: the machine's, less a reserve)")
      .text("gpus",
            "GPUs for the jobs: 0,1, with their memory 0:24GiB,1:80GiB, or none (default: all that are visible)")
      .many("rate", "NAME=N: requests a minute at an endpoint, for all jobs together; repeatable");
}

Result<std::vector<exec::Gpu>> gpu_list(std::string_view text, const std::string& from) {
  std::vector<exec::Gpu> gpus;
  if (text == "none") return gpus;
  std::string_view rest = text;
  do {
    const auto end = std::min(rest.find(','), rest.size());
    const std::string_view entry = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto colon = std::min(entry.find(':'), entry.size());
    exec::Gpu gpu{.id = std::string(entry.substr(0, colon)), .memory_bytes = 0};
    const auto memory =
        colon < entry.size() ? spec::parse_size(entry.substr(colon + 1)) : std::optional(gpu.memory_bytes);
    const bool twice =
        std::any_of(gpus.begin(), gpus.end(), [&](const exec::Gpu& other) { return other.id == gpu.id; });
    if (gpu.id.empty() || !memory || twice) {
      return not_in_form(from, text, "name each GPU once: 0,1, or 0:24GiB,1:80GiB, or none");
    }
    gpu.memory_bytes = *memory;
    gpus.push_back(std::move(gpu));
  } while (!rest.empty());
  return gpus;
}

Result<exec::MachineLimits> machine_limits(const CommandOptions& options) {
  exec::MachineLimits limits;
  if (options.has("memory")) {
    const std::string text = options.get("memory");
    limits.memory_bytes = spec::parse_size(text);
    if (!limits.memory_bytes) return not_in_form("--memory", text, "write a size like 24GiB");
  }
  if (options.has("gpus")) {
    LB_TRY_ASSIGN(limits.gpus, gpu_list(options.get("gpus"), "--gpus"));
  } else if (const char* gpus = std::getenv("LOWBIT_GPUS"); gpus != nullptr) {
    LB_TRY_ASSIGN(limits.gpus, gpu_list(gpus, "LOWBIT_GPUS"));
  }
  for (const std::string& text : options.all("rate")) {
    const auto equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::uint32_t per_minute =
        equals == std::string::npos ? 0 : whole_number_in<std::uint32_t>(text.substr(equals + 1)).value_or(0);
    if (name.empty() || per_minute == 0) return not_in_form("--rate", text, "write it as NAME=60: requests a minute");
    limits.rates[name] = per_minute;
  }
  return limits;
}

}  // namespace lowbit::cli
