// Generated problems from task to predictions through the program, on a random model with the problems' own tokenizer.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "e2e/project.h"
#include "lm/json_file.h"
#include "tinymath/vocabulary.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

constexpr const char* kStudy = R"(experiment: tiny
matrix:
  response_format: [plain, tagged]
inputs:
  base: {type: model/1, path: model}
stages:
  - {id: train, use: lowbit.tiny-math, params: {split: train, n: 300}}
  - {id: drawn, use: lowbit.tiny-math, params: {split: test, n: 40}}
  - {id: drills, use: lowbit.arithmetic-drill, params: {n: 100}}
  - {id: examples, use: lowbit.sft-pairs, with: {task: train.task}, params: {response_format: "${response_format}"}}
  - {id: test, use: lowbit.contamination, with: {task: drawn.task, others: train.task}, params: {ngram: warn}}
  - id: windows
    use: lowbit.solution-windows
    with: {task: test.task, model: inputs.base}
    params: {response_format: "${response_format}"}
  - {id: ppl, use: lowbit.perplexity, with: {model: inputs.base, task: windows.batches}}
  - id: answers
    use: lowbit.generate
    with: {model: inputs.base, task: test.task}
    params: {response_format: "${response_format}", max_new_tokens: 16}
)";

struct Study {
  explicit Study(const std::string& experiment = kStudy) : project(experiment) {
    const auto model = project.path() / "model";
    std::filesystem::copy(std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-tied", model);
    std::filesystem::remove(model / "reference.json");
    lowbit::lm::write_json_file(model / "tokenizer.json", lowbit::tinymath::tokenizer_json());
  }
  Project project;
};

}  // namespace

TEST_CASE("problems become examples, windows and graded answers", "[e2e]") {
  const Study study;
  const Ended run = study.project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);
  // The problems are drawn once, what is written from them once for each format.
  CHECK(study.project.query("SELECT stage, count(*) FROM v_stages GROUP BY stage ORDER BY stage") ==
        "answers,2\ndrawn,1\ndrills,1\nexamples,2\nppl,2\ntest,1\ntrain,1\nwindows,2\n");
  CHECK(study.project.query("SELECT DISTINCT value, count FROM v_results WHERE metric = 'tiny-math-test/accuracy'") !=
        "");
  // A random model knows nothing: over all tokens alike the mean of -log p is at least log 299 (Gibbs), whatever its
  // logits are.
  const double nll = std::stod(
      study.project.query("SELECT value FROM v_results WHERE metric LIKE 'tiny-math-test-tagged/nll/token@%'"));
  CHECK(nll > 0.8 * std::log(299));  // the tokens of solutions are not all tokens alike
  CHECK(std::stod(study.project.query(
            "SELECT value FROM v_results WHERE metric LIKE 'tiny-math-test-tagged/perplexity/token@%'")) ==
        Approx(std::exp(nll)).epsilon(1e-9));
  // Accuracy can be computed again from the rows.
  CHECK(std::stod(study.project.query(
            "SELECT max(abs(r.value - again)) FROM v_results r JOIN (SELECT result_id, avg(correct) AS again FROM "
            "predictions GROUP BY result_id) USING (result_id) WHERE r.metric = 'tiny-math-test/accuracy'")) < 1e-12);
  const Ended again = study.project.run();
  CHECK(again.status == 0);
  CHECK_THAT(again.err, Contains("nothing to do"));
}

TEST_CASE("a task that is compared with itself fails the run and names what it shares", "[e2e]") {
  const Study study(R"(experiment: leak
stages:
  - {id: test, use: lowbit.tiny-math, params: {split: test, n: 20}}
  - {id: more, use: lowbit.tiny-math, params: {split: test, n: 30}}
  - {id: clean, use: lowbit.contamination, with: {task: test.task, others: more.task}}
)");
  const Ended run = study.project.run();
  CHECK(run.status == 1);
  CHECK_THAT(run.err + run.out, Contains("the task is contaminated") && Contains("20 of its 20 problems") &&
                                    Contains("take these problems out of one of the sets"));
}

TEST_CASE("more problems than there are is an error, not an endless search", "[e2e]") {
  const Study study(R"(experiment: many
stages:
  - {id: test, use: lowbit.tiny-math, params: {split: test, n: 20, min_steps: 4, max_steps: 3}}
)");
  const Ended run = study.project.run();
  CHECK(run.status != 0);
  CHECK_THAT(run.err + run.out, Contains("min_steps is 4, max_steps is 3"));
}
