// What runs on a GPU, on devices beside the CPU: one without hardware, on which a mix of devices or a pointer to
// numbers throws as it would there, and cuda:0 where there is one. The CPU's own results are what they are compared
// with.
#include <torch/cuda.h>
#include <catch2/catch.hpp>
#include <functional>
#include <utility>

#include "lm/device.h"
#include "lm/divergence.h"
#include "lm/generate.h"
#include "lm/hessian.h"
#include "lm/quantized_model.h"
#include "lm/rtn.h"
#include "lm/smooth.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/other_device.h"
#include "numerics/support/slow_quant.h"
#include "quantizer-awq/awq_model.h"
#include "quantizer-gptq/gptq_model.h"

using namespace lowbit;
using lm::GptqOptions;
using lm::GridOptions;
using lm::Linear;

namespace {

/// test(device) for each of them. Says once why cuda:0 is not among them.
void on_each_device(const std::function<void(const at::Device&)>& test) {
  const c10::InferenceMode no_gradients;
  test(test::kOther);
  if (torch::cuda::device_count() > 0) {
    test(lm::device_named("cuda"));
    return;
  }
  static bool said = false;
  if (!std::exchange(said, true)) {
    WARN("skipped on cuda:0: " << (at::globalContext().hasCUDART() ? "no GPU is visible"
                                                                   : "libtorch " TORCH_VERSION " has no CUDA"));
  }
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor found = a.cpu().to(at::kDouble);
  const at::Tensor expected = b.cpu().to(at::kDouble);
  return ((found - expected).norm() / expected.norm()).item<double>();
}
/// Share of codes that differ.
double mismatch(const at::Tensor& a, const at::Tensor& b) { return test::mismatch(a.cpu(), b.cpu()); }

/// A model on the CPU and on another device.
struct Twins {
  Twins(const std::string& name, const at::Device& device, at::ScalarType dtype = at::kFloat)
      : directory(test::fixtures() / name),
        config(lm::read_model_config(directory)),
        weights(lm::Checkpoint::open(directory)),
        here(config, weights, dtype, lm::Model::Blocks::streaming),
        there(config, weights, at::TensorOptions(device).dtype(dtype), lm::Model::Blocks::streaming) {}
  [[nodiscard]] lm::BlockWeights block(const lm::Model& model) const {
    return lm::load_block(config, weights, 0, model.options().dtype(at::kFloat));
  }

  std::filesystem::path directory;
  lm::ModelConfig config;
  lm::Checkpoint weights;
  lm::Model here, there;
};

/// With padding on both sides.
lm::TokenBatches padded_windows() {
  lm::TokenBatches batches;
  batches.ids = (at::arange(6 * 12, at::kLong) * 29 + 11).remainder(37).view({6, 12});
  batches.vocab_size = 37;
  batches.attention_mask = at::ones({6, 12}, at::kBool);
  batches.attention_mask[1].narrow(0, 0, 3).fill_(false);
  batches.attention_mask[4].narrow(0, 9, 3).fill_(false);
  return batches;
}

}  // namespace

TEST_CASE("a device without hardware tells a mix of devices, and asking for a pointer", "[device]") {
  const c10::InferenceMode no_gradients;
  const at::Tensor here = at::arange(6, at::kFloat).view({2, 3});
  const at::Tensor there = here.to(test::kOther);
  CHECK(at::equal((there.t().contiguous() + 1).cpu(), here.t() + 1));
  CHECK_THROWS(there + here);
  CHECK_THROWS(at::mm(there, here.t()));
  CHECK_THROWS(at::embedding(there, at::arange(2)));
  CHECK_THROWS(at::cat({there, here}));
  CHECK_THROWS(there.data_ptr<float>());
}

