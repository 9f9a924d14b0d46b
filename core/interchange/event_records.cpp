#include "interchange/event_records.h"

#include <bit>
#include <boost/crc.hpp>

namespace lowbit::interchange {
namespace {

constexpr unsigned kBitsOfByte = 8;

template <class Unsigned>
std::string little_endian(Unsigned value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>((value >> (kBitsOfByte * i)) & 0xFFU);
  return bytes;
}

// Protocol buffers: a field begins with its number and how its value is written.
enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string varint(std::uint64_t value) {
  constexpr unsigned kPayloadBits = 7;
  std::string bytes;
  for (; value >> kPayloadBits != 0; value >>= kPayloadBits) bytes += static_cast<char>((value & 0x7FU) | 0x80U);
  return bytes + static_cast<char>(value);
}

std::string key(std::uint32_t field, Wire wire) {
  constexpr unsigned kWireBits = 3;
  return varint((field << kWireBits) | static_cast<std::uint32_t>(wire));
}

std::string bytes_field(std::uint32_t field, std::string_view text) {
  return key(field, Wire::bytes) + varint(text.size()) + std::string(text);
}

// event.proto: 1 wall_time, 2 step, 3 file_version, 5 summary.
std::string wall_time_field(double wall_time) {
  return key(1, Wire::fixed64) + little_endian(std::bit_cast<std::uint64_t>(wall_time));
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  constexpr std::uint32_t kDelta = 0xa282ead8U;
  constexpr int kRotation = 15;
  boost::crc_optimal<32, 0x1EDC6F41U, 0xFFFFFFFFU, 0xFFFFFFFFU, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return std::rotr(crc.checksum(), kRotation) + kDelta;
}

std::string framed_record(std::string_view bytes) {
  const std::string length = little_endian(static_cast<std::uint64_t>(bytes.size()));
  return length + little_endian(masked_crc32c(length)) + std::string(bytes) + little_endian(masked_crc32c(bytes));
}

std::string event_file_header(double wall_time) {
  return framed_record(wall_time_field(wall_time) + bytes_field(3, "brain.Event:2"));
}

std::string scalar_event(const ScalarEvent& event) {
  // summary.proto: 1 repeated value; of a value 1 tag, 2 simple_value.
  const std::string value =
      bytes_field(1, event.tag) + key(2, Wire::fixed32) + little_endian(std::bit_cast<std::uint32_t>(event.value));
  return framed_record(wall_time_field(event.wall_time) + key(2, Wire::varint) +
                       varint(static_cast<std::uint64_t>(event.step)) + bytes_field(5, bytes_field(1, value)));
}

}  // namespace lowbit::interchange
