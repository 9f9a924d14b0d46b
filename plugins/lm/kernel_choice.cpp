#include "lm/kernels.h"

namespace lowbit::lm {

const Kernels& kernels() {
#ifdef LOWBIT_HAS_X86_KERNELS
  static const Kernels& best = []() -> const Kernels& {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return kPlainKernels;
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return avx512 ? kAvx512Kernels : kAvx2Kernels;
  }();
  return best;
#else
  return kPlainKernels;
#endif
}

}  // namespace lowbit::lm
