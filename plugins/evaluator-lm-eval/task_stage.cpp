// lowbit.lm-eval-task: the questions of a task, from the samples of one evaluation.
#include <optional>

#include "choices.h"
#include "lm/json_file.h"
#include "lm/text_input.h"
#include "metric_names.h"
#include "results_file.h"
#include "samples_file.h"
#include "stages.h"
#include "tasks/problem_id.h"

namespace lowbit::lm_eval {
namespace {

using Json = nlohmann::json;

std::string kind_of(const ResultsFile& results, const std::string& task) {
  const Json& type = member(results.config_of(task), "output_type");
  if (type == "generate_until") return "generate";
  if (type == "multiple_choice") return "choose";
  if (type == "loglikelihood" || type == "loglikelihood_rolling") return "likelihood";
  throw StageError(
      LB_BAD_INPUT,
      {.what = "it is not known how task `" + task + "` is answered",
       .where = results.file().string() + ", configs." + task + ".output_type",
       .why = type.is_null() ? "there is none" : "it is " + type.dump(),
       .fix = "evaluate with lm_eval 0.4 or later, or import its numbers only, with lowbit.lm-eval-results"});
}

/// The texts that end an answer: a text or a list of them.
Json stop_of(const ResultsFile& results, const std::string& task) {
  const Json& until = member(member(results.config_of(task), "generation_kwargs"), "until");
  if (until.is_string()) return Json::array({until});
  return until.is_array() ? until : Json::array();
}

std::string problem_id_of(const Sample& sample, const std::string& problem) {
  return sample.doc_hash ? "doc-" + sample.doc_hash->substr(0, 16) : tasks::problem_id_of(problem);
}

std::string answer_in(const Sample& sample, const std::string& mark) {
  if (mark.empty()) return std::string(lm::stripped(sample.target));
  const std::size_t at = sample.target.rfind(mark);
  if (at == std::string::npos) {
    refuse_sample(sample, "a target has no answer", "`" + mark + "` does not stand in it",
                  "set `answer_after` to what stands before the answer in every target");
  }
  return std::string(lm::stripped(sample.target.substr(at + mark.size())));
}

Json item_of(const Sample& sample, const std::string& kind, const TaskParams& params) {
  const Request& request = sample.requests.front();
  const bool is_page = kind == "likelihood" && request.continuation.empty();  // the whole of a text is scored
  std::string problem;
  if (!is_page) problem = params.whole_prompt ? request.prompt : question_of(sample, params.problem_field);
  Json item{{"item_id", std::to_string(sample.doc_id)},
            {"problem_id", problem_id_of(sample, is_page ? request.prompt : problem)},
            {"problem", problem},
            {"answer", nullptr},
            {"solution", nullptr},
            {"steps", nullptr},
            {"choices", nullptr},
            {"answer_index", nullptr},
            {"fields", {{"doc_id", sample.doc_id}, {"doc_hash", or_null(sample.doc_hash)}}}};
  if (kind == "choose") {
    item["choices"] = choices_of(sample);
    item["answer_index"] = answer_index_of(sample);
  } else if (kind == "likelihood") {
    item["solution"] = is_page ? request.prompt : request.continuation;
  } else {
    item["answer"] = answer_in(sample, params.answer_after);
    if (!params.answer_after.empty()) item["solution"] = sample.target;
  }
  return item;
}

}  // namespace

void take_task(const Job& job, const TaskParams& params) {
  const ResultsFile results = ResultsFile::open(job.input("results").path, params.time);
  const std::string task = results.task_named(params.task);
  const std::string kind = kind_of(results, task);
  const auto samples = read_samples(results.samples_of(task), params.filter);
  const bool is_graded = kind == "generate" && !params.grader.empty();
  JsonLinesWriter out(job.output("task") / "items.jsonl");
  for (const Sample& sample : samples) {
    job.tick(static_cast<std::uint64_t>(&sample - samples.data()), samples.size(), "items");
    out.write(item_of(sample, kind, params));
  }
  out.close();
  lm::write_json_file(job.output("task") / "task.json",
                      {{"name", part_of_name(task)},
                       {"kind", kind},
                       {"n_items", samples.size()},
                       {"prompt", {{"template", "{{problem}}"}, {"system", nullptr}, {"chat", false}}},
                       {"stop", kind == "generate" ? stop_of(results, task) : Json::array()},
                       {"response_format", nullptr},
                       {"grader", is_graded ? Json(params.grader) : Json()}});
  job.metric("data/n_items", static_cast<double>(samples.size()), "items");
}

}  // namespace lowbit::lm_eval
