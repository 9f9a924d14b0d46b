#include "exec/progress_watch.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using exec::ProgressWatch;
using namespace std::chrono_literals;

namespace {

constexpr ProgressWatch::Time kStart{};

Json at(std::uint64_t done, std::uint64_t total = 40) {
  return {{"k", "progress"}, {"done", done}, {"total", total}, {"unit", "blocks"}};
}

}  // namespace

TEST_CASE("a job that never said where it is cannot be called stalled", "[exec][stall]") {
  ProgressWatch watch(1min, kStart);
  watch.hear({{"k", "log"}, {"level", 1}, {"text", "loading"}}, kStart + 1s);
  CHECK_FALSE(watch.stalled(kStart + 24h));
}

TEST_CASE("a job has stalled when its position stays for longer than its limit, and that is told once",
          "[exec][stall]") {
  ProgressWatch watch(1min, kStart);
  watch.hear(at(11), kStart + 10s);
  CHECK_FALSE(watch.stalled(kStart + 69s));
  CHECK(watch.stalled(kStart + 70s) == std::optional<std::chrono::milliseconds>(60s));
  CHECK_FALSE(watch.stalled(kStart + 71s));
  CHECK(watch.position() == "11 of 40 blocks");
  watch.hear(at(12), kStart + 80s);
  CHECK_FALSE(watch.stalled(kStart + 139s));
  CHECK(watch.stalled(kStart + 141s) == std::optional<std::chrono::milliseconds>(61s));
}

TEST_CASE("to repeat a position is no progress; a checkpoint and a curve point are", "[exec][stall]") {
  ProgressWatch watch(1min, kStart);
  watch.hear(at(11), kStart);
  SECTION("the same position") {
    watch.hear(at(11), kStart + 30s);
    CHECK(watch.stalled(kStart + 61s));
  }
  SECTION("a final metric") {
    watch.hear({{"k", "metric"}, {"name", "x/a"}, {"step", -1}}, kStart + 30s);
    CHECK(watch.stalled(kStart + 61s));
  }
  SECTION("a checkpoint") {
    watch.hear({{"k", "checkpoint"}, {"step", 3}}, kStart + 30s);
    CHECK_FALSE(watch.stalled(kStart + 61s));
  }
  SECTION("a curve point") {
    watch.hear({{"k", "metric"}, {"name", "x/a"}, {"step", 3}}, kStart + 30s);
    CHECK_FALSE(watch.stalled(kStart + 61s));
  }
}

TEST_CASE("without a limit a slow job sets its own: five times its longest pause", "[exec][stall]") {
  ProgressWatch quick(0ms, kStart);
  quick.hear(at(1), kStart + 1s);
  CHECK(quick.stalled(kStart + 1s + ProgressWatch::kPatience));

  ProgressWatch slow(0ms, kStart);
  slow.hear(at(1), kStart);
  slow.hear(at(2), kStart + 1h);
  CHECK_FALSE(slow.stalled(kStart + 5h));
  CHECK(slow.stalled(kStart + 6h));
}

TEST_CASE("a job's speed is that of the way it has made since it first said where it is", "[exec][stall]") {
  ProgressWatch watch(0ms, kStart);
  CHECK(watch.speed() == 0);
  watch.hear(at(7), kStart + 5s - 1ms);  // read together with the next one
  watch.hear(at(10), kStart + 5s);       // resumed: the first ten are not of this attempt
  CHECK(watch.speed() == 0);
  watch.hear(at(14), kStart + 7s);
  CHECK(watch.speed() == Approx(2).epsilon(0.01));
  watch.hear(at(14), kStart + 60s);
  CHECK(watch.speed() == Approx(2).epsilon(0.01));
  watch.hear(at(1), kStart + 100s);  // something else is counted now
  CHECK(watch.speed() == 0);
  watch.hear(at(3), kStart + 104s);
  CHECK(watch.speed() == 0.5);
}

TEST_CASE("a position without a total is said without one", "[exec][stall]") {
  CHECK(exec::position_text(at(7, 0)) == "7 blocks");
  CHECK(ProgressWatch(0ms, kStart).position().empty());
}
