#include "lm/python_random.h"

#include <catch2/catch.hpp>

#include "numerics/support/files.h"

using namespace lowbit;

TEST_CASE("numbers are drawn as Python draws them", "[python-random]") {
  const auto golden = test::read_json(test::fixtures() / "python-random/draws.json");
  REQUIRE(golden["ranges"].size() == 130);
  for (const auto& range : golden["ranges"]) {
    lm::PythonRandom random(range["seed"].get<std::uint64_t>());
    const auto low = range["low"].get<std::int64_t>();
    const auto high = range["high"].get<std::int64_t>();
    INFO("seed " << range["seed"] << ", " << low << " to " << high);
    for (const auto& drawn : range["drawn"]) CHECK(random.randint(low, high) == drawn.get<std::int64_t>());
  }
}

TEST_CASE("bits are drawn 32 at a time, the lowest first", "[python-random]") {
  lm::PythonRandom words(5);
  const std::uint64_t low = words.getrandbits(32);
  const std::uint64_t high = words.getrandbits(32);
  CHECK(lm::PythonRandom(5).getrandbits(64) == (low | high << 32U));
  CHECK(lm::PythonRandom(5).getrandbits(40) == (low | (high >> 24U) << 32U));
  CHECK(lm::PythonRandom(5).getrandbits(1) == low >> 31U);
}
