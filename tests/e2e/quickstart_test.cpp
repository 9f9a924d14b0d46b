// experiments/quickstart and the small recovery study as they come, in small: few problems and few steps show the
// machinery, not the effect. Alignment and attempts are in plain steps, which the model knows without being aligned; so
// there are pairs to restore from.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;

namespace {

const std::string kQuickstart = std::string(LOWBIT_SOURCE_DIR) + "/experiments/quickstart";

std::vector<std::string> in_small(const std::string& command, const Project& project) {
  std::vector<std::string> words{command, kQuickstart + "/experiment.yaml", "-C", project.path().string()};
  for (const char* change :
       {"seeds=[3]", "stages.train_problems.params.n=200", "stages.alignment_problems.params.n=64",
        "stages.pool_problems.params.n=48", "stages.test_problems.params.n=24", "stages.calibration.params.n=64",
        "stages.alignment_pairs.params.response_format=plain", "stages.attempt.params.response_format=plain",
        "stages.align.params.steps=2", "stages.align.params.batch_size=4", "stages.align.params.learning_rate=1e-4",
        "stages.restore.params.steps=2", "stages.restore.params.batch_size=4", "stages.practise.params.steps=2",
        "stages.practise.params.batch_size=8", "stages.cases.params.n=2", "stages.cases.params.controls=6"}) {
    words.insert(words.end(), {"--set", change});
  }
  return words;
}

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
const std::string kRtn = "axes ->> '$.quantizer' = 'rtn'";
const std::string kRestored = "axes ->> '$.answering' = 'restore.trained'";

}  // namespace

TEST_CASE("the quickstart quantizes, aligns, restores, practises, judges, and prints its tables", "[e2e]") {
  const Project project("experiment: none\nstages: []\n");
  const Ended run = project.lowbit(in_small("run", project));
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK(project.query("SELECT stage, count(*) FROM v_stages WHERE state <> 'done' GROUP BY stage").empty());
  CHECK(project.query("SELECT stage, count(*) FROM v_stages WHERE stage IN ('quantize', 'align', 'attempt', 'pairs', "
                      "'restore', 'practise', 'solve_plain', 'solve', 'grade') GROUP BY stage ORDER BY stage") ==
        "align,3\nattempt,3\ngrade,13\npairs,2\npractise,2\nquantize,5\nrestore,2\nsolve,7\nsolve_plain,6\n");

  // Two bits really cost accuracy: 48 answers of a model that knows 94 % against one that knows 4 %.
  CHECK(number(project, metric("attempt", "tiny-math-pool/n_correct", kFull)) > 38);
  CHECK(number(project, metric("attempt", "tiny-math-pool/n_correct", kRtn)) < 15);

  // A pair is a problem that the one got right and the other wrong.
  const std::string right_and_wrong =
      "SELECT count(*) FROM v_stages a JOIN predictions p USING (result_id) JOIN v_stages b ON b.stage = a.stage JOIN "
      "predictions q ON q.result_id = b.result_id AND q.item_id = p.item_id WHERE a.stage = 'attempt' AND a." +
      kFull + " AND b." + kRtn + " AND p.correct = 1 AND q.correct = 0";
  CHECK(number(project, "SELECT sum(value) FROM v_results WHERE stage = 'pairs' AND " + kRtn +
                            " AND metric LIKE 'data/%' AND metric NOT LIKE 'data/recipe/%' AND metric NOT IN "
                            "('data/dropped/chosen_wrong', "
                            "'data/dropped/rejected_right')") == number(project, right_and_wrong));
  // Before its first update DPO compares a model with itself.
  CHECK(number(project, metric("restore", "train/first_loss", kRtn)) == Approx(std::log(2.0)).margin(1e-5));

  // The adapter is kept beside the packed weights, and counted.
  const std::string restored = kRtn + " AND " + kRestored;
  CHECK(number(project, metric("solve", "model/weight_bits", restored)) == 2);
  CHECK(number(project, metric("solve", "model/weight_bits", kFull)) == 16);
  CHECK(number(project, metric("solve", "model/stored_bytes", restored)) -
            number(project, metric("restore", "adapter/bytes", kRtn)) ==
        number(project, metric("solve", "model/stored_bytes", kFull)) -
            number(project, metric("align", "adapter/bytes", kFull)) -
            2 * number(project, metric("quantize", "weights/quantized_weights", "label LIKE '%rtn,num_bits=2%'")) +
            number(project, metric("quantize", "weights/packed_bytes", "label LIKE '%rtn,num_bits=2%'")));

  // Every item is right, or wrong by an error of one category, or wrong by one that nobody named.
  CHECK(project.query("SELECT count(*), min(total), max(total) FROM (SELECT label, round(sum(value), 9) AS total FROM "
                      "v_results WHERE stage = 'grade' AND metric IN ('first_errors/none', 'first_errors/unnamed', "
                      "'first_errors/conceptual', 'first_errors/method', 'first_errors/execution', "
                      "'first_errors/reasoning') GROUP BY label)") == "13,1.0,1.0\n");

  for (const char* table : {"recovery", "judge"}) {
    const Ended printed = project.lowbit({"table", kQuickstart, table, "--strict", "-C", project.path().string()});
    INFO(printed.err);
    CHECK(printed.status == 0);
    CHECK_THAT(printed.out, Contains(table == std::string("judge") ? "type right" : "RTN W2g32 aligned + restored"));
  }
  CHECK_THAT(project.lowbit(in_small("run", project)).err, Contains("nothing to do"));
}

