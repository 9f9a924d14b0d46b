#include "report/agreement.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace lowbit::report {
namespace {

constexpr const char* kNoError = "no error";

bool is_valid(const Judgement& judgement) {
  return judgement.status == "no_error" || (judgement.status == "error" && (judgement.type || judgement.category));
}

RaterKind kind_of(const std::string& judge) {
  if (judge == kVoteJudge) return RaterKind::vote;
  return judge == kHumanJudge ? RaterKind::human : RaterKind::judge;
}

/// What tells the results of one judge apart.
enum class Distinction { none, seed, label };

std::map<std::string, Distinction> distinctions(const std::vector<Judgement>& judgements) {
  using Results = std::map<std::string, std::optional<std::int64_t>>;  // seed by label
  std::map<std::pair<std::string, std::string>, Results> results;      // by judge and predictions
  for (const Judgement& one : judgements) results[{one.judge, one.predictions}][one.label] = one.seed;
  std::map<std::string, Distinction> found;
  for (const auto& [of, by_label] : results) {
    std::set<std::int64_t> seeds;
    for (const auto& [label, seed] : by_label) {
      if (seed) seeds.insert(*seed);
    }
    const bool by_seed = seeds.size() == by_label.size();
    const Distinction needed = by_label.size() < 2 ? Distinction::none
                               : by_seed           ? Distinction::seed
                                                   : Distinction::label;
    Distinction& of_judge = found[of.first];
    of_judge = std::max(of_judge, needed);
  }
  return found;
}

/// The judgements by case and rater.
class Table {
 public:
  explicit Table(const std::vector<Judgement>& judgements) {
    const std::vector<std::string> names = rater_names(judgements);
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> cases;
    std::set<std::string_view> predictions;
    std::map<std::tuple<RaterKind, std::string, std::optional<std::int64_t>, std::string>, std::size_t> order;
    for (std::size_t i = 0; i < judgements.size(); ++i) {
      const Judgement& one = judgements[i];
      predictions.insert(one.predictions);
      cases.try_emplace({one.predictions, one.item_id}, cases.size());
      // Seeds as numbers: 9 before 10. Without several seeds a rater is one, whatever seeds its judgements have.
      const auto seed = names[i] == one.judge ? std::nullopt : one.seed;
      order[{kind_of(one.judge), one.judge, seed, names[i]}] = 0;
    }
    std::map<std::string_view, std::size_t> index;
    for (auto& [key, rater] : order) {
      rater = raters_.size();
      raters_.push_back({.name = std::get<3>(key), .kind = std::get<0>(key)});
      judges_.push_back(std::get<1>(key));
    }
    for (std::size_t r = 0; r < raters_.size(); ++r) index[raters_[r].name] = r;
    n_predictions_ = predictions.size();
    cells_.assign(cases.size(), std::vector<const Judgement*>(raters_.size()));
    for (std::size_t i = 0; i < judgements.size(); ++i) {
      const Judgement*& cell = cells_[cases.at({judgements[i].predictions, judgements[i].item_id})][index.at(names[i])];
      if (cell == nullptr) cell = &judgements[i];
    }
  }

  [[nodiscard]] std::size_t n_cases() const { return cells_.size(); }
  [[nodiscard]] std::size_t n_predictions() const { return n_predictions_; }
  [[nodiscard]] std::size_t n_raters() const { return raters_.size(); }
  [[nodiscard]] const Rater& rater(std::size_t r) const { return raters_[r]; }
  /// The judge whose results a rater is one of.
  [[nodiscard]] const std::string& judge(std::size_t r) const { return judges_[r]; }
  [[nodiscard]] std::vector<std::size_t> of_kind(RaterKind kind) const {
    std::vector<std::size_t> found;
    for (std::size_t r = 0; r < raters_.size(); ++r) {
      if (raters_[r].kind == kind) found.push_back(r);
    }
    return found;
  }
  /// Null: the rater was not asked.
  [[nodiscard]] const Judgement* said(std::size_t one, std::size_t r) const { return cells_[one][r]; }
  /// Null: not asked, or the judgement is not valid.
  [[nodiscard]] const Judgement* valid(std::size_t one, std::size_t r) const {
    const Judgement* judgement = cells_[one][r];
    return judgement != nullptr && is_valid(*judgement) ? judgement : nullptr;
  }

 private:
  std::vector<Rater> raters_;  // without their counts
  std::vector<std::string> judges_;
  std::vector<std::vector<const Judgement*>> cells_;
  std::size_t n_predictions_ = 0;
};

/// Labels as numbers.
class Classes {
 public:
  explicit Classes(Level level) : level_(level) {}
  std::size_t operator()(const Judgement& judgement) {
    return numbers_.try_emplace(label_of(judgement, level_), numbers_.size()).first->second;
  }

