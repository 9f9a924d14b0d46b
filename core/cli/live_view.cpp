#include "cli/live_view.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "base/utf8.h"
#include "domain/quantity_text.h"
#include "report/text_table.h"

namespace lowbit::cli {
namespace {

using exec::VariantState;

enum class Tone { plain, dim, bold, good, same, busy, bad };

struct Span {
  std::string text;
  Tone tone = Tone::plain;
};
using Line = std::vector<Span>;

const char* ansi(Tone tone) {
  switch (tone) {
    case Tone::plain: return "";
    case Tone::dim: return "\x1b[2m";
    case Tone::bold: return "\x1b[1m";
    case Tone::good: return "\x1b[32m";
    case Tone::same: return "\x1b[36m";
    case Tone::busy: return "\x1b[33m";
    case Tone::bad: return "\x1b[31m";
  }
  return "";
}

/// How a state looks: never by colour alone.
struct Mark {
  VariantState state;
  const char* glyph;
  char ascii;
  Tone tone;
  const char* word;
};

// In the order of columns and of the legend.
constexpr std::array<Mark, exec::kVariantStates> kMarks{{
    {VariantState::failed, "✗", 'x', Tone::bad, "failed"},
    {VariantState::running, "▶", '>', Tone::busy, "running"},
    {VariantState::done, "✓", 'o', Tone::good, "done"},
    {VariantState::reused, "≡", '=', Tone::same, "reused"},
    {VariantState::cut_off, "≈", '~', Tone::same, "same"},
    {VariantState::ready, "◦", ':', Tone::plain, "ready"},
    {VariantState::waiting, "·", '.', Tone::dim, "waiting"},
    {VariantState::blocked, "⊘", '#', Tone::bad, "blocked"},
    {VariantState::cancelled, "■", 's', Tone::bad, "stopped"},
    {VariantState::gated, "▲", '^', Tone::bad, "gated"},
    {VariantState::behind_gate, "△", 'v', Tone::bad, "behind a gate"},
    {VariantState::left_out, "–", '-', Tone::dim, "left out"},
}};

const Mark& mark_of(VariantState state) {
  return *std::find_if(kMarks.begin(), kMarks.end(), [&](const Mark& mark) { return mark.state == state; });
}

std::string glyph(const Mark& mark, const Paper& paper) {
  return paper.unicode ? mark.glyph : std::string(1, mark.ascii);
}

std::string rendered(Line line, const Paper& paper) {
  std::size_t width = 0;
  for (Span& span : line) span.text = printable(span.text);
  for (const Span& span : line) width += width_of(span.text);
  std::size_t room = width <= paper.width ? width : paper.width - 1;
  const bool cut = width > paper.width;
  std::string out;
  for (const Span& span : line) {
    const std::string_view text = first_characters(span.text, room);
    room -= width_of(text);
    if (text.empty()) continue;
    const bool coloured = paper.colour && span.tone != Tone::plain;
    out += coloured ? ansi(span.tone) : "";
    out += text;
    out += coloured ? "\x1b[0m" : "";
  }
  if (cut) out += paper.unicode ? "…" : ">";
  return out;
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 10 ? "%.1f" : "%.0f", value);
  return text.data();
}

/// By its own speed, else by what its like took (`expected`, seconds).
std::optional<double> left_of(const exec::JobNow& job, std::optional<double> expected) {
  const auto member = [&](const char* name) {
    const auto it = job.progress.find(name);
    return it != job.progress.end() && it->is_number() ? it->get<double>() : 0.0;
  };
  if (job.progress.is_object() && job.speed > 0 && member("total") > member("done")) {
    return (member("total") - member("done")) / job.speed;
  }
  if (!expected) return std::nullopt;
  return std::max(*expected - job.seconds, 0.0);
}

class View {
 public:
  View(const LiveModel& model, const Paper& paper) : model_(model), now_(model.now), paper_(paper) {}

