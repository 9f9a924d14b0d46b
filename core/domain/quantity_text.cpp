#include "domain/quantity_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace lowbit {
namespace {

std::string with_decimal(double value, const char* unit) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, unit);
  return text.data();
}

std::string two_units(std::uint64_t small, std::uint64_t ratio, const char* large_unit, const char* small_unit) {
  std::string text = std::to_string(small / ratio) + " " + large_unit;
  if (small % ratio != 0) text += " " + std::to_string(small % ratio) + " " + small_unit;
  return text;
}

}  // namespace

std::string duration_text(double seconds) {
  seconds = std::max(seconds, 0.0);
  if (seconds < 9.95) return with_decimal(seconds, "s");
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 90) return std::to_string(whole) + " s";
  if (whole < 3600) return two_units(whole, 60, "min", "s");
  const std::uint64_t minutes = (whole + 30) / 60;
  if (minutes < std::uint64_t{48} * 60) return two_units(minutes, 60, "h", "min");
  return two_units((minutes + 30) / 60, 24, "d", "h");
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array<const char*, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return with_decimal(value, kUnits.at(unit));
}

std::string count_text(std::uint64_t n, const std::string& one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

}  // namespace lowbit
