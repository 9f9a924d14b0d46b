#include "lm/calibration.h"

#include <catch2/catch.hpp>
#include <limits>

#include "lm/hessian.h"
#include "lm/hessian_store.h"
#include "lm/rtn.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"
#include "quantizer-gptq/gptq_model.h"

using namespace lowbit;
using lm::Linear;

namespace {

struct Loaded {
  explicit Loaded(at::ScalarType dtype = at::kFloat)
      : weights(lm::Checkpoint::open(test::fixtures() / "random-untied")),
        model(lm::read_model_config(test::fixtures() / "random-untied"), weights, dtype, lm::Model::Blocks::streaming) {
  }
  lm::Checkpoint weights;
  lm::Model model;
};

lm::TokenBatches windows(int64_t n, int64_t length) {
  lm::TokenBatches batches;
  batches.ids = (at::arange(n * length, at::kLong) * 29 + 11).remainder(37).view({n, length});
  batches.vocab_size = 37;
  return batches;
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

}  // namespace

TEST_CASE("second moments at each group are those of the inputs a plain forward pass sees", "[calibration]") {
  const Loaded loaded;
  const auto batches = windows(5, 12);
  const auto config = loaded.model.config();
  lm::Calibration calibration(loaded.model, batches, {.batch_size = 2, .tick = {}});
  CHECK(calibration.n_tokens() == 60);

  const lm::Positions positions(config, 0, 12, {}, at::kFloat);
  at::Tensor x = loaded.model.embed(batches.ids, positions);
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    const lm::BlockWeights w = loaded.model.block(block);
    std::map<Linear, at::Tensor> inputs;
    const auto tap = [&](Linear group, const at::Tensor& input) { inputs[group] = input.reshape({60, -1}); };
    x = lm::mlp_forward(config, w, lm::attention_forward(config, w, x, positions, nullptr, 0, tap), tap);
    const auto check_group = [&](Linear group) {
      const at::Tensor& input = inputs.at(group);
      CHECK(relative_difference(calibration.second_moments(w, group), 2 * input.t().mm(input) / 60) < 1e-5);
    };
    check_group(Linear::q);
    check_group(Linear::o);
    calibration.pass_attention(w);
    check_group(Linear::gate);
    check_group(Linear::down);
    calibration.pass_mlp(w);
  }
}

TEST_CASE("padded windows calibrate as the same windows without padding", "[calibration]") {
  const Loaded loaded;
  const auto plain = windows(3, 10);
  lm::TokenBatches padded = plain;
  const at::Tensor pad = at::zeros({3, 4}, at::kLong);
  padded.ids = at::cat({pad, plain.ids, pad}, 1);
  padded.attention_mask = at::cat({at::zeros({3, 4}), at::ones({3, 10}), at::zeros({3, 4})}, 1).to(at::kBool);
  lm::Calibration a(loaded.model, plain, {.batch_size = 2, .tick = {}});
  lm::Calibration b(loaded.model, padded, {.batch_size = 3, .tick = {}});
  CHECK(b.n_tokens() == 30);
  const lm::BlockWeights w = loaded.model.block(0);
  a.pass_attention(w);
  b.pass_attention(w);
  CHECK(relative_difference(b.second_moments(w, Linear::down), a.second_moments(w, Linear::down)) < 1e-5);
}

TEST_CASE("windows longer than the model's context are refused", "[calibration]") {
  const Loaded loaded;
  const test::ScratchDirectory dir;
  const auto batches = windows(1, 97);
  CHECK(dir.error_of([&] { const lm::Calibration c(loaded.model, batches, {}); }) ==
        "the calibration windows are longer than the model's context\n  where: calibration\n"
        "  why: they have 97 tokens, the model 96 positions\n  fix: cut shorter windows");
}

