#include "interchange/utc_time.h"

#include <catch2/catch.hpp>

using namespace lowbit::interchange;

TEST_CASE("times are counted as `date -u +%s` counts them", "[interchange]") {
  CHECK(epoch_seconds("1970-01-01T00:00:00Z") == 0.0);
  CHECK(epoch_seconds("2026-11-23T16:58:10Z") == 1795453090.0);
  CHECK(epoch_seconds("2024-02-29T23:59:59.5Z") == 1709251199.5);
  CHECK(epoch_seconds("2026-11-23T16:58:10.206Z") == 1795453090.206);
}

TEST_CASE("what is no such time has no seconds", "[interchange]") {
  for (const char* text :
       {"", "2026-11-23", "2026-02-30T00:00:00Z", "2026-11-23T16:58:10+01:00", "2026-11-23T16:58:10,5Z",
        "2026-11-23T16:58:10.Z", "20a6-11-23T16:58:10Z", "-026-11-23T16:58:10Z"}) {
    INFO(text);
    CHECK_FALSE(epoch_seconds(text));
  }
}
