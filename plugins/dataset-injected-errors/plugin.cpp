// dataset-injected-errors: solutions whose first error is known because it was injected, with right ones as controls.
// Judges are measured on them. What is injected, and in which words: docs/judging.md.
#include <lowbit/sdk.hpp>

#include <array>
#include <utility>

#include "answers/grade.h"
#include "lm/digest.h"
#include "tasks/task.h"
#include "tinymath/generator.h"
#include "tinymath/injection.h"
#include "tinymath/wording.h"
#include "verdicts/verdict.h"

using namespace lowbit;
using tinymath::Corruption;

namespace {

struct Params {
  std::int64_t n = 0;
  std::int64_t controls = 0;
  std::int64_t seed = 0;
  std::string response_format = "plain";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::n, "n")
            .required()
            .at_least(1)
            .unit("items")
            .doc("wrong solutions by each of the seven operators"),
        field(&Params::controls, "controls")
            .required()
            .at_least(1)
            .unit("items")
            .doc("right solutions among them, in the same words"),
        field(&Params::seed, "seed")
            .at_least(0)
            .doc("another one draws other problems; not the experiment's seed, so that all judges see the same"),
        field(&Params::response_format, "response_format")
            .one_of("plain", "tagged")
            .doc("form of the solutions: steps as lines, or between tags"));
  }
};

/// A problem in other words with one solution to it; a control has no corruption.
struct Case {
  tinymath::Problem problem;
  std::string text;
  std::optional<Corruption> corruption;
  int style = 0;

  [[nodiscard]] const std::vector<tinymath::Step>& steps() const {
    return corruption ? corruption->steps : problem.steps;
  }
  [[nodiscard]] int answer() const { return corruption ? corruption->answer() : problem.answer(); }
};

/// Draws until `wanted` cases of each operator, controls last, are there; each problem is used once.
class Drawer {
 public:
  Drawer(const Job& job, const Params& params)
      : job_(job),
        generator_({.split = tinymath::Split::test,
                    .seed = stream_seed(static_cast<std::uint64_t>(params.seed), "injected-errors/problems")}),
        draw_(stream_seed(static_cast<std::uint64_t>(params.seed), "injected-errors/cases")) {
    missing_.fill(static_cast<std::size_t>(params.n));
    missing_.back() = static_cast<std::size_t>(params.controls);
    for (const std::size_t n : missing_) total_ += n;
  }

  std::vector<Case> draw() {
    while (cases_.size() < total_) {
      job_.tick(cases_.size(), total_, "items");
      auto problem = generator_.next();
      if (!problem) throw too_many();
      use(std::move(*problem));
    }
    // So that neither order nor ids tell what was injected.
    for (std::size_t i = cases_.size(); i > 1; --i) {
      std::swap(cases_[i - 1], cases_[static_cast<std::size_t>(draw_.between(0, static_cast<int>(i) - 1))]);
    }
    return std::move(cases_);
  }

 private:
  /// A drawn one of those that are still missing and that fit the problem.
  void use(tinymath::Problem problem) {
    std::vector<std::vector<Corruption>> found(missing_.size());
    std::vector<std::size_t> possible;
    for (std::size_t i = 0; i < missing_.size(); ++i) {
      if (missing_[i] == 0) continue;
      if (i < tinymath::kOperators) found[i] = corruptions(problem, static_cast<tinymath::Operator>(i));
      if (i == tinymath::kOperators || !found[i].empty()) possible.push_back(i);
    }
    if (possible.empty()) return;
    const std::size_t chosen = possible[below(possible.size())];
    auto text = reworded(problem.text, draw_);
    if (!text) {
      throw StageError(LB_INTERNAL, {.what = "a problem cannot be said in other words",
                                     .where = problem.text,
                                     .why = "no sentence of the wording fits it",
                                     .fix = "report this; plugins/tinymath/wording.cpp lacks a sentence"});
    }
    std::optional<Corruption> corruption;
    if (chosen < tinymath::kOperators) corruption = found[chosen][below(found[chosen].size())];
    cases_.push_back({.problem = std::move(problem),
                      .text = std::move(*text),
                      .corruption = std::move(corruption),
                      .style = draw_.between(0, tinymath::kWordings - 1)});
    --missing_[chosen];
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(draw_.between(0, static_cast<int>(n) - 1)); }

