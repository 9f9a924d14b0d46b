#include "exec/snapshot.h"

#include <algorithm>
#include <array>
#include <map>

namespace lowbit::exec {
namespace {

constexpr std::array<std::string_view, kVariantStates> kStateNames{"waiting", "ready",    "running", "done",
                                                                   "reused",  "cut_off",  "failed",  "cancelled",
                                                                   "blocked", "left_out", "gated",   "behind_gate"};

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
                       {"gpus", job.gpus}});
  }
  return {{"experiment", snapshot.experiment},
          {"variants", std::move(variants)},
          {"counts", counts},
          {"running", std::move(running)},
          {"cpus_in_use", snapshot.cpus_in_use},
          {"cpus", snapshot.cpus},
          {"gpus_in_use", snapshot.gpus_in_use},
          {"gpus", snapshot.gpus},
          {"stopping", snapshot.stopping}};
}

}  // namespace lowbit::exec
