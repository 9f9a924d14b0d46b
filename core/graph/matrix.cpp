#include "graph/matrix.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/words.h"

namespace lowbit::graph {
namespace {

constexpr std::uint64_t kMaxCodes = std::uint64_t{1} << 62U;

std::uint64_t product_up_to(std::uint64_t limit, std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > limit / b ? limit + 1 : a * b;
}

std::uint64_t points_of(const Grid& grid) {
  std::uint64_t n = 1;
  for (const AxisColumn& column : grid.columns) n = product_up_to(Matrix::kMaxPoints, n, column.rows.size());
  return n;
}

/// Every combination of all axes, for an experiment that names no grids.
Grid full_grid(const ExperimentSpec& spec) {
  Grid grid;
  for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
    AxisColumn& column = grid.columns.emplace_back();
    column.axes = {axis};
    for (std::size_t value = 0; value < spec.axes[axis].values.size(); ++value) column.rows.push_back({value});
  }
  return grid;
}

std::vector<bool> meant(const std::vector<Located<Json>>& values, const std::vector<Located<Json>>& named) {
  std::vector<bool> flags;
  flags.reserve(values.size());
  for (const Located<Json>& candidate : values) {
    flags.push_back(std::any_of(named.begin(), named.end(),
                                [&](const Located<Json>& value) { return value.value == candidate.value; }));
  }
  return flags;
}

}  // namespace

Result<Matrix> Matrix::build(const ExperimentSpec& spec) {
  Matrix matrix;
  for (const Axis& axis : spec.axes) matrix.axes_.push_back({axis.name.value, axis.values});
  MatrixAxis seed{"seed", {}};
  for (const std::uint64_t value : spec.seeds) seed.values.push_back({value, {}});
  matrix.axes_.push_back(std::move(seed));

  std::vector<Grid> grids = spec.grids;
  if (grids.empty()) grids.push_back(full_grid(spec));
  std::uint64_t n_points = 0;
  for (const Grid& grid : grids) n_points += points_of(grid);
  for (const Grid& grid : spec.included) n_points += points_of(grid);
  n_points = product_up_to(kMaxPoints, n_points, spec.seeds.size());
  std::uint64_t n_codes = 1;
  for (const MatrixAxis& axis : matrix.axes_) n_codes = product_up_to(kMaxCodes, n_codes, axis.values.size());
  if (matrix.axes_.size() > kMaxAxes || n_points > kMaxPoints || n_codes > kMaxCodes) {
    std::vector<std::string> sizes;
    for (const MatrixAxis& axis : matrix.axes_) sizes.push_back(axis.name + " " + std::to_string(axis.values.size()));
    return error("LB3001", "the matrix is too large")
        .at(spec.axes.empty() ? spec.span : spec.axes.front().name.span,
            "expected at most " + std::to_string(kMaxPoints) + " points and " + std::to_string(kMaxAxes - 1) + " axes")
        .note("values on its axes: " + joined(sizes))
        .fix("split the study into several experiments; they share their results");
  }

  Code stride = 1;
  for (AxisIndex i = matrix.axes_.size(); i-- > 0;) {
    matrix.axes_[i].stride = stride;
    stride *= matrix.axes_[i].values.size();
  }
  for (const Grid& grid : grids) {
    std::vector<AxisValues> excludes = spec.excludes;
    excludes.insert(excludes.end(), grid.excludes.begin(), grid.excludes.end());
    matrix.add_grid(grid, excludes);
  }
  for (const Grid& grid : spec.included) matrix.add_grid(grid, {});
  std::vector<Code>& codes = matrix.codes_;
  if (codes.empty()) {
    const auto& excludes = spec.excludes.empty() ? grids.front().excludes : spec.excludes;
    return error("LB3002", "`exclude` leaves no point of the matrix")
        .at(excludes.front().front().first.span)
        .note("the matrix has " + std::to_string(n_points) + " points, and all of them are excluded")
        .fix("remove or narrow an entry of `exclude`");
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  matrix.digits_.reserve(codes.size() * matrix.axes_.size());
  for (const Code code : codes) {
    for (const MatrixAxis& axis : matrix.axes_) {
      matrix.digits_.push_back(static_cast<std::uint32_t>(code / axis.stride % axis.values.size()));
    }
  }
  return matrix;
}

// Appends the codes of the grid's points that none of `excludes` describes, each with every seed.
void Matrix::add_grid(const Grid& grid, const std::vector<AxisValues>& excludes) {
  struct Excluded {
    AxisIndex axis;
    std::vector<bool> values;
  };
  std::vector<std::vector<Excluded>> rules;
  for (const AxisValues& entries : excludes) {
    std::vector<Excluded>& rule = rules.emplace_back();
    for (const auto& [name, values] : entries) {
      const AxisIndex found = axis(name.value);
      rule.push_back({found, meant(axes_[found].values, values)});
    }
  }
  if (points_of(grid) == 0) return;
  std::vector<std::size_t> row(grid.columns.size());
  std::vector<std::size_t> digits(axes_.size());
  for (;;) {
    Code code = 0;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const AxisColumn& column = grid.columns[c];
      for (std::size_t i = 0; i < column.axes.size(); ++i) {
        digits[column.axes[i]] = column.rows[row[c]][i];
        code += axes_[column.axes[i]].stride * column.rows[row[c]][i];
      }
    }
    const bool excluded = std::any_of(rules.begin(), rules.end(), [&](const std::vector<Excluded>& rule) {
      return std::all_of(rule.begin(), rule.end(), [&](const Excluded& e) { return e.values[digits[e.axis]]; });
    });
    for (std::size_t s = 0; s < axes_.back().values.size() && !excluded; ++s) codes_.push_back(code + s);
    std::size_t c = row.size();
    while (c > 0 && ++row[c - 1] == grid.columns[c - 1].rows.size()) row[--c] = 0;
    if (c == 0) return;
  }
}

