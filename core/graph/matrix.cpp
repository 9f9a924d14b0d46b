#include "graph/matrix.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/words.h"

namespace lowbit::graph {
namespace {}  // namespace

Result<Matrix> Matrix::build(const ExperimentSpec& spec) {
  Matrix matrix;
  for (const Axis& axis : spec.axes) matrix.axes_.push_back({axis.name.value, axis.values});
  MatrixAxis seed{"seed", {}};
  for (const std::uint64_t value : spec.seeds) seed.values.push_back({value, {}});
  matrix.axes_.push_back(std::move(seed));

  std::uint64_t product = 1;
  for (const MatrixAxis& axis : matrix.axes_) product = std::min(product, kMaxPoints + 1) * axis.values.size();
  if (matrix.axes_.size() > kMaxAxes || product > kMaxPoints) {
    std::vector<std::string> sizes;
    for (const MatrixAxis& axis : matrix.axes_) sizes.push_back(axis.name + " " + std::to_string(axis.values.size()));
    return error("LB3001", "the matrix is too large")
        .at(spec.axes.empty() ? spec.span : spec.axes.front().name.span,
            "expected at most " + std::to_string(kMaxPoints) + " points and " + std::to_string(kMaxAxes - 1) + " axes")
        .note("values on its axes: " + joined(sizes))
        .fix("split the study into several experiments; they share their results");
  }

  Point stride = 1;
  for (AxisIndex i = matrix.axes_.size(); i-- > 0;) {
    matrix.axes_[i].stride = stride;
    stride *= static_cast<Point>(matrix.axes_[i].values.size());
  }
  matrix.survives_.assign(product, true);
  matrix.exclude(spec);
  for (Point point = 0; point < product; ++point) {
    if (matrix.survives_[point]) matrix.points_.push_back(point);
  }
  if (matrix.points_.empty()) {
    return error("LB3002", "`exclude` leaves no point of the matrix")
        .at(spec.excludes.front().front().first.span)
        .note("the matrix has " + std::to_string(product) + " points, and all of them are excluded")
        .fix("remove or narrow an entry of `exclude`");
  }
  return matrix;
}

void Matrix::exclude(const ExperimentSpec& spec) {
  for (const auto& entries : spec.excludes) {
    std::vector<std::pair<AxisIndex, std::vector<bool>>> conditions;
    for (const auto& [name, values] : entries) {
      const AxisIndex found = axis(name.value);
      std::vector<bool> matches;
      for (const Located<Json>& candidate : axes_[found].values) {
        matches.push_back(std::any_of(values.begin(), values.end(),
                                      [&](const Located<Json>& value) { return value.value == candidate.value; }));
      }
      conditions.emplace_back(found, std::move(matches));
    }
    for (Point point = 0; point < survives_.size(); ++point) {
      const bool excluded = std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
        return condition.second[value_index(point, condition.first)];
      });
      if (excluded) survives_[point] = false;
    }
  }
}

AxisIndex Matrix::axis(std::string_view name) const {
  const auto it = std::find_if(axes_.begin(), axes_.end(), [&](const MatrixAxis& axis) { return axis.name == name; });
  LB_CHECK(it != axes_.end());
  return static_cast<AxisIndex>(it - axes_.begin());
}

std::string Matrix::text(AxisSet axes) const {
  std::vector<std::string> names;
  for (AxisIndex i = 0; i < axes_.size(); ++i) {
    if ((axes & only(i)) != 0) names.push_back(axes_[i].name);
  }
  return joined(names);
}

const Located<Json>& Matrix::value(Point point, AxisIndex axis) const {
  return axes_[axis].values[value_index(point, axis)];
}

Point Matrix::with_value(Point point, AxisIndex axis, std::size_t i) const {
  return point + axes_[axis].stride * (static_cast<Point>(i) - static_cast<Point>(value_index(point, axis)));
}

Point Matrix::project(Point point, AxisSet axes) const {
  Point projected = 0;
  for (AxisIndex i = 0; i < axes_.size(); ++i) {
    if ((axes & only(i)) != 0) projected += axes_[i].stride * static_cast<Point>(value_index(point, i));
  }
  return projected;
}

std::vector<Point> Matrix::representatives(AxisSet axes) const {
  if (axes == 0) return {points_.front()};
  std::vector<Point> found;
  std::vector<bool> seen(product());
  for (const Point point : points_) {
    const Point projected = project(point, axes);
    if (seen[projected]) continue;
    seen[projected] = true;
    found.push_back(point);
  }
  return found;
}

Coordinates Matrix::coordinates(Point point, AxisSet axes) const {
  std::vector<Coordinates::Entry> entries;
  for (AxisIndex i = 0; i < axes_.size(); ++i) {
    if ((axes & only(i)) != 0) entries.emplace_back(axes_[i].name, value(point, i).value);
  }
  return Coordinates(std::move(entries));
}

}  // namespace lowbit::graph
