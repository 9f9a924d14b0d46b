// dataset-tiny-math: generated problems with reference solutions, and drills of bare operations. What they are:
// docs/tiny-math.md.
#include <lowbit/sdk.hpp>

#include "lm/json_file.h"
#include "tasks/task.h"
#include "tinymath/drill.h"
#include "tinymath/generator.h"
#include "tinymath/vocabulary.h"

using namespace lowbit;

namespace {

struct TaskParams {
  std::string split;
  std::int64_t n = 0;
  std::int64_t seed = 0;
  std::int64_t min_steps = 2;
  std::int64_t max_steps = 4;

  static auto fields() {
    return lowbit::fields<TaskParams>(
        field(&TaskParams::split, "split")
            .required()
            .one_of("train", "alignment", "pool", "dev", "test")
            .doc("which problems: the splits have none in common"),
        field(&TaskParams::n, "n").required().at_least(1).unit("items").doc("problems drawn, all different"),
        field(&TaskParams::seed, "seed")
            .at_least(0)
            .doc("another one draws other problems; not the experiment's seed, so that all seeds share their problems"),
        field(&TaskParams::min_steps, "min_steps").range(2, 4).unit("steps").doc("least steps of a solution"),
        field(&TaskParams::max_steps, "max_steps").range(2, 4).unit("steps").doc("most steps of a solution"));
  }
};

void check_steps(const Job&, const TaskParams& params) {
  if (params.min_steps <= params.max_steps) return;
  throw StageError(LB_BAD_PARAM, {.what = "no problem has that many steps",
                                  .where = "min_steps",
                                  .why = "min_steps is " + std::to_string(params.min_steps) + ", max_steps is " +
                                         std::to_string(params.max_steps),
                                  .fix = "make min_steps at most max_steps"});
}

tasks::Item item_of(const tinymath::Problem& problem) {
  std::vector<std::string> steps;
  for (const tinymath::Step& step : problem.steps) steps.push_back(step.text());
  const std::string id = tinymath::problem_id(problem.text);
  const std::string answer = std::to_string(problem.answer());
  return {.item_id = id,
          .problem_id = id,
          .problem = problem.text,
          .answer = answer,
          .solution = answers::render(steps, answer, answers::Format::plain),
          .steps = steps,
          .fields = {{"family", problem.family}, {"n_steps", steps.size()}}};
}

void write_problems(const Job& job, const TaskParams& params) {
  check_steps(job, params);
  const auto split = std::find(tinymath::kSplits.begin(), tinymath::kSplits.end(), params.split);
  tinymath::Generator generator(
      {.split = static_cast<tinymath::Split>(split - tinymath::kSplits.begin()),
       .seed = stream_seed(static_cast<std::uint64_t>(params.seed), "tiny-math/" + params.split),
       .min_steps = static_cast<int>(params.min_steps),
       .max_steps = static_cast<int>(params.max_steps)});
  tasks::Task task{.name = "tiny-math-" + params.split,
                   .prompt_template = "{{problem}}\n",
                   .system = {},
                   .stop = {},
                   .response_format = "plain",
                   .grader = "lowbit.v1",
                   .items = {}};
  const auto n = static_cast<std::size_t>(params.n);
  while (task.items.size() < n) {
    job.tick(task.items.size(), n, "items");
    const auto problem = generator.next();
    if (!problem) {
      throw StageError(LB_BAD_PARAM,
                       {.what = "there are not that many problems",
                        .where = "n",
                        .why = "after " + std::to_string(task.items.size()) + " different problems of split " +
                               params.split + ", a million drafts brought no further one",
                        .fix = "lower n, or allow more numbers of steps"});
    }
    task.items.push_back(item_of(*problem));
  }
  tasks::write_task(job.output("task"), task);
  lm::write_json_file(job.output("tokenizer") / "tokenizer.json", tinymath::tokenizer_json());
  job.metric("data/n_items", static_cast<double>(n), "items");
}

struct DrillParams {
  std::int64_t n = 0;
  std::int64_t seed = 0;

  static auto fields() {
    return lowbit::fields<DrillParams>(
        field(&DrillParams::n, "n").required().at_least(1).unit("items").doc("operations drawn; they may repeat"),
        field(&DrillParams::seed, "seed").at_least(0).doc("another one draws other operations"));
  }
};

void write_drills(const Job& job, const DrillParams& params) {
  tinymath::Draw draw(stream_seed(static_cast<std::uint64_t>(params.seed), "tiny-math/drill"));
  JsonLinesWriter out(job.output("pairs") / "pairs.jsonl");
  for (std::int64_t i = 0; i < params.n; ++i) {
    job.tick(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(params.n), "items");
    const tinymath::Drill drill = tinymath::draw_drill(draw);
    const std::string prompt = tinymath::left_side(drill.left, drill.op, drill.right);
    out.write({{"item_id", "drill-" + std::to_string(i)},
               {"problem_id", "drill " + prompt.substr(0, prompt.size() - 3)},
               {"prompt", prompt},
               {"completion", std::to_string(drill.result) + "\n"}});
  }
  out.close();
  job.metric("data/n_items", static_cast<double>(params.n), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.tiny-math", LB_DATASET)
                  .version("2")
                  .summary("Generated arithmetic and algebra problems with reference solutions, one split.")
                  .output("task", "task/1", "the problems")
                  .output("tokenizer", "file", "tokenizer.json: the vocabulary that all splits share")
                  .check<check_steps>()
                  .run<write_problems>(),
              Stage("lowbit.arithmetic-drill", LB_DATASET)
                  .version("1")
                  .summary("Bare operations on small numbers as examples to train on.")
                  .output("pairs", "sft-pairs/1", "an operation as prompt, its result as completion")
                  .run<write_drills>())
