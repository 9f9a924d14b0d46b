#include "spec/quantities.h"

#include <array>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

namespace lowbit::spec {
namespace {

// Takes the digits at the front of `text` away.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 9> kUnits{{
      {"B", 1},
      {"KB", 1'000},
      {"MB", 1'000'000},
      {"GB", 1'000'000'000},
      {"TB", 1'000'000'000'000},
      {"KiB", std::uint64_t{1} << 10U},
      {"MiB", std::uint64_t{1} << 20U},
      {"GiB", std::uint64_t{1} << 30U},
      {"TiB", std::uint64_t{1} << 40U},
  }};
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::optional<std::uint64_t> number = take_number(text);
  if (!number || *number == 0) return std::nullopt;
  for (const auto& [unit, bytes] : kUnits) {
    if (text != unit) continue;
    return *number <= kMax / bytes ? std::optional(*number * bytes) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::uint64_t kMaxSeconds = std::uint64_t{10} * 366 * 24 * 3600;
  std::uint64_t total = 0;
  for (const auto& [unit, seconds] : {std::pair('h', 3600U), {'m', 60U}, {'s', 1U}}) {
    std::string_view rest = text;
    const std::optional<std::uint64_t> number = take_number(rest);
    if (!number || !rest.starts_with(unit)) continue;
    if (*number > kMaxSeconds) return std::nullopt;
    total += *number * seconds;
    text = rest.substr(1);
  }
  if (!text.empty() || total == 0 || total > kMaxSeconds) return std::nullopt;
  return std::chrono::seconds(total);
}

}  // namespace lowbit::spec
