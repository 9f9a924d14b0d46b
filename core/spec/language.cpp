#include "spec/language.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace lowbit::spec {
namespace {

struct Row {
  Place place;
  PlaceRules rules;
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows{
      {Place::experiment,
       {.called = "an experiment",
        .keys = {{"experiment", Place::value, true},
                 {"seeds", Place::value},
                 {"replicates", Place::value},
                 {"matrix", Place::matrix},
                 {"inputs", Place::inputs},
                 {"stages", Place::stage, true}}}},
      {Place::matrix, {.called = "a matrix", .keys = {{"exclude", Place::exclusion}}, .own_names = true}},
      {Place::exclusion, {.called = "an entry of `exclude`", .keys = {}, .own_names = true}},
      {Place::inputs, {.called = "the inputs", .keys = {}, .own_names = true, .below_own_names = Place::input}},
      {Place::input, {.called = "an input", .keys = {{"type", Place::value, true}, {"path", Place::value, true}}}},
      {Place::stage,
       {.called = "a stage",
        .keys = {{"id", Place::value, true},
                 {"use", Place::value, true},
                 {"with", Place::with},
                 {"params", Place::params},
                 {"params_for", Place::params_for},
                 {"resources", Place::resources},
                 {"retry", Place::retry},
                 {"gates", Place::gate}}}},
      {Place::with, {.called = "`with`", .keys = {}, .own_names = true, .below_own_names = Place::binding}},
      {Place::binding,
       {.called = "a binding",
        .keys = {{"from", Place::value},
                 {"first", Place::value},
                 {"each", Place::value},
                 {"over", Place::value},
                 {"at", Place::pins},
                 {"require", Place::requirement}}}},
      {Place::pins, {.called = "`at`", .keys = {}, .own_names = true}},
      {Place::requirement, {.called = "`require`", .keys = {{"min", Place::value, true}}}},
      {Place::params_for, {.called = "`params_for`", .keys = {}, .own_names = true, .below_own_names = Place::params}},
      {Place::params, {.called = "`params`", .keys = {}, .own_names = true, .set_may_add = true}},
      {Place::resources,
       {.called = "`resources`",
        .keys = {{"cpus", Place::value},
                 {"gpus", Place::value},
                 {"gpu_memory", Place::value},
                 {"memory", Place::value},
                 {"rate", Place::rates},
                 {"timeout", Place::value},
                 {"stall", Place::value},
                 {"on_stall", Place::value}}}},
      {Place::rates, {.called = "`rate`", .keys = {}, .own_names = true, .set_may_add = true}},
      {Place::retry, {.called = "`retry`", .keys = {{"attempts", Place::value, true}, {"on", Place::value, true}}}},
      {Place::gate,
       {.called = "a gate", .keys = {{"metric", Place::value, true}, {"min", Place::value}, {"max", Place::value}}}},
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
                 {"notes", Place::value}}}},
      {Place::column,
       {.called = "a column",
        .keys = {{"label", Place::value, true},
                 {"value", Place::metric_of},
                 {"sum", Place::metric_of},
                 {"list", Place::metric_of},
                 {"share", Place::metric_of},
                 {"accuracy", Place::accuracy},
                 {"delta", Place::delta},
                 {"percent", Place::value},
                 {"unit", Place::value},
                 {"digits", Place::value}}}},
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
                 {"given", Place::row_given}}}},
      {Place::row_stages, {.called = "`stages`", .keys = {}, .own_names = true}},
      {Place::row_given, {.called = "`given`", .keys = {}, .own_names = true}},
      {Place::comparison,
       {.called = "a comparison",
        .keys = {{"label", Place::value},
                 {"of", Place::value, true},
                 {"a", Place::value, true},
                 {"b", Place::value, true}}}},
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

bool is_not_yet_supported(Place place, std::string_view name) {
  static constexpr std::array<std::string_view, 7> kLater{"zip",     "union",  "include", "when",
                                                          "extends", "import", "profiles"};
  static constexpr std::array<std::string_view, 3> kLaterInMatrix{"zip", "union", "include"};
  if (place == Place::matrix)
    return std::find(kLaterInMatrix.begin(), kLaterInMatrix.end(), name) != kLaterInMatrix.end();
  return (place == Place::experiment || place == Place::stage) &&
         std::find(kLater.begin(), kLater.end(), name) != kLater.end();
}

std::string ticked(std::string_view word) {
  std::string text("`");
  text.append(word).append("`");
  return text;
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
