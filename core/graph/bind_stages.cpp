#include "graph/bind_stages.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "base/check.h"
#include "base/words.h"
#include "graph/bind_params.h"
#include "graph/templates.h"

namespace lowbit::graph {
namespace {

constexpr std::size_t kPluginsListed = 12;

std::vector<std::string> port_names(const std::vector<PortDescription>& ports) {
  std::vector<std::string> names(ports.size());
  std::transform(ports.begin(), ports.end(), names.begin(), [](const PortDescription& port) { return port.name; });
  return names;
}

/// `what` and the names there are, with the nearest one as help.
Diagnostic no_such(std::string code, std::string what, const SourceSpan& span, const std::string& word,
                   const std::string& kind, const std::vector<std::string>& names) {
  Diagnostic problem = error(std::move(code), std::move(what)).at(span);
  problem.note(names.empty() ? "there are no " + kind : "known " + kind + ": " + joined(names));
  const std::string near = nearest(word, names);
  if (!near.empty()) {
    problem.fix("a similar name exists: " + ticked(near));
  } else {
    problem.fix(names.empty() ? "remove it" : "use one of the known " + kind + ", or remove it");
  }
  return problem;
}

class StageBinder {
 public:
  StageBinder(const ExperimentSpec& spec, const StageCatalog& catalog, const Matrix& matrix, MissingPlugin missing,
              Problems& problems, std::vector<std::string>& notes)
      : spec_(spec), catalog_(catalog), matrix_(matrix), problems_(problems), notes_(notes) {
    out_.missing = missing;
  }

  BoundExperiment bind() {
    for (const ExternalInput& input : spec_.inputs) {
      out_.external_axes.push_back(axes_in(input.path.value, matrix_));
    }
    for (const StageSpec& stage : spec_.stages) out_.stages.push_back(find_plugins(stage));
    report_missing();
    for (BoundStage& stage : out_.stages) {
      for (const NamedBinding& written : stage.written->with) stage.bindings.push_back(read_binding(written));
      check_port_names(stage);
      check_param_names(stage);
      for (StagePlugin& plugin : stage.plugins) {
        plugin.id = out_.n_plugins++;
        bind_inputs(stage, plugin);
        choose_params(stage, plugin);
        plugin.axes = stage.use_axes | plugin.params_axes;
        if (plugin.description->seeded) plugin.axes |= only(matrix_.seed_axis());
      }
    }
    return std::move(out_);
  }

 private:
  // The axis value where that alone decides what `text` says, else the text.
  [[nodiscard]] SourceSpan place_of(const Text& text, AxisSet axes, Point point) const {
    for (AxisIndex axis = 0; axis < matrix_.axis_count(); ++axis) {
      if (axes == only(axis) && matrix_.value(point, axis).span) return matrix_.value(point, axis).span;
    }
    return text.span;
  }

  BoundStage find_plugins(const StageSpec& written) {
    BoundStage stage;
    stage.written = &written;
    stage.when = Condition(matrix_, written.when);
    stage.use_axes = axes_in(written.use.value, matrix_);
    for (const Point point : matrix_.representatives(stage.use_axes)) {
      const std::string id = substitute_text(written.use.value, matrix_, point);
      const StageDescription* description = catalog_.find(id);
      if (description == nullptr) {
        note_missing(id, written, place_of(written.use, stage.use_axes, point));
        continue;
      }
      auto plugin = std::find_if(stage.plugins.begin(), stage.plugins.end(),
                                 [&](const StagePlugin& known) { return known.description == description; });
      if (plugin == stage.plugins.end()) {
        plugin = stage.plugins.emplace(plugin);
        plugin->description = description;
      }
      stage.plugin_number.emplace(matrix_.project(point, stage.use_axes),
                                  static_cast<std::size_t>(plugin - stage.plugins.begin()));
    }
    return stage;
  }

  /// A plugin that is not there, and the stages that name it.
  struct Missing {
    std::string id;
    SourceSpan span;  ///< where the first of them does
    std::vector<std::string> stages;
  };

