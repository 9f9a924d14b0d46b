#include "lm/nf4.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "lm/quantized_model.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

/// x with P(X < x) = p for a standard normal X: bisection of the error function, fp64.
double normal_quantile(double p) {
  double low = -10;
  double high = 10;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return low;
}

/// The nearest of the 16 values to w / max |w| of its block, by looking at all; fp64.
at::Tensor slow_nf4(const at::Tensor& w, int64_t block_size) {
  const at::Tensor flat = w.to(at::kDouble).flatten();
  const at::Tensor result = at::zeros_like(flat);
  const auto& codebook = lm::nf4_codebook();
  for (int64_t begin = 0; begin < flat.numel(); begin += block_size) {
    const int64_t length = std::min(block_size, flat.numel() - begin);
    const auto a = flat.narrow(0, begin, length).abs().max().item<double>();
    for (int64_t i = begin; i < begin + length; ++i) {
      const auto x = flat[i].item<double>();
      double best = 0;
      for (const float value : codebook) {
        if (std::abs(value * a - x) < std::abs(best - x)) best = value * a;
      }
      result[i] = best;
    }
  }
  return result.view_as(w);
}

/// As tests/numerics/peer_nf4.py makes them.
at::Tensor peer_matrix(int64_t rows, int64_t columns, uint64_t seed, int64_t n_zeros) {
  at::Tensor w = at::empty({rows, columns}, at::kFloat);
  auto* const data = w.data_ptr<float>();
  uint64_t state = seed;
  for (int64_t i = 0; i < w.numel(); ++i) {
    int64_t total = 0;
    for (int k = 0; k < 4; ++k) {
      state = (state * 1103515245 + 12345) % (uint64_t{1} << 31U);
      total += static_cast<int64_t>(state >> 15U);
    }
    const auto row_scale = static_cast<float>(i / columns % 4 + 1) / 2;
    data[i] = static_cast<float>(total - 2 * 65536) / 65536 * row_scale;
  }
  w.view({-1}).narrow(0, 64, n_zeros).zero_();
  return w;
}

std::vector<uint8_t> bytes_of(const Json& hex) {
  const auto text = hex.get<std::string>();
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}
std::vector<uint8_t> bytes_of(const at::Tensor& tensor) {
  const at::Tensor data = tensor.contiguous();
  const auto* const begin = static_cast<const uint8_t*>(data.data_ptr());
  return {begin, begin + data.nbytes()};
}
template <size_t N>
at::Tensor tensor_of(const std::array<float, N>& values) {
  return at::tensor(at::ArrayRef<float>(values.data(), N), at::kFloat);
}

}  // namespace

TEST_CASE("the values of NF4 are quantiles of the normal distribution", "[nf4]") {
  // Appendix E: eight equal steps of probability above one half, seven below, over the outermost quantile.
  constexpr double kOutermost = 0.9677083;
  const double largest = normal_quantile(kOutermost);
  std::vector<double> expected;
  for (int i = 0; i < 7; ++i) expected.push_back(-normal_quantile(kOutermost + (0.5 - kOutermost) * i / 7) / largest);
  expected.push_back(0);
  for (int i = 7; i >= 0; --i) expected.push_back(normal_quantile(kOutermost + (0.5 - kOutermost) * i / 8) / largest);
  REQUIRE(expected.size() == 16);
  for (size_t i = 0; i < 16; ++i) CHECK(lm::nf4_codebook()[i] == Approx(expected[i]).margin(1e-7));
}

TEST_CASE("zero, the largest weight of a block and all values of the codebook are exact", "[nf4]") {
  const float a = GENERATE(1.0F, 0.37F, 1e-6F, 3.0e4F);
  at::Tensor w = tensor_of(lm::nf4_codebook()) * a;
  w = at::cat({w, -w.narrow(0, 0, 1), at::zeros({47})}).view({4, 16});
  const auto plain = lm::quantize_nf4(w, {.block_size = 64, .double_quant = false});
  CHECK(at::equal(plain.codes.view({-1}).narrow(0, 0, 16), at::arange(16, at::kByte)));
  CHECK(at::equal(lm::dequantize(plain), w));
  const auto again = lm::quantize_nf4(lm::dequantize(plain), {.block_size = 64, .double_quant = false});
  CHECK(at::equal(again.codes, plain.codes));
}

TEST_CASE("rounding what is rounded changes nothing without double quantization", "[nf4]") {
  const int64_t columns = GENERATE(64, 70, 33);
  const at::Tensor w = test::normal({20, columns}, 5).to(at::kFloat);
  // A negative largest weight is -1 times the scale, so both ends of the codebook are fixed points.
  const auto once = lm::quantize_nf4(w, {.block_size = 64, .double_quant = false});
  const auto twice = lm::quantize_nf4(lm::dequantize(once), {.block_size = 64, .double_quant = false});
  CHECK(at::equal(twice.codes, once.codes));
  CHECK(at::equal(twice.absmax, once.absmax));
}

TEST_CASE("blocks of zeros stay zero", "[nf4]") {
  const at::Tensor w = at::zeros({8, 32});
  CHECK(at::equal(lm::dequantize(lm::quantize_nf4(w, {.block_size = 64, .double_quant = false})), w));
  CHECK(at::equal(lm::dequantize(lm::quantize_nf4(w, {})), w));
}

TEST_CASE("each weight goes to the nearest value: a slow twin", "[nf4]") {
  const int64_t block_size = GENERATE(32, 64, 128);
  const at::Tensor w = test::normal({9, 75}, 11).to(at::kFloat);
  const auto matrix = lm::quantize_nf4(w, {.block_size = block_size, .double_quant = false});
  // fp32 against fp64: a relative half ulp of a value of size up to 4.
  CHECK(test::max_difference(lm::dequantize(matrix), slow_nf4(w, block_size)) < 1e-6);
}

