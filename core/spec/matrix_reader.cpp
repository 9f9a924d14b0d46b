#include "spec/matrix_reader.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "domain/coordinates.h"
#include "spec/point_reader.h"

namespace lowbit::spec {
namespace {

/// Values of an axis by number: one and the same are 4 and 4.0, and 4 and "4".
class ValueSet {
 public:
  /// The number of the same value; none, and `value` has the next number from now on.
  std::optional<std::size_t> find_or_add(const Json& value) {
    const auto [text, is_new_text] = by_text_.emplace(scalar_text(value), size_);
    if (!is_new_text) return text->second;
    if (value.is_number()) {
      const auto [number, is_new] = by_number_.emplace(value.get<double>(), std::pair(size_, value));
      if (!is_new && number->second.second == value) return text->second = number->second.first;
    }
    ++size_;
    return std::nullopt;
  }

 private:
  std::size_t size_ = 0;
  std::unordered_map<std::string, std::size_t> by_text_;
  std::unordered_map<double, std::pair<std::size_t, Json>> by_number_;  // large integers can share a double
};

class MatrixReader {
 public:
  MatrixReader(ExperimentSpec& spec, KnownAxes& axes, Form& form) : spec_(spec), axes_(axes), form_(form) {}

  void read(const Node& node) {
    axes_.complete = false;  // until all of it has been read
    if (!form_.mapping(node, Place::matrix)) return;
    declare_axes(node);
    std::vector<AxisColumn> columns = read_columns(node);
    std::vector<Grid> branches;
    if (const Node* all = node.find("union"); all != nullptr && form_.list(*all, "`union`", "mappings")) {
      for (const Node& item : all->items) branches.push_back(read_branch(item));
    }
    if (const Node* defaults = node.find("defaults"); defaults != nullptr) read_defaults(*defaults);
    const std::vector<Axis> without_included = axes_.axes;
    const Node* include = node.find("include");
    if (include != nullptr) learn_included_values(*include);
    axes_.complete = complete_;

    for (Grid& branch : branches) read_exclusions(branch);
    if (const Node* exclude = node.find("exclude")) spec_.excludes = exclusions(*exclude);
    if (include != nullptr && complete_) read_inclusions(*include, columns, without_included);
    add_grids(columns, std::move(branches), node);
  }

 private:
  enum class Role { plain, zipped, united, default_only };

  struct Declared {
    Role role = Role::plain;
    SourceSpan span;
  };

  // ---- names -----------------------------------------------------------------------------------------------------

  // Axes count in the order of the file, whichever way they get their values.
  void declare_axes(const Node& node) {
    for (const Node::Entry& entry : node.entries) {
      const std::string& key = entry.key.value;
      if (key == "zip") {
        for (const Node* group : groups_of(entry.value)) declare_keys(*group, Role::zipped);
      } else if (key == "union") {
        for (const Node& branch : entry.value.items) declare_branch(branch);
      } else if (key == "defaults") {
        declare_keys(entry.value, Role::default_only);
      } else if (key != "include" && key != "exclude") {
        declare(entry.key, Role::plain);
      }
    }
  }

  void declare_branch(const Node& branch) {
    for (const Node::Entry& entry : branch.entries) {
      if (entry.key.value == "zip") {
        for (const Node* group : groups_of(entry.value)) declare_keys(*group, Role::united);
      } else if (entry.key.value != "exclude") {
        declare(entry.key, Role::united);
      }
    }
  }

  void declare_keys(const Node& mapping, Role role) {
    for (const Node::Entry& entry : mapping.entries) declare(entry.key, role);
  }

  static std::vector<const Node*> groups_of(const Node& zip) {
    std::vector<const Node*> groups;
    if (zip.kind == Node::Kind::mapping) groups.push_back(&zip);
    for (const Node& item : zip.items) groups.push_back(&item);
    return groups;
  }

