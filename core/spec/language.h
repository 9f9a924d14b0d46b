// The keys of the experiment language, one table for the reader, for --set paths and for the test that compares
// schemas/experiment.schema.json with it; and those of tables files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lowbit::spec {

/// The kinds of mapping in an experiment file, then those of a tables file.
enum class Place {
  experiment,
  matrix,
  exclusion,
  inputs,
  input,
  stage,
  with,
  binding,
  pins,
  requirement,
  params_for,
  params,
  resources,
  rates,
  retry,
  gate,
  value,  ///< a parameter's value, or what is no mapping at all
  tables_file,
  tables,
  table,
  column,
  metric_of,
  accuracy,
  delta,
  row,
  row_stages,
  row_given,
  comparison,
};

struct Key {
  std::string_view name;
  Place below;  ///< of its value, or of the elements when its value is a list
  bool required = false;
};

struct PlaceRules {
  std::string_view called;  ///< "a stage"
  std::vector<Key> keys;
  /// Names of the author's own stand here too (axes, inputs, ports, parameters), with this below them.
  bool own_names = false;
  Place below_own_names = Place::value;
  /// --set may add such a name: it cannot be a slip that changes nothing, because a plugin's schema is checked.
  bool set_may_add = false;
};

[[nodiscard]] const PlaceRules& rules_of(Place place);
/// Null when it is not one of the keys of `place`.
[[nodiscard]] const Key* find_key(Place place, std::string_view name);
[[nodiscard]] std::vector<std::string> key_names(Place place);

/// Keys of later versions (zip, include, when, ...): refused by name instead of as unknown.
[[nodiscard]] bool is_not_yet_supported(Place place, std::string_view name);

/// `word`
[[nodiscard]] std::string ticked(std::string_view word);
/// "a, b and c"
[[nodiscard]] std::string list_of(const std::vector<std::string>& words, std::string_view last = "and");

}  // namespace lowbit::spec
