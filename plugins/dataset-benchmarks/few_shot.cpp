#include "few_shot.h"

#include <unordered_map>

#include "overlap/words.h"
#include "tasks/choice.h"

namespace lowbit::benchmarks {
namespace {

/// The field that holds the examples: what is filled in is not searched again, so that `{{` of a formula stays as it
/// is.
constexpr const char* kField = "examples";
const std::string kPlace = "{{examples}}";

std::string answer_of(const tasks::Item& example, const std::string& form) {
  if (form != "solution") return tasks::completion_of(example, answers::format_named(form));
  if (example.solution) return *example.solution;
  throw StageError(LB_BAD_INPUT, {.what = "example " + example.item_id + " has no solution",
                                  .where = "items.jsonl of `examples`, item " + example.item_id,
                                  .why = "it is null there",
                                  .fix = "use other examples, or set `answer` to plain or tagged"});
}

/// Refuses an example whose answer the model would be asked for.
void expect_new(const std::vector<tasks::Item>& examples, const tasks::Task& task) {
  std::unordered_map<std::string, const tasks::Item*> by_text;
  std::unordered_map<std::string, const tasks::Item*> by_problem;
  for (const tasks::Item& item : task.items) {
    by_text.emplace(overlap::normalised(item.problem), &item);
    by_problem.emplace(item.problem_id, &item);
  }
  for (const tasks::Item& example : examples) {
    const auto text = by_text.find(overlap::normalised(example.problem));
    const auto problem = by_problem.find(example.problem_id);
    if (text == by_text.end() && problem == by_problem.end()) continue;
    const tasks::Item& same = text != by_text.end() ? *text->second : *problem->second;
    throw StageError(LB_BAD_INPUT, {.what = "an example is a problem of the task",
                                    .where = "example " + example.item_id,
                                    .why = "item " + same.item_id + " of task " + task.name +
                                           (text != by_text.end() ? " has the same text" : " has the same problem_id"),
                                    .fix = "take examples from another split, or from items that the task leaves out"});
  }
}

}  // namespace

std::string written(const std::vector<tasks::Item>& examples, const tasks::Task& task, const FewShotParams& params) {
  tasks::Task asked = task;
  asked.items.clear();
  if (!params.question.empty()) asked.prompt_template = params.question;
  std::string text;
  for (const tasks::Item& example : examples) {
    text += tasks::prompt_of(asked, example) + params.target_delimiter + answer_of(example, params.answer) +
            params.fewshot_delimiter;
  }
  return text;
}

void check_few_shot(const Job&, const FewShotParams& params) {
  if (params.prompt_template.empty() || params.prompt_template.find(kPlace) != std::string::npos) return;
  throw StageError(LB_BAD_PARAM, {.what = "the prompts have no place for the examples",
                                  .where = "template",
                                  .why = "there is no " + kPlace + " in it",
                                  .fix = "write " + kPlace + " where the examples are to stand"});
}

void write_few_shot(const Job& job, const FewShotParams& params) {
  check_few_shot(job, params);
  tasks::Task task = tasks::read_task(job.input("task").path);
  tasks::expect_generation(task);
  const tasks::Task source = tasks::read_task(job.input("examples").path);
  std::vector<std::string> ids;
  for (const tasks::Item& item : source.items) ids.push_back(item.item_id);
  std::vector<tasks::Item> examples;
  for (const std::size_t i :
       tasks::chosen(ids, params.num_fewshot, tasks::choice_named(params.choice), params.seed, "num_fewshot")) {
    examples.push_back(source.items[i]);
  }
  expect_new(examples, task);
  const std::string text = written(examples, task, params);
  for (tasks::Item& item : task.items) {
    if (item.fields.contains(kField)) {
      throw StageError(LB_BAD_INPUT, {.what = "the task has examples already",
                                      .where = "task " + task.name + ", item " + item.item_id,
                                      .why = std::string("its field `") + kField + "` is taken",
                                      .fix = "bind `task` to the task without examples"});
    }
    item.fields[kField] = text;
  }
  task.prompt_template = params.prompt_template.empty() ? kPlace + task.prompt_template : params.prompt_template;
  task.stop.insert(task.stop.end(), params.stop.begin(), params.stop.end());
  tasks::write_task(job.output("task"), task);
  job.metric("data/n_items", static_cast<double>(task.items.size()), "items");
}

}  // namespace lowbit::benchmarks
