// lowbit.command-*: any external program as a stage of any kind.
#include "command_stage.h"

namespace {

using lowbit::Job;
using lowbit::Stage;
using namespace lowbit::command;

constexpr const char* kAnything =
    "file|text/1|model/1|quantized-model/1|adapter/1|token-batches/1|hessians/1|task/1|sft-pairs/1|preference-pairs/1|"
    "predictions/1|verdicts/1|grades/1|api-calls/1|rubric/1|report/1";
constexpr const char* kModel = "model/1|quantized-model/1|adapter/1";
constexpr std::uint32_t kOptional = LB_PORT_OPTIONAL;
constexpr std::uint32_t kAnyNumber = LB_PORT_OPTIONAL | LB_PORT_MANY;
constexpr Port kProgram{"program", "file", "the program's own code; {program} in `command` is its path", kOptional};

const Ports& dataset() {
  static const Ports ports{"dataset",
                           {{"data", kAnything, "what it works on", kAnyNumber}, kProgram},
                           {{"task", "task/1", "a benchmark", kOptional},
                            {"batches", "token-batches/1", "token windows", kOptional},
                            {"sft_pairs", "sft-pairs/1", "supervised examples", kOptional},
                            {"preference_pairs", "preference-pairs/1", "preferences", kOptional},
                            {"hessians", "hessians/1", "second moments", kOptional},
                            {"predictions", "predictions/1", "answers made or imported", kOptional},
                            {"verdicts", "verdicts/1", "known first errors", kOptional},
                            {"grades", "grades/1", "grades that count", kOptional},
                            {"rubric", "rubric/1", "what judges are asked", kOptional},
                            {"report", "report/1", "the outcome of a check", kOptional},
                            {"text", "text/1", "plain text", kOptional},
                            {"files", "file", "anything else", kOptional}}};
  return ports;
}

const Ports& quantizer() {
  static const Ports ports{"quantizer",
                           {{"model", kModel, "the model to quantize", 0},
                            {"calibration", "token-batches/1", "calibration windows", kOptional},
                            {"hessians", "hessians/1", "second moments of layer inputs", kOptional},
                            kProgram},
                           {{"quantized", "quantized-model/1", "the quantized model", 0}}};
  return ports;
}

/// Both trainers read the same; an output has one type, so a whole model and an adapter are two stages.
Ports training(const char* trained, const char* doc) {
  return {"trainer",
          {{"model", kModel, "the model to train", 0},
           {"data", "sft-pairs/1|preference-pairs/1|token-batches/1", "training data", kAnyNumber},
           {"reference", kModel, "the frozen model of a preference loss", kOptional},
           kProgram},
          {{"trained", trained, doc, 0}}};
}

const Ports& trainer() {
  static const Ports ports = training("model/1", "the trained model");
  return ports;
}

const Ports& adapter_trainer() {
  static const Ports ports = training("adapter/1", "the trained adapter");
  return ports;
}

const Ports& evaluator() {
  static const Ports ports{"evaluator",
                           {{"model", kModel, "the model to evaluate", 0},
                            {"task", "task/1|token-batches/1", "the benchmark", 0},
                            {"reference", kModel, "the model to compare with", kOptional},
                            kProgram},
                           {{"predictions", "predictions/1", "what it answered", 0}}};
  return ports;
}

const Ports& judge() {
  static const Ports ports{"judge",
                           {{"predictions", "predictions/1", "what is judged", 0},
                            {"task", "task/1", "the benchmark it answers", 0},
                            {"verdicts", "verdicts/1", "verdicts of other judges", kAnyNumber},
                            {"rubric", "rubric/1", "what is asked", kOptional},
                            kProgram},
                           {{"verdicts", "verdicts/1", "first errors", 0}}};
  return ports;
}

template <const Ports& (*ports)()>
void run(const Job& job, const Params& params) {
  run_command(job, params, ports());
}

template <const Ports& (*ports)()>
Stage stage(const char* id, lb_kind kind, const char* summary) {
  Stage out(id, kind);
  out.version("1.0.0").summary(summary).resumable();
  for (const Port& port : ports().inputs) out.input(port.name, port.type, port.doc, port.flags);
  for (const Port& port : ports().outputs) out.output(port.name, port.type, port.doc, port.flags);
  // What Python and Hugging Face programs need to find their packages and caches.
  for (const char* name : {"PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX", "HF_HOME", "HF_HUB_OFFLINE"}) {
    out.environment(name);
  }
  out.run<run<ports>>().template check<check_command>();
  return out;
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              stage<dataset>("lowbit.command-dataset", LB_DATASET, "Makes or converts data with an external program."),
              stage<quantizer>("lowbit.command-quantizer", LB_QUANTIZER, "Quantizes a model with an external program.")
                  .cuda()
                  .device_sensitive(),
              stage<trainer>("lowbit.command-trainer", LB_TRAINER, "Trains a model with an external program.")
                  .cuda()
                  .device_sensitive()
                  .seeded(),
              stage<adapter_trainer>("lowbit.command-adapter-trainer", LB_TRAINER,
                                     "Trains an adapter with an external program.")
                  .cuda()
                  .device_sensitive()
                  .seeded(),
              stage<evaluator>("lowbit.command-evaluator", LB_EVALUATOR, "Evaluates a model with an external program.")
                  .cuda()
                  .device_sensitive(),
              stage<judge>("lowbit.command-judge", LB_JUDGE, "Judges predictions with an external program.")
                  .seeded()
                  .environment("LOWBIT_JUDGE_KEY")
                  .environment("OPENAI_API_KEY"))