  void note_missing(const std::string& id, const StageSpec& stage, const SourceSpan& span) {
    const auto known = std::find_if(missing_.begin(), missing_.end(), [&](const Missing& one) { return one.id == id; });
    Missing& missing = known == missing_.end() ? missing_.emplace_back(Missing{id, span, {}}) : *known;
    const std::string name = ticked(stage.id.value);
    if (missing.stages.empty() || missing.stages.back() != name) missing.stages.push_back(name);
  }

  void report_missing() {
    const std::vector<std::string> known = catalog_.ids();
    for (const Missing& missing : missing_) {
      const std::string stages = (missing.stages.size() == 1 ? "stage " : "stages ") + joined(missing.stages);
      if (out_.missing == MissingPlugin::left_out) {
        notes_.push_back("no plugin offers " + ticked(missing.id) + ": " + stages +
                         " left out there, with what needs it");
        continue;
      }
      const std::string near = nearest(missing.id, known);
      std::string there = "`lowbit plugins` lists the " + std::to_string(known.size()) + " that are known";
      if (known.size() <= kPluginsListed)
        there = known.empty() ? "there are no plugins" : "known plugins: " + joined(known);
      problems_.add(error("LB2001", "no plugin offers " + ticked(missing.id))
                        .at(missing.span, "wanted by " + stages)
                        .note(std::move(there))
                        .fix((near.empty() ? "name a known plugin" : "a similar name exists: " + ticked(near)) +
                             "; --skip-missing leaves out what needs this one"));
    }
  }

  [[nodiscard]] bool every_plugin_known(const BoundStage& stage) const {
    return stage.plugin_number.size() == matrix_.representatives(stage.use_axes).size();
  }

  StageBinding read_binding(const NamedBinding& written) {
    StageBinding binding;
    binding.written = &written;
    for (const auto& pin : written.binding.at) {
      const AxisIndex axis = matrix_.axis(pin.first.value);
      binding.pinned |= only(axis);
      binding.pins.emplace_back(axis, matrix_.value_number(axis, pin.second.value));
    }
    for (const Text& name : written.binding.over) binding.over |= only(matrix_.axis(name.value));
    LB_CHECK((binding.over & binding.pinned) == 0);
    for (const Text& text : written.binding.sources) binding.sources.push_back(read_source(text, binding));
    return binding;
  }

  BoundSource read_source(const Text& text, StageBinding& binding) {
    BoundSource source;
    source.text = &text;
    source.axes = axes_in(text.value, matrix_);
    for (const Point point : matrix_.representatives(source.axes)) {
      const std::string name = substitute_text(text.value, matrix_, point);
      if (const auto ref = find_source(name, place_of(text, source.axes, point))) {
        source.named.emplace(matrix_.project(point, source.axes), *ref);
      } else {
        binding.broken = true;
      }
    }
    return source;
  }

  std::optional<SourceRef> find_source(const std::string& name, const SourceSpan& span) {
    const std::size_t dot = name.find('.');
    const std::string owner = name.substr(0, dot);
    const std::string port = dot == std::string::npos ? "" : name.substr(dot + 1);
    std::vector<std::string> names;
    if (owner == "inputs" && dot != std::string::npos) {
      for (std::size_t i = 0; i < spec_.inputs.size(); ++i) {
        if (spec_.inputs[i].name.value == port) return SourceRef{SourceRef::Kind::external, i, {}};
        names.push_back("inputs." + spec_.inputs[i].name.value);
      }
      problems_.add(no_such("LB2010", "the experiment has no input " + ticked(port), span, name, "inputs", names));
      return std::nullopt;
    }
    for (std::size_t i = 0; i < out_.stages.size(); ++i) {
      if (spec_.stages[i].id.value == owner && dot != std::string::npos) return find_output(i, port, span);
      names.push_back(spec_.stages[i].id.value);
    }
    Diagnostic problem =
        no_such("LB2010", ticked(name) + " names no output of a stage and no input", span, owner, "stages", names);
    if (dot == std::string::npos) problem.label = "expected `STAGE.PORT` or `inputs.NAME`";
    problems_.add(std::move(problem));
    return std::nullopt;
  }

