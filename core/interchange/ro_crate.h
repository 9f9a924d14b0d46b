// An experiment as an RO-Crate 1.1 that conforms to the Workflow Run profiles (process, workflow, provenance; 0.5): its
// file is the workflow, its stages are steps, the plugins of stages tools, and each result is an action of one. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/exported_study.h"
#include "interchange/export_file.h"

namespace lowbit::interchange {

/// What stands in no result.
struct CrateSource {
  std::string experiment_file;  ///< the text of the experiment, which goes into the crate
  std::string lowbit_version;
  std::string license;  ///< URL or words of the person who publishes the crate
};

/// ro-crate-metadata.json, experiment.yaml, and results.csv with params.csv as TidyTables has them. REQUIRES: a chosen
/// variant has a result.
[[nodiscard]] std::vector<ExportFile> ro_crate(const ExportedStudy& study, const CrateSource& source);

}  // namespace lowbit::interchange
