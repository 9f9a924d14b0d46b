#include "lm/grid.h"

#include <catch2/catch.hpp>

#include "lm/error.h"
#include "lm/rtn.h"
#include "numerics/support/files.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
using lm::GridOptions;
using lm::QuantizedMatrix;

namespace {

at::Tensor row(std::initializer_list<float> values) { return at::tensor(std::vector<float>(values)).unsqueeze(0); }

std::vector<int> codes_of(const QuantizedMatrix& q) {
  const at::Tensor codes = q.codes.to(at::kInt).contiguous();
  return {codes.data_ptr<int>(), codes.data_ptr<int>() + codes.numel()};
}

}  // namespace

TEST_CASE("the golden row of both grids", "[grid]") {
  const at::Tensor w = row({-1, 0, 0.6F, 2});
  GridOptions options{.num_bits = 4, .scale_dtype = at::kFloat};
  const auto asymmetric = lm::quantize_rtn(w, options);
  CHECK(asymmetric.scale.item<float>() == Approx(0.2));
  CHECK(asymmetric.zero.item<int>() == 5);
  CHECK(codes_of(asymmetric) == std::vector<int>{0, 5, 8, 15});
  CHECK(at::allclose(lm::dequantize(asymmetric), w, 0, 1e-6));
  options.symmetric = true;
  const auto symmetric = lm::quantize_rtn(w, options);
  CHECK(symmetric.scale.item<float>() == Approx(4.0 / 15));
  CHECK(symmetric.zero.item<int>() == 8);
  CHECK(codes_of(symmetric) == std::vector<int>{4, 8, 10, 15});  // 2 is clipped: one level fewer above zero
  CHECK(at::allclose(lm::dequantize(symmetric), row({-16.0F / 15, 0, 8.0F / 15, 28.0F / 15}), 0, 1e-6));
}

TEST_CASE("the golden row of a narrow symmetric range and of one that need not contain zero", "[grid]") {
  // Levels -7 .. 7 times 2 / 7: the largest weight is exact.
  const auto narrow = lm::quantize_rtn(
      row({-1.2F, 0, 0.6F, 2}), {.num_bits = 4, .symmetric = true, .narrow_range = true, .scale_dtype = at::kFloat});
  CHECK(narrow.scale.item<float>() == Approx(2.0 / 7));
  CHECK(codes_of(narrow) == std::vector<int>{4, 8, 10, 15});
  CHECK(lm::dequantize(narrow)[0][3].item<float>() == Approx(2));
  // [1, 4] in 15 steps of 0.2; the zero point would be -5 and is clamped to 0, as in the reference.
  const GridOptions open{.num_bits = 4, .include_zero = false, .scale_dtype = at::kFloat};
  const auto away = lm::quantize_rtn(row({1, 2, 3, 4}), open);
  CHECK(away.scale.item<float>() == Approx(0.2));
  CHECK(codes_of(away) == std::vector<int>{5, 10, 15, 15});
  CHECK(lm::dequantize(lm::quantize_rtn(row({3, 3}), open))[0][0].item<float>() == Approx(3));
  CHECK_THROWS_AS(lm::quantize_rtn(row({1, 2}), {.num_bits = 4, .narrow_range = true}), lm::Error);
}

TEST_CASE("every weight is within half a step of its value, and zero is exact", "[grid]") {
  const int num_bits = GENERATE(2, 3, 4, 8);
  const int64_t group_size = GENERATE(-1, 16, 40);
  const bool symmetric = GENERATE(false, true);
  const at::Tensor w = test::normal({12, 96}, 1).to(at::kFloat);
  w.select(1, 5).zero_();
  const GridOptions options{
      .num_bits = num_bits, .group_size = group_size, .symmetric = symmetric, .scale_dtype = at::kFloat};
  const auto q = lm::quantize_rtn(w, options);
  const int64_t width = lm::group_width(options, 96);
  const at::Tensor step = q.scale.repeat_interleave(width, 1).narrow(1, 0, 96);
  const at::Tensor values = lm::dequantize(q);
  CHECK(((values - w).abs() / step).max().item<float>() <= 0.5F + 1e-4F);
  CHECK(values.select(1, 5).abs().max().item<float>() == 0);
  // Rounding values of the grid to the same grid changes nothing.
  const at::Tensor again = at::round(values / step) + q.zero.repeat_interleave(width, 1).narrow(1, 0, 96);
  CHECK(at::equal(again.to(at::kByte), q.codes));
}

