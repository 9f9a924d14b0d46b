#include "unit/spec/spec_text.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace lowbit::test {
namespace {

class Writer {
 public:
  explicit Writer(std::string file) : file_(std::move(file)) {}

  std::string write(const ExperimentSpec& spec) {
    out_ << "experiment " << spec.name << "\nseeds";
    for (const std::uint64_t seed : spec.seeds) out_ << " " << seed;
    out_ << "\n";
    for (const Axis& axis : spec.axes) {
      out_ << "axis " << at(axis.name) << ":";
      for (const Located<Json>& value : axis.values) out_ << " " << at(value);
      out_ << "\n";
    }
    if (spec.grids.size() > 1 || has_zip(spec.grids)) {
      for (const Grid& grid : spec.grids) write("grid", grid, spec);
    }
    for (const AxisValues& exclusion : spec.excludes) write("exclude", exclusion);
    for (const Grid& grid : spec.included) write("include", grid, spec);
    for (const ExternalInput& input : spec.inputs) {
      out_ << "input " << at(input.name) << ": " << at(input.type) << " " << at(input.path) << "\n";
    }
    for (const StageSpec& stage : spec.stages) write(stage);
    return out_.str();
  }

 private:
  static bool has_zip(const std::vector<Grid>& grids) {
    return std::any_of(grids.begin(), grids.end(), [](const Grid& grid) {
      return std::any_of(grid.columns.begin(), grid.columns.end(),
                         [](const AxisColumn& column) { return column.axes.size() > 1; });
    });
  }

  void write(const char* what, const Grid& grid, const ExperimentSpec& spec) {
    out_ << what;
    for (const AxisColumn& column : grid.columns) {
      for (std::size_t i = 0; i < column.axes.size(); ++i) {
        const Axis& axis = spec.axes[column.axes[i]];
        out_ << (i == 0 ? " " : "+") << axis.name.value << ":";
        for (const auto& row : column.rows) out_ << " " << canonical(axis.values[row[i]].value);
      }
    }
    out_ << "\n";
    for (const AxisValues& exclusion : grid.excludes) write("  exclude", exclusion);
  }

  void write(const char* what, const AxisValues& points) {
    out_ << what;
    for (const auto& [axis, values] : points) {
      out_ << " " << at(axis) << ":";
      for (const Located<Json>& value : values) out_ << " " << at(value);
    }
    out_ << "\n";
  }

  void write(const StageSpec& stage) {
    out_ << "stage " << at(stage.id) << " use " << at(stage.use) << "\n";
    for (const AxisValues& condition : stage.when) write("  when", condition);
    for (const NamedBinding& bound : stage.with) write(bound);
    for (const Param& param : stage.params) out_ << "  param " << at(param.name) << " = " << at(param.value) << "\n";
    for (const auto& [plugin, params] : stage.params_for) {
      for (const Param& param : params) {
        out_ << "  param for " << at(plugin) << " " << at(param.name) << " = " << at(param.value) << "\n";
      }
    }
    const Resources& r = stage.resources;
    out_ << "  resources cpus " << r.cpus << " gpus " << r.milli_gpus / 1000.0 << " memory " << r.memory_bytes
         << " timeout " << r.timeout.count() << " ms\n";
    if (r.gpu_memory_bytes != 0) out_ << "  memory of each GPU " << r.gpu_memory_bytes << "\n";
    for (const auto& [name, per_minute] : r.rates) out_ << "  rate " << name << " " << per_minute << " a minute\n";
    if (r.stall.count() != 0) out_ << "  stalls after " << r.stall.count() << " ms\n";
    if (r.fail_on_stall) out_ << "  fails when it stalls\n";
    for (const Gate& gate : stage.gates) {
      out_ << "  gate " << gate.metric;
      if (gate.min) out_ << " min " << *gate.min;
      if (gate.max) out_ << " max " << *gate.max;
      for (const Text& held : gate.holds) out_ << " holds " << held.value;
      out_ << "\n";
    }
    static constexpr std::array kCauses{"resource", "preempted", "transient"};
    out_ << "  attempts " << stage.retry.attempts;
    for (const RetryCause cause : stage.retry.on) out_ << " " << kCauses.at(static_cast<std::size_t>(cause));
    out_ << "\n";
  }

  void write(const NamedBinding& bound) {
    static constexpr std::array kForms{"direct", "first", "each"};
    const Binding& binding = bound.binding;
    out_ << "  with " << at(bound.port) << ": " << kForms.at(static_cast<std::size_t>(binding.form));
    for (const Text& source : binding.sources) out_ << " " << at(source);
    for (const Text& axis : binding.over) out_ << " over " << at(axis);
    for (const auto& [axis, value] : binding.at) out_ << " at " << at(axis) << "=" << at(value);
    if (binding.min_members) out_ << " min " << *binding.min_members;
    out_ << "\n";
  }

  std::string at(const Text& text) const { return place(text.span) + text.value; }
  std::string at(const Located<Json>& value) const { return place(value.span) + canonical(value.value); }
  std::string place(const SourceSpan& span) const {
    if (!span) return "? ";
    const std::string source = span.source->name == file_ ? "" : span.source->name + ":";
    return "<" + source + std::to_string(span.line) + ":" + std::to_string(span.column) + "+" +
           std::to_string(span.length) + ">";
  }

  std::string file_;
  std::ostringstream out_;
};

}  // namespace

std::string spec_text(const ExperimentSpec& spec, const std::string& file) { return Writer(file).write(spec); }

}  // namespace lowbit::test
