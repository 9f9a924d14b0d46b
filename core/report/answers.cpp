#include "report/answers.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lowbit::report {
namespace {

/// The answers of one result in the order of their item ids.
struct Sorted {
  const SeedAnswers* from = nullptr;
  std::vector<const ItemAnswer*> answers;
};

Result<Sorted> sorted(const SeedAnswers& result) {
  Sorted out{.from = &result, .answers = {}};
  for (const ItemAnswer& answer : *result.answers) out.answers.push_back(&answer);
  const auto by_item = [](const ItemAnswer* x, const ItemAnswer* y) { return x->item_id < y->item_id; };
  std::sort(out.answers.begin(), out.answers.end(), by_item);
  const auto twice = std::adjacent_find(out.answers.begin(), out.answers.end(),
                                        [](const auto* x, const auto* y) { return x->item_id == y->item_id; });
  if (out.answers.empty() || twice != out.answers.end()) {
    Diagnostic problem = error("LB7026", "an accuracy cannot be computed from `" + result.label + "`");
    problem.note(out.answers.empty() ? "it has no predictions"
                                     : "it has several predictions for item `" + (*twice)->item_id + "`");
    return problem.fix("name a stage that writes one predictions/1 artifact, such as lowbit.generate");
  }
  return out;
}

/// Why item by item is no comparison, if it is none.
Result<void> comparable(const Sorted& a, const Sorted& b) {
  Diagnostic problem =
      error("LB7025", "`" + a.from->label + "` and `" + b.from->label + "` cannot be compared item by item");
  const auto by_item = [](const ItemAnswer* x, const ItemAnswer* y) { return x->item_id < y->item_id; };
  std::vector<const ItemAnswer*> alone;
  std::set_symmetric_difference(a.answers.begin(), a.answers.end(), b.answers.begin(), b.answers.end(),
                                std::back_inserter(alone), by_item);
  if (!alone.empty()) {
    problem.note("they answer " + std::to_string(a.answers.size()) + " and " + std::to_string(b.answers.size()) +
                 " items, and " + std::to_string(alone.size()) + " of these stand in one of them only: `" +
                 alone.front()->item_id + "`" + (alone.size() > 1 ? ", ..." : ""));
    return problem.fix("give both stages the same task");
  }
  for (std::size_t i = 0; i < a.answers.size(); ++i) {
    if (a.answers[i]->prompt_sha == b.answers[i]->prompt_sha) continue;
    problem.note("item `" + a.answers[i]->item_id + "` was asked with different prompts");
    return problem.fix("give both stages the same task and the same prompt");
  }
  return {};
}

using Clusters = std::map<std::string, Cluster>;

void add(Clusters& clusters, const ItemAnswer& item, double score) {
  Cluster& cluster = clusters[item.problem_id.empty() ? item.item_id : item.problem_id];
  cluster.sum += score;
  cluster.count += 1;
}

std::vector<Cluster> values_of(const Clusters& clusters) {
  std::vector<Cluster> values;
  values.reserve(clusters.size());
  for (const auto& [problem, cluster] : clusters) values.push_back(cluster);
  return values;
}

double score(const ItemAnswer& answer) { return answer.correct == true ? 1 : 0; }

using Pairs = std::vector<std::pair<const SeedAnswers*, const SeedAnswers*>>;

Result<Pairs> pair_by_seed(const std::vector<SeedAnswers>& a, const std::vector<SeedAnswers>& b) {
  Pairs pairs;
  const bool one_a = a.size() == 1 && !a.front().seed;
  const bool one_b = b.size() == 1 && !b.front().seed;
  for (const SeedAnswers& x : a) {
    for (const SeedAnswers& y : b) {
      if (one_a || one_b || x.seed == y.seed) pairs.emplace_back(&x, &y);
    }
  }
  if (pairs.size() == std::max(a.size(), b.size())) return pairs;
  return error("LB7025", "`" + a.front().label + "` and `" + b.front().label + "` cannot be compared seed by seed")
      .note("they were not measured with the same seeds")
      .fix("compare rows of one experiment with the same seeds");
}

}  // namespace

Result<Accuracy> accuracy_of(const std::vector<SeedAnswers>& results) {
  Accuracy out;
  Clusters clusters;
  std::vector<double> shares;
  LB_TRY_ASSIGN(const Sorted first, sorted(results.front()));
  out.n_items = first.answers.size();
  for (const SeedAnswers& result : results) {
    LB_TRY_ASSIGN(const Sorted one, sorted(result));
    LB_TRY(comparable(first, one));
    double right = 0;
    for (const ItemAnswer* answer : one.answers) {
      add(clusters, *answer, score(*answer));
      right += score(*answer);
      out.n_ungraded += answer->correct ? 0U : 1U;
    }
    shares.push_back(right / static_cast<double>(out.n_items));
  }
  out.mean = clustered_mean(values_of(clusters));
  out.deviation = sample_deviation(shares);
  out.interval = share_interval(out.mean);
  return out;
}

Result<Difference> paired_difference(const std::vector<SeedAnswers>& a, const std::vector<SeedAnswers>& b,
                                     DifferenceInterval interval) {
  Difference out;
  Clusters clusters;
  LB_TRY_ASSIGN(const Pairs pairs, pair_by_seed(a, b));
  for (const auto& [x, y] : pairs) {
    LB_TRY_ASSIGN(const Sorted one, sorted(*x));
    LB_TRY_ASSIGN(const Sorted other, sorted(*y));
    LB_TRY(comparable(one, other));
    out.n_items = one.answers.size();
    for (std::size_t i = 0; i < one.answers.size(); ++i) {
      add(clusters, *one.answers[i], score(*one.answers[i]) - score(*other.answers[i]));
    }
  }
  const std::vector<Cluster> problems = values_of(clusters);
  out.mean = clustered_mean(problems);
  out.interval = interval == DifferenceInterval::bootstrap ? bootstrap_interval(problems) : normal_interval(out.mean);
  std::vector<double> sums;
  sums.reserve(problems.size());
  for (const Cluster& problem : problems) sums.push_back(problem.sum);
  out.p_value = paired_permutation(sums);
  out.mcnemar = std::all_of(problems.begin(), problems.end(), [](const Cluster& c) { return c.count == 1; });
  return out;
}

}  // namespace lowbit::report
