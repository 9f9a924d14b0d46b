// The stages of an experiment bound to the plugins they can name: which ports and parameters are live with which
// plugin, and what each source text names at each point. Everything that does not depend on whether a variant exists
// is checked here; expand.cpp walks what comes out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/problems.h"
#include "domain/experiment_spec.h"
#include "domain/stage_description.h"
#include "graph/expanded_graph.h"
#include "graph/matrix.h"

namespace lowbit::graph {

/// An output port of a stage, or an external input.
struct SourceRef {
  enum class Kind { stage, external };
  Kind kind = Kind::external;
  std::size_t index = 0;  ///< into the experiment's stages or inputs
  std::string port;       ///< stage only
};

/// One source text of a binding. What it names depends on the axes of its template alone.
struct BoundSource {
  const Text* text = nullptr;
  AxisSet axes = 0;
  std::unordered_map<Point, SourceRef> named;  ///< by projection on `axes`; absent where it names nothing (reported)
};

struct StageBinding {
  const NamedBinding* written = nullptr;
  std::vector<BoundSource> sources;
  AxisSet over = 0;
  AxisSet pinned = 0;
  Pins pins;
  bool broken = false;  ///< a problem was reported

  [[nodiscard]] bool gathered() const { return written->binding.form == Binding::Form::each; }
};

/// A live binding of a stage with one of its plugins.
struct StageInput {
  const PortDescription* port = nullptr;
  const StageBinding* binding = nullptr;
  std::size_t id = 0;  ///< distinct over the experiment
};

/// A stage with one of the plugins that its `use` names.
struct StagePlugin {
  const StageDescription* description = nullptr;
  std::vector<StageInput> inputs;    ///< in the plugin's port order
  std::vector<const Param*> params;  ///< live, `params_for` laid over `params`
  AxisSet params_axes = 0;
  AxisSet axes = 0;     ///< what the stage depends on by itself: use, parameters, seed
  bool broken = false;  ///< a problem was reported
  std::size_t id = 0;   ///< distinct over the experiment
};

struct BoundStage {
  const StageSpec* written = nullptr;
  Condition when;  ///< where it exists at all
  AxisSet use_axes = 0;
  std::vector<StageBinding> bindings;
  std::vector<StagePlugin> plugins;                      ///< in matrix order
  std::unordered_map<Point, std::size_t> plugin_number;  ///< by projection on `use_axes`

  /// Null where no plugin has the name (reported, or left out).
  [[nodiscard]] const StagePlugin* plugin_at(const Matrix& matrix, Point point) const;
};

struct BoundExperiment {
  MissingPlugin missing = MissingPlugin::refused;
  std::vector<BoundStage> stages;      ///< as in the experiment
  std::vector<AxisSet> external_axes;  ///< of each external input's path
  std::size_t n_inputs = 0;            ///< StageInput ids are below this
  std::size_t n_plugins = 0;           ///< StagePlugin ids are below this
};

/// Problems go to `problems`; what was dropped, and why, to `notes`. REQUIRES: `spec`, `catalog` outlive the result.
[[nodiscard]] BoundExperiment bind_stages(const ExperimentSpec& spec, const StageCatalog& catalog, const Matrix& matrix,
                                          MissingPlugin missing, Problems& problems, std::vector<std::string>& notes);

}  // namespace lowbit::graph
