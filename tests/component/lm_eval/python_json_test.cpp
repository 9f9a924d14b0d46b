#include "python_json.h"

#include <catch2/catch.hpp>

using lowbit::lm_eval::parse_python_json;

TEST_CASE("what Python writes for numbers that are none is null, in texts it stays", "[lm-eval]") {
  const auto json = parse_python_json(R"({"a": NaN, "b": [-Infinity, Infinity, -1], "NaN": "NaN \" Infinity \\"})");
  CHECK(json.dump() == R"({"NaN":"NaN \" Infinity \\","a":null,"b":[null,null,-1]})");
  CHECK_THROWS_AS(parse_python_json("{\"a\": nan}"), nlohmann::json::exception);
  CHECK_THROWS_AS(parse_python_json("{\"a\": \"\\"), nlohmann::json::exception);
}