  void declare(const Text& name, Role role) {
    if (name.value == "seed") {
      form_.report(error("LB1032", "`seed` cannot be the name of an axis")
                       .at(name.span, "reserved")
                       .note("every stage whose plugin is seeded already has the axis `seed`")
                       .fix("list the seeds at the top: `seeds: [0, 1, 2]`"));
      complete_ = false;
      return;
    }
    if (!form_.name(name, "the name of an axis")) {
      complete_ = false;
      return;
    }
    const auto known = declared_.find(name.value);
    if (known == declared_.end()) {
      declared_[name.value] = {role, name.span};
      axes_.axes.push_back({.name = name, .values = {}});
    } else if (role == Role::default_only) {
      return;
    } else if (known->second.role == Role::default_only) {
      known->second = {role, name.span};
    } else if (role != Role::united || known->second.role != Role::united) {
      form_.duplicate("axis " + ticked(name.value), known->second.span, name.span,
                      "an axis has its values in the matrix itself, in `zip` or in `union`");
      complete_ = false;
    }
  }

  [[nodiscard]] std::optional<std::size_t> index_of(const std::string& name) const {
    const auto it =
        std::find_if(axes_.axes.begin(), axes_.axes.end(), [&](const Axis& axis) { return axis.name.value == name; });
    if (it == axes_.axes.end()) return std::nullopt;
    return static_cast<std::size_t>(it - axes_.axes.begin());
  }

  // ---- values ----------------------------------------------------------------------------------------------------

  std::optional<Located<Json>> read_value(const Node& item, const std::string& axis) {
    auto value = form_.scalar(item, "a value of axis " + ticked(axis), "a single value");
    if (!value || !form_.no_template({item.text, item.span}, "the values of an axis")) return std::nullopt;
    return value;
  }

  // The number of `value` on the axis, which has it from now on. 4 and "4" would be one value in every text they are
  // put into.
  std::optional<std::size_t> number_of(std::size_t axis, Located<Json> value) {
    std::vector<Located<Json>>& values = axes_.axes[axis].values;
    const std::optional<std::size_t> same = known_[axis].find_or_add(value.value);
    if (!same) {
      values.push_back(std::move(value));
      return values.size() - 1;
    }
    if (canonical(values[*same].value) != canonical(value.value)) {
      report_twice(values[*same], value);
      return std::nullopt;
    }
    return same;
  }

  void report_twice(const Located<Json>& before, const Located<Json>& now) {
    const std::string one = canonical(now.value);
    const std::string other = canonical(before.value);
    form_.duplicate("value " + ticked(scalar_text(now.value)), before.span, now.span,
                    one == other ? "" : other + " and " + one + " are one value of an axis");
  }

  // The list of an axis, each value once where `distinct`; numbers of the values, or nothing where some were refused.
  std::optional<std::vector<std::size_t>> read_list(const Node::Entry& entry, bool distinct) {
    const std::optional<std::size_t> axis = index_of(entry.key.value);
    if (!form_.list(entry.value, "axis " + ticked(entry.key.value), "values") || !axis) return refused();
    std::vector<Located<Json>> seen;
    ValueSet known;
    std::vector<std::size_t> numbers;
    for (const Node& item : entry.value.items) {
      const auto value = read_value(item, entry.key.value);
      if (!value) continue;
      if (const auto same = known.find_or_add(value->value)) {
        if (distinct || canonical(seen[*same].value) != canonical(value->value)) {
          report_twice(seen[*same], *value);
          continue;
        }
      } else {
        seen.push_back(*value);
      }
      if (const auto number = number_of(*axis, *value)) numbers.push_back(*number);
    }
    if (numbers.size() != entry.value.items.size()) return refused();
    return numbers;
  }

  std::nullopt_t refused() {
    complete_ = false;
    return std::nullopt;
  }

  // ---- grids -----------------------------------------------------------------------------------------------------

  // The plain axes and the zipped ones of a matrix or of a branch of `union`.
  std::vector<AxisColumn> read_columns(const Node& node) {
    std::vector<AxisColumn> columns;
    const Node* zip = node.find("zip");
    for (const Node::Entry& entry : node.entries) {
      if (find_key(Place::matrix, entry.key.value) != nullptr) continue;
      const auto numbers = read_list(entry, true);
      if (!numbers) continue;
      AxisColumn& column = columns.emplace_back();
      column.axes = {*index_of(entry.key.value)};
      for (const std::size_t number : *numbers) column.rows.push_back({number});
    }
    if (zip == nullptr) return columns;
    if (zip->kind == Node::Kind::scalar || (zip->kind == Node::Kind::sequence && zip->items.empty())) {
      form_.wrong_type(*zip, "`zip`", "a mapping of axes, or a list of such mappings");
      complete_ = false;
    }
    for (const Node* group : groups_of(*zip)) {
      if (auto column = read_zip(*group)) columns.push_back(std::move(*column));
    }
    return columns;
  }

