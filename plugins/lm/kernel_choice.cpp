#include "lm/kernels.h"

namespace lowbit::lm {

const Kernels& kernels() {
#ifdef LOWBIT_HAS_AVX2_KERNELS
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2) return kAvx2Kernels;
#endif
  return kPlainKernels;
}

}  // namespace lowbit::lm
