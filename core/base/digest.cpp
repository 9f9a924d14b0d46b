#include "base/digest.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace lowbit {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::uint8_t kNoNibble = 0x80;

constexpr std::array<std::uint8_t, 256> nibbles() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoNibble);
  for (std::size_t i = 0; i < kDigits.size(); ++i) {
    table[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}
constexpr std::array<std::uint8_t, 256> kNibbles = nibbles();

/// Looked up once: by name each time it takes as long as the digest of a short text.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  LB_CHECK(found != nullptr);
  return found;
}

}  // namespace

std::string Digest::hex() const {
  std::string text(2 * kBytes, '\0');
  for (std::size_t i = 0; i < kBytes; ++i) {
    text[2 * i] = kDigits[bytes_[i] >> 4U];
    text[2 * i + 1] = kDigits[bytes_[i] & 15U];
  }
  return text;
}

std::optional<Digest> Digest::from_hex(std::string_view text) {
  if (text.size() != 2 * kBytes) return std::nullopt;
  std::array<std::uint8_t, kBytes> bytes{};
  unsigned seen = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const unsigned high = kNibbles[static_cast<unsigned char>(text[2 * i])];
    const unsigned low = kNibbles[static_cast<unsigned char>(text[2 * i + 1])];
    seen |= high | low;
    bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  if ((seen & kNoNibble) != 0) return std::nullopt;
  return Digest(bytes);
}

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { LB_CHECK(context != nullptr && EVP_DigestInit_ex(context, algorithm(), nullptr) == 1); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> piece) {
  LB_CHECK(EVP_DigestUpdate(state_->context, piece.data(), piece.size()) == 1);
}

void Sha256::update(std::string_view piece) { update(std::as_bytes(std::span(piece))); }

Digest Sha256::finish() {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  LB_CHECK(EVP_DigestFinal_ex(state_->context, bytes.data(), nullptr) == 1);
  return Digest(bytes);
}

Digest sha256(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.finish();
}

}  // namespace lowbit
