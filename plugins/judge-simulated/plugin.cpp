// judge-simulated: a judge whose error rates are known, because it is told the truth and errs by lot. Panels of such
// judges show what a vote makes of judges of a given quality, and test whatever reads verdicts, without any server.
#include <lowbit/sdk.hpp>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <unordered_map>

#include "verdicts/verdict.h"

using namespace lowbit;
using verdicts::Finding;
using verdicts::Status;

namespace {

struct Params {
  std::string judge;
  double type_accuracy = 0.9, step_accuracy = 0.9;
  double missed = 0, false_alarms = 0, undetermined = 0, invalid = 0;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::judge, "judge").required().not_empty().doc("its name; judges of other names err independently"),
        field(&Params::type_accuracy, "type_accuracy")
            .range(0, 1)
            .doc(
                "chance that it names the right type of an error that it sees; else one of the others, each as likely"),
        field(&Params::step_accuracy, "step_accuracy")
            .range(0, 1)
            .doc("likewise of the step; the type is drawn apart from it"),
        field(&Params::missed, "missed").range(0, 1).doc("chance that it sees no error in a wrong solution"),
        field(&Params::false_alarms, "false_alarms").range(0, 1).doc("chance that it names an error of a right one"),
        field(&Params::undetermined, "undetermined").range(0, 1).doc("chance that it cannot tell, before all else"),
        field(&Params::invalid, "invalid").range(0, 1).doc("chance that its answer cannot be read, where it can tell"));
  }
};

/// Draws about one item; the same on every platform.
class Lot {
 public:
  explicit Lot(std::uint64_t seed) : engine_(seed) {}
  bool with_chance(double p) { return static_cast<double>(engine_() >> 11U) * 0x1p-53 < p; }
  /// Uniform over 0 ... n - 1; n is far below 2^64, so that no value is noticeably likelier. REQUIRES: n > 0.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }

 private:
  std::mt19937_64 engine_;
};

/// One of 1 ... n other than `right`, where there is another.
std::size_t other_step(Lot& lot, std::size_t right, std::size_t n) {
  if (n < 2) return right;
  const std::size_t step = lot.below(n - 1) + 1;
  return step < right ? step : step + 1;
}

std::string_view other_type(Lot& lot, std::string_view right) {
  const std::size_t i = lot.below(verdicts::kErrorTypes.size() - 1);
  for (std::size_t k = 0; k <= i; ++k) {
    if (verdicts::kErrorTypes[k].type == right) return verdicts::kErrorTypes[i + 1].type;
  }
  return verdicts::kErrorTypes[i].type;
}

Finding of_status(Status status) { return {.status = status, .first_error_step = {}, .category = {}, .type = {}}; }

Finding judgement(Lot& lot, const Params& params, const Finding& truth, std::size_t n_steps) {
  if (lot.with_chance(params.undetermined)) return of_status(Status::undetermined);
  if (lot.with_chance(params.invalid)) return of_status(Status::invalid);
  if (truth.status != Status::error) {
    if (!lot.with_chance(params.false_alarms) || n_steps == 0) return of_status(Status::no_error);
    const auto& type = verdicts::kErrorTypes[lot.below(verdicts::kErrorTypes.size())];
    return verdicts::error_of_type(type.type, lot.below(n_steps) + 1, "");
  }
  if (lot.with_chance(params.missed)) return of_status(Status::no_error);
  const bool right_type = lot.with_chance(params.type_accuracy);
  const bool right_step = lot.with_chance(params.step_accuracy);
  const std::size_t step = truth.first_error_step.value_or(1);
  return verdicts::error_of_type(right_type ? std::string_view(*truth.type) : other_type(lot, *truth.type),
                                 right_step ? step : other_step(lot, step, n_steps), "");
}

std::unordered_map<std::string, Finding> read_truth(const Job& job) {
  std::unordered_map<std::string, Finding> truth;
  for (verdicts::Verdict& verdict : verdicts::read_verdicts(job.input("truth").path)) {
    if (verdict.finding.status == Status::error && !verdicts::category_of(verdict.finding.type.value_or(""))) {
      throw StageError(LB_BAD_INPUT, {.what = "the truth names an error without a type of taxonomy v2",
                                      .where = "verdicts.jsonl, item " + verdict.item_id,
                                      .why = "other types are drawn from that taxonomy",
                                      .fix = "bind `truth` to the output of lowbit.injected-errors"});
    }
    truth[verdict.item_id] = std::move(verdict.finding);
  }
  return truth;
}

void judge(const Job& job, const Params& params) {
  const auto truth = read_truth(job);
  const auto predictions = verdicts::read_predictions(job.input("predictions").path);
  std::map<Status, std::size_t> counts;
  JsonLinesWriter out(job.output("verdicts") / "verdicts.jsonl");
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    job.tick(i, predictions.size(), "items");
    const auto& prediction = predictions[i];
    const auto known = truth.find(prediction.item_id);
    if (known == truth.end()) {
      throw StageError(LB_BAD_INPUT, {.what = "the truth of a prediction is not known",
                                      .where = "predictions.jsonl, item " + prediction.item_id,
                                      .why = "`truth` has no such item",
                                      .fix = "bind `truth` and `predictions` to outputs of the same stage"});
    }
    Lot lot(job.seed_for("judge/" + params.judge + "/" + prediction.item_id));
    const Finding finding = judgement(lot, params, known->second, prediction.steps.size());
    out.write(verdicts::json_of(finding, prediction.item_id, params.judge));
    ++counts[finding.status];
  }
  out.close();
  const std::size_t n = predictions.size();
  job.metric("judge/n_items", static_cast<double>(n), "items");
  for (const Status status : {Status::error, Status::no_error, Status::undetermined, Status::invalid}) {
    if (n == 0) break;
    job.metric("judge/" + std::string(verdicts::name_of(status)),
               static_cast<double>(counts[status]) / static_cast<double>(n), "fraction", {.count = n});
  }
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER, Stage("lowbit.simulated-judge", LB_JUDGE)
                                   .version("1")
                                   .summary("A judge that is told the truth and errs by lot, at rates that you choose.")
                                   .seeded()
                                   .input("predictions", "predictions/1", "the solutions")
                                   .input("task", "task/1", "the problems; not read")
                                   .input("truth", "verdicts/1", "their first errors, as they are")
                                   .output("verdicts", "verdicts/1", "one verdict an item")
                                   .run<judge>())
