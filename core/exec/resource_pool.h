// What the jobs of a machine take of it: threads, memory, GPUs by id, and shares of the requests that an endpoint
// allows a minute. A job has what its Lease says from before it starts until its attempt's lock is free; a lease gives
// everything back when it goes, so that nothing can be lost.
//
// GPUs. A whole number of GPUs is that many, each alone. A share of one (`milli_gpus` below 1000) has that share and
// its part of the memory, or the memory it names; memory alone (`gpu_memory_bytes`) has the share that the memory is of
// the whole. Shares are put where the least is left, so that whole GPUs stay free.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "domain/experiment_spec.h"

namespace lowbit::exec {

struct Gpu {
  std::string id;                  ///< as CUDA_VISIBLE_DEVICES names it
  std::uint64_t memory_bytes = 0;  ///< 0: not known; who asks for memory has it alone then

  bool operator==(const Gpu&) const = default;
};

/// What all jobs may use together.
struct Capacity {
  std::uint32_t cpus = 1;
  std::uint64_t memory_bytes = 0;  ///< 0: not known, not limited
  std::vector<Gpu> gpus;
  std::map<std::string, std::uint32_t> rates;  ///< requests a minute; a name that is not here is not limited
};

/// What one job takes.
struct Demand {
  std::uint32_t cpus = 1;
  std::uint64_t memory_bytes = 0;
  std::uint32_t milli_gpus = 0;
  std::uint64_t gpu_memory_bytes = 0;
  std::map<std::string, std::uint32_t> rates;

  auto operator<=>(const Demand&) const = default;
};

/// Threads are an upper bound and cut to what there is; everything else is taken as it is asked for.
[[nodiscard]] Demand demand_of(const Resources& resources, const Capacity& capacity);

struct GpuGrant {
  std::string id;
  std::uint32_t thousandths = 0;
  std::uint64_t memory_bytes = 0;

  bool operator==(const GpuGrant&) const = default;
};

/// What one job has. Recorded with its attempt.
struct Grant {
  std::uint32_t cpus = 1;
  std::uint64_t memory_bytes = 0;
  std::vector<GpuGrant> gpus;
  std::map<std::string, std::uint32_t> rates;

  bool operator==(const Grant&) const = default;
};

[[nodiscard]] Json to_json(const Grant& grant);
/// Parts that are missing or cannot be read are taken for nothing.
[[nodiscard]] Grant grant_of(const Json& json);

/// Kinds of resources, as bits of a set.
inline constexpr unsigned kCpus = 1;
inline constexpr unsigned kMemory = 2;
inline constexpr unsigned kGpus = 4;
inline constexpr unsigned kRates = 8;

/// The kinds that a demand takes something of.
[[nodiscard]] unsigned kinds_of(const Demand& demand);

/// What is taken of a capacity.
struct ResourceUse {
  std::uint64_t cpus = 0;
  std::uint64_t memory_bytes = 0;
  std::map<std::string, std::uint32_t> gpu_thousandths;
  std::map<std::string, std::uint64_t> gpu_memory_bytes;
  std::map<std::string, std::uint64_t> rates;
};

class Lease;

/// Belongs, with its leases, to one thread. A lease may outlive the pool.
class ResourcePool {
 public:
  explicit ResourcePool(Capacity capacity);
  ResourcePool(const ResourcePool&) = delete;
  ResourcePool& operator=(const ResourcePool&) = delete;

  [[nodiscard]] const Capacity& capacity() const { return capacity_; }
  [[nodiscard]] const ResourceUse& use() const { return *use_; }
  /// The kinds of which too little is free; 0: the demand can be taken.
  [[nodiscard]] unsigned lacking(const Demand& demand) const;
  /// REQUIRES: lacking(demand) == 0.
  [[nodiscard]] Lease take(const Demand& demand);
  /// What a job has that another host started: it counts, also where it is more than there is.
  [[nodiscard]] Lease take_over(Grant grant);

 private:
  [[nodiscard]] std::optional<std::vector<GpuGrant>> choose_gpus(const Demand& demand) const;
  [[nodiscard]] std::optional<std::vector<GpuGrant>> choose_whole(std::size_t count, std::uint64_t memory_bytes) const;
  [[nodiscard]] std::optional<std::vector<GpuGrant>> choose_shared(const Demand& demand) const;

  Capacity capacity_;
  std::shared_ptr<ResourceUse> use_;
};

/// Gives back what it holds when it goes.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept { *this = std::move(other); }
  Lease& operator=(Lease&& other) noexcept {
    std::swap(use_, other.use_);
    std::swap(grant_, other.grant_);
    return *this;
  }
  ~Lease() { release(); }

  [[nodiscard]] const Grant& grant() const { return grant_; }
  void release();

 private:
  friend class ResourcePool;
  Lease(std::shared_ptr<ResourceUse> use, Grant grant) : use_(std::move(use)), grant_(std::move(grant)) {}

  std::shared_ptr<ResourceUse> use_;
  Grant grant_;
};

/// What of `demand` no machine with this capacity can ever give, one line each: "2 GPUs; there is 1".
[[nodiscard]] std::vector<std::string> beyond(const Demand& demand, const Capacity& capacity);

}  // namespace lowbit::exec
