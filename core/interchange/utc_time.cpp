#include "interchange/utc_time.h"

#include <charconv>
#include <chrono>
#include <system_error>

namespace lowbit::interchange {
namespace {

/// A whole number that fills `text`.
std::optional<int> whole(std::string_view text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || text.empty() || text.front() == '-') return {};
  return value;
}

/// ".206" as 0.206; empty text as 0.
std::optional<double> fraction(std::string_view text) {
  if (text.empty()) return 0.0;
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.front() != '.' || code != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

constexpr std::size_t kShortest = std::string_view("2026-11-23T16:58:10Z").size();

}  // namespace

std::optional<double> epoch_seconds(std::string_view rfc3339_utc) {
  using namespace std::chrono;
  const std::string_view t = rfc3339_utc;
  if (t.size() < kShortest || t.back() != 'Z' || t[4] != '-' || t[7] != '-' || t[10] != 'T' || t[13] != ':' ||
      t[16] != ':') {
    return {};
  }
  const auto y = whole(t.substr(0, 4));
  const auto mo = whole(t.substr(5, 2));
  const auto d = whole(t.substr(8, 2));
  const auto h = whole(t.substr(11, 2));
  const auto mi = whole(t.substr(14, 2));
  const auto s = whole(t.substr(17, 2));
  const auto part = fraction(t.substr(19, t.size() - kShortest));
  if (!y || !mo || !d || !h || !mi || !s || !part) return {};
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mo)), day(static_cast<unsigned>(*d))};
  if (!date.ok()) return {};
  const seconds whole_seconds = sys_days(date).time_since_epoch() + hours(*h) + minutes(*mi) + seconds(*s);
  return static_cast<double>(whole_seconds.count()) + *part;
}

}  // namespace lowbit::interchange
