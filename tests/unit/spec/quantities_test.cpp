#include "spec/quantities.h"

#include <catch2/catch.hpp>

namespace lowbit::spec {

using namespace std::chrono_literals;

TEST_CASE("sizes are whole numbers with a unit", "[spec]") {
  CHECK(parse_size("1B") == 1);
  CHECK(parse_size("2GB") == 2'000'000'000);
  CHECK(parse_size("24GiB") == 24ULL << 30U);
  CHECK(parse_size("512MiB") == 512ULL << 20U);
  CHECK(parse_size("8388607TiB") == 8388607ULL << 40U);  // the last one below 2^63
}

TEST_CASE("what is no size, nothing, or too large is not taken for one", "[spec]") {
  for (const char* bad : {"", "24", "24G", "GiB", "24 GiB", "1.5GiB", "-1GiB", "+1GiB", "24gib", "24GiBx", "0GiB",
                          "8388608TiB", "99999999999999999999B"}) {
    CHECK_FALSE(parse_size(bad).has_value());
  }
}

TEST_CASE("durations are hours, minutes and seconds in this order", "[spec]") {
  CHECK(parse_duration("90s") == 90s);
  CHECK(parse_duration("30m") == 30min);
  CHECK(parse_duration("2h") == 2h);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("1h2s") == 3602s);
  CHECK(parse_duration("0h1s") == 1s);
}

TEST_CASE("what is no duration, nothing, or longer than ten years is not taken for one", "[spec]") {
  for (const char* bad : {"", "90", "h", "1.5h", "1h 30m", "30m1h", "1h1h", "-1s", "0s", "1d", "500ms", "87841h",
                          "18446744073709551615h", "99999999999999999999s"}) {
    CHECK_FALSE(parse_duration(bad).has_value());
  }
}

}  // namespace lowbit::spec