 private:
  Level level_;
  std::map<std::string, std::size_t> numbers_;
};

Rater counted(const Table& table, std::size_t r) {
  Rater rater = table.rater(r);
  for (std::size_t i = 0; i < table.n_cases(); ++i) {
    const Judgement* judgement = table.said(i, r);
    if (judgement == nullptr) continue;
    ++rater.judged;
    ++(is_valid(*judgement)                  ? rater.valid
       : judgement->status == "undetermined" ? rater.undetermined
       : judgement->status == "conflict"     ? rater.conflict
       : judgement->status == "insufficient" ? rater.insufficient
                                             : rater.invalid);
  }
  return rater;
}

PairAgreement compared(const Table& table, std::size_t r, std::size_t with, Level level) {
  PairAgreement pair{.rater = table.rater(r).name, .with = table.rater(with).name};
  Classes classes(level);
  std::vector<LabelPair> labels;
  for (std::size_t i = 0; i < table.n_cases(); ++i) {
    const Judgement* a = table.valid(i, r);
    const Judgement* b = table.valid(i, with);
    if (a == nullptr || b == nullptr) continue;
    labels.push_back({classes(*a), classes(*b)});
    pair.alike.n_hits += labels.back().first == labels.back().second ? 1U : 0U;
  }
  pair.alike.n = labels.size();
  pair.kappa = estimated(labels, cohen_kappa);
  return pair;
}

/// Whether a rater is compared with another one that stands behind it, or before it and is the baseline.
bool is_pair(const Table& table, std::size_t r, std::size_t with, const std::string& baseline) {
  if (r == with) return false;
  const Rater& a = table.rater(r);
  const Rater& b = table.rater(with);
  if (a.kind != b.kind) return a.kind < b.kind;
  if (b.name == baseline) return true;
  if (a.name == baseline) return false;
  if (r < with) return false;
  if (a.kind == RaterKind::judge && baseline.empty()) return true;
  // Several results of one judge: how well it repeats itself, measured on the first of them.
  return table.judge(r) == table.judge(with) && (with == 0 || table.judge(with - 1) != table.judge(with));
}

std::vector<PairAgreement> all_pairs(const Table& table, const AgreementRequest& request) {
  std::vector<PairAgreement> pairs;
  for (std::size_t r = 0; r < table.n_raters(); ++r) {
    for (std::size_t with = 0; with < table.n_raters(); ++with) {
      if (is_pair(table, r, with, request.baseline)) pairs.push_back(compared(table, r, with, request.level));
    }
  }
  return pairs;
}

JudgesAgreement of_judges(const Table& table, const std::vector<std::size_t>& judges, Level level) {
  JudgesAgreement agreement{.level = level, .alike = {}, .fleiss_kappa = {}, .alpha = {}};
  Classes classes(level);
  std::vector<ClassCounts> complete;
  std::vector<ClassCounts> several;
  for (std::size_t i = 0; i < table.n_cases(); ++i) {
    ClassCounts counts;
    std::size_t n = 0;
    for (const std::size_t r : judges) {
      const Judgement* judgement = table.valid(i, r);
      if (judgement == nullptr) continue;
      const std::size_t label = classes(*judgement);
      if (label >= counts.size()) counts.resize(label + 1);
      ++counts[label];
      ++n;
    }
    if (n == judges.size()) {
      complete.push_back(counts);
      agreement.alike.n_hits += *std::max_element(counts.begin(), counts.end()) == n ? 1U : 0U;
    }
    if (n > 1) several.push_back(std::move(counts));
  }
  agreement.alike.n = complete.size();
  agreement.fleiss_kappa = estimated(complete, fleiss_kappa);
  agreement.alpha = estimated(several, nominal_alpha);
  return agreement;
}

Estimate of_steps(const Table& table, const std::vector<std::size_t>& judges) {
  std::vector<Values> several;
  for (std::size_t i = 0; i < table.n_cases(); ++i) {
    Values steps;
    for (const std::size_t r : judges) {
      const Judgement* judgement = table.valid(i, r);
      if (judgement != nullptr && judgement->first_error_step) {
        steps.push_back(static_cast<double>(*judgement->first_error_step));
      }
    }
    if (steps.size() > 1) several.push_back(std::move(steps));
  }
  return estimated(several, interval_alpha);
}

Confusion confusion_of(const Table& table, std::size_t r, std::size_t human, Level level) {
  Confusion confusion{.rater = table.rater(r).name, .kind = table.rater(r).kind, .human = table.rater(human).name};
  std::map<std::string, std::map<std::string, std::size_t>> counts;  // by the person's label, then the rater's or ""
  std::set<std::string> labels;
  for (std::size_t i = 0; i < table.n_cases(); ++i) {
    const Judgement* right = table.valid(i, human);
    if (right == nullptr || table.said(i, r) == nullptr) continue;
    const Judgement* judgement = table.valid(i, r);
    const std::string label = judgement == nullptr ? std::string() : label_of(*judgement, level);
    ++counts[label_of(*right, level)][label];
    labels.insert(label_of(*right, level));
    if (judgement != nullptr) labels.insert(label);
  }
  confusion.labels.assign(labels.begin(), labels.end());
  std::vector<std::string> columns = confusion.labels;
  columns.emplace_back();
  for (const std::string& row : confusion.labels) {
    std::vector<std::size_t>& cells = confusion.counts.emplace_back();
    for (const std::string& column : columns) cells.push_back(counts[row][column]);
  }
  return confusion;
}

Audit audit_of(const Table& table, std::size_t vote, std::size_t human, Level level, std::size_t n_open) {
  Audit audit{.vote = table.rater(vote).name, .human = table.rater(human).name};
  for (std::size_t i = 0; i < table.n_cases(); ++i) {
    if (table.said(i, human) == nullptr || !table.said(i, human)->audited) continue;
    ++audit.n_drawn;
    const Judgement* right = table.valid(i, human);
    const Judgement* judgement = table.valid(i, vote);
    if (right == nullptr || judgement == nullptr) continue;
    ++audit.errors.n;
    audit.errors.n_hits += label_of(*right, level) != label_of(*judgement, level) ? 1U : 0U;
  }
  audit.n_open = n_open;
  audit.n_drawn += n_open;
  if (n_open == 0 && audit.errors.n > 0) audit.bound = error_share_bound(audit.errors.n_hits, audit.errors.n);
  return audit;
}

}  // namespace

