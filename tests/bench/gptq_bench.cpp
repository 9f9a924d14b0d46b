// Where GPTQ spends its time on blocks of a large model, by default those of Llama 3 8B: 4 bits, groups of 128, random
// weights and tokens. For each phase the seconds of one block and the rate beside a plain fp32 matrix product of the
// same run; then what a calibration of 128 windows would take, by which phases grow with the tokens.
//
//   build/release/tests/gptq_bench [--hidden 4096 --kv 1024 --intermediate 14336 --blocks 2 --windows 8 --length 2048]
//   build/torch2/tests/gptq_bench --device cuda --dtype bfloat16 --windows 128     (scripts/check-cuda)
//
// Operations are counted as the algorithm needs them: second moments and inverses by their symmetric or triangular
// half. The phases are the parts that lowbit.gptq is made of, called in its order.
#include <malloc.h>
#include <torch/cuda.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/synthetic_model.h"
#include "lm/device.h"
#include "lm/error.h"
#include "lm/gptq.h"
#include "lm/hessian.h"
#include "lm/quantized_model.h"

namespace {

using namespace lowbit;
namespace fs = std::filesystem;

enum Phase { kLoad, kForward, kHessian, kFactorise, kSolve, kPropagate, kWrite, kPhases };
struct PhaseName {
  const char* text;
  bool by_tokens;
};
constexpr std::array<PhaseName, kPhases> kNames{{{"load", false},
                                                 {"forward", true},
                                                 {"Hessian", true},
                                                 {"factorise", false},
                                                 {"solve", false},
                                                 {"propagate", true},
                                                 {"pack, write", false}}};

// What a block of Llama 3 8B may take on one H200 with 128 windows of 2048 tokens, and the least that is possible there
// with second moments in fp32.
constexpr double kGateSeconds = 4;
constexpr double kLimitSeconds = 2.3;

/// What a GPU was asked for is done by now.
void finish_work(const at::Device& device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

struct Tally {
  std::array<double, kPhases> seconds{}, operations{};
};

class BlockRun {
 public:
  BlockRun(const lm::ModelConfig& config, const lm::Positions& positions, const at::Device& device, Tally& tally)
      : c_(config), positions_(positions), device_(device), tally_(tally) {}

  template <class Work>
  auto timed(Phase phase, double operations, const Work& work) {
    tally_.operations[phase] += operations;
    const double start = bench::now();
    auto result = work();
    finish_work(device_);
    tally_.seconds[phase] += bench::now() - start;
    return result;
  }

  void quantize(lm::BlockWeights& w, int64_t block, std::vector<at::Tensor>& windows, const lm::GptqOptions& options,
                lm::QuantizedModelWriter& out) {
    using lm::Linear;
    const double h = static_cast<double>(c_.hidden_size);
    const double f = static_cast<double>(c_.intermediate_size);
    const double qkv = static_cast<double>(c_.head_dim * (c_.n_heads + 2 * c_.n_kv_heads));
    const double t = static_cast<double>(windows.front().size(0) * windows.front().size(1));
    const double seen = static_cast<double>(windows.front().size(1)) / 2;  // keys of a query, on average
    const double attention = 2 * t * h * qkv + 4 * t * seen * h;
    const std::array<Linear, 4> groups{Linear::q, Linear::o, Linear::gate, Linear::down};
    const std::array<double, 4> needed{0, attention, 0, 4 * t * h * f};
    for (size_t g = 0; g < groups.size(); ++g) {
      const Linear group = groups[g];
      const int64_t n = w[group].size(1);
      const auto width = static_cast<double>(n);
      lm::Hessian hessian(n, device_);
      for (const at::Tensor& x : windows) {
        const at::Tensor in = timed(kForward, needed[g], [&] {
          switch (group) {
            case Linear::q: return lm::attention_input(c_, w, x);
            case Linear::o: return lm::output_input(c_, w, x, positions_);
            case Linear::gate: return lm::mlp_input(c_, w, x);
            default: return lm::down_input(c_, w, x);
          }
        });
        timed(kHessian, t * width * width, [&] {
          hessian.add(in);
          return 0;
        });
      }
      const lm::GptqInputs inputs = timed(kFactorise, 2.0 / 3 * width * width * width,
                                          [&] { return lm::prepare_gptq(hessian.value(), options); });
      for (const Linear linear : lm::linears(c_)) {
        if (lm::input_group(c_, linear) != group) continue;
        const at::Tensor original = w[linear];
        const auto m = static_cast<double>(original.size(0));
        const lm::GptqResult result =
            timed(kSolve, 3 * m * width * width, [&] { return lm::quantize_gptq(original, inputs, options); });
        timed(kWrite, 0, [&] {
          w[linear] = lm::dequantize(result.matrix).to(original.scalar_type());
          out.add(block, linear, result.matrix, original);
          return 0;
        });
      }
      for (at::Tensor& x : windows) {
        if (group == Linear::o) {
          x = timed(kPropagate, attention + 2 * t * h * h, [&] { return lm::attention_forward(c_, w, x, positions_); });
        } else if (group == Linear::down) {
          x = timed(kPropagate, 6 * t * h * f, [&] { return lm::mlp_forward(c_, w, x); });
        }
      }
    }
    timed(kWrite, 0, [&] {
      out.finish_block(block);
      return 0;
    });
  }

 private:
  const lm::ModelConfig& c_;
  const lm::Positions& positions_;
  const at::Device device_;
  Tally& tally_;
};

/// GFLOP/s of one product as large as the model's largest linear on one window.
double product_rate(int64_t rows, int64_t n_in, int64_t n_out, const at::Device& device) {
  const at::Tensor x = at::randn({rows, n_in}).to(device);
  const at::Tensor w = at::randn({n_out, n_in}).to(device);
  (void)at::mm(x, w.t());
  finish_work(device);
  double best = 1e30;
  for (int i = 0; i < 3; ++i)
    best = std::min(best, bench::seconds([&] {
                      (void)at::mm(x, w.t());
                      finish_work(device);
                    }));
  return 2e-9 * static_cast<double>(rows) * static_cast<double>(n_in) * static_cast<double>(n_out) / best;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv,
                               {{"hidden", "4096"},
                                {"kv", "1024"},
                                {"intermediate", "14336"},
                                {"head", "128"},
                                {"blocks", "2"},
                                {"windows", "8"},
                                {"length", "2048"},
                                {"threads", "2"},
                                {"clock", "wall"},
                                {"device", "cpu"},
                                {"dtype", "float32"},
                                {"directory", fs::temp_directory_path().string()}});
  mallopt(M_MMAP_THRESHOLD, 1 << 28);  // as the host sets it for jobs
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  bench::by_processor_time = options.text("clock") == "cpu";
  const c10::InferenceMode no_gradients;
  lm::set_threads(static_cast<int>(options.number("threads")));
  at::Device device = at::kCPU;
  try {
    device = lm::device_named(options.text("device"));
  } catch (const lm::Error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 3;
  }
  const auto as = at::TensorOptions(device).dtype(options.text("dtype") == "bfloat16" ? at::kBFloat16 : at::kFloat);
  std::string scratch = options.text("directory") + "/lowbit-gptq-XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) return 1;
  const fs::path model_directory = fs::path(scratch) / "model";
  const fs::path out_directory = fs::path(scratch) / "quantized";
  fs::create_directories(out_directory);
  const int64_t n_blocks = options.number("blocks");
  const int64_t length = options.number("length");
  bench::write_model(model_directory,
                     {.hidden = options.number("hidden"),
                      .intermediate = options.number("intermediate"),
                      .n_heads = options.number("hidden") / options.number("head"),
                      .n_kv_heads = options.number("kv") / options.number("head"),
                      .n_blocks = n_blocks,
                      .vocab = 1024,
                      .max_positions = length},
                     /*blocks_per_file=*/1);
  const auto config = lm::read_model_config(model_directory);
  const auto weights = lm::Checkpoint::open(model_directory);
  const lm::Model model(config, weights, as, lm::Model::Blocks::streaming);
  const lm::GptqOptions gptq{.grid = {.num_bits = 4, .group_size = 128}};
  lm::QuantizedModelWriter out(model_directory, out_directory, weights, config, {.method = "gptq", .grid = gptq.grid});
  const lm::Positions positions(config, 0, length, {}, as);
  const lm::TokenBatches tokens = bench::random_windows(model_directory, options.number("windows"), length);
  std::vector<at::Tensor> windows;
  for (int64_t i = 0; i < tokens.n_windows(); ++i)
    windows.push_back(model.embed(tokens.ids.narrow(0, i, 1), positions));

  Tally tally;
  BlockRun run(config, positions, device, tally);
  for (int64_t block = 0; block < n_blocks; ++block) {
    lm::BlockWeights w = run.timed(kLoad, 0, [&] { return model.block(block); });
    run.quantize(w, block, windows, gptq, out);
    std::fprintf(stderr, "block %lld of %lld\n", static_cast<long long>(block) + 1, static_cast<long long>(n_blocks));
  }
  const double limit = product_rate(length, config.hidden_size, config.intermediate_size, device);
  fs::remove_all(scratch);

  std::printf(
      "hidden %lld, intermediate %lld, %lld windows of %lld tokens, %s on %s, %d threads, %s time; a plain "
      "fp32 product: %.0f GFLOP/s\n",
      static_cast<long long>(config.hidden_size), static_cast<long long>(config.intermediate_size),
      static_cast<long long>(tokens.n_windows()), static_cast<long long>(length), options.text("dtype").c_str(),
      options.text("device").c_str(), at::get_num_threads(), bench::by_processor_time ? "processor" : "wall", limit);
  std::printf("%-12s %12s %10s %9s %24s\n", "phase", "s per block", "GFLOP/s", "of limit", "extrapolated: 128 windows");
  double total = 0;
  double extrapolated = 0;
  for (size_t p = 0; p < kPhases; ++p) {
    const double each = tally.seconds[p] / static_cast<double>(n_blocks);
    const double scaled = kNames[p].by_tokens ? each * 128 / static_cast<double>(tokens.n_windows()) : each;
    const double rate = 1e-9 * tally.operations[p] / tally.seconds[p];
    total += each;
    extrapolated += scaled;
    if (tally.operations[p] > 0) {
      std::printf("%-12s %12.2f %10.1f %8.0f%% %24.1f\n", kNames[p].text, each, rate, 100 * rate / limit, scaled);
    } else {
      std::printf("%-12s %12.2f %10s %9s %24.1f\n", kNames[p].text, each, "", "", scaled);
    }
  }
  std::printf("%-12s %12.2f %10s %9s %24.1f\n", "all", total, "", "", extrapolated);
  std::printf("factorise is in fp64, whose limit is about half of fp32's\n");
  if (device.is_cuda()) {
    std::printf(
        "a block with 128 windows: %.2f s; gate for one of Llama 3 8B on an H200: %.1f s (%s); limit there: %.1f s\n",
        extrapolated, kGateSeconds, extrapolated <= kGateSeconds ? "kept" : "not kept", kLimitSeconds);
  }
  return 0;
}