TEST_CASE("double quantization moves the scales by less than one per cent", "[nf4]") {
  const at::Tensor w = test::normal({64, 1024}, 3).to(at::kFloat) * 0.02;
  const auto exact = lm::quantize_nf4(w, {.double_quant = false});
  const auto rounded = lm::quantize_nf4(w, {});
  CHECK(at::equal(exact.codes, rounded.codes));  // codes are chosen before the scales are rounded
  const at::Tensor scales = lm::scales_of(exact).to(at::kDouble);
  const at::Tensor error = (lm::scales_of(rounded).to(at::kDouble) - scales).abs() / scales;
  CHECK(error.max().item<double>() < 0.01);
}

TEST_CASE("stored bits of NF4 are 4.127 a weight", "[nf4]") {
  const at::Tensor w = test::normal({256, 1024}, 7).to(at::kFloat);
  const auto n = static_cast<double>(w.numel());
  const auto bits = static_cast<double>(lm::stored_bits(lm::quantize_nf4(w, {})));
  CHECK(bits == n * (4 + 8.0 / 64 + 32.0 / (64 * 256)) + 32);
  CHECK(bits / n == Approx(4.127).epsilon(1e-4));
  CHECK(static_cast<double>(lm::stored_bits(lm::quantize_nf4(w, {.double_quant = false}))) == n * 4.5);
}

TEST_CASE("codes, scales and the scales of scales are those of bitsandbytes", "[nf4]") {
  const Json golden = test::read_json(test::fixtures() / "nf4-bitsandbytes.json");
  CHECK(bytes_of(tensor_of(lm::nf4_codebook())) == bytes_of(golden["codebook"]));
  CHECK(bytes_of(tensor_of(lm::dynamic_map())) == bytes_of(golden["dynamic_map"]));
  for (const Json& one : golden["cases"]) {
    CAPTURE(one["seed"].get<int>());
    const at::Tensor w = peer_matrix(one["rows"], one["columns"], one["seed"], one["zeros"]);
    const int64_t block_size = one["block_size"];
    const auto plain = lm::quantize_nf4(w, {.block_size = block_size, .double_quant = false});
    const auto nested = lm::quantize_nf4(w, {.block_size = block_size});
    // Two codes a byte, the first in the high half; an odd last one beside the code of 0.
    std::vector<uint8_t> codes = bytes_of(plain.codes);
    if (codes.size() % 2 != 0) codes.push_back(7);
    std::vector<uint8_t> packed;
    for (size_t i = 0; i < codes.size(); i += 2) packed.push_back(static_cast<uint8_t>(codes[i] << 4U | codes[i + 1]));
    CHECK(packed == bytes_of(one["codes"]));
    CHECK(bytes_of(plain.absmax) == bytes_of(one["absmax"]));
    CHECK(bytes_of(nested.absmax) == bytes_of(one["nested_codes"]));
    CHECK(bytes_of(nested.nested_absmax) == bytes_of(one["nested_absmax"]));
    CHECK(bytes_of(nested.offset) == bytes_of(one["offset"]));
    CHECK(bytes_of(lm::dequantize(nested).view({-1}).narrow(0, 0, 64)) == bytes_of(one["first_values"]));
  }
}

TEST_CASE("a block size that is no power of two is refused", "[nf4]") {
  const test::ScratchDirectory dir;
  CHECK(
      dir.error_of([] {
        (void)lm::quantize_nf4(at::ones({4, 4}), {.block_size = 48});
      }) ==
      "block_size is not one of NF4's\n  where: block_size\n  why: it is 48, other tools read powers of two from 32 to "
      "4096\n  fix: use 64, as the authors do");
}

TEST_CASE("a model in NF4 is read back as what was evaluated", "[nf4][quantized-model]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  const bool double_quant = GENERATE(true, false);
  CAPTURE(name, double_quant);
  const auto source = test::fixtures() / name;
  const auto config = lm::read_model_config(source);
  const auto original = lm::Checkpoint::open(source);
  const test::ScratchDirectory dir;
  lm::QuantizedModelWriter out(source, dir.path(), original, config, {.method = "nf4", .grid = {.symmetric = true}});
  const lm::Nf4Options options{.block_size = 64, .double_quant = double_quant};
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    const lm::BlockWeights w = lm::load_block(config, original, block, at::kFloat);
    for (const lm::Linear linear : lm::linears(config))
      out.add(block, linear, lm::quantize_nf4(w[linear], options), w[linear]);
    out.finish_block(block);
  }
  const auto totals = out.finish();
  const auto weights = lm::open_weights(dir.path());
  CHECK(weights->names() == original.names());
  const auto stored = lm::Checkpoint::open(dir.path());
  int64_t n_bits = 0;
  for (const std::string& part : stored.names()) {
    for (const char* suffix : {".codes", ".absmax", ".nested_absmax", ".offset"}) {
      if (part.size() > strlen(suffix) && part.substr(part.size() - strlen(suffix)) == suffix)
        n_bits += static_cast<int64_t>(8 * stored.entry(part).n_bytes);
    }
  }
  CHECK(totals.n_bits == n_bits);
  for (const lm::Linear linear : lm::linears(config)) {
    const std::string weight = lm::linear_name(config, 0, linear);
    CHECK(at::equal(weights->tensor(weight), lm::dequantize(lm::quantize_nf4(original.tensor(weight), options))));
    CHECK(weights->code_bits(weight) == 4);
  }
  const lm::Model model(config, *weights, at::kFloat);
  CHECK(at::isfinite(model.logits(model.forward(test::ids_of({1, 4, 9})))).all().item<bool>());
}
