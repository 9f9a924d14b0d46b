#include "lm/smooth.h"

#include <catch2/catch.hpp>
#include <limits>
#include <map>

#include "lm/fold.h"
#include "lm/quantized_model.h"
#include "lm/rtn.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
using lm::ActivationGrid;
using lm::Linear;
using Strategy = lm::ActivationGrid::Strategy;

namespace {

/// A fixture computed in fp64, and windows for it.
struct Smoothable {
  explicit Smoothable(const std::string& name, int64_t n_windows = 5)
      : dir(test::fixtures() / name),
        config(lm::read_model_config(dir)),
        weights(lm::Checkpoint::open(dir)),
        model(config, weights, at::kDouble, lm::Model::Blocks::streaming) {
    windows.ids = (at::arange(n_windows * 12, at::kLong) * 29 + 11).remainder(config.vocab_size).view({n_windows, 12});
    windows.vocab_size = config.vocab_size;
  }
  [[nodiscard]] lm::Calibration calibration(int64_t batch_size = 2) const {
    return {model, windows, {.batch_size = batch_size, .tick = {}}};
  }
  [[nodiscard]] std::vector<lm::BlockWeights> smoothed(const lm::SmoothOptions& options) const {
    lm::Calibration passed = calibration();
    std::vector<lm::BlockWeights> blocks;
    for (int64_t i = 0; i < config.n_blocks; ++i) {
      blocks.push_back(lm::smooth_block(config, model.block(i), model.block(i), i, passed, options));
    }
    return blocks;
  }
  [[nodiscard]] at::Tensor hidden(const std::vector<lm::BlockWeights>& blocks) const {
    const lm::Positions positions(config, 0, windows.length(), {}, at::kDouble);
    at::Tensor x = model.embed(windows.ids, positions);
    for (const lm::BlockWeights& w : blocks) x = lm::block_forward(config, w, x, positions);
    return x;
  }
  [[nodiscard]] std::vector<lm::BlockWeights> blocks() const {
    std::vector<lm::BlockWeights> all;
    for (int64_t i = 0; i < config.n_blocks; ++i) all.push_back(model.block(i));
    return all;
  }

  std::filesystem::path dir;
  lm::ModelConfig config;
  lm::Checkpoint weights;
  lm::Model model;
  lm::TokenBatches windows;
};

const std::vector<std::string> kNormFirst{"random-untied",  "random-tied",  "random-llama3",
                                          "random-mistral", "random-qwen2", "random-opt"};

constexpr lm::GridOptions kInt8{
    .num_bits = 8, .symmetric = true, .narrow_range = true, .scale_dtype = at::ScalarType::Float};

double relative_change(const at::Tensor& a, const at::Tensor& b) {
  return test::max_difference(a, b) / b.abs().max().item<double>();
}

/// What a linear of integers computes: x [T, n], codes of W [m, n] around 128. Integers are multiplied and summed as
/// such, then scaled: y = (X_int W_int^T) step_x scale_w.
at::Tensor integer_product(const at::Tensor& x, const lm::QuantizedMatrix& matrix) {
  const at::Tensor step = x.abs().amax(1, true) / 127;  // [T, 1]
  const at::Tensor codes = at::round(x / at::where(step == 0, at::ones_like(step), step)).to(at::kLong);
  REQUIRE(codes.abs().max().item<int64_t>() <= 127);
  const at::Tensor w = matrix.codes.to(at::kLong) - 128;
  REQUIRE(w.abs().max().item<int64_t>() <= 127);
  return codes.mm(w.t()).to(at::kDouble) * step * matrix.scale.to(at::kDouble).t();
}

std::string files_of(const std::filesystem::path& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    files[entry.path().filename().string()] = test::read_text(entry.path());
  }
  std::string all;
  for (const auto& [name, text] : files) all += name + "\n" + text + "\n";
  return all;
}

}  // namespace

// Factors move about: with fp64 tensors the model's output is the same to rounding.
TEST_CASE("a smoothed model computes the same for any alpha", "[smooth]") {
  const auto name = GENERATE(from_range(kNormFirst));
  const Smoothable f(name);
  const at::Tensor exact = f.hidden(f.blocks());
  for (const double alpha : {0.0, 0.25, 0.5, 0.85, 1.0}) {
    CAPTURE(name, alpha);
    const auto blocks = f.smoothed({.alpha = alpha});
    CHECK(relative_change(f.hidden(blocks), exact) < 1e-10);
    CHECK(test::max_difference(blocks[0].q, f.model.block(0).q) > 1e-3);
    CHECK(at::equal(blocks[0].o, f.model.block(0).o));  // not smoothed
    CHECK(at::equal(blocks[0].down, f.model.block(0).down));
  }
}

