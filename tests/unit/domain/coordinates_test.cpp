#include "domain/coordinates.h"

#include <catch2/catch.hpp>

using namespace lowbit;

TEST_CASE("coordinates are shown in declared order and compared without it", "[domain]") {
  Coordinates a;
  a.set("quantizer", "gptq");
  a.set("num_bits", 3);
  Coordinates b;
  b.set("num_bits", 3);
  b.set("quantizer", "gptq");
  CHECK(stage_label("quantize", a) == "quantize[quantizer=gptq,num_bits=3]");
  CHECK(stage_label("quantize", {}) == "quantize");
  CHECK(a == b);
  b.set("num_bits", 4);
  CHECK_FALSE(a == b);
  CHECK(*b.find("num_bits") == 4);
  CHECK(b.find("seed") == nullptr);
}

TEST_CASE("text and number of the same look are different coordinates", "[domain]") {
  Coordinates number;
  number.set("bits", 4);
  Coordinates text;
  text.set("bits", "4");
  CHECK_FALSE(number == text);
  CHECK(number.text() == text.text());
}