  std::optional<AxisColumn> read_zip(const Node& group) {
    if (!form_.mapping(group, Place::zipped)) return refused();
    AxisColumn column;
    const Node::Entry* first = nullptr;
    for (const Node::Entry& entry : group.entries) {
      const auto numbers = read_list(entry, false);
      if (!numbers) return refused();
      if (first == nullptr) {
        first = &entry;
        column.rows.resize(numbers->size());
      } else if (numbers->size() != column.rows.size()) {
        form_.report(error("LB1041", "zipped axes " + ticked(first->key.value) + " and " + ticked(entry.key.value) +
                                         " have different numbers of values")
                         .at(entry.value.span, "a list of " + std::to_string(numbers->size()))
                         .note(ticked(first->key.value) + " has " + std::to_string(column.rows.size()))
                         .fix("give each zipped axis as many values: they advance together"));
        return refused();
      }
      column.axes.push_back(*index_of(entry.key.value));
      for (std::size_t row = 0; row < numbers->size(); ++row) column.rows[row].push_back((*numbers)[row]);
    }
    if (column.axes.empty()) {
      form_.report(error("LB1024", "a group of `zip` is empty")
                       .at(group.span, "expected axes with their values")
                       .fix("name at least two axes, or remove it"));
      return refused();
    }
    return column;
  }

  Grid read_branch(const Node& node) {
    Grid grid;
    if (!form_.mapping(node, Place::branch)) {
      complete_ = false;
      return grid;
    }
    grid.columns = read_columns(node);
    branch_nodes_.push_back(&node);
    return grid;
  }

  void read_exclusions(Grid& branch) {
    const std::size_t number = n_branches_read_++;
    if (number >= branch_nodes_.size()) return;
    if (const Node* exclude = branch_nodes_[number]->find("exclude")) branch.excludes = exclusions(*exclude);
  }

  std::vector<AxisValues> exclusions(const Node& node) {
    std::vector<AxisValues> all;
    if (node.kind == Node::Kind::sequence && node.items.empty()) return all;
    if (!form_.list(node, "`exclude`", "mappings")) return all;
    for (const Node& item : node.items) {
      if (auto points = read_points(item, Place::exclusion, axes_, form_, false)) all.push_back(std::move(*points));
    }
    return all;
  }

  void read_defaults(const Node& node) {
    if (!form_.mapping(node, Place::defaults)) {
      complete_ = false;
      return;
    }
    for (const Node::Entry& entry : node.entries) {
      const std::optional<std::size_t> axis = index_of(entry.key.value);
      auto value = read_value(entry.value, entry.key.value);
      if (!axis || !value) {
        complete_ = false;
        continue;
      }
      if (const auto number = number_of(*axis, std::move(*value))) {
        defaults_[*axis] = *number;
      } else {
        complete_ = false;
      }
    }
  }

  [[nodiscard]] static bool names(const std::vector<AxisColumn>& columns, std::size_t axis) {
    return std::any_of(columns.begin(), columns.end(), [&](const AxisColumn& column) {
      return std::find(column.axes.begin(), column.axes.end(), axis) != column.axes.end();
    });
  }

  void add_grids(const std::vector<AxisColumn>& columns, std::vector<Grid> branches, const Node& node) {
    if (!complete_) return;
    const bool united = !branches.empty();
    if (!united) branches.emplace_back();
    for (std::size_t b = 0; b < branches.size(); ++b) {
      Grid& grid = branches[b];
      grid.columns.insert(grid.columns.begin(), columns.begin(), columns.end());
      for (std::size_t axis = 0; axis < axes_.axes.size(); ++axis) {
        if (names(grid.columns, axis)) continue;
        const auto value = defaults_.find(axis);
        if (value != defaults_.end()) {
          grid.columns.push_back({{axis}, {{value->second}}});
          continue;
        }
        const Node& place = united ? *branch_nodes_[b] : node;
        const std::string name = ticked(axes_.axes[axis].name.value);
        form_.report(error("LB1042", "this branch of `union` says nothing of axis " + name)
                         .at(place.span, "no value for " + name)
                         .note("another branch has it, at " + place_text(axes_.axes[axis].name.span))
                         .fix("name it here, or give it a value under `defaults`"));
        complete_ = false;
      }
    }
    if (complete_) spec_.grids = std::move(branches);
    axes_.complete = complete_;
  }

