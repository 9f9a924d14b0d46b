#include "exec/job_environment.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "env/process.h"

namespace lowbit::exec {
namespace {

// Where programs and libraries are, who and where the user is, which devices there are; how sanitizers behave.
constexpr std::array<std::string_view, 19> kPassed{"PATH",
                                                   "HOME",
                                                   "USER",
                                                   "LANG",
                                                   "LC_ALL",
                                                   "LC_CTYPE",
                                                   "TZ",
                                                   "TMPDIR",
                                                   "LD_LIBRARY_PATH",
                                                   "CUDA_VISIBLE_DEVICES",
                                                   "CUDA_DEVICE_ORDER",
                                                   "SSL_CERT_FILE",
                                                   "SSL_CERT_DIR",
                                                   "ASAN_OPTIONS",
                                                   "UBSAN_OPTIONS",
                                                   "TSAN_OPTIONS",
                                                   "LSAN_OPTIONS",
                                                   "LOWBIT_FAULT",
                                                   "LOWBIT_FAULT_ROLE"};

constexpr const char* kCoreType = "OPENBLAS_CORETYPE";

}  // namespace

// Debian's OpenBLAS takes AMD's processors with AVX-512 for older ones and multiplies at half their speed
// (docs/numerics.md).
BlasCoreType blas_core_type() {
  if (const char* set = std::getenv(kCoreType)) return {.name = set, .by_person = true};
#ifdef __x86_64__
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl");
  if (avx512 && __builtin_cpu_is("amd")) return {.name = "SkylakeX", .by_person = false};
#endif
  return {};
}

std::vector<std::string> job_environment(const std::vector<std::string>& declared, unsigned threads,
                                         const std::string& attempt) {
  std::vector<std::string> entries;
  const auto pass = [&](std::string_view name) {
    const std::string key(name);
    if (const char* value = std::getenv(key.c_str())) entries.push_back(key + "=" + value);
  };
  for (const std::string_view name : kPassed) pass(name);
  for (const std::string& name : declared) pass(name);
  const std::string count = std::to_string(threads);
  entries.push_back("OMP_NUM_THREADS=" + count);
  entries.push_back("OPENBLAS_NUM_THREADS=" + count);
  entries.push_back("MKL_NUM_THREADS=" + count);
  // Spinning threads cost a small stage up to 47 times its time on a busy machine; sleeping ones cost little.
  entries.emplace_back("OMP_WAIT_POLICY=passive");
  if (const std::string core_type = blas_core_type().name; !core_type.empty()) {
    entries.push_back(std::string(kCoreType) + "=" + core_type);
  }
  entries.push_back("LOWBIT_ATTEMPT=" + attempt);
  // Tests let a library come between jobs and the disk; no other library of the host's gets into them.
  if (const char* library = std::getenv("LOWBIT_FAULT_PRELOAD")) {
    entries.push_back(std::string("LD_PRELOAD=") + library);
    for (const std::string_view name : {"LOWBIT_FS_ROOT", "LOWBIT_FS_FAULT", "LOWBIT_FS_ROLE", "LOWBIT_CLOCK"})
      pass(name);
  }
  return entries;
}

void restrict_gpus(std::vector<std::string>& environment, const std::vector<GpuGrant>& gpus) {
  constexpr std::string_view kVisible = "CUDA_VISIBLE_DEVICES=";
  constexpr std::string_view kOrder = "CUDA_DEVICE_ORDER=";
  const auto begins_with = [](std::string_view name) {
    return [name](const std::string& entry) { return entry.compare(0, name.size(), name) == 0; };
  };
  // Without an outer list our numbers are those of nvidia-smi, which counts along the PCI bus; CUDA does not by itself.
  const bool ordered = std::any_of(environment.begin(), environment.end(), begins_with(kOrder)) ||
                       std::any_of(environment.begin(), environment.end(), begins_with(kVisible));
  environment.erase(std::remove_if(environment.begin(), environment.end(), begins_with(kVisible)), environment.end());
  if (!ordered) environment.emplace_back("CUDA_DEVICE_ORDER=PCI_BUS_ID");
  std::string visible(kVisible);
  for (const GpuGrant& gpu : gpus) visible += (visible.back() == '=' ? "" : ",") + gpu.id;
  environment.push_back(std::move(visible));
}

Json numeric_environment(unsigned threads, const std::string& device) {
  return {{"processor", env::processor_model()},
          {"threads", threads},
          {"device", device},
          {"blas_core_type", blas_core_type().name}};
}

}  // namespace lowbit::exec
