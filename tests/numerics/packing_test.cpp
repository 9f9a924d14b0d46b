#include "lm/packing.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "numerics/support/files.h"

using namespace lowbit;

namespace {

/// Packs n codes "j mod modulus * factor" and reads the bytes as little-endian words.
std::vector<uint32_t> words(int64_t n, int64_t modulus, int64_t factor, int num_bits) {
  const at::Tensor codes = (at::arange(n, at::kLong).remainder(modulus) * factor).to(at::kByte).unsqueeze(0);
  const at::Tensor packed = lm::pack(codes, num_bits);
  std::vector<uint32_t> result(static_cast<size_t>(packed.numel()) / 4);
  std::memcpy(result.data(), packed.data_ptr<uint8_t>(), result.size() * 4);
  return result;
}

}  // namespace

TEST_CASE("packed words are those of the GPTQ layout", "[packing]") {
  CHECK(words(8, 8, 1, 4) == std::vector<uint32_t>{0x76543210});
  CHECK(words(32, 8, 1, 3) == std::vector<uint32_t>{0x88fac688, 0xc688fac6, 0xfac688fa});
  CHECK(words(16, 4, 1, 2) == std::vector<uint32_t>{0xe4e4e4e4});
  CHECK(words(4, 4, 0x11, 8) == std::vector<uint32_t>{0x33221100});
}

TEST_CASE("codes of every width survive packing, also in rows that end inside a byte", "[packing]") {
  const int num_bits = GENERATE(1, 2, 3, 4, 5, 6, 7, 8);
  const int64_t n = GENERATE(1, 7, 8, 33, 172);
  const at::Tensor codes =
      (at::arange(3 * n, at::kLong) * 7919).remainder(int64_t{1} << num_bits).to(at::kByte).view({3, n});
  const at::Tensor packed = lm::pack(codes, num_bits);
  CHECK(packed.size(1) == (n * num_bits + 7) / 8);
  CHECK(at::equal(lm::unpack(packed, num_bits, n), codes));
}

TEST_CASE("packed codes of another width are refused", "[packing]") {
  const test::ScratchDirectory dir;
  const at::Tensor packed = lm::pack(at::zeros({2, 16}, at::kByte), 4);
  CHECK(dir.error_of([&] { (void)lm::unpack(packed, 3, 16); }) ==
        "packed codes have the wrong size\n  where: a quantized matrix\n  why: 16 codes of 3 bits take 6 bytes a row, "
        "found 8\n"
        "  fix: quantize the model again");
}
