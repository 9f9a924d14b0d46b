#include "exec/progress_watch.h"

#include <algorithm>

namespace lowbit::exec {
namespace {

constexpr std::chrono::milliseconds kAtOnce{500};

}  // namespace

void ProgressWatch::hear(const Json& record, Time now) {
  const std::string kind = record.value("k", "");
  if (kind == "progress") {
    const Json position{record.value("done", Json(0)), record.value("total", Json(0)), record.value("unit", Json(""))};
    const bool moved = position_.is_null() || position_ != position;
    if (moved) {
      note_done(position[0], now);
      position_ = position;
      move(now);
    }
  } else if (kind == "checkpoint" || (kind == "metric" && record.value("step", std::int64_t{-1}) >= 0)) {
    move(now);
  }
}

void ProgressWatch::move(Time now) {
  longest_pause_ = std::max(longest_pause_, now - moved_);
  moved_ = now;
  told_ = false;
}

// A job that counts anew, or something else, is measured from there.
void ProgressWatch::note_done(const Json& done, Time now) {
  const double value = done.is_number() ? done.get<double>() : 0.0;
  if (position_.is_null() || value < last_done_) first_at_ = now;
  // What is read in one go was not reported in one go: the way begins at the last of it.
  if (position_.is_null() || value < last_done_ || now - first_at_ < kAtOnce) first_done_ = value;
  last_done_ = value;
  last_at_ = now;
}

double ProgressWatch::speed() const {
  const double seconds = std::chrono::duration<double>(last_at_ - first_at_).count();
  return seconds > 0 && last_done_ > first_done_ ? (last_done_ - first_done_) / seconds : 0;
}

std::optional<std::chrono::milliseconds> ProgressWatch::stalled(Time now) {
  if (told_ || position_.is_null()) return std::nullopt;
  using Duration = std::chrono::steady_clock::duration;
  const Duration patience = limit_.count() > 0 ? Duration(limit_) : std::max<Duration>(kPatience, 5 * longest_pause_);
  const Duration pause = now - moved_;
  if (pause < patience) return std::nullopt;
  told_ = true;
  return std::chrono::duration_cast<std::chrono::milliseconds>(pause);
}

std::string ProgressWatch::position() const {
  if (position_.is_null()) return {};
  return position_text({{"done", position_[0]}, {"total", position_[1]}, {"unit", position_[2]}});
}

std::string position_text(const Json& progress) {
  std::string text = canonical(progress.value("done", Json(0)));
  if (progress.value("total", Json(0)) != 0) text += " of " + canonical(progress["total"]);
  return text + " " + progress.value("unit", std::string());
}

}  // namespace lowbit::exec
