#include "domain/quantity_text.h"

#include <catch2/catch.hpp>

using namespace lowbit;

TEST_CASE("durations have two units at most", "[domain][quantity]") {
  CHECK(duration_text(-1) == "0.0 s");
  CHECK(duration_text(0.04) == "0.0 s");
  CHECK(duration_text(9.94) == "9.9 s");
  CHECK(duration_text(9.96) == "10 s");
  CHECK(duration_text(89.4) == "89 s");
  CHECK(duration_text(90) == "1 min 30 s");
  CHECK(duration_text(3599.4) == "59 min 59 s");
  CHECK(duration_text(3599.6) == "1 h");
  CHECK(duration_text(4321) == "1 h 12 min");
  CHECK(duration_text(47 * 3600.0) == "47 h");
  CHECK(duration_text(48 * 3600.0) == "2 d");
  CHECK(duration_text(75.6 * 3600.0) == "3 d 4 h");
}

TEST_CASE("sizes have the unit that fits", "[domain][quantity]") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1024) == "1.0 KiB");
  CHECK(bytes_text(1023U * 1024U) == "1023.0 KiB");
  CHECK(bytes_text((1U << 20U) - 1U) == "1.0 MiB");
  CHECK(bytes_text(5ULL << 30U) == "5.0 GiB");
}

TEST_CASE("one has no s", "[domain][quantity]") {
  CHECK(count_text(1, "variant") == "1 variant");
  CHECK(count_text(0, "variant") == "0 variants");
}
