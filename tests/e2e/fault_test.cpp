// Every durable operation of host, shim and job is, one after the other, the last one of its process, or meets a full
// disk. Whatever happens, the same command ends with the same results.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

constexpr const char* kExperiment = R"(experiment: fault
stages:
  - {id: first, use: lowbit.toy.source}
  - {id: second, use: lowbit.toy.transform, with: {in: first.out}, params: {steps: 4, checkpoint_every: 2}}
)";

/// Twelve jobs at once: their results are made durable and moved in groups.
constexpr const char* kWide = R"(experiment: wide
seeds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
stages:
  - {id: noise, use: lowbit.toy.seeded-source}
)";

std::string results_of(const std::string& experiment) {
  const Project project(experiment);
  REQUIRE(project.run().status == 0);
  return project.results();
}

std::string expected() {
  static const std::string results = results_of(kExperiment);
  return results;
}

/// Counts up until a run is not disturbed any more; every disturbed one must be repaired by the same command.
/// Returns how many operations were disturbed.
int disturb(const std::string& fault, const std::string& role, int stride) {
  for (int n = 1;; n += stride) {
    CAPTURE(fault, role, n);
    const Project project(kExperiment);
    const Ended run = project.run({{"LOWBIT_FAULT", fault + ":" + std::to_string(n)}, {"LOWBIT_FAULT_ROLE", role}});
    if (run.status == 0) {
      CHECK(project.results() == expected());
      return n - 1;
    }
    CHECK(run.status != 2);
    if (fault == "enospc" && role == "host") {
      CHECK(run.status == 3);
      CHECK_THAT(run.err, Contains("error[LB6103]") || Contains("error[LB6006]"));
      CHECK_THAT(run.err, Contains("= help: free "));
    }
    Ended again = project.run();
    if (again.status != 0) again = project.run();  // what was lost under the first one's eyes counts as its failure
    CHECK(again.status == 0);
    REQUIRE(project.results() == expected());
    CHECK_THAT(project.run().err, Contains("nothing to do"));
  }
}

}  // namespace

TEST_CASE("a host that dies before any durable operation leaves nothing that the next one cannot use", "[e2e]") {
  CHECK(disturb("exit", "host", 3) > 10);
}

TEST_CASE("a host on a full disk says so, keeps what is finished and continues later", "[e2e]") {
  CHECK(disturb("enospc", "host", 7) > 10);
}

TEST_CASE("a shim or job that dies or meets a full disk costs its attempt only", "[e2e]") {
  CHECK(disturb("exit", "shim", 1) == 2);  // shim.json, exit.json
  CHECK(disturb("exit", "job", 1) > 3);
  CHECK(disturb("enospc", "shim", 1) == 2);
  CHECK(disturb("enospc", "job", 2) > 3);
}

TEST_CASE("a host that dies while a group of results is published leaves all or none of each", "[e2e]") {
  const std::string wanted = results_of(kWide);
  const std::string fault = GENERATE("exit", "exit-after", "eio");
  int disturbed = 0;
  for (int n = 3;; n += 8) {
    CAPTURE(fault, n);
    const Project project(kWide);
    const std::vector<std::string> words{"run", "experiment.yaml", "-j", "12"};
    const Ended run = project.lowbit(words, {{"LOWBIT_FAULT", fault + ":" + std::to_string(n)}});
    if (run.status == 0) break;
    ++disturbed;
    CHECK(project.run().status == 0);
    REQUIRE(project.results() == wanted);
    CHECK_THAT(project.run().err, Contains("nothing to do"));
  }
  CHECK(disturbed > 3);
}