TEST_CASE("alpha 1 brings every channel of the inputs to 1, alpha 0 every column of the weights", "[smooth]") {
  const auto name = GENERATE(from_range(kNormFirst));
  CAPTURE(name);
  const Smoothable f(name);
  const auto all_in = f.smoothed({.alpha = 1});
  const auto none = f.smoothed({.alpha = 0});
  lm::Calibration calibration = f.calibration();
  for (int64_t i = 0; i < f.config.n_blocks; ++i) {
    const auto at = static_cast<size_t>(i);
    for (const Linear group : lm::smoothed_groups(f.config)) {
      if (group != Linear::q) calibration.pass_attention(all_in[at]);
      const at::Tensor largest = calibration.extremes(all_in[at], group).largest();
      CHECK(test::max_difference(largest, at::ones_like(largest)) < 1e-12);
      const at::Tensor columns = lm::column_maxima(f.config, none[at], group);
      CHECK(test::max_difference(columns, at::ones_like(columns)) < 1e-12);
    }
    calibration.pass_mlp(all_in[at]);
  }
}

TEST_CASE("the scale is the formula, with maxima held above 1e-5", "[smooth]") {
  const at::Tensor x = at::tensor({4.0, 0.0, 9.0}, at::kDouble);
  const at::Tensor w = at::tensor({0.25, 1.0, 0.0}, at::kDouble);
  CHECK(test::max_difference(lm::smoothing_scale(x, w, 0.5),
                             at::tensor({4.0, 1e-5, 3 / std::sqrt(1e-5)}, at::kDouble)) < 1e-9);
  CHECK(test::max_difference(lm::smoothing_scale(x, w, 1), at::tensor({4.0, 1e-5, 9.0}, at::kDouble)) < 1e-12);
  CHECK(test::max_difference(lm::smoothing_scale(x, w, 0), at::tensor({4.0, 1.0, 1e5}, at::kDouble)) < 1e-7);
}

TEST_CASE("fixed ranges are those of all tokens of all windows after smoothing, padding left out", "[smooth]") {
  const auto name = GENERATE("random-llama3", "random-opt");
  CAPTURE(name);
  Smoothable f(name);
  std::map<std::string, lm::Range> ranges;
  const auto blocks = f.smoothed({.alpha = 0.5, .ranges = &ranges});
  CHECK(ranges.size() == static_cast<size_t>(4 * f.config.n_blocks));
  const lm::Positions positions(f.config, 0, 12, {}, at::kDouble);
  at::Tensor x = f.model.embed(f.windows.ids, positions);
  for (int64_t i = 0; i < f.config.n_blocks; ++i) {
    const lm::InputTap tap = [&](Linear group, const at::Tensor& input) {
      const std::string weight = lm::linear_name(f.config, i, group);
      const lm::Range& range = ranges.at(weight.substr(0, weight.rfind('.')));
      CHECK(range.low == Approx(input.min().item<double>()).margin(1e-9));
      CHECK(range.high == Approx(input.max().item<double>()).margin(1e-9));
    };
    const lm::BlockWeights& w = blocks[static_cast<size_t>(i)];
    x = lm::mlp_forward(f.config, w, lm::attention_forward(f.config, w, x, positions, nullptr, 0, tap), tap);
  }
  const at::Tensor pad = at::full({5, 3}, f.config.vocab_size - 1, at::kLong);
  f.windows.ids = at::cat({pad, f.windows.ids, pad}, 1);
  f.windows.attention_mask = at::cat({at::zeros({5, 3}), at::ones({5, 12}), at::zeros({5, 3})}, 1).to(at::kBool);
  std::map<std::string, lm::Range> of_padded;
  (void)f.smoothed({.alpha = 0.5, .ranges = &of_padded});
  for (const auto& [module, range] : ranges) {
    CHECK(of_padded.at(module).low == Approx(range.low).margin(1e-9));
    CHECK(of_padded.at(module).high == Approx(range.high).margin(1e-9));
  }
}

