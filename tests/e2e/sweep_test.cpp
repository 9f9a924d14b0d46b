// Quantize and measure perplexity through the program, on the random models of tests/numerics.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data" / name;
}

/// A sweep over the model in `model/`, on the text in `text.txt`, in windows of 16 tokens.
constexpr const char* kSweep = R"(experiment: sweep
matrix:
  source: [inputs.base, quantize.quantized]
  quantizer: [rtn, gptq]
  num_bits: [8, 3]
inputs:
  base: {type: model/1, path: model}
  text: {type: text/1, path: text.txt}
stages:
  - {id: windows, use: lowbit.token-windows, with: {text: inputs.text, model: inputs.base}, params: {variant: tiny, context_length: 16}}
  - id: quantize
    use: lowbit.${quantizer}
    with: {model: inputs.base, calibration: windows.batches}
    params: {num_bits: "${num_bits}", group_size: 16}
    params_for: {gptq: {checkpoint_interval_s: 0, min_calibration_tokens: 16}}
  - {id: ppl, use: lowbit.perplexity, with: {model: "${source}", task: windows.batches}}
)";

/// A project with a copy of a fixture's model and the text of its reference.
struct Sweep {
  explicit Sweep(const std::string& name, const std::string& experiment = kSweep) : project(experiment) {
    std::filesystem::copy(fixture(name), project.path() / "model");
    reference = Json::parse(read_text(project.path() / "model/reference.json"))["perplexity"];
    std::filesystem::remove(project.path() / "model/reference.json");
    write_text(project.path() / "text.txt", reference["text"].get<std::string>());
  }
  [[nodiscard]] double number(const std::string& sql) const { return std::stod(project.query(sql)); }
  Project project;
  Json reference;
};

}  // namespace

TEST_CASE("a sweep over methods and widths measures the reference perplexity and what bits cost", "[e2e]") {
  const auto name = GENERATE("random-untied", "random-tied");
  const Sweep sweep(name);
  const Ended run = sweep.project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);
  // One baseline, four quantized models: the axes of the quantizer do not multiply full precision.
  CHECK(sweep.project.query("SELECT stage, count(*) FROM v_stages GROUP BY stage ORDER BY stage") ==
        "ppl,5\nquantize,4\nwindows,1\n");
  const std::string of_base =
      " FROM v_results WHERE metric = 'tiny/perplexity/token@16' AND label NOT LIKE '%rtn%' AND label NOT LIKE "
      "'%gptq%'";
  const Json& expected = sweep.reference["side_by_side"];
  CHECK(sweep.number("SELECT value" + of_base) == Approx(expected["perplexity"].get<double>()).epsilon(1e-5));
  CHECK(sweep.number("SELECT count" + of_base) == expected["count"].get<double>());
  // What is reported can be computed again from the rows.
  CHECK(sweep.number(
            "SELECT max(abs(r.value - again)) FROM v_results r JOIN (SELECT result_id, sum(fields ->> '$.nll') / "
            "sum(fields ->> '$.n_scored') AS again FROM predictions GROUP BY result_id) USING (result_id) "
            "WHERE r.metric = 'tiny/nll/token@16'") < 1e-9);
  // Eight bits change next to nothing, three do.
  for (const char* method : {"rtn", "gptq"}) {
    const auto nmse = [&](const char* bits) {
      return sweep.number("SELECT value FROM v_results WHERE metric = 'weights/nmse' AND label LIKE '%" +
                          std::string(method) + "%' AND label LIKE '%num_bits=" + bits + "%'");
    };
    INFO(method);
    CHECK(nmse("8") < 1e-4);
    CHECK(nmse("3") > 1e-3);
  }
  const Ended again = sweep.project.run();
  CHECK(again.status == 0);
  CHECK_THAT(again.err, Contains("nothing to do"));
}

/// Second moments once for two widths, and how far each model is from full precision.
constexpr const char* kShared = R"(experiment: shared
matrix:
  num_bits: [8, 2]
  quantizer: [rtn, gptq]
inputs:
  base: {type: model/1, path: model}
  text: {type: text/1, path: text.txt}
stages:
  - {id: windows, use: lowbit.token-windows, with: {text: inputs.text, model: inputs.base}, params: {variant: tiny, context_length: 16}}
  - {id: moments, use: lowbit.hessians, with: {model: inputs.base, calibration: windows.batches}, params: {checkpoint_interval_s: 0, min_calibration_tokens: 16}}
  - id: quantize
    use: lowbit.${quantizer}
    with: {model: inputs.base, hessians: moments.hessians}
    params: {num_bits: "${num_bits}", group_size: 16}
    params_for: {gptq: {min_calibration_tokens: 16}}
  - {id: kl, use: lowbit.kl-divergence, with: {model: quantize.quantized, reference: inputs.base, task: windows.batches}}
)";

