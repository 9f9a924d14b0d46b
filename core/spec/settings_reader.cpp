#include "spec/settings_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spec/language.h"
#include "spec/quantities.h"

namespace lowbit::spec {
namespace {

class SettingsReader {
 public:
  explicit SettingsReader(Form& form) : form_(form) {}

  Resources resources(const Node& node) {
    Resources resources;
    if (!form_.mapping(node, Place::resources)) return resources;
    if (const Node* cpus = node.find("cpus")) {
      resources.cpus = static_cast<std::uint32_t>(form_.whole_number(*cpus, "`cpus`", kCpus).value_or(1));
    }
    if (const Node* gpus = node.find("gpus")) resources.milli_gpus = milli_gpus(*gpus);
    if (const Node* memory = node.find("gpu_memory")) resources.gpu_memory_bytes = size(*memory, "`gpu_memory`");
    if (const Node* memory = node.find("memory")) resources.memory_bytes = size(*memory, "`memory`");
    if (const Node* rate = node.find("rate")) read_rates(*rate, resources);
    if (const Node* timeout = node.find("timeout")) resources.timeout = duration(*timeout, "`timeout`");
    if (const Node* stall = node.find("stall")) resources.stall = duration(*stall, "`stall`");
    if (const Node* on_stall = node.find("on_stall")) {
      if (on_stall->text != "warn" && on_stall->text != "fail") {
        form_.wrong_type(*on_stall, "`on_stall`", "`warn` or `fail`");
      }
      resources.fail_on_stall = on_stall->text == "fail";
    }
    return resources;
  }

  RetryPolicy retry(const Node& node) {
    RetryPolicy retry;
    if (!form_.mapping(node, Place::retry)) return retry;
    if (const Node* attempts = node.find("attempts")) {
      retry.attempts = static_cast<std::uint32_t>(form_.whole_number(*attempts, "`attempts`", kAttempts).value_or(1));
    }
    const Node* on = node.find("on");
    if (on == nullptr || !form_.list(*on, "`on`", "causes")) return retry;
    std::vector<Text> seen;
    for (const Node& item : on->items) {
      const auto name = form_.text(item, "an element of `on`", "a cause");
      if (!name) continue;
      const auto same =
          std::find_if(seen.begin(), seen.end(), [&](const Text& before) { return before.value == name->value; });
      if (same != seen.end()) {
        form_.duplicate("cause " + ticked(name->value), same->span, name->span);
        continue;
      }
      seen.push_back(*name);
      if (const auto cause = retry_cause(*name)) retry.on.push_back(*cause);
    }
    return retry;
  }

  void gate(const Node& node, std::vector<Gate>& gates) {
    if (!form_.mapping(node, Place::gate)) return;
    Gate gate;
    const Node* metric = node.find("metric");
    if (metric == nullptr) return;
    if (auto name = form_.text(*metric, "`metric`", "the name of a metric")) {
      form_.no_template(*name, "the metric of a gate");
      gate.metric = std::move(name->value);
    }
    const Node* min = node.find("min");
    const Node* max = node.find("max");
    if (min != nullptr) gate.min = bound(*min, "`min`");
    if (max != nullptr) gate.max = bound(*max, "`max`");
    if (min == nullptr && max == nullptr) {
      form_.report(error("LB1039", "a gate without a bound lets everything through")
                       .at(node.span, "expected `min`, `max` or both")
                       .fix("say what the metric must keep to, as in {metric: weights/nmse, max: 0.5}"));
    } else if (gate.min && gate.max && *gate.min > *gate.max) {
      form_.report(error("LB1039", "a gate whose `min` is above its `max` lets nothing through")
                       .at(node.span, "no value is both")
                       .fix("swap the bounds, or correct one of them"));
    }
    if (const Node* holds = node.find("holds")) read_holds(*holds, gate);
    gates.push_back(std::move(gate));
  }

 private:
  void read_holds(const Node& node, Gate& gate) {
    if (!form_.list(node, "`holds`", "stages")) return;
    for (const Node& item : node.items) {
      auto name = form_.text(item, "an element of `holds`", "the id of a stage");
      if (!name) continue;
      form_.no_template(*name, "`holds`");
      const auto same = std::find_if(gate.holds.begin(), gate.holds.end(),
                                     [&](const Text& before) { return before.value == name->value; });
      if (same != gate.holds.end()) {
        form_.duplicate("stage " + ticked(name->value), same->span, name->span);
      } else {
        gate.holds.push_back(std::move(*name));
      }
    }
  }

