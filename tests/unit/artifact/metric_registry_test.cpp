#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <set>

#include "domain/metric_registry.h"

using namespace lowbit;

namespace {

/// The problem of a final metric, or "none".
std::string problem(const std::string& name, double value, const std::string& unit) {
  return metric_problem({.name = name, .unit = unit, .value = value}).value_or("none");
}

}  // namespace

TEST_CASE("a final metric of the registry in its unit may be reported", "[metrics]") {
  CHECK(problem("weights/nmse", 0.1, "ratio") == "none");
  CHECK(problem("tiny-math.test/accuracy", 0.5, "fraction") == "none");
  CHECK(problem("wikitext2/perplexity/token@2048", 5.47, "ratio") == "none");
  CHECK(problem("tiny-math/perplexity/token@item", 1.3, "ratio") == "none");
  CHECK(problem("data/dropped/too_long", 3, "items") == "none");
  CHECK(problem("math/maj@8", 0.5, "fraction") == "none");
  CHECK(problem("math/maj@many", 0.5, "fraction") != "none");
}

TEST_CASE("toy and experimental metrics may have any unit", "[metrics]") {
  CHECK(problem("toy/sum", -1e9, "apples") == "none");
  CHECK(problem("x/anything", 7, "") == "none");
}

TEST_CASE("a final metric that is not in the registry is refused with what is near", "[metrics]") {
  CHECK(problem("weights/nmze", 0.1, "ratio") ==
        "`weights/nmze` is not a metric of schemas/metrics.yaml; a similar one is `weights/nmse`");
  CHECK(problem("gsm8k/acuracy", 0.1, "fraction") ==
        "`gsm8k/acuracy` is not a metric of schemas/metrics.yaml; a similar one is `gsm8k/accuracy`");
  CHECK(problem("loss", 0.1, "nats") ==
        "`loss` is not a metric of schemas/metrics.yaml; experimental metrics are named x/<name>");
}

TEST_CASE("a perplexity without its context length is refused", "[metrics]") {
  for (const char* name : {"wikitext2/perplexity", "wikitext2/perplexity/token", "wikitext2/perplexity/token@",
                           "wikitext2/perplexity/token@0", "wikitext2/perplexity/token@2k"}) {
    CHECK(find_metric(name) == nullptr);
  }
}

TEST_CASE("a placeholder stands for one part of a name, not for several or none", "[metrics]") {
  CHECK(find_metric("a/b/accuracy") == nullptr);
  CHECK(find_metric("/accuracy") == nullptr);
  CHECK(find_metric("x/") == nullptr);
  CHECK(find_metric("x/a b") == nullptr);
}

TEST_CASE("a metric in another unit is refused", "[metrics]") {
  CHECK(problem("gsm8k/accuracy", 51.2, "percent") == "`gsm8k/accuracy` is in fraction, not in percent");
  CHECK(problem("gsm8k/accuracy", 0.5, "") == "`gsm8k/accuracy` is in fraction, not in nothing");
}

TEST_CASE("a fraction is between 0 and 1", "[metrics]") {
  CHECK(problem("gsm8k/accuracy", 51.5, "fraction") == "`gsm8k/accuracy` is a fraction, 0 to 1, and cannot be 51.5");
  CHECK(problem("gsm8k/accuracy", 1, "fraction") == "none");
}

TEST_CASE("a final metric is finite", "[metrics]") {
  CHECK(problem("train/loss", std::nan(""), "nats") == "`train/loss` is not a finite number");
  CHECK(problem("x/loss", std::numeric_limits<double>::infinity(), "nats") == "`x/loss` is not a finite number");
}

TEST_CASE("a curve may have its own name and NaN, but a known name keeps its unit", "[metrics]") {
  CHECK_FALSE(metric_problem({.name = "layer/12/error", .unit = "ratio", .value = std::nan(""), .step = 3}));
  CHECK_FALSE(metric_problem({.name = "train/loss", .unit = "nats", .value = std::nan(""), .step = 3}));
  CHECK(metric_problem({.name = "train/loss", .unit = "bits", .value = 1, .step = 3}) ==
        "`train/loss` is in nats, not in bits");
}

TEST_CASE("a name of its own outranks the same name under a task", "[metrics]") {
  // toy/accuracy also fits <task>/accuracy, whose unit is fraction.
  CHECK(problem("toy/accuracy", 12, "points") == "none");
}

TEST_CASE("every entry of the registry is complete and stands once", "[metrics]") {
  std::set<std::string> names;
  for (const MetricDefinition& m : metric_definitions()) {
    INFO(m.name);
    CHECK(names.insert(m.name).second);
    CHECK(m.name.find('/') != std::string::npos);
    CHECK_FALSE(m.doc.empty());
  }
}
