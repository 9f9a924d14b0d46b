#include "exec/machine.h"

#include <catch2/catch.hpp>

#include "exec/job_environment.h"

using namespace lowbit;
using exec::Gpu;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

const std::vector<env::GpuDevice> kDevices{{"0", "GPU-aaaa-1", 24 * kGiB}, {"1", "GPU-bbbb-2", 80 * kGiB}};

std::vector<Gpu> seen(const char* outer) {
  return exec::visible_gpus(kDevices, outer == nullptr ? std::nullopt : std::optional<std::string>(outer));
}

}  // namespace

TEST_CASE("what nvidia-smi prints is read; what it cannot say is not known", "[env][gpu]") {
  const auto devices = env::parse_nvidia_smi(
      "0, GPU-aaaa-1, 24576\n"
      "1, GPU-bbbb-2, [N/A]\n"
      "No devices were found\n");
  REQUIRE(devices.size() == 2);
  CHECK(devices[0].index == "0");
  CHECK(devices[0].uuid == "GPU-aaaa-1");
  CHECK(devices[0].memory_bytes == 24 * kGiB);
  CHECK(devices[1].memory_bytes == 0);
  CHECK(env::parse_nvidia_smi("").empty());
}

TEST_CASE("an outer CUDA_VISIBLE_DEVICES says which GPUs there are", "[exec][gpu]") {
  CHECK(seen(nullptr) == std::vector<Gpu>{{"0", 24 * kGiB}, {"1", 80 * kGiB}});
  CHECK(seen("").empty());
  CHECK(seen("1") == std::vector<Gpu>{{"1", 80 * kGiB}});
  CHECK(seen("1, 0") == std::vector<Gpu>{{"1", 80 * kGiB}, {"0", 24 * kGiB}});
  CHECK(seen("GPU-bbbb") == std::vector<Gpu>{{"GPU-bbbb", 80 * kGiB}});
  CHECK(seen("MIG-5,0") == std::vector<Gpu>{{"MIG-5", 0}, {"0", 24 * kGiB}});
  CHECK(seen("0,-1,1") == std::vector<Gpu>{{"0", 24 * kGiB}});
}

TEST_CASE("a job sees the GPUs that it has and no others", "[exec][gpu]") {
  std::vector<std::string> environment{"PATH=/bin"};
  exec::restrict_gpus(environment, {{"2", 500, 0}, {"5", 1000, 0}});
  CHECK(environment ==
        std::vector<std::string>{"PATH=/bin", "CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=2,5"});

  std::vector<std::string> with_outer{"CUDA_VISIBLE_DEVICES=2,5,7", "PATH=/bin"};
  exec::restrict_gpus(with_outer, {});
  CHECK(with_outer == std::vector<std::string>{"PATH=/bin", "CUDA_VISIBLE_DEVICES="});
}

TEST_CASE("a tenth of the memory, at most 8 GiB, is not for jobs", "[exec]") {
  CHECK(exec::without_reserve(10 * kGiB) == 9 * kGiB);
  CHECK(exec::without_reserve(1000 * kGiB) == 992 * kGiB);
  CHECK(exec::without_reserve(0) == 0);
}

TEST_CASE("a stage that asks for more than the machine has is refused by name, once", "[exec]") {
  const StageDescription plugin{.id = "lowbit.x", .version = "1", .kind = StageKind::dataset, .summary = "x"};
  graph::ExpandedGraph graph;
  graph::Plan plan;
  for (const char* stage : {"small", "large", "large", "reused"}) {
    graph::Variant variant;
    variant.stage = stage;
    variant.plugin = &plugin;
    variant.resources.memory_bytes = variant.stage == "small" ? kGiB : 64 * kGiB;
    plan.variants.push_back({.variant = graph.variants.size(),
                             .decision = variant.stage == "reused" ? graph::Decision::reuse : graph::Decision::run});
    graph.variants.push_back(std::move(variant));
  }
  const Diagnostics problems =
      exec::impossible_demands(graph, plan, {.cpus = 2, .memory_bytes = 16 * kGiB, .gpus = {}, .rates = {}});
  CHECK(render(problems) ==
        "error[LB4110]: stage large asks for more than this machine has\n"
        " = note: it asks for 64.00 GiB of memory; there are 16.00 GiB for jobs\n"
        " = help: lower its `resources`, run it on a larger machine, or say what there is with --memory, --gpus or "
        "--rate\n");
}
