#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/review_queues.h"
#include "cli/session.h"
#include "report/agreement.h"
#include "report/agreement_page.h"
#include "store/project_facts.h"
#include "store/review_ledger.h"

namespace lowbit::cli {
namespace {

Result<report::Level> level_of(const CommandOptions& options) {
  const std::string name = options.get("level", "type");
  if (name == "type") return report::Level::type;
  if (name == "category") return report::Level::category;
  return error("LB0001", "`lowbit agreement` has no level `" + name + "`").fix("use type or category");
}

/// The one that is named, else the only one of the project.
Result<std::string> experiment_of(const CommandOptions& options, store::ProjectFacts& facts) {
  LB_TRY_ASSIGN(const std::vector<std::string> names, facts.names(store::Named::experiments));
  const std::string name = options.get("experiment");
  if (name.empty() && names.size() == 1) return names.front();
  if (!name.empty() && std::find(names.begin(), names.end(), name) != names.end()) return name;
  Diagnostic problem = error(
      "LB7030", name.empty() ? "agreement in which experiment" : "no experiment " + ticked(name) + " was run here");
  constexpr std::size_t kListed = 8;
  problem.note(names.empty() ? "this project has no experiments" : "the project has " + listed(names, kListed));
  if (const std::string near = nearest(name, names); !near.empty()) {
    problem.note("one with a similar name exists: " + near);
  }
  return problem.fix(names.empty() ? "`lowbit run FILE` runs one"
                                   : "`lowbit agreement " + shell_word(names.front()) + "`; `lowbit ls` lists them");
}

struct HumanDecisions {
  std::vector<Judgement> judgements;  ///< by kHumanJudge
  std::size_t n_open_audit = 0;       ///< cases drawn at random that nobody has decided
};

/// What people decided on cases of the experiment's queues.
Result<HumanDecisions> human_decisions(const exec::ProjectPaths& project, store::ProjectFacts& facts,
                                       const std::string& experiment) {
  LB_TRY_ASSIGN(const std::vector<ReviewQueue> queues, review_queues(project, facts, experiment));
  const store::ReviewLedger ledger(project.root / "reviews");
  LB_TRY_ASSIGN(const store::Decided decided, ledger.read());
  if (!queues.empty()) warn_of_lines(ledger, decided);
  std::map<std::pair<std::string, std::string>, Judgement> by_case;  // predictions and item: a case may be queued twice
  std::set<std::string> open;
  for (const ReviewQueue& queue : queues) {
    for (const ReviewCase& one : queue.cases) {
      const auto found = decided.by_case.find(one.case_id);
      if (found == decided.by_case.end()) {
        if (one.audited) open.insert(one.case_id);
        continue;
      }
      const Decision& decision = found->second;
      Judgement& judgement = by_case[{queue.predictions, one.item_id}];
      judgement.audited = judgement.audited || one.audited;
      judgement.predictions = queue.predictions;
      judgement.item_id = one.item_id;
      judgement.judge = kHumanJudge;
      judgement.status = decision.status;
      judgement.category = decision.category;
      judgement.type = decision.type;
      if (decision.first_error_step) judgement.first_error_step = static_cast<std::int64_t>(*decision.first_error_step);
    }
  }
  HumanDecisions decisions{.judgements = {}, .n_open_audit = open.size()};
  for (auto& [id, judgement] : by_case) decisions.judgements.push_back(std::move(judgement));
  return decisions;
}

Result<std::vector<Judgement>> judgements_of(store::ProjectFacts& facts, const std::string& experiment) {
  LB_TRY_ASSIGN(std::vector<Judgement> judgements, facts.judgements(experiment));
  if (judgements.empty()) {
    return error("LB7031", "no judge has said anything in `" + experiment + "`")
        .note("none of the results that its last expansion leads to holds verdicts on predictions")
        .fix("add a judge (docs/judging.md) and run it; `lowbit status` tells how far it is");
  }
  return judgements;
}

Result<void> expect_judge(const std::string& baseline, const std::vector<Judgement>& judgements) {
  const std::vector<std::string> judges = report::judges_of(judgements);
  if (baseline.empty() || std::find(judges.begin(), judges.end(), baseline) != judges.end()) return {};
  Diagnostic problem = error("LB7032", "the baseline " + ticked(baseline) + " is none of the judges");
  constexpr std::size_t kListed = 12;
  problem.note(judges.empty() ? "there is a vote only" : "they are " + listed(judges, kListed));
  if (const std::string near = nearest(baseline, judges); !near.empty()) {
    problem.note("one with a similar name exists: " + near);
  }
  return problem.fix("name one of them, or leave --baseline out to compare every judge with every other");
}

}  // namespace

Result<int> agreement_command(const Words& words) {
  CommandOptions options("agreement");
  options.argument("experiment", "whose judges (default: the only experiment of the project)", false)
      .text("baseline", "the judge that the others are compared with (default: each with every other)")
      .text("level", "what two judges agree on: type (default) or category")
      .flag("json", "one JSON object")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const report::Level level, level_of(options));
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::string experiment, experiment_of(options, facts));
  LB_TRY_ASSIGN(std::vector<Judgement> judgements, judgements_of(facts, experiment));
  LB_TRY_ASSIGN(const HumanDecisions people, human_decisions(project, facts, experiment));
  judgements.insert(judgements.end(), people.judgements.begin(), people.judgements.end());
  const report::AgreementRequest request{
      .level = level, .baseline = options.get("baseline"), .n_open_audit = people.n_open_audit};
  LB_TRY(expect_judge(request.baseline, judgements));
  const report::Agreement agreement = report::agreement_of(judgements, request);
  if (options.has("json")) {
    print_json(report::agreement_document(agreement, experiment));
  } else {
    std::fputs(report::agreement_page(agreement, experiment).c_str(), stdout);
  }
  return 0;
}

}  // namespace lowbit::cli
