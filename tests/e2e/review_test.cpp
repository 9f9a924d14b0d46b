#include "project.h"

using namespace lowbit::test;

namespace {

const std::string kExperiment = R"(experiment: reviewing
matrix:
  judge: [ann, bob, eve]
stages:
  - id: cases
    use: lowbit.injected-errors
    params: {n: 5, controls: 5}
  - id: judge
    use: lowbit.simulated-judge
    with: {predictions: cases.predictions, task: cases.task, truth: cases.truth}
    params: {judge: "${judge}", type_accuracy: 0.5}
  - id: vote
    use: lowbit.majority-vote
    with: {predictions: cases.predictions, task: cases.task, verdicts: {each: judge.verdicts, over: [judge]}}
)";
const std::string kQueue = R"(  - id: queue
    use: lowbit.review-queue
    with: {predictions: cases.predictions, task: cases.task, vote: vote.verdicts}
    params: {audit_share: 0.1}
  - id: grades
    use: lowbit.effective-grades
    with: {predictions: cases.predictions, vote: vote.verdicts)";

}  // namespace

TEST_CASE("what people decide is kept, frozen, and counts in the grades", "[e2e][review]") {
  const Project project(kExperiment);
  REQUIRE(project.run().status == 0);
  const Ended nothing = project.lowbit({"review"});
  CHECK(nothing.status == 2);
  CHECK_THAT(nothing.err, Catch::StartsWith("error[LB0044]: there is nothing to review in this project\n"));

  project.edit(kExperiment + kQueue + "}\n");
  REQUIRE(project.run().status == 0);
  const Ended reviewed = project.shell("printf '1\\n5\\na note\\nn\\n\\n' | lowbit review --reviewer ann");
  CHECK(reviewed.status == 0);
  CHECK_THAT(reviewed.out, Catch::Contains("\n2 decided, "));
  CHECK_THAT(project.lowbit({"review", "--freeze", "../final"}).err, Catch::StartsWith("error[LB0045]: "));
  CHECK_THAT(project.lowbit({"review", "--freeze", "final"}).out,
             Catch::StartsWith("2 decisions frozen in reviews/final\n"));

  std::string with_people = kExperiment + kQueue + ", decisions: inputs.human}\n";
  with_people.insert(with_people.find("stages:"), "inputs: {human: {type: decisions/1, path: reviews/final}}\n");
  project.edit(with_people);
  const Ended again = project.run();
  CHECK(again.status == 0);
  CHECK_THAT(again.err, Catch::Contains("1 done, 6 reused"));
  CHECK(project.query(
            "SELECT count(*), sum(correct) FROM grades JOIN v_stages USING (result_id) WHERE source = 'human'") ==
        "2,1\n");

  // Decisions that the snapshot lacks are named, and change nothing until they are frozen.
  REQUIRE(project.shell("printf '?\\n\\n' | lowbit review").status == 0);
  const Ended plan = project.lowbit({"plan", "experiment.yaml"});
  CHECK_THAT(plan.err, Catch::Contains("note: reviews/final lacks 1 newer decision;"));
  CHECK_THAT(plan.out, Catch::Contains("7 reuse, 0 run"));
  CHECK(project.shell("lowbit review --list --json | grep -c '\"decided\": 3'").out == "1\n");
}
