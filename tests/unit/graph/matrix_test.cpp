// The points of random matrices against a slow twin: lists of values, compared one by one.
#include "graph/matrix.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>

namespace lowbit::test {
namespace {

using graph::AxisSet;
using graph::Matrix;
using graph::Point;
using Row = std::vector<std::size_t>;

ExperimentSpec random_study(std::mt19937& random) {
  const auto below = [&](std::size_t n) { return random() % n; };
  ExperimentSpec spec;
  const std::size_t n_axes = 1 + below(4);
  for (std::size_t i = 0; i < n_axes; ++i) {
    Axis axis{{std::string(1, static_cast<char>('a' + i)), {}}, {}};
    const std::size_t n_values = 1 + below(4);
    for (std::size_t v = 0; v < n_values; ++v) axis.values.push_back({v * 10, {}});
    spec.axes.push_back(std::move(axis));
  }
  spec.seeds = {5, 6};
  const auto random_grid = [&] {
    Grid grid;
    for (std::size_t axis = 0; axis < n_axes;) {
      AxisColumn column;
      for (std::size_t n = 1 + below(2); n > 0 && axis < n_axes; --n) column.axes.push_back(axis++);
      for (std::size_t n_rows = 1 + below(3); n_rows > 0; --n_rows) {
        Row& row = column.rows.emplace_back();
        for (const std::size_t a : column.axes) row.push_back(below(spec.axes[a].values.size()));
      }
      grid.columns.push_back(std::move(column));
    }
    return grid;
  };
  for (std::size_t n = 1 + below(3); n > 0; --n) spec.grids.push_back(random_grid());
  for (std::size_t n = below(2); n > 0; --n) spec.included.push_back(random_grid());
  for (std::size_t n = below(2); n > 0; --n) {
    const Axis& axis = spec.axes[below(n_axes)];
    spec.excludes.push_back({{axis.name, {axis.values.front()}}});
  }
  return spec;
}

void add_rows(const ExperimentSpec& spec, const Grid& grid, const std::vector<AxisValues>& excludes,
              std::set<Row>& rows) {
  std::vector<Row> all{Row(spec.axes.size() + 1)};
  for (const AxisColumn& column : grid.columns) {
    std::vector<Row> next;
    for (const Row& row : all) {
      for (const Row& values : column.rows) {
        Row longer = row;
        for (std::size_t i = 0; i < values.size(); ++i) longer[column.axes[i]] = values[i];
        next.push_back(std::move(longer));
      }
    }
    all = std::move(next);
  }
  for (Row row : all) {
    const bool gone = std::any_of(excludes.begin(), excludes.end(), [&](const AxisValues& entries) {
      return std::all_of(entries.begin(), entries.end(), [&](const auto& entry) {
        const auto axis = static_cast<std::size_t>(entry.first.value.front() - 'a');
        return spec.axes[axis].values[row[axis]].value == entry.second.front().value;
      });
    });
    for (std::size_t seed = 0; seed < spec.seeds.size() && !gone; ++seed) {
      row.back() = seed;
      rows.insert(row);
    }
  }
}

std::vector<Row> slow_rows(const ExperimentSpec& spec) {
  std::set<Row> rows;
  for (const Grid& grid : spec.grids) add_rows(spec, grid, spec.excludes, rows);
  for (const Grid& grid : spec.included) add_rows(spec, grid, {}, rows);
  return {rows.begin(), rows.end()};
}

bool agree(const Row& a, const Row& b, AxisSet axes) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((axes & graph::only(i)) != 0 && a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("points, projections and pins are those of plain lists of values", "[graph][matrix]") {
  std::mt19937 random(7);
  int n_empty = 0;
  for (int round = 0; round < 300; ++round) {
    const ExperimentSpec spec = random_study(random);
    const std::vector<Row> rows = slow_rows(spec);
    const Result<Matrix> matrix = Matrix::build(spec);
    REQUIRE(matrix.ok() == !rows.empty());
    if (rows.empty()) {
      CHECK(matrix.error().front().code == "LB3002");
      ++n_empty;
      continue;
    }
    REQUIRE(matrix->size() == rows.size());
    const std::size_t n_axes = spec.axes.size() + 1;
    const AxisSet axes = random() % (AxisSet{1} << n_axes);
    std::vector<Point> representatives;
    for (Point p = 0; p < rows.size(); ++p) {
      for (std::size_t axis = 0; axis < n_axes; ++axis) REQUIRE(matrix->value_number(p, axis) == rows[p][axis]);
      const auto same = [&](const Row& row) { return agree(row, rows[p], axes); };
      const auto first = static_cast<Point>(std::find_if(rows.begin(), rows.end(), same) - rows.begin());
      REQUIRE(matrix->project(p, axes) == first);
      if (first == p) representatives.push_back(p);

      graph::Pins pins;
      Row pinned = rows[p];
      for (std::size_t axis = 0; axis < n_axes; ++axis) {
        if ((axes & graph::only(axis)) == 0 || random() % 2 == 0) continue;
        pins.emplace_back(axis, random() % matrix->values(axis).size());
        pinned[axis] = pins.back().second;
      }
      const auto found = std::find(rows.begin(), rows.end(), pinned);
      const auto point = matrix->pinned(p, pins);
      REQUIRE(point.has_value() == (found != rows.end()));
      if (point) REQUIRE(rows[*point] == pinned);

      std::vector<Point> expected;
      for (Point q = 0; q < rows.size(); ++q) {
        if (agree(rows[q], pinned, axes)) expected.push_back(q);
      }
      const std::vector<Point>* agreeing = matrix->agreeing(p, pins, axes);
      REQUIRE((agreeing == nullptr) == expected.empty());
      if (agreeing != nullptr) REQUIRE(*agreeing == expected);
    }
    CHECK(matrix->representatives(axes) == representatives);
  }
  CHECK(n_empty < 100);
}

TEST_CASE("what the points of eighteen axes of ten values would take does not matter, only the points there are",
          "[graph][matrix]") {
  ExperimentSpec spec;
  for (std::size_t i = 0; i < 18; ++i) {
    Axis axis{{"a" + std::to_string(i), {}}, {}};
    for (int v = 0; v < 10; ++v) axis.values.push_back({v, {}});
    spec.axes.push_back(std::move(axis));
  }
  for (std::size_t varied = 0; varied < 18; ++varied) {
    Grid& grid = spec.grids.emplace_back();
    for (std::size_t axis = 0; axis < 18; ++axis) {
      AxisColumn& column = grid.columns.emplace_back();
      column.axes = {axis};
      for (std::size_t v = 0; v < (axis == varied ? 10U : 1U); ++v) column.rows.push_back({v});
    }
  }
  const Result<Matrix> matrix = Matrix::build(spec);
  REQUIRE(matrix.ok());
  CHECK(matrix->size() == 1 + 18 * 9);
}

}  // namespace lowbit::test