TEST_CASE("ranges without smoothing are those of the model itself", "[smooth]") {
  const Smoothable f("random-opt-350m");
  std::map<std::string, lm::Range> ranges;
  lm::Calibration calibration = f.calibration(3);
  lm::Calibration all = f.calibration(5);
  for (int64_t i = 0; i < f.config.n_blocks; ++i) {
    const lm::BlockWeights w = f.model.block(i);
    const at::Tensor largest = all.extremes(w, Linear::o).largest();
    lm::pass_with_ranges(calibration, f.config, w, i, ranges);
    all.pass_attention(w);
    all.pass_mlp(w);
    const lm::Range& range = ranges.at("model.decoder.layers." + std::to_string(i) + ".self_attn.out_proj");
    CHECK(std::max(-range.low, range.high) == Approx(largest.max().item<double>()).epsilon(1e-9));
  }
  CHECK(ranges.size() == static_cast<size_t>(4 * f.config.n_blocks));
}

// With the same tokens a token's own range is never wider than the range of all.
TEST_CASE("inputs rounded token by token err less than within one fixed range", "[smooth]") {
  const auto name = GENERATE(from_range(kNormFirst));
  const Smoothable f(name);
  std::map<std::string, lm::Range> ranges;
  const auto blocks = f.smoothed({.alpha = 0.5, .ranges = &ranges});
  const lm::Positions positions(f.config, 0, 12, {}, at::kDouble);
  at::Tensor x = f.model.embed(f.windows.ids, positions);
  for (int64_t i = 0; i < f.config.n_blocks; ++i) {
    const lm::InputTap tap = [&](Linear group, const at::Tensor& input) {
      const std::string weight = lm::linear_name(f.config, i, group);
      const lm::Range& range = ranges.at(weight.substr(0, weight.rfind('.')));
      for (const int num_bits : {4, 6, 8}) {
        CAPTURE(name, i, group, num_bits);
        const at::Tensor by_token = lm::round_activations(input, {.num_bits = num_bits});
        const at::Tensor fixed =
            lm::round_activations(input, {.num_bits = num_bits, .strategy = Strategy::tensor}, range);
        CHECK((by_token - input).norm().item<double>() < (fixed - input).norm().item<double>());
      }
    };
    const lm::BlockWeights& w = blocks[static_cast<size_t>(i)];
    x = lm::mlp_forward(f.config, w, lm::attention_forward(f.config, w, x, positions, nullptr, 0, tap), tap);
  }
}

TEST_CASE("with 16 bits for activations a smoothed model computes the same to 1e-3", "[smooth]") {
  const auto name = GENERATE(from_range(kNormFirst));
  CAPTURE(name);
  const Smoothable f(name);
  lm::ActivationRules rules{.inputs = ActivationGrid{.num_bits = 16}, .qkv_outputs = ActivationGrid{.num_bits = 16}};
  auto blocks = f.smoothed({.alpha = 0.5});
  for (size_t i = 0; i < blocks.size(); ++i)
    blocks[i].activations = lm::hooks_of(rules, f.config, static_cast<int64_t>(i));
  CHECK(relative_change(f.hidden(blocks), f.hidden(f.blocks())) < 1e-3);
}

// Letters: T 9 tokens, n 48, m 20. Fake quantization multiplies grid points in floating point: every dequantized weight
// is a fp32 product (2^-24 of it off), every sum of n products is off by n 2^-53 (fp64) or n 2^-24 (fp32).
TEST_CASE("a linear on grid points computes what integers would", "[smooth]") {
  const bool per_tensor = GENERATE(false, true);
  CAPTURE(per_tensor);
  const at::Tensor x = test::normal({9, 48}, 1) * test::normal({9, 1}, 2).exp();
  const at::Tensor w = test::normal({20, 48}, 3) * (0.7 * test::normal({20, 1}, 4)).exp();
  const auto matrix = per_tensor ? lm::quantize_rtn_per_tensor(w, kInt8) : lm::quantize_rtn(w, kInt8);
  const at::Tensor expected = integer_product(x, matrix);
  const at::Tensor rounded = lm::round_activations(x, {.num_bits = 8});
  const at::Tensor size = rounded.abs().mm(lm::dequantize(matrix).to(at::kDouble).abs().t());  // sum |x w|
  const auto off_by = [&](const at::Tensor& y) {
    return ((y.to(at::kDouble) - expected).abs() / size).max().item<double>();
  };
  CHECK(off_by(at::linear(rounded, lm::dequantize(matrix).to(at::kDouble))) < 1.01 * std::exp2(-24));
  CHECK(off_by(at::linear(rounded.to(at::kFloat), lm::dequantize(matrix))) < 50 * std::exp2(-24));
}

