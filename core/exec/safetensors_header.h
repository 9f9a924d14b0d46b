// The header of a safetensors file: 8 bytes little-endian length, then JSON, then the tensors' bytes without gaps.
// Only the header is read; the tensors stay on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/record_check.h"

namespace lowbit::exec {

struct TensorInfo {
  std::string dtype;                 ///< "F32", "BF16", "U8", "I32", ...
  std::vector<std::uint64_t> shape;  ///< rows first; empty: a scalar
  std::uint64_t begin = 0;           ///< bytes, from the start of the file
  std::uint64_t end = 0;
};

using Tensors = std::map<std::string, TensorInfo>;  ///< by tensor name

/// Bytes of one element; 0 for a dtype that safetensors does not have.
[[nodiscard]] std::uint64_t dtype_bytes(std::string_view dtype);

/// What `header` declares, given that the file holds `file_bytes` bytes: dtypes, shapes, and offsets that cover the
/// data exactly, in bounds and without overlap. Empty, with problems added under `name`, when anything is amiss.
[[nodiscard]] std::optional<Tensors> parse_safetensors_header(std::string_view header, std::uint64_t file_bytes,
                                                              const std::string& name, Problems& problems);

[[nodiscard]] std::optional<Tensors> read_safetensors_header(const std::filesystem::path& directory,
                                                             const std::string& name, Problems& problems);

}  // namespace lowbit::exec
