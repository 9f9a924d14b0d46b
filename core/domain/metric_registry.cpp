#include "domain/metric_registry.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/diagnostic.h"
#include "base/json.h"
#include "metrics_registry_text.h"

namespace lowbit {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_context(std::string_view text) {
  if (text == "item") return true;
  return !text.empty() && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `pattern` and `name` part by part: <task>, <name> for one part, <context> and <k> behind an @.
bool matches(std::string_view pattern, std::string_view name) {
  while (!pattern.empty()) {
    if (pattern.front() != '<') {
      if (name.empty() || name.front() != pattern.front()) return false;
      pattern.remove_prefix(1);
      name.remove_prefix(1);
      continue;
    }
    const std::string_view placeholder = pattern.substr(0, pattern.find('>') + 1);
    const std::string_view part = name.substr(0, name.find('/'));
    const bool is_count = placeholder == "<context>" || placeholder == "<k>";
    if (is_count ? !is_context(part) : !is_name(part)) return false;
    pattern.remove_prefix(placeholder.size());
    name.remove_prefix(part.size());
  }
  return name.empty();
}

std::vector<MetricDefinition> read_registry() {
  const Json registry = Json::parse(embedded::metrics_registry_text::find_text("metrics.yaml"));
  std::vector<MetricDefinition> all;
  for (const Json& m : registry.at("metrics")) {
    const std::string better = m.at("better");
    LB_CHECK(better == "up" || better == "down" || better == "none");
    all.push_back({.name = m.at("name"),
                   .unit = m.at("unit").is_null() ? std::string() : m.at("unit").get<std::string>(),
                   .better = better == "up" ? Better::up : (better == "down" ? Better::down : Better::none),
                   .doc = m.at("is")});
  }
  return all;
}

std::string unknown_name(const std::string& name) {
  std::vector<std::string> names;
  for (const MetricDefinition& m : metric_definitions()) {
    // A task's own name stands in for <task>, so that a slip in the rest is found.
    const bool of_task = m.name.starts_with("<task>") && name.find('/') != std::string::npos;
    names.push_back(of_task ? name.substr(0, name.find('/')) + m.name.substr(6) : m.name);
  }
  const std::string near = nearest(name, names);
  return "`" + name + "` is not a metric of schemas/metrics.yaml" +
         (near.empty() ? "; experimental metrics are named x/<name>" : "; a similar one is `" + near + "`");
}

}  // namespace

const std::vector<MetricDefinition>& metric_definitions() {
  static const std::vector<MetricDefinition> all = read_registry();
  return all;
}

const MetricDefinition* find_metric(std::string_view name) {
  // The more literal name wins: no task can redefine weights/nmse, whatever it is called.
  const MetricDefinition* of_task = nullptr;
  for (const MetricDefinition& m : metric_definitions()) {
    if (!matches(m.name, name)) continue;
    if (!m.name.starts_with('<')) return &m;
    of_task = &m;
  }
  return of_task;
}

std::optional<std::string> metric_problem(const MetricRow& metric) {
  const bool final = metric.step < 0;
  const MetricDefinition* const known = find_metric(metric.name);
  if (known == nullptr) return final ? std::optional(unknown_name(metric.name)) : std::nullopt;
  if (!known->unit.empty() && metric.unit != known->unit) {
    return "`" + metric.name + "` is in " + known->unit + ", not in " + (metric.unit.empty() ? "nothing" : metric.unit);
  }
  if (!final) return std::nullopt;
  if (!std::isfinite(metric.value)) return "`" + metric.name + "` is not a finite number";
  if (known->unit == "fraction" && (metric.value < 0 || metric.value > 1)) {
    return "`" + metric.name + "` is a fraction, 0 to 1, and cannot be " + canonical(Json(metric.value));
  }
  return std::nullopt;
}

}  // namespace lowbit
