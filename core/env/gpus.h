// The NVIDIA GPUs of this machine, without any library of theirs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::env {

struct GpuDevice {
  std::string index;               ///< in the order of the PCI bus: "0"
  std::string uuid;                ///< "GPU-..."; empty: not known
  std::uint64_t memory_bytes = 0;  ///< 0: not known
};

/// What nvidia-smi says; where it is not there, what the driver shows below /proc, without memory. Empty: there is
/// none.
[[nodiscard]] std::vector<GpuDevice> gpu_devices();

/// Lines of `nvidia-smi --query-gpu=index,uuid,memory.total --format=csv,noheader,nounits`; others are left out.
[[nodiscard]] std::vector<GpuDevice> parse_nvidia_smi(std::string_view text);

}  // namespace lowbit::env
