// The arithmetic behind the drawings, against closed forms.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "report/figure_data.h"

using namespace lowbit;
using namespace lowbit::report;
using Catch::Matchers::WithinRel;

namespace {

MeasuredValue number(double value) {
  MeasuredValue out;
  out.figure = {Figure::State::number, value};
  return out;
}

MeasuredRow row_of(bool baseline, const std::vector<MeasuredValue>& values) {
  MeasuredRow row;
  row.baseline = baseline;
  row.points.emplace_back().values = values;
  return row;
}

}  // namespace

TEST_CASE("a smoothed constant is the constant, and an impulse decays as its weight", "[report][figure]") {
  std::vector<CurvePoint> points;
  for (int i = 0; i < 20; ++i) points.push_back({i, 3.0});
  for (const CurvePoint& point : smoothed(points, 0.9)) CHECK_THAT(*point.value, WithinRel(3.0, 1e-12));
  for (CurvePoint& point : points) point.value = 0;
  points[4].value = 1;
  const std::vector<CurvePoint> out = smoothed(points, 0.5);
  CHECK(*out[3].value == 0);
  for (std::size_t i = 4; i < points.size(); ++i) {
    // weight^(steps since) over the sum of all weights so far
    const double n = static_cast<double>(i) + 1;
    CHECK_THAT(*out[i].value,
               WithinRel(std::pow(0.5, static_cast<double>(i) - 4) / ((1 - std::pow(0.5, n)) / 0.5), 1e-12));
  }
  for (std::size_t i = 0; i < points.size(); ++i) CHECK(smoothed(points, 0)[i].value == points[i].value);
}

TEST_CASE("what is no number changes nothing in a smoothed curve", "[report][figure]") {
  const std::vector<CurvePoint> with{{0, 1.0}, {1, std::nullopt}, {2, 5.0}};
  const std::vector<CurvePoint> without{{0, 1.0}, {2, 5.0}};
  const auto a = smoothed(with, 0.8);
  const auto b = smoothed(without, 0.8);
  CHECK_FALSE(a[1].value.has_value());
  CHECK(*a[2].value == *b[1].value);
}

TEST_CASE("above one is better than the baseline, whichever way the metric goes", "[report][figure]") {
  MeasuredFigure measured;
  measured.better = {Better::up, Better::down, Better::up, Better::down, Better::up};
  measured.rows.push_back(row_of(true, {number(0.5), number(10), number(0), number(2), number(1)}));
  measured.rows.push_back(row_of(false, {number(0.6), number(8), number(0.3), number(0), MeasuredValue{}}));
  const auto ratios = relative_to_baseline(measured, measured.rows[1].points.front());
  CHECK_THAT(*ratios[0], WithinRel(1.2, 1e-12));
  CHECK_THAT(*ratios[1], WithinRel(1.25, 1e-12));
  CHECK_FALSE(ratios[2].has_value());  // nothing is a multiple of 0
  CHECK_FALSE(ratios[3].has_value());  // nor is 0 a divisor
  CHECK_FALSE(ratios[4].has_value());  // not there
  const auto own = relative_to_baseline(measured, measured.rows[0].points.front());
  CHECK(*own[0] == 1);
  CHECK(*own[1] == 1);
  measured.rows[0].baseline = false;
  CHECK_FALSE(relative_to_baseline(measured, measured.rows[1].points.front())[0].has_value());
}

TEST_CASE("a value that is not finite is no number", "[report][figure]") {
  CHECK(number(1).is_number());
  CHECK_FALSE(number(std::numeric_limits<double>::infinity()).is_number());
  CHECK_FALSE(number(std::numeric_limits<double>::quiet_NaN()).is_number());
  CHECK_FALSE(MeasuredValue{}.is_number());
}
