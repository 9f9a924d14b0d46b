// judge-majority-vote: one verdict for each prediction from the verdicts of several judges. The rules: vote.h.
#include <lowbit/sdk.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "verdicts/verdict.h"
#include "vote.h"

using namespace lowbit;
using verdicts::Status;

namespace {

struct Params {
  std::string rule = "majority";
  std::string baseline;
  std::int64_t quorum = 2;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::rule, "rule")
            .one_of("majority", "plurality", "unanimous", "baseline")
            .doc("what carries a vote: more than half of the valid ballots; two or more and more than any other; all; "
                 "or the baseline's ballot where the other judges' majority or plurality is the same"),
        field(&Params::baseline, "baseline")
            .doc("name of the judge that rule baseline compares the others with; of no use to the other rules"),
        field(&Params::quorum, "quorum")
            .at_least(1)
            .unit("ballots")
            .doc("fewest valid ballots that a vote needs; with fewer it is insufficient"));
  }

  [[nodiscard]] vote::Counting counting() const {
    using vote::Rule;
    return {.rule = rule == "plurality"   ? Rule::plurality
                    : rule == "unanimous" ? Rule::unanimous
                    : rule == "baseline"  ? Rule::baseline
                                          : Rule::majority,
            .quorum = static_cast<std::size_t>(quorum),
            .baseline = baseline};
  }
};

using Ballots = std::unordered_map<std::string, std::vector<vote::Ballot>>;

[[noreturn]] void misfit(const verdicts::Verdict& verdict, const std::string& why) {
  throw StageError(LB_BAD_INPUT, {.what = "the verdicts are not about these predictions",
                                  .where = "verdict of " + verdict.judge + " on item " + verdict.item_id,
                                  .why = why,
                                  .fix = "bind `verdicts` to judges of these very predictions"});
}

/// Every verdict of every member is a ballot, in order of the judges' names, then of the members.
Ballots read_ballots(const Job& job, const std::vector<verdicts::Prediction>& predictions) {
  std::unordered_map<std::string, std::size_t> n_steps;
  for (const auto& prediction : predictions) n_steps[prediction.item_id] = prediction.steps.size();
  Ballots ballots;
  for (const Input& member : job.inputs("verdicts")) {
    for (const verdicts::Verdict& verdict : verdicts::read_verdicts(member.path)) {
      const auto item = n_steps.find(verdict.item_id);
      if (item == n_steps.end()) misfit(verdict, "there is no prediction of that item");
      const auto step = verdict.finding.first_error_step.value_or(0);
      if (step > item->second) {
        misfit(verdict, "it names step " + std::to_string(step) + " of " + std::to_string(item->second));
      }
      ballots[verdict.item_id].push_back({.judge = verdict.judge, .finding = verdict.finding});
    }
  }
  for (auto& [item, of_item] : ballots) {
    std::stable_sort(of_item.begin(), of_item.end(),
                     [](const vote::Ballot& a, const vote::Ballot& b) { return a.judge < b.judge; });
  }
  return ballots;
}

/// Rule baseline needs one judge of that name, with one ballot for each item.
void expect_baseline(const Params& params, const Ballots& ballots) {
  if (params.rule != "baseline") return;
  if (params.baseline.empty()) {
    throw StageError(LB_BAD_PARAM, {.what = "rule baseline without a baseline",
                                    .where = "baseline",
                                    .why = "one judge is compared with the others",
                                    .fix = "give the judge's name as `baseline`"});
  }
  std::set<std::string> judges;
  for (const auto& [item, of_item] : ballots) {
    std::size_t n = 0;
    for (const vote::Ballot& ballot : of_item) {
      judges.insert(ballot.judge);
      n += ballot.judge == params.baseline ? 1U : 0U;
    }
    if (n > 1) {
      throw StageError(LB_BAD_INPUT, {.what = "the baseline has several ballots",
                                      .where = params.baseline + " on item " + item,
                                      .why = "the other judges are compared with one",
                                      .fix = "gather its repeats in a vote of their own, or take one seed"});
    }
  }
  if (judges.empty() || judges.contains(params.baseline)) return;
  std::string names;
  for (const std::string& judge : judges) names += (names.empty() ? "" : ", ") + judge;
  throw StageError(LB_BAD_INPUT, {.what = "the baseline is none of the judges",
                                  .where = "baseline " + params.baseline,
                                  .why = "the verdicts are of " + names,
                                  .fix = "name one of them, as it stands in `judge` of its verdicts"});
}

