// An experiment as its author wrote it: checked for form, not yet bound to plugins. docs/experiment-file.md.
// Strings may hold `${axis}`; nothing is substituted here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/source_span.h"

namespace lowbit {

using Text = Located<std::string>;

struct Axis {
  Text name;
  std::vector<Located<Json>> values;  ///< scalars, distinct, at least one
};

/// Axes and values of them. A point agrees when it has one of the values on every one of these axes.
using AxisValues = std::vector<std::pair<Text, std::vector<Located<Json>>>>;

/// Axes that advance together, by their numbers in the experiment; each row has the number of a value for each of them.
/// A plain axis is a column of rows of one value.
struct AxisColumn {
  std::vector<std::size_t> axes;
  std::vector<std::vector<std::size_t>> rows;
};

/// Every combination of the rows of its columns, less what `excludes` describes. The columns name every axis once.
struct Grid {
  std::vector<AxisColumn> columns;
  std::vector<AxisValues> excludes;
};

/// A file or directory from outside the experiment, reached as `inputs.<name>`.
struct ExternalInput {
  Text name;
  Text type;  ///< "file", "model/1", ...
  Text path;  ///< relative to the experiment file
};

/// What a port is bound to.
///   direct  model: quantize.quantized            one source
///   first   model: {first: [a.x, inputs.base]}   the first that exists at a point
///   each    {each: s.x, over: [axis], require}   one member per value of the `over` axes
/// `at` pins axes for this binding only: {from: s.x, at: {source: base}}.
struct Binding {
  enum class Form { direct, first, each };
  Form form = Form::direct;
  std::vector<Text> sources;  ///< "stage.port", "inputs.name"; one unless `first`
  std::vector<Text> over;     ///< `each` only; at least one
  std::vector<std::pair<Text, Located<Json>>> at;
  std::optional<std::uint64_t> min_members;  ///< `each` only; empty: all
  SourceSpan span;
};

struct NamedBinding {
  Text port;
  Binding binding;
};

struct Param {
  Text name;
  Located<Json> value;
};

/// Failure causes a retry may be asked for (design: never numeric, never bad input).
enum class RetryCause { resource, preempted, transient };

struct RetryPolicy {
  std::uint32_t attempts = 1;  ///< in all, the first included
  std::vector<RetryCause> on;
};

/// What a final metric must keep to; a result that does not is kept, and nothing is made from it.
struct Gate {
  std::string metric;
  std::optional<double> min;
  std::optional<double> max;
  /// Stages that this one is made from, directly or not: what else reads their outputs waits for this gate, and does
  /// not run where it does not hold. "The perplexity of a quantized model" judges the model for all who use it.
  std::vector<Text> holds = {};
};

/// Machine settings: they never enter a key.
struct Resources {
  std::uint32_t cpus = 1;
  std::uint32_t milli_gpus = 0;        ///< thousandths: 500 is half of one GPU, 2000 two whole ones
  std::uint64_t gpu_memory_bytes = 0;  ///< on each GPU; 0: not said
  std::uint64_t memory_bytes = 0;      ///< 0: not said
  std::map<std::string, std::uint32_t>
      rates;                             ///< of the requests a minute that an endpoint allows, what this one makes
  std::chrono::milliseconds timeout{0};  ///< 0: none
  std::chrono::milliseconds stall{0};    ///< without progress for this long: stalled; 0: the scheduler's own limit
  bool fail_on_stall = false;            ///< ends it then; otherwise that is only told
};

struct StageSpec {
  Text id;
  Text use;  ///< "lowbit.gptq", "lowbit.${quantizer}"
  /// The stage exists at the points that agree with one of these; everywhere when empty.
  std::vector<AxisValues> when;
  std::vector<NamedBinding> with;
  std::vector<Param> params;
  /// By plugin id or by its last part: {gptq: {actorder: static}}.
  std::vector<std::pair<Text, std::vector<Param>>> params_for;
  Resources resources;
  RetryPolicy retry;
  std::vector<Gate> gates;
};

struct ExperimentSpec {
  std::string name;
  std::vector<std::uint64_t> seeds{0};
  std::vector<Axis> axes;  ///< with all their values, those of `include` too
  /// The points are those of all grids, less what `excludes` describes, and those of `included`. No grid stands for
  /// the one of every combination of the axes.
  std::vector<Grid> grids;
  std::vector<AxisValues> excludes;
  std::vector<Grid> included;
  std::vector<ExternalInput> inputs;
  std::vector<StageSpec> stages;
  SourceSpan span;
};

}  // namespace lowbit