TEST_CASE("GPTQ over a block quantizes each linear on inputs from the quantized ones before it", "[calibration]") {
  const Loaded loaded;
  const auto config = loaded.model.config();
  const auto batches = windows(8, 24);
  const lm::GptqOptions options{.grid = {.num_bits = 3, .group_size = 16}};
  lm::Calibration calibration(loaded.model, batches, {.batch_size = 3, .tick = {}});

  const lm::Positions positions(config, 0, 24, {}, at::kFloat);
  at::Tensor x = loaded.model.embed(batches.ids, positions);
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    lm::BlockWeights w = loaded.model.block(block);
    const lm::BlockWeights original = w;
    std::map<Linear, at::Tensor> codes;
    gptq::quantize_block(config, w, original, block, calibration, options, /*true_sequential=*/true,
                         [&](const gptq::QuantizedLinear& done) {
                           codes[done.linear] = done.result.matrix.codes;
                           CHECK(at::equal(done.original, original[done.linear]));
                         });
    CHECK(codes.size() == 7);

    // The same with whole forward passes: every linear is quantized with all those before it replaced.
    lm::BlockWeights q = original;
    for (const Linear group : {Linear::q, Linear::o, Linear::gate, Linear::down}) {
      lm::Hessian hessian(q[group].size(1));
      const auto tap = [&](Linear site, const at::Tensor& input) {
        if (site == group) hessian.add(input);
      };
      (void)lm::mlp_forward(config, q, lm::attention_forward(config, q, x, positions, nullptr, 0, tap), tap);
      const lm::BlockWeights before = q;
      for (const Linear linear : lm::linears(config)) {
        if (lm::input_group(config, linear) != group) continue;
        const auto expected = lm::quantize_gptq(before[linear], hessian.value(), options);
        CAPTURE(block, linear);
        CHECK(test::mismatch(codes.at(linear), expected.matrix.codes) < 5e-3);  // sums over batches in another order
        q[linear] = w[linear];
      }
    }
    x = lm::block_forward(config, q, x, positions);
  }
}

TEST_CASE("one pass through a block gives the moments of all its groups, and may take the windows along",
          "[calibration]") {
  const Loaded loaded;
  const auto batches = windows(5, 12);
  lm::Calibration by_group(loaded.model, batches, {.batch_size = 2, .tick = {}});
  lm::Calibration at_once(loaded.model, batches, {.batch_size = 2, .tick = {}});
  for (int64_t block = 0; block < loaded.model.config().n_blocks; ++block) {
    const lm::BlockWeights w = loaded.model.block(block);
    const auto before = at_once.all_second_moments(w);
    const auto moments = at_once.pass_block(w);
    CHECK(moments.size() == 4);
    for (const auto& [group, moment] : moments) {
      CAPTURE(block, group);
      CHECK(at::equal(before.at(group), moment));
      if (group == Linear::gate) by_group.pass_attention(w);
      CHECK(relative_difference(by_group.second_moments(w, group), moment) < 1e-6);
    }
    by_group.pass_mlp(w);
  }
  for (const auto& [name, hidden] : by_group.save()) CHECK(at::equal(at_once.save().at(name), hidden));
}

TEST_CASE("without true_sequential all linears of a block are calibrated on it as it was", "[calibration]") {
  const Loaded loaded(GENERATE(at::kFloat, at::kBFloat16));
  const auto config = loaded.model.config();
  const auto batches = windows(8, 24);
  const lm::GptqOptions options{.grid = {.num_bits = 3, .group_size = 16}};
  lm::Calibration calibration(loaded.model, batches, {.batch_size = 3, .tick = {}});
  lm::Calibration observed(loaded.model, batches, {.batch_size = 3, .tick = {}});
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    lm::BlockWeights w = loaded.model.block(block);
    const lm::BlockWeights stored = lm::load_block(config, loaded.weights, block, at::kFloat);
    const auto moments = observed.all_second_moments(w);
    std::map<Linear, at::Tensor> codes;
    gptq::quantize_block(config, w, stored, block, calibration, options, /*true_sequential=*/false,
                         [&](const gptq::QuantizedLinear& done) {
                           codes[done.linear] = done.result.matrix.codes;
                           CHECK(done.original.scalar_type() == at::kFloat);  // what is quantized, whatever computes
                         });
    gptq::quantize_block(
        config, stored, block, [&](Linear group) { return moments.at(group); }, options,
        [&](const gptq::QuantizedLinear& done) { CHECK(at::equal(codes.at(done.linear), done.result.matrix.codes)); });
    observed.pass_attention(w);  // the next block sees the quantized one
    observed.pass_mlp(w);
  }
}

