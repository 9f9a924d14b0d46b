// What the host adds to a job: from the moment a job's lease is free until the next job would be exec'ed, with many
// variants ready. Real store, real attempt directories with their syncs; workers that end as soon as they are told to.
//
//   build/release/tests/scheduler_bench [--ready 10000] [--jobs 500] [--cpus 2] [--demands 4] [--directory DIR]
//                                        [--clock wall|cpu]
//
// Also what choosing alone costs. Results are published between the jobs, as in a run, and do not count there.
// The last line is all that is done for a stage in this one process: from its start to its published result, with what
// its job would write, written here.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/options.h"
#include "support/scripted_run.h"

namespace {

using namespace lowbit;

void print(const char* what, std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double part) {
    return 1e3 * seconds[std::min(seconds.size() - 1, static_cast<std::size_t>(part * double(seconds.size())))];
  };
  std::printf("%-34s %8zu %10.3f %10.3f %10.3f\n", what, seconds.size(), at(0.5), at(0.99), at(1));
}

Resources resources_of(std::size_t variant, std::size_t demands) {
  return {.cpus = 1, .memory_bytes = 1 + variant % demands, .rates = {}};
}

std::vector<double> time_choosing(std::size_t ready, std::size_t jobs, std::size_t demands) {
  const exec::Capacity capacity{.cpus = 1, .memory_bytes = std::uint64_t{1} << 40U, .gpus = {}, .rates = {}};
  exec::ResourcePool pool(capacity);
  exec::ReadyQueue queue;
  for (std::size_t i = 0; i < ready; ++i) {
    queue.push(i, exec::demand_of(resources_of(i, demands), capacity), double(i % 1000));
  }
  std::vector<double> times;
  for (std::size_t i = 0; i < jobs; ++i) {
    times.push_back(bench::seconds([&] {
      const auto variant = queue.pop(pool);
      const exec::Lease lease = pool.take(exec::demand_of(resources_of(*variant, demands), capacity));
      if (queue.pop(pool)) std::abort();  // one thread: nothing else fits
    }));
  }
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(
      argc, argv,
      {{"ready", "10000"}, {"jobs", "500"}, {"cpus", "2"}, {"demands", "4"}, {"directory", ""}, {"clock", "wall"}});
  const auto ready = static_cast<std::size_t>(options.number("ready"));
  const auto jobs = std::min(ready / 2, static_cast<std::size_t>(options.number("jobs")));
  const auto demands = static_cast<std::size_t>(options.number("demands"));
  if (!options.text("directory").empty()) ::setenv("TMPDIR", options.text("directory").c_str(), 1);

  bench::by_processor_time = options.text("clock") == "cpu";

  test::Bench run;
  for (std::size_t i = 0; i < ready; ++i) {
    run.add("stage-" + std::to_string(i), {.resources = resources_of(i, demands)});
  }
  std::vector<double> times;
  double freed = 0;
  run.workers.when_ended = [&] { freed = bench::now(); };
  run.workers.when_started = [&] {
    if (freed > 0) times.push_back(bench::now() - freed);
    freed = 0;
  };
  exec::SchedulerOptions scheduler;
  scheduler.capacity = {.cpus = static_cast<std::uint32_t>(options.number("cpus")),
                        .memory_bytes = std::uint64_t{1} << 40U,
                        .gpus = {},
                        .rates = {}};
  run.start(std::move(scheduler));
  const double whole = bench::seconds([&] {
    for (std::size_t i = 0; i < jobs; ++i) {
      run.workers.finish(run.workers.running().front());
      run.loop.advance(std::chrono::milliseconds(1));
    }
  });
  std::printf("%zu variants ready              jobs    p50, ms    p99, ms    max, ms\n", ready);
  print("lease free to next job's start", times);
  print("of that, choosing it", time_choosing(ready, jobs, demands));
  std::printf("%-34s %8zu %10.0f a second, %.3f ms each\n", "whole stages in one process", jobs, double(jobs) / whole,
              1e3 * whole / double(jobs));
  return times.size() == jobs ? 0 : 1;
}
