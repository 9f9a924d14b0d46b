// dataset-prm800k: labelled solutions as examples to train on, in tags. README.md.
#include <lowbit/sdk.hpp>

#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "answers/grade.h"
#include "answers/graders.h"
#include "answers/response.h"
#include "overlap/words.h"
#include "sample.h"
#include "solution.h"
#include "tasks/problem_id.h"
#include "tasks/prompt_params.h"
#include "tasks/record_files.h"
#include "tasks/rendering.h"
#include "tasks/token_limit.h"

using namespace lowbit;

namespace {

struct Params : tasks::PromptParams {
  std::int64_t n = 0;
  std::int64_t per_problem = 0;
  std::int64_t seed = 0;
  std::string grader = "math-verify";
  std::int64_t max_tokens = 0;
  std::string chat_date = std::string(lm::kChatDate);
  std::string end_token = "<eos>";

  static auto fields() {
    return std::tuple_cat(
        tasks::prompt_fields<Params>(),
        lowbit::fields<Params>(
            field(&Params::n, "n").at_least(0).unit("items").doc("solutions drawn; 0: all"),
            field(&Params::per_problem, "per_problem")
                .at_least(0)
                .unit("items")
                .doc("most solutions of one problem; 0: no limit"),
            field(&Params::seed, "seed")
                .at_least(0)
                .doc("another one draws other solutions; not the experiment's seed"),
            field(&Params::grader, "grader")
                .one_of(std::string(answers::kGrader), "math-verify", "hendrycks-math", "prm800k", "lm-eval-minerva",
                        "opencompass-v1", "opencompass-v2")
                .doc("by whose rules a solution's answer has to be right: docs/answers.md"),
            field(&Params::max_tokens, "max_tokens")
                .at_least(0)
                .unit("tokens")
                .doc("solutions that are longer with their prompt, by the model's tokenizer, are left out whole; 0: "
                     "none"),
            field(&Params::chat_date, "chat_date")
                .not_empty()
                .doc("day that a chat template names as today's where it names one (Llama 3.1 and later)"),
            field(&Params::end_token, "end_token")
                .doc("without `chat`: written behind every completion; the model's own end token")));
  }
};

/// Problems that others have given ids and answers, by their normalised texts.
using Known = std::unordered_map<std::string, tasks::Item>;

Known read_known(const Job& job) {
  Known known;
  for (const Input& input : job.inputs("problems")) {
    for (tasks::Item& item : tasks::read_task(input.path).items) {
      known.emplace(overlap::normalised(item.problem), std::move(item));
    }
  }
  return known;
}

struct Row {
  std::size_t number;  ///< of the record
  tasks::Item problem;
  std::string completion;  ///< without an end token
};

class Converter {
 public:
  Converter(const Job& job, const Params& params)
      : job_(job), params_(params), known_(read_known(job)), model_(model_of(job)), limit_(params.max_tokens, model_) {
    task_.name = "prm800k";
    task_.response_format = "tagged";
    task_.grader = params.grader;
    tasks::set_prompt(task_, params);
    rendering_.emplace(task_, model_, params.chat_date);
  }

  void read(const tasks::Record& record) {
    auto read = prm800k::solution_of(record.json, record.where);
    if (const auto* left_out = std::get_if<prm800k::LeftOut>(&read)) return leave_out(left_out->reason);
    const auto& solution = std::get<prm800k::Solution>(read);
    const std::string words = overlap::normalised(solution.problem);
    const auto known = known_.find(words);
    tasks::Item problem{.item_id = {},
                        .problem_id = tasks::problem_id_of(solution.problem),
                        .problem = solution.problem,
                        .answer = solution.reference_answer,
                        .solution = solution.reference_solution,
                        .steps = {}};
    if (known != known_.end()) {
      problem.problem_id = known->second.problem_id;
      problem.fields = known->second.fields;
      if (!problem.answer) problem.answer = known->second.answer;
      if (!problem.solution) problem.solution = known->second.solution;
    }
    problem.item_id = problem.problem_id;
    if (!problem.answer) return leave_out("no_reference");
    const std::string text =
        answers::render(solution.steps, "\\boxed{" + solution.answer + "}", answers::Format::tagged);
    const auto response = answers::read_response(text, answers::Format::tagged);
    if (!response.format_kept || response.steps != solution.steps || response.answer != solution.answer) {
      return leave_out("unreadable");
    }
    if (!is_right(text, solution.answer, *problem.answer)) return leave_out("wrong_answer");
    if (!seen_.emplace(words, text).second) return leave_out("duplicate");
    const auto example = rendering_->example(problem, text, params_.end_token);
    if (limit_.is_exceeded_by(example.prompt, example.completion)) return leave_out("too_long");
    rows_.push_back({.number = record.number, .problem = std::move(problem), .completion = text});
  }

