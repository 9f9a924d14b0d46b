#include "interchange/model_card.h"

#include <catch2/catch.hpp>

#include "unit/interchange/study.h"

using namespace lowbit;
using namespace lowbit::interchange;
using lowbit::test::small_study;

TEST_CASE("a model's card holds every metric, its quantization and its base", "[interchange]") {
  const ExportedStudy study = small_study();
  const std::vector<Evaluation> all = evaluations(study);
  const std::vector<CardModel> cards = models_of(all);
  REQUIRE(cards.size() == 1);
  const CardBlocks blocks = card_blocks(study, cards[0], {{"sums", {.id = "org/sums", .task_id = "plain"}}});
  CHECK(blocks.metadata == R"(model-index:
- name: "round[num_bits=3]"
  results:
  - task:
      type: "text-generation"
      name: "sums"
    dataset:
      type: "org/sums"
      name: "sums"
    metrics:
    - type: "accuracy"
      value: 0.5
      name: "accuracy (fraction), standard error 0.25, n = 4"
    - type: "perplexity"
      value: 12.5
      name: "perplexity/word@64 (ratio), n = 80"
)");
  CHECK(blocks.results == R"(## Evaluation

| task | metric | value | standard error | n | shots | measured by |
| --- | --- | --- | --- | --- | --- | --- |
| sums | accuracy (fraction) | 0.5 | 0.25 | 4 | 3 | lowbit.generate 5 |
| sums | perplexity/word@64 (ratio) | 12.5 |  | 80 | 3 | lowbit.generate 5 |

- Quantization: lowbit.gptq 4, num_bits 3, group_size 64, symmetric false, 3.25 bits per weight as stored
- Its other parameters: actorder static
- Calibration: token-batches/1 c1
- Made by: round[num_bits=3] (lowbit.gptq 4)
- Base model: tiny-llama, SHA-256 b1
- Measured by lowbit in the experiment small
)");
}

TEST_CASE("eval_results.yaml has one entry a task, of its headline metric", "[interchange]") {
  const ExportedStudy study = small_study();
  const std::vector<Evaluation> all = evaluations(study);
  CHECK(eval_results_yaml(study, models_of(all).at(0), {{"sums", {.id = "org/sums", .task_id = "plain"}}}) ==
        R"(- dataset:
    id: "org/sums"
    task_id: "plain"
  value: 0.5
  date: "2026-11-23T10:00:40.250Z"
  notes: "accuracy (fraction), standard error 0.25, n = 4; lowbit.generate 5; lowbit.gptq 4, num_bits 3, group_size 64, symmetric false"
)");
}

TEST_CASE("a model that nothing quantized says so, and evaluations of one model share a card", "[interchange]") {
  ExportedStudy study = small_study();
  study.variants.push_back(study.variants[3]);
  study.variants[4].variant.label = "score[num_bits=3,seed=8]";
  study.chosen.push_back(4);
  for (const std::size_t i : {3U, 4U}) {
    for (RecipeInput& input : study.variants[i].recipe.inputs) input.maker.reset();
  }
  const std::vector<Evaluation> all = evaluations(study);
  const std::vector<CardModel> cards = models_of(all);
  REQUIRE(cards.size() == 1);
  CHECK(cards[0].evaluations.size() == 2);
  CHECK_THAT(card_blocks(study, cards[0], {}).results, Catch::Contains("- Quantization: none\n"));
  const std::vector<ExportFile> files = card_files(study, cards[0], {});
  CHECK(files.at(0).path == "quantized/eval_results.yaml");
  CHECK(files.at(1).path == "quantized/README.md");
}

TEST_CASE("what asks a server evaluates no model that has a card", "[interchange]") {
  ExportedStudy study = small_study();
  study.variants[3].recipe.inputs.erase(study.variants[3].recipe.inputs.begin());
  const std::vector<Evaluation> all = evaluations(study);
  REQUIRE(all.size() == 1);
  CHECK(all[0].model.name == "score[num_bits=3,seed=7]");
  CHECK(models_of(all).empty());
}