TEST_CASE("second moments are collected once for all widths, and divergence from full precision is measured", "[e2e]") {
  const Sweep sweep("random-qwen2", kShared);
  const Ended run = sweep.project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK(sweep.project.query("SELECT stage, count(*) FROM v_stages GROUP BY stage ORDER BY stage") ==
        "kl,4\nmoments,1\nquantize,4\nwindows,1\n");
  const auto value = [&](const char* metric, const char* quantizer, int bits) {
    return sweep.number("SELECT value FROM v_results WHERE metric = '" + std::string(metric) + "' AND label LIKE '%" +
                        quantizer + "%' AND label LIKE '%num_bits=" + std::to_string(bits) + "%'");
  };
  for (const char* quantizer : {"rtn", "gptq"}) {
    INFO(quantizer);
    CHECK(value("tiny/kl_divergence", quantizer, 8) < 0.01);
    CHECK(value("tiny/kl_divergence", quantizer, 2) > 0.1);
    CHECK(value("tiny/same_top_token", quantizer, 8) > value("tiny/same_top_token", quantizer, 2));
  }
  CHECK(value("weights/layer_loss", "gptq", 2) < value("weights/layer_loss", "rtn", 2));
  CHECK(value("weights/raised_dampening", "gptq", 2) == 0);
}

TEST_CASE("GPTQ wants calibration or second moments, of the model it quantizes", "[e2e]") {
  std::string both = kShared;
  both.replace(both.find("hessians: moments.hessians"), 26, "hessians: moments.hessians, calibration: windows.batches");
  const Sweep sweep("random-qwen2", both);
  const Ended refused = sweep.project.run();
  CHECK(refused.status != 0);
  CHECK_THAT(refused.err + refused.out, Contains("one of the inputs calibration and hessians is needed"));

  std::string few = kShared;
  few.replace(few.find("params_for: {gptq: {min_calibration_tokens: 16}}"), 48, "params_for: {gptq: {}}");
  const Sweep of_few_tokens("random-qwen2", few);
  CHECK_THAT(of_few_tokens.project.run().err,
             Contains("FAIL    quantize[num_bits=8,quantizer=gptq]  there are too few calibration tokens") &&
                 Contains("256 are asked for") && Contains("lower min_calibration_tokens"));
}

TEST_CASE("AWQ on a model of every family reports what it scaled and clipped, and its model is measured", "[e2e]") {
  // Four groups a block read a common input. Left unscaled: with shared value heads the input of o, with norms after
  // the sum those of q and of the MLP.
  const auto [name, n_unscaled] =
      GENERATE(table<const char*, const char*>({{"random-qwen2", "3"}, {"random-opt", "0"}, {"random-opt-350m", "4"}}));
  CAPTURE(name);
  const Sweep sweep(name, R"(experiment: awq
inputs:
  base: {type: model/1, path: model}
  text: {type: text/1, path: text.txt}
stages:
  - {id: windows, use: lowbit.token-windows, with: {text: inputs.text, model: inputs.base}, params: {variant: tiny, context_length: 16}}
  - id: quantize
    use: lowbit.awq
    with: {model: inputs.base, calibration: windows.batches}
    params: {num_bits: 3, group_size: 16, clip_tokens: 16, checkpoint_interval_s: 0}
  - {id: ppl, use: lowbit.perplexity, with: {model: quantize.quantized, task: windows.batches}}
)");
  const Ended run = sweep.project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);
  const auto metric = [&](const std::string& metric_name) {
    return sweep.project.query("SELECT value FROM v_results WHERE metric = '" + metric_name + "'");
  };
  CHECK(std::stod(metric("weights/unscaled_groups")) == std::stod(n_unscaled));
  CHECK(std::stod(metric("weights/clipped_ranges")) > 0);
  CHECK(std::stod(metric("weights/layer_loss")) < 0.1);
  CHECK(std::stod(metric("tiny/perplexity/token@16")) > 1);
}

TEST_CASE("broken models end a stage with what, where, why and what to do, and a repair goes on", "[e2e]") {
  const Sweep sweep("random-tied");
  const auto weights = sweep.project.path() / "model/model.safetensors";
  const std::string whole = read_text(weights);
  write_text(weights, whole.substr(0, whole.size() / 2));
  const Ended truncated = sweep.project.run();
  CHECK(truncated.status != 0);
  CHECK_THAT(truncated.err + truncated.out, Contains("model.safetensors") && Contains("truncated"));
  write_text(weights, whole);
  CHECK(sweep.project.run().status == 0);
}

TEST_CASE("a tokenizer that does not fit the model is refused", "[e2e]") {
  const Sweep sweep("random-untied");
  std::filesystem::copy_file(fixture("random-tied") / "tokenizer.json", sweep.project.path() / "model/tokenizer.json",
                             std::filesystem::copy_options::overwrite_existing);
  const Ended run = sweep.project.run();
  CHECK(run.status == 1);
  CHECK_THAT(run.err + run.out, Contains("the tokenizer does not fit the model") && Contains("its ids go up to 298") &&
                                    Contains("use the tokenizer.json that belongs to these weights"));
}
