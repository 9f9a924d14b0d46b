#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <set>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/review_queues.h"
#include "cli/review_session.h"
#include "cli/session.h"
#include "report/text_table.h"
#include "store/project_facts.h"
#include "store/review_ledger.h"

namespace lowbit::cli {
namespace {

Diagnostic no_queue(const std::string& experiment) {
  return error("LB0044", experiment.empty() ? "there is nothing to review in this project"
                                            : "there is nothing to review in experiment `" + experiment + "`")
      .note("no result of a lowbit.review-queue stage is there")
      .fix("add such a stage behind the vote and run the experiment: docs/judging.md");
}

/// What nobody has decided, in an order that says nothing of why a case is there; each case once.
std::vector<OpenCase> open_cases(const std::vector<ReviewQueue>& queues, const store::Decided& decided) {
  std::vector<OpenCase> open;
  std::set<std::string> seen;
  for (const ReviewQueue& queue : queues) {
    for (const ReviewCase& one : queue.cases) {
      if (decided.by_case.contains(one.case_id) || !seen.insert(one.case_id).second) continue;
      open.push_back({.subject = &one, .types = &error_types(queue.taxonomy)});
    }
  }
  std::sort(open.begin(), open.end(),
            [](const OpenCase& a, const OpenCase& b) { return a.subject->case_id < b.subject->case_id; });
  return open;
}

Json queues_json(const std::vector<ReviewQueue>& queues, const store::Decided& decided) {
  Json rows = Json::array();
  for (const ReviewQueue& queue : queues) {
    const auto count = [&](const auto& holds) {
      return static_cast<std::size_t>(std::count_if(queue.cases.begin(), queue.cases.end(), holds));
    };
    const std::size_t n_decided = count([&](const ReviewCase& one) { return decided.by_case.contains(one.case_id); });
    rows.push_back({{"experiment", queue.experiment},
                    {"queue", queue.label},
                    {"cases", queue.cases.size()},
                    {"decided", n_decided},
                    {"open", queue.cases.size() - n_decided},
                    {"audit", count([](const ReviewCase& one) { return one.audited; })}});
  }
  return rows;
}

void list_queues(const std::vector<ReviewQueue>& queues, const store::Decided& decided, bool as_json) {
  const Json rows = queues_json(queues, decided);
  if (as_json) return print_json(rows);
  report::TextGrid grid{.header = {"experiment", "queue", "cases", "decided", "open", "audit"},
                        .rows = {},
                        .right = {false, false, true, true, true, true}};
  for (const Json& row : rows) {
    std::vector<std::string> cells{printable(row["experiment"].get<std::string>()),
                                   printable(row["queue"].get<std::string>())};
    for (const char* name : {"cases", "decided", "open", "audit"}) cells.push_back(row[name].dump());
    grid.rows.push_back(std::move(cells));
  }
  std::fputs(report::aligned(grid).c_str(), stdout);
}

bool is_snapshot_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.front() != '.' && name != "ledger.jsonl" && std::all_of(name.begin(), name.end(), fits);
}

Result<int> freeze(const store::ReviewLedger& ledger, const std::string& name) {
  LB_TRY_ASSIGN(const store::Decided decided, ledger.read());
  warn_of_lines(ledger, decided);
  if (!is_snapshot_name(name)) {
    return error("LB0045", "`" + name + "` is no name for frozen decisions")
        .note("it becomes a directory below reviews: letters, digits, `-`, `_` and `.`")
        .fix("`lowbit review --freeze final`, for one");
  }
  LB_TRY_ASSIGN(const std::size_t n, ledger.freeze(name));
  std::printf("%zu decision%s frozen in reviews/%s\n", n, n == 1 ? "" : "s", name.c_str());
  std::printf("experiments read them as an input: {type: decisions/1, path: reviews/%s}\n", name.c_str());
  return 0;
}

std::string person() {
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "unknown" : user;
}

}  // namespace

Result<int> review_command(const Words& words) {
  CommandOptions options("review");
  options.argument("experiment", "only its queues; without it all of the project", false)
      .text("freeze", "write what was decided to reviews/NAME, for experiments to read")
      .flag("list", "how many cases there are, and how many are open")
      .text("reviewer", "who decides (default: the user's name)")
      .flag("json", "with --list: one JSON array")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  const store::ReviewLedger ledger(project.root / "reviews");
  if (options.has("freeze")) {
    for (const char* other : {"experiment", "list", "json", "reviewer"}) {
      if (!options.has(other)) continue;
      return error("LB0001",
                   "`lowbit review --freeze` takes all decisions of the project, and no " + std::string(other))
          .fix("leave it out");
    }
    return freeze(ledger, options.get("freeze"));
  }
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const std::vector<ReviewQueue> queues, review_queues(project, facts, options.get("experiment")));
  if (queues.empty()) return no_queue(options.get("experiment"));
  LB_TRY_ASSIGN(const store::Decided decided, ledger.read());
  warn_of_lines(ledger, decided);
  if (options.has("list") || options.has("json")) {
    list_queues(queues, decided, options.has("json"));
    return 0;
  }
  const std::vector<OpenCase> open = open_cases(queues, decided);
  if (open.empty()) {
    std::printf("all cases are decided; `lowbit review --freeze NAME` makes the decisions count\n");
    return 0;
  }
  LB_TRY(ledger.expect_writable());
  ReviewSession session(
      std::cin, std::cout, options.get("reviewer", person()),
      [&](Decision& decision) { return ledger.append(decision); },
      [&](const std::string& case_id) -> Result<bool> {
        LB_TRY_ASSIGN(const store::Decided by_now, ledger.read());
        return by_now.by_case.contains(case_id);
      });
  LB_TRY_ASSIGN(const std::size_t n, session.decide(open));
  std::cout << std::flush;
  std::printf("\n%zu decided, %zu left; `lowbit review --freeze NAME` makes the decisions count\n", n, open.size() - n);
  return 0;
}

}  // namespace lowbit::cli
