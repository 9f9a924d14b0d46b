#include "exec/single_job.h"

#include <lowbit/plugin_abi.h>

#include <limits>

#include "env/files.h"
#include "exec/artifact_check.h"
#include "exec/conformance_bench.h"
#include "exec/destination.h"
#include "exec/manifest.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

Diagnostic failure_of_job(const EndedJob& ended) {
  const bool refused = ended.exit && ended.exit->kind == ExitKind::exited && ended.report.failure.is_object() &&
                       (ended.status() == LB_BAD_PARAM || ended.status() == LB_BAD_INPUT);
  if (!refused) {
    Diagnostic problem = error("LB4102", "the job did not end: " + ended.ending());
    if (!ended.report.failure.is_object()) return problem.fix("free memory and disk, then run the same command again");
    return problem.fix(ended.report.failure.value("fix", ""));
  }
  const Json& text = ended.report.failure;
  return error("LB0017", text.value("what", ""))
      .note("where: " + text.value("where", ""))
      .note(text.value("why", ""))
      .fix(text.value("fix", ""));
}

}  // namespace

Result<SingleResult> run_single_job(const StageDescription& stage, const SingleJob& job) {
  LB_TRY_ASSIGN(const fs::path destination, new_directory(job.destination));
  TestBench bench(job.program, job.library, destination.parent_path());
  TestJob order;
  order.params = job.params;
  order.inputs = job.inputs;
  order.threads = job.threads;
  order.limit = std::chrono::hours(24 * 365);
  LB_TRY_ASSIGN(const EndedJob ended, bench.run(stage, order));
  if (!ended.ended_well()) return failure_of_job(ended);
  for (const PortDescription& port : stage.outputs) {
    const fs::path written = ended.attempt.output(port.name);
    std::error_code code;
    if (!fs::is_directory(written, code) || fs::is_empty(written, code)) continue;
    const std::string& type = port.types.front();
    LB_TRY_ASSIGN(const CheckedArtifact artifact, check_artifact(type, written));
    const std::uint64_t bytes = env::tree_bytes(written);
    LB_TRY(env::rename_durably({{written, destination}}));
    return SingleResult{.type = type, .bytes = bytes, .warnings = ended.report.warnings};
  }
  return error("LB4102", "the job ended without writing anything").fix("report this to the plugin's author");
}

}  // namespace lowbit::exec
