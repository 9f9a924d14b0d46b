#include "unit/interchange/study.h"

#include <limits>

namespace lowbit::test {
namespace {

Json record(const char* plugin, const char* version, Json params) {
  return {{"plugin", {{"id", plugin}, {"version", version}}}, {"params", std::move(params)}};
}

ExportedResult result(const ExportedVariant& variant, const char* started, const char* ended) {
  ExportedResult made;
  made.facts.label = variant.variant.label;
  made.execution.label = variant.variant.label;
  made.execution.started_at = started;
  made.execution.ended_at = ended;
  made.execution.seconds = 4.5;
  made.execution.plugin_digest = "feed";
  made.execution.environment = {{"device", "cpu"}};
  return made;
}

ExportedVariant variant(const char* stage, const char* label, Json axes, const char* state) {
  ExportedVariant made;
  made.variant.stage = stage;
  made.variant.label = label;
  made.variant.axes = std::move(axes);
  made.variant.state = state;
  return made;
}

ExportedVariant task() {
  ExportedVariant made = variant("task", "task", Json::object(), "done");
  made.variant.result_id = 1;
  made.variant.content_key = "1111";
  made.recipe.kind = "dataset";
  made.recipe.record = record("lowbit.few-shot", "1", {{"num_fewshot", 3}});
  made.result = result(made, "2026-11-23T10:00:00.000Z", "2026-11-23T10:00:01.000Z");
  made.result->facts.outputs = {
      {.port = "task", .type = "task/1", .digest = "t1", .path = "a", .bytes = 9, .summary = {{"items", 4}}}};
  return made;
}

ExportedVariant rounded(int bits, bool done) {
  const std::string label = "round[num_bits=" + std::to_string(bits) + "]";
  ExportedVariant made = variant("round", label.c_str(), {{"num_bits", bits}}, done ? "done" : "failed");
  made.recipe.record = record("lowbit.gptq", "4",
                              {{"actorder", "static"}, {"group_size", 64}, {"num_bits", bits}, {"symmetric", false}});
  made.recipe.inputs = {
      {.port = "calibration", .type = "token-batches/1", .digest = "c1", .maker_port = {}, .maker = {}},
      {.port = "model", .type = "model/1", .digest = "b1", .maker_port = {}, .maker = {}}};
  if (!done) return made;
  made.variant.result_id = 2;
  made.variant.content_key = "2222";
  made.recipe.kind = "quantizer";
  made.result = result(made, "2026-11-23T10:00:10.000Z", "2026-11-23T10:00:20.000Z");
  made.result->facts.inputs = {
      {.port = "calibration",
       .at = {},
       .type = "token-batches/1",
       .digest = "c1",
       .made_as = {},
       .path = "/data/calib"},
      {.port = "model", .at = {}, .type = "model/1", .digest = "b1", .made_as = {}, .path = "/models/tiny-llama/"}};
  made.result->facts.outputs = {{.port = "quantized",
                                 .type = "quantized-model/1",
                                 .digest = "q1",
                                 .path = "results/22/out/quantized",
                                 .bytes = 4096,
                                 .summary = {}}};
  made.result->facts.metrics = {
      {.name = "weights/bits_per_weight", .unit = "bits", .value = 3.25},
      {.name = "weights/nmse", .unit = "ratio", .value = std::numeric_limits<double>::quiet_NaN()}};
  return made;
}

ExportedVariant score() {
  ExportedVariant made = variant("score", "score[num_bits=3,seed=7]", {{"num_bits", 3}}, "done");
  made.variant.seed = 7;
  made.variant.result_id = 3;
  made.variant.content_key = "3333";
  made.recipe.kind = "evaluator";
  made.recipe.record = record("lowbit.generate", "5", {{"batch_size", 8}});
  made.recipe.inputs = {
      {.port = "model", .type = "quantized-model/1", .digest = "q1", .maker_port = "quantized", .maker = 1},
      {.port = "task", .type = "task/1", .digest = "t1", .maker_port = "task", .maker = 0}};
  made.result = result(made, "2026-11-23T10:00:30.000Z", "2026-11-23T10:00:40.250Z");
  made.result->facts.inputs = {{.port = "model",
                                .at = {},
                                .type = "quantized-model/1",
                                .digest = "q1",
                                .made_as = "round[num_bits=3].quantized",
                                .path = "results/22/out/quantized"},
                               {.port = "task",
                                .at = {},
                                .type = "task/1",
                                .digest = "t1",
                                .made_as = "task.task",
                                .path = "results/11/out/task"}};
  made.result->facts.outputs = {{.port = "predictions",
                                 .type = "predictions/1",
                                 .digest = "p1",
                                 .path = "results/33/out/predictions",
                                 .bytes = 100,
                                 .summary = {{"items", 4}}}};
  made.result->facts.metrics = {
      {.name = "model/weight_bits", .unit = "bits", .value = 3},
      {.name = "sums/accuracy", .unit = "fraction", .value = 0.5, .std_error = 0.25, .count = 4},
      {.name = "sums/n_correct", .unit = "items", .value = 2},
      {.name = "sums/n_total", .unit = "items", .value = 4},
      {.name = "sums/perplexity/word@64", .unit = "ratio", .value = 12.5, .std_error = {}, .count = 80}};
  return made;
}

}  // namespace

ExportedStudy small_study() {
  ExportedStudy study;
  study.experiment = "small";
  study.file = "experiments/small.yaml";
  study.variants = {task(), rounded(3, true), rounded(2, false), score()};
  study.chosen = {0, 1, 2, 3};
  study.tasks["t1"] = {{"name", "sums"},
                       {"kind", "generate"},
                       {"n_items", 6},
                       {"prompt", {{"template", "{{problem}} ="}}},
                       {"stop", Json::array({"\n"})}};
  return study;
}

}  // namespace lowbit::test
