#include "exec/snapshot.h"

#include <algorithm>
#include <array>
#include <map>

namespace lowbit::exec {
namespace {

constexpr std::array<std::string_view, kVariantStates> kStateNames{"waiting", "ready",    "running", "done",
                                                                   "reused",  "cut_off",  "failed",  "cancelled",
                                                                   "blocked", "left_out", "gated",   "behind_gate"};

/// A member of another type than it has today is as good as missing.
template <class T>
void read(const Json& object, const char* name, T& value) {
  if (!object.is_object()) return;
  const auto member = object.find(name);
  if (member == object.end()) return;
  try {
    value = member->get<T>();
  } catch (const Json::exception&) {
    value = T();
  }
}

}  // namespace

std::string_view name_of(VariantState state) { return kStateNames.at(static_cast<std::size_t>(state)); }

std::size_t Snapshot::count(VariantState state) const {
  return static_cast<std::size_t>(
      std::count_if(variants.begin(), variants.end(), [&](const VariantNow& v) { return v.state == state; }));
}

Json to_json(const Snapshot& snapshot) {
  Json variants = Json::array();
  std::map<std::string, std::size_t> counts;
  for (const VariantNow& variant : snapshot.variants) {
    Json one{{"label", variant.label}, {"stage", variant.stage}, {"state", name_of(variant.state)}};
    if (!variant.text.empty()) one["text"] = variant.text;
    if (!variant.cause.empty()) one["cause"] = variant.cause;
    if (!variant.point.empty()) one["point"] = variant.point;
    if (!variant.plugin.empty()) one["plugin"] = variant.plugin;
    if (variant.cpus != 1) one["cpus"] = variant.cpus;
    variants.push_back(std::move(one));
    ++counts[std::string(name_of(variant.state))];
  }
  Json running = Json::array();
  for (const JobNow& job : snapshot.running) {
    running.push_back({{"label", job.label},
                       {"also_for", job.also_for},
                       {"seconds", job.seconds},
                       {"progress", job.progress},
                       {"cpus", job.cpus},
                       {"gpus", job.gpus},
                       {"memory_bytes", job.memory_bytes},
                       {"rates", job.rates},
                       {"speed", job.speed}});
  }
  return {{"experiment", snapshot.experiment},
          {"variants", std::move(variants)},
          {"counts", counts},
          {"running", std::move(running)},
          {"cpus_in_use", snapshot.cpus_in_use},
          {"cpus", snapshot.cpus},
          {"gpus_in_use", snapshot.gpus_in_use},
          {"gpus", snapshot.gpus},
          {"memory_in_use", snapshot.memory_in_use},
          {"memory_bytes", snapshot.memory_bytes},
          {"seconds", snapshot.seconds},
          {"stopping", snapshot.stopping}};
}

Snapshot snapshot_of(const Json& json) {
  Snapshot snapshot;
  if (!json.is_object()) return snapshot;
  read(json, "experiment", snapshot.experiment);
  read(json, "cpus_in_use", snapshot.cpus_in_use);
  read(json, "cpus", snapshot.cpus);
  read(json, "gpus_in_use", snapshot.gpus_in_use);
  read(json, "gpus", snapshot.gpus);
  read(json, "memory_in_use", snapshot.memory_in_use);
  read(json, "memory_bytes", snapshot.memory_bytes);
  read(json, "seconds", snapshot.seconds);
  read(json, "stopping", snapshot.stopping);
  for (const Json& one : json.value("variants", Json::array())) {
    VariantNow variant;
    read(one, "label", variant.label);
    read(one, "stage", variant.stage);
    read(one, "text", variant.text);
    read(one, "cause", variant.cause);
    read(one, "point", variant.point);
    read(one, "plugin", variant.plugin);
    read(one, "cpus", variant.cpus);
    std::string state;
    read(one, "state", state);
    const auto known = std::find(kStateNames.begin(), kStateNames.end(), state);
    if (known != kStateNames.end()) variant.state = static_cast<VariantState>(known - kStateNames.begin());
    snapshot.variants.push_back(std::move(variant));
  }
  for (const Json& one : json.value("running", Json::array())) {
    JobNow job;
    read(one, "label", job.label);
    read(one, "also_for", job.also_for);
    read(one, "seconds", job.seconds);
    read(one, "progress", job.progress);
    read(one, "cpus", job.cpus);
    read(one, "gpus", job.gpus);
    read(one, "memory_bytes", job.memory_bytes);
    read(one, "rates", job.rates);
    read(one, "speed", job.speed);
    snapshot.running.push_back(std::move(job));
  }
  return snapshot;
}

}  // namespace lowbit::exec