TEST_CASE("a linear with outlier columns computes what integers and full-precision columns would", "[smooth]") {
  at::Tensor x = test::normal({9, 48}, 1);
  x.select(1, 7) *= 40;
  x.select(1, 30) *= 90;
  const at::Tensor w = test::normal({20, 48}, 3);
  const auto matrix = lm::quantize_rtn(w, kInt8);
  const at::Tensor outlier = (x.abs() > 6).any(0);
  REQUIRE(outlier.sum().item<int64_t>() == 2);
  const at::Tensor values = lm::dequantize(matrix).to(at::kDouble);
  const at::Tensor expected =
      integer_product(x.masked_fill(outlier, 0), matrix) + (x * outlier).mm((values * outlier).t());
  const at::Tensor rounded = lm::round_but_outliers(x.unsqueeze(0), {.num_bits = 8}, 6)[0];
  const at::Tensor size = rounded.abs().mm(values.abs().t());
  CHECK(((at::linear(rounded, values) - expected).abs() / size).max().item<double>() < 1.01 * std::exp2(-24));
}

TEST_CASE("one grid for a matrix has the step of its largest weight, and rounds to the nearest point", "[smooth]") {
  const at::Tensor w = test::normal({6, 10}, 8);
  for (const int num_bits : {2, 4, 6, 8}) {
    lm::GridOptions grid = kInt8;
    grid.num_bits = num_bits;
    const auto matrix = lm::quantize_rtn_per_tensor(w, grid);
    const double step = w.abs().max().item<double>() / (std::exp2(num_bits - 1) - 1);
    CHECK(matrix.scale.sizes() == at::IntArrayRef({6, 1}));
    CHECK(test::max_difference(matrix.scale, at::full({6, 1}, step, at::kDouble)) < 1e-6 * step);
    CHECK(test::max_difference(lm::dequantize(matrix), w) < (0.5 + 1e-5) * step);
    CHECK(at::equal(lm::quantize_rtn_per_tensor(lm::dequantize(matrix), grid).codes, matrix.codes));
  }
}

TEST_CASE("LLM.int8 with a threshold nothing exceeds is W8A8, with one that all exceed only its weights are rounded",
          "[smooth]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  CAPTURE(name);
  const Smoothable f(name);
  auto blocks = f.blocks();
  for (lm::BlockWeights& w : blocks) {
    for (const Linear linear : lm::linears(f.config)) {
      w[linear] = lm::dequantize(lm::quantize_rtn(w[linear], kInt8)).to(at::kDouble);
    }
  }
  const auto hidden = [&](const lm::ActivationRules& rules) {
    for (size_t i = 0; i < blocks.size(); ++i)
      blocks[i].activations = lm::hooks_of(rules, f.config, static_cast<int64_t>(i));
    return f.hidden(blocks);
  };
  const ActivationGrid int8{.num_bits = 8};
  const double infinity = std::numeric_limits<double>::infinity();
  const at::Tensor w8a8 = hidden({.inputs = int8});
  const at::Tensor w8 = hidden({});
  CHECK(at::equal(hidden({.inputs = int8, .outlier_threshold = infinity}), w8a8));
  CHECK(at::equal(hidden({.inputs = int8, .outlier_threshold = 0.0}), w8));
  CHECK_FALSE(at::equal(w8, w8a8));
}

