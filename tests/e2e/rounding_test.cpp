// Activations, keys and values rounded through the program, on the small trained model of experiments/tiny-math.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

const std::filesystem::path kSource = LOWBIT_SOURCE_DIR;

constexpr const char* kRounding = R"(experiment: rounding
matrix:
  source: [inputs.base, gptq_a8kv4.quantized, smooth.quantized, fixed.quantized, int8.quantized, kv4.quantized,
           a8.quantized, smooth_a4.quantized]
inputs:
  base: {type: model/1, path: model}
stages:
  - {id: train, use: lowbit.tiny-math, params: {split: train, n: 60}}
  - {id: test, use: lowbit.tiny-math, params: {split: test, n: 24}}
  - {id: calibration, use: lowbit.solution-windows, with: {task: train.task, model: inputs.base}}
  - {id: windows, use: lowbit.solution-windows, with: {task: test.task, model: inputs.base}}
  - id: gptq
    use: lowbit.gptq
    with: {model: inputs.base, calibration: calibration.batches}
    params: {num_bits: 8, group_size: -1}
  - {id: gptq_a8kv4, use: lowbit.quantize-activations, with: {model: gptq.quantized}, params: {input_bits: 8, kv_bits: 4}}
  - {id: moments, use: lowbit.hessians, with: {model: inputs.base, calibration: calibration.batches}}
  - id: smooth
    use: lowbit.smoothquant
    with: {model: inputs.base, calibration: calibration.batches, hessians: moments.hessians}
    params: {weight_bits: 8, activation_bits: 8, alpha: 0.5, quantize_bmm_inputs: true, checkpoint_interval_s: 0}
  - id: fixed
    use: lowbit.smoothquant
    with: {model: inputs.base, calibration: calibration.batches}
    params: {weight_bits: 8, activation_bits: 8, alpha: 0.5, activation_strategy: tensor, weight_strategy: tensor}
  - {id: smooth_a4, use: lowbit.quantize-activations, with: {model: smooth.quantized}, params: {input_bits: 4}}
  - {id: int8, use: lowbit.llm-int8, with: {model: inputs.base, hessians: moments.hessians}}
  - {id: kv4, use: lowbit.quantize-activations, with: {model: inputs.base}, params: {kv_bits: 4, kv_group_size: 16}}
  - id: a8
    use: lowbit.quantize-activations
    with: {model: inputs.base, calibration: calibration.batches}
    params: {input_bits: 8, input_strategy: tensor, input_symmetric: false}
  - {id: ppl, use: lowbit.perplexity, with: {model: "${source}", task: windows.batches}}
  - {id: answers, use: lowbit.generate, with: {model: kv4.quantized, task: test.task}, params: {max_new_tokens: 96}}
)";

struct Rounding {
  explicit Rounding(const std::string& experiment,
                    const std::filesystem::path& model = kSource / "experiments/tiny-math/model")
      : project(experiment) {
    std::filesystem::copy(model, project.path() / "model");
    std::filesystem::remove(project.path() / "model/reference.json");
  }
  Project project;
};

}  // namespace