  std::optional<SourceRef> find_output(std::size_t index, const std::string& port, const SourceSpan& span) {
    const BoundStage& stage = out_.stages[index];
    std::vector<std::string> plugins;
    std::vector<std::string> names;
    for (const StagePlugin& plugin : stage.plugins) {
      if (plugin.description->output(port) != nullptr) return SourceRef{SourceRef::Kind::stage, index, port};
      plugins.push_back(ticked(plugin.description->id));
      for (const std::string& name : port_names(plugin.description->outputs)) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    if (!every_plugin_known(stage) && out_.missing == MissingPlugin::left_out) {
      return SourceRef{SourceRef::Kind::stage, index, port};  // of the plugin that is not there
    }
    if (every_plugin_known(stage)) {
      problems_.add(no_such(
          "LB2011",
          "stage " + ticked(stage.written->id.value) + " (" + joined(plugins) + ") has no output " + ticked(port), span,
          port, "outputs", names));
    }
    return std::nullopt;
  }

  // False when every plugin lacks it; where only some do, it is dropped there, with a note.
  template <class Lacks>
  [[nodiscard]] bool note_where_absent(const BoundStage& stage, const std::string& what, const Lacks& lacks) {
    std::vector<std::string> lacking;
    for (const StagePlugin& plugin : stage.plugins) {
      if (lacks(*plugin.description)) lacking.push_back(plugin.description->id);
    }
    if (lacking.size() == stage.plugins.size()) return false;
    for (const std::string& id : lacking) {
      notes_.push_back("stage " + ticked(stage.written->id.value) + ": " + id + " has no " + what + "; dropped there");
    }
    return true;
  }

  [[nodiscard]] static std::string lack_text(const BoundStage& stage, const std::string& what) {
    std::vector<std::string> ids;
    for (const StagePlugin& plugin : stage.plugins) ids.push_back(ticked(plugin.description->id));
    return ids.size() == 1 ? ids.front() + " has no " + what : "none of " + joined(ids) + " has the " + what;
  }

  void check_port_names(BoundStage& stage) {
    if (!every_plugin_known(stage)) return;
    for (StageBinding& binding : stage.bindings) {
      const std::string& port = binding.written->port.value;
      if (note_where_absent(stage, "input " + ticked(port),
                            [&](const StageDescription& plugin) { return plugin.input(port) == nullptr; })) {
        continue;
      }
      std::set<std::string> names;
      for (const StagePlugin& plugin : stage.plugins) {
        for (const std::string& name : port_names(plugin.description->inputs)) names.insert(name);
      }
      problems_.add(no_such("LB2002", lack_text(stage, "input " + ticked(port)), binding.written->port.span, port,
                            "inputs", {names.begin(), names.end()}));
      binding.broken = true;
    }
  }

  void check_param_names(BoundStage& stage) {
    if (!every_plugin_known(stage)) return;
    for (const Param& param : stage.written->params) {
      const std::string& name = param.name.value;
      if (note_where_absent(stage, "parameter " + ticked(name),
                            [&](const StageDescription& plugin) { return !has_param(plugin, name); })) {
        continue;
      }
      std::set<std::string> names;
      for (const StagePlugin& plugin : stage.plugins) {
        for (const std::string& known : param_names(*plugin.description)) names.insert(known);
      }
      problems_.add(no_such("LB2004", lack_text(stage, "parameter " + ticked(name)), param.name.span, name,
                            "parameters", {names.begin(), names.end()}));
    }
    for (const auto& [key, params] : stage.written->params_for) {
      std::vector<std::string> ids;
      bool known = false;
      for (const StagePlugin& plugin : stage.plugins) {
        ids.push_back(plugin.description->id);
        known = known || is_for(key.value, *plugin.description);
      }
      if (!known) {
        problems_.add(no_such("LB2007",
                              "`params_for` names " + ticked(key.value) + ", which stage " +
                                  ticked(stage.written->id.value) + " never uses",
                              key.span, key.value, "plugins", ids));
      }
    }
  }

  // A key of `params_for`: a plugin's id or its last part.
  [[nodiscard]] static bool is_for(std::string_view key, const StageDescription& plugin) {
    const std::string_view id = plugin.id;
    return key == id || key == id.substr(id.rfind('.') + 1);
  }

  void bind_inputs(const BoundStage& stage, StagePlugin& plugin) {
    for (const PortDescription& port : plugin.description->inputs) {
      const auto it = std::find_if(stage.bindings.begin(), stage.bindings.end(), [&](const StageBinding& binding) {
        return binding.written->port.value == port.name;
      });
      if (it != stage.bindings.end()) {
        if (it->gathered() && !port.many) report_not_many(port, *it, plugin);
        plugin.inputs.push_back({&port, &*it, out_.n_inputs++});
      } else if (!port.optional) {
        Diagnostic problem =
            error("LB2003", "input " + ticked(port.name) + " of " + ticked(plugin.description->id) + " is not bound");
        problem.at(stage.written->use.span, "needs " + ticked(port.name) + ": " + joined(port.types, " or "));
        if (!port.doc.empty()) problem.note(port.name + ": " + port.doc);
        problems_.add(problem.fix("add `" + port.name + ": STAGE.PORT` or `" + port.name + ": inputs.NAME` to `with`"));
        plugin.broken = true;
      }
    }
  }

  void report_not_many(const PortDescription& port, const StageBinding& binding, StagePlugin& plugin) {
    std::vector<std::string> many;
    for (const PortDescription& other : plugin.description->inputs) {
      if (other.many) many.push_back(other.name);
    }
    problems_.add(error("LB2009", "input " + ticked(port.name) + " of " + ticked(plugin.description->id) +
                                      " takes one artifact, not a gathered set")
                      .at(binding.written->binding.span, "expected one source, found `each`")
                      .note(many.empty() ? "no input of this plugin takes a gathered set"
                                         : "inputs that take a gathered set: " + joined(many))
                      .fix("bind `STAGE.PORT` and leave the axes to the stage"));
    plugin.broken = true;
  }

  void choose_params(const BoundStage& stage, StagePlugin& plugin) {
    std::vector<const Param*>& chosen = plugin.params;
    for (const Param& param : stage.written->params) {
      if (has_param(*plugin.description, param.name.value)) chosen.push_back(&param);
    }
    for (const auto& [key, params] : stage.written->params_for) {
      if (!is_for(key.value, *plugin.description)) continue;
      for (const Param& param : params) {
        const auto same = std::find_if(chosen.begin(), chosen.end(),
                                       [&](const Param* known) { return known->name.value == param.name.value; });
        if (same != chosen.end()) {
          *same = &param;
        } else {
          chosen.push_back(&param);
        }
      }
    }
    for (const Param* param : chosen) plugin.params_axes |= axes_in(param->value.value, matrix_);
  }

  const ExperimentSpec& spec_;
  const StageCatalog& catalog_;
  const Matrix& matrix_;
  Problems& problems_;
  std::vector<std::string>& notes_;
  std::vector<Missing> missing_;  ///< in file order
  BoundExperiment out_;
};

}  // namespace

const StagePlugin* BoundStage::plugin_at(const Matrix& matrix, Point point) const {
  const auto it = plugin_number.find(matrix.project(point, use_axes));
  return it == plugin_number.end() ? nullptr : &plugins[it->second];
}

BoundExperiment bind_stages(const ExperimentSpec& spec, const StageCatalog& catalog, const Matrix& matrix,
                            MissingPlugin missing, Problems& problems, std::vector<std::string>& notes) {
  return StageBinder(spec, catalog, matrix, missing, problems, notes).bind();
}

}  // namespace lowbit::graph