  [[nodiscard]] StageError too_many() const {
    return StageError(LB_BAD_PARAM, {.what = "there are not that many problems",
                                     .where = "n",
                                     .why = "after " + std::to_string(cases_.size()) + " of " + std::to_string(total_) +
                                            " cases, a million drafts brought no further problem",
                                     .fix = "lower n or controls"});
  }

  const Job& job_;
  tinymath::Generator generator_;
  tinymath::Draw draw_;
  std::array<std::size_t, tinymath::kOperators + 1> missing_{};
  std::size_t total_ = 0;
  std::vector<Case> cases_;
};

tasks::Item item_of(const Case& c, const std::string& id) {
  std::vector<std::string> steps;
  for (const tinymath::Step& step : c.problem.steps) steps.push_back(step.text());
  const std::string answer = std::to_string(c.problem.answer());
  return {.item_id = id,
          .problem_id = tinymath::problem_id(c.problem.text),
          .problem = c.text,
          .answer = answer,
          .solution = answers::render(steps, answer, answers::Format::plain),
          .steps = steps,
          .fields = {{"family", c.problem.family}}};
}

verdicts::Finding truth_of(const Case& c) {
  if (!c.corruption) {
    return {.status = verdicts::Status::no_error, .first_error_step = {}, .category = {}, .type = {}};
  }
  return verdicts::error_of_type(tinymath::kErrorTypes.at(static_cast<std::size_t>(c.corruption->by)),
                                 c.corruption->step + 1, "injected");
}

void write_cases(const Job& job, const Params& params) {
  const std::vector<Case> cases = Drawer(job, params).draw();
  const auto format = answers::format_named(params.response_format);
  tasks::Task task{.name = "injected-errors",
                   .prompt_template = "{{problem}}\n",
                   .system = {},
                   .stop = {},
                   .response_format = params.response_format,
                   .grader = "lowbit.v1",
                   .items = {}};
  JsonLinesWriter predictions(job.output("predictions") / "predictions.jsonl");
  JsonLinesWriter truth(job.output("truth") / "verdicts.jsonl");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    const std::string id = "case-" + std::to_string(i + 1);
    const tasks::Item& item = task.items.emplace_back(item_of(c, id));
    const std::vector<std::string> steps = worded_solution(c.steps(), c.answer(), c.style);
    const std::string answer = std::to_string(c.answer());
    predictions.write({{"item_id", id},
                       {"problem_id", item.problem_id},
                       {"prompt_sha", lm::sha256_of_text(tasks::prompt_of(task, item))},
                       {"text", answers::render(steps, answer, format)},
                       {"steps", steps},
                       {"extracted", answer},
                       {"correct", answers::same_answer(answer, *item.answer)},
                       {"n_tokens", 0},
                       {"truncated", false},
                       {"format_kept", true}});
    truth.write(verdicts::json_of(truth_of(c), id, "truth"));
  }
  predictions.close();
  truth.close();
  tasks::write_task(job.output("task"), task);
  job.metric("data/n_items", static_cast<double>(cases.size()), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.injected-errors", LB_DATASET)
                  .version("1")
                  .summary("Solutions with one injected error each, and right ones, to measure judges by.")
                  .output("task", "task/1", "the problems in other words, with their reference solutions")
                  .output("predictions", "predictions/1", "the solutions; no model wrote them, so n_tokens is 0")
                  .output("truth", "verdicts/1", "what was injected and where, judge `truth`")
                  .run<write_cases>())