TEST_CASE("asking for a GPU that is not there is an error", "[device]") {
  CHECK(lm::device_named("cpu") == at::Device(at::kCPU));
  if (torch::cuda::device_count() > 0) return;
  try {
    (void)lm::device_named("cuda");
    FAIL("no error");
  } catch (const lm::Error& e) {
    CHECK(e.text().where == "device");
    CHECK(e.status() == (at::globalContext().hasCUDART() ? lm::Status::resource : lm::Status::bad_param));
  }
}

TEST_CASE("models compute on any device what they compute on the CPU", "[device]") {
  const std::string name = GENERATE(from_range(test::kReferenceModels));
  const auto dtype = GENERATE(at::kFloat, at::kBFloat16, at::kDouble);
  CAPTURE(name, dtype);
  on_each_device([&](const at::Device& device) {
    const Twins twins(name, device, dtype);
    const double tolerance = dtype == at::kBFloat16 ? 3e-2 : dtype == at::kFloat ? 1e-5 : 1e-12;
    const at::Tensor ids = padded_windows().ids;
    const at::Tensor n_pads = at::tensor({0, 3, 0, 1, 7, 0}, at::kLong);
    const auto run = [&](const lm::Model& model) {
      lm::KvCache cache(twins.config, 6, 14, model.options());
      std::vector<at::Tensor> logits;
      logits.push_back(model.logits(model.forward(ids, n_pads, &cache)));
      logits.push_back(model.logits(model.forward(ids.narrow(1, 3, 1), n_pads, &cache)));
      cache.keep(at::tensor({1, 4}, at::kLong));
      cache.drop_front(3);
      logits.push_back(model.logits(model.forward(ids.narrow(1, 5, 1).narrow(0, 0, 2), {}, &cache)));
      CHECK(logits.back().device() == model.options().device());
      return logits;
    };
    const auto found = run(twins.there);
    const auto expected = run(twins.here);
    for (size_t i = 0; i < found.size(); ++i) CHECK(difference(found[i], expected[i]) < tolerance);
  });
}

TEST_CASE("rounded activations, keys and values are the same on any device", "[device]") {
  const bool outliers = GENERATE(false, true);
  on_each_device([&](const at::Device& device) {
    const Twins twins("random-untied", device, at::kDouble);  // where no rounding is a close call
    using Strategy = lm::ActivationGrid::Strategy;
    lm::ActivationRules rules{.inputs = lm::ActivationGrid{},
                              .qkv_outputs = lm::ActivationGrid{.num_bits = 6},
                              .kv_cache = lm::ActivationGrid{
                                  .num_bits = 4, .symmetric = false, .strategy = Strategy::group, .group_size = 4}};
    if (outliers) {
      rules.outlier_threshold = 1.5;
    } else {
      rules.inputs->strategy = Strategy::tensor;
      for (const char* module : {"self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"}) {
        rules.ranges["model.layers.0." + std::string(module)] = {-1.5, 2};
      }
    }
    const auto run = [&](const lm::Model& model) {
      lm::BlockWeights w = model.block(0);
      w.activations = lm::hooks_of(rules, twins.config, 0);
      const auto batches = padded_windows();
      lm::Calibration calibration(model, batches, {.batch_size = 4, .tick = {}});
      calibration.pass_attention(w);
      calibration.pass_mlp(w);
      return calibration.save();
    };
    const auto found = run(twins.there);
    for (const auto& [batch, hidden] : run(twins.here)) CHECK(difference(found.at(batch), hidden) < 1e-12);
  });
}

TEST_CASE("answers are the same on any device", "[device]") {
  const int64_t n_rows = GENERATE(0, 2);
  on_each_device([&](const at::Device& device) {
    const Twins twins("random-llama3", device);
    const std::vector<std::vector<int64_t>> prompts{{1, 2, 3}, {1, 2, 4, 5, 6}, {1, 2}, {1, 2, 7, 7, 7, 7}};
    const auto run = [&](const lm::Model& model) {
      const lm::SharedPrefix prefix(model, prompts);
      std::vector<std::vector<int64_t>> ids;
      for (auto& answer : lm::generate(model, prompts, {.max_new_tokens = 12, .prefix = &prefix, .n_rows = n_rows})) {
        ids.push_back(std::move(answer.ids));
      }
      return ids;
    };
    CHECK(run(twins.there) == run(twins.here));
  });
}

