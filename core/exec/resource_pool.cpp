#include "exec/resource_pool.h"

#include <algorithm>

#include "base/check.h"
#include "base/whole_number.h"
#include "exec/wording.h"

namespace lowbit::exec {
namespace {

constexpr std::uint32_t kWhole = 1000;

std::string there(std::size_t count) {
  return count == 1 ? "there is 1" : "there are " + (count == 0 ? std::string("none") : std::to_string(count));
}

template <class Value>
Value used(const std::map<std::string, Value>& use, const std::string& name) {
  const auto it = use.find(name);
  return it == use.end() ? Value{0} : it->second;
}

/// What a demand for part of a GPU takes of this one.
GpuGrant part_of(const Gpu& gpu, const Demand& demand) {
  GpuGrant part{.id = gpu.id, .thousandths = demand.milli_gpus, .memory_bytes = demand.gpu_memory_bytes};
  if (demand.milli_gpus == 0) {
    // Rounded down: the memory itself is counted as well, and shares must not be used up before it.
    part.thousandths = gpu.memory_bytes == 0
                           ? kWhole
                           : static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
                                 demand.gpu_memory_bytes / (gpu.memory_bytes / kWhole + 1), 1, kWhole + 1));
  } else if (demand.gpu_memory_bytes == 0) {
    part.memory_bytes = gpu.memory_bytes / kWhole * demand.milli_gpus;
  }
  return part;
}

}  // namespace

Demand demand_of(const Resources& resources, const Capacity& capacity) {
  return {.cpus = std::min(resources.cpus, std::max(capacity.cpus, 1U)),
          .memory_bytes = resources.memory_bytes,
          .milli_gpus = resources.milli_gpus,
          .gpu_memory_bytes = resources.gpu_memory_bytes,
          .rates = resources.rates};
}

Json to_json(const Grant& grant) {
  Json gpus = Json::array();
  for (const GpuGrant& gpu : grant.gpus) {
    gpus.push_back({{"id", gpu.id}, {"thousandths", gpu.thousandths}, {"memory_bytes", gpu.memory_bytes}});
  }
  return {{"cpus", grant.cpus}, {"memory_bytes", grant.memory_bytes}, {"gpus", gpus}, {"rates", grant.rates}};
}

Grant grant_of(const Json& json) {
  Grant grant;
  try {
    grant.cpus = whole_number(json, "cpus", std::uint32_t{1});
    grant.memory_bytes = whole_number(json, "memory_bytes", std::uint64_t{0});
    for (const Json& gpu : json.value("gpus", Json::array())) {
      grant.gpus.push_back({.id = gpu.at("id"),
                            .thousandths = whole_number<std::uint32_t>(gpu.at("thousandths")),
                            .memory_bytes = whole_number(gpu, "memory_bytes", std::uint64_t{0})});
    }
    const Json rates = json.value("rates", Json::object());
    for (const auto& [name, per_minute] : rates.items()) grant.rates[name] = whole_number<std::uint32_t>(per_minute);
  } catch (const Json::exception&) {
    return grant;
  }
  return grant;
}

unsigned kinds_of(const Demand& demand) {
  unsigned kinds = demand.cpus > 0 ? kCpus : 0U;
  if (demand.memory_bytes > 0) kinds |= kMemory;
  if (demand.milli_gpus > 0 || demand.gpu_memory_bytes > 0) kinds |= kGpus;
  if (!demand.rates.empty()) kinds |= kRates;
  return kinds;
}

ResourcePool::ResourcePool(Capacity capacity) : capacity_(std::move(capacity)), use_(std::make_shared<ResourceUse>()) {}

unsigned ResourcePool::lacking(const Demand& demand) const {
  unsigned kinds = 0;
  if (use_->cpus + demand.cpus > capacity_.cpus) kinds |= kCpus;
  if (demand.memory_bytes > 0 && capacity_.memory_bytes > 0 &&
      use_->memory_bytes + demand.memory_bytes > capacity_.memory_bytes) {
    kinds |= kMemory;
  }
  if (!choose_gpus(demand)) kinds |= kGpus;
  for (const auto& [name, per_minute] : demand.rates) {
    const auto limit = capacity_.rates.find(name);
    if (limit == capacity_.rates.end()) continue;
    if (used(use_->rates, name) + per_minute > limit->second) kinds |= kRates;
  }
  return kinds;
}

std::optional<std::vector<GpuGrant>> ResourcePool::choose_gpus(const Demand& demand) const {
  if ((kinds_of(demand) & kGpus) == 0) return std::vector<GpuGrant>();
  if (demand.milli_gpus >= kWhole) return choose_whole(demand.milli_gpus / kWhole, demand.gpu_memory_bytes);
  return choose_shared(demand);
}

