#include "spec/language.h"

#include <algorithm>

#include "base/check.h"

namespace lowbit::spec {
namespace {

struct Row {
  Place place;
  PlaceRules rules;
};

std::string whole(Range range) {
  return R"({"type":"integer","minimum":)" + std::to_string(range.min) + R"(,"maximum":)" + std::to_string(range.max) +
         "}";
}

std::string list_schema(const std::string& items, std::string_view further = R"("uniqueItems":true)") {
  std::string text = R"({"type":"array","minItems":1,"items":)" + items;
  if (!further.empty()) text.append(",").append(further);
  return text + "}";
}

std::string any_of(const std::string& one, const std::string& other) {
  return R"({"anyOf":[)" + one + "," + other + "]}";
}

std::string ref(std::string_view definition) {
  return std::string(R"({"$ref":"#/definitions/)").append(definition).append("\"}");
}

const std::vector<Row>& table() {
  const std::string identifier = "[A-Za-z][A-Za-z0-9_-]*$";
  const std::string name = ref("name");
  const std::string scalar = ref("scalar");
  const std::string reference = ref("reference");
  const std::string some_values = any_of(scalar, list_schema(scalar));
  const std::string file = R"({"type":"string","minLength":1})";
  const std::string size = R"({"type":"string","pattern":"^[0-9]+([KMGT]i?)?B$"})";
  const std::string duration = R"({"type":"string","pattern":"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$","minLength":2})";
  const std::string entries_of = R"({"type":"array","items":)";
  static const std::vector<Row> rows{
      {Place::experiment,
       {.called = "an experiment",
        .keys = {{"experiment", Place::value, true, "The name results are kept under.", name},
                 {"extends", Place::value, false, "A file that this one changes: its keys are laid over that file's.",
                  file},
                 {"import", Place::value, false, "Files whose inputs, stages and profiles are added to this one's.",
                  any_of(file, list_schema(file))},
                 {"seeds", Place::value, false, "Every seeded stage exists once for each of them. Default: [0].",
                  list_schema(R"({"type":"integer","minimum":0})")},
                 {"replicates", Place::value, false, "`replicates: 3` is short for `seeds: [0, 1, 2]`.",
                  whole(kReplicates)},
                 {"matrix", Place::matrix, false,
                  "Axes and their values; every combination is a point. `${axis}` in a text stands for the value.", ""},
                 {"inputs", Place::inputs, false, "Files and directories from outside, reached as `inputs.name`.", ""},
                 {"stages", Place::stage, true, "What is done. The order does not matter.",
                  list_schema(ref("stage"), "")},
                 {"profiles", Place::profiles, false,
                  "Settings of machines, chosen with --profile; they never change what a result is known by.", ""}},
        .further = R"({"not":{"required":["seeds","replicates"]}})"}},
      {Place::fragment,
       {.called = "an imported file",
        .keys = {{"import", Place::value, false, "", ""},
                 {"inputs", Place::inputs, false, "", ""},
                 {"stages", Place::stage, false, "", ""},
                 {"profiles", Place::profiles, false, "", ""}}}},
      {Place::matrix,
       {.called = "a matrix",
        .keys = {{"zip", Place::zipped, false, "Axes that advance together: lists of one length, or several groups.",
                  any_of(ref("zipped"), list_schema(ref("zipped"), ""))},
                 {"union", Place::branch, false, "Matrices whose points are put together.",
                  list_schema(ref("branch"), "")},
                 {"defaults", Place::defaults, false,
                  "The value of an axis where a branch of `union` or an entry of `include` does not name it.", ""},
                 {"include", Place::inclusion, false, "Further points, whatever `exclude` says.",
                  entries_of + ref("inclusion") + "}"},
                 {"exclude", Place::exclusion, false,
                  "A point is left out when it agrees with every axis of one of these entries.",
                  entries_of + ref("exclusion") + "}"}},
        .own_names = true,
        .own_schema = list_schema(scalar),
        .own_pattern = "^(?!(seed|zip|union|defaults|include|exclude)$)" + identifier}},
      {Place::zipped,
       {.called = "a group of `zip`",
        .keys = {},
        .own_names = true,
        .doc = "Axes that advance together.",
        .own_schema = list_schema(scalar, ""),
        .further = R"({"minProperties":1})"}},
      {Place::branch,
       {.called = "a branch of `union`",
        .keys = {{"zip", Place::zipped, false, "Axes of this branch that advance together.",
                  any_of(ref("zipped"), list_schema(ref("zipped"), ""))},
                 {"exclude", Place::exclusion, false, "Points of this branch that are left out.",
                  entries_of + ref("exclusion") + "}"}},
        .own_names = true,
        .own_schema = list_schema(scalar),
        .own_pattern = "^(?!(seed|zip|exclude)$)" + identifier}},
      {Place::defaults, {.called = "`defaults`", .keys = {}, .own_names = true, .own_schema = scalar}},
      {Place::exclusion,
       {.called = "an entry of `exclude`",
        .keys = {},
        .own_names = true,
        .own_schema = some_values,
        .further = R"({"minProperties":1})"}},
      {Place::inclusion,
       {.called = "an entry of `include`",
        .keys = {},
        .own_names = true,
        .own_schema = some_values,
        .further = R"({"minProperties":1})"}},
      {Place::condition,
       {.called = "a condition of `when`",
        .keys = {},
        .own_names = true,
        .own_schema = some_values,
        .further = R"({"minProperties":1})"}},
      {Place::inputs,
       {.called = "the inputs",
        .keys = {},
        .own_names = true,
        .below_own_names = Place::input,
        .own_pattern = "^" + identifier}},
      {Place::input,
       {.called = "an input",
        .keys = {{"type", Place::value, true, "`file`, or the type of an artifact like `model/1`.",
                  R"({"type":"string","pattern":"^(file|[A-Za-z][A-Za-z0-9_-]*/[0-9]+)$"})"},
                 {"path", Place::value, true, "Relative to the directory of this file.", file}}}},
      {Place::stage,
       {.called = "a stage",
        .keys = {{"id", Place::value, true, "The stage's name.",
                  R"({"allOf":[{"$ref":"#/definitions/name"},{"not":{"enum":["inputs"]}}]})"},
                 {"use", Place::value, true, "The plugin: `lowbit.gptq`, `lowbit.${quantizer}`.", reference},
                 {"when", Place::condition, false, "The stage exists only at points that agree with one of these.",
                  any_of(ref("condition"), list_schema(ref("condition"), ""))},
                 {"with", Place::with, false, "What each input port of the plugin is bound to.", ""},
                 {"params", Place::params, false, "Parameters of the plugin; `lowbit plugins` shows them.", ""},
                 {"params_for", Place::params_for, false,
                  "Parameters for one of the plugins that `use` may stand for: by its id or the last part of it.", ""},
                 {"resources", Place::resources, false, "What it may use of the machine.", ""},
                 {"retry", Place::retry, false, "When a failed attempt is repeated.", ""},
                 {"gates", Place::gate, false,
                  "What final metrics must keep to; of a result that does not, nothing is made.",
                  list_schema(ref("gate"), "")}}}},
      {Place::with,
       {.called = "`with`",
        .keys = {},
        .own_names = true,
        .below_own_names = Place::binding,
        .own_schema = any_of(reference, ref("binding")),
        .own_pattern = "^" + identifier}},
      {Place::binding,
       {.called = "a binding",
        .keys = {{"from", Place::value, false, "One source.", reference},
                 {"first", Place::value, false, "The first of these that exists at a point.",
                  list_schema(reference, "")},
                 {"each", Place::value, false, "All members of one source.", reference},
                 {"over", Place::value, false, "The axes whose members are gathered.", list_schema(name)},
                 {"at", Place::pins, false, "Pins axes for this binding only.", ""},
                 {"require", Place::requirement, false, "How many members must exist.",
                  R"({"oneOf":[{"enum":["all"]},{"$ref":"#/definitions/requirement"}]})"}},
        .further =
            R"({"oneOf":[{"required":["from"],"not":{"anyOf":[{"required":["over"]},{"required":["require"]}]}},)"
            R"({"required":["first"],"not":{"anyOf":[{"required":["over"]},{"required":["require"]},{"required":["at"]}]}},)"
            R"({"required":["each","over"]}]})"}},
      {Place::pins, {.called = "`at`", .keys = {}, .own_names = true, .own_schema = scalar}},
      {Place::requirement,
       {.called = "`require`", .keys = {{"min", Place::value, true, "So many, at least.", whole(kMinMembers)}}}},
      {Place::params_for, {.called = "`params_for`", .keys = {}, .own_names = true, .below_own_names = Place::params}},
      {Place::params,
       {.called = "`params`",
        .keys = {},
        .own_names = true,
        .set_may_add = true,
        .doc = "Parameters of the plugin; `lowbit plugins` shows them.",
        .own_schema = "true"}},
      {Place::resources,
       {.called = "`resources`",
        .keys = {{"cpus", Place::value, false, "Threads. Default: 1.", whole(kCpus)},
                 {"gpus", Place::value, false, "Whole GPUs, or a share of one below 1. Default: 0.",
                  any_of(whole(kGpus), R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1})")},
                 {"gpu_memory", Place::value, false, "On each GPU: 10GiB.", size},
                 {"memory", Place::value, false, "24GiB, 512MiB, 2GB.", size},
                 {"rate", Place::rates, false, "Requests a minute, by the name of an endpoint: {openai: 60}.", ""},
                 {"timeout", Place::value, false, "2h, 30m, 90s, 1h30m.", duration},
                 {"stall", Place::value, false, "Without progress for this long, the stage is told to have stalled.",
                  duration},
                 {"on_stall", Place::value, false, "What to do with a stage that has stalled. Default: warn.",
                  R"({"enum":["warn","fail"]})"}},
        .doc = "Settings of the machine; they never change a result's key."}},
      {Place::rates,
       {.called = "`rate`", .keys = {}, .own_names = true, .set_may_add = true, .own_schema = whole(kPerMinute)}},
      {Place::retry,
       {.called = "`retry`",
        .keys = {{"attempts", Place::value, true, "In all, the first included.", whole(kAttempts)},
                 {"on", Place::value, true, "The causes of failure after which another attempt makes sense.",
                  list_schema(R"({"enum":["resource","preempted","transient"]})")}}}},
      {Place::gate,
       {.called = "a gate",
        .keys = {{"metric", Place::value, true, "weights/nmse", R"({"type":"string","minLength":1})"},
                 {"min", Place::value, false, "", R"({"type":"number"})"},
                 {"max", Place::value, false, "", R"({"type":"number"})"},
                 {"holds", Place::value, false,
                  "Stages that this one is made from: nothing else is made from them before this gate holds.",
                  list_schema(R"({"type":"string","minLength":1})")}},
        .further = R"({"anyOf":[{"required":["min"]},{"required":["max"]}]})"}},
      {Place::profiles, {.called = "`profiles`", .keys = {}, .own_names = true, .below_own_names = Place::profile}},
      {Place::profile,
       {.called = "a profile",
        .keys = {{"resources", Place::resources, false, "For every stage.", ""},
                 {"retry", Place::retry, false, "For every stage.", ""},
                 {"stages", Place::profile_stages, false, "For single stages, by their ids.", ""}}}},
      {Place::profile_stages,
       {.called = "the stages of a profile", .keys = {}, .own_names = true, .below_own_names = Place::profile_stage}},
      {Place::profile_stage,
       {.called = "a stage of a profile",
        .keys = {{"resources", Place::resources, false, "", ""}, {"retry", Place::retry, false, "", ""}}}},
      {Place::value, {.called = "a value", .keys = {}, .own_names = true, .set_may_add = true}},
      {Place::tables_file,
       {.called = "a tables file", .keys = {{"experiment", Place::value, true}, {"tables", Place::tables, true}}}},
      {Place::tables, {.called = "`tables`", .keys = {}, .own_names = true, .below_own_names = Place::table}},
      {Place::table,
       {.called = "a table",
        .keys = {{"title", Place::value},
                 {"columns", Place::column, true},
                 {"rows", Place::row, true},
                 {"comparisons", Place::comparison},
                 {"notes", Place::value},
                 {"best", Place::value},
                 {"intervals", Place::value},
                 {"published", Place::table_published},
                 {"outputs", Place::value}}}},
      {Place::column,
       {.called = "a column",
        .keys = {{"label", Place::value, true},
                 {"value", Place::metric_of},
                 {"sum", Place::metric_of},
                 {"mean", Place::metric_of},
                 {"list", Place::metric_of},
                 {"share", Place::metric_of},
                 {"accuracy", Place::accuracy},
                 {"delta", Place::delta},
                 {"percent", Place::value},
                 {"unit", Place::value},
                 {"digits", Place::value},
                 {"group", Place::value},
                 {"best", Place::value},
                 {"published", Place::published}}}},
      {Place::metric_of,
       {.called = "a metric of a column", .keys = {{"of", Place::value, true}, {"metric", Place::value, true}}}},
      {Place::accuracy, {.called = "`accuracy`", .keys = {{"of", Place::value, true}}}},
      {Place::delta, {.called = "`delta`", .keys = {{"of", Place::value, true}, {"to", Place::value, true}}}},
      {Place::row,
       {.called = "a row",
        .keys = {{"id", Place::value, true},
                 {"label", Place::value},
                 {"stages", Place::row_stages, true},
                 {"at", Place::pins},
                 {"given", Place::row_given},
                 {"group", Place::value},
                 {"reference", Place::value},
                 {"published", Place::published}}}},
      {Place::row_stages, {.called = "`stages`", .keys = {}, .own_names = true}},
      {Place::row_given, {.called = "`given`", .keys = {}, .own_names = true}},
      {Place::comparison,
       {.called = "a comparison",
        .keys = {{"label", Place::value},
                 {"of", Place::value, true},
                 {"a", Place::value, true},
                 {"b", Place::value, true}}}},
      {Place::table_published,
       {.called = "`published` of a table",
        .keys = {{"file", Place::value}, {"table", Place::value}, {"row", Place::value}, {"column", Place::value}}}},
      {Place::published,
       {.called = "`published`", .keys = {{"table", Place::value}, {"row", Place::value}, {"column", Place::value}}}},
      {Place::figures_file,
       {.called = "a figures file", .keys = {{"experiment", Place::value, true}, {"figures", Place::figures, true}}}},
      {Place::figures, {.called = "`figures`", .keys = {}, .own_names = true}},
      {Place::line_figure,
       {.called = "a line figure",
        .keys = {{"kind", Place::value, true},
                 {"title", Place::value},
                 {"x", Place::line_x, true},
                 {"y", Place::line_y, true},
                 {"rows", Place::figure_row, true},
                 {"baseline", Place::value},
                 {"front", Place::value},
                 {"join", Place::value},
                 {"notes", Place::value}}}},
      {Place::radar_figure,
       {.called = "a radar figure",
        .keys = {{"kind", Place::value, true},
                 {"title", Place::value},
                 {"axes", Place::radar_axis, true},
                 {"rows", Place::figure_row, true},
                 {"baseline", Place::value, true},
                 {"range", Place::value},
                 {"notes", Place::value}}}},
      {Place::bars_figure,
       {.called = "a bars figure",
        .keys = {{"kind", Place::value, true},
                 {"title", Place::value},
                 {"parts", Place::bar_part, true},
                 {"rows", Place::figure_row, true},
                 {"notes", Place::value}}}},
      {Place::curves_figure,
       {.called = "a curves figure",
        .keys = {{"kind", Place::value, true},
                 {"title", Place::value},
                 {"curves", Place::curve, true},
                 {"rows", Place::figure_row, true},
                 {"smooth", Place::value},
                 {"x_label", Place::value},
                 {"notes", Place::value}}}},
      {Place::heat_figure,
       {.called = "a heat figure",
        .keys = {{"kind", Place::value, true},
                 {"title", Place::value},
                 {"x", Place::heat_x},
                 {"color", Place::heat_color, true},
                 {"rows", Place::figure_row, true},
                 {"notes", Place::value}}}},
      {Place::figure_row,
       {.called = "a row of a figure",
        .keys = {{"id", Place::value, true},
                 {"label", Place::value},
                 {"stages", Place::row_stages, true},
                 {"at", Place::pins},
                 {"by", Place::value},
                 {"over", Place::value}}}},
      {Place::line_x,
       {.called = "`x` of a line figure",
        .keys = {{"axis", Place::value},
                 {"value", Place::metric_of},
                 {"label", Place::value},
                 {"scale", Place::value},
                 {"unit", Place::value}}}},
      {Place::line_y,
       {.called = "`y` of a line figure",
        .keys = {{"label", Place::value, true},
                 {"value", Place::metric_of},
                 {"sum", Place::metric_of},
                 {"mean", Place::metric_of},
                 {"share", Place::metric_of},
                 {"accuracy", Place::accuracy},
                 {"percent", Place::value},
                 {"unit", Place::value},
                 {"scale", Place::value}}}},
      {Place::radar_axis,
       {.called = "an axis of a radar",
        .keys = {{"label", Place::value, true},
                 {"value", Place::metric_of},
                 {"share", Place::metric_of},
                 {"accuracy", Place::accuracy},
                 {"better", Place::value}}}},
      {Place::bar_part,
       {.called = "a part of bars",
        .keys = {{"label", Place::value, true}, {"value", Place::metric_of}, {"sum", Place::metric_of}}}},
      {Place::curve,
       {.called = "a curve",
        .keys = {{"label", Place::value},
                 {"of", Place::value, true},
                 {"metric", Place::value, true},
                 {"scale", Place::value}}}},
      {Place::heat_x, {.called = "`x` of a heat figure", .keys = {{"axis", Place::value}, {"label", Place::value}}}},
      {Place::heat_color,
       {.called = "`color`",
        .keys = {{"label", Place::value, true},
                 {"value", Place::metric_of},
                 {"share", Place::metric_of},
                 {"accuracy", Place::accuracy},
                 {"curve", Place::metric_of},
                 {"percent", Place::value},
                 {"digits", Place::value},
                 {"scale", Place::value}}}},
  };
  return rows;
}

}  // namespace

const PlaceRules& rules_of(Place place) {
  const auto row = std::find_if(table().begin(), table().end(), [&](const Row& r) { return r.place == place; });
  LB_CHECK(row != table().end());
  return row->rules;
}

const Key* find_key(Place place, std::string_view name) {
  const std::vector<Key>& keys = rules_of(place).keys;
  const auto key = std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; });
  return key == keys.end() ? nullptr : &*key;
}

std::vector<std::string> key_names(Place place) {
  std::vector<std::string> names;
  for (const Key& key : rules_of(place).keys) names.emplace_back(key.name);
  return names;
}

std::string list_of(const std::vector<std::string>& words, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && i + 1 == words.size()) {
      text.append(" ").append(last).append(" ");
    } else if (i > 0) {
      text += ", ";
    }
    text += words[i];
  }
  return text;
}

}  // namespace lowbit::spec