TEST_CASE("smoothing that goes on after a stop leaves the same bytes", "[smooth]") {
  const Smoothable f("random-tied");
  const auto write = [&](lm::QuantizedModelWriter& out, lm::Calibration& calibration,
                         std::map<std::string, lm::Range>& ranges, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const lm::BlockWeights w =
          lm::smooth_block(f.config, f.model.block(i), lm::load_block(f.config, f.weights, i, at::kFloat), i,
                           calibration, {.alpha = 0.6, .ranges = &ranges});
      for (const Linear linear : lm::linears(f.config)) {
        out.add(i, linear, lm::quantize_rtn(w[linear], kInt8), w[linear]);
      }
      out.finish_block(i, lm::norms_of(f.config, w, i));
    }
  };
  const auto finish = [](lm::QuantizedModelWriter& out, const std::map<std::string, lm::Range>& ranges) {
    out.set_activations({.inputs = ActivationGrid{.num_bits = 8, .strategy = Strategy::tensor}, .ranges = ranges});
    (void)out.finish();
  };
  const lm::QuantizedModelWriter::Options options{.method = "smoothquant", .grid = kInt8};
  const test::ScratchDirectory straight, begun, saved, resumed;
  {
    lm::QuantizedModelWriter out(f.dir, straight.path(), f.weights, f.config, options);
    lm::Calibration calibration = f.calibration();
    std::map<std::string, lm::Range> ranges;
    write(out, calibration, ranges, 0, f.config.n_blocks);
    finish(out, ranges);
  }
  std::map<std::string, lm::Range> ranges;
  {
    lm::QuantizedModelWriter out(f.dir, begun.path(), f.weights, f.config, options);
    lm::Calibration calibration = f.calibration();
    write(out, calibration, ranges, 0, 1);
    out.save(saved.path());
    lm::write_safetensors(saved.path() / "hidden", calibration.save());
  }
  lm::QuantizedModelWriter out(f.dir, resumed.path(), f.weights, f.config, options);
  lm::Calibration calibration = f.calibration();
  calibration.restore(lm::SafetensorsFile::open(saved.path() / "hidden"));
  write(out, calibration, ranges, out.restore(saved.path()), f.config.n_blocks);
  finish(out, ranges);
  CHECK(files_of(resumed.path()) == files_of(straight.path()));
}

// 8 bits cost each linear about 0.5 % of its output; what is read back is what was smoothed.
TEST_CASE("a smoothed model is written with its norms and read back as W8A8", "[smooth]") {
  const auto name = GENERATE(from_range(kNormFirst));
  CAPTURE(name);
  const Smoothable f(name);
  const test::ScratchDirectory dir;
  lm::QuantizedModelWriter out(
      f.dir, dir.path(), f.weights, f.config,
      {.method = "smoothquant", .grid = kInt8, .activations = {.inputs = ActivationGrid{.num_bits = 8}}});
  const auto blocks = f.smoothed({.alpha = 0.5});
  for (int64_t i = 0; i < f.config.n_blocks; ++i) {
    const lm::BlockWeights& w = blocks[static_cast<size_t>(i)];
    for (const Linear linear : lm::linears(f.config)) {
      out.add(i, linear, lm::quantize_rtn(w[linear], kInt8), w[linear]);
    }
    out.finish_block(i, lm::norms_of(f.config, w, i));
  }
  CHECK(out.finish().nmse() < 1e-4);
  const auto weights = lm::open_weights(dir.path());
  REQUIRE(weights->activation_rules() != nullptr);
  const at::Tensor hidden = lm::Model(f.config, *weights, at::kDouble).forward(f.windows.ids);
  CHECK(((hidden - f.hidden(f.blocks())).norm() / hidden.norm()).item<double>() < 0.05);
}

TEST_CASE("rules are put on a model as it is, quantized or not", "[smooth]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  CAPTURE(name);
  const Smoothable f(name);
  const lm::ActivationRules int8{.inputs = ActivationGrid{.num_bits = 8}};
  const lm::ActivationRules kv4{.kv_cache = ActivationGrid{.num_bits = 4, .symmetric = false}};
  const test::ScratchDirectory once, twice;
  lm::copy_with_rules(f.dir, once.path(), int8);
  const auto first = lm::open_weights(once.path());
  CHECK(first->names() == f.weights.names());
  for (const std::string& tensor : first->names()) CHECK(at::equal(first->tensor(tensor), f.weights.tensor(tensor)));
  CHECK(first->stored_bytes() == f.weights.stored_bytes());
  REQUIRE(first->activation_rules() != nullptr);
  lm::copy_with_rules(once.path(), twice.path(), lm::replaced(*first->activation_rules(), kv4));
  const auto second = lm::open_weights(twice.path());
  auto blocks = f.blocks();
  const lm::ActivationRules both{.inputs = int8.inputs, .kv_cache = kv4.kv_cache};
  for (size_t i = 0; i < blocks.size(); ++i)
    blocks[i].activations = lm::hooks_of(both, f.config, static_cast<int64_t>(i));
  const at::Tensor hidden = lm::Model(f.config, *second, at::kDouble).forward(f.windows.ids);
  CHECK(at::equal(hidden, f.hidden(blocks)));
}

