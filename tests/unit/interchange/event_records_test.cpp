#include "interchange/event_records.h"

#include <catch2/catch.hpp>

#include <bit>
#include <random>

using namespace lowbit::interchange;

namespace {

/// Bit by bit, straight from the polynomial: the slow twin.
std::uint32_t slow_masked_crc32c(const std::string& bytes) {
  constexpr std::uint32_t kReflectedPolynomial = 0x82F63B78U;
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ kReflectedPolynomial : crc >> 1U;
  }
  crc = ~crc;
  return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char byte : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(byte) >> 4U];
    out += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return out;
}

}  // namespace

TEST_CASE("the checksum is CRC-32C, masked", "[interchange]") {
  // RFC 3720, B.4: 32 bytes of zeros have 0x8a9136aa; "123456789" has 0xe3069283 (the check value of CRC-32C).
  CHECK(masked_crc32c(std::string(32, '\0')) == ((0x8a9136aaU >> 15U) | (0x8a9136aaU << 17U)) + 0xa282ead8U);
  CHECK(masked_crc32c("123456789") == ((0xe3069283U >> 15U) | (0xe3069283U << 17U)) + 0xa282ead8U);
  std::mt19937 random(1);
  for (std::size_t length = 0; length < 300; ++length) {
    std::string bytes;
    for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(random());
    REQUIRE(masked_crc32c(bytes) == slow_masked_crc32c(bytes));
  }
}

TEST_CASE("a record is framed by its length and two checksums", "[interchange]") {
  const std::string frame = framed_record("abc");
  REQUIRE(frame.size() == 8 + 4 + 3 + 4);
  CHECK(hex(frame.substr(0, 8)) == "0300000000000000");
  CHECK(frame.substr(12, 3) == "abc");
}

TEST_CASE("events are the bytes that protocol buffers write", "[interchange]") {
  // As google.protobuf 7.36 writes them with tensorboard.compat.proto: Event(wall_time=1.5,
  // file_version="brain.Event:2").
  CHECK(hex(event_file_header(1.5).substr(12)).substr(0, 48) == "09000000000000f83f1a0d627261696e2e4576656e743a32");
  // Event(wall_time=2.0, step=300, summary=Summary(value=[Value(tag="loss", simple_value=0.5)])).
  const std::string event = scalar_event({.wall_time = 2.0, .step = 300, .tag = "loss", .value = 0.5F});
  CHECK(hex(event.substr(12, event.size() - 16)) == "09000000000000004010ac022a0d0a0b0a046c6f7373150000003f");
}
