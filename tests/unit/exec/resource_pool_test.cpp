#include "exec/resource_pool.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using namespace lowbit::exec;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

Capacity two_gpus() {
  return {.cpus = 4, .memory_bytes = 16 * kGiB, .gpus = {{"0", 24 * kGiB}, {"1", 80 * kGiB}}, .rates = {}};
}

std::vector<std::string> ids(const Lease& lease) {
  std::vector<std::string> ids;
  for (const GpuGrant& gpu : lease.grant().gpus) ids.push_back(gpu.id);
  return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a lease takes its part and gives it back when it goes, however it goes", "[exec][lease]") {
  ResourcePool pool(two_gpus());
  const Demand demand{.cpus = 3, .memory_bytes = 10 * kGiB, .milli_gpus = 2000, .rates = {}};
  REQUIRE(pool.lacking(demand) == 0);
  {
    const Lease lease = pool.take(demand);
    CHECK(pool.lacking(demand) == (kCpus | kMemory | kGpus));
    CHECK(pool.lacking({.cpus = 1, .rates = {}}) == 0);
  }
  CHECK(pool.lacking(demand) == 0);
  Lease lease = pool.take(demand);
  Lease moved = std::move(lease);
  lease.release();
  CHECK(pool.lacking(demand) != 0);
  moved.release();
  moved.release();
  CHECK(pool.use().cpus == 0);
  CHECK(pool.lacking(demand) == 0);
}

TEST_CASE("a lease may outlive its pool", "[exec][lease]") {
  Lease lease;
  {
    ResourcePool pool(two_gpus());
    lease = pool.take({.cpus = 1, .rates = {}});
  }
  lease.release();
  CHECK(lease.grant().cpus == 1);
}

TEST_CASE("whole GPUs are the smallest that are large enough", "[exec][gpu]") {
  ResourcePool pool(two_gpus());
  const Lease any = pool.take({.cpus = 1, .milli_gpus = 1000, .rates = {}});
  CHECK(ids(any) == Ids{"0"});
  const Lease large = pool.take({.cpus = 1, .milli_gpus = 1000, .gpu_memory_bytes = 40 * kGiB, .rates = {}});
  CHECK(ids(large) == Ids{"1"});
  CHECK(large.grant().gpus.front() == GpuGrant{.id = "1", .thousandths = 1000, .memory_bytes = 80 * kGiB});
  CHECK(pool.lacking({.cpus = 1, .milli_gpus = 1000, .rates = {}}) == kGpus);
}

TEST_CASE("shares of a GPU are put together, so that whole ones stay free", "[exec][gpu]") {
  ResourcePool pool(two_gpus());
  const Demand half{.cpus = 1, .milli_gpus = 500, .rates = {}};
  const Lease first = pool.take(half);
  const Lease second = pool.take(half);
  CHECK(ids(first) == ids(second));
  const Lease whole = pool.take({.cpus = 1, .milli_gpus = 1000, .rates = {}});
  CHECK(ids(whole) != ids(first));
  CHECK(pool.lacking(half) == kGpus);
}

TEST_CASE("jobs that name the memory they need share a GPU as far as it reaches", "[exec][gpu]") {
  ResourcePool pool({.cpus = 16, .gpus = {{"0", 24 * kGiB}}, .rates = {}});
  const Demand ten{.cpus = 1, .gpu_memory_bytes = 10 * kGiB, .rates = {}};
  const Lease first = pool.take(ten);
  const Lease second = pool.take(ten);
  CHECK(second.grant().gpus.front() == GpuGrant{.id = "0", .thousandths = 416, .memory_bytes = 10 * kGiB});
  CHECK(pool.lacking(ten) == kGpus);
  CHECK(pool.lacking({.cpus = 1, .gpu_memory_bytes = 4 * kGiB, .rates = {}}) == 0);
  CHECK(pool.lacking({.cpus = 1, .milli_gpus = 1000, .rates = {}}) == kGpus);
}