TEST_CASE("perplexity and divergence are the same on any device", "[device]") {
  on_each_device([&](const at::Device& device) {
    const Twins twins("random-qwen2", device);
    const auto windows = lm::windows_of(padded_windows());
    const double expected = lm::score(twins.here, windows, {.batch_size = 4}).value();
    CHECK(lm::score(twins.there, windows, {.batch_size = 4}).value() == Approx(expected).epsilon(1e-5));

    // One model on the CPU, the other not: what is compared are distributions.
    lm::Model changed_here(twins.config, twins.weights, at::kFloat);
    lm::Model changed_there(twins.config, twins.weights, twins.there.options());
    for (lm::Model* model : {&changed_here, &changed_there}) {
      model->resident_block(0).up = model->resident_block(0).up * 1.2;
    }
    const auto here = lm::diverge(changed_here, twins.here, windows, {.batch_size = 4});
    const auto there = lm::diverge(changed_there, twins.there, windows, {.batch_size = 4});
    for (size_t i = 0; i < here.size(); ++i) {
      CHECK(there[i].kl_sum == Approx(here[i].kl_sum).epsilon(1e-3));
      CHECK(there[i].n_same_top == here[i].n_same_top);
    }
  });
}

TEST_CASE("matrices are rounded to the same codes on any device", "[device]") {
  const auto range = GENERATE(GridOptions::Range::min_max, GridOptions::Range::mse);
  const auto scale_dtype = GENERATE(at::kHalf, at::kBFloat16, at::kFloat);
  const int64_t group_size = GENERATE(-1, 16, 20);
  const int kind = GENERATE(0, 1, 2, 3);  // asymmetric, without zero, symmetric, narrow
  CAPTURE(range, scale_dtype, group_size, kind);
  const GridOptions grid{.num_bits = 3,
                         .group_size = group_size,
                         .symmetric = kind >= 2,
                         .narrow_range = kind == 3,
                         .include_zero = kind != 1,
                         .range = range,
                         .scale_dtype = scale_dtype};
  at::Tensor w = test::normal({12, 52}, 1).to(at::kFloat);
  w[3].fill_(0);
  w[4].fill_(0.7);
  w[5].abs_();
  on_each_device([&](const at::Device& device) {
    const auto here = lm::quantize_rtn(w, grid);
    const auto there = lm::quantize_rtn(w.to(device), grid);
    CHECK(at::equal(there.scale.cpu(), here.scale));
    CHECK(at::equal(there.zero.cpu(), here.zero));
    CHECK(at::equal(there.codes.cpu(), here.codes));
    CHECK(at::equal(lm::dequantize(there).cpu(), lm::dequantize(here)));
    const auto whole_here = lm::quantize_rtn_per_tensor(w, grid);
    const auto whole_there = lm::quantize_rtn_per_tensor(w.to(device), grid);
    CHECK(at::equal(whole_there.codes.cpu(), whole_here.codes));
    CHECK(at::equal(whole_there.scale.cpu(), whole_here.scale));
  });
}

