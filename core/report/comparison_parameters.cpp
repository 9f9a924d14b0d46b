#include "report/comparison_parameters.h"

#include <algorithm>
#include <map>
#include <set>

namespace lowbit::report {
namespace {

using ByName = std::map<std::string, std::vector<Json>>;

/// Sets the column's value, or "several" where it has another one already; members of an object one by one.
void set_value(ByName& parameters, const std::string& name, std::size_t column, std::size_t n_columns,
               const Json& value) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [part, of_part] : value.items()) {
      set_value(parameters, name + "." + part, column, n_columns, of_part.is_null() ? Json("null") : of_part);
    }
    return;
  }
  std::vector<Json>& values = parameters[name];
  values.resize(n_columns);
  Json& known = values[column];
  known = known.is_null() || known == value ? value : Json("several");
}

class Upstream {
 public:
  Upstream(const StudyRecipes& recipes, const StudyResults& study, std::size_t n_columns)
      : recipes_(recipes), study_(study), n_columns_(n_columns) {}

  /// `variant` and all that feeds it. The seeds of a column are made alike: one of them is enough.
  void add(std::size_t variant, std::size_t column) {
    if (column != column_) seen_.clear();
    column_ = column;
    if (!seen_.insert(variant).second) return;
    const std::string& stage = study_.variants[variant].stage;
    const Json& record = recipes_[variant].record;
    set_value(parameters_, stage + ".use", column, n_columns_, plugin_text(record));
    for (const auto& [name, value] : member(record, "params").items()) {
      set_value(parameters_, stage + "." + name, column, n_columns_, value.is_null() ? Json("null") : value);
    }
    for (const RecipeInput& input : recipes_[variant].inputs) {
      if (input.maker) add(*input.maker, column);
    }
  }

  [[nodiscard]] ByName& parameters() { return parameters_; }

 private:
  const StudyRecipes& recipes_;
  const StudyResults& study_;
  std::size_t n_columns_;
  std::size_t column_ = 0;
  std::set<std::size_t> seen_;
  ByName parameters_;
};

std::vector<ComparedParameter> axes_of(const SectionVariants& section) {
  std::vector<ComparedParameter> axes;
  for (std::size_t c = 0; c < section.columns.size(); ++c) {
    for (const auto& [name, value] : section.columns[c].axes.items()) {
      auto axis =
          std::find_if(axes.begin(), axes.end(), [&, &wanted = name](const auto& one) { return one.name == wanted; });
      if (axis == axes.end()) axis = axes.insert(axes.end(), {name, std::vector<Json>(section.columns.size())});
      axis->values[c] = value;
    }
  }
  return axes;
}

}  // namespace

bool differs(const ComparedParameter& parameter) {
  const bool absence_counts = parameter.name.find('.') == std::string::npos || parameter.name.ends_with(".use");
  const Json* first = nullptr;
  for (const Json& value : parameter.values) {
    if (value.is_null() && !absence_counts) continue;
    if (first == nullptr) first = &value;
    if (*first != value) return true;
  }
  return false;
}

std::vector<ComparedParameter> parameters_of(const SectionVariants& section, const StudyRecipes& recipes,
                                             const StudyResults& study) {
  std::vector<ComparedParameter> all = axes_of(section);
  const std::size_t n_axes = all.size();
  Upstream upstream(recipes, study, section.columns.size());
  for (std::size_t c = 0; c < section.columns.size(); ++c) {
    for (const auto& [stage, seeds] : section.columns[c].by_stage) upstream.add(seeds.front(), c);
  }
  for (auto& [name, values] : upstream.parameters()) {
    const auto repeats = [&, &found = values](const ComparedParameter& axis) { return axis.values == found; };
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(n_axes);
    if (std::none_of(all.begin(), end, repeats)) all.push_back({name, std::move(values)});
  }
  return all;
}

}  // namespace lowbit::report
