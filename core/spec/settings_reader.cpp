#include "spec/settings_reader.h"

#include <algorithm>
#include <array>
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
    if (const Node* gpus = node.find("gpus")) {
      resources.gpus = static_cast<std::uint32_t>(form_.whole_number(*gpus, "`gpus`", kGpus).value_or(0));
    }
    if (const Node* memory = node.find("memory")) {
      const auto text = form_.scalar(*memory, "`memory`", "a size");
      const auto bytes = parse_size(memory->text);
      if (text && !bytes) bad_quantity(*memory, "`memory`", "a size like 24GiB, 512MiB or 2GB");
      resources.memory_bytes = bytes.value_or(0);
    }
    if (const Node* timeout = node.find("timeout")) {
      const auto text = form_.scalar(*timeout, "`timeout`", "a duration");
      const auto duration = parse_duration(timeout->text);
      if (text && !duration) bad_quantity(*timeout, "`timeout`", "a duration like 2h, 30m, 90s or 1h30m");
      resources.timeout = duration.value_or(std::chrono::milliseconds(0));
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

 private:
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

}  // namespace lowbit::spec
