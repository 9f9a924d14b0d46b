#include "interchange/evaluations.h"

#include <catch2/catch.hpp>

#include "unit/interchange/study.h"

using namespace lowbit;
using namespace lowbit::interchange;
using lowbit::test::small_study;

TEST_CASE("an evaluation says which model answered which task, and how many items", "[interchange]") {
  const ExportedStudy study = small_study();
  const std::vector<Evaluation> all = evaluations(study);
  REQUIRE(all.size() == 1);
  CHECK(all[0].variant == 3);
  CHECK(all[0].model.name == "round[num_bits=3]");
  CHECK(all[0].model.digest == "q1");
  const Lineage lineage = lineage_of(study, all[0]);
  CHECK(lineage.makers == std::vector<std::size_t>{1});
  CHECK(lineage.base == "tiny-llama");
  CHECK(lineage.base_digest == "b1");
  REQUIRE(all[0].tasks.size() == 1);
  const EvaluatedTask& task = all[0].tasks[0];
  CHECK(task.name == "sums");
  CHECK(task.n_original == 6);
  CHECK(task.n_effective == 4);
  CHECK(task.num_fewshot == 3);
  REQUIRE(task.metrics.size() == 2);
  CHECK(task.metrics[0].lm_eval == "acc");
  CHECK(task.metrics[0].better == Better::up);
  CHECK(task.metrics[1].lm_eval == "word_perplexity");
  CHECK(task.metrics[1].better == Better::down);
}

TEST_CASE("two contexts of one perplexity keep two names", "[interchange]") {
  ExportedStudy study = small_study();
  study.variants[3].result->facts.metrics.push_back(
      {.name = "sums/perplexity/word@128", .unit = "ratio", .value = 11.5});
  const std::vector<Evaluation> all = evaluations(study);
  REQUIRE(all.at(0).tasks.at(0).metrics.size() == 3);
  CHECK(all[0].tasks[0].metrics[2].lm_eval == "perplexity/word@128");
}

TEST_CASE("a model from outside has the name of its directory, a task from outside no number of examples",
          "[interchange]") {
  ExportedStudy study = small_study();
  ExportedVariant& score = study.variants[3];
  for (RecipeInput& input : score.recipe.inputs) input.maker.reset();
  score.result->facts.inputs[0].path = "/models/tiny-llama/";
  const std::vector<Evaluation> all = evaluations(study);
  CHECK(all.at(0).model.name == "tiny-llama");
  CHECK_FALSE(all.at(0).tasks.at(0).num_fewshot);
  CHECK(lineage_of(study, all[0]).makers.empty());
  CHECK(lineage_of(study, all[0]).base == "tiny-llama");
  score.result->facts.inputs.clear();
  CHECK(evaluations(study).at(0).model.name == "model-q1");
}