AxisIndex Matrix::axis(std::string_view name) const {
  const auto it = std::find_if(axes_.begin(), axes_.end(), [&](const MatrixAxis& axis) { return axis.name == name; });
  LB_CHECK(it != axes_.end());
  return static_cast<AxisIndex>(it - axes_.begin());
}

std::size_t Matrix::value_number(AxisIndex axis, const Json& value) const {
  const auto& values = axes_[axis].values;
  const auto it =
      std::find_if(values.begin(), values.end(), [&](const Located<Json>& known) { return known.value == value; });
  LB_CHECK(it != values.end());
  return static_cast<std::size_t>(it - values.begin());
}

std::string Matrix::text(AxisSet axes) const {
  std::vector<std::string> names;
  for (AxisIndex i = 0; i < axes_.size(); ++i) {
    if ((axes & only(i)) != 0) names.push_back(axes_[i].name);
  }
  return joined(names);
}

std::optional<Point> Matrix::pinned(Point point, const Pins& pins) const {
  if (pins.empty()) return point;
  Code code = codes_[point];
  for (const auto& [axis, number] : pins) {
    code += axes_[axis].stride * number;
    code -= axes_[axis].stride * value_number(point, axis);
  }
  const auto it = std::lower_bound(codes_.begin(), codes_.end(), code);
  if (it == codes_.end() || *it != code) return std::nullopt;
  return static_cast<Point>(it - codes_.begin());
}

Matrix::Code Matrix::code_of(Point point, AxisSet axes) const {
  Code code = 0;
  for (AxisIndex i = 0; i < axes_.size(); ++i) {
    if ((axes & only(i)) != 0) code += axes_[i].stride * value_number(point, i);
  }
  return code;
}

const Matrix::Projection& Matrix::projection(AxisSet axes) const {
  std::unique_ptr<Projection>& slot = projections_[axes];
  if (slot != nullptr) return *slot;
  slot = std::make_unique<Projection>();
  slot->group.reserve(size());
  for (Point point = 0; point < size(); ++point) {
    const auto next = static_cast<std::uint32_t>(slot->first.size());
    const auto [it, is_new] = slot->by_code.try_emplace(code_of(point, axes), next);
    if (is_new) slot->first.push_back(point);
    slot->group.push_back(it->second);
  }
  return *slot;
}

Point Matrix::project(Point point, AxisSet axes) const {
  if (axes == 0) return 0;
  const Projection& found = projection(axes);
  return found.first[found.group[point]];
}

const std::vector<Point>& Matrix::representatives(AxisSet axes) const { return projection(axes).first; }

const std::vector<Point>* Matrix::agreeing(Point point, const Pins& pins, AxisSet axes) const {
  const Projection& found = projection(axes);
  Code code = code_of(point, axes);
  for (const auto& [axis, number] : pins) {
    LB_CHECK((axes & only(axis)) != 0);
    code += axes_[axis].stride * number;
    code -= axes_[axis].stride * value_number(point, axis);
  }
  const auto group = found.by_code.find(code);
  if (group == found.by_code.end()) return nullptr;
  if (found.members.empty()) {
    auto& members = projections_[axes]->members;
    members.resize(found.first.size());
    for (Point each = 0; each < size(); ++each) members[found.group[each]].push_back(each);
  }
  return &found.members[group->second];
}

Coordinates Matrix::coordinates(Point point, AxisSet axes) const {
  std::vector<Coordinates::Entry> entries;
  for (AxisIndex i = 0; i < axes_.size(); ++i) {
    if ((axes & only(i)) != 0) entries.emplace_back(axes_[i].name, value(point, i).value);
  }
  return Coordinates(std::move(entries));
}

Condition::Condition(const Matrix& matrix, const std::vector<AxisValues>& any_of) {
  for (const AxisValues& entries : any_of) {
    auto& one = any_of_.emplace_back();
    for (const auto& [name, values] : entries) {
      const AxisIndex axis = matrix.axis(name.value);
      one.emplace_back(axis, meant(matrix.values(axis), values));
    }
  }
}

bool Condition::holds(const Matrix& matrix, Point point) const {
  return any_of_.empty() || std::any_of(any_of_.begin(), any_of_.end(), [&](const auto& entries) {
           return std::all_of(entries.begin(), entries.end(),
                              [&](const auto& entry) { return entry.second[matrix.value_number(point, entry.first)]; });
         });
}

}  // namespace lowbit::graph
