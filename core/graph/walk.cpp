#include "graph/walk.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/words.h"
#include "graph/bind_params.h"
#include "graph/templates.h"

namespace lowbit::graph {
namespace {

/// A stage at a point: the number of a draft, or one of these.
using Slot = std::int32_t;
constexpr Slot kExists = 0;  // and above
constexpr Slot kUnvisited = -1;
constexpr Slot kVisiting = -2;
constexpr Slot kAbsent = -3;
constexpr Slot kBroken = -4;   // a problem was reported
constexpr Slot kPending = -5;  // waits for slots that are not visited yet
constexpr Slot kMissing = -6;  // left out: no plugin offers it, or something that it needs

constexpr Point kNoGroup = std::numeric_limits<Point>::max();  // of points where nothing can be gathered

/// What a binding leads to at a point.
struct Found {
  const StageInput* input = nullptr;
  Slot state = kAbsent;  ///< kExists, kAbsent, kBroken, kMissing or kPending
  AxisSet axes = 0;      ///< what it contributes to its stage
  std::vector<DraftMember> members;
  Point group = 0;  ///< gathered: the first of the points that are gathered
};

/// What the members of a gathered binding had, over all points.
struct Gathered {
  AxisSet axes = 0;
  bool any = false;
  bool incomplete = false;  ///< some are broken or missing
};

class Walker {
 public:
  Walker(const ExperimentSpec& spec, const BoundExperiment& bound, const Matrix& matrix, Problems& problems)
      : spec_(spec),
        bound_(bound),
        matrix_(matrix),
        problems_(problems),
        slots_(bound.stages.size(), std::vector<Slot>(matrix.size(), kUnvisited)),
        numbers_(bound.stages.size()),
        params_(bound.n_plugins),
        gathers_(bound.n_inputs) {
    out_.externals.resize(spec.inputs.size());
  }

  Walk walk() {
    for (std::size_t stage = 0; stage < bound_.stages.size(); ++stage) {
      for (Point point = 0; point < matrix_.size(); ++point) visit(stage, point);
    }
    check_gathered_axes();
    return std::move(out_);
  }

 private:
  struct Visit {
    std::size_t stage = 0;
    Point point = 0;
    std::vector<std::pair<std::size_t, Point>> needed = {};  ///< to be visited before it is looked at again
    std::size_t n_begun = 0;                                 ///< of `needed`
  };

  // A stack of its own: a chain of stages may be as long as a file.
  void visit(std::size_t stage, Point point) {
    begin(stage, point);
    while (!path_.empty()) {
      Visit& last = path_.back();
      if (last.n_begun < last.needed.size()) {
        const auto [needed, at] = last.needed[last.n_begun++];
        begin(needed, at);
        continue;
      }
      needed_.clear();
      const Slot found = discover(last.stage, last.point);
      if (found == kPending) {
        last.needed = std::move(needed_);
        last.n_begun = 0;
      } else {
        slots_[last.stage][last.point] = found;
        path_.pop_back();
      }
    }
  }

  void begin(std::size_t stage, Point point) {
    Slot& slot = slots_[stage][point];
    if (slot != kUnvisited) return;
    slot = kVisiting;
    path_.push_back({stage, point});
  }

  // kPending, with what is to be visited first in `needed_`; then it is called again.
  Slot discover(std::size_t number, Point point) {
    const BoundStage& stage = bound_.stages[number];
    if (!stage.when.holds(matrix_, point)) return kAbsent;
    const StagePlugin* plugin = stage.plugin_at(matrix_, point);
    if (plugin == nullptr) return bound_.missing == MissingPlugin::left_out ? kMissing : kBroken;
    AxisSet axes = plugin->axes;
    bool broken = plugin->broken;
    bool absent = false;
    bool missing = false;
    std::vector<Found> chosen;
    chosen.reserve(plugin->inputs.size());  // `found` points into it
    std::vector<const Found*> found;
    for (const StageInput& input : plugin->inputs) {
      if (input.binding->broken) {
        broken = true;
      } else if (input.binding->gathered()) {
        found.push_back(&gather(*plugin, input, point));
      } else {
        found.push_back(&chosen.emplace_back(choose(*plugin, input, point)));
      }
    }
    for (const Found* one : found) {
      absent = absent || one->state == kAbsent;
      broken = broken || one->state == kBroken;
      missing = missing || one->state == kMissing;
      axes |= one->axes;
    }
    if (!needed_.empty()) return kPending;
    if (absent) return kAbsent;
    if (missing) return kMissing;
    broken = report_brought_back(stage, *plugin, found, axes) || broken;
    const Json* params = params_at(stage, *plugin, point);
    if (broken || params == nullptr) return kBroken;
    return draft({number, plugin, axes, point, {}, {}}, *params, found);
  }

