// One stage run once for a person, not for an experiment: what `lowbit export` and `lowbit import` do. The job is a
// process of its own as always; nothing is recorded, and what it wrote appears whole at its destination or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/stage_description.h"
#include "exec/attempt_files.h"

namespace lowbit::exec {

struct SingleJob {
  std::filesystem::path program;  ///< lowbit itself
  std::filesystem::path library;  ///< that offers the stage
  Json params = Json::object();
  std::map<std::string, std::vector<JobInput>> inputs;
  std::uint32_t threads = 1;
  std::filesystem::path destination;  ///< of the one output that the stage writes
};

struct SingleResult {
  std::string type;  ///< "quantized-model/1"
  std::uint64_t bytes = 0;
  std::vector<std::string> warnings;  ///< that the stage logged
};

/// The job's files lie beside `destination` until they are moved there. LB0015: it is not empty. LB0017: the stage
/// refused its parameters or inputs. LB4102: it did not end. LB5102: what it wrote is no artifact of its type.
[[nodiscard]] Result<SingleResult> run_single_job(const StageDescription& stage, const SingleJob& job);

}  // namespace lowbit::exec