TEST_CASE("rules that replace others take thresholds and ranges with the inputs", "[smooth]") {
  const ActivationGrid grid{.num_bits = 8};
  const lm::ActivationRules base{.inputs = grid, .outlier_threshold = 6.0, .qkv_outputs = grid};
  const lm::ActivationRules over{.inputs = ActivationGrid{.num_bits = 4, .strategy = Strategy::tensor},
                                 .ranges = {{"m", {-1, 1}}}};
  const auto result = lm::replaced(base, over);
  CHECK(lm::to_json(result) == lm::to_json({.inputs = over.inputs, .qkv_outputs = grid, .ranges = {{"m", {-1, 1}}}}));
  CHECK(lm::to_json(lm::replaced(base, {.kv_cache = grid})) ==
        lm::to_json({.inputs = grid, .outlier_threshold = 6.0, .qkv_outputs = grid, .kv_cache = grid}));
}

TEST_CASE("what cannot be smoothed is said by name", "[smooth]") {
  const test::ScratchDirectory dir;
  const Smoothable f("random-untied", 1);
  const at::Tensor one = at::ones({2}, at::kDouble);
  CHECK(dir.error_of([&] { lm::check_can_smooth(Smoothable("random-opt-350m").config); }) ==
        "the model cannot be smoothed\n  where: config.json\n"
        "  why: its norms stand after attention and MLP: what q_proj reads is also added to the output, and no norm "
        "before it can take up a scale\n"
        "  fix: use a model whose norms come first, or quantize this one without smoothing: lowbit.llm-int8, or "
        "lowbit.rtn and lowbit.quantize-activations");
  CHECK(dir.error_of([&] { (void)lm::smoothing_scale(one, one, 1.5); }) ==
        "alpha is out of range\n  where: alpha\n  why: it is 1.500000; 0 leaves all that is hard to round to the "
        "activations, 1 to the weights\n  fix: use a value from 0 to 1");
  CHECK(dir.error_of([&] { f.calibration().require_tokens(13); }) ==
        "there are too few calibration tokens\n  where: calibration\n"
        "  why: its windows hold 12 tokens, and 13 are asked for\n"
        "  fix: calibrate on more windows, or lower min_calibration_tokens");
  CHECK_NOTHROW(f.calibration().require_tokens(12));

  lm::BlockWeights broken = f.model.block(0);
  broken.k = broken.k.clone();
  broken.k[0][3] = std::numeric_limits<double>::quiet_NaN();
  const auto smooth = [&](const lm::BlockWeights& observed) {
    lm::Calibration calibration = f.calibration();
    return dir.error_of([&] { (void)lm::smooth_block(f.config, observed, broken, 0, calibration, {}); });
  };
  CHECK(smooth(broken) ==
        "weights are not finite\n  where: model.layers.0.self_attn.q_proj, smoothing\n"
        "  why: 1 of 32 channels hold NaN or Inf\n  fix: use an undamaged model, and compute in fp32");
  broken = f.model.block(0);
  broken.attention_norm.weight = broken.attention_norm.weight * std::numeric_limits<double>::infinity();
  CHECK_THAT(smooth(broken), Catch::StartsWith("calibration inputs are not finite\n"
                                               "  where: model.layers.0.self_attn.q_proj, smoothing\n"));
  std::map<std::string, lm::Range> ranges;
  lm::Calibration calibration = f.calibration();
  CHECK_THAT(dir.error_of([&] { lm::pass_with_ranges(calibration, f.config, broken, 0, ranges); }),
             Catch::StartsWith("activations are not finite\n  where: inputs of model.layers.0.self_attn.q_proj\n"));
  const lm::ActivationRules groups{.inputs =
                                       ActivationGrid{.num_bits = 4, .strategy = Strategy::group, .group_size = 16}};
  CHECK_THAT(dir.error_of([&] { lm::check(groups, f.config); }),
             Catch::Contains("group_size 16 does not divide the 44 inputs of down_proj"));
  const lm::ActivationRules kv{.kv_cache = ActivationGrid{.num_bits = 4, .strategy = Strategy::group, .group_size = 5}};
  CHECK_THAT(dir.error_of([&] { lm::check(kv, f.config); }),
             Catch::Contains("group_size 5 does not divide the 8 numbers of a head"));
}
