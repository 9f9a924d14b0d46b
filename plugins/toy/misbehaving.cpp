// Toys that fail in every way a plugin can.
#include <signal.h>

#include <chrono>
#include <new>
#include <stdexcept>
#include <thread>

#include "stages.h"

namespace toy {
namespace {

using lowbit::field;
using lowbit::Job;

void run_crash(const Job& job) {
  job.tick(1, 2, "steps");
  signal(SIGSEGV, SIG_DFL);  // the same end under a sanitizer, which would handle it
  (void)raise(SIGSEGV);
}

struct ThrowParams {
  std::string what = "runtime_error";
  static auto fields() {
    return lowbit::fields<ThrowParams>(
        field(&ThrowParams::what, "what")
            .one_of("runtime_error", "int", "bad_alloc", "torch_out_of_memory", "stage_error")
            .doc("what is thrown"));
  }
};

void run_throws(const Job& job, const ThrowParams& params) {
  job.tick(1, 2, "steps");
  if (params.what == "int") throw 42;
  if (params.what == "bad_alloc") throw std::bad_alloc();
  if (params.what == "torch_out_of_memory") throw std::runtime_error("CUDA out of memory. Tried to allocate 2 GiB");
  if (params.what == "stage_error") {
    throw lowbit::StageError(LB_NUMERIC, {.what = "the toy's Hessian is singular",
                                          .where = "step 1",
                                          .why = "it was told to be",
                                          .fix = "choose another `what`"});
  }
  throw std::runtime_error("the toy was told to throw");
}

struct HangParams {
  bool honours_cancel = false;
  bool ignores_sigterm = false;
  static auto fields() {
    return lowbit::fields<HangParams>(
        field(&HangParams::honours_cancel, "honours_cancel").doc("stop when the host asks"),
        field(&HangParams::ignores_sigterm, "ignores_sigterm").doc("only SIGKILL ends it"));
  }
};

void run_hang(const Job& job, const HangParams& params) {
  if (params.ignores_sigterm) signal(SIGTERM, SIG_IGN);
  job.tick(1, 2, "steps");
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (params.honours_cancel) job.stop_if_cancelled();
  }
}

struct FailUntilParams {
  std::string path;
  std::string status = "resource";
  static auto fields() {
    return lowbit::fields<FailUntilParams>(
        field(&FailUntilParams::path, "path").required().not_empty().doc("succeed once this file exists"),
        field(&FailUntilParams::status, "status")
            .one_of("resource", "internal", "numeric", "bad_input", "transient")
            .no_effect_on_result()
            .doc("how to fail until then"));
  }
};

void run_fail_until(const Job& job, const FailUntilParams& params) {
  if (std::filesystem::exists(params.path)) return write_text(job.output("out") / kFile, "at last\n");
  const lb_status status = params.status == "resource"    ? LB_RESOURCE
                           : params.status == "internal"  ? LB_INTERNAL
                           : params.status == "numeric"   ? LB_NUMERIC
                           : params.status == "transient" ? LB_TRANSIENT
                                                          : LB_BAD_INPUT;
  throw lowbit::StageError(status, {.what = "the file is not there yet",
                                    .where = params.path,
                                    .why = "this toy fails until it is",
                                    .fix = "create the file, then run again"});
}

lowbit::Stage bad(const char* id, const char* summary) {
  return lowbit::Stage(id, LB_DATASET).version("1.0.0").summary(summary).output("out", "file", "a text");
}

}  // namespace

lowbit::Stage crash() { return bad("lowbit.toy.crash", "Dies of a segmentation fault.").run<run_crash>(); }
lowbit::Stage throws() { return bad("lowbit.toy.throw", "Throws something.").run<run_throws>(); }
lowbit::Stage hang() { return bad("lowbit.toy.hang", "Never ends by itself.").run<run_hang>(); }
lowbit::Stage fail_until() { return bad("lowbit.toy.fail_until", "Fails until a file exists.").run<run_fail_until>(); }

}  // namespace toy