  // ---- include ---------------------------------------------------------------------------------------------------

  // An included point may have values of its own.
  void learn_included_values(const Node& include) {
    for (const Node& item : include.items) {
      for (const Node::Entry& entry : item.entries) {
        const std::optional<std::size_t> axis = index_of(entry.key.value);
        if (!axis) continue;
        const auto learn = [&](const Node& value) {
          if (value.kind != Node::Kind::scalar || value.missing()) return;  // reported when it is read
          if (auto read = read_value(value, entry.key.value); !read || !number_of(*axis, std::move(*read))) {
            complete_ = false;
          }
        };
        if (entry.value.kind == Node::Kind::sequence) {
          for (const Node& value : entry.value.items) learn(value);
        } else {
          learn(entry.value);
        }
      }
    }
  }

  void read_inclusions(const Node& node, const std::vector<AxisColumn>& columns, const std::vector<Axis>& known) {
    if (node.kind == Node::Kind::sequence && node.items.empty()) return;
    if (!form_.list(node, "`include`", "mappings")) return;
    for (const Node& item : node.items) {
      const auto points = read_points(item, Place::inclusion, axes_, form_, false);
      if (points) add_included(*points, item, columns, known);
    }
  }

  // An axis that the entry leaves out has its default, else every value that it has in the matrix.
  void add_included(const AxisValues& points, const Node& item, const std::vector<AxisColumn>& columns,
                    const std::vector<Axis>& known) {
    Grid grid;
    for (const auto& [name, values] : points) {
      const std::size_t axis = *index_of(name.value);
      AxisColumn& column = grid.columns.emplace_back();
      column.axes = {axis};
      for (const Located<Json>& value : values) column.rows.push_back({*number_of(axis, value)});
    }
    for (const auto& [axis, value] : defaults_) {
      if (!names(grid.columns, axis)) grid.columns.push_back({{axis}, {{value}}});
    }
    for (const AxisColumn& column : columns) {
      const auto named = [&](std::size_t axis) { return names(grid.columns, axis); };
      const auto n_named = std::count_if(column.axes.begin(), column.axes.end(), named);
      if (n_named == 0) {
        grid.columns.push_back(column);
      } else if (static_cast<std::size_t>(n_named) < column.axes.size()) {
        const auto missing = std::find_if_not(column.axes.begin(), column.axes.end(), named);
        const std::string name = ticked(axes_.axes[*missing].name.value);
        form_.report(error("LB1042", "this entry of `include` says nothing of axis " + name)
                         .at(item.span, "no value for " + name)
                         .note(name + " is zipped with an axis that the entry names")
                         .fix("name it here, or give it a value under `defaults`"));
        return;
      }
    }
    for (std::size_t axis = 0; axis < known.size(); ++axis) {
      if (names(grid.columns, axis)) continue;
      AxisColumn& column = grid.columns.emplace_back();
      column.axes = {axis};
      for (std::size_t number = 0; number < known[axis].values.size(); ++number) column.rows.push_back({number});
    }
    spec_.included.push_back(std::move(grid));
  }

  ExperimentSpec& spec_;
  KnownAxes& axes_;
  std::map<std::size_t, ValueSet> known_;  // by axis
  Form& form_;
  std::map<std::string, Declared> declared_;
  std::map<std::size_t, std::size_t> defaults_;  // axis -> number of its value
  std::vector<const Node*> branch_nodes_;
  std::size_t n_branches_read_ = 0;
  bool complete_ = true;
};

}  // namespace

void read_matrix(const Node& node, ExperimentSpec& spec, KnownAxes& axes, Form& form) {
  MatrixReader(spec, axes, form).read(node);
}

}  // namespace lowbit::spec