TEST_CASE("rounded models are measured as they are rounded", "[e2e]") {
  const Rounding rounding(kRounding);
  const Ended run = rounding.project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);
  const auto number = [&](const std::string& metric, const std::string& source) {
    const std::string found = rounding.project.query("SELECT value FROM v_results WHERE metric LIKE '" + metric +
                                                     "' AND stage = 'ppl' AND label LIKE '%source=" + source + "%'");
    return found.empty() ? 0 : std::stod(found);
  };
  const std::string perplexity = "%/perplexity/token@%";
  const double exact = number(perplexity, "inputs.base");
  CHECK(exact > 1);
  // Eight bits cost next to nothing, four of activations more than that.
  for (const char* source : {"gptq_a8kv4", "smooth.quantized", "fixed", "int8", "kv4", "a8"}) {
    CAPTURE(source);
    CHECK(number(perplexity, source) == Approx(exact).epsilon(0.03));
    CHECK(number(perplexity, source) != exact);
  }
  CHECK(number(perplexity, "smooth_a4") > 1.005 * exact);

  // Both round weights by channel to the same grid, one after smoothing: what that costs is counted on inputs as they
  // were.
  const auto layer_loss = [&](const std::string& stage) {
    return std::stod(rounding.project.query(
        "SELECT value FROM v_results WHERE metric = 'weights/layer_loss' AND stage = '" + stage + "'"));
  };
  CHECK(layer_loss("int8") < 1e-4);
  CHECK(layer_loss("smooth") == Approx(layer_loss("int8")).epsilon(0.5));
  CHECK(rounding.project.query("SELECT count(*) FROM curves WHERE name = 'weights/layer_loss'") ==
        "84\n");  // GPTQ's too

  struct Bits {
    const char* source;
    int weight, activation, kv;  // 0: not reported
  };
  for (const Bits& bits : {Bits{"inputs.base", 16, 0, 0}, Bits{"gptq_a8kv4", 8, 8, 4},
                           Bits{"smooth.quantized", 8, 8, 0}, Bits{"fixed", 8, 8, 0}, Bits{"smooth_a4", 8, 4, 0},
                           Bits{"int8", 8, 8, 0}, Bits{"kv4", 16, 0, 4}, Bits{"a8", 16, 8, 0}}) {
    CAPTURE(bits.source);
    CHECK(number("model/weight_bits", bits.source) == bits.weight);
    CHECK(number("model/activation_bits", bits.source) == bits.activation);
    CHECK(number("model/kv_bits", bits.source) == bits.kv);
  }
  CHECK(std::stod(rounding.project.query(
            "SELECT value FROM v_results WHERE metric = 'model/kv_bits' AND stage = 'answers'")) == 4);
  CHECK(std::stod(rounding.project.query(
            "SELECT value FROM v_results WHERE metric = 'tiny-math-test/n_total' AND stage = 'answers'")) == 24);
}

TEST_CASE("what cannot be rounded is said before or by the stage that would", "[e2e]") {
  const auto failure = [](const std::string& stage, const char* model) {
    const Rounding rounding(
        "experiment: broken\ninputs:\n  base: {type: model/1, path: model}\n"
        "  text: {type: text/1, path: text.txt}\nstages:\n"
        "  - {id: windows, use: lowbit.token-windows, with: {text: inputs.text, model: "
        "inputs.base}, params: {variant: t, context_length: 16}}\n" +
            stage,
        kSource / "tests/numerics/data" / model);
    const auto reference = nlohmann::json::parse(read_text(kSource / "tests/numerics/data" / model / "reference.json"));
    write_text(rounding.project.path() / "text.txt", reference["perplexity"]["text"].get<std::string>());
    const Ended run = rounding.project.run();
    CHECK(run.status != 0);
    return run.err + run.out;
  };
  CHECK_THAT(failure("  - {id: q, use: lowbit.quantize-activations, with: {model: inputs.base}}\n", "random-tied"),
             Contains("nothing is to be rounded") && Contains("set input_bits, kv_bits or both"));
  CHECK_THAT(failure("  - {id: q, use: lowbit.quantize-activations, with: {model: inputs.base}, params: "
                     "{input_bits: 8, input_strategy: tensor}}\n",
                     "random-tied"),
             Contains("fixed ranges need calibration windows"));
  const std::string smooth =
      "  - {id: q, use: lowbit.smoothquant, with: {model: inputs.base, calibration: windows.batches}, params: "
      "{weight_bits: 8, activation_bits: 8, alpha: ";
  CHECK_THAT(failure(smooth + "0.5}}\n", "random-opt-350m"), Contains("the model cannot be smoothed"));
  CHECK_THAT(failure(smooth + "1.5}}\n", "random-tied"), Contains("alpha"));
  CHECK_THAT(failure(smooth + "0.5, min_calibration_tokens: 5000}}\n", "random-tied"),
             Contains("there are too few calibration tokens"));
}