  // The first of the sources that exists.
  Found choose(const StagePlugin& plugin, const StageInput& input, Point point) {
    if (const auto pinned = matrix_.pinned(point, input.binding->pins)) {
      for (const BoundSource& source : input.binding->sources) {
        Found found = look_up(plugin, input, source, *pinned);
        found.axes &= ~input.binding->pinned;
        if (found.state != kAbsent) return found;
      }
    }
    return Found{&input, kAbsent, 0, {}};
  }

  // Every point that agrees with `point` on all but the `over` axes and the pins. The same for all of them, so found
  // once.
  const Found& gather(const StagePlugin& plugin, const StageInput& input, Point point) {
    const StageBinding& binding = *input.binding;
    static const std::vector<Point> nothing;
    const std::vector<Point>* agreeing = matrix_.agreeing(point, binding.pins, all_axes() & ~binding.over);
    const std::vector<Point>& points = agreeing == nullptr ? nothing : *agreeing;
    const Point group = points.empty() ? kNoGroup : points.front();
    if (const auto known = gathers_[input.id].find(group); known != gathers_[input.id].end()) return known->second;

    Found all{&input, kAbsent, 0, {}, group};
    Gathered& seen = gathered_[&binding];
    std::set<std::pair<AxisSet, Point>> taken;
    bool pending = false;
    for (const Point at : points) {
      Found found = look_up(plugin, input, binding.sources.front(), at);
      pending = pending || found.state == kPending;
      if (found.state == kBroken || found.state == kMissing) {
        seen.incomplete = true;
        all.state = found.state;
      }
      if (found.state != kExists) continue;
      seen.any = true;
      seen.axes |= found.axes;
      if (all.state == kAbsent) all.state = kExists;
      all.axes |= found.axes & ~binding.over & ~binding.pinned;
      DraftMember& member = found.members.front();
      member.at_axes = found.axes & binding.over;
      member.at = matrix_.project(at, member.at_axes);
      if (taken.emplace(member.at_axes, member.at).second) all.members.push_back(member);
    }
    if (pending) {
      static const Found later{nullptr, kPending, 0, {}};
      return later;
    }
    return gathers_[input.id].emplace(group, std::move(all)).first->second;
  }

  [[nodiscard]] AxisSet all_axes() const {
    return matrix_.axis_count() == Matrix::kMaxAxes ? ~AxisSet{0} : only(matrix_.axis_count()) - 1;
  }

  // kPending for what has to be visited first.
  Slot state_of(std::size_t stage, Point point) {
    const Slot known = slots_[stage][point];
    if (known == kVisiting) {
      report_loop(stage, point);
      return kBroken;
    }
    if (known != kUnvisited) return known;
    needed_.emplace_back(stage, point);
    return kPending;
  }

  // What `source` names at a point. REQUIRES: the binding is not broken.
  Found look_up(const StagePlugin& plugin, const StageInput& input, const BoundSource& source, Point point) {
    const SourceRef& ref = source.named.at(matrix_.project(point, source.axes));
    Found found{&input, kExists, source.axes, {}};
    DraftMember member;
    std::vector<std::string> types;
    if (ref.kind == SourceRef::Kind::external) {
      member.external = &external_at(ref.index, point);
      found.axes |= bound_.external_axes[ref.index];
      types = {member.external->type};
    } else {
      const Slot slot = state_of(ref.index, point);
      if (slot < kExists) return Found{&input, slot, 0, {}};
      const Draft& producer = out_.drafts[static_cast<std::size_t>(slot)];
      const PortDescription* output = producer.plugin->description->output(ref.port);
      if (output == nullptr) return Found{&input, kAbsent, 0, {}};
      member.producer = static_cast<std::size_t>(slot);
      member.port = &ref.port;
      found.axes |= producer.axes;
      types = output->types;
    }
    if (std::none_of(types.begin(), types.end(), [&](const std::string& type) { return input.port->accepts(type); })) {
      report_type(plugin, input, source, types);
      return Found{&input, kBroken, 0, {}};
    }
    found.members.push_back(member);
    return found;
  }

  const External& external_at(std::size_t index, Point point) {
    const ExternalInput& input = spec_.inputs[index];
    const Point key = matrix_.project(point, bound_.external_axes[index]);
    auto& known = out_.externals[index];
    if (const auto it = known.find(key); it != known.end()) return it->second;
    External external{input.name.value, input.type.value, substitute_text(input.path.value, matrix_, point),
                      input.path.span};
    return known.emplace(key, std::move(external)).first->second;
  }

