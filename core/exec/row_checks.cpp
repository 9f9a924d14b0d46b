#include <string>
#include <string_view>
#include <unordered_set>

#include "domain/review.h"
#include "exec/artifact_check_parts.h"

namespace lowbit::exec {
namespace {

Json category_of(const std::string& type) {
  const NamedType* const known = find_error_type(type);
  return known == nullptr || known->category.empty() ? Json() : Json(known->category);
}

/// A type stands in its own category; a category may stand without a type.
void check_category(const Json& record, const std::string& place, Problems& problems) {
  const Json& type = record["type"];
  if (type.is_null()) return;
  const Json category = category_of(type.get<std::string>());
  if (record["category"] != category) {
    problems.add(place, "`category` must be " + (category.is_null() ? "null" : category.get<std::string>()) +
                            " for type " + type.get<std::string>() + ", found " + brief(record["category"]));
  }
}

bool names_no_error(const Json& record) {
  return record["type"].is_null() && record["category"].is_null() && record["first_error_step"].is_null();
}

/// An error has a name, and nothing else has one: of verdicts and decisions.
void check_named_error(const Json& record, const std::string& place, Problems& problems) {
  check_category(record, place, problems);
  if (record["status"] != "error" && !names_no_error(record)) {
    problems.add(place, "`first_error_step`, `category` and `type` must be null with status " +
                            record["status"].get<std::string>());
  }
  if (record["status"] == "error" && record["type"].is_null() && record["category"].is_null()) {
    problems.add(place, "`type` or `category` must name the error with status error");
  }
}

/// Says no when `id` was there before.
class Unique {
 public:
  void check(const std::string& id, std::string_view what, const std::string& place, Problems& problems) {
    if (!seen_.insert(id).second) problems.add(place, std::string(what) + " " + brief(id) + " was there before");
  }