  void write() {
    std::vector<prm800k::Candidate> candidates;
    for (const Row& row : rows_) candidates.push_back({id_of(row), row.problem.problem_id});
    const auto sample = prm800k::sampled(candidates, params_.n, params_.per_problem, params_.seed);
    dropped_["per_problem"] += sample.n_over_cap;
    dropped_["not_drawn"] += rows_.size() - sample.n_over_cap - sample.taken.size();
    expect_enough(sample.taken.size());
    JsonLinesWriter out(job_.output("pairs") / "pairs.jsonl");
    std::set<std::string> problems;
    for (const std::size_t i : sample.taken) {
      Row& row = rows_[i];
      const auto example = rendering_->example(row.problem, row.completion, params_.end_token);
      out.write({{"item_id", id_of(row)},
                 {"problem_id", row.problem.problem_id},
                 {"prompt", example.prompt},
                 {"completion", example.completion}});
      if (problems.insert(row.problem.problem_id).second) task_.items.push_back(row.problem);
    }
    out.close();
    tasks::write_task(job_.output("task"), task_);
    job_.metric("data/n_items", static_cast<double>(sample.taken.size()), "items");
    job_.metric("data/n_problems", static_cast<double>(problems.size()), "problems");
    for (const auto& [reason, n] : dropped_) {
      if (n > 0) job_.metric("data/dropped/" + reason, static_cast<double>(n), "items");
    }
  }

 private:
  static std::optional<std::filesystem::path> model_of(const Job& job) {
    const auto models = job.inputs("model");
    return models.empty() ? std::nullopt : std::optional(models.front().path);
  }
  static std::string id_of(const Row& row) { return "prm800k/" + std::to_string(row.number); }

  [[nodiscard]] bool is_right(const std::string& text, const std::string& answer, const std::string& reference) const {
    const answers::Grader* grader = answers::grader_named(params_.grader);
    return grader != nullptr ? grader->grade(text, reference).correct : answers::same_answer(answer, reference);
  }

  void leave_out(const std::string& reason) { ++dropped_[reason]; }

  void expect_enough(std::size_t n_taken) const {
    if (n_taken > 0 && (params_.n == 0 || n_taken == static_cast<std::size_t>(params_.n))) return;
    std::string counts;
    for (const auto& [reason, n] : dropped_) {
      if (n > 0) counts += ", " + reason + " " + std::to_string(n);
    }
    throw StageError(LB_BAD_INPUT, {.what = n_taken == 0 ? "no solution can be used" : "there are too few solutions",
                                    .where = n_taken == 0 ? "records" : "n",
                                    .why = (n_taken == 0 ? "there is none"
                                                         : "wanted are " + std::to_string(params_.n) + ", there are " +
                                                               std::to_string(n_taken)) +
                                           (counts.empty() ? "" : "; left out: " + counts.substr(2)),
                                    .fix = "docs/recovery-data.md says what the reasons mean; no_reference: bind "
                                           "`problems` to tasks with the answers"});
  }

  const Job& job_;
  const Params& params_;
  Known known_;
  std::optional<std::filesystem::path> model_;
  tasks::Task task_;
  std::optional<tasks::Rendering> rendering_;
  tasks::TokenLimit limit_;
  std::map<std::string, std::size_t> dropped_;
  std::set<std::pair<std::string, std::string>> seen_;  ///< normalised problem, completion
  std::vector<Row> rows_;
};

void write_pairs(const Job& job, const Params& params) {
  Converter converter(job, params);
  tasks::for_each_record(job.input("records").path, [&](const tasks::Record& record) {
    job.tick(record.number, 0, "records");
    converter.read(record);
  });
  converter.write();
}

}  // namespace

LOWBIT_PLUGIN(
    LOWBIT_COMPILER,
    Stage("lowbit.prm800k", LB_DATASET)
        .version("1")
        .summary("Solutions of PRM800K in tags, as examples to train on.")
        .input("records", "file", "PRM800K's JSONL files, or the rows of a data set \"solutions only\" as JSONL")
        .input("problems", "task/1", "ids and answers of problems, found by their text: for records without them",
               LB_PORT_MANY | LB_PORT_OPTIONAL)
        .input("model", "model/1|quantized-model/1", "whose chat template and tokenizer are used", LB_PORT_OPTIONAL)
        .output("pairs", "sft-pairs/1", "prompt and tagged solution")
        .output("task", "task/1", "the problems of these pairs, for lowbit.contamination")
        .run<write_pairs>())
