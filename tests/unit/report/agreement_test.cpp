#include "report/agreement.h"

#include <catch2/catch.hpp>

#include <sstream>

#include "base/words.h"
#include "report/agreement_page.h"

using namespace lowbit;
using namespace lowbit::report;
using Catch::Contains;
using Catch::WithinAbs;

namespace {

/// What it says: a type of taxonomy v2 or v1, a category, or a status, and the step after a blank.
Judgement judgement(const std::string& item, const std::string& judge, const std::string& said) {
  Judgement out{.predictions = "p", .item_id = item, .judge = judge, .label = judge, .status = "error"};
  std::istringstream words(said);
  std::string word;
  words >> word;
  if (std::int64_t step = 0; words >> step) out.first_error_step = step;
  if (word == "computational_error" || word == "symbolic_manipulation_error") out.category = "execution";
  if (word == "procedural_error" || word == "formula_rule_error") out.category = "method";
  if (word == "execution" || word == "method") {
    out.category = word;
  } else if (out.category || word == "step_omission") {
    out.type = word;
  } else {
    out.status = word;
  }
  return out;
}

/// Lines `item: judge says, judge says`.
std::vector<Judgement> judgements(const std::string& lines) {
  std::vector<Judgement> all;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    std::istringstream ballots(line.substr(colon + 1));
    for (std::string ballot; std::getline(ballots, ballot, ',');) {
      std::istringstream words(ballot);
      std::string judge;
      std::string said;
      words >> judge;
      std::getline(words, said);
      all.push_back(judgement(line.substr(0, colon), judge, said));
    }
  }
  return all;
}

const PairAgreement& pair_of(const Agreement& agreement, const std::string& rater, const std::string& with) {
  for (const PairAgreement& pair : agreement.pairs) {
    if (pair.rater == rater && pair.with == with) return pair;
  }
  FAIL(rater << " is not compared with " << with);
  return agreement.pairs.front();
}

std::string pairs_of(const Agreement& agreement) {
  std::vector<std::string> names;
  for (const PairAgreement& pair : agreement.pairs) names.push_back(pair.rater + "/" + pair.with);
  return joined(names, " ");
}

constexpr const char* kStudy = R"(a: gpt computational_error 2, llama computational_error 2, vote computational_error 2
b: gpt computational_error 1, llama symbolic_manipulation_error 3, vote execution 1
c: gpt no_error, llama no_error, vote no_error
d: gpt procedural_error 2, llama formula_rule_error 2, vote method 2
e: gpt no_error, llama computational_error 4, vote conflict
f: gpt undetermined, llama procedural_error 1, vote insufficient
g: gpt invalid, vote insufficient
)";

}  // namespace

TEST_CASE("a label is the type, else the category, or that there is no error", "[report][agreement]") {
  const auto label = [](const std::string& said, Level level) { return label_of(judgement("a", "gpt", said), level); };
  CHECK(label("computational_error", Level::type) == "computational_error");
  CHECK(label("computational_error", Level::category) == "execution");
  CHECK(label("execution", Level::type) == "execution");
  CHECK(label("step_omission", Level::category) == "step_omission");  // the first taxonomy has no categories
  CHECK(label("no_error", Level::type) == "no error");
}

TEST_CASE("judgements are counted by rater", "[report][agreement]") {
  const Agreement agreement = agreement_of(judgements(kStudy), {});
  CHECK(agreement.n_cases == 7);
  CHECK(agreement.n_predictions == 1);
  REQUIRE(agreement.raters.size() == 3);
  const Rater& gpt = agreement.raters[0];
  CHECK(gpt.name == "gpt");
  CHECK(gpt.judged == 7);
  CHECK(gpt.valid == 5);
  CHECK(gpt.undetermined == 1);
  CHECK(gpt.invalid == 1);
  CHECK(agreement.raters[1].judged == 6);
  const Rater& vote = agreement.raters[2];
  CHECK(vote.kind == RaterKind::vote);
  CHECK(vote.valid == 4);
  CHECK(vote.conflict == 1);
  CHECK(vote.insufficient == 2);
}