TEST_CASE("where the memory of a GPU is not known, who asks for memory has it alone", "[exec][gpu]") {
  ResourcePool pool({.cpus = 4, .gpus = {{"0", 0}}, .rates = {}});
  const Demand ten{.cpus = 1, .gpu_memory_bytes = 10 * kGiB, .rates = {}};
  const Lease lease = pool.take(ten);
  CHECK(lease.grant().gpus.front().thousandths == 1000);
  CHECK(pool.lacking(ten) == kGpus);
}

TEST_CASE("requests a minute are shared by name; a name without a limit is free", "[exec][rate]") {
  ResourcePool pool({.cpus = 9, .gpus = {}, .rates = {{"openai", 60}}});
  const Demand forty{.cpus = 1, .rates = {{"openai", 40}}};
  const Lease lease = pool.take(forty);
  CHECK(pool.lacking(forty) == kRates);
  CHECK(pool.lacking({.cpus = 1, .rates = {{"openai", 20}}}) == 0);
  CHECK(pool.lacking({.cpus = 1, .rates = {{"local", 100000}}}) == 0);
}

TEST_CASE("what an adopted job has counts, also beyond what there is", "[exec][lease]") {
  ResourcePool pool({.cpus = 2, .gpus = {{"0", 0}}, .rates = {}});
  {
    const Lease adopted = pool.take_over({.cpus = 8, .gpus = {{"0", 500, 0}, {"7", 1000, 0}}, .rates = {}});
    CHECK(pool.lacking({.cpus = 1, .rates = {}}) == kCpus);
    CHECK(pool.lacking({.cpus = 1, .milli_gpus = 600, .rates = {}}) == (kCpus | kGpus));
  }
  CHECK(pool.lacking({.cpus = 2, .milli_gpus = 600, .rates = {}}) == 0);
}

TEST_CASE("a grant is read as it was written", "[exec][lease]") {
  const Grant grant{.cpus = 3, .memory_bytes = 5, .gpus = {{"GPU-a", 250, 7}}, .rates = {{"openai", 60}}};
  CHECK(grant_of(to_json(grant)) == grant);
  CHECK(grant_of(Json::object()) == Grant());
}

TEST_CASE("what no job can ever have is said with what there is", "[exec]") {
  const Capacity machine = two_gpus();
  CHECK(beyond({.cpus = 4, .memory_bytes = 16 * kGiB, .milli_gpus = 2000, .rates = {}}, machine).empty());
  CHECK(beyond({.cpus = 4, .memory_bytes = 17 * kGiB, .milli_gpus = 3000, .rates = {}}, machine) ==
        std::vector<std::string>{"17.00 GiB of memory; there are 16.00 GiB for jobs", "3 GPUs; there are 2"});
  CHECK(beyond({.cpus = 1, .gpu_memory_bytes = 90 * kGiB, .rates = {}}, machine) ==
        std::vector<std::string>{"a GPU with 90.00 GiB; there are 2, with at most 80.00 GiB"});
  CHECK(beyond({.cpus = 1, .milli_gpus = 500, .rates = {}}, {.gpus = {}, .rates = {}}) ==
        std::vector<std::string>{"a GPU; there are none"});
  CHECK(beyond({.cpus = 1, .rates = {{"openai", 61}}}, {.gpus = {}, .rates = {{"openai", 60}}}) ==
        std::vector<std::string>{"61 requests a minute at openai; all jobs together have 60"});
}

TEST_CASE("threads are cut to what there is, nothing else is", "[exec]") {
  const Demand demand = demand_of({.cpus = 8, .milli_gpus = 4000, .memory_bytes = 64 * kGiB, .rates = {}},
                                  {.cpus = 2, .gpus = {}, .rates = {}});
  CHECK(demand.cpus == 2);
  CHECK(demand.milli_gpus == 4000);
  CHECK(demand.memory_bytes == 64 * kGiB);
}
