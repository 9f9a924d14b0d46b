#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

tasks::Item item(const std::string& id, const std::string& problem, const std::string& answer) {
  return {.item_id = id,
          .problem_id = "p" + id,
          .problem = problem,
          .answer = answer,
          .solution = "It is $" + answer + "$.",
          .steps = std::vector<std::string>{"So " + answer},
          .fields = {{"level", 2}}};
}

struct Shots {
  Shots() {
    bind("task", {item("1", "What is 1?", "1"), item("2", "What is {{x}}?", "2")},
         "Problem: {{problem}}\nSolution:", {"\n\n"});
    bind("examples",
         {item("a", "What is $x^{{3}}$?", "x^{{3}}"), item("b", "What is 4?", "4"), item("c", "What is 5?", "5")},
         "unused", {});
  }
  void bind(const std::string& port, const std::vector<tasks::Item>& items, const std::string& prompt_template,
            const std::vector<std::string>& stop) {
    tasks::write_task(stage.input(port), {.name = port,
                                          .prompt_template = prompt_template,
                                          .system = {},
                                          .stop = stop,
                                          .response_format = {},
                                          .grader = {},
                                          .items = items});
    if (!bound) stage.host.bind(port, {.path = stage.input(port).string(), .type = "task/1"});
  }
  lb_status run(const Json& params) {
    stage.host.params = params;
    return stage.run();
  }
  [[nodiscard]] std::vector<std::string> prompts() const {
    const tasks::Task task = tasks::read_task(stage.host.path("task"));
    std::vector<std::string> all;
    for (const tasks::Item& asked : task.items) all.push_back(tasks::prompt_of(task, asked));
    return all;
  }

  test::StageFixture stage{"lowbit.few-shot"};
  bool bound = false;
};

}  // namespace

TEST_CASE("examples stand in front of each problem, braces of formulas as they are", "[few-shot]") {
  Shots shots;
  REQUIRE(shots.run({{"num_fewshot", 2}, {"stop", {"Problem:"}}}) == LB_OK);
  const std::string examples =
      "Problem: What is $x^{{3}}$?\nSolution: It is $x^{{3}}$.\n\nProblem: What is 4?\nSolution: It is $4$.\n\n";
  CHECK(shots.prompts() == std::vector<std::string>{examples + "Problem: What is 1?\nSolution:",
                                                    examples + "Problem: What is {{x}}?\nSolution:"});
  const tasks::Task task = tasks::read_task(shots.stage.host.path("task"));
  CHECK(task.name == "task");
  CHECK(task.stop == std::vector<std::string>{"\n\n", "Problem:"});
  CHECK(task.items[0].fields["level"] == 2);
}

TEST_CASE("examples are written as the parameters say, and drawn by seed", "[few-shot]") {
  Shots shots;
  REQUIRE(shots.run({{"num_fewshot", 1},
                     {"template", "Rules.\n{{examples}}Q {{problem}}"},
                     {"question", "Q {{problem}} ({{level}})"},
                     {"answer", "tagged"},
                     {"target_delimiter", " A "},
                     {"fewshot_delimiter", " ; "},
                     {"choice", "random"},
                     {"seed", 3}}) == LB_OK);
  // sha256sum of "3/a", "3/b" and "3/c" begins with 8c70, 2752 and 262e.
  CHECK(shots.prompts()[0] ==
        "Rules.\nQ What is 5? (2) A <|step_start|>So 5<|step_end|><|answer_start|>5<|answer_end|> ; Q What is 1?");
}

TEST_CASE("an example that is a problem of the task is refused", "[few-shot]") {
  Shots shots;
  shots.bound = true;
  const bool by_text = GENERATE(true, false);
  tasks::Item same = by_text ? item("z", "what IS  1?", "1") : item("1", "What else?", "1");
  shots.bind("examples", {item("a", "What is 3?", "3"), same}, "unused", {});
  REQUIRE(shots.run({{"num_fewshot", 1}}) == LB_OK);  // the other example is new
  CHECK(shots.run({{"num_fewshot", 2}}) == LB_BAD_INPUT);
  CHECK(shots.stage.error() == "an example is a problem of the task\nexample " + same.item_id +
                                   "\nitem 1 of task task has the same " + (by_text ? "text" : "problem_id") +
                                   "\ntake examples from another split, or from items that the task leaves out");
}

TEST_CASE("examples that cannot be written, and tasks that have some, are refused", "[few-shot]") {
  Shots shots;
  shots.bound = true;
  Json params{{"num_fewshot", 1}};
  lb_status status = LB_BAD_INPUT;
  std::string expected;
  SECTION("no solution") {
    tasks::Item without = item("a", "What is 3?", "3");
    without.solution.reset();
    shots.bind("examples", {without}, "unused", {});
    expected =
        "example a has no solution\nitems.jsonl of `examples`, item a\nit is null there\nuse other examples, or set "
        "`answer` to plain or tagged";
  }
  SECTION("too few") {
    params["num_fewshot"] = 4;
    expected = "there are too few items\nnum_fewshot\nwanted are 4, there are 3\nlower it to what there is";
  }
  SECTION("examples already") {
    tasks::Item with = item("1", "What is 1?", "1");
    with.fields["examples"] = "x";
    shots.bind("task", {with}, "{{examples}}{{problem}}", {});
    expected =
        "the task has examples already\ntask task, item 1\nits field `examples` is taken\nbind `task` to the task "
        "without examples";
    params["question"] = "{{problem}}";
  }
  SECTION("no place for them") {
    params["template"] = "{{problem}}";
    status = LB_BAD_PARAM;
    expected =
        "the prompts have no place for the examples\ntemplate\nthere is no {{examples}} in it\nwrite {{examples}} "
        "where "
        "the examples are to stand";
  }
  CHECK(shots.run(params) == status);
  CHECK(shots.stage.error() == expected);
}