TEST_CASE("two raters are compared where both are valid", "[report][agreement]") {
  const Agreement types = agreement_of(judgements(kStudy), {});
  CHECK(pairs_of(types) == "gpt/vote llama/gpt llama/vote");
  const PairAgreement& pair = pair_of(types, "llama", "gpt");
  CHECK(pair.alike.n_hits == 2);
  CHECK(pair.alike.n == 5);
  // Counts of llama c 2, s 1, n 1, f 1; of gpt c 2, n 2, p 1: pe = (2 * 2 + 1 * 2) / 25.
  CHECK_THAT(pair.kappa.value.value(), WithinAbs((.4 - .24) / (1 - .24), 1e-12));
  CHECK_THAT(pair.alike.interval()->low, WithinAbs(wilson(.4, 5).low, 1e-12));
  const PairAgreement with_vote = pair_of(types, "gpt", "vote");
  CHECK(with_vote.alike.n_hits == 2);  // a vote for the category alone is another label than a type
  CHECK(with_vote.alike.n == 4);
  const Agreement categories = agreement_of(judgements(kStudy), {.level = Level::category, .baseline = {}});
  CHECK(pair_of(categories, "gpt", "vote").alike.n_hits == 4);
  CHECK(pair_of(categories, "llama", "gpt").alike.n_hits == 4);
}

TEST_CASE("a share has its published interval", "[report][agreement]") {
  const Share share{.n_hits = 3329, .n = 3366};
  CHECK_THAT(share.value().value(), WithinAbs(.989, 5e-5));
  CHECK_THAT(share.interval()->low, WithinAbs(.9849, 5e-5));
  CHECK_THAT(share.interval()->high, WithinAbs(.9920, 5e-5));
  CHECK_FALSE(Share{}.value());
  CHECK_FALSE(Share{}.interval());
}

TEST_CASE("all judges are compared on complete cases by Fleiss, with missing ones by Krippendorff",
          "[report][agreement]") {
  const auto all = judgements(
      "a: x computational_error 2, y computational_error 2, z computational_error 4\n"
      "b: x no_error, y no_error, z no_error\n"
      "c: x formula_rule_error 1, y procedural_error 3, z procedural_error 3, vote procedural_error 3\n"
      "d: x computational_error 1, z computational_error 1\n"
      "e: x no_error, y undetermined, z formula_rule_error 2, human no_error\n"
      "f: y no_error\n");
  const Agreement agreement = agreement_of(all, {});
  REQUIRE(agreement.judges.size() == 2);
  const JudgesAgreement& types = agreement.judges[0];
  CHECK(types.level == Level::type);
  CHECK(types.alike.n_hits == 2);
  CHECK(types.alike.n == 3);
  // By hand: P = (1 + 1 + 1/3) / 3, the nine labels are 3 c, 3 n, 1 f, 2 p.
  CHECK_THAT(types.fleiss_kappa.value.value(), WithinAbs((7.0 / 9 - 23.0 / 81) / (1 - 23.0 / 81), 1e-12));
  // Do = (2 [c: 4/2] + 2 [e]) / 13; the labels are 5 c, 4 n, 2 f, 2 p.
  CHECK(types.alpha.n_cases == 5);
  CHECK_THAT(types.alpha.value.value(), WithinAbs(1 - (4.0 / 13) / ((169.0 - 49) / 156), 1e-12));
  const JudgesAgreement& categories = agreement.judges[1];
  CHECK(categories.alike.n_hits == 3);
  CHECK(categories.fleiss_kappa.value == 1.0);
  // Steps: a 2 2 4, c 1 3 3, d 1 1. e has one only.
  REQUIRE(agreement.steps);
  CHECK(agreement.steps->n_cases == 3);
  const double observed = (16.0 / 2 + 16.0 / 2) / 8;  // ordered pairs in a: 4 of 2^2, likewise in c
  const double sum = 2 + 2 + 4 + 1 + 3 + 3 + 1 + 1;
  const double of_squares = 4 + 4 + 16 + 1 + 9 + 9 + 1 + 1;
  const double expected = 2 * (8 * of_squares - sum * sum) / (8 * 7);
  CHECK_THAT(agreement.steps->value.value(), WithinAbs(1 - observed / expected, 1e-12));
}

TEST_CASE("results of one judge are told apart by seed, else by label", "[report][agreement]") {
  std::vector<Judgement> all;
  for (const std::int64_t seed : {10, 9}) {
    all.push_back(judgement("a", "gpt", "no_error"));
    all.back().label = "judge[seed=" + std::to_string(seed) + "]";
    all.back().seed = seed;
  }
  all.push_back(judgement("a", "llama", "no_error"));
  all.push_back(all.back());
  all.back().label = "judge[words=many]";
  all.push_back(judgement("a", "qwen", "no_error"));
  all.back().seed = 10;
  all.push_back(all.back());
  all.back().predictions = "others";  // on other predictions another seed is no second result
  all.back().label = "qwen[seed=9]";
  all.back().seed = 9;
  CHECK(joined(rater_names(all)) ==
        "gpt (seed 10), gpt (seed 9), llama (llama), llama (judge[words=many]), qwen, qwen");
  const Agreement agreement = agreement_of(all, {.level = Level::type, .baseline = "qwen"});
  CHECK(agreement.n_cases == 2);
  CHECK(agreement.n_predictions == 2);
  // With the baseline, and each judge's other results with its first.
  CHECK(pairs_of(agreement) ==
        "gpt (seed 9)/qwen gpt (seed 10)/gpt (seed 9) gpt (seed 10)/qwen llama (judge[words=many])/qwen "
        "llama (llama)/llama (judge[words=many]) llama (llama)/qwen");
  CHECK(joined(judges_of(judgements(kStudy))) == "gpt, llama");
}

