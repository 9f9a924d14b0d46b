// TensorBoard's event files: protocol buffers of scalars in the record frames of TensorFlow. Pure.
//
//   std::string bytes = event_file_header(start);
//   bytes += scalar_event({.wall_time = t, .step = 10, .tag = "train/loss", .value = 0.5F});
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lowbit::interchange {

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41) as the frames hold it: rotated right by 15 bits and 0xa282ead8 added.
[[nodiscard]] std::uint32_t masked_crc32c(std::string_view bytes);

/// uint64 length, its CRC, the bytes, their CRC; little-endian.
[[nodiscard]] std::string framed_record(std::string_view bytes);

struct ScalarEvent {
  double wall_time = 0;  ///< seconds since 1970
  std::int64_t step = 0;
  std::string tag;
  float value = 0;  ///< the format has no more digits
};

/// The first record of a file, which says its version: "brain.Event:2".
[[nodiscard]] std::string event_file_header(double wall_time);
[[nodiscard]] std::string scalar_event(const ScalarEvent& event);

}  // namespace lowbit::interchange
