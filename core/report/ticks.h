// Where an axis has its marks, and where on the paper a value lies. Pure.
//
//   const Ticks ticks = linear_ticks(0.13, 0.92, 6);  // 0.2, 0.4, 0.6, 0.8
#pragma once

#include <string>
#include <vector>

namespace lowbit::report {

/// What lies beyond is not drawn: arithmetic of scales would overflow.
inline constexpr double kMostDrawn = 1e300;
inline constexpr double kLeastDrawn = 1e-300;  ///< logarithmic

/// False for what is no number, too.
[[nodiscard]] constexpr bool can_be_drawn(double value, bool log) {
  return value <= kMostDrawn && value >= (log ? kLeastDrawn : -kMostDrawn);
}

inline constexpr int kShortest = -1;  ///< digits: no more than the number has

struct Ticks {
  std::vector<double> at;  ///< ascending, within the range that was asked for
  int digits = 0;          ///< after the point: as many as tell them apart, or kShortest
};

/// Multiples of 1, 2 or 5 times a power of ten, as many as there are up to `most`; of a range that rounding could make,
/// its beginning. REQUIRES: at most kMostDrawn, low < high, most > 1.
[[nodiscard]] Ticks linear_ticks(double low, double high, int most);
/// Multiples of powers of ten: all nine, 1 2 3 5 7, 1 2 5, 1 3, or every so many powers themselves, the most that are
/// not too many; linear_ticks() where fewer than three of the nine lie in the range. REQUIRES: at
/// most kMostDrawn, kLeastDrawn <= low < high, most > 1.
[[nodiscard]] Ticks log_ticks(double low, double high, int most);

/// With a true minus sign; very large and very small numbers as 1.5e9.
[[nodiscard]] std::string tick_text(double value, int digits);

/// From values to pixels.
struct Scale {
  double low = 0;
  double high = 1;
  bool log = false;
  double from = 0;  ///< pixel of `low`
  double to = 1;

  [[nodiscard]] double operator()(double value) const;
  [[nodiscard]] Ticks ticks(int most) const { return log ? log_ticks(low, high, most) : linear_ticks(low, high, most); }
};

/// A range around values: outwards to ticks where linear, a twentieth of its length on both sides where logarithmic,
/// and never of no length. REQUIRES: at most kMostDrawn, low <= high; log: kLeastDrawn <= low.
[[nodiscard]] Scale scale_around(double low, double high, bool log, int most);

}  // namespace lowbit::report
