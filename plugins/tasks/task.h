// task/1 in memory (docs/artifacts.md), and how an item becomes a prompt and a reference completion.
//
//   const Task task = read_task(job.input("task").path);
//   for (const Item& item : task.items) { prompt_of(task, item); completion_of(item, Format::tagged); }
//
// Everything here throws StageError: LB_BAD_INPUT with the file, the item and what to do.
#pragma once

#include <filesystem>
#include <lowbit/sdk.hpp>
#include <optional>
#include <string>
#include <vector>

#include "answers/response.h"

namespace lowbit::tasks {

struct Item {
  std::string item_id, problem_id, problem;
  std::optional<std::string> answer, solution;
  std::optional<std::vector<std::string>> steps;
  nlohmann::json fields = nlohmann::json::object();
};

struct Task {
  std::string name;
  std::string kind = "generate";
  std::string prompt_template = "{{problem}}";
  std::optional<std::string> system;
  bool chat = false;
  std::vector<std::string> stop;
  std::optional<std::string> response_format, grader;
  std::vector<Item> items;
};

[[nodiscard]] Task read_task(const std::filesystem::path& directory);
/// A `generate` task: its items have no choices.
void write_task(const std::filesystem::path& directory, const Task& task);

/// Refuses tasks that are not answered in free text, and a system message without a chat template to say it.
void expect_generation(const Task& task);
/// Refuses those and tasks whose prompts are for a model's chat template, for stages that do not apply it.
void expect_plain_generation(const Task& task);

/// The template with `{{problem}}` and `{{field}}` filled in; what is filled in is not searched again.
[[nodiscard]] std::string prompt_of(const Task& task, const Item& item);
/// The reference solution without an end token. Throws when the item has none in this form.
[[nodiscard]] std::string completion_of(const Item& item, answers::Format format);

}  // namespace lowbit::tasks