// The smallest that are large enough, so that larger ones stay free for who needs them.
std::optional<std::vector<GpuGrant>> ResourcePool::choose_whole(std::size_t count, std::uint64_t memory_bytes) const {
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < capacity_.gpus.size(); ++i) {
    const Gpu& gpu = capacity_.gpus[i];
    const bool large_enough = gpu.memory_bytes == 0 || gpu.memory_bytes >= memory_bytes;
    if (large_enough && used(use_->gpu_thousandths, gpu.id) == 0) free.push_back(i);
  }
  if (free.size() < count) return std::nullopt;
  std::stable_sort(free.begin(), free.end(), [&](std::size_t a, std::size_t b) {
    return capacity_.gpus[a].memory_bytes < capacity_.gpus[b].memory_bytes;
  });
  free.resize(count);
  std::sort(free.begin(), free.end());
  std::vector<GpuGrant> chosen;
  chosen.reserve(free.size());
  for (const std::size_t i : free) {
    chosen.push_back(
        {.id = capacity_.gpus[i].id, .thousandths = kWhole, .memory_bytes = capacity_.gpus[i].memory_bytes});
  }
  return chosen;
}

std::optional<std::vector<GpuGrant>> ResourcePool::choose_shared(const Demand& demand) const {
  std::optional<GpuGrant> best;
  std::pair<std::uint32_t, std::uint64_t> least_left;
  for (const Gpu& gpu : capacity_.gpus) {
    const GpuGrant part = part_of(gpu, demand);
    const std::uint32_t share = used(use_->gpu_thousandths, gpu.id) + part.thousandths;
    const std::uint64_t memory = used(use_->gpu_memory_bytes, gpu.id) + part.memory_bytes;
    const std::uint64_t memory_there = gpu.memory_bytes;
    if (share > kWhole || (memory_there > 0 && memory > memory_there)) continue;
    const std::pair left(kWhole - share, memory_there > 0 ? memory_there - memory : 0);
    if (best && left >= least_left) continue;
    best = part;
    least_left = left;
  }
  if (!best) return std::nullopt;
  return std::vector{*best};
}

Lease ResourcePool::take(const Demand& demand) {
  LB_CHECK(lacking(demand) == 0);
  return take_over(
      {.cpus = demand.cpus, .memory_bytes = demand.memory_bytes, .gpus = *choose_gpus(demand), .rates = demand.rates});
}

Lease ResourcePool::take_over(Grant grant) {
  use_->cpus += grant.cpus;
  use_->memory_bytes += grant.memory_bytes;
  for (const GpuGrant& gpu : grant.gpus) {
    use_->gpu_thousandths[gpu.id] += gpu.thousandths;
    use_->gpu_memory_bytes[gpu.id] += gpu.memory_bytes;
  }
  for (const auto& [name, per_minute] : grant.rates) use_->rates[name] += per_minute;
  return {use_, std::move(grant)};
}

void Lease::release() {
  if (!use_) return;
  use_->cpus -= grant_.cpus;
  use_->memory_bytes -= grant_.memory_bytes;
  for (const GpuGrant& gpu : grant_.gpus) {
    use_->gpu_thousandths[gpu.id] -= gpu.thousandths;
    use_->gpu_memory_bytes[gpu.id] -= gpu.memory_bytes;
  }
  for (const auto& [name, per_minute] : grant_.rates) use_->rates[name] -= per_minute;
  use_.reset();
}

std::vector<std::string> beyond(const Demand& demand, const Capacity& capacity) {
  std::vector<std::string> lines;
  if (capacity.memory_bytes > 0 && demand.memory_bytes > capacity.memory_bytes) {
    lines.push_back(gibibytes_text(demand.memory_bytes) + " of memory; there are " +
                    gibibytes_text(capacity.memory_bytes) + " for jobs");
  }
  Capacity idle = capacity;
  idle.cpus = demand.cpus;
  if (const ResourcePool pool(std::move(idle)); (pool.lacking(demand) & kGpus) != 0) {
    const std::size_t count = demand.milli_gpus >= kWhole ? demand.milli_gpus / kWhole : 1;
    std::string line = count == 1 ? "a GPU" : std::to_string(count) + " GPUs";
    if (demand.gpu_memory_bytes > 0) line += " with " + gibibytes_text(demand.gpu_memory_bytes);
    line += "; " + there(capacity.gpus.size());
    std::uint64_t largest = 0;
    for (const Gpu& gpu : capacity.gpus) largest = std::max(largest, gpu.memory_bytes);
    if (demand.gpu_memory_bytes > largest && largest > 0) line += ", with at most " + gibibytes_text(largest);
    lines.push_back(std::move(line));
  }
  for (const auto& [name, per_minute] : demand.rates) {
    const auto limit = capacity.rates.find(name);
    if (limit == capacity.rates.end() || per_minute <= limit->second) continue;
    lines.push_back(std::to_string(per_minute) + " requests a minute at " + name + "; all jobs together have " +
                    std::to_string(limit->second));
  }
  return lines;
}

}  // namespace lowbit::exec