std::string label_of(const Judgement& judgement, Level level) {
  if (judgement.status == "no_error") return kNoError;
  const auto& [first, second] = level == Level::type ? std::tie(judgement.type, judgement.category)
                                                     : std::tie(judgement.category, judgement.type);
  return first ? *first : second.value_or("");
}

std::optional<double> Share::value() const {
  if (n == 0) return std::nullopt;
  return static_cast<double>(n_hits) / static_cast<double>(n);
}

std::optional<Interval> Share::interval() const {
  const auto p = value();
  if (!p) return std::nullopt;
  return wilson(*p, static_cast<double>(n));
}

Share Confusion::precision(std::size_t label) const {
  Share share{.n_hits = counts[label][label]};
  for (const auto& row : counts) share.n += row[label];
  return share;
}

Share Confusion::recall(std::size_t label) const {
  Share share{.n_hits = counts[label][label]};
  for (const std::size_t count : counts[label]) share.n += count;
  return share;
}

std::vector<std::string> rater_names(const std::vector<Judgement>& judgements) {
  const std::map<std::string, Distinction> distinction = distinctions(judgements);
  std::vector<std::string> names;
  for (const Judgement& one : judgements) {
    const Distinction needed = distinction.at(one.judge);
    if (needed == Distinction::none) {
      names.push_back(one.judge);
    } else if (needed == Distinction::seed && one.seed) {
      names.push_back(one.judge + " (seed " + std::to_string(*one.seed) + ")");
    } else {
      names.push_back(one.judge + " (" + one.label + ")");
    }
  }
  return names;
}

std::vector<std::string> judges_of(const std::vector<Judgement>& judgements) {
  const std::vector<std::string> names = rater_names(judgements);
  std::set<std::string> judges;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (kind_of(judgements[i].judge) == RaterKind::judge) judges.insert(names[i]);
  }
  return {judges.begin(), judges.end()};
}

Agreement agreement_of(const std::vector<Judgement>& judgements, const AgreementRequest& request) {
  const Table table(judgements);
  Agreement agreement{.request = request, .n_cases = table.n_cases(), .n_predictions = table.n_predictions()};
  for (std::size_t r = 0; r < table.n_raters(); ++r) agreement.raters.push_back(counted(table, r));
  agreement.pairs = all_pairs(table, request);
  const std::vector<std::size_t> judges = table.of_kind(RaterKind::judge);
  if (judges.size() > 1) {
    for (const Level level : {Level::type, Level::category}) {
      agreement.judges.push_back(of_judges(table, judges, level));
    }
    agreement.steps = of_steps(table, judges);
  }
  for (const std::size_t human : table.of_kind(RaterKind::human)) {
    for (const RaterKind kind : {RaterKind::vote, RaterKind::judge}) {
      for (const std::size_t r : table.of_kind(kind)) {
        agreement.confusions.push_back(confusion_of(table, r, human, request.level));
      }
    }
    for (const std::size_t vote : table.of_kind(RaterKind::vote)) {
      Audit audit = audit_of(table, vote, human, request.level, request.n_open_audit);
      if (audit.n_drawn > 0) agreement.audits.push_back(std::move(audit));
    }
  }
  return agreement;
}

}  // namespace lowbit::report
