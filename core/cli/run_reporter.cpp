#include "cli/run_reporter.h"

#include <array>
#include <cstdio>

#include "base/utf8.h"
#include "base/words.h"
#include "env/clock.h"

namespace lowbit::cli {
namespace {

using namespace std::chrono_literals;
using Kind = exec::Event::Kind;

constexpr auto kHeartbeat = 60s;
constexpr std::size_t kListed = 5;

std::string_view state_name(Kind kind) {
  switch (kind) {
    case Kind::started: return "run";
    case Kind::resumed: return "resume";
    case Kind::adopted: return "adopt";
    case Kind::done: return "done";
    case Kind::cut_off: return "same";
    case Kind::failed: return "FAIL";
    case Kind::retrying: return "retry";
    case Kind::cancelled: return "stop";
    case Kind::blocked: return "blocked";
    case Kind::reopened: return "again";
    case Kind::progress: return "...";
    case Kind::notice: return "note";
    case Kind::stalled: return "stalled";
    case Kind::gated: return "gated";
  }
  return "";
}

bool settles(Kind kind) {
  return kind == Kind::done || kind == Kind::cut_off || kind == Kind::failed || kind == Kind::blocked ||
         kind == Kind::cancelled;
}

}  // namespace

void LineReporter::line(const std::string& state, const std::string& label, const std::string& text) const {
  std::string count(11, ' ');
  if (to_do_ > 0) {
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%5zu/%-5zu", settled_, to_do_);
    count = buffer.data();
  }
  std::fprintf(stderr, "%s %s %-7s %s%s%s\n", env::local_time_of_day().c_str(), count.c_str(), state.c_str(),
               printable(label).c_str(), text.empty() ? "" : "  ", printable(text).c_str());
}

void LineReporter::on_recovery(const exec::Recovery& recovery) {
  if (json_) return;
  if (!recovery.harvested.empty())
    line("harvest", listed(recovery.harvested, kListed), "finished while no lowbit was watching");
  if (!recovery.lost.empty()) line("lost", listed(recovery.lost, kListed), "killed before finishing; will run again");
  if (!recovery.failed.empty()) line("FAIL", listed(recovery.failed, kListed), "failed while no lowbit was watching");
}

void LineReporter::on_plan(const graph::ExpandedGraph& graph, const graph::Plan& plan) {
  to_do_ = plan.count(graph::Decision::run) + plan.count(graph::Decision::maybe);
  if (json_) return;
  for (const std::string& note : graph.notes) line("note", note, "");
  for (const std::string& notice : plan.notices) line("note", notice, "");
}

void LineReporter::on_event(const exec::Event& event) {
  count(event);
  print(event);
}

void LineReporter::count(const exec::Event& event) {
  if (settles(event.kind)) ++settled_;
  if (event.kind == Kind::reopened) --settled_;
}

void LineReporter::print(const exec::Event& event) {
  if (json_) {
    const Json json{{"at", env::utc_now()}, {"event", state_name(event.kind)}, {"stage", event.label},
                    {"text", event.text},   {"failure", event.failure},        {"settled", settled_},
                    {"of", to_do_}};
    std::printf("%s\n", canonical(json).c_str());
    std::fflush(stdout);
    return;
  }
  if (event.kind == Kind::progress) {
    const auto now = std::chrono::steady_clock::now();
    const auto [it, fresh] = last_heartbeat_.try_emplace(event.label, now);
    if (fresh || now - it->second < kHeartbeat) return;
    it->second = now;
    std::string text = canonical(event.failure.value("done", Json(0)));
    if (event.failure.value("total", 0) != 0) text += " of " + canonical(event.failure["total"]);
    line("...", event.label, text + " " + event.failure.value("unit", std::string()));
    return;
  }
  line(std::string(state_name(event.kind)), event.label, event.text);
  if (event.kind == Kind::failed && event.failure.is_object()) {
    for (const char* key : {"where", "why", "fix"}) {
      const std::string text = event.failure.value(key, std::string());
      if (!text.empty() && text != event.label)
        std::fprintf(stderr, "%21s %-5s %s\n", "", key, printable(text).c_str());
    }
  }
}

std::string summary_line(const exec::RunSummary& s, double seconds, const std::string& command) {
  const auto part = [](std::size_t n, const char* what) {
    return n == 0 ? std::string() : ", " + std::to_string(n) + " " + what;
  };
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%.1f s", seconds);
  if (s.done + s.cut_off + s.failed + s.blocked + s.cancelled == 0 && !s.interrupted && s.machine.empty()) {
    if (s.gated + s.behind_gate > 0) {
      return "nothing to do: " + std::to_string(s.reused) + " up to date" + part(s.gated, "held back by a gate") +
             part(s.behind_gate, "behind one") + " (" + time.data() + ")";
    }
    return "nothing to do: all " + std::to_string(s.reused) + " stages are up to date (" + time.data() + ")";
  }
  std::string text = std::to_string(s.done) + " done" + part(s.reused, "reused") + part(s.cut_off, "cut off") +
                     part(s.failed, "failed") + part(s.blocked, "blocked") + part(s.cancelled, "stopped") +
                     part(s.not_started, "not started") + part(s.gated, "held back by a gate") +
                     part(s.behind_gate, "behind one") + " in " + time.data();
  if (s.failed + s.blocked + s.cancelled > 0 || s.interrupted || !s.machine.empty())
    text += "; continue with: " + command;
  return text;
}

}  // namespace lowbit::cli