nlohmann::json json_of(const std::vector<vote::Ballot>& ballots) {
  auto json = nlohmann::json::array();
  for (const vote::Ballot& ballot : ballots) {
    const auto verdict = verdicts::json_of(ballot.finding, "-", ballot.judge);
    auto row = nlohmann::json::object();
    for (const char* field : {"judge", "status", "category", "type", "first_error_step"}) row[field] = verdict[field];
    json.push_back(std::move(row));
  }
  return json;
}

/// Labels of the items on which every judge gave a valid ballot: what agreement is measured on.
class Agreement {
 public:
  void add(const std::vector<vote::Ballot>& ballots) {
    std::vector<std::string> labels;
    for (const vote::Ballot& ballot : ballots) {
      if (vote::is_valid(ballot)) labels.push_back(label_of(ballot));
    }
    n_judges_ = std::max(n_judges_, ballots.size());
    rows_.push_back(std::move(labels));
  }
  void report(const Job& job) {
    rows_.erase(std::remove_if(rows_.begin(), rows_.end(), [&](const auto& row) { return row.size() < n_judges_; }),
                rows_.end());
    if (n_judges_ < 2 || rows_.empty()) return;
    const auto same = std::count_if(rows_.begin(), rows_.end(), [](const auto& row) {
      return std::all_of(row.begin(), row.end(), [&](const std::string& label) { return label == row[0]; });
    });
    job.metric("judge/agreement", static_cast<double>(same) / static_cast<double>(rows_.size()), "fraction",
               {.count = rows_.size()});
    const auto kappa = n_judges_ == 2 ? vote::cohen_kappa(rows_) : vote::fleiss_kappa(rows_);
    if (kappa) job.metric("judge/kappa", *kappa, "ratio", {.count = rows_.size()});
  }

 private:
  std::size_t n_judges_ = 0;
  std::vector<std::vector<std::string>> rows_;
};

void hold_vote(const Job& job, const Params& params) {
  const auto predictions = verdicts::read_predictions(job.input("predictions").path);
  Ballots ballots = read_ballots(job, predictions);
  expect_baseline(params, ballots);
  const vote::Counting counting = params.counting();
  std::map<Status, std::size_t> counts;
  std::size_t n_disputed_steps = 0;
  Agreement agreement;
  JsonLinesWriter out(job.output("verdicts") / "verdicts.jsonl");
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    job.tick(i, predictions.size(), "items");
    const auto& of_item = ballots[predictions[i].item_id];
    const auto [finding, step_spread] = vote::counted(of_item, counting);
    auto row = verdicts::json_of(finding, predictions[i].item_id, "vote");
    n_disputed_steps += step_spread > 1 ? 1U : 0U;
    row["votes"] = json_of(of_item);
    out.write(row);
    ++counts[finding.status];
    agreement.add(of_item);
  }
  out.close();
  const std::size_t n = predictions.size();
  job.metric("judge/n_items", static_cast<double>(n), "items");
  for (const Status status : {Status::error, Status::no_error, Status::conflict, Status::insufficient}) {
    if (n == 0) break;
    job.metric("judge/" + std::string(verdicts::name_of(status)),
               static_cast<double>(counts[status]) / static_cast<double>(n), "fraction", {.count = n});
  }
  if (counts[Status::error] > 0) {
    const auto n_errors = counts[Status::error];
    job.metric("judge/step_disputed", static_cast<double>(n_disputed_steps) / static_cast<double>(n_errors), "fraction",
               {.count = n_errors});
  }
  agreement.report(job);
}

}  // namespace

LOWBIT_PLUGIN(
    LOWBIT_COMPILER,
    Stage("lowbit.majority-vote", LB_JUDGE)
        .version("2")
        .summary("What several judges say together; where no side carries the vote a conflict, for people to decide.")
        .input("predictions", "predictions/1", "the solutions that were judged")
        .input("task", "task/1", "the problems; not read, the ballots say enough")
        .input("verdicts", "verdicts/1", "the judges; each verdict is one ballot", LB_PORT_MANY)
        .output("verdicts", "verdicts/1", "one verdict an item, judge `vote`, with its ballots")
        .run<hold_vote>())
