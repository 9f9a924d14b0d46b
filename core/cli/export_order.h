// What the formats of `lowbit export` for results have in common. Private to cli/export_*.cpp.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/command_options.h"
#include "cli/export_directory.h"
#include "domain/exported_study.h"
#include "exec/project.h"

namespace lowbit::cli {

/// What every format is made from, and where it goes.
struct ExportOrder {
  const exec::ProjectPaths& project;
  const CommandOptions& options;
  const ExportedStudy& study;
  ExportDirectory& out;
};

/// LB7070. `what`: "no evaluator has a result".
[[nodiscard]] Diagnostic nothing_to_export(const CommandOptions& options, const ExportedStudy& study,
                                           const std::string& what, const std::string& fix);

[[nodiscard]] Result<void> write_lm_eval(const ExportOrder& order);
[[nodiscard]] Result<void> write_cards(const ExportOrder& order);

/// `--into`: patches one model's card, and writes nothing else.
[[nodiscard]] Result<int> patch_card(const CommandOptions& options, const ExportedStudy& study);

}  // namespace lowbit::cli