// Codes may differ where a weight stands within the last bits of a boundary; on these matrices none does on the device
// without hardware. What follows a flipped code moves, so a GPU is asked for nearly all.
TEST_CASE("GPTQ gives the same integers on any device", "[device]") {
  using ActOrder = GptqOptions::ActOrder;
  struct Case {
    int num_bits;
    int64_t group_size;
    bool symmetric;
    ActOrder actorder;
    bool static_groups;
    GridOptions::Range range;
  };
  constexpr auto kMse = GridOptions::Range::mse;
  constexpr auto kMinMax = GridOptions::Range::min_max;
  const Case c = GENERATE(
      Case{2, -1, false, ActOrder::none, false, kMinMax}, Case{4, -1, true, ActOrder::none, false, kMinMax},
      Case{3, 16, false, ActOrder::none, false, kMse}, Case{3, 20, false, ActOrder::none, false, kMinMax},
      Case{3, 16, false, ActOrder::none, true, kMse}, Case{3, 16, true, ActOrder::fixed, false, kMinMax},
      Case{3, 16, false, ActOrder::grouped, false, kMinMax}, Case{4, 200, false, ActOrder::grouped, false, kMinMax});
  CAPTURE(c.num_bits, c.group_size, c.symmetric, c.actorder, c.static_groups);
  const at::Tensor w = test::normal({24, 300}, 3).to(at::kFloat);
  at::Tensor h = test::second_moments(test::Inputs::anisotropic, 300, 1200, 4).to(at::kFloat);
  h[7].fill_(0);
  h.select(1, 7).fill_(0);
  const GptqOptions options{
      .grid = {.num_bits = c.num_bits, .group_size = c.group_size, .symmetric = c.symmetric, .range = c.range},
      .actorder = c.actorder,
      .static_groups = c.static_groups};
  on_each_device([&](const at::Device& device) {
    const auto here = lm::quantize_gptq(w, h, options);
    const auto there = lm::quantize_gptq(w.to(device), h.to(device), options);
    CHECK(mismatch(there.matrix.codes, here.matrix.codes) <= (device.is_cuda() ? 0.02 : 0.0));
    CHECK(difference(there.matrix.scale, here.matrix.scale) < (device.is_cuda() ? 1e-2 : 1e-12));
    if (here.matrix.group_index.defined()) CHECK(at::equal(there.matrix.group_index.cpu(), here.matrix.group_index));
    CHECK(there.relative_loss == Approx(here.relative_loss).epsilon(device.is_cuda() ? 1e-2 : 1e-5));
    CHECK(there.n_dead == 1);
  });
}

TEST_CASE("GPTQ without a factorization rounds to nearest on any device", "[device]") {
  on_each_device([&](const at::Device& device) {
    const at::Tensor w = test::normal({8, 24}, 3).to(at::kFloat);
    const at::Tensor h = -at::eye(24);
    const GptqOptions options{.grid = {.num_bits = 3}, .fallback = GptqOptions::Fallback::rtn};
    const auto result = lm::quantize_gptq(w.to(device), h.to(device), options);
    CHECK(result.is_rtn);
    CHECK(at::equal(result.matrix.codes.cpu(), lm::quantize_rtn(w, options.grid).codes));
  });
}

TEST_CASE("calibration and a block by GPTQ are the same on any device, down to the file", "[device]") {
  const bool true_sequential = GENERATE(false, true);
  const auto dtype = GENERATE(at::kFloat, at::kBFloat16);
  on_each_device([&](const at::Device& device) {
    const Twins twins("random-untied", device, dtype);
    const auto batches = padded_windows();
    const GptqOptions options{.grid = {.num_bits = 4, .group_size = 8}};
    const auto run = [&](const lm::Model& model, const std::filesystem::path& to) {
      lm::Calibration calibration(model, batches, {.batch_size = 4, .tick = {}});
      lm::write_safetensors(to / "hidden.safetensors", calibration.save());
      calibration.restore(lm::SafetensorsFile::open(to / "hidden.safetensors"));
      lm::QuantizedModelWriter out(twins.directory, to, twins.weights, twins.config,
                                   {.method = "gptq", .grid = options.grid, .activations = {}});
      for (int64_t block = 0; block < twins.config.n_blocks; ++block) {
        lm::BlockWeights w = model.block(block);
        gptq::quantize_block(
            twins.config, w, lm::BlockWeights(w), block, calibration, options, true_sequential,
            [&](const gptq::QuantizedLinear& done) { out.add(block, done.linear, done.result.matrix, done.original); });
        out.finish_block(block);
      }
      return out.finish();
    };
    const test::ScratchDirectory here, there;
    const auto expected = run(twins.here, here.path());
    const auto found = run(twins.there, there.path());
    CHECK(found.n_bits == expected.n_bits);
    CHECK(found.nmse() == Approx(expected.nmse()).epsilon(0.05));
    const auto score = [&](const std::filesystem::path& quantized) {
      const auto weights = lm::open_weights(quantized);
      return lm::score(lm::Model(twins.config, *weights, at::kFloat), lm::windows_of(batches), {.batch_size = 6})
          .value();
    };
    CHECK(score(there.path()) == Approx(score(here.path())).epsilon(dtype == at::kFloat ? 1e-3 : 5e-2));
  });
}

