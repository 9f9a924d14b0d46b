#include "graph/gates.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace lowbit;

namespace {

std::string problem(const std::vector<Gate>& gates, double value) {
  return graph::gate_problem(gates, {{.name = "weights/nmse", .unit = "ratio", .value = value, .std_error = {}}});
}

}  // namespace

TEST_CASE("a gate holds back what is outside its bounds, and says where it is", "[graph][gate]") {
  const std::vector<Gate> gates{{.metric = "weights/nmse", .min = 0.25, .max = 0.5}};
  CHECK(problem(gates, 0.25).empty());
  CHECK(problem(gates, 0.5).empty());
  CHECK(problem(gates, 0.75) == "weights/nmse is 0.75, above 0.5");
  CHECK(problem(gates, 0.0) == "weights/nmse is 0.0, below 0.25");
}

TEST_CASE("a metric that is no finite number is held back without any gate", "[graph][gate]") {
  CHECK(problem({}, std::numeric_limits<double>::quiet_NaN()) == "weights/nmse is not a finite number");
  CHECK(problem({}, -std::numeric_limits<double>::infinity()) == "weights/nmse is not a finite number");
  CHECK(problem({}, 1e300).empty());
}

TEST_CASE("a gate on a metric that was not reported does not let through what it cannot judge", "[graph][gate]") {
  CHECK(problem({{.metric = "weights/nsme", .min = {}, .max = 1}}, 0.5) ==
        "the gate cannot judge: there is no metric weights/nsme");
}