  /// A whole number of GPUs, or a share of one below 1.
  std::uint32_t milli_gpus(const Node& node) {
    static constexpr const char* kExpected = "a whole number, or a share below 1 such as 0.5";
    const auto number = form_.scalar(node, "`gpus`", kExpected);
    if (!number) return 0;
    if (number->value.is_number_integer()) {
      return 1000 * static_cast<std::uint32_t>(form_.whole_number(node, "`gpus`", kGpus).value_or(0));
    }
    const double share = number->value.is_number() ? number->value.get<double>() : 0;
    const double thousandths = std::round(1000 * share);
    if (thousandths >= 1 && thousandths <= 999) return static_cast<std::uint32_t>(thousandths);
    form_.wrong_type(node, "`gpus`", kExpected);
    return 0;
  }

  void read_rates(const Node& node, Resources& resources) {
    if (!form_.mapping(node, Place::rates)) return;
    for (const Node::Entry& entry : node.entries) {
      if (!form_.name(entry.key, "the name of a rate")) continue;
      const auto per_minute = form_.whole_number(entry.value, ticked(entry.key.value), kPerMinute);
      if (per_minute) resources.rates[entry.key.value] = static_cast<std::uint32_t>(*per_minute);
    }
  }

  std::uint64_t size(const Node& node, const std::string& what) {
    const auto text = form_.scalar(node, what, "a size");
    const auto bytes = parse_size(node.text);
    if (text && !bytes) bad_quantity(node, what, "a size like 24GiB, 512MiB or 2GB");
    return bytes.value_or(0);
  }

  std::chrono::milliseconds duration(const Node& node, const std::string& what) {
    const auto text = form_.scalar(node, what, "a duration");
    const auto duration = parse_duration(node.text);
    if (text && !duration) bad_quantity(node, what, "a duration like 2h, 30m, 90s or 1h30m");
    return duration.value_or(std::chrono::milliseconds(0));
  }

  std::optional<double> bound(const Node& node, const std::string& what) {
    const auto value = form_.scalar(node, what, "a number");
    if (!value) return std::nullopt;
    if (value->value.is_number()) return value->value.get<double>();
    form_.wrong_type(node, what, "a number");
    return std::nullopt;
  }

  void bad_quantity(const Node& node, const std::string& what, const std::string& expected) {
    form_.report(error("LB1036", ticked(node.text) + " is not a value of " + what)
                     .at(node.span, "expected " + expected)
                     .fix("write a whole number, not 0, and its unit, without spaces"));
  }

  std::optional<RetryCause> retry_cause(const Text& name) {
    static constexpr std::array<std::pair<std::string_view, RetryCause>, 3> kCauses{
        {{"resource", RetryCause::resource},
         {"preempted", RetryCause::preempted},
         {"transient", RetryCause::transient}}};
    std::vector<std::string> names;
    for (const auto& [cause_name, cause] : kCauses) {
      if (cause_name == name.value) return cause;
      names.emplace_back(cause_name);
    }
    Diagnostic problem = error("LB1037", "a stage is not retried on " + ticked(name.value));
    problem.at(name.span, "expected " + list_of(names, "or"));
    if (name.value == "numeric") {
      problem.note("a numeric failure comes again: the same seed gives the same numbers")
          .fix("remove it, and look at the stage that failed");
    } else if (name.value == "bad_input") {
      problem.note("the same input fails again").fix("remove it, and correct the input");
    } else {
      const std::string near = nearest(name.value, names);
      problem.fix(near.empty() ? "use one of these causes" : "a cause with a similar name exists: " + ticked(near));
    }
    form_.report(std::move(problem));
    return std::nullopt;
  }

  Form& form_;
};

}  // namespace

Resources read_resources(const Node& node, Form& form) { return SettingsReader(form).resources(node); }

RetryPolicy read_retry(const Node& node, Form& form) { return SettingsReader(form).retry(node); }

std::vector<Gate> read_gates(const Node& node, Form& form) {
  std::vector<Gate> gates;
  if (!form.list(node, "`gates`", "gates")) return gates;
  for (const Node& item : node.items) SettingsReader(form).gate(item, gates);
  return gates;
}

}  // namespace lowbit::spec
