// What a job may see of the host's environment, and the numeric environment its bits depend on.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "exec/resource_pool.h"

namespace lowbit::exec {

/// "NAME=value" entries for a job: a short list everyone needs, the names its stage declared, thread settings for
/// `threads` busy threads, and LOWBIT_ATTEMPT. Nothing else of the host's environment gets through.
[[nodiscard]] std::vector<std::string> job_environment(const std::vector<std::string>& declared, unsigned threads,
                                                       const std::string& attempt);

/// What OpenBLAS takes this processor for in every job: what the person set, else what lowbit sets, else nothing (it
/// decides itself).
struct BlasCoreType {
  std::string name;
  bool by_person = false;
};
[[nodiscard]] BlasCoreType blas_core_type();

/// Makes those GPUs, and no others, what the job sees; none: it sees none.
void restrict_gpus(std::vector<std::string>& environment, const std::vector<GpuGrant>& gpus);

/// Bytes are promised to repeat within one of these: recorded with every attempt, not in the key.
[[nodiscard]] Json numeric_environment(unsigned threads, const std::string& device);

}  // namespace lowbit::exec
