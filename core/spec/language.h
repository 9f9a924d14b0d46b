// The keys of the experiment language, one table for the reader, for --set paths and for the JSON Schema that editors
// use (spec/schema.h); and those of tables and figures files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/words.h"

namespace lowbit::spec {

/// The kinds of mapping in an experiment file, then those of a tables file and of a figures file.
enum class Place {
  experiment,
  fragment,  ///< a file that is imported
  matrix,
  zipped,
  branch,  ///< of `union`
  defaults,
  exclusion,
  inclusion,
  condition,
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
  profiles,
  profile,
  profile_stages,
  profile_stage,
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
  table_published,  ///< `published` of a table
  published,        ///< of a column or a row
  figures_file,
  figures,
  line_figure,
  radar_figure,
  bars_figure,
  curves_figure,
  heat_figure,
  figure_row,
  line_x,
  line_y,
  radar_axis,
  bar_part,
  curve,
  heat_x,
  heat_color,
};

/// What numbers may be.
struct Range {
  std::uint64_t min;
  std::uint64_t max;
};
inline constexpr Range kReplicates{1, 100'000};
inline constexpr Range kCpus{1, 4096};
inline constexpr Range kGpus{0, 1024};
inline constexpr Range kAttempts{1, 100};
inline constexpr Range kPerMinute{1, 1'000'000};
inline constexpr Range kMinMembers{1, 4'294'967'295};

struct Key {
  std::string_view name;
  Place below;  ///< of its value, or of the elements when its value is a list
  bool required = false;
  std::string_view doc = {};  ///< for editors
  std::string schema = {};    ///< draft-07 of its value, as JSON; empty: a mapping as `below` says
};

struct PlaceRules {
  std::string_view called;  ///< "a stage"
  std::vector<Key> keys;
  /// Names of the author's own stand here too (axes, inputs, ports, parameters), with this below them.
  bool own_names = false;
  Place below_own_names = Place::value;
  /// --set may add such a name: it cannot be a slip that changes nothing, because a plugin's schema is checked.
  bool set_may_add = false;
  std::string_view doc;      ///< for editors
  std::string own_schema;    ///< draft-07 of what stands under own names; empty: as `below_own_names` says
  std::string own_pattern;   ///< regular expression for own names; empty: any
  std::string_view further;  ///< JSON object: what the schema says beside keys and names
};

[[nodiscard]] const PlaceRules& rules_of(Place place);
/// Null when it is not one of the keys of `place`.
[[nodiscard]] const Key* find_key(Place place, std::string_view name);
[[nodiscard]] std::vector<std::string> key_names(Place place);

/// "a, b and c"
[[nodiscard]] std::string list_of(const std::vector<std::string>& words, std::string_view last = "and");

}  // namespace lowbit::spec