  // Null when they are not what the plugin takes (reported).
  const Json* params_at(const BoundStage& stage, const StagePlugin& plugin, Point point) {
    const Point key = matrix_.project(point, plugin.params_axes);
    const auto known = params_[plugin.id].find(key);
    if (known != params_[plugin.id].end()) return known->second ? &*known->second : nullptr;
    std::vector<GivenParam> given;
    for (const Param* param : plugin.params) {
      const AxisSet axes = axes_in(param->value.value, matrix_);
      given.push_back({param, substitute(param->value.value, matrix_, point), matrix_.coordinates(point, axes).text()});
    }
    Result<Json> bound = bind_params(*plugin.description, given, stage.written->use.span);
    std::optional<Json>& slot = params_[plugin.id][key];
    if (bound) {
      slot = *std::move(bound);
    } else {
      problems_.add(std::move(bound).error());
    }
    return slot ? &*slot : nullptr;
  }

  // A new draft, or the one that is already there for these coordinates.
  Slot draft(Draft made, const Json& params, const std::vector<const Found*>& inputs) {
    const auto key = std::pair(made.axes, matrix_.project(made.first_point, made.axes));
    const auto [it, is_new] = numbers_[made.stage].emplace(key, out_.drafts.size());
    if (is_new) {
      made.params = params;
      for (const Found* found : inputs) made.inputs.push_back({found->input, found->members, {found->group}});
      out_.drafts.push_back(std::move(made));
      return static_cast<Slot>(it->second);
    }
    Draft& known = out_.drafts[it->second];
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!merge(known, known.inputs[i], *inputs[i], made.first_point)) return kBroken;
    }
    known.first_point = std::min(known.first_point, made.first_point);
    return static_cast<Slot>(it->second);
  }

  // Two points that project on one variant may differ only in the members of gathered inputs: it has all of them.
  bool merge(const Draft& known, DraftInput& input, const Found& found, Point point) {
    const bool gathered = input.input->binding->gathered();
    if ((gathered && !input.groups.insert(found.group).second) || input.members == found.members) return true;
    for (const DraftMember& member : found.members) {
      const auto same = std::find_if(input.members.begin(), input.members.end(), [&](const DraftMember& other) {
        return other.at_axes == member.at_axes && other.at == member.at;
      });
      if (same == input.members.end()) {
        input.members.push_back(member);
      } else if (!(*same == member)) {
        report_two_inputs(known, *input.input, *same, point, member);
        return false;
      }
    }
    return true;
  }

  void check_gathered_axes() {
    for (const auto& [binding, seen] : gathered_) {
      if (seen.incomplete || !seen.any) continue;
      for (const Text& name : binding->written->binding.over) {
        const AxisIndex axis = matrix_.axis(name.value);
        if ((seen.axes & only(axis)) != 0) continue;
        const std::string there = matrix_.text(seen.axes);
        problems_.add(error("LB3003", ticked(binding->sources.front().text->value) + " has no axis " +
                                          ticked(name.value) + " to gather over")
                          .at(name.span, "not an axis of what is gathered")
                          .note(there.empty() ? "it has no axes" : "its axes are " + there)
                          .fix("remove " + ticked(name.value) + " from `over`"));
      }
    }
  }

  void report_type(const StagePlugin& plugin, const StageInput& input, const BoundSource& source,
                   const std::vector<std::string>& types) {
    Diagnostic problem = error("LB2008", "input " + ticked(input.port->name) + " of " + ticked(plugin.description->id) +
                                             " does not take " + joined(types, " or "));
    problem.at(source.text->span, "expected " + joined(input.port->types, " or ") + ", found " + joined(types, " or "));
    if (!input.port->doc.empty()) problem.note(input.port->name + ": " + input.port->doc);
    problems_.add(problem.fix("bind a source of a type that this input takes"));
  }

  bool report_brought_back(const BoundStage& stage, const StagePlugin& plugin, const std::vector<const Found*>& inputs,
                           AxisSet axes) {
    bool any = false;
    for (const Found* gathered : inputs) {
      if ((gathered->input->binding->over & axes) == 0) continue;
      any = true;
      for (const Text& name : gathered->input->binding->written->binding.over) {
        const AxisSet axis = only(matrix_.axis(name.value));
        if ((axes & axis) == 0) continue;
        problems_.add(error("LB3004", "stage " + ticked(stage.written->id.value) + " gathers axis " +
                                          ticked(name.value) + " in input " + ticked(gathered->input->port->name) +
                                          ", and " + source_of(axis, stage, plugin, inputs) + " brings it back")
                          .at(name.span, "gathered here")
                          .fix("gather it in both, pin it in the other with `at`, or remove it from `over`"));
      }
    }
    return any;
  }

