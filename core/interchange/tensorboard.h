// A result as a run of TensorBoard: its curves and final metrics in an event file of a directory of its own. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/exported_study.h"
#include "interchange/export_file.h"

namespace lowbit::interchange {

/// "restore/quantizer=gptq,seed=10/events.out.tfevents.1795453090.lowbit": the run is named by what distinguishes it,
/// the file by the second in which the attempt began. REQUIRES: a result.
[[nodiscard]] std::string event_file_path(const ExportedVariant& variant);

/// `points`: by name, then by step. A point's time is where its step lies between the attempt's start and its end, as
/// if all steps took as long. Final metrics stand under final/ at the last step of all curves, at the attempt's end.
/// REQUIRES: a result.
[[nodiscard]] ExportFile tensorboard_run(const ExportedVariant& variant, const std::vector<CurveRow>& points);

}  // namespace lowbit::interchange