TEST_CASE("the small recovery study diagnoses, draws pairs by category, restores, votes, and prints its tables",
          "[e2e]") {
  const std::string study = std::string(LOWBIT_SOURCE_DIR) + "/experiments/quantization-meets-reasoning/small";
  const Project project("experiment: none\nstages: []\n");
  std::vector<std::string> words{"run", study + "/experiment.yaml", "-C", project.path().string()};
  for (const char* change :
       {"seeds=[3]", "matrix.setting=[all, execution]", "stages.alignment_problems.params.n=64",
        "stages.pool_problems.params.n=48", "stages.test_problems.params.n=24", "stages.calibration.params.n=64",
        "stages.alignment_pairs.params.response_format=plain", "stages.attempt.params.response_format=plain",
        "stages.align.params.steps=2", "stages.align.params.batch_size=4", "stages.align.params.learning_rate=1e-4",
        "stages.restore.params.steps=2", "stages.restore.params.batch_size=4", "stages.cases.params.n=4",
        "stages.cases.params.controls=6"}) {
    words.insert(words.end(), {"--set", change});
  }
  const Ended run = project.lowbit(words);
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK(project.query(
            "SELECT stage, count(*) FROM v_stages WHERE stage IN ('pairs', 'restore', 'panel', 'vote') GROUP BY "
            "stage ORDER BY stage") == "pairs,2\npanel,5\nrestore,6\nvote,2\n");
  // One set for all models: every problem once, and of one category where one was asked for.
  CHECK(project.query(
            "SELECT DISTINCT metric FROM v_results WHERE stage = 'pairs' AND axes ->> '$.setting' = 'execution' "
            "AND metric LIKE 'data/category/%' AND value > 0") == "data/category/execution\n");
  CHECK(number(project, metric("pairs", "data/recipe/distinct", "axes ->> '$.setting' = 'all'")) <= 48);
  CHECK(number(project, metric("restore", "train/first_loss", kRtn + " AND axes ->> '$.setting' = 'all'")) ==
        Approx(std::log(2.0)).margin(1e-5));
  // Of 28 wrong cases the rules name nearly all; the five judges err at their rates.
  CHECK(number(project, metric("reference_scores", "judge/type_accuracy")) > 0.9);
  CHECK(project.query(
            "SELECT count(*) FROM v_results WHERE stage = 'vote_scores' AND metric = 'judge/type_accuracy'") == "2\n");
  for (const auto& [table, title] :
       {std::pair("judges", "vote of the five, majority"), std::pair("main", "GPTQ W2g64")}) {
    const Ended printed = project.lowbit({"table", study, table, "-C", project.path().string()});
    INFO(printed.err);
    CHECK_THAT(printed.out, Contains(title));
  }
}

