// The picture of a run on a terminal, whole.
#include "cli/live_view.h"

#include <catch2/catch.hpp>

using lowbit::Json;
using lowbit::cli::columns_of;
using lowbit::cli::live_lines;
using lowbit::cli::LiveModel;
using lowbit::cli::Paper;
using lowbit::cli::redraw_text;
using lowbit::cli::time_left;
using lowbit::exec::VariantState;

namespace {

void add(LiveModel& model, const std::string& stage, const std::string& row, VariantState state,
         const std::string& text = {}, const std::string& seed = {}) {
  const std::string inner = row + (seed.empty() ? "" : (row.empty() ? "" : ",") + ("seed=" + seed));
  model.now.variants.push_back({.label = inner.empty() ? stage : stage + "[" + inner + "]",
                                .stage = stage,
                                .state = state,
                                .text = text,
                                .cause = {},
                                .point = row});
}

LiveModel sweep() {
  LiveModel model;
  model.now.experiment = "restore";
  model.now.cpus = 4;
  model.now.cpus_in_use = 3;
  model.seconds = 72;
  model.left.seconds = 100;
  model.left.unknown = 2;
  add(model, "quantize", "bits=4", VariantState::reused);
  add(model, "quantize", "bits=3", VariantState::cut_off);
  for (const char* seed : {"0", "1"}) {
    add(model, "dpo", "bits=4", seed[0] == '0' ? VariantState::done : VariantState::running, {}, seed);
    add(model, "dpo", "bits=3", seed[0] == '0' ? VariantState::failed : VariantState::running,
        seed[0] == '0' ? "killed by signal 9" : "", seed);
  }
  add(model, "table", "", VariantState::blocked);
  model.now.running.push_back({.label = "dpo[bits=3,seed=1]",
                               .also_for = {},
                               .seconds = 31.2,
                               .progress = {{"done", 40}, {"total", 200}, {"unit", "steps"}},
                               .cpus = 2,
                               .gpus = {}});
  model.now.running.push_back({.label = "dpo[bits=4,seed=1]",
                               .also_for = {"dpo2"},
                               .seconds = 2,
                               .progress = nullptr,
                               .cpus = 1,
                               .gpus = {"0"}});
  model.now.running[0].speed = 1.25;
  model.left.by_job["dpo[bits=3,seed=1]"] = 128;
  return model;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("a small sweep shows failures first, then what runs, then a mark for every variant", "[cli][live]") {
  CHECK(
      joined(live_lines(sweep(), {.width = 120, .height = 24, .colour = false, .unicode = true})) ==
      R"(restore  72 s  5/7: 1 failed 2 running 1 done 1 reused 1 same 1 blocked  left about 1 min 40 s and 2 unknown  cpus 3/4
✗ dpo[bits=3,seed=0]  killed by signal 9
▶ dpo[bits=3,seed=1]  31 s  40 of 200 steps  1.2/s  left 2 min 8 s  2 cpus
▶ dpo[bits=4,seed=1] +1  2.0 s  1 cpu gpu 0
        quantize  dpo  table
bits=4  ≡         ✓▶   
bits=3  ≈         ✗▶   
                       ⊘
✗ failed  ▶ running  ✓ done  ≡ reused  ≈ same  ⊘ blocked
)");
}

TEST_CASE("without UTF-8 every mark is another character", "[cli][live]") {
  CHECK(
      joined(live_lines(sweep(), {.width = 120, .height = 24, .colour = false, .unicode = false})) ==
      R"(restore  72 s  5/7: 1 failed 2 running 1 done 1 reused 1 same 1 blocked  left about 1 min 40 s and 2 unknown  cpus 3/4
x dpo[bits=3,seed=0]  killed by signal 9
> dpo[bits=3,seed=1]  31 s  40 of 200 steps  1.2/s  left 2 min 8 s  2 cpus
> dpo[bits=4,seed=1] +1  2.0 s  1 cpu gpu 0
        quantize  dpo  table
bits=4  =         o>   
bits=3  ~         x>   
                       #
x failed  > running  o done  = reused  ~ same  # blocked
)");
}

TEST_CASE("a sweep too large for a grid is counted by stage, and what has no room is told", "[cli][live]") {
  LiveModel model;
  model.now.experiment = "large";
  model.now.cpus = 2;
  for (int i = 0; i < 40; ++i) {
    const std::string row = "x=" + std::to_string(i);
    add(model, "first", row, VariantState::done);
    add(model, "second", row, i < 7 ? VariantState::failed : VariantState::waiting, "no memory");
    add(model, "third", row, VariantState::waiting);
  }
  CHECK(joined(live_lines(model, {.width = 80, .height = 10, .colour = false, .unicode = true})) ==
        R"(large  0.0 s  47/120: 7 failed 40 done 73 waiting  left: not known yet  cpus 0/2
✗ second[x=0]  no memory
  6 more failed  lowbit status --failed
stage   ✗ failed  ✓ done    · waiting
first                   40           
second         7                   33
third                              40
)");
}

TEST_CASE("no line is wider than the paper and no picture higher, with colour or without", "[cli][live]") {
  for (const bool colour : {true, false}) {
    for (const std::size_t width : {20U, 33U, 80U, 200U}) {
      for (const std::size_t height : {3U, 5U, 8U, 40U}) {
        const auto lines = live_lines(sweep(), {.width = width, .height = height, .colour = colour, .unicode = true});
        CHECK(lines.size() <= height);
        for (const std::string& line : lines) CHECK(columns_of(line) <= width);
      }
    }
  }
}

TEST_CASE("colour never stands alone: without it the same text remains", "[cli][live]") {
  const auto with = live_lines(sweep(), {.width = 100, .height = 24, .colour = true, .unicode = true});
  const auto without = live_lines(sweep(), {.width = 100, .height = 24, .colour = false, .unicode = true});
  REQUIRE(with.size() == without.size());
  CHECK(with != without);
  for (std::size_t i = 0; i < with.size(); ++i) {
    std::string plain = with[i];
    for (std::size_t at = plain.find('\x1b'); at != std::string::npos; at = plain.find('\x1b')) {
      plain.erase(at, plain.find('m', at) - at + 1);
    }
    CHECK(plain == without[i]);
  }
}

TEST_CASE("the time left is by a job's own speed, else by what its like took, with all processors busy",
          "[cli][live]") {
  const lowbit::graph::CostHistory history({{.label = "train[x=1]", .plugin_id = "sft", .seconds = 100, .bytes = 1},
                                            {.label = "train[x=2]", .plugin_id = "sft", .seconds = 40, .bytes = 1}});
  lowbit::exec::Snapshot now;
  now.cpus = 4;
  const auto variant = [&](const std::string& label, VariantState state, unsigned cpus = 1) {
    now.variants.push_back({.label = label,
                            .stage = label.substr(0, label.find('[')),
                            .state = state,
                            .text = {},
                            .cause = {},
                            .point = {},
                            .plugin = "sft",
                            .cpus = cpus});
  };
  const auto job = [&](const std::string& label, double seconds, const Json& progress, double speed) {
    now.running.push_back({.label = label,
                           .also_for = {},
                           .seconds = seconds,
                           .progress = progress,
                           .cpus = 1,
                           .gpus = {},
                           .memory_bytes = 0,
                           .rates = {},
                           .speed = speed});
  };
  CHECK_FALSE(time_left(now, history).seconds);
  variant("train[x=1]", VariantState::running);
  job("train[x=1]", 30, nullptr, 0);
  CHECK(time_left(now, history).by_job.at("train[x=1]") == 70);
  now.running[0].progress = {{"done", 10}, {"total", 30}};
  now.running[0].speed = 0.5;
  CHECK(time_left(now, history).by_job.at("train[x=1]") == 40);
  variant("train[x=2]", VariantState::waiting, 8);  // cut to the four that there are: 160 processor seconds
  variant("new", VariantState::ready);
  variant("train[x=3]", VariantState::done);
  const lowbit::cli::TimeLeft left = time_left(now, history);
  CHECK(left.seconds == std::optional<double>((40 + 160) / 4.0));
  CHECK(left.unknown == 1);
}

TEST_CASE("the last picture keeps the matrix and drops what is over", "[cli][live]") {
  LiveModel model = sweep();
  model.ended = true;
  CHECK(joined(live_lines(model, {.width = 90, .height = 24, .colour = false, .unicode = true})) ==
        R"(restore  72 s  5/7: 1 failed 2 running 1 done 1 reused 1 same 1 blocked
        quantize  dpo  table
bits=4  ≡         ✓▶   
bits=3  ≈         ✗▶   
                       ⊘
✗ failed  ▶ running  ✓ done  ≡ reused  ≈ same  ⊘ blocked
)");
}

TEST_CASE("a picture is drawn over the one before it", "[cli][live]") {
  CHECK(redraw_text(0, {"one"}) == "\x1b[?2026h\r\x1b[Jone\r\n\x1b[?2026l");
  CHECK(redraw_text(3, {"one", "two"}) == "\x1b[?2026h\x1b[3A\r\x1b[Jone\r\ntwo\r\n\x1b[?2026l");
}
