#include "cli/live_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace lowbit::cli {
namespace {

using namespace std::chrono_literals;
using Kind = exec::Event::Kind;

// A snapshot walks through all variants: more of them, fewer pictures.
constexpr auto kTick = 250ms;
constexpr auto kTickOfMany = 1000ms;
constexpr std::size_t kMany = 5000;

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view value = variable(name);
    if (value.empty()) continue;
    return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
  }
  return false;
}

Paper paper_of_terminal() {
  Paper paper;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    paper.width = size.ws_col;
    paper.height = size.ws_row;
  }
  paper.height = std::max<std::size_t>(paper.height, 2) - 1;  // the cursor stands below
  paper.colour = variable("NO_COLOR").empty();
  paper.unicode = utf8_locale();
  return paper;
}

/// What stays above the picture, to be scrolled back to.
bool is_worth_a_line(Kind kind) {
  return kind == Kind::failed || kind == Kind::retrying || kind == Kind::notice || kind == Kind::adopted ||
         kind == Kind::cancelled || kind == Kind::reopened;
}

/// A terminal that became narrower has wrapped what stands there; what left it at the top is out of reach.
std::size_t rows_taken(const std::vector<std::string>& lines, const Paper& paper) {
  std::size_t rows = 0;
  for (const std::string& line : lines) {
    rows += std::max<std::size_t>((columns_of(line) + paper.width - 1) / paper.width, 1);
  }
  return std::min(rows, paper.height);
}

void write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string row_of(const Coordinates& coordinates) {
  Coordinates without_seed;
  for (const auto& [axis, value] : coordinates.entries()) {
    if (axis != "seed") without_seed.set(axis, value);
  }
  return without_seed.text();
}

}  // namespace

bool can_redraw() { return ::isatty(STDERR_FILENO) == 1 && !variable("TERM").empty() && variable("TERM") != "dumb"; }

LiveDisplay::~LiveDisplay() { erase(); }

std::chrono::milliseconds LiveDisplay::tick() const { return model_.places.size() > kMany ? kTickOfMany : kTick; }

void LiveDisplay::on_recovery(const exec::Recovery& recovery) { lines_.on_recovery(recovery); }

void LiveDisplay::on_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan) {
  lines_.on_plan(graph, plan);
  for (const graph::Variant& variant : graph.variants) {
    model_.places.push_back({row_of(variant.coordinates)});
    cpus_[variant.label()] = variant.resources.cpus;
    if (const auto cost = history_.of(variant)) expected_[variant.label()] = cost->seconds;
  }
}

void LiveDisplay::on_event(const exec::Event& event) {
  lines_.count(event);
  if (event.kind == Kind::progress) {
    note_progress(event);
  } else {
    paces_.erase(event.label);
  }
  if (!is_worth_a_line(event.kind)) return;
  erase();
  lines_.print(event);
  draw();
}

void LiveDisplay::note_progress(const exec::Event& event) {
  const auto member = [&](const char* name) {
    const auto it = event.failure.find(name);
    return it != event.failure.end() && it->is_number() ? it->get<double>() : 0.0;
  };
  const Clock::time_point now = Clock::now();
  const double done = member("done");
  Pace& pace = paces_.try_emplace(event.label, Pace{.since = now, .from = done, .last = now}).first->second;
  pace.last = now;
  pace.done = done;
  pace.total = member("total");
}

void LiveDisplay::on_tick(const exec::Snapshot& now) {
  model_.now = now;
  model_.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  estimate();
  draw();
}

void LiveDisplay::estimate() {
  model_.rates.clear();
  model_.left.clear();
  for (const exec::JobNow& job : model_.now.running) {
    if (const auto expected = expected_.find(job.label); expected != expected_.end()) {
      model_.left[job.label] = std::max(expected->second - job.seconds, 0.0);
    }
    const auto found = paces_.find(job.label);
    if (found == paces_.end()) continue;
    const Pace& pace = found->second;
    const double seconds = std::chrono::duration<double>(pace.last - pace.since).count();
    if (seconds <= 0 || pace.done <= pace.from) continue;
    const double rate = (pace.done - pace.from) / seconds;
    model_.rates[job.label] = rate;
    if (pace.total > pace.done) model_.left[job.label] = (pace.total - pace.done) / rate;
  }

  double cpu_seconds = 0;
  double longest = 0;
  std::size_t known = 0;
  model_.left_unknown = 0;
  for (const exec::VariantNow& variant : model_.now.variants) {
    const bool running = variant.state == exec::VariantState::running;
    if (!running && variant.state != exec::VariantState::waiting && variant.state != exec::VariantState::ready)
      continue;
    const std::map<std::string, double>& source = running ? model_.left : expected_;
    const auto left = source.find(variant.label);
    if (left == source.end()) {
      ++model_.left_unknown;
      continue;
    }
    ++known;
    cpu_seconds += left->second * std::min(cpus_[variant.label], model_.now.cpus);
    longest = std::max(longest, left->second);
  }
  model_.left_seconds.reset();
  if (known > 0) model_.left_seconds = std::max(longest, cpu_seconds / std::max(model_.now.cpus, 1U));
}

void LiveDisplay::draw() {
  if (model_.now.variants.empty()) return;
  const Paper paper = paper_of_terminal();
  const std::size_t rows = rows_taken(lines_on_screen_, paper);
  lines_on_screen_ = live_lines(model_, paper);
  write(redraw_text(rows, lines_on_screen_));
}

void LiveDisplay::erase() {
  if (!drawn_before()) return;
  write(redraw_text(rows_taken(lines_on_screen_, paper_of_terminal()), {}));
  lines_on_screen_.clear();
}

void LiveDisplay::finish() {
  model_.ended = true;
  draw();
  lines_on_screen_.clear();
}

}  // namespace lowbit::cli