  std::vector<std::string> lines() {
    header();
    if (!model_.ended) {
      const std::size_t room = paper_.height - 1;
      failures(std::max<std::size_t>(room / 4, 1));
      running(std::max<std::size_t>(room / 3, 1));
    }
    matrix();
    if (out_.size() > paper_.height) out_.resize(paper_.height);
    return std::move(out_);
  }

 private:
  void add(const Line& line) { out_.push_back(rendered(line, paper_)); }
  [[nodiscard]] std::size_t room() const { return paper_.height - std::min(paper_.height, out_.size()); }

  void header() {
    Line line{{now_.experiment, Tone::bold}, {"  " + duration_text(model_.seconds)}};
    const std::size_t all = now_.variants.size();
    const std::size_t open =
        now_.count(VariantState::waiting) + now_.count(VariantState::ready) + now_.count(VariantState::running);
    line.push_back({"  " + std::to_string(all - open) + "/" + std::to_string(all) + ":", Tone::bold});
    for (const Mark& mark : kMarks) {
      if (const std::size_t n = now_.count(mark.state); n > 0) {
        line.push_back({" " + std::to_string(n) + " " + mark.word, mark.tone});
      }
    }
    if (!model_.ended) {
      line.push_back({"  " + left()});
      line.push_back({"  cpus " + std::to_string(now_.cpus_in_use) + "/" + std::to_string(now_.cpus)});
      if (now_.gpus > 0)
        line.push_back({"  gpus " + std::to_string(now_.gpus_in_use) + "/" + std::to_string(now_.gpus)});
      if (now_.stopping) line.push_back({"  stopping", Tone::bad});
    }
    add(line);
  }

  [[nodiscard]] std::string left() const {
    if (!model_.left.seconds) return "left: not known yet";
    std::string text = "left about " + duration_text(*model_.left.seconds);
    if (model_.left.unknown > 0) text += " and " + std::to_string(model_.left.unknown) + " unknown";
    return text;
  }

  void failures(std::size_t most) {
    std::vector<const exec::VariantNow*> failed;
    for (const exec::VariantNow& variant : now_.variants) {
      if (variant.state == VariantState::failed) failed.push_back(&variant);
    }
    const std::size_t shown = failed.size() <= most ? failed.size() : most - 1;
    for (std::size_t i = 0; i < shown; ++i) {
      const Mark& mark = mark_of(VariantState::failed);
      add({{glyph(mark, paper_) + " " + failed[i]->label, mark.tone}, {"  " + failed[i]->text}});
    }
    if (shown < failed.size()) {
      add({{"  " + std::to_string(failed.size() - shown) + (shown == 0 ? "" : " more") + " failed", Tone::bad},
           {"  lowbit status --failed"}});
    }
  }

  void running(std::size_t most) {
    std::size_t width = 0;
    for (const exec::JobNow& job : now_.running) width = std::max(width, width_of(job.label));
    width = std::min(width, paper_.width / 2);
    const std::size_t shown = now_.running.size() <= most ? now_.running.size() : most - 1;
    for (std::size_t i = 0; i < shown; ++i) job(now_.running[i], width);
    if (shown < now_.running.size()) {
      add({{"  " + std::to_string(now_.running.size() - shown) + (shown == 0 ? "" : " more") + " running",
            Tone::busy}});
    }
  }

