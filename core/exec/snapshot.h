// Where every variant of a run stands at one moment: what a live display shows and a control socket answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lowbit::exec {

enum class VariantState {
  waiting,  ///< for an input
  ready,    ///< for room on the machine
  running,
  done,     ///< ran and succeeded in this run
  reused,   ///< the plan said so
  cut_off,  ///< its inputs came out as they were
  failed,
  cancelled,
  blocked,      ///< an input failed
  left_out,     ///< this run was not asked for it
  gated,        ///< it has a result that a gate holds back
  behind_gate,  ///< a gate holds an input back
};

/// As in the enumeration: "cut_off".
[[nodiscard]] std::string_view name_of(VariantState state);
inline constexpr std::size_t kVariantStates = 12;

struct VariantNow {
  std::string label;
  std::string stage;
  VariantState state = VariantState::waiting;
  std::string text;         ///< why: failed, cancelled, blocked and what gates hold back only
  std::string cause;        ///< failed and cancelled only: "stage", "resource", "preempted", "timeout", "cancelled", ..
  std::string point = {};   ///< its coordinates without the seed: "num_bits=3"
  std::string plugin = {};  ///< id of its stage's plugin
  unsigned cpus = 1;        ///< threads that it asks for
};

struct JobNow {
  std::string label;
  std::vector<std::string> also_for;  ///< other variants that need exactly its result
  double seconds = 0;                 ///< since this host started or adopted it
  Json progress;                      ///< its last word: {"done", "total", "unit"}, or null
  unsigned cpus = 1;
  std::vector<std::string> gpus;                    ///< ids
  std::uint64_t memory_bytes = 0;                   ///< of its lease; 0: not counted
  std::map<std::string, std::uint32_t> rates = {};  ///< requests a minute, by endpoint
  double speed = 0;  ///< units of progress a second since it first said where it is; 0: not known
};

struct Snapshot {
  std::string experiment;
  std::vector<VariantNow> variants;  ///< in the plan's order
  std::vector<JobNow> running;
  unsigned cpus_in_use = 0;
  unsigned cpus = 0;
  unsigned gpus_in_use = 0;
  unsigned gpus = 0;
  std::uint64_t memory_in_use = 0;  ///< bytes of all leases
  std::uint64_t memory_bytes = 0;   ///< for all jobs together; 0: not limited
  double seconds = 0;               ///< since this host began to schedule
  bool stopping = false;            ///< nothing new starts

  [[nodiscard]] std::size_t count(VariantState state) const;
};

/// The members by their names; states by name; empty texts left out.
[[nodiscard]] Json to_json(const Snapshot& snapshot);
/// What to_json() wrote, also by another version of lowbit: members that are missing have their defaults.
[[nodiscard]] Snapshot snapshot_of(const Json& json);

}  // namespace lowbit::exec
