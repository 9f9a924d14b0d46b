#include "report/agreement_page.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/utf8.h"
#include "domain/quantity_text.h"
#include "report/number_text.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

constexpr const char* kNoCase = "no case to compare";

const char* name_of(Level level) { return level == Level::type ? "type" : "category"; }

const char* name_of(RaterKind kind) {
  switch (kind) {
    case RaterKind::judge: return "judge";
    case RaterKind::vote: return "vote";
    case RaterKind::human: break;
  }
  return "human";
}

std::string short_text(double value) { return fixed(value, 3); }

std::string with_interval(double value, const std::optional<Interval>& interval) {
  return short_text(value) +
         (interval ? " [" + short_text(interval->low) + ", " + short_text(interval->high) + "]" : " [–]");
}

const char* why_no_value(const Estimate& estimate) { return estimate.n_cases == 0 ? kNoCase : "one class only"; }

std::string text_of(const Estimate& estimate) {
  if (!estimate.value) return why_no_value(estimate);
  const std::string text = with_interval(*estimate.value, estimate.interval);
  return estimate.n_draws == kBootstrapDraws ? text : text + " of " + count_text(estimate.n_draws, "draw");
}

std::string text_of(const Share& share) {
  return share.n == 0 ? kNoCase : with_interval(*share.value(), share.interval());
}

std::string line_of(const char* name, const std::string& value) {
  return padded(name, 12, false) + printable(value) + "\n";
}

/// `right`: the columns of numbers. Empty without rows.
std::string section(std::vector<std::string> header, std::vector<std::vector<std::string>> rows,
                    std::vector<bool> right) {
  if (rows.empty()) return {};
  for (auto& row : rows) {
    for (std::string& cell : row) cell = printable(cell);
  }
  return "\n" + aligned({.header = std::move(header), .rows = std::move(rows), .right = std::move(right)});
}

std::string raters(const Agreement& agreement) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::vector<std::string>> votes;
  for (const Rater& rater : agreement.raters) {
    rows.push_back({rater.name, std::to_string(rater.judged), std::to_string(rater.valid),
                    std::to_string(rater.undetermined), std::to_string(rater.invalid)});
    if (rater.kind != RaterKind::vote) continue;
    votes.push_back({rater.name, std::to_string(rater.judged), text_of(Share{rater.valid, rater.judged}),
                     text_of(Share{rater.conflict, rater.judged}), text_of(Share{rater.insufficient, rater.judged})});
  }
  return section({"rater", "judged", "valid", "undetermined", "invalid"}, std::move(rows),
                 {false, true, true, true, true}) +
         section({"vote", "cases", "decided", "conflict", "insufficient"}, std::move(votes),
                 {false, true, false, false, false});
}

std::string pairs(const Agreement& agreement) {
  std::vector<std::vector<std::string>> rows;
  for (const PairAgreement& pair : agreement.pairs) {
    rows.push_back({pair.rater, pair.with, std::to_string(pair.alike.n), text_of(pair.alike), text_of(pair.kappa)});
  }
  return section({"rater", "with", "cases", "alike", "Cohen's kappa"}, std::move(rows),
                 {false, false, true, false, false});
}

std::string judges(const Agreement& agreement) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&rows](const char* what, const char* of, std::size_t n, const std::string& value) {
    rows.push_back({what, of, std::to_string(n), value});
  };
  for (const JudgesAgreement& judges : agreement.judges) {
    const char* level = name_of(judges.level);
    add("all alike", level, judges.alike.n, text_of(judges.alike));
    add("Fleiss' kappa", level, judges.fleiss_kappa.n_cases, text_of(judges.fleiss_kappa));
    add("Krippendorff's alpha", level, judges.alpha.n_cases, text_of(judges.alpha));
  }
  if (agreement.steps) {
    add("Krippendorff's alpha, interval", "first wrong step", agreement.steps->n_cases, text_of(*agreement.steps));
  }
  return section({"of all judges", "at", "cases", "value"}, std::move(rows), {false, false, true, false});
}

std::string confusion(const Confusion& confusion) {
  std::vector<std::string> header{confusion.human + ", down; " + confusion.rater + ", across"};
  header.insert(header.end(), confusion.labels.begin(), confusion.labels.end());
  header.emplace_back("not valid");
  header.emplace_back("recall");
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> precision{"precision"};
  for (std::size_t i = 0; i < confusion.labels.size(); ++i) {
    std::vector<std::string>& row = rows.emplace_back(std::vector{confusion.labels[i]});
    for (const std::size_t count : confusion.counts[i]) row.push_back(std::to_string(count));
    const auto recall = confusion.recall(i).value();
    row.push_back(recall ? short_text(*recall) : "–");
    const auto of_label = confusion.precision(i).value();
    precision.push_back(of_label ? short_text(*of_label) : "–");
  }
  if (rows.empty()) return {};
  precision.insert(precision.end(), {"", ""});
  rows.push_back(std::move(precision));
  for (std::string& cell : header) cell = printable(cell);
  std::vector<bool> right(header.size(), true);
  right.front() = false;
  return section(std::move(header), std::move(rows), std::move(right));
}

