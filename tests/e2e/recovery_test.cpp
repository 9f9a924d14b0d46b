// The recovery study in small, through the program, on the committed model: quantize, fine-tune, collect preferences,
// restore, answer, judge, grade. Everything in plain steps, which the model knows; enough steps to see the machinery,
// not the effect.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <string>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

const std::string kStudy = R"(experiment: recovery
seeds: [3]
matrix:
  base: [inputs.model, quantize.quantized]
  answering: [align.trained, restore.trained]
inputs:
  model: {type: model/1, path: )" +
                           std::string(LOWBIT_SOURCE_DIR) + R"(/experiments/tiny-math/model}
stages:
  - {id: practice, use: lowbit.tiny-math, params: {split: alignment, n: 24}}
  - {id: pool, use: lowbit.tiny-math, params: {split: pool, n: 48}}
  - {id: drawn, use: lowbit.tiny-math, params: {split: test, n: 24}}
  - {id: test, use: lowbit.contamination, with: {task: drawn.task, others: pool.task}, params: {ngram: "off"}}
  - {id: quantize, use: lowbit.rtn, with: {model: inputs.model}, params: {num_bits: 2, group_size: 32}}
  - {id: examples, use: lowbit.sft-pairs, with: {task: practice.task}, params: {response_format: plain}}
  - id: align
    use: lowbit.sft
    with: {model: "${base}", data: examples.pairs}
    params: {steps: 2, batch_size: 4, learning_rate: 1e-4, rank: 4, train_tokens: ["<|step_start|>"]}
  - {id: attempt, use: lowbit.generate, with: {model: align.trained, task: pool.task}, params: {max_new_tokens: 72}}
  - id: pairs
    use: lowbit.preference-pairs
    with:
      task: pool.task
      chosen: {from: attempt.predictions, at: {base: inputs.model}}
      rejected: {from: attempt.predictions, at: {base: quantize.quantized}}
  - id: restore
    use: lowbit.dpo
    with: {model: {from: align.trained, at: {base: quantize.quantized}}, data: pairs.pairs}
    params: {steps: 2, batch_size: 4, learning_rate: 1e-4}
  - {id: solve, use: lowbit.generate, with: {model: "${answering}", task: test.task}, params: {max_new_tokens: 72}}
  - {id: judge, use: lowbit.reference-judge, with: {predictions: solve.predictions, task: test.task}}
  - {id: grade, use: lowbit.effective-grades, with: {predictions: solve.predictions, vote: judge.verdicts}}
)";

double number(const Project& project, const std::string& sql) {
  INFO(sql);
  const std::string text = project.query(sql);
  REQUIRE(!text.empty());
  return std::stod(text);
}

std::string metric(const std::string& stage, const std::string& name, const std::string& where = "1") {
  return "SELECT value FROM v_results WHERE stage = '" + stage + "' AND metric = '" + name + "' AND " + where;
}

const std::string kFull = "axes ->> '$.base' = 'inputs.model'";
const std::string kPacked = "axes ->> '$.base' = 'quantize.quantized'";

}  // namespace

TEST_CASE("a quantized model is fine-tuned, restored by preferences, judged and graded", "[e2e]") {
  const Project project(kStudy);
  const Ended run = project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK(
      project.query("SELECT stage, count(*) FROM v_stages WHERE state = 'done' GROUP BY stage ORDER BY stage") ==
      "align,2\nattempt,2\ndrawn,1\nexamples,1\ngrade,3\njudge,3\npairs,1\npool,1\npractice,1\nquantize,1\nrestore,1\n"
      "solve,3\ntest,1\n");

  // Two bits really cost accuracy: 48 answers of a model that knows 97 % against one that knows 24 %.
  const double full = number(project, metric("attempt", "tiny-math-pool/n_correct", kFull));
  const double packed = number(project, metric("attempt", "tiny-math-pool/n_correct", kPacked));
  CHECK(full > 40);
  CHECK(packed < 30);

  // A pair is a problem that the one got right and the other wrong.
  const std::string right_and_wrong =
      "SELECT count(*) FROM v_stages a JOIN predictions p USING (result_id) JOIN v_stages b ON b.stage = a.stage JOIN "
      "predictions q ON q.result_id = b.result_id AND q.item_id = p.item_id WHERE a.stage = 'attempt' AND a." +
      kFull + " AND b." + kPacked + " AND p.correct = 1 AND q.correct = 0";
  CHECK(number(project,
               "SELECT sum(value) FROM v_results WHERE stage = 'pairs' AND metric LIKE 'data/%' AND metric NOT IN "
               "('data/dropped/chosen_wrong', 'data/dropped/rejected_right')") == number(project, right_and_wrong));
  // Before its first update DPO compares a model with itself.
  CHECK(number(project, metric("restore", "train/first_loss")) == Approx(std::log(2.0)).margin(1e-5));

  // The adapter is kept beside the packed weights, and counted: rank 4 in fp32.
  CHECK(number(project, metric("solve", "model/weight_bits", "label LIKE '%restore%'")) == 2);
  CHECK(number(project, metric("solve", "model/weight_bits", "label LIKE '%inputs.model%'")) == 16);
  CHECK(number(project, metric("solve", "model/stored_bytes", "label LIKE '%restore%'")) -
            number(project, metric("restore", "adapter/bytes")) ==
        number(project, metric("solve", "model/stored_bytes", "label LIKE '%inputs.model%'")) -
            number(project, metric("align", "adapter/bytes", kFull)) -
            2 * number(project, metric("quantize", "weights/quantized_weights")) +
            number(project, metric("quantize", "weights/packed_bytes")));

  // Every item is right, or wrong by an error of one category, or wrong by one that nobody named.
  CHECK(project.query("SELECT count(*), min(total), max(total) FROM (SELECT label, round(sum(value), 9) AS total FROM "
                      "v_results WHERE stage = 'grade' AND metric IN ('first_errors/none', 'first_errors/unnamed', "
                      "'first_errors/conceptual', 'first_errors/method', 'first_errors/execution', "
                      "'first_errors/reasoning') GROUP BY label)") == "3,1.0,1.0\n");
  CHECK_THAT(project.run().err, Contains("nothing to do"));
}

TEST_CASE("every experiment that comes with lowbit can be planned", "[e2e]") {
  const Project elsewhere("experiment: none\nstages: []\n");
  int n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(LOWBIT_SOURCE_DIR) + "/experiments")) {
    const std::string file = (entry.path() / "experiment.yaml").string();
    const Ended plan = elsewhere.lowbit({"plan", file, "-C", elsewhere.path().string()});
    INFO(file << "\n" << plan.err);
    CHECK(plan.status == 0);
    ++n;
  }
  CHECK(n >= 3);
}
