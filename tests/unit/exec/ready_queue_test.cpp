#include "exec/ready_queue.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using namespace lowbit::exec;

namespace {

Demand cpus(std::uint32_t n) { return {.cpus = n, .rates = {}}; }
Demand gpu() { return {.cpus = 1, .milli_gpus = 1000, .rates = {}}; }

std::vector<graph::VariantIndex> all(ReadyQueue& queue, const ResourcePool& pool) {
  std::vector<graph::VariantIndex> order;
  while (const auto next = queue.pop(pool)) order.push_back(*next);
  return order;
}

using Order = std::vector<graph::VariantIndex>;

}  // namespace

TEST_CASE("the longest way goes first, then the order of the graph", "[exec][queue]") {
  const ResourcePool pool({.cpus = 4, .gpus = {}, .rates = {}});
  ReadyQueue queue;
  queue.push(7, cpus(1), 1.0);
  queue.push(3, cpus(1), 1.0);
  queue.push(5, cpus(2), 9.0);
  queue.push(1, cpus(2), 1.0);
  queue.push(2, cpus(1), 4.0);
  CHECK(queue.size() == 5);
  CHECK(all(queue, pool) == Order{5, 2, 1, 3, 7});
  CHECK(queue.empty());
}

TEST_CASE("what does not fit is passed over, not lost", "[exec][queue]") {
  ResourcePool pool({.cpus = 4, .gpus = {{"0", 0}}, .rates = {}});
  ReadyQueue queue;
  queue.push(0, gpu(), 9);
  queue.push(1, cpus(1), 1);
  queue.push(2, gpu(), 9);
  Lease busy = pool.take(gpu());
  CHECK(all(queue, pool) == Order{1});
  CHECK(queue.size() == 2);
  busy.release();
  CHECK(queue.pop(pool) == std::optional<graph::VariantIndex>(0));
}

TEST_CASE("small work overtakes large work, but not for ever", "[exec][queue]") {
  ResourcePool pool({.cpus = 2, .gpus = {}, .rates = {}});
  ReadyQueue queue;
  queue.push(0, cpus(2), 9);
  for (graph::VariantIndex i = 1; i <= 100; ++i) queue.push(i, cpus(1), 1);
  std::vector<Lease> running;
  running.push_back(pool.take(cpus(1)));
  std::uint32_t overtook = 0;
  for (;;) {  // one place stays taken: only single threads fit
    const auto next = queue.pop(pool);
    if (!next) break;
    REQUIRE(*next != 0);
    ++overtook;
    REQUIRE(overtook < 100);
  }
  CHECK(overtook == ReadyQueue::kMostOvertaken);
  running.clear();
  CHECK(queue.pop(pool) == std::optional<graph::VariantIndex>(0));
}

TEST_CASE("who waits for a GPU does not stop work that needs none", "[exec][queue]") {
  ResourcePool pool({.cpus = 4, .gpus = {{"0", 0}}, .rates = {}});
  ReadyQueue queue;
  queue.push(0, gpu(), 9);
  for (graph::VariantIndex i = 1; i <= 100; ++i) queue.push(i, cpus(1), 1);
  const Lease busy = pool.take(gpu());
  CHECK(all(queue, pool).size() == 100);
}

TEST_CASE("a variant that is taken out is not there any more", "[exec][queue]") {
  const ResourcePool pool({.cpus = 4, .gpus = {}, .rates = {}});
  ReadyQueue queue;
  queue.push(0, cpus(1), 3);
  queue.push(1, cpus(1), 2);
  queue.push(2, cpus(2), 1);
  CHECK(queue.remove(0, cpus(1), 3));
  CHECK_FALSE(queue.remove(0, cpus(1), 3));
  CHECK(queue.remove(2, cpus(2), 1));
  CHECK(all(queue, pool) == Order{1});
}

TEST_CASE("asking what fits looks at demands, not at variants, however many are ready", "[exec][queue]") {
  const auto looks = [](graph::VariantIndex n) {
    ResourcePool pool({.cpus = 1, .gpus = {}, .rates = {}});
    ReadyQueue queue;
    for (graph::VariantIndex i = 0; i < n; ++i) queue.push(i, i % 2 == 0 ? cpus(1) : gpu(), double(i % 97));
    for (int round = 0; round < 50; ++round) {
      Lease lease = pool.take(cpus(1));
      REQUIRE_FALSE(queue.pop(pool));
      lease.release();
      REQUIRE(queue.pop(pool));
    }
    return queue.looks();
  };
  CHECK(looks(10'000) == looks(200));
}