  // What brings `axis` into the stage.
  [[nodiscard]] std::string source_of(AxisSet axis, const BoundStage& stage, const StagePlugin& plugin,
                                      const std::vector<const Found*>& inputs) const {
    for (const Found* found : inputs) {
      if ((found->axes & axis) != 0) return "input " + ticked(found->input->port->name);
    }
    for (const Param* param : plugin.params) {
      if ((axes_in(param->value.value, matrix_) & axis) != 0) {
        return "parameter " + ticked(param->name.value);
      }
    }
    return (stage.use_axes & axis) != 0 ? "its `use`" : "its seeded plugin " + ticked(plugin.description->id);
  }

  void report_two_inputs(const Draft& known, const StageInput& input, const DraftMember& one, Point point,
                         const DraftMember& other) {
    const auto line = [&](Point at, const DraftMember& member) {
      return std::string("at ").append(matrix_.coordinates(at, ~AxisSet{0}).text()).append(": ") + text_of(member);
    };
    problems_.add(
        error("LB3006", ticked(label_of(known)) + " would have two different inputs " + ticked(input.port->name))
            .at(input.binding->written->binding.span)
            .note(line(known.first_point, one))
            .note(line(point, other))
            .fix("let an axis that tells them apart into this stage: name it in a template of the stage"));
  }

  [[nodiscard]] std::string label_of(const Draft& draft) const {
    return stage_label(spec_.stages[draft.stage].id.value, matrix_.coordinates(draft.first_point, draft.axes));
  }

  [[nodiscard]] std::string text_of(const DraftMember& member) const {
    return member.external != nullptr ? "inputs." + member.external->name + " " + member.external->path
                                      : label_of(out_.drafts[member.producer]) + "." + *member.port;
  }

  // The axes of variants in a loop are not known; the templates of its stages name those that matter.
  void report_loop(std::size_t stage, Point point) {
    std::vector<std::pair<std::size_t, Point>> loop;
    for (const Visit& visit : path_) {
      if (!loop.empty() || (visit.stage == stage && visit.point == point)) loop.emplace_back(visit.stage, visit.point);
    }
    std::rotate(loop.begin(), std::min_element(loop.begin(), loop.end()), loop.end());
    AxisSet axes = 0;
    for (const auto& [number, at] : loop) {
      const StagePlugin& plugin = *bound_.stages[number].plugin_at(matrix_, at);
      axes |= plugin.axes;
      for (const StageInput& input : plugin.inputs) {
        for (const BoundSource& source : input.binding->sources) axes |= source.axes;
      }
    }
    std::vector<std::string> labels;
    std::vector<std::string> stages;
    for (const auto& [number, at] : loop) {
      stages.push_back(spec_.stages[number].id.value);
      labels.push_back(stage_label(stages.back(), matrix_.coordinates(at, axes)));
    }
    problems_.add(loop_problem(labels, stages, spec_.stages[loop.front().first].id.span));
  }

  struct HashKey {
    std::size_t operator()(const std::pair<AxisSet, Point>& key) const {
      return std::hash<AxisSet>()(key.first * 0x9E3779B97F4A7C15U ^ key.second);
    }
  };

  const ExperimentSpec& spec_;
  const BoundExperiment& bound_;
  const Matrix& matrix_;
  Problems& problems_;
  Walk out_;
  std::vector<std::vector<Slot>> slots_;                                                      // by stage, point
  std::vector<std::unordered_map<std::pair<AxisSet, Point>, std::size_t, HashKey>> numbers_;  // by stage
  std::vector<std::unordered_map<Point, std::optional<Json>>> params_;                        // by plugin, projection
  std::vector<std::unordered_map<Point, Found>> gathers_;                                     // by input, base point
  std::map<const StageBinding*, Gathered> gathered_;
  std::vector<Visit> path_;                            // being visited: each needs the one behind it
  std::vector<std::pair<std::size_t, Point>> needed_;  // by what is looked at now
};

}  // namespace

Walk walk(const ExperimentSpec& spec, const BoundExperiment& bound, const Matrix& matrix, Problems& problems) {
  return Walker(spec, bound, matrix, problems).walk();
}

Diagnostic loop_problem(const std::vector<std::string>& labels, const std::vector<std::string>& stages,
                        const SourceSpan& span) {
  std::set<std::string> names(stages.begin(), stages.end());
  std::vector<std::string> named(names.size());
  std::transform(names.begin(), names.end(), named.begin(), ticked);
  std::string loop;
  for (const std::string& label : labels) loop += label + " needs ";
  return error("LB3005", names.size() == 1 ? "stage " + named.front() + " waits for itself"
                                           : "stages " + joined(named) + " wait for each other")
      .at(span)
      .note(loop + labels.front())
      .fix("bind one of them to another source, or pin an axis of its binding with `at`");
}

}  // namespace lowbit::graph
