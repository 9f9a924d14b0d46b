// What may be asked of a live host, and what it answers: one line of JSON each way (docs/commands.md).
//   {"request":"status"}                                  -> {"ok":true,"pid":..,"status":snapshot}
//   {"request":"cancel","labels":["quantize[num_bits=3]","judge"]}  -> {"ok":true,"labels":[what was cancelled]}
//   {"request":"retry","experiment":"..","cause":"","labels":[]}  -> {"ok":true,"labels":[what runs again]}
//   {"request":"stop"}                                    -> {"ok":true}; as Ctrl-C
// Any other answer is {"ok":false,"problems":[{"code","what","notes","help"}]}. How lines travel:
// exec/local/control_socket.h.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exec/snapshot.h"
#include "graph/expanded_graph.h"

namespace lowbit::exec {

/// A run that can be told something. All calls on the loop's thread.
class Controlled {
 public:
  virtual ~Controlled() = default;

  [[nodiscard]] virtual Snapshot snapshot() const = 0;
  /// A running job is asked to stop, and what it saved stays; a variant that did not start yet will not. What needs
  /// them is blocked. False where that comes too late: it has settled, or its job has ended and its result is checked.
  virtual bool cancel(graph::VariantIndex variant) = 0;
  /// What failed or was cancelled, of `cause` only if it is not empty, of `only` if that is not empty, and what that
  /// blocked, waits anew. Returns all of it, in the plan's order; nothing when the run is stopping.
  virtual std::vector<graph::VariantIndex> retry(const std::string& cause,
                                                 const std::set<graph::VariantIndex>& only) = 0;
  /// Nothing new starts, running jobs are asked to stop.
  virtual void interrupt() = 0;
};

/// `line` without its newline; so is the answer. Asks `run` to do it.
[[nodiscard]] std::string answer_control(Controlled& run, std::string_view line);

/// The rest of an answer that is ok, or the problems of one that is not (LB4105 when it is no answer at all).
[[nodiscard]] Result<Json> read_answer(std::string_view line);
}  // namespace lowbit::exec
