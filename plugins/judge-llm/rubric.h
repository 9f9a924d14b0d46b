// rubric/1 in memory: what a judge is asked, in which words, and in which form it answers.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::judge_llm {

struct Rubric {
  std::string name;
  std::string taxonomy;  ///< "v1" or "v2"
  std::optional<std::string> system;
  std::string prompt;  ///< template
  nlohmann::json answer_schema;
  nlohmann::ordered_json written_schema;  ///< the same, its members in the order of the file
};

/// The built-in rubric for taxonomy `v1` or `v2`. Another text of it is another file name and another version of the
/// stage.
[[nodiscard]] Rubric built_in_rubric(std::string_view taxonomy = "v2");
/// Throws StageError(LB_BAD_INPUT).
[[nodiscard]] Rubric read_rubric(const std::filesystem::path& directory);

/// What one prompt is about; what is not known is nothing.
struct Case {
  std::string problem;
  std::optional<std::string> answer, solution, extracted;
  std::vector<std::string> steps;
  std::string text;  ///< stands for the steps where there are none
};

/// The template with its places filled in; what is filled in is not searched again. Steps are numbered from 1. Throws
/// StageError(LB_BAD_INPUT) for a place that a rubric does not have.
[[nodiscard]] std::string render_prompt(const Rubric& rubric, const Case& subject);

}  // namespace lowbit::judge_llm
