// How much of this machine the jobs of a run may use.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "env/gpus.h"
#include "exec/resource_pool.h"
#include "graph/expanded_graph.h"
#include "graph/plan.h"

namespace lowbit::exec {

/// What a person says; the rest is found out.
struct MachineLimits {
  std::uint32_t cpus = 0;                      ///< 0: all this process may use
  std::optional<std::uint64_t> memory_bytes;   ///< for all jobs together; empty: the machine's, less a reserve
  std::optional<std::vector<Gpu>> gpus;        ///< empty: those that are there
  std::map<std::string, std::uint32_t> rates;  ///< requests a minute by endpoint
};

[[nodiscard]] Capacity capacity_of_machine(const MachineLimits& limits);

/// The GPUs that a process with this CUDA_VISIBLE_DEVICES (`outer`; empty: not set) sees, by the names in it. An entry
/// that names no known device is passed on as it is: CUDA decides.
[[nodiscard]] std::vector<Gpu> visible_gpus(const std::vector<env::GpuDevice>& devices,
                                            const std::optional<std::string>& outer);

/// What jobs may have of `total` bytes: a tenth, at most 8 GiB, stays with the system and with lowbit.
[[nodiscard]] std::uint64_t without_reserve(std::uint64_t total);

/// One LB4110 for each stage of which something may run and that asks for more than `capacity`.
[[nodiscard]] Diagnostics impossible_demands(const graph::ExpandedGraph& graph, const graph::Plan& plan,
                                             const Capacity& capacity);

}  // namespace lowbit::exec
