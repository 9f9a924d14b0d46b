// What a run would do and why. The executor follows the same decisions: plan and run are one code path.
//   reuse  a result for these very inputs exists; it will not run
//   run    it will run
//   maybe  it waits for an input that will run; if that input comes out as it was, this is cut off
//   gated  an input's result is held back by a gate (graph/gates.h); it will not run
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "domain/result.h"
#include "graph/expanded_graph.h"
#include "graph/keys.h"

namespace lowbit::graph {

/// What planning asks of the store. Pure questions about committed facts.
class ResultLookup {
 public:
  virtual ~ResultLookup() = default;
  /// The current result for exactly these inputs, without its record, which the asker has, and without its metrics.
  [[nodiscard]] virtual std::optional<StageResult> by_content_key(const Digest& key) const = 0;
  /// The current result reached through this provenance key (its inputs may have been other bytes then), without
  /// its metrics.
  [[nodiscard]] virtual std::optional<StageResult> by_provenance_key(const Digest& key) const = 0;
  /// The final metrics of a result that one of these gave.
  [[nodiscard]] virtual std::vector<MetricRow> metrics_of(const StageResult& result) const = 0;
  /// Whether any result was made with this own record (canonical SHA-256), whatever its inputs.
  [[nodiscard]] virtual bool has_own_record(const Digest& own) const = 0;
  /// The provenance record under which this stage and coordinates last stood in this experiment's expansion.
  [[nodiscard]] virtual std::optional<JsonText> last_record(const std::string& experiment, const std::string& stage,
                                                            const Coordinates& coordinates) const = 0;
  /// Whether the artifact's files are still where they were published.
  [[nodiscard]] virtual bool artifact_present(const Digest& digest) const = 0;
  /// Calls `asking`, in which many questions are asked: all are answered as of one moment, and each costs less.
  virtual void at_one_moment(const std::function<void()>& asking) const { asking(); }
};

enum class Decision { reuse, run, maybe, gated };

[[nodiscard]] std::string_view name_of(Decision decision);
/// Run or maybe.
[[nodiscard]] constexpr bool may_run(Decision decision) {
  return decision == Decision::run || decision == Decision::maybe;
}

/// Written by number where it is stored.
enum class ReasonKind {
  up_to_date = 1,
  never_ran = 2,
  record_changed = 3,   ///< parameter, plugin version, seed or an external input differs
  input_recreated = 4,  ///< same recipe, other bytes
  input_pending = 5,    ///< an input will run or may run
  artifact_missing = 6,
  forced = 7,
  plugin_file_changed = 8,  ///< with --strict only
  late_member = 9,          ///< a gathered input has a member it did not have
  behind_gate = 10,
};

/// As in the enumeration: "input_pending".
[[nodiscard]] std::string_view name_of(ReasonKind kind);

struct Reason {
  ReasonKind kind = ReasonKind::never_ran;
  std::string text;                  ///< one line for people
  std::vector<std::string> details;  ///< what differs, one line each
};

struct PlannedVariant {
  VariantIndex variant = 0;
  JsonText own;  ///< own_record(); not kept where the decision is reuse
  Key provenance;
  std::optional<Key> content;  ///< known when every input is
  Decision decision = Decision::run;
  Reason reason;
  std::optional<StageResult> result;  ///< reuse only
  std::string gate;                   ///< reuse: why the result is held back, if it is; gated: whose gate, and why
};

struct Plan {
  std::vector<PlannedVariant> variants;  ///< same order as ExpandedGraph::variants
  std::vector<std::string> notices;      ///< e.g. a plugin file changed while its version did not

  [[nodiscard]] std::size_t count(Decision decision) const;
};

struct PlanOptions {
  std::set<std::string> force;  ///< stage ids that run in any case
  bool strict = false;          ///< a changed plugin file with the same version makes its results stale
  std::string device_class = "cpu";
};

/// Digests of the external inputs by path as written in the graph.
using ExternalDigests = std::map<std::string, Digest>;

/// Digests of the plugin files that would run, by the id of the stage they offer ("lowbit.gptq").
using PluginDigests = std::map<std::string, Digest>;

/// REQUIRES: `externals` has every external input of the graph.
[[nodiscard]] Plan make_plan(const ExpandedGraph& graph, const ExternalDigests& externals, const PluginDigests& plugins,
                             const ResultLookup& results, const PlanOptions& options);

/// Reuse or run, and why, once every input of a variant is known. make_plan() decides so where inputs will be reused,
/// the executor when the inputs of a variant that was to wait have been made. Sets `decision`, `reason`, `result`,
/// `gate`. REQUIRES: `known` has `own`, `provenance` and `content` (content_key_for(), keys.h).
[[nodiscard]] PlannedVariant decide(PlannedVariant known, const std::string& experiment, const Variant& variant,
                                    const PluginDigests& plugins, const ResultLookup& results,
                                    const PlanOptions& options);

}  // namespace lowbit::graph
