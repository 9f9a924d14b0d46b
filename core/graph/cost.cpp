#include "graph/cost.h"

#include <algorithm>
#include <set>

#include "domain/quantity_text.h"

namespace lowbit::graph {
namespace {

struct Samples {
  std::vector<double> seconds;
  std::vector<std::uint64_t> bytes;
};

template <class T>
T median(std::vector<T> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

using SamplesByName = std::map<std::pair<std::string, std::string>, Samples>;

std::map<std::pair<std::string, std::string>, Cost> medians(const SamplesByName& all) {
  std::map<std::pair<std::string, std::string>, Cost> costs;
  for (const auto& [name, samples] : all) {
    costs[name] = {.seconds = median(samples.seconds), .bytes = median(samples.bytes), .from = samples.seconds.size()};
  }
  return costs;
}

std::string stage_of(const std::string& label) { return label.substr(0, label.find('[')); }

void add(Samples& samples, const CostSample& sample) {
  samples.seconds.push_back(sample.seconds);
  samples.bytes.push_back(sample.bytes);
}

}  // namespace

CostHistory::CostHistory(const std::vector<CostSample>& samples) {
  SamplesByName by_label;
  SamplesByName by_stage;
  for (const CostSample& sample : samples) {
    add(by_label[{sample.plugin_id, sample.label}], sample);
    add(by_stage[{sample.plugin_id, stage_of(sample.label)}], sample);
  }
  by_label_ = medians(by_label);
  by_stage_ = medians(by_stage);
}

std::optional<Cost> CostHistory::of(const Variant& variant) const { return of(variant.plugin->id, variant.label()); }

std::optional<Cost> CostHistory::of(const std::string& plugin_id, const std::string& label) const {
  if (const auto same = by_label_.find({plugin_id, label}); same != by_label_.end()) return same->second;
  const auto like = by_stage_.find({plugin_id, stage_of(label)});
  return like == by_stage_.end() ? std::nullopt : std::optional(like->second);
}

std::size_t CostHistory::results_like(const Variant& variant) const {
  const auto like = by_stage_.find({variant.plugin->id, variant.stage});
  return like == by_stage_.end() ? 0 : like->second.from;
}

PlanCost cost_of(const ExpandedGraph& graph, const Plan& plan, const CostHistory& history, unsigned cpus) {
  PlanCost all;
  double cpu_seconds = 0;
  std::vector<double> ends(graph.variants.size(), 0);  // when each would end if nothing but its inputs held it up
  std::set<std::pair<std::string, std::string>> counted;
  for (VariantIndex i = 0; i < graph.variants.size(); ++i) {
    if (!may_run(plan.variants[i].decision)) continue;
    const Variant& variant = graph.variants[i];
    for_each_awaited(variant, [&](VariantIndex awaited) { ends[i] = std::max(ends[i], ends[awaited]); });
    const std::optional<Cost> cost = history.of(variant);
    if (!cost) {
      ++all.unknown;
      continue;
    }
    ++all.known;
    all.seconds += cost->seconds;
    all.bytes += cost->bytes;
    cpu_seconds += cost->seconds * std::min(variant.resources.cpus, cpus);
    ends[i] += cost->seconds;
    all.at_once = std::max(all.at_once, ends[i]);
    if (counted.emplace(variant.plugin->id, variant.stage).second) all.from += history.results_like(variant);
  }
  all.at_once = std::max(all.at_once, cpu_seconds / std::max(cpus, 1U));
  return all;
}

std::string cost_text(const PlanCost& cost, unsigned cpus) {
  if (cost.known + cost.unknown == 0) return {};
  if (cost.known == 0) return "estimate: unknown, nothing like it has run here\n";
  std::string text = "estimate: " + duration_text(cost.at_once) + " on " + count_text(cpus, "processor");
  if (cost.seconds > cost.at_once) text += " (" + duration_text(cost.seconds) + " one by one)";
  text += ", " + bytes_text(cost.bytes) + " of disk, from " + count_text(cost.from, "earlier result");
  if (cost.unknown > 0) text += "; unknown for " + count_text(cost.unknown, "variant");
  return text + "\n";
}

Json cost_json(const PlanCost& cost) {
  const bool known = cost.known > 0;
  return {{"known", cost.known},
          {"unknown", cost.unknown},
          {"from", cost.from},
          {"seconds", known ? Json(cost.seconds) : Json()},
          {"at_once", known ? Json(cost.at_once) : Json()},
          {"bytes", known ? Json(cost.bytes) : Json()}};
}

}  // namespace lowbit::graph
