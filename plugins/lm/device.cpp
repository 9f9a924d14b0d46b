#include "lm/device.h"

#include <torch/cuda.h>

#include "lm/error.h"

namespace lowbit::lm {

at::Device device_named(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (!at::globalContext().hasCUDART()) {
    throw Error(Status::bad_param, {.what = "this libtorch computes on no GPU",
                                    .where = "device",
                                    .why = "it is cuda, and libtorch " TORCH_VERSION " was built without CUDA",
                                    .fix = "use device cpu, or build lowbit with a libtorch that has CUDA: "
                                           "scripts/check-cuda does"});
  }
  if (torch::cuda::device_count() == 0) {
    throw Error(Status::resource, {.what = "no GPU is visible",
                                   .where = "device",
                                   .why = "it is cuda, and the driver shows none to this process",
                                   .fix = "look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use device cpu"});
  }
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  sum_bf16_in_fp32();
  return {at::kCUDA, 0};
}

}  // namespace lowbit::lm
