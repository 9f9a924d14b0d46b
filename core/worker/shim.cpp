#include "worker/shim.h"

#include <cstdio>

#include "env/fault.h"
#include "env/files.h"
#include "worker/watch.h"

namespace lowbit::worker {
namespace {

constexpr int kNotOurs = 4;  ///< another process runs or ran this attempt
constexpr int kBroken = 3;   ///< the machine: no permission, full disk

int broken(const Diagnostics& problems) {
  std::fputs(render(problems).c_str(), stderr);
  return kBroken;
}

Result<exec::ForkRequest> request_in(const exec::AttemptPaths& attempt, int listener) {
  LB_TRY_ASSIGN(const std::string text, env::read_file(attempt.request()));
  LB_TRY_ASSIGN(const exec::JobRequest request, exec::job_request(Json::parse(text, nullptr, false)));
  return exec::fork_request(request, attempt, listener);
}

}  // namespace

int run_shim(const exec::AttemptPaths& attempt, int listener) {
  auto request = request_in(attempt, listener);
  return request.ok() ? run_shim(*std::move(request)) : broken(request.error());
}

int run_shim(exec::ForkRequest request) {
  env::set_fault_role(env::ProcessRole::shim);
  Watch watch(Watch::Jobs::one);
  const auto started = watch.start(std::move(request));
  if (!started.ok()) return broken(started.error());
  if (!*started) return kNotOurs;
  while (!watch.idle()) watch.wait();
  return watch.failed() ? kBroken : 0;
}

}  // namespace lowbit::worker