 private:
  std::unordered_set<std::string> seen_;
};

void require_lines(std::size_t lines, const std::string& name, Problems& problems) {
  if (lines == 0 && problems.empty()) problems.add(name, "has no lines; at least one is needed");
}

store::ItemRow item_row(Json&& record) {
  std::string item_id = record["item_id"];
  record.erase("item_id");
  return {.item_id = std::move(item_id), .fields = std::move(record)};
}

/// Words separated by single spaces.
std::string normalised(const std::string& text) {
  std::string out;
  bool space = false;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

void check_item(const Json& task, const Json& item, const std::string& place, Problems& problems) {
  const std::string kind = task["kind"];
  if (kind == "choose") {
    if (item["choices"].is_null() || item["answer_index"].is_null()) {
      problems.add(place, "`choices` and `answer_index` must not be null in a choose task");
    } else if (item["answer_index"].get<std::uint64_t>() >= item["choices"].size()) {
      problems.add(place, "`answer_index` is " + brief(item["answer_index"]) + ", but there are " +
                              std::to_string(item["choices"].size()) + " choices");
    }
  }
  if (kind == "likelihood" && (item["solution"].is_null() || item["solution"].get_ref<const std::string&>().empty())) {
    problems.add(place, "`solution` must hold the text to score in a likelihood task");
  }
  if (kind == "generate" && !task["grader"].is_null() && item["answer"].is_null()) {
    problems.add(place, "`answer` must not be null in a graded task");
  }
}

}  // namespace

void check_task(Checking& c) {
  const auto task = read_record(c.path, "task.json", "task-1.task", c.problems);
  if (!task) return;
  Unique ids;
  const std::size_t lines =
      for_each_record(c.path, "items.jsonl", "task-1.items", c.problems, [&](Json&& item, const std::string& place) {
        ids.check(item["item_id"], "item_id", place, c.problems);
        check_item(*task, item, place, c.problems);
      });
  if (c.problems.empty() && lines != (*task)["n_items"].get<std::uint64_t>()) {
    c.problems.add("task.json", "`n_items` is " + brief((*task)["n_items"]) + ", but items.jsonl has " +
                                    std::to_string(lines) + " lines");
  }
  c.out.summary = {{"name", (*task)["name"]}, {"kind", (*task)["kind"]}, {"items", lines}};
}

void check_sft_pairs(Checking& c) {
  Unique ids;
  const std::size_t lines = for_each_record(
      c.path, "pairs.jsonl", "sft-pairs-1.pairs", c.problems,
      [&](Json&& pair, const std::string& place) { ids.check(pair["item_id"], "item_id", place, c.problems); });
  require_lines(lines, "pairs.jsonl", c.problems);
  c.out.summary = {{"pairs", lines}};
}

void check_preference_pairs(Checking& c) {
  Unique ids;
  const std::size_t lines = for_each_record(c.path, "pairs.jsonl", "preference-pairs-1.pairs", c.problems,
                                            [&](Json&& pair, const std::string& place) {
                                              ids.check(pair["item_id"], "item_id", place, c.problems);
                                              check_category(pair, place, c.problems);
                                              if (normalised(pair["chosen"]) == normalised(pair["rejected"])) {
                                                c.problems.add(place, "`chosen` and `rejected` are the same text");
                                              }
                                            });
  require_lines(lines, "pairs.jsonl", c.problems);
  c.out.summary = {{"pairs", lines}};
}

void check_predictions(Checking& c) {
  Unique ids;
  std::size_t graded = 0;
  std::size_t correct = 0;
  const std::size_t lines = for_each_record(c.path, "predictions.jsonl", "predictions-1.predictions", c.problems,
                                            [&](Json&& prediction, const std::string& place) {
                                              ids.check(prediction["item_id"], "item_id", place, c.problems);
                                              graded += prediction["correct"].is_null() ? 0U : 1U;
                                              correct += prediction["correct"] == true ? 1U : 0U;
                                              c.out.items.push_back(item_row(std::move(prediction)));
                                            });
  require_lines(lines, "predictions.jsonl", c.problems);
  c.out.summary = {{"items", lines}, {"graded", graded}, {"correct", correct}};
}

void check_verdicts(Checking& c) {
  Unique ids;
  std::size_t errors = 0;
  const std::size_t lines = for_each_record(
      c.path, "verdicts.jsonl", "verdicts-1.verdicts", c.problems, [&](Json&& verdict, const std::string& place) {
        const std::string judge = verdict["judge"];
        const std::string item = verdict["item_id"];
        ids.check(judge + "/" + item, "the verdict of judge/item", place, c.problems);
        check_named_error(verdict, place, c.problems);
        errors += verdict["status"] == "error" ? 1U : 0U;
        c.out.items.push_back(item_row(std::move(verdict)));
      });
  c.out.summary = {{"verdicts", lines}, {"errors", errors}};
}

void check_grades(Checking& c) {
  Unique ids;
  std::size_t correct = 0;
  const std::size_t lines = for_each_record(
      c.path, "grades.jsonl", "grades-1.grades", c.problems, [&](Json&& grade, const std::string& place) {
        ids.check(grade["item_id"], "item_id", place, c.problems);
        check_category(grade, place, c.problems);
        if ((grade["source"] == "human") == grade["decision_id"].is_null()) {
          c.problems.add(place, "`decision_id` must be given for source human and null otherwise");
        }
        if (grade["source"] == "prediction" && grade["correct"] != grade["graded"]) {
          c.problems.add(place, "`correct` differs from `graded`, so `source` cannot be prediction");
        }
        if (grade["correct"] == true && !names_no_error(grade)) {
          c.problems.add(place, "`first_error_step`, `category` and `type` must be null for a correct answer");
        }
        correct += grade["correct"] == true ? 1U : 0U;
        c.out.items.push_back(item_row(std::move(grade)));
      });
  require_lines(lines, "grades.jsonl", c.problems);
  c.out.summary = {{"items", lines}, {"correct", correct}};
}

void check_review_queue(Checking& c) {
  const auto header = read_record(c.path, "review.json", "review-queue-1.review", c.problems);
  if (!header) return;
  Unique ids;
  std::size_t audited = 0;
  const std::size_t lines = for_each_record(c.path, "queue.jsonl", "review-queue-1.queue", c.problems,
                                            [&](Json&& one, const std::string& place) {
                                              ids.check(one["case"], "case", place, c.problems);
                                              audited += one["audited"] == true ? 1U : 0U;
                                            });
  const auto expect = [&](const char* name, std::size_t found) {
    if (!c.problems.empty() || (*header)[name].get<std::uint64_t>() == found) return;
    c.problems.add("review.json", "`" + std::string(name) + "` is " + brief((*header)[name]) +
                                      ", but queue.jsonl has " + std::to_string(found));
  };
  expect("n_queued", lines);
  expect("n_audited", audited);
  c.out.summary = {{"cases", lines}, {"audited", audited}, {"judged", (*header)["n_judged"]}};
}

void check_decisions(Checking& c) {
  Unique ids;
  std::size_t errors = 0;
  const std::size_t lines = for_each_record(c.path, "decisions.jsonl", "decisions-1.decisions", c.problems,
                                            [&](Json&& decision, const std::string& place) {
                                              ids.check(decision["case"], "case", place, c.problems);
                                              check_named_error(decision, place, c.problems);
                                              errors += decision["status"] == "error" ? 1U : 0U;
                                            });
  c.out.summary = {{"decisions", lines}, {"errors", errors}};
}

void check_api_calls(Checking& c) {
  Unique ids;
  double cost = 0;
  bool priced = true;
  const std::size_t lines = for_each_record(
      c.path, "calls.jsonl", "api-calls-1.calls", c.problems, [&](Json&& call, const std::string& place) {
        ids.check(call["call_id"], "call_id", place, c.problems);
        if (call["outcome"] == "ok" && call["response_sha"].is_null()) {
          c.problems.add(place, "`response_sha` must not be null with outcome ok");
        }
        priced = priced && !call["cost_usd"].is_null();
        if (!call["cost_usd"].is_null()) cost += call["cost_usd"].get<double>();
      });
  c.out.summary = {{"calls", lines}, {"cost_usd", priced ? Json(cost) : Json(nullptr)}};
}

void check_rubric(Checking& c) {
  if (const auto rubric = read_record(c.path, "rubric.json", "rubric-1.rubric", c.problems)) {
    c.out.summary = {{"name", (*rubric)["name"]}, {"taxonomy", (*rubric)["taxonomy"]}};
  }
}

void check_report(Checking& c) {
  const auto report = read_record(c.path, "report.json", "report-1.report", c.problems);
  if (!report) return;
  std::string worst = "pass";
  for (const Json& finding : (*report)["findings"]) {
    if (worst != "fail") worst = finding["severity"];
  }
  if ((*report)["outcome"] != worst) {
    c.problems.add("report.json",
                   "`outcome` must be " + worst + " with these findings, found " + brief((*report)["outcome"]));
  }
  c.out.summary = {{"kind", (*report)["kind"]}, {"outcome", worst}, {"findings", (*report)["findings"].size()}};
}

}  // namespace lowbit::exec