TEST_CASE("round to nearest agrees with its slow fp64 twin", "[grid]") {
  const int num_bits = GENERATE(2, 3, 4, 8);
  const bool symmetric = GENERATE(false, true);
  const auto range = GENERATE(GridOptions::Range::min_max, GridOptions::Range::mse);
  const auto scale_dtype = GENERATE(at::kFloat, at::kHalf, at::kBFloat16);
  // 44 columns in groups of 16: the last group is shorter.
  const GridOptions options{
      .num_bits = num_bits, .group_size = 16, .symmetric = symmetric, .range = range, .scale_dtype = scale_dtype};
  INFO(num_bits << " bits, symmetric " << symmetric << ", range " << static_cast<int>(range) << ", scales "
                << c10::toString(scale_dtype));
  const at::Tensor w = test::normal({10, 44}, 2).to(at::kFloat);
  const auto fast = lm::quantize_rtn(w, options);
  const auto slow = test::slow_rtn(w.to(at::kDouble), options);
  CHECK(fast.scale.size(1) == 3);
  CHECK(fast.scale.scalar_type() == scale_dtype);
  const at::Tensor exact = w.to(at::kDouble);
  const at::Tensor values = lm::dequantize(fast).to(at::kDouble);
  // The scales here passed through an fp32 division: 1e-7 relative, times codes of at most 255.
  const at::Tensor other = (values - slow.values).abs() > 1e-5;
  // Only a weight halfway between two values may take the other one. On the symmetric grid the largest weight of a
  // group is such a tie in exact arithmetic, and the last bit of the scale decides.
  CHECK(((values - exact).abs() - (slow.values - exact).abs()).abs().max().item<double>() < 1e-5);
  CHECK(other.sum().item<int>() <= (symmetric ? fast.scale.numel() : 0));
  CHECK(at::equal(fast.codes.to(at::kLong).masked_select(~other), slow.codes.masked_select(~other)));
}

TEST_CASE("groups as wide as the row are a whole-row grid, and rows do not know each other", "[grid]") {
  const at::Tensor w = test::normal({9, 64}, 3).to(at::kFloat);
  const auto whole = lm::quantize_rtn(w, {.num_bits = 3});
  for (const int64_t group_size : {64, 1000}) {
    const auto grouped = lm::quantize_rtn(w, {.num_bits = 3, .group_size = group_size});
    CHECK(at::equal(grouped.codes, whole.codes));
    CHECK(at::equal(grouped.scale, whole.scale));
  }
  const at::Tensor order = at::tensor({4, 0, 8, 1, 7, 2, 6, 3, 5}, at::kLong);
  CHECK(
      at::equal(lm::quantize_rtn(w.index_select(0, order), {.num_bits = 3}).codes, whole.codes.index_select(0, order)));
}

// Errors of a uniform variable on a step s are uniform on [-s/2, s/2]: mean square s^2 / 12. 8,192 errors: relative
// standard error of the mean square sqrt(4/5 / 8192) = 0.0099.
TEST_CASE("the mean square error of uniform weights is a twelfth of the step squared", "[grid]") {
  const at::Tensor w = test::uniform({32, 256}, 4).to(at::kFloat);
  const auto q = lm::quantize_rtn(w, {.num_bits = 5, .scale_dtype = at::kFloat});
  const at::Tensor relative = (lm::dequantize(q) - w) / q.scale;
  CHECK(relative.square().mean().item<double>() == Approx(1.0 / 12).epsilon(0.03));
}