  void job(const exec::JobNow& job, std::size_t width) {
    const Mark& mark = mark_of(VariantState::running);
    Line line{{glyph(mark, paper_) + " " + padded(job.label, width), mark.tone}};
    if (!job.also_for.empty()) line.push_back({" +" + std::to_string(job.also_for.size()), Tone::dim});
    line.push_back({"  " + duration_text(job.seconds)});
    if (job.progress.is_object()) {
      std::string text = "  " + canonical(job.progress.value("done", Json(0)));
      if (const Json total = job.progress.value("total", Json(0)); total != 0) text += " of " + canonical(total);
      line.push_back({text + " " + job.progress.value("unit", std::string())});
    }
    if (job.speed > 0) line.push_back({"  " + number(job.speed) + "/s"});
    if (const auto left = model_.left.by_job.find(job.label); left != model_.left.by_job.end()) {
      line.push_back({"  left " + duration_text(left->second)});
    }
    line.push_back({"  " + count_text(job.cpus, "cpu"), Tone::dim});
    for (std::size_t i = 0; i < job.gpus.size(); ++i) {
      line.push_back({(i == 0 ? " gpu " : ",") + job.gpus[i], Tone::dim});
    }
    if (job.memory_bytes > 0) line.push_back({" " + bytes_text(job.memory_bytes), Tone::dim});
    for (const auto& [endpoint, per_minute] : job.rates) {
      line.push_back({" " + endpoint + " " + std::to_string(per_minute) + "/min", Tone::dim});
    }
    add(line);
  }

  void matrix() {
    for (const exec::VariantNow& variant : now_.variants) {
      if (std::find(stages_.begin(), stages_.end(), variant.stage) == stages_.end()) stages_.push_back(variant.stage);
      const std::string& row = variant.point;
      if (std::find(rows_.begin(), rows_.end(), row) == rows_.end()) rows_.push_back(row);
      if (rows_.size() > kMaxRows) break;  // too large for a grid: the rest is not looked for
      cells_[{row, variant.stage}].push_back(variant.state);
    }
    if (!grid()) counts();
  }

  /// A row for each point of the axes, a column for each stage, a mark for each seed.
  bool grid() {
    constexpr std::size_t kMaxMarks = 8;
    if (rows_.size() > kMaxRows || rows_.size() + 2 > room()) return false;
    std::size_t first = 0;
    for (const std::string& row : rows_) first = std::max(first, width_of(row));
    std::vector<std::size_t> widths;
    std::size_t total = first;
    for (const std::string& stage : stages_) {
      std::size_t width = width_of(stage);
      for (const std::string& row : rows_) {
        const auto cell = cells_.find({row, stage});
        if (cell == cells_.end()) continue;
        if (cell->second.size() > kMaxMarks) return false;
        width = std::max(width, cell->second.size());
      }
      widths.push_back(width);
      total += 2 + width;
    }
    if (total > paper_.width) return false;

    Line header{{std::string(first, ' ')}};
    for (std::size_t s = 0; s < stages_.size(); ++s)
      header.push_back({"  " + padded(stages_[s], widths[s]), Tone::dim});
    add(header);
    for (const std::string& row : rows_) {
      Line line{{padded(row, first)}};
      for (std::size_t s = 0; s < stages_.size(); ++s) {
        line.push_back({"  "});
        const auto cell = cells_.find({row, stages_[s]});
        const std::size_t n = cell == cells_.end() ? 0 : cell->second.size();
        for (std::size_t i = 0; i < n; ++i) {
          const Mark& mark = mark_of(cell->second[i]);
          line.push_back({glyph(mark, paper_), mark.tone});
        }
        if (s + 1 < stages_.size()) line.push_back({std::string(widths[s] - n, ' ')});
      }
      add(line);
    }
    legend();
    return true;
  }

  void legend() {
    Line line;
    for (const Mark& mark : kMarks) {
      if (now_.count(mark.state) == 0) continue;
      line.push_back({(line.empty() ? "" : "  ") + glyph(mark, paper_) + " " + mark.word, Tone::dim});
    }
    add(line);
  }

