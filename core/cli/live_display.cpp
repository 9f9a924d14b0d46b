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

}  // namespace

Paper paper_of(int descriptor) {
  Paper paper;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    paper.width = size.ws_col;
    paper.height = size.ws_row;
  }
  paper.height = std::max<std::size_t>(paper.height, 2) - 1;  // the cursor stands below
  paper.colour = variable("NO_COLOR").empty();
  paper.unicode = utf8_locale();
  return paper;
}

namespace {

Paper paper_of_terminal() { return paper_of(STDERR_FILENO); }

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

}  // namespace

bool can_redraw() { return ::isatty(STDERR_FILENO) == 1 && !variable("TERM").empty() && variable("TERM") != "dumb"; }

LiveDisplay::~LiveDisplay() { erase(); }

std::chrono::milliseconds LiveDisplay::tick() const { return variants_ > kMany ? kTickOfMany : kTick; }

void LiveDisplay::on_recovery(const exec::Recovery& recovery) { lines_.on_recovery(recovery); }

void LiveDisplay::on_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan) {
  lines_.on_plan(graph, plan);
  variants_ = graph.variants.size();
}

void LiveDisplay::on_event(const exec::Event& event) {
  lines_.count(event);
  if (!is_worth_a_line(event.kind)) return;
  erase();
  lines_.print(event);
  draw();
}

void LiveDisplay::on_tick(const exec::Snapshot& now) {
  model_.now = now;
  model_.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  model_.left = time_left(now, history_);
  draw();
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
