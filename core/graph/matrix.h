// The product of an experiment's axes and its seeds, less what `exclude` takes out.
//
// A point is its number in the full product, first axis slowest and `seed` last, so that replacing a value and
// forgetting axes is arithmetic. Immutable once built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/coordinates.h"
#include "domain/experiment_spec.h"

namespace lowbit::graph {

using AxisIndex = std::size_t;
/// Bit i stands for axis i.
using AxisSet = std::uint64_t;
using Point = std::uint32_t;

[[nodiscard]] constexpr AxisSet only(AxisIndex axis) { return AxisSet{1} << axis; }

class Matrix {
 public:
  static constexpr std::uint64_t kMaxPoints = 1'000'000;  ///< of the full product
  static constexpr std::size_t kMaxAxes = 64;             ///< `seed` included

  /// LB3001 when it is too large, LB3002 when nothing is left. REQUIRES: `exclude` names axes of the experiment.
  [[nodiscard]] static Result<Matrix> build(const ExperimentSpec& spec);

  [[nodiscard]] std::size_t axis_count() const { return axes_.size(); }
  [[nodiscard]] AxisIndex seed_axis() const { return axes_.size() - 1; }
  /// REQUIRES: there is such an axis; the reader of the file has seen to it.
  [[nodiscard]] AxisIndex axis(std::string_view name) const;
  [[nodiscard]] const std::string& name(AxisIndex axis) const { return axes_[axis].name; }
  [[nodiscard]] const std::vector<Located<Json>>& values(AxisIndex axis) const { return axes_[axis].values; }
  /// Names of the axes in `axes`, comma-separated.
  [[nodiscard]] std::string text(AxisSet axes) const;

  /// The points that are left, in matrix order.
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }
  [[nodiscard]] std::size_t product() const { return survives_.size(); }
  [[nodiscard]] bool survives(Point point) const { return survives_[point]; }

  [[nodiscard]] const Located<Json>& value(Point point, AxisIndex axis) const;
  /// `point` with the i-th value on `axis`.
  [[nodiscard]] Point with_value(Point point, AxisIndex axis, std::size_t i) const;
  /// Equal for two points exactly when they agree on `axes`: the other axes stand at their first value.
  [[nodiscard]] Point project(Point point, AxisSet axes) const;
  /// One surviving point for each different projection on `axes`, in matrix order.
  [[nodiscard]] std::vector<Point> representatives(AxisSet axes) const;
  [[nodiscard]] Coordinates coordinates(Point point, AxisSet axes) const;

 private:
  struct MatrixAxis {
    std::string name;
    std::vector<Located<Json>> values;
    Point stride = 1;
  };

  [[nodiscard]] std::size_t value_index(Point point, AxisIndex axis) const {
    return point / axes_[axis].stride % axes_[axis].values.size();
  }
  void exclude(const ExperimentSpec& spec);

  std::vector<MatrixAxis> axes_;
  std::vector<bool> survives_;
  std::vector<Point> points_;
};

}  // namespace lowbit::graph