std::string audit(const Audit& audit) {
  std::string text = "\naudit       " + count_text(audit.n_drawn, "case") + " drawn at random";
  if (audit.n_open > 0)
    return text + ", " + std::to_string(audit.n_open) + " of them open: no bound before all are decided\n";
  if (!audit.bound) return text + "; none of them is decided by " + audit.vote + " and by people\n";
  constexpr double kPercent = 100;
  return text + ", " + std::to_string(audit.errors.n) + " of them decided by " + audit.vote +
         " and by people: " + count_text(audit.errors.n_hits, "error") + ", so that at most " +
         fixed(kPercent * *audit.bound, 2) + " % of what both can decide is wrong (one-sided, 95 %)\n";
}

/// What the tables do not show because it is not there.
std::string remarks(const Agreement& agreement) {
  std::size_t n_judges = 0;
  bool decided = false;
  std::string text;
  for (const Rater& rater : agreement.raters) {
    n_judges += rater.kind == RaterKind::judge ? 1U : 0U;
    decided = decided || rater.kind == RaterKind::human;
    if (rater.valid == 0) text += printable(rater.name) + " has no valid judgement.\n";
  }
  if (n_judges < 2) text += "Agreement of judges needs two of them; here is " + count_text(n_judges, "judge") + ".\n";
  if (!decided) text += "There are no decisions of people: no confusion with them, and no bound from an audit.\n";
  text += "In brackets: 95 % intervals. Wilson's of shares; of kappa and alpha those of " +
          std::to_string(kBootstrapDraws) + " draws of the cases (seed " + std::to_string(kBootstrapSeed) +
          "), – where all draws are alike.\n";
  return "\n" + text;
}

Json with_interval(Json object, const std::optional<double>& value, const std::optional<Interval>& interval) {
  object["value"] = value_or_null(value);
  object["low"] = interval ? Json(interval->low) : Json();
  object["high"] = interval ? Json(interval->high) : Json();
  return object;
}

Json json_of(const Share& share) {
  return with_interval({{"count", share.n_hits}, {"of", share.n}}, share.value(), share.interval());
}

Json json_of(const Estimate& estimate) {
  return with_interval({{"cases", estimate.n_cases},
                        {"draws", estimate.n_draws},
                        {"why", estimate.value ? Json() : Json(why_no_value(estimate))}},
                       estimate.value, estimate.interval);
}

Json json_of(const Rater& rater) {
  return {{"name", rater.name},         {"kind", name_of(rater.kind)},        {"judged", rater.judged},
          {"valid", rater.valid},       {"undetermined", rater.undetermined}, {"invalid", rater.invalid},
          {"conflict", rater.conflict}, {"insufficient", rater.insufficient}};
}

Json json_of(const PairAgreement& pair) {
  return {{"rater", pair.rater}, {"with", pair.with}, {"alike", json_of(pair.alike)}, {"kappa", json_of(pair.kappa)}};
}

Json json_of(const JudgesAgreement& judges) {
  return {{"level", name_of(judges.level)},
          {"alike", json_of(judges.alike)},
          {"fleiss_kappa", json_of(judges.fleiss_kappa)},
          {"alpha", json_of(judges.alpha)}};
}

Json json_of(const Confusion& confusion) {
  Json precision = Json::array();
  Json recall = Json::array();
  for (std::size_t i = 0; i < confusion.labels.size(); ++i) {
    precision.push_back(json_of(confusion.precision(i)));
    recall.push_back(json_of(confusion.recall(i)));
  }
  return {{"rater", confusion.rater},   {"human", confusion.human}, {"labels", confusion.labels},
          {"counts", confusion.counts}, {"precision", precision},   {"recall", recall}};
}

Json json_of(const Audit& audit) {
  return {{"vote", audit.vote},
          {"human", audit.human},
          {"drawn", audit.n_drawn},
          {"open", audit.n_open},
          {"errors", json_of(audit.errors)},
          {"bound", value_or_null(audit.bound)}};
}

template <class Part>
Json list_of(const std::vector<Part>& parts) {
  Json list = Json::array();
  for (const Part& part : parts) list.push_back(json_of(part));
  return list;
}

}  // namespace

std::string agreement_page(const Agreement& agreement, const std::string& experiment) {
  const AgreementRequest& request = agreement.request;
  std::string out = line_of("experiment", experiment);
  out += line_of("cases", std::to_string(agreement.n_cases) + ", of " + count_text(agreement.n_predictions, "set") +
                              " of predictions");
  out += line_of("compared", std::string("at the level of ") + (request.level == Level::type ? "types" : "categories") +
                                 (request.baseline.empty() ? "" : ", with the baseline " + request.baseline));
  out += raters(agreement) + pairs(agreement) + judges(agreement);
  for (const Confusion& one : agreement.confusions) {
    if (one.kind == RaterKind::vote || one.rater == request.baseline) out += confusion(one);
  }
  for (const Audit& one : agreement.audits) out += audit(one);
  return out + remarks(agreement);
}

Json agreement_document(const Agreement& agreement, const std::string& experiment) {
  const AgreementRequest& request = agreement.request;
  return {{"experiment", experiment},
          {"level", name_of(request.level)},
          {"baseline", request.baseline.empty() ? Json() : Json(request.baseline)},
          {"cases", agreement.n_cases},
          {"predictions", agreement.n_predictions},
          {"raters", list_of(agreement.raters)},
          {"pairs", list_of(agreement.pairs)},
          {"judges", list_of(agreement.judges)},
          {"step_alpha", agreement.steps ? json_of(*agreement.steps) : Json()},
          {"confusions", list_of(agreement.confusions)},
          {"audits", list_of(agreement.audits)},
          {"bootstrap", {{"draws", kBootstrapDraws}, {"seed", kBootstrapSeed}}}};
}

}  // namespace lowbit::report