TEST_CASE("second moments of all groups are the same on any device", "[device]") {
  on_each_device([&](const at::Device& device) {
    const Twins twins("random-mistral", device);
    const auto batches = padded_windows();
    lm::Calibration here(twins.here, batches, {.batch_size = 4, .tick = {}});
    lm::Calibration there(twins.there, batches, {.batch_size = 4, .tick = {}});
    const auto expected = here.pass_block(twins.here.block(0));
    const auto found = there.pass_block(twins.there.block(0));
    for (const auto& [group, moments] : expected) {
      CHECK(difference(found.at(group), moments) < 1e-5);
      const at::Tensor u = lm::inverse_cholesky(found.at(group), 0.1);
      CHECK(difference(u, lm::inverse_cholesky(moments, 0.1)) < 1e-3);
    }
  });
}

TEST_CASE("AWQ is the same on any device", "[device]") {
  on_each_device([&](const at::Device& device) {
    const Twins twins("random-untied", device);
    const auto batches = padded_windows();
    const awq::Options options{.grid = {.num_bits = 3, .group_size = 8, .include_zero = false},
                               .n_grid = 5,
                               .duo_scaling = true,
                               .clip_tokens = 20,
                               .tied = true,
                               .propagate_quantized = true,
                               .tick = {}};
    const auto run = [&](const lm::Model& model, lm::BlockWeights& w) {
      lm::Calibration calibration(model, batches, {.batch_size = 4, .tick = {}});
      std::map<Linear, double> losses;
      (void)awq::quantize_block(twins.config, w, 0, calibration, options,
                                [&](const awq::QuantizedLinear& done) { losses[done.linear] = done.relative_loss; });
      return losses;
    };
    lm::BlockWeights w_here = twins.block(twins.here);
    lm::BlockWeights w_there = twins.block(twins.there);
    const auto expected = run(twins.here, w_here);
    const auto found = run(twins.there, w_there);
    for (const auto& [linear, loss] : expected) {
      CAPTURE(static_cast<int>(linear));
      CHECK(found.at(linear) == Approx(loss).epsilon(1e-2));
      CHECK(difference(w_there[linear], w_here[linear]) < 1e-2);
    }
  });
}

TEST_CASE("smoothing is the same on any device", "[device]") {
  on_each_device([&](const at::Device& device) {
    const Twins twins("random-opt", device);
    const auto batches = padded_windows();
    const auto run = [&](const lm::Model& model, std::map<std::string, lm::Range>& ranges) {
      lm::Calibration calibration(model, batches, {.batch_size = 4, .tick = {}});
      return lm::smooth_block(twins.config, model.block(0), twins.block(model), 0, calibration, {.ranges = &ranges});
    };
    std::map<std::string, lm::Range> ranges_here, ranges_there;
    const auto here = run(twins.here, ranges_here);
    const auto there = run(twins.there, ranges_there);
    for (const Linear linear : lm::linears(twins.config)) CHECK(difference(there[linear], here[linear]) < 1e-5);
    CHECK(difference(there.mlp_norm.weight, here.mlp_norm.weight) < 1e-5);
    for (const auto& [module, range] : ranges_here) {
      CHECK(ranges_there.at(module).high == Approx(range.high).epsilon(1e-4));
    }
  });
}