TEST_CASE("the confusion with a person has precision and recall", "[report][agreement]") {
  const auto all = judgements(
      "a: gpt computational_error, vote computational_error, human computational_error\n"
      "b: gpt computational_error, vote computational_error, human procedural_error\n"
      "c: gpt no_error, vote conflict, human computational_error\n"
      "d: gpt no_error, vote no_error, human no_error\n"
      "e: gpt no_error, vote no_error, human undetermined\n"
      "f: gpt no_error, human no_error\n"
      "g: gpt computational_error, vote computational_error\n");
  const Agreement agreement = agreement_of(all, {.level = Level::type, .baseline = "gpt"});
  CHECK(pairs_of(agreement) == "gpt/vote gpt/human vote/human");
  REQUIRE(agreement.confusions.size() == 2);
  const Confusion& vote = agreement.confusions[0];
  CHECK(vote.rater == "vote");
  CHECK(joined(vote.labels) == "computational_error, no error, procedural_error");
  CHECK(vote.counts == std::vector<std::vector<std::size_t>>{{1, 0, 0, 1}, {0, 1, 0, 0}, {1, 0, 0, 0}});
  CHECK(vote.precision(0).value() == .5);
  CHECK(vote.recall(0).value() == .5);  // what the vote leaves open is no hit
  CHECK(vote.recall(2).value() == 0.0);
  CHECK_FALSE(vote.precision(2).value());
  CHECK(agreement.confusions[1].counts ==
        std::vector<std::vector<std::size_t>>{{1, 1, 0, 0}, {0, 2, 0, 0}, {1, 0, 0, 0}});
  CHECK(agreement.audits.empty());
  CHECK_THAT(agreement_page(agreement, "study"), Contains(R"(
human, down; vote, across  computational_error  no error  procedural_error  not valid  recall
computational_error                          1         0                 0          1   0.500
no error                                     0         1                 0          0   1.000
procedural_error                             1         0                 0          0   0.000
precision                                0.500     1.000                 –

human, down; gpt, across)"));
}

TEST_CASE("an audit counts the drawn cases on which vote and person differ", "[report][agreement]") {
  std::vector<Judgement> all;
  for (int i = 0; i < 70; ++i) {
    const std::string item = "i" + std::to_string(i);
    all.push_back(judgement(item, "vote", i == 69 ? "conflict" : "computational_error 1"));
    all.push_back(judgement(item, "human", i == 0 ? "procedural_error 1" : "computational_error 2"));
    all.back().audited = i > 1;
  }
  const Agreement agreement = agreement_of(all, {});
  REQUIRE(agreement.audits.size() == 1);
  CHECK(agreement.audits[0].n_drawn == 68);
  CHECK(agreement.audits[0].errors.n == 67);
  CHECK(agreement.audits[0].errors.n_hits == 0);
  CHECK_THAT(agreement.audits[0].bound.value(), WithinAbs(.0437, 5e-5));
  CHECK_THAT(agreement_page(agreement, "study"),
             Contains("\naudit       68 cases drawn at random, 67 of them decided by vote and by people: 0 errors, so "
                      "that at most 4.37 % of what both can decide is wrong (one-sided, 95 %)\n"));
  const Agreement early = agreement_of(all, {.level = Level::type, .baseline = {}, .n_open_audit = 2});
  CHECK(early.audits.at(0).n_drawn == 70);
  CHECK_FALSE(early.audits.at(0).bound);
  CHECK_THAT(agreement_page(early, "study"),
             Contains("\naudit       70 cases drawn at random, 2 of them open: no bound before all are decided\n"));
  all[3].audited = true;
  all[1].audited = true;
  const Audit more = agreement_of(all, {}).audits.at(0);
  CHECK(more.errors.n_hits == 1);
  CHECK(more.errors.n == 69);
  CHECK(agreement_of(all, {.level = Level::category, .baseline = {}}).audits.at(0).errors.n_hits == 1);
}

TEST_CASE("the page of an experiment", "[report][agreement]") {
  CHECK(agreement_page(agreement_of(judgements(kStudy), {.level = Level::type, .baseline = "gpt"}), "study") ==
        R"(experiment  study
cases       7, of 1 set of predictions
compared    at the level of types, with the baseline gpt

rater  judged  valid  undetermined  invalid
gpt         7      5             1        1
llama       6      6             0        0
vote        7      4             0        0

vote  cases  decided               conflict              insufficient
vote      7  0.571 [0.250, 0.842]  0.143 [0.026, 0.513]  0.286 [0.082, 0.641]

rater  with  cases  alike                 Cohen's kappa
gpt    vote      4  0.500 [0.150, 0.850]  0.385 [0.000, 1.000] of 986 draws
llama  gpt       5  0.400 [0.118, 0.769]  0.211 [−0.190, 0.667] of 999 draws
llama  vote      4  0.500 [0.150, 0.850]  0.429 [0.000, 1.000] of 986 draws

of all judges                   at                cases  value
all alike                       type                  5  0.400 [0.118, 0.769]
Fleiss' kappa                   type                  5  0.167 [−0.515, 0.655] of 999 draws
Krippendorff's alpha            type                  5  0.250 [−0.364, 0.690] of 999 draws
all alike                       category              5  0.800 [0.376, 0.964]
Fleiss' kappa                   category              5  0.677 [−0.429, 1.000] of 989 draws
Krippendorff's alpha            category              5  0.710 [−0.286, 1.000] of 989 draws
Krippendorff's alpha, interval  first wrong step      3  −0.667 [–] of 713 draws

There are no decisions of people: no confusion with them, and no bound from an audit.
In brackets: 95 % intervals. Wilson's of shares; of kappa and alpha those of 1000 draws of the cases (seed 0), – where all draws are alike.
)");
}

TEST_CASE("what cannot be computed is said in words", "[report][agreement]") {
  const auto all = judgements("a: x no_error, y undetermined, z no_error\nb: x no_error, y invalid, z no_error\n");
  const Agreement agreement = agreement_of(all, {});
  CHECK_THAT(agreement_page(agreement, "study"), Contains(R"(
rater  with  cases  alike                 Cohen's kappa
y      x         0  no case to compare    no case to compare
z      x         2  1.000 [0.342, 1.000]  one class only
z      y         0  no case to compare    no case to compare

of all judges                   at                cases  value
all alike                       type                  0  no case to compare
Fleiss' kappa                   type                  0  no case to compare
Krippendorff's alpha            type                  2  one class only
all alike                       category              0  no case to compare
Fleiss' kappa                   category              0  no case to compare
Krippendorff's alpha            category              2  one class only
Krippendorff's alpha, interval  first wrong step      0  no case to compare

y has no valid judgement.
)"));
  const Json document = agreement_document(agreement, "study");
  CHECK(document["pairs"][1]["kappa"]["why"] == "one class only");
  CHECK(document["pairs"][0]["kappa"]["why"] == "no case to compare");
  CHECK(document["pairs"][0]["alike"]["value"].is_null());
  CHECK(document["judges"][0]["fleiss_kappa"]["value"].is_null());
  CHECK(document.dump().find("nan") == std::string::npos);
  CHECK_THAT(agreement_page(agreement_of(judgements("a: x no_error\n"), {}), "study"),
             Contains("Agreement of judges needs two of them; here is 1 judge.\n"));
  CHECK_THAT(agreement_page(agreement_of({}, {}), "study"), Contains("cases       0, of 0 sets of predictions\n"));
}

TEST_CASE("the document of an experiment", "[report][agreement]") {
  auto all = judgements(kStudy);
  all.push_back(judgement("a", "human", "computational_error 2"));
  all.back().audited = true;
  const Json document = agreement_document(agreement_of(all, {.level = Level::category, .baseline = "gpt"}), "study");
  CHECK(document["experiment"] == "study");
  CHECK(document["level"] == "category");
  CHECK(document["baseline"] == "gpt");
  CHECK(document["raters"][3]["kind"] == "human");
  CHECK(document["pairs"][0]["rater"] == "gpt");
  CHECK(document["pairs"][0]["with"] == "vote");
  CHECK(document["pairs"][0]["alike"] ==
        Json{{"count", 4}, {"of", 4}, {"value", 1.0}, {"low", wilson(1, 4).low}, {"high", 1.0}});
  CHECK(document["confusions"][0]["labels"] == Json{"execution"});
  CHECK(document["confusions"][0]["counts"] == Json{{1, 0}});
  CHECK(document["audits"][0]["bound"].get<double>() == error_share_bound(0, 1));
  CHECK(document["bootstrap"] == Json{{"draws", 1000}, {"seed", 0}});
}
