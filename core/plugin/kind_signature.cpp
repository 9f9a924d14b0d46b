#include "plugin/kind_signature.h"

#include <algorithm>
#include <string_view>

#include "base/words.h"

namespace lowbit::plugin {
namespace {

enum class Presence { must, may };

struct PortRule {
  std::string_view name;
  std::vector<std::string_view> types;  ///< the port's types are among these
  Presence presence;
};

struct Signature {
  StageKind kind;
  std::vector<PortRule> inputs;
  bool more_inputs;  ///< further inputs of any name
  std::vector<PortRule> outputs;
};

const std::vector<std::string_view> kModels{"model/1", "quantized-model/1", "adapter/1"};
// Code that a stage runs, such as lowbit.command-quantizer's: bound as a file so that it enters the key.
const PortRule kProgram{"program", {"file"}, Presence::may};

// A trainer may lack `model` (pretraining) or `data` (merging an adapter), not both: checked below. One that makes a
// model from nothing reads more, such as its tokenizer. The model of an evaluator may be elsewhere: behind an API, or
// where another program evaluated it, whose `results` are read then.
const std::vector<Signature> kSignatures{
    {StageKind::quantizer,
     {{"model", kModels, Presence::must},
      {"calibration", {"token-batches/1"}, Presence::may},
      {"hessians", {"hessians/1"}, Presence::may},
      kProgram},
     false,
     {{"quantized", {"quantized-model/1"}, Presence::must}}},
    {StageKind::trainer,
     {{"model", kModels, Presence::may},
      {"data", {"sft-pairs/1", "preference-pairs/1", "token-batches/1"}, Presence::may},
      {"reference", kModels, Presence::may},
      kProgram},
     true,
     {{"trained", {"model/1", "adapter/1"}, Presence::must}}},
    {StageKind::evaluator,
     {{"model", kModels, Presence::may},
      {"task", {"task/1", "token-batches/1"}, Presence::must},
      {"reference", kModels, Presence::may},
      {"results", {"file"}, Presence::may},
      kProgram},
     false,
     {{"predictions", {"predictions/1"}, Presence::must}, {"calls", {"api-calls/1"}, Presence::may}}},
    {StageKind::judge,
     {{"predictions", {"predictions/1"}, Presence::must}, {"task", {"task/1"}, Presence::must}},
     true,
     {{"verdicts", {"verdicts/1"}, Presence::must}, {"calls", {"api-calls/1"}, Presence::may}}},
};

class SignatureChecker {
 public:
  SignatureChecker(const StageDescription& stage, const Signature& signature, const std::string& library)
      : stage_(stage), signature_(signature), library_(library) {}

  Diagnostics check() {
    for (const PortRule& rule : signature_.inputs) check_port(rule, stage_.input(rule.name), "input");
    for (const PortRule& rule : signature_.outputs) check_port(rule, stage_.output(rule.name), "output");
    if (!signature_.more_inputs) refuse_others(stage_.inputs, names(signature_.inputs), "input");
    refuse_others(stage_.outputs, names(signature_.outputs), "output");
    if (stage_.kind == StageKind::trainer && stage_.input("model") == nullptr && stage_.input("data") == nullptr) {
      report("reads neither `model` nor `data`", "inputs of a trainer: `model`, `data` or both");
    }
    return std::move(problems_);
  }

 private:
  void check_port(const PortRule& rule, const PortDescription* port, const std::string& side) {
    const std::string expected = side + " `" + std::string(rule.name) + "` of type " + joined(rule.types, " or ");
    if (port == nullptr) {
      if (rule.presence == Presence::must) report("has no " + side + " `" + std::string(rule.name) + "`", expected);
      return;
    }
    for (const std::string& type : port->types) {
      if (std::find(rule.types.begin(), rule.types.end(), type) == rule.types.end()) {
        report("has " + side + " `" + port->name + "` of type " + joined(port->types, " or "), expected);
        break;
      }
    }
    if (port->optional && rule.presence == Presence::must) {
      report("declares " + side + " `" + port->name + "` optional", expected + ", always there");
    }
  }

  void refuse_others(const std::vector<PortDescription>& ports, const std::vector<std::string_view>& known,
                     const std::string& side) {
    for (const PortDescription& port : ports) {
      if (std::find(known.begin(), known.end(), port.name) != known.end()) continue;
      report("has " + side + " `" + port.name + "`", side + "s of this kind: " + joined(known, ", "));
    }
  }

  [[nodiscard]] static std::vector<std::string_view> names(const std::vector<PortRule>& rules) {
    std::vector<std::string_view> all;
    all.reserve(rules.size());
    for (const PortRule& rule : rules) all.push_back(rule.name);
    return all;
  }

  void report(const std::string& found, const std::string& expected) {
    problems_.push_back(
        error("LB4010", std::string(name_of(stage_.kind)) + " `" + stage_.id + "` of " + library_ + " " + found)
            .note("expected: " + expected)
            .fix("change the port, or declare the stage as a dataset, whose ports are free"));
  }

  const StageDescription& stage_;
  const Signature& signature_;
  const std::string& library_;
  Diagnostics problems_;
};

}  // namespace

Diagnostics check_signature(const StageDescription& stage, const std::string& library) {
  for (const Signature& signature : kSignatures) {
    if (signature.kind == stage.kind) return SignatureChecker(stage, signature, library).check();
  }
  return {};  // a dataset: anything
}

}  // namespace lowbit::plugin