/// How often `part` stands in `text`.
int occurrences(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

TEST_CASE("what lowbit has of a paper's study runs without the rest, and the plan names what is left out", "[e2e]") {
  const std::string study = std::string(LOWBIT_SOURCE_DIR) + "/experiments/llama3-low-bit/small";
  const Project project("experiment: none\nstages: []\n");
  std::vector<std::string> words{"run", study + "/experiment.yaml", "-C", project.path().string(), "--skip-missing"};
  const Ended run = project.lowbit(words);
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK(project.query("SELECT stage, count(*) FROM v_stages WHERE stage IN ('quantize', 'wikitext2', 'qlora', 'mmlu') "
                      "GROUP BY stage ORDER BY stage") == "qlora,1\nquantize,14\nwikitext2,17\n");
  const Ended plan =
      project.lowbit({"plan", study + "/experiment.yaml", "-C", project.path().string(), "--skip-missing"});
  CHECK_THAT(
      plan.out,
      Contains(" 0 run, ") &&
          Contains("note: no plugin offers `lowbit.quip`: stage `quantize` left out there, with what needs it\n") &&
          Contains("note: no plugin offers `lowbit.iec`: stage `ir_qlora` left out there"));
  // What is missing may stand in a plugin that could not be read.
  CHECK_THAT(project
                 .lowbit({"plan", study + "/experiment.yaml", "-C", project.path().string(), "--skip-missing",
                          "--plugin-path", "/nowhere"})
                 .out,
             Contains("note: a plugin could not be loaded, `lowbit doctor` says why: "));
  const Ended printed = project.lowbit({"table", study, "--strict", "-C", project.path().string()});
  INFO(printed.err);
  CHECK(printed.status == 0);
  CHECK_THAT(printed.out, Contains("QLoRA on NF4"));
}

TEST_CASE("every experiment that comes with lowbit can be planned", "[e2e]") {
  const Project elsewhere("experiment: none\nstages: []\n");
  int n = 0;
  const std::string experiments = std::string(LOWBIT_SOURCE_DIR) + "/experiments";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(experiments)) {
    if (entry.path().filename() != "experiment.yaml") continue;
    const std::string study = entry.path().parent_path().lexically_relative(experiments).string();
    const std::string file = entry.path().string();
    std::vector<std::string> words{"plan", file, "-C", elsewhere.path().string()};
    // The data of these is the reader's own.
    const std::set<std::string> without_data{"quantization-meets-reasoning/v1", "quantization-meets-reasoning/v2",
                                             "llama3-low-bit", "compensate-quantization-errors"};
    if (without_data.contains(study)) words.emplace_back("--check");
    // These want plugins that are not there yet, and name them all.
    const std::map<std::string, int> missing{
        {"llama3-low-bit", 12}, {"llama3-low-bit/small", 9}, {"compensate-quantization-errors", 19}};
    if (missing.contains(study)) {
      const Ended refused = elsewhere.lowbit(words);
      INFO(refused.err);
      CHECK(refused.status == 2);
      CHECK(occurrences(refused.err, "error[LB2001]: no plugin offers `lowbit.") == missing.at(study));
      CHECK(occurrences(refused.err, "error[") == missing.at(study));
      words.emplace_back("--skip-missing");
    }
    const Ended plan = elsewhere.lowbit(words);
    INFO(file << "\n" << plan.err);
    CHECK(plan.status == 0);
    ++n;
  }
  CHECK(n >= 10);
}
