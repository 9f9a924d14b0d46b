// What tests/bench/throughput.py runs by the thousand: stages that do next to nothing. Built twice, as `bench-stages`,
// and as `bench-torch-stages` with libtorch below it and `.preload()`, as lowbit's own numeric plugins have it.
#include <lowbit/sdk.hpp>

#include <fstream>
#include <string>

namespace {

using lowbit::Job;

constexpr std::size_t kBytes = 100;

void run_metric(const Job& job) {
  auto rng = job.rng("value");
  job.metric("toy/mean", static_cast<double>(rng() >> 54U), "ratio");
}

void run_artifact(const Job& job) {
  const std::filesystem::path file = job.output("out") / "out.txt";
  std::string text = std::to_string(job.seed());
  text.resize(kBytes - 1, '.');
  std::ofstream out(file, std::ios::binary);
  out << text << '\n';
  out.close();
  if (!out) throw lowbit::StageError(LB_RESOURCE, {.what = "cannot write " + file.string(), .fix = "free disk space"});
  run_metric(job);
}

lowbit::Stage loaded(lowbit::Stage stage) {
  if (LOWBIT_BENCH_PRELOAD) stage.preload();
  return stage;
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              loaded(lowbit::Stage(LOWBIT_BENCH_PREFIX "artifact", LB_DATASET)
                         .version("1.0.0")
                         .summary("Writes 100 bytes and tells one metric.")
                         .output("out", "file", "100 bytes")
                         .seeded()
                         .run<run_artifact>()),
              loaded(lowbit::Stage(LOWBIT_BENCH_PREFIX "metric", LB_DATASET)
                         .version("1.0.0")
                         .summary("Tells one metric.")
                         .output("out", "file", "never written", LB_PORT_OPTIONAL)
                         .seeded()
                         .run<run_metric>()))