TEST_CASE("the searched range never costs more than the full one, in its own measure", "[grid]") {
  const bool symmetric = GENERATE(false, true);
  const at::Tensor w = test::normal({16, 128}, 5).pow(3).to(at::kFloat);  // heavy tails
  GridOptions options{.num_bits = 3, .symmetric = symmetric};
  const auto cost = [&] { return (lm::dequantize(lm::quantize_rtn(w, options)) - w).abs().pow(2.4).sum(1); };
  const at::Tensor full = cost();
  options.range = GridOptions::Range::mse;
  const at::Tensor searched = cost();
  CHECK((searched <= full * 1.0001F).all().item<bool>());
  CHECK(searched.sum().item<float>() < 0.95F * full.sum().item<float>());
}

TEST_CASE("rows without weights, or with tiny ones, have a grid", "[grid]") {
  const bool symmetric = GENERATE(false, true);
  const at::Tensor w = at::zeros({3, 8});
  w[1].fill_(1e-12F);
  w[2].fill_(-3e-7F);
  const auto q = lm::quantize_rtn(w, {.num_bits = 4, .symmetric = symmetric});
  const at::Tensor values = lm::dequantize(q);
  CHECK(at::isfinite(values).all().item<bool>());
  CHECK(values[0].abs().max().item<float>() == 0);
  CHECK(q.scale[0].item<float>() == Approx(2.0 / 15).epsilon(1e-3));
  CHECK((values - w).abs().max().item<float>() < 1e-7F);
}

TEST_CASE("stored bits count codes, scales, zeros and padding", "[grid]") {
  const auto bits_per_weight = [](int64_t n, const GridOptions& options) {
    const at::Tensor w = test::normal({8, n}, 6).to(at::kFloat);
    return static_cast<double>(lm::stored_bits(lm::quantize_rtn(w, options))) / static_cast<double>(w.numel());
  };
  CHECK(bits_per_weight(1024, {.num_bits = 4, .group_size = 128}) == 4 + 20.0 / 128);
  CHECK(bits_per_weight(1024, {.num_bits = 4, .group_size = 128, .symmetric = true}) == 4 + 16.0 / 128);
  CHECK(bits_per_weight(1024, {.num_bits = 3, .group_size = 128}) == 3 + 19.0 / 128);
  CHECK(bits_per_weight(1024, {.num_bits = 2, .group_size = 128}) == 2 + 18.0 / 128);
  CHECK(bits_per_weight(1024, {.num_bits = 2, .group_size = 64}) == 2 + 18.0 / 64);
  CHECK(bits_per_weight(1024, {.num_bits = 8}) == 8 + 24.0 / 1024);
  CHECK(bits_per_weight(1024, {.num_bits = 8, .scale_dtype = at::kFloat}) == 8 + 40.0 / 1024);
  // 9 codes of 3 bits: 27 bits in 4 bytes; one zero of 3 bits in 1 byte.
  CHECK(bits_per_weight(9, {.num_bits = 3}) == (32 + 16 + 8) / 9.0);
}

TEST_CASE("grids that do not exist are refused", "[grid]") {
  const test::ScratchDirectory dir;
  const at::Tensor w = at::ones({2, 2});
  CHECK(dir.error_of([&] { (void)lm::quantize_rtn(w, {.num_bits = 9}); }) ==
        "num_bits is out of range\n  where: num_bits\n  why: it is 9, codes have 1 to 8 bits\n  fix: use a value from "
        "1 to 8");
  CHECK(dir.error_of([&] { (void)lm::quantize_rtn(w, {.group_size = 0}); }) ==
        "group_size is out of range\n  where: group_size\n  why: it is 0\n"
        "  fix: use a positive number of weights, or -1 for whole rows");
  CHECK(dir.error_of([&] {
    (void)lm::quantize_rtn(row({1, std::nanf("")}), {});
  }) == "weights are not finite\n  where: the matrix to quantize\n  why: 1 of 2 are NaN or Inf\n  fix: use an "
        "undamaged model");
}
