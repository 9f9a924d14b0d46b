// dataset-review-queue: what people should look at after a vote, without what the judges said of it.
//
// Queued are wrong answers on which the vote found no majority (conflict), had too few ballots (insufficient) or found
// no error, and a share of the judged ones, drawn by the digest of seed and case, to see how far the vote can be
// trusted. Who decides is not told what the judges said: no verdict stands in the queue.
#include <lowbit/sdk.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "lm/digest.h"
#include "lm/json_file.h"
#include "tasks/item_index.h"
#include "verdicts/verdict.h"

using namespace lowbit;
using verdicts::Status;

namespace {

struct Params {
  double audit_share = 0.02;
  std::string audit_population = "judged";
  std::string taxonomy = "v2";
  std::int64_t seed = 0;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::audit_share, "audit_share")
            .range(0, 1)
            .doc("share of the population that is drawn at random, rounded up"),
        field(&Params::audit_population, "audit_population")
            .one_of("judged", "conflicts")
            .doc("what is drawn from: all wrong answers that the vote judged, beside every conflict; or the conflicts "
                 "alone, of which the others are then left to the vote"),
        field(&Params::taxonomy, "taxonomy").one_of("v2", "v1").doc("types that a person chooses from"),
        field(&Params::seed, "seed").at_least(0).doc("of the draw"));
  }
};

constexpr double kRounding = 1e-9;  // 0.07 times 100 is 7 and not a little more

/// A wrong answer that the vote judged.
struct Judged {
  const verdicts::Prediction* prediction;
  const tasks::Item* item;
  Status vote;
  std::string case_id;
  bool audited = false;
};

bool is_conflict(Status status) { return status == Status::conflict || status == Status::insufficient; }

/// People choose from the types that the judges had, or grades would mix two taxonomies.
void expect_taxonomy(const verdicts::Verdict& verdict, const std::string& taxonomy) {
  if (!verdict.finding.type) return;
  const auto of_vote = verdicts::taxonomy_of(*verdict.finding.type);
  if (!of_vote || *of_vote == taxonomy) return;
  throw StageError(LB_BAD_PARAM, {.what = "the vote is by another taxonomy than the queue",
                                  .where = "taxonomy",
                                  .why = "it is " + taxonomy + ", and the verdict on item " + verdict.item_id + " is " +
                                         *verdict.finding.type,
                                  .fix = "set taxonomy to " + std::string(*of_vote)});
}

std::vector<Judged> judged_of(const Job& job, const Params& params, const tasks::Task& task,
                              const std::vector<verdicts::Prediction>& predictions) {
  std::unordered_map<std::string, Status> votes;
  for (const verdicts::Verdict& verdict : verdicts::read_verdicts(job.input("vote").path)) {
    expect_taxonomy(verdict, params.taxonomy);
    if (!votes.emplace(verdict.item_id, verdict.finding.status).second) {
      throw StageError(LB_BAD_INPUT, {.what = "these are several judges and no vote",
                                      .where = "verdict of " + verdict.judge + " on item " + verdict.item_id,
                                      .why = "the item has a verdict already",
                                      .fix = "run lowbit.majority-vote over the judges"});
    }
  }
  const tasks::ItemIndex items(task);
  std::vector<Judged> judged;
  for (const verdicts::Prediction& prediction : predictions) {
    const tasks::Item& item = items.at(prediction.item_id);
    const auto vote = votes.find(prediction.item_id);
    if (prediction.correct != false || vote == votes.end()) continue;
    judged.push_back(
        {.prediction = &prediction, .item = &item, .vote = vote->second, .case_id = verdicts::case_of(prediction)});
  }
  return judged;
}

/// Those of the population with the smallest digests of seed and case: a draw without replacement that neither order
/// nor other cases move.
void draw_audit(std::vector<Judged>& judged, const Params& params) {
  std::vector<std::pair<std::string, Judged*>> drawn;
  for (Judged& one : judged) {
    if (params.audit_population == "conflicts" && !is_conflict(one.vote)) continue;
    drawn.emplace_back(lm::sha256_of_text("audit/" + std::to_string(params.seed) + "/" + one.case_id), &one);
  }
  const auto n =
      static_cast<std::size_t>(std::ceil(params.audit_share * static_cast<double>(drawn.size()) - kRounding));
  std::sort(drawn.begin(), drawn.end());
  for (std::size_t i = 0; i < n; ++i) drawn[i].second->audited = true;
}

/// Why a person should see it; nothing: nobody needs to.
std::string reason_of(const Judged& one, const Params& params) {
  const bool all_conflicts = params.audit_population == "judged";
  if (is_conflict(one.vote) && (all_conflicts || one.audited)) return std::string(verdicts::name_of(one.vote));
  if (one.vote == Status::no_error) return "no_error";
  return one.audited ? "audit" : "";
}

void write_queue(const Job& job, const Params& params) {
  const tasks::Task task = tasks::read_task(job.input("task").path);
  const auto predictions = verdicts::read_predictions(job.input("predictions").path);
  std::vector<Judged> judged = judged_of(job, params, task, predictions);
  draw_audit(judged, params);
  std::map<std::string, std::size_t> counts{{"conflict", 0}, {"insufficient", 0}, {"no_error", 0}, {"audit", 0}};
  std::size_t n_audited = 0;
  std::set<std::string> queued;
  JsonLinesWriter out(job.output("queue") / "queue.jsonl");
  for (std::size_t i = 0; i < judged.size(); ++i) {
    job.tick(i, judged.size(), "items");
    const Judged& one = judged[i];
    const std::string reason = reason_of(one, params);
    if (reason.empty() || !queued.insert(one.case_id).second) continue;
    out.write({{"item_id", one.prediction->item_id},
               {"problem_id", one.prediction->problem_id},
               {"case", one.case_id},
               {"reason", reason},
               {"audited", one.audited},
               {"problem", one.item->problem},
               {"answer", or_null(one.item->answer)},
               {"solution", or_null(one.item->solution)},
               {"reference_steps", or_null(one.item->steps)},
               {"steps", one.prediction->steps},
               {"text", one.prediction->text},
               {"extracted", or_null(one.prediction->extracted)}});
    ++counts[reason];
    n_audited += one.audited ? 1U : 0U;
  }
  out.close();
  lm::write_json_file(job.output("queue") / "review.json", {{"task", task.name},
                                                            {"taxonomy", params.taxonomy},
                                                            {"n_judged", judged.size()},
                                                            {"n_queued", queued.size()},
                                                            {"n_audited", n_audited},
                                                            {"audit_population", params.audit_population}});
  job.metric("review/judged", static_cast<double>(judged.size()), "items");
  job.metric("review/queued", static_cast<double>(queued.size()), "items");
  job.metric("review/audited", static_cast<double>(n_audited), "items");
  for (const auto& [reason, count] : counts) job.metric("review/reason/" + reason, static_cast<double>(count), "items");
}

}  // namespace

LOWBIT_PLUGIN(
    LOWBIT_COMPILER,
    Stage("lowbit.review-queue", LB_DATASET)
        .version("1")
        .summary("What people should decide after a vote: conflicts, acquittals, and an audit drawn at random.")
        .input("predictions", "predictions/1", "the solutions that were judged")
        .input("task", "task/1", "their problems, with reference answers")
        .input("vote", "verdicts/1", "one verdict an item")
        .output("queue", "review-queue/1", "cases for `lowbit review`, without the judges' verdicts")
        .run<write_queue>())
