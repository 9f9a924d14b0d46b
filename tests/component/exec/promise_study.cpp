#include "component/exec/promise_study.h"

#include <algorithm>
#include <array>
#include <functional>

#include "graph/expand.h"
#include "spec/experiment_reader.h"

namespace lowbit::test {
namespace {

constexpr std::size_t kMostVariants = 24;
constexpr std::array kAxes{"a", "b"};
constexpr std::array kPlugins{"toy.make", "toy.draw"};  // the second is seeded

std::string id_of(const Json& stage) { return stage["id"].get<std::string>(); }

Json draw_axis_values(Draw& draw) {
  Json values = Json::array();
  const std::size_t first = draw.below(3);
  for (std::size_t i = 0; i < 1 + draw.below(3); ++i) values.push_back(first + i);
  return values;
}

/// Sources that a stage may name: inputs, and the stages before it.
std::vector<std::string> sources_before(const Json& experiment, std::size_t stage) {
  std::vector<std::string> sources;
  for (const auto& [name, input] : experiment["inputs"].items()) sources.push_back("inputs." + name);
  for (std::size_t i = 0; i < stage; ++i) sources.push_back(id_of(experiment["stages"][i]) + ".out");
  return sources;
}

Json draw_binding(Draw& draw, const std::vector<std::string>& sources, bool many) {
  if (!many) {
    if (draw.chance(80)) return draw.of(sources);
    return {{"first", {draw.of(sources), draw.of(sources)}}};
  }
  Json gathered{{"each", draw.of(sources)}, {"over", {kAxes[draw.below(kAxes.size())]}}};
  if (draw.chance(30)) gathered["over"].push_back("seed");
  if (draw.chance(30)) gathered["require"] = {{"min", 1}};
  return gathered;
}

Json draw_inputs(Draw& draw, const Json& experiment, std::size_t stage) {
  const std::vector<std::string> sources = sources_before(experiment, stage);
  Json with = Json::object();
  // The nearer ones more often: a chain is more interesting than a bush.
  with["in"] = stage > 0 && draw.chance(60) ? Json(sources.back()) : draw_binding(draw, sources, false);
  if (draw.chance(30)) with["alt"] = draw_binding(draw, sources, false);
  if (draw.chance(30)) with["many"] = draw_binding(draw, sources, true);
  return with;
}

Json draw_gate(Draw& draw) { return {{{"metric", "x/score"}, {"max", 3 + draw.below(7)}}}; }

Json draw_stage(Draw& draw, const Json& experiment, std::size_t number) {
  Json stage{{"id", "s" + std::to_string(number)}, {"use", kPlugins[draw.chance(25) ? 1 : 0]}};
  stage["with"] = draw_inputs(draw, experiment, experiment["stages"].size());
  stage["params"] = {{"p", draw.below(4)}};
  if (draw.chance(40)) stage["params"]["p"] = std::string("${") + kAxes[draw.below(kAxes.size())] + "}";
  if (draw.chance(20)) stage["params"]["coarse"] = true;
  if (draw.chance(15)) stage["when"] = {{kAxes[draw.below(kAxes.size())], draw.below(4)}};
  if (draw.chance(15)) stage["gates"] = draw_gate(draw);
  if (draw.chance(30)) stage["retry"] = {{"attempts", 2}, {"on", {"transient", "preempted"}}};
  return stage;
}

Study draw_any(Draw& draw) {
  Study study;
  for (const char* plugin : kPlugins) study.versions[plugin] = 1;
  Json& e = study.experiment;
  e = {{"experiment", "e"}, {"seeds", Json::array({0})}, {"stages", Json::array()}};
  if (draw.chance(40)) e["seeds"].push_back(1);
  for (const char* axis : kAxes) e["matrix"][axis] = draw_axis_values(draw);
  e["inputs"] = {{"x", {{"type", "file"}, {"path", "x.txt"}}}, {"y", {{"type", "file"}, {"path", "y-${a}.txt"}}}};
  for (const char* file : {"x.txt", "y-0.txt", "y-1.txt", "y-2.txt", "y-3.txt", "y-4.txt", "y-5.txt"}) {
    study.files[file] = std::string(file) + "\n";
  }
  const std::size_t stages = 1 + draw.below(5);
  for (std::size_t i = 0; i < stages; ++i) e["stages"].push_back(draw_stage(draw, e, i));
  return study;
}

/// Every text that names the stage.
void rename_stage(Json& experiment, const std::string& from, const std::string& to) {
  const std::function<void(Json&)> walk = [&](Json& value) {
    if (value.is_structured()) {
      for (Json& part : value) walk(part);
    } else if (value == from + ".out") {
      value = to + ".out";
    }
  };
  for (Json& stage : experiment["stages"]) {
    if (stage["id"] == from) stage["id"] = to;
    walk(stage["with"]);
  }
}

using Edit = std::string (*)(Study&, Draw&);

Json& any_stage(Study& study, Draw& draw) {
  Json& stages = study.experiment["stages"];
  return stages[draw.below(stages.size())];
}

std::string change_parameter(Study& study, Draw& draw) {
  Json& stage = any_stage(study, draw);
  stage["params"]["p"] = draw.below(4);
  return "parameter of " + id_of(stage);
}

std::string change_comment(Study& study, Draw& draw) {
  Json& stage = any_stage(study, draw);
  stage["params"]["comment"] = std::to_string(draw.below(3));
  return "comment of " + id_of(stage);
}

std::string change_axis(Study& study, Draw& draw) {
  const char* axis = kAxes[draw.below(kAxes.size())];
  study.experiment["matrix"][axis] = draw_axis_values(draw);
  return "values of " + std::string(axis);
}

std::string change_exclusion(Study& study, Draw& draw) {
  Json& matrix = study.experiment["matrix"];
  if (matrix.erase("exclude") == 0) {
    matrix["exclude"] = {
        {{"a", draw.of(matrix["a"].get<std::vector<Json>>())}, {"b", draw.of(matrix["b"].get<std::vector<Json>>())}}};
  }
  return "exclude";
}

std::string change_name(Study& study, Draw& draw) {
  const std::string id = id_of(any_stage(study, draw));
  rename_stage(study.experiment, id, id + "n");
  return id + " is " + id + "n now";
}

std::string change_file(Study& study, Draw& draw) {
  auto file = study.files.begin();
  std::advance(file, static_cast<std::ptrdiff_t>(draw.below(3)));
  file->second = std::to_string(draw.below(3)) + "\n";
  return "file " + file->first;
}

std::string change_version(Study& study, Draw& draw) {
  const char* plugin = kPlugins[draw.below(kPlugins.size())];
  ++study.versions[plugin];
  return "version of " + std::string(plugin);
}

std::string change_build(Study& study, Draw& /*draw*/) {
  ++study.build;
  return "files of the plugins";
}

std::string change_stages(Study& study, Draw& draw) {
  Json& stages = study.experiment["stages"];
  if (stages.size() > 1 && draw.chance(40)) {
    const std::size_t index = draw.below(stages.size());
    const std::string id = id_of(stages[index]);
    stages.erase(index);
    return "without " + id;
  }
  stages.push_back(draw_stage(draw, study.experiment, 10 + draw.below(90)));
  return "with " + id_of(stages.back());
}

std::string change_inputs(Study& study, Draw& draw) {
  Json& stages = study.experiment["stages"];
  const std::size_t index = draw.below(stages.size());
  stages[index]["with"] = draw_inputs(draw, study.experiment, index);
  return "inputs of " + id_of(stages[index]);
}

std::string change_gate(Study& study, Draw& draw) {
  Json& stage = any_stage(study, draw);
  if (stage.erase("gates") == 0 || draw.chance(50)) stage["gates"] = draw_gate(draw);
  return "gate of " + id_of(stage);
}

std::string change_seeds(Study& study, Draw& draw) {
  study.experiment["seeds"] = draw.chance(50) ? Json::array({0}) : Json::array({0, 1 + draw.below(2)});
  return "seeds";
}

std::string change_condition(Study& study, Draw& draw) {
  Json& stage = any_stage(study, draw);
  if (stage.erase("when") == 0) stage["when"] = {{kAxes[draw.below(kAxes.size())], draw.below(3)}};
  return "condition of " + id_of(stage);
}

std::string change_resources(Study& study, Draw& draw) {
  Json& stage = any_stage(study, draw);
  stage["resources"] = {{"cpus", 1 + draw.below(2)}};
  return "cpus of " + id_of(stage);
}

constexpr std::array<Edit, 16> kEdits{change_parameter, change_parameter, change_comment, change_axis,
                                      change_axis,      change_exclusion, change_name,    change_file,
                                      change_file,      change_version,   change_build,   change_stages,
                                      change_inputs,    change_gate,      change_seeds,   change_condition};

}  // namespace

std::string Study::catalog() const {
  const auto version = [&](const char* plugin) { return " " + std::to_string(versions.at(plugin)) + ".0.0: "; };
  const std::string ports = "in?:file alt?:file many?*:file -> out:file extra?:file";
  const std::string params =
      "\n  {\"p\": {\"type\": \"integer\", \"default\": 0}, \"coarse\": {\"type\": \"boolean\", \"default\": false}, "
      "\"comment\": {\"type\": \"string\", \"default\": \"\", \"affects_result\": false}}\n";
  return "toy.make" + version("toy.make") + ports + params + "toy.draw" + version("toy.draw") + ports + "; seeded" +
         params;
}

std::optional<Expanded> expand(const Study& study) {
  const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", study.experiment.dump(1)});
  const auto spec = spec::read_experiment(source);
  if (!spec.ok()) return std::nullopt;
  Expanded expanded{.catalog = std::make_unique<ToyCatalog>(study.catalog()), .graph = {}};
  auto graph = graph::expand(*spec, *expanded.catalog);
  if (!graph.ok() || graph->variants.empty() || graph->variants.size() > kMostVariants) return std::nullopt;
  expanded.graph = *std::move(graph);
  return expanded;
}

Study draw_study(std::uint64_t seed) {
  Draw draw(seed);
  while (true) {
    Study study = draw_any(draw);
    if (expand(study)) return study;
  }
}

std::string edit_study(Study& study, const std::vector<Study>& earlier, std::uint64_t seed) {
  Draw draw(seed);
  if (!earlier.empty() && draw.chance(20)) {
    study = draw.of(earlier);
    return "back to an earlier file";
  }
  for (int tries = 0; tries < 20; ++tries) {
    Study changed = study;
    std::string what =
        draw.chance(6) ? change_resources(changed, draw) : kEdits[draw.below(kEdits.size())](changed, draw);
    if (!expand(changed)) continue;
    study = std::move(changed);
    return what;
  }
  return "nothing";
}

std::vector<Study> smaller_studies(const Study& study) {
  std::vector<Study> smaller;
  const auto offer = [&](const Study& one) {
    if (expand(one)) smaller.push_back(one);
  };
  const Json& e = study.experiment;
  for (std::size_t i = 0; i < e["stages"].size(); ++i) {
    Study without = study;
    without.experiment["stages"].erase(i);
    offer(without);
    for (const auto& [key, value] : e["stages"][i].items()) {
      if (key == "id" || key == "use") continue;
      without = study;
      without.experiment["stages"][i].erase(key);
      offer(without);
    }
    const Json with = e["stages"][i].value("with", Json::object());
    for (const auto& [port, value] : with.items()) {
      without = study;
      without.experiment["stages"][i]["with"].erase(port);
      offer(without);
    }
  }
  for (const char* axis : kAxes) {
    if (e["matrix"][axis].size() < 2) continue;
    Study without = study;
    without.experiment["matrix"][axis].erase(e["matrix"][axis].size() - 1);
    offer(without);
  }
  if (e["seeds"].size() > 1) {
    Study without = study;
    without.experiment["seeds"] = Json::array({0});
    offer(without);
  }
  return smaller;
}

}  // namespace lowbit::test
