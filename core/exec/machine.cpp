#include "exec/machine.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include "env/files.h"
#include "env/process.h"

namespace lowbit::exec {
namespace {

/// The limit that a container sets; 0: none.
std::uint64_t memory_limit() {
  const auto text = env::read_file("/sys/fs/cgroup/memory.max");
  std::uint64_t bytes = 0;
  if (text.ok()) std::from_chars(text->data(), text->data() + text->size(), bytes);  // "max" leaves 0
  return bytes;
}

std::uint64_t machine_memory() {
  const std::uint64_t physical = env::memory_bytes();
  const std::uint64_t limit = memory_limit();
  if (physical == 0 || limit == 0) return std::max(physical, limit);
  return std::min(physical, limit);
}

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

std::uint64_t without_reserve(std::uint64_t total) {
  constexpr std::uint64_t kMost = std::uint64_t{8} << 30U;
  return total - std::min(total / 10, kMost);
}

std::vector<Gpu> visible_gpus(const std::vector<env::GpuDevice>& devices, const std::optional<std::string>& outer) {
  std::vector<Gpu> gpus;
  if (!outer) {
    for (const env::GpuDevice& device : devices) {
      gpus.push_back({.id = device.index, .memory_bytes = device.memory_bytes});
    }
    return gpus;
  }
  std::string_view rest = *outer;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    std::string id(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    id.erase(std::remove(id.begin(), id.end(), ' '), id.end());
    if (id.empty() || id.front() == '-') break;  // CUDA takes nothing that stands after such an entry
    const auto device = std::find_if(devices.begin(), devices.end(), [&](const env::GpuDevice& d) {
      return d.index == id || (!d.uuid.empty() && id.size() > 4 && d.uuid.compare(0, id.size(), id) == 0);
    });
    gpus.push_back({.id = std::move(id), .memory_bytes = device == devices.end() ? 0 : device->memory_bytes});
  }
  return gpus;
}

Capacity capacity_of_machine(const MachineLimits& limits) {
  Capacity capacity;
  capacity.cpus = limits.cpus == 0 ? env::processors() : limits.cpus;
  capacity.memory_bytes = limits.memory_bytes.value_or(without_reserve(machine_memory()));
  capacity.gpus =
      limits.gpus ? *limits.gpus : visible_gpus(env::gpu_devices(), environment_variable("CUDA_VISIBLE_DEVICES"));
  capacity.rates = limits.rates;
  return capacity;
}

Diagnostics impossible_demands(const graph::ExpandedGraph& graph, const graph::Plan& plan, const Capacity& capacity) {
  Diagnostics problems;
  std::set<std::string> told;
  for (const graph::PlannedVariant& planned : plan.variants) {
    const graph::Variant& variant = graph.variants[planned.variant];
    if (planned.decision != graph::Decision::run && planned.decision != graph::Decision::maybe) continue;
    if (!told.insert(variant.stage).second) continue;
    for (const std::string& line : beyond(demand_of(variant.resources, capacity), capacity)) {
      problems.push_back(error("LB4110", "stage " + variant.stage + " asks for more than this machine has")
                             .at(variant.span)
                             .note("it asks for " + line)
                             .fix("lower its `resources`, run it on a larger machine, or say what there is with "
                                  "--memory, --gpus or --rate"));
    }
  }
  return problems;
}

}  // namespace lowbit::exec
