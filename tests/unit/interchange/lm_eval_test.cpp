#include "interchange/lm_eval.h"

#include <catch2/catch.hpp>

#include "unit/interchange/study.h"

using namespace lowbit;
using namespace lowbit::interchange;
using lowbit::test::small_study;

TEST_CASE("results have the keys of lm-evaluation-harness", "[interchange]") {
  const ExportedStudy study = small_study();
  const std::vector<Evaluation> all = evaluations(study);
  const ExportFile file = lm_eval_results(study, all.at(0), {{"sums", "abcd"}}, 0);
  CHECK(file.path == "round__num_bits=3__/results_2026-11-23T10-00-40.250Z.json");
  const Json document = Json::parse(file.bytes);
  CHECK(document["results"]["sums"] == Json::parse(R"({
    "name": "sums", "alias": "sums", "sample_len": 4, "acc,none": 0.5, "acc_stderr,none": 0.25,
    "word_perplexity,none": 12.5, "word_perplexity_stderr,none": "N/A"})"));
  CHECK(document["configs"]["sums"] == Json::parse(R"({
    "task": "sums", "output_type": "generate_until", "doc_to_text": "{{problem}} =", "num_fewshot": 3,
    "generation_kwargs": {"until": ["\n"]}, "metadata": {"version": "5"}})"));
  CHECK(document["higher_is_better"]["sums"] == Json::parse(R"({"acc": true, "word_perplexity": false})"));
  CHECK(document["n-samples"]["sums"] == Json::parse(R"({"original": 6, "effective": 4})"));
  CHECK(document["n-shot"]["sums"] == 3);
  CHECK(document["versions"]["sums"] == "5");
  CHECK(document["task_hashes"]["sums"] == "abcd");
  CHECK(document["date"] == 1795428030.0);
  CHECK(document["model_name_sanitized"] == "round__num_bits=3__");
  CHECK(document["config"]["random_seed"] == 7);
  CHECK(document["lowbit"]["content_key"] == "3333");
  CHECK(document["lowbit"]["plugin_digest"] == "feed");
  CHECK(document["lowbit"]["metrics"]["sums"]["acc"] ==
        Json::parse(R"({"name": "sums/accuracy", "unit": "fraction", "count": 4})"));
}

TEST_CASE("two evaluators of one model that ended together have two files", "[interchange]") {
  const ExportedStudy study = small_study();
  const std::vector<Evaluation> all = evaluations(study);
  CHECK(lm_eval_results(study, all.at(0), {}, 1).path == "round__num_bits=3__/results_2026-11-23T10-00-40.250Z-2.json");
  CHECK(samples_path(study, all[0], all[0].tasks[0], 0) ==
        "round__num_bits=3__/samples_sums_2026-11-23T10-00-40.250Z.jsonl");
}

TEST_CASE("a sample has the hashes that Python computes", "[interchange]") {
  const ExportedStudy study = small_study();
  const std::vector<Evaluation> all = evaluations(study);
  LmEvalSamples samples(all.at(0).tasks.at(0));
  const Json first = Json::parse(samples.line({.port = "predictions",
                                               .item_id = "i1#2",
                                               .fields = {{"problem_id", "i1"},
                                                          {"prompt_sha", "00ff"},
                                                          {"text", "it is 4"},
                                                          {"extracted", "4"},
                                                          {"correct", true},
                                                          {"n_tokens", 5}}},
                                              Question{.problem = "2 + 2\t= „ä“", .reference = "4"}));
  // hashlib.sha256(json.dumps({"answer": "4", "item_id": "i1#2", "problem": "2 + 2\t= „ä“", "problem_id": "i1"},
  // indent=2, ensure_ascii=False).encode()).hexdigest()
  CHECK(first["doc_hash"] == "3b62d8edac5f2b23610514d679efc0aa89e1a24c072a6e6f56846bdaef9b6749");
  CHECK(first["target_hash"] == "4b227777d4dd1fc61c6f884f48641d02b4d121d3fd328cb08b5531fcacdabf8a");
  CHECK(first["prompt_hash"] == "00ff");
  CHECK(first["doc_id"] == 0);
  CHECK(first["resps"] == Json::parse(R"([["it is 4"]])"));
  CHECK(first["filtered_resps"] == Json::parse(R"(["4"])"));
  CHECK(first["acc"] == 1.0);
  CHECK(first["metrics"] == Json::parse(R"(["acc"])"));
  CHECK(first["lowbit"] == Json::parse(R"({"correct": true, "n_tokens": 5})"));
  const Json second = Json::parse(
      samples.line({.port = "predictions", .item_id = "i2", .fields = {{"correct", nullptr}}}, std::nullopt));
  CHECK(second["doc_id"] == 1);
  CHECK(second["acc"] == 0.0);  // not graded: wrong, as in the accuracy
  std::string hashes;
  for (const Json* sample : {&first, &second}) {
    for (const char* key : {"doc_hash", "prompt_hash", "target_hash"}) hashes += sample->at(key).get<std::string>();
  }
  CHECK(samples.task_hash() == sha256(hashes).hex());
}

TEST_CASE("what nobody grades has no accuracy", "[interchange]") {
  ExportedStudy study = small_study();
  study.variants[3].result->facts.metrics.erase(study.variants[3].result->facts.metrics.begin() + 1);
  const std::vector<Evaluation> all = evaluations(study);
  LmEvalSamples samples(all.at(0).tasks.at(0));
  const Json sample = Json::parse(
      samples.line({.port = "predictions", .item_id = "i2", .fields = {{"correct", nullptr}}}, std::nullopt));
  CHECK_FALSE(sample.contains("acc"));
  CHECK(sample["metrics"].empty());
}