  /// A row for each stage, a column for each state that something is in.
  void counts() {
    std::vector<const Mark*> marks;
    for (const Mark& mark : kMarks) {
      if (now_.count(mark.state) > 0) marks.push_back(&mark);
    }
    std::vector<std::string> stages;
    std::map<std::string, std::map<VariantState, std::size_t>> counts;
    for (const exec::VariantNow& variant : now_.variants) {
      if (!counts.contains(variant.stage)) stages.push_back(variant.stage);
      ++counts[variant.stage][variant.state];
    }
    std::size_t first = 5;
    for (const std::string& stage : stages) first = std::max(first, width_of(stage));
    first = std::min(first, paper_.width / 2);
    Line header{{padded("stage", first), Tone::dim}};
    for (const Mark* mark : marks) {
      header.push_back({std::string("  ") + glyph(*mark, paper_) + " " + padded(mark->word, 6), mark->tone});
    }
    if (room() < 2) return;
    add(header);
    const std::size_t shown = stages.size() <= room() ? stages.size() : room() - 1;
    for (std::size_t i = 0; i < shown; ++i) {
      Line line{{padded(stages[i], first)}};
      for (const Mark* mark : marks) {
        const std::size_t n = counts[stages[i]][mark->state];
        const std::size_t width = 2 + std::max<std::size_t>(width_of(mark->word), 6);
        const std::string text = n == 0 ? "" : std::to_string(n);
        line.push_back({"  " + std::string(width - std::min(width, text.size()), ' ') + text, mark->tone});
      }
      add(line);
    }
    if (shown < stages.size()) add({{"and " + count_text(stages.size() - shown, "stage") + " more", Tone::dim}});
  }

  static constexpr std::size_t kMaxRows = 24;
  const LiveModel& model_;
  const exec::Snapshot& now_;
  const Paper& paper_;
  std::vector<std::string> stages_;
  std::vector<std::string> rows_;
  std::map<std::pair<std::string, std::string>, std::vector<VariantState>> cells_;  ///< by row and stage
  std::vector<std::string> out_;
};

}  // namespace

TimeLeft time_left(const exec::Snapshot& now, const graph::CostHistory& history) {
  TimeLeft left;
  std::map<std::string, const exec::JobNow*> jobs;
  for (const exec::JobNow& job : now.running) jobs[job.label] = &job;
  double cpu_seconds = 0;
  double longest = 0;
  std::size_t known = 0;
  for (const exec::VariantNow& variant : now.variants) {
    const bool running = variant.state == VariantState::running;
    if (!running && variant.state != VariantState::waiting && variant.state != VariantState::ready) continue;
    std::optional<double> seconds;
    if (const auto cost = history.of(variant.plugin, variant.label)) seconds = cost->seconds;
    if (running) {
      const auto job = jobs.find(variant.label);
      if (job == jobs.end()) continue;  // another variant of the same work, or about to be told done
      seconds = left_of(*job->second, seconds);
      if (seconds) left.by_job[variant.label] = *seconds;
    }
    if (!seconds) {
      ++left.unknown;
      continue;
    }
    ++known;
    cpu_seconds += *seconds * std::min(variant.cpus, now.cpus);
    longest = std::max(longest, *seconds);
  }
  if (known > 0) left.seconds = std::max(longest, cpu_seconds / std::max(now.cpus, 1U));
  return left;
}

std::vector<std::string> live_lines(const LiveModel& model, const Paper& paper) {
  const Paper usable{.width = std::max<std::size_t>(paper.width, 20),
                     .height = std::max<std::size_t>(paper.height, 3),
                     .colour = paper.colour,
                     .unicode = paper.unicode};
  return View(model, usable).lines();
}

std::size_t columns_of(const std::string& line) {
  std::string visible;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      i = line.find('m', i);
      if (i == std::string::npos) break;
    } else {
      visible += line[i];
    }
  }
  return width_of(visible);
}

std::string redraw_text(std::size_t rows, const std::vector<std::string>& lines) {
  std::string text = "\x1b[?2026h";  // terminals that know it show all of this at once
  if (rows > 0) text += "\x1b[" + std::to_string(rows) + "A";
  text += "\r\x1b[J";
  for (const std::string& line : lines) text += line + "\r\n";
  return text + "\x1b[?2026l";
}

}  // namespace lowbit::cli
