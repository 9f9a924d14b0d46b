// What lm_eval 0.4.13 writes for two small tasks, in the form that an evaluation with its own program had.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/program.h"

namespace lowbit::test {

struct Evaluation {
  using Json = nlohmann::json;

  static Json generated(int id, const std::string& said, const std::string& found, bool right,
                        const std::string& filter) {
    const std::string question = "What is " + std::to_string(id) + "+1?";
    const std::string hash(64, static_cast<char>('a' + id));
    return {{"doc_id", id},
            {"doc", {{"question", question}, {"answer", "sum #### " + std::to_string(id + 1)}}},
            {"target", "sum #### " + std::to_string(id + 1)},
            {"arguments", {{"gen_args_0", {{"arg_0", "Q: " + question + "\nA:"}, {"arg_1", {{"until", {"\n"}}}}}}}},
            {"resps", Json::array({Json::array({said})})},
            {"filtered_resps", Json::array({found})},
            {"filter", filter},
            {"metrics", Json::array({"exact_match"})},
            {"doc_hash", hash},
            {"exact_match", right ? 1.0 : 0.0}};
  }
  static Json chosen(int id, double first, double second, const std::string& target, double acc) {
    const auto one = [](double logprob) { return Json::array({std::to_string(logprob), "False"}); };
    Json arguments;
    arguments["gen_args_0"] = {{"arg_0", "The sky is"}, {"arg_1", " blue"}};
    arguments["gen_args_1"] = {{"arg_0", "The sky is"}, {"arg_1", " red"}};
    return {{"doc_id", id},
            {"doc", {{"query", "The sky is"}}},
            {"target", target},
            {"arguments", arguments},
            {"resps", Json::array({Json::array({one(first)}), Json::array({one(second)})})},
            {"filtered_resps", Json::array({one(first), one(second)})},
            {"filter", "none"},
            {"metrics", Json::array({"acc"})},
            {"doc_hash", std::string(64, static_cast<char>('0' + id))},
            {"acc", acc}};
  }

  Json results = Json::parse(R"({
    "results": {
      "sums": {"name": "sums", "alias": "sums", "sample_len": 2,
               "exact_match,strict": 0.5, "exact_match_stderr,strict": 0.5,
               "exact_match,flexible": 1.0, "exact_match_stderr,flexible": 0.0},
      "sky": {"name": "sky", "alias": "sky", "sample_len": 2, "acc,none": 0.5, "acc_stderr,none": 0.5,
              "brier_score,none": 0.25, "brier_score_stderr,none": "N/A", "own_score,none": 7.5},
      "all": {"alias": "all", "name": "all", "acc,none": 0.5, "acc_stderr,none": 0.25, "sample_count": {"acc,none": 4}}
    },
    "group_subtasks": {"all": ["sky"]},
    "configs": {
      "sums": {"output_type": "generate_until", "generation_kwargs": {"until": ["\n"]},
               "metric_list": [{"metric": "exact_match", "aggregation": "mean"}]},
      "sky": {"output_type": "multiple_choice", "metric_list": [{"metric": "acc"}]}
    },
    "versions": {"sums": 2.0, "sky": 1.0},
    "n-shot": {"sums": 5, "sky": 0},
    "higher_is_better": {"sums": {"exact_match": true}, "sky": {"acc": true, "brier_score": false}},
    "n-samples": {"sums": {"original": 9, "effective": 2}, "sky": {"original": 2, "effective": 2}},
    "config": {"model": "hf", "model_args": {"pretrained": "org/model"}, "limit": 2},
    "date": 1795467298.5,
    "lm_eval_version": "0.4.13",
    "task_hashes": {"sums": "9b5d"},
    "model_source": "hf",
    "model_name": "org/model"
  })");
  std::vector<Json> sums{generated(0, " it is 1", "1", true, "strict"),
                         generated(1, " two", "[invalid]", false, "strict"),
                         generated(0, " it is 1", "1", true, "flexible"), generated(1, " two", "2", true, "flexible")};
  std::vector<Json> sky{chosen(0, -0.5, -2.25, "0", 1), chosen(1, -0.5, -2.25, "red", 0)};
  std::string time = "2026-11-23T20-54-58.969696";

  static std::string lines(const std::vector<Json>& rows) {
    std::string text;
    for (const Json& row : rows) text += row.dump() + "\n";
    return text;
  }
  void write(const std::filesystem::path& output) const {
    const auto directory = output / "org__model";
    std::filesystem::create_directories(directory);
    write_text(directory / ("results_" + time + ".json"), results.dump(2));
    write_text(directory / ("samples_sums_" + time + ".jsonl"), lines(sums));
    write_text(directory / ("samples_sky_" + time + ".jsonl"), lines(sky));
  }
};

}  // namespace lowbit::test
