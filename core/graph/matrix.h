// The points of an experiment: the combinations that its grids name and `exclude` leaves, those of `include`, each with
// every seed.
//
// A point is its place among them in matrix order: by the values of the first axis, then the second, `seed` last.
// Thread rule: one thread; what is found for a set of axes is remembered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/coordinates.h"
#include "domain/experiment_spec.h"

namespace lowbit::graph {

using AxisIndex = std::size_t;
/// Bit i stands for axis i.
using AxisSet = std::uint64_t;
using Point = std::uint32_t;
/// Axes and the numbers of their values.
using Pins = std::vector<std::pair<AxisIndex, std::size_t>>;

[[nodiscard]] constexpr AxisSet only(AxisIndex axis) { return AxisSet{1} << axis; }

class Matrix {
 public:
  static constexpr std::uint64_t kMaxPoints = 1'000'000;
  static constexpr std::size_t kMaxAxes = 64;  ///< `seed` included

  /// LB3001 when it is too large, LB3002 when nothing is left. REQUIRES: whatever names an axis or value in `spec`
  /// names one that it has.
  [[nodiscard]] static Result<Matrix> build(const ExperimentSpec& spec);

  [[nodiscard]] std::size_t axis_count() const { return axes_.size(); }
  [[nodiscard]] AxisIndex seed_axis() const { return axes_.size() - 1; }
  /// REQUIRES: there is such an axis; the reader of the file has seen to it.
  [[nodiscard]] AxisIndex axis(std::string_view name) const;
  [[nodiscard]] const std::string& name(AxisIndex axis) const { return axes_[axis].name; }
  [[nodiscard]] const std::vector<Located<Json>>& values(AxisIndex axis) const { return axes_[axis].values; }
  /// Number of `value` on `axis`. REQUIRES: the axis has it.
  [[nodiscard]] std::size_t value_number(AxisIndex axis, const Json& value) const;
  /// Names of the axes in `axes`, comma-separated.
  [[nodiscard]] std::string text(AxisSet axes) const;

  /// Points are 0 .. size() - 1.
  [[nodiscard]] std::size_t size() const { return codes_.size(); }
  [[nodiscard]] const Located<Json>& value(Point point, AxisIndex axis) const {
    return axes_[axis].values[value_number(point, axis)];
  }
  [[nodiscard]] std::size_t value_number(Point point, AxisIndex axis) const {
    return digits_[point * axes_.size() + axis];
  }
  /// The point that has the pinned values and is otherwise as `point`, if there is one.
  [[nodiscard]] std::optional<Point> pinned(Point point, const Pins& pins) const;
  /// The first point that agrees with `point` on `axes`: equal for two points exactly when they agree there.
  [[nodiscard]] Point project(Point point, AxisSet axes) const;
  /// What project() gives for all points, each once, in matrix order.
  [[nodiscard]] const std::vector<Point>& representatives(AxisSet axes) const;
  /// The points that agree on `axes` with `point` under `pins`, in matrix order; null when there are none. The same
  /// list, at the same address, for all points and pins that it stands for.
  [[nodiscard]] const std::vector<Point>* agreeing(Point point, const Pins& pins, AxisSet axes) const;
  [[nodiscard]] Coordinates coordinates(Point point, AxisSet axes) const;

 private:
  /// A combination of values as one number: value numbers in mixed radix.
  using Code = std::uint64_t;

  struct MatrixAxis {
    std::string name;
    std::vector<Located<Json>> values;
    Code stride = 1;
  };
  /// The points by their values on some of the axes.
  struct Projection {
    std::vector<std::uint32_t> group;  ///< by point
    std::vector<Point> first;          ///< by group
    std::unordered_map<Code, std::uint32_t> by_code;
    std::vector<std::vector<Point>> members;  ///< by group; filled when asked for
  };

  [[nodiscard]] Code code_of(Point point, AxisSet axes) const;
  [[nodiscard]] const Projection& projection(AxisSet axes) const;
  void add_grid(const Grid& grid, const std::vector<AxisValues>& excludes);

  std::vector<MatrixAxis> axes_;
  std::vector<Code> codes_;  ///< by point, ascending
  std::vector<std::uint32_t> digits_;
  mutable std::unordered_map<AxisSet, std::unique_ptr<Projection>> projections_;
};

/// Points that agree with one of some descriptions by axes and values; all points when there are none.
class Condition {
 public:
  Condition() = default;
  /// REQUIRES: `any_of` names axes and values of `matrix`.
  Condition(const Matrix& matrix, const std::vector<AxisValues>& any_of);
  [[nodiscard]] bool holds(const Matrix& matrix, Point point) const;

 private:
  std::vector<std::vector<std::pair<AxisIndex, std::vector<bool>>>> any_of_;  ///< by axis, whether a value is meant
};

}  // namespace lowbit::graph