TEST_CASE("second moments are read back as they were written, and only for the model they fit", "[calibration]") {
  const Loaded loaded;
  const auto config = loaded.model.config();
  lm::Calibration calibration(loaded.model, windows(5, 12), {.batch_size = 2, .tick = {}});
  const test::ScratchDirectory whole, checkpoint, resumed;
  lm::HessianWriter out(whole.path(), config, std::string(64, 'a'));
  std::vector<std::map<Linear, at::Tensor>> moments;
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    moments.push_back(calibration.pass_block(loaded.model.block(block)));
    out.add(block, moments.back());
    if (block == 0) out.save(checkpoint.path());
  }
  out.finish(calibration.n_tokens());
  const auto read = lm::Hessians::open(whole.path(), config, std::string(64, 'a'));
  CHECK(read.n_tokens() == 60);
  for (const auto& [group, moment] : moments[1]) CHECK(at::equal(read.moments(1, group), moment));

  lm::HessianWriter again(resumed.path(), config, std::string(64, 'a'));
  CHECK(again.restore(checkpoint.path()) == 1);
  for (int64_t block = 1; block < config.n_blocks; ++block) again.add(block, moments[static_cast<size_t>(block)]);
  again.finish(60);
  for (const char* file : {"hessians.json", "block-00000.safetensors", "block-00001.safetensors"}) {
    CHECK(test::read_text(resumed.path() / file) == test::read_text(whole.path() / file));
  }

  CHECK_THAT(whole.error_of([&] { (void)lm::Hessians::open(whole.path(), config, std::string(64, 'b')); }),
             Catch::Contains("the second moments are of another model") && Catch::Contains(std::string(64, 'a')));
  lm::ModelConfig other = config;
  other.intermediate_size += 4;
  CHECK(whole.error_of([&] { (void)lm::Hessians::open(whole.path(), other, std::string(64, 'a')); }) ==
        "the second moments do not fit\n  where: DIR/hessians.json\n"
        "  why: model.layers.0.mlp.down_proj reads 48 features, the moments are of 44\n"
        "  fix: collect them from the model that is quantized");
  other = config;
  ++other.n_blocks;
  CHECK_THAT(whole.error_of([&] { (void)lm::Hessians::open(whole.path(), other, std::string(64, 'a')); }),
             Catch::Contains("it has no site model.layers.2.self_attn.q_proj"));
}

TEST_CASE("second moments that are not finite are refused with the place where they are", "[calibration]") {
  const Loaded loaded;
  const auto config = loaded.model.config();
  lm::Calibration calibration(loaded.model, windows(5, 12), {.batch_size = 2, .tick = {}});
  auto moments = calibration.pass_block(loaded.model.block(0));
  at::Tensor& moment = moments.at(Linear::down);
  moment = moment.clone();
  moment[3][2] = std::numeric_limits<float>::infinity();
  const test::ScratchDirectory directory;
  lm::HessianWriter out(directory.path(), config, std::string(64, 'a'));
  CHECK_THAT(
      directory.error_of([&] { out.add(0, moments); }),
      Catch::Contains("activations are not finite") && Catch::Contains("inputs of model.layers.0.mlp.down_proj"));
}

TEST_CASE("a saved calibration goes on with the same bits", "[calibration]") {
  const Loaded loaded;
  const auto batches = windows(4, 8);
  const test::ScratchDirectory dir;
  lm::Calibration straight(loaded.model, batches, {.batch_size = 3, .tick = {}});
  const lm::BlockWeights w = loaded.model.block(0);
  straight.pass_attention(w);
  straight.pass_mlp(w);
  lm::write_safetensors(dir.path() / "hidden", straight.save());
  lm::Calibration resumed(loaded.model, batches, {.batch_size = 3, .tick = {}});
  resumed.restore(lm::SafetensorsFile::open(dir.path() / "hidden"));
  const lm::BlockWeights next = loaded.model.block(1);
  CHECK(at::equal(resumed.second_moments(next, Linear::o), straight.second_moments(next, Linear::o)));
}
