// How much judges, votes and people agree on the first errors of solutions. Pure.
//
//   const Agreement agreement = agreement_of(judgements, {.level = Level::type, .baseline = "gpt"});
//   std::cout << agreement_page(agreement);  // report/agreement_page.h
//
// A case is an item of judged predictions. A judgement is valid when its status is error or no_error; only valid ones
// are compared. Its label is "no error", or at the level of types its type, or its category where it names no type; at
// the level of categories its category, or its type where the taxonomy has no categories.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "domain/judgement.h"
#include "report/agreement_coefficients.h"

namespace lowbit::report {

enum class Level { type, category };
[[nodiscard]] std::string label_of(const Judgement& judgement, Level level);

enum class RaterKind { judge, vote, human };

struct Rater {
  std::string name;
  RaterKind kind = RaterKind::judge;
  std::size_t judged = 0;  ///< cases with a judgement of this rater, valid or not
  std::size_t valid = 0;
  std::size_t undetermined = 0;
  std::size_t invalid = 0;
  std::size_t conflict = 0;  ///< of a vote, as is `insufficient`
  std::size_t insufficient = 0;
};

/// `n_hits` of `n`.
struct Share {
  std::size_t n_hits = 0;
  std::size_t n = 0;

  [[nodiscard]] std::optional<double> value() const;       ///< empty for none of none
  [[nodiscard]] std::optional<Interval> interval() const;  ///< 95 %, Wilson; likewise
};

/// Of the cases on which both are valid.
struct PairAgreement {
  std::string rater;
  std::string with;
  Share alike;
  Estimate kappa;  ///< Cohen's
};

/// Of all judges; votes and people are none.
struct JudgesAgreement {
  Level level = Level::type;
  Share alike;            ///< cases with one label, of those on which every judge is valid
  Estimate fleiss_kappa;  ///< of these cases too
  Estimate alpha;         ///< Krippendorff's, nominal; of the cases on which two or more are valid
};

/// What a rater says of the cases that a person decided.
struct Confusion {
  std::string rater;
  RaterKind kind = RaterKind::judge;  ///< of the rater
  std::string human;
  std::vector<std::string> labels;
  /// By the person's label and the rater's, both in the order of `labels`; one more column for those on which the
  /// rater's judgement is not valid. Cases that the rater was not asked about are left out.
  std::vector<std::vector<std::size_t>> counts;

  [[nodiscard]] Share precision(std::size_t label) const;  ///< right ones, of those that the rater calls so
  [[nodiscard]] Share recall(std::size_t label) const;     ///< right ones, of those that the person calls so
};

/// Cases drawn at random and decided by a person.
struct Audit {
  std::string vote;
  std::string human;
  std::size_t n_drawn = 0;
  std::size_t n_open = 0;  ///< of them, those that nobody has decided
  Share errors;            ///< on which vote and person differ, of those on which both are valid
  /// One-sided 95 % upper bound of the share of errors; empty without such cases, and while some are open: the easy
  /// ones are decided first.
  std::optional<double> bound;
};

struct AgreementRequest {
  Level level = Level::type;
  std::string baseline;          ///< a name of judges_of(); empty: every judge is compared with every other
  std::size_t n_open_audit = 0;  ///< cases that were drawn at random and that nobody has decided
};

struct Agreement {
  AgreementRequest request;
  std::size_t n_cases = 0;
  std::size_t n_predictions = 0;
  std::vector<Rater> raters;            ///< judges, votes, people, each by name
  std::vector<PairAgreement> pairs;     ///< judges with baseline or judges, votes and people; votes with people
  std::vector<JudgesAgreement> judges;  ///< at both levels; empty for fewer than two judges
  std::optional<Estimate> steps;        ///< Krippendorff's alpha, interval, of the first wrong step; likewise
  std::vector<Confusion> confusions;    ///< of every other rater with every person's decisions, votes first
  std::vector<Audit> audits;            ///< of every vote with every person's decisions that were drawn at random
};

/// The names of raters: that of the judge; where one judge has several results on the same predictions "name (seed 1)",
/// and where seeds do not tell these apart "name (label)". In the order of the judgements.
[[nodiscard]] std::vector<std::string> rater_names(const std::vector<Judgement>& judgements);
/// Those of judges, each once, by name.
[[nodiscard]] std::vector<std::string> judges_of(const std::vector<Judgement>& judgements);

/// Of several judgements of one rater on one case the first counts. REQUIRES: request.baseline is empty or of
/// judges_of().
[[nodiscard]] Agreement agreement_of(const std::vector<Judgement>& judgements, const AgreementRequest& request);

}  // namespace lowbit::report
