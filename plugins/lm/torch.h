// The one door to libtorch: every other file includes this instead, and what differs between libtorch versions is
// settled here. Tensors only (ATen); nothing in plugins/lm needs the much slower <torch/torch.h>.
#pragma once

// Debian's build brings glog along, whose CHECK is also the name of Catch2's.
#pragma push_macro("CHECK")
#undef CHECK
#include <ATen/core/ivalue.h>  // before all others: clang 14 wants IValue complete where vectors of it are declared

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>
#pragma pop_macro("CHECK")

#ifdef _OPENMP
#include <omp.h>
#endif

namespace lowbit::lm {

/// Upper bound on busy threads of every tensor operation that follows; the only process-wide state of this library.
/// REQUIRES: threads >= 1; called before the first tensor operation of the process.
inline void set_threads(int threads) {
  at::set_num_threads(threads);
#ifdef _OPENMP
  omp_set_num_threads(threads);  // of lowbit's own loops: libtorch from PyPI brings another OpenMP along
#endif
}

/// No partial sums in bf16 where a GPU multiplies bf16 numbers.
inline void sum_bf16_in_fp32() {
#if TORCH_VERSION_MAJOR >= 2  // before, there was no choice
  at::globalContext().setAllowBF16ReductionCuBLAS(false);
#endif
}

}  // namespace lowbit::lm
