#include "tasks/task.h"

#include "lm/error.h"
#include "lm/json_file.h"
#include "tasks/places.h"

namespace lowbit::tasks {
namespace {

using Json = nlohmann::json;

[[noreturn]] void lacks(const Item& item, const std::string& what, const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = "item " + item.item_id + " has no " + what,
                                  .where = "items.jsonl, item " + item.item_id,
                                  .why = "it is null there",
                                  .fix = fix});
}

[[noreturn]] void unsupported(const Task& task, const std::string& why, const std::string& fix) {
  throw StageError(
      LB_BAD_INPUT,
      {.what = "task " + task.name + " cannot be used here", .where = "task.json", .why = why, .fix = fix});
}

Item read_item(const Json& row) {
  Item item{.item_id = row.at("item_id").get<std::string>(),
            .problem_id = row.at("problem_id").get<std::string>(),
            .problem = row.at("problem").get<std::string>(),
            .answer = optional_of<std::string>(row.at("answer")),
            .solution = optional_of<std::string>(row.at("solution")),
            .steps = {},
            .fields = row.at("fields")};
  if (!row.at("steps").is_null()) item.steps = row.at("steps").get<std::vector<std::string>>();
  return item;
}

}  // namespace

Task read_task(const std::filesystem::path& directory) {
  Task task;
  try {
    const Json json = lm::read_json_file(directory / "task.json");
    task.name = json.at("name").get<std::string>();
    task.kind = json.at("kind").get<std::string>();
    task.prompt_template = json.at("prompt").at("template").get<std::string>();
    task.system = optional_of<std::string>(json.at("prompt").at("system"));
    task.chat = json.at("prompt").at("chat").get<bool>();
    task.stop = json.at("stop").get<std::vector<std::string>>();
    task.response_format = optional_of<std::string>(json.at("response_format"));
    task.grader = optional_of<std::string>(json.at("grader"));
  } catch (const lm::Error& e) {
    throw StageError(LB_BAD_INPUT,
                     {.what = e.text().what, .where = e.text().where, .why = e.text().why, .fix = e.text().fix});
  } catch (const Json::exception& e) {
    throw StageError(LB_BAD_INPUT, {.what = "task.json cannot be read",
                                    .where = (directory / "task.json").string(),
                                    .why = e.what(),
                                    .fix = "repair the file, or run the stage that wrote it again"});
  }
  for_each_json_line(directory / "items.jsonl",
                     [&](const Json& row, std::size_t) { task.items.push_back(read_item(row)); });
  return task;
}

void write_task(const std::filesystem::path& directory, const Task& task) {
  const Json prompt{{"template", task.prompt_template}, {"system", or_null(task.system)}, {"chat", task.chat}};
  lm::write_json_file(directory / "task.json", {{"name", task.name},
                                                {"kind", task.kind},
                                                {"n_items", task.items.size()},
                                                {"prompt", prompt},
                                                {"stop", task.stop},
                                                {"response_format", or_null(task.response_format)},
                                                {"grader", or_null(task.grader)}});
  JsonLinesWriter out(directory / "items.jsonl");
  for (const Item& item : task.items) {
    out.write({{"item_id", item.item_id},
               {"problem_id", item.problem_id},
               {"problem", item.problem},
               {"answer", or_null(item.answer)},
               {"solution", or_null(item.solution)},
               {"steps", or_null(item.steps)},
               {"choices", nullptr},
               {"answer_index", nullptr},
               {"fields", item.fields}});
  }
  out.close();
}

void expect_generation(const Task& task) {
  if (task.kind != "generate") {
    unsupported(task, "its kind is " + task.kind + ", nothing is written in answer to it",
                "use a task of kind generate");
  }
  if (task.system && !task.chat) {
    unsupported(task, "it has a system message, and only a chat template can say one",
                "set `prompt.chat` to true, or move the message into `prompt.template`");
  }
}

void expect_plain_generation(const Task& task) {
  expect_generation(task);
  if (task.chat) {
    unsupported(task, "its prompts are for a model's chat template, which this stage does not apply",
                "write the model's markers into `prompt.template` and set `prompt.chat` to false");
  }
}

std::string prompt_of(const Task& task, const Item& item) {
  return fill_places(task.prompt_template, [&](const std::string& name) {
    if (name == "problem") return item.problem;
    if (!item.fields.contains(name)) {
      lacks(item, "field `" + name + "`, which the prompt's template names",
            "add the field, or take it out of the template");
    }
    const Json& value = item.fields[name];
    return value.is_string() ? value.get<std::string>() : value.dump();
  });
}

std::string completion_of(const Item& item, answers::Format format) {
  if (!item.steps) lacks(item, "reference steps", "use a task whose items have steps, or leave this stage out");
  if (!item.answer) lacks(item, "reference answer", "use a task whose items have answers, or leave this stage out");
  return answers::render(*item.steps, *item.answer, format);
}

}  // namespace lowbit::tasks
