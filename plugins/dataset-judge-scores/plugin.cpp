// dataset-judge-scores: how right a judge is where the first errors are known. What each figure counts:
// docs/judging.md.
#include <lowbit/sdk.hpp>

#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "lm/json_file.h"
#include "verdicts/verdict.h"

using namespace lowbit;
using verdicts::Finding;
using verdicts::Status;

namespace {

[[noreturn]] void bad(const std::string& what, const std::string& where, const std::string& why,
                      const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = what, .where = where, .why = why, .fix = fix});
}

/// Verdicts of the one judge of an artifact, by item.
std::unordered_map<std::string, Finding> read_one_judge(const std::filesystem::path& directory,
                                                        const std::set<std::string>& items) {
  std::unordered_map<std::string, Finding> findings;
  std::string judge;
  for (verdicts::Verdict& verdict : verdicts::read_verdicts(directory)) {
    if (judge.empty()) judge = verdict.judge;
    if (judge != verdict.judge) {
      bad("these are the verdicts of several judges", "verdicts.jsonl", "of " + judge + " and " + verdict.judge,
          "score each judge by itself, or their vote");
    }
    if (items.count(verdict.item_id) == 0) {
      bad("the verdicts are not about these cases", "verdicts.jsonl, item " + verdict.item_id,
          "the truth has no such item", "bind `truth` to the output of the stage whose predictions were judged");
    }
    findings[verdict.item_id] = std::move(verdict.finding);
  }
  return findings;
}

/// k of n, with its binomial standard error; the Wilson interval follows from the value and n.
struct Share {
  std::size_t k = 0, n = 0;

  void count(bool hit) {
    k += hit ? 1U : 0U;
    ++n;
  }
  void report(const Job& job, const std::string& name) const {
    if (n == 0) return;
    const double p = static_cast<double>(k) / static_cast<double>(n);
    job.metric(name, p, "fraction", {.count = n, .std_error = std::sqrt(p * (1 - p) / static_cast<double>(n))});
  }
};

bool names_an_error(const Finding& f) { return f.status == Status::error; }
bool is_decided(const Finding& f) { return names_an_error(f) || f.status == Status::no_error; }

/// The row or column of the confusion table.
std::string label_of(const Finding& f) {
  if (f.type) return *f.type;
  if (f.category) return *f.category;
  return f.status == Status::no_error ? "no_error" : "undetermined";
}

struct Scores {
  Share type, category, step, undetermined, false_alarms, missed, precision;
  std::map<std::string, Share> recall;
  std::map<std::string, std::size_t> confusion;

  void count(const Finding& truth, const Finding& said) {
    undetermined.count(!is_decided(said));
    ++confusion["confusion/" + label_of(truth) + "/" + label_of(said)];
    if (said.type) precision.count(said.type == truth.type);
    if (!names_an_error(truth)) return false_alarms.count(names_an_error(said));
    type.count(said.type && said.type == truth.type);
    category.count(said.category && said.category == truth.category);
    step.count(said.first_error_step && said.first_error_step == truth.first_error_step);
    missed.count(said.status == Status::no_error);
    if (truth.type) recall[*truth.type].count(said.type == truth.type);
  }
  void report(const Job& job) const {
    job.metric("judge/n_items", static_cast<double>(undetermined.n), "items");
    type.report(job, "judge/type_accuracy");
    category.report(job, "judge/category_accuracy");
    step.report(job, "judge/step_accuracy");
    precision.report(job, "judge/type_precision");
    undetermined.report(job, "judge/undetermined");
    missed.report(job, "judge/missed");
    false_alarms.report(job, "judge/false_alarms");
    for (const auto& [name, share] : recall) share.report(job, "judge/recall/" + name);
  }
};

void score(const Job& job) {
  const auto truth = verdicts::read_verdicts(job.input("truth").path);
  std::set<std::string> items;
  for (const verdicts::Verdict& verdict : truth) {
    if (!is_decided(verdict.finding)) {
      bad("this is not a truth", "verdicts.jsonl, item " + verdict.item_id,
          "its status is " + std::string(verdicts::name_of(verdict.finding.status)),
          "bind `truth` to verdicts that are known, such as those of lowbit.injected-errors");
    }
    items.insert(verdict.item_id);
  }
  if (truth.empty()) bad("there is nothing to score", "verdicts.jsonl", "the truth is empty", "inject some errors");
  const auto said = read_one_judge(job.input("verdicts").path, items);
  Scores scores;
  std::size_t missing = 0;
  for (const verdicts::Verdict& verdict : truth) {
    job.tick(scores.undetermined.n, truth.size(), "items");
    const auto found = said.find(verdict.item_id);
    missing += found == said.end() ? 1U : 0U;
    scores.count(verdict.finding, found == said.end() ? Finding{} : found->second);
  }
  scores.report(job);
  nlohmann::json counts = scores.confusion;
  counts["items"] = truth.size();
  counts["without_verdict"] = missing;
  lm::write_json_file(
      job.output("report") / "report.json",
      {{"kind", "judge_scores"}, {"outcome", "pass"}, {"counts", counts}, {"findings", nlohmann::json::array()}});
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER,
              Stage("lowbit.judge-scores", LB_DATASET)
                  .version("1")
                  .summary("How often a judge names category, type and step of errors that are known.")
                  .input("verdicts", "verdicts/1", "what one judge, or a vote, said")
                  .input("truth", "verdicts/1", "what there was to find")
                  .output("report", "report/1", "counts `confusion/<truth>/<said>`; nothing here fails")
                  .run<score>())
