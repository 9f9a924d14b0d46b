// SHA-256, the only digest lowbit writes down.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lowbit {

/// 32 bytes; ordered and hashed by value.
class Digest {
 public:
  static constexpr std::size_t kBytes = 32;

  Digest() = default;
  explicit Digest(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  [[nodiscard]] std::string hex() const;
  /// The first `n` hexadecimal digits, for people.
  [[nodiscard]] std::string brief(std::size_t n = 8) const { return hex().substr(0, n); }
  /// 64 lower-case hexadecimal digits, else nothing.
  [[nodiscard]] static std::optional<Digest> from_hex(std::string_view text);

  [[nodiscard]] const std::array<std::uint8_t, kBytes>& bytes() const { return bytes_; }
  auto operator<=>(const Digest&) const = default;

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

[[nodiscard]] Digest sha256(std::string_view text);

/// SHA-256 of a text that arrives in pieces. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> piece);
  void update(std::string_view piece);
  /// REQUIRES: called once.
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lowbit

template <>
struct std::hash<lowbit::Digest> {
  std::size_t operator()(const lowbit::Digest& digest) const noexcept {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8U | digest.bytes()[i];
    return value;
  }
};
