// dataset-contamination: lets a task pass when none of its problems stands in the others. The method is
// overlap/overlap.h.
#include <lowbit/sdk.hpp>

#include <array>
#include <filesystem>
#include <set>

#include "lm/json_file.h"
#include "overlap/overlap.h"
#include "tasks/task.h"

using namespace lowbit;

namespace {

constexpr double kWarnAt = 0.5;
constexpr double kFailAt = 0.8;

struct Params {
  std::string ngram = "fail";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::ngram, "ngram")
            .one_of("fail", "warn", "off")
            .doc("what it means that 80 % of a problem's runs of 13 words stand in another: an error, a warning (for "
                 "problems from templates), or nothing, and it is not looked for"));
  }
};

std::vector<overlap::Text> texts_of(const tasks::Task& task) {
  std::vector<overlap::Text> texts;
  for (const tasks::Item& item : task.items) texts.push_back({item.item_id, item.problem_id, item.problem});
  return texts;
}

const char* name_of(overlap::Rule rule) {
  constexpr std::array<const char*, 3> kNames{"exact_text", "problem_id", "ngram_13"};
  return kNames[static_cast<std::size_t>(rule)];
}

/// What the comparisons found; a subject is counted once for each rule, however many sets hold it.
struct Findings {
  nlohmann::json list = nlohmann::json::array();
  std::array<std::set<std::string>, 3> failed;  ///< item ids by rule
  std::set<std::string> warned;
  std::set<std::string> offenders;
  std::string examples;  ///< the first few, for the error

  void add(const overlap::Match& match, const std::string& subject, const std::string& subject_set,
           const std::string& other, bool fails) {
    const bool run = match.rule == overlap::Rule::run;
    list.push_back({{"rule", name_of(match.rule)},
                    {"severity", fails ? "fail" : "warn"},
                    {"subject", subject_set + ":" + subject},
                    {"other", other},
                    {"overlap", run ? nlohmann::json(match.overlap) : nlohmann::json()}});
    if (!fails) {
      warned.insert(subject);
      return;
    }
    failed[static_cast<std::size_t>(match.rule)].insert(subject);
    constexpr std::size_t kExamples = 5;
    if (offenders.insert(subject).second && offenders.size() <= kExamples) {
      examples += (examples.empty() ? "" : ", ") + subject + " (in " + other + ", " + name_of(match.rule) + ")";
    }
  }
  [[nodiscard]] std::size_t n_failed(overlap::Rule rule) const { return failed[static_cast<std::size_t>(rule)].size(); }
};

void write_report(const Job& job, const Findings& findings, std::size_t n_items, std::size_t n_others) {
  using overlap::Rule;
  lm::write_json_file(job.output("report") / "report.json", {{"kind", "contamination"},
                                                             {"outcome", findings.warned.empty() ? "pass" : "warn"},
                                                             {"counts",
                                                              {{"items", n_items},
                                                               {"others", n_others},
                                                               {"exact_text", findings.n_failed(Rule::exact_text)},
                                                               {"problem_id", findings.n_failed(Rule::problem_id)},
                                                               {"ngram_13", findings.n_failed(Rule::run)},
                                                               {"warnings", findings.warned.size()}}},
                                                             {"findings", findings.list}});
}

void check_task(const Job& job, const Params& params) {
  const std::filesystem::path source = job.input("task").path;
  const tasks::Task task = tasks::read_task(source);
  const overlap::Subjects subjects(texts_of(task));
  const auto others = job.inputs("others");
  Findings findings;
  std::size_t n_others = 0;
  for (std::size_t i = 0; i < others.size(); ++i) {
    job.tick(i, others.size(), "sets");
    const tasks::Task other = tasks::read_task(others[i].path);
    const auto texts = texts_of(other);
    n_others += other.items.size();
    for (const auto& match : subjects.matches(texts, params.ngram == "off" ? 2.0 : kWarnAt)) {
      const bool fails = match.rule != overlap::Rule::run || (params.ngram == "fail" && match.overlap >= kFailAt);
      findings.add(match, task.items[match.subject].item_id, task.name, other.name + ":" + texts[match.other].item_id,
                   fails);
    }
  }
  if (!findings.offenders.empty()) {
    throw StageError(
        LB_BAD_INPUT,
        {.what = "the task is contaminated",
         .where = "task " + task.name,
         .why = std::to_string(findings.offenders.size()) + " of its " + std::to_string(task.items.size()) +
                " problems stand in another set: " + findings.examples + (findings.offenders.size() > 5 ? ", ..." : ""),
         .fix =
             findings.n_failed(overlap::Rule::exact_text) + findings.n_failed(overlap::Rule::problem_id) > 0
                 ? "take these problems out of one of the sets"
                 : "take these problems out of one of the sets, or set `ngram: warn` when they come from templates"});
  }
  std::filesystem::copy(source, job.output("task"),
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  write_report(job, findings, task.items.size(), n_others);
  job.metric("contamination/n_compared", static_cast<double>(task.items.size()), "items");
  job.metric("contamination/exact_text", 0, "items");
  job.metric("contamination/problem_id", 0, "items");
  job.metric("contamination/ngram_13", 0, "items");
  job.metric("contamination/warnings", static_cast<double>(findings.warned.size()), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER, Stage("lowbit.contamination", LB_DATASET)
                                   .version("1")
                                   .summary("Fails when a problem of the task also stands in one of the others.")
                                   .input("task", "task/1", "the problems that must be new")
                                   .input("others", "task/1", "what was or will be trained and tuned on", LB_PORT_MANY)
                                   .output("task", "task/1", "the same task, byte for byte")
                                   .output("report", "report/1", "what was compared and found")
                                   .run<check_task>())
