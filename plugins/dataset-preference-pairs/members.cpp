#include "members.h"

#include <set>

#include "tasks/item_index.h"

namespace lowbit::pairs {
namespace {

using Json = nlohmann::json;
using verdicts::Status;

std::string name_of(const Member& member) {
  return member.coordinates.empty() ? "the only model" : member.coordinates.dump();
}

/// Calls use(member, input) with the one input of `port` that belongs to each member.
template <class Use>
void for_each_match(const Job& job, const std::string& port, std::vector<Member>& members, const Use& use) {
  const std::vector<Input> inputs = job.inputs(port);
  if (inputs.empty()) return;
  for (Member& member : members) {
    const Input* found = nullptr;
    std::size_t n = 0;
    for (const Input& input : inputs) {
      if (!agree(input.coordinates, member.coordinates)) continue;
      found = &input;
      ++n;
    }
    if (n != 1) {
      throw StageError(LB_BAD_INPUT, {.what = "`" + port + "` do not belong to the predictions one by one",
                                      .where = "predictions of " + name_of(member),
                                      .why = std::to_string(n) + " of " + std::to_string(inputs.size()) +
                                             " bound have coordinates that agree with theirs",
                                      .fix = "gather `" + port + "` over the same axes as the predictions"});
    }
    use(member, *found);
  }
}

[[noreturn]] void misfit(const std::string& port, const Member& member, const std::string& item,
                         const std::string& why) {
  throw StageError(LB_BAD_INPUT, {.what = "`" + port + "` are not about these predictions",
                                  .where = "predictions of " + name_of(member) + ", item " + item,
                                  .why = why,
                                  .fix = "bind `" + port + "` to what was made from these very predictions"});
}

void expect_step(const std::string& port, const Member& member, const std::string& item,
                 const std::optional<std::size_t>& step) {
  const std::size_t n_steps = member.by_item.at(item).n_steps;
  if (step.value_or(0) <= n_steps) return;
  misfit(port, member, item, "step " + std::to_string(*step) + " of " + std::to_string(n_steps) + " is named");
}

void apply_grade(const Json& row, const std::string& port, Member& member) {
  const auto id = row.at("item_id").get<std::string>();
  const auto found = member.by_item.find(id);
  if (found == member.by_item.end()) misfit(port, member, id, "there is no prediction of that item");
  Prediction& prediction = found->second;
  if (optional_of<bool>(row.at("graded")) != prediction.correct) {
    misfit(port, member, id, "the grade was made from another one than the prediction has");
  }
  expect_step(port, member, id, optional_of<std::size_t>(row.at("first_error_step")));
  prediction.correct = optional_of<bool>(row.at("correct"));
  prediction.judged.category = optional_of<std::string>(row.at("category"));
  prediction.judged.type = optional_of<std::string>(row.at("type"));
  prediction.judged.first_error_step = optional_of<std::size_t>(row.at("first_error_step"));
  const bool named = prediction.judged.category || prediction.judged.type;
  if (named) prediction.status = Status::error;
  if (row.at("source") != "human") return;
  // The last word: no vote fills in what a person left open, and none is as sure.
  prediction.by_person = true;
  prediction.judged.agreement = 1;
  if (!named) prediction.status = prediction.correct == true ? Status::no_error : Status::undetermined;
}

void apply_verdict(const verdicts::Verdict& verdict, Prediction& prediction) {
  if (prediction.by_person) return;
  const verdicts::Finding& finding = verdict.finding;
  const bool named = prediction.status == Status::error;  // by a grade
  if (named && prediction.judged.type != finding.type) return;
  prediction.status = finding.status;
  prediction.judged.confidence = finding.confidence;
  if (verdict.judge == "vote") prediction.judged.agreement = finding.confidence;
  if (named) {
    prediction.status = Status::error;
    return;
  }
  prediction.judged.category = finding.category;
  prediction.judged.type = finding.type;
  prediction.judged.first_error_step = finding.first_error_step;
}

}  // namespace

bool agree(const Json& a, const Json& b) {
  for (const auto& [axis, value] : a.items()) {
    if (b.contains(axis) && b[axis] != value) return false;
  }
  return true;
}

std::vector<Member> read_members(const Job& job, const std::string& port, const PromptShas& prompt_shas) {
  std::vector<Member> members;
  for (const Input& input : job.inputs(port)) {
    Member& member = members.emplace_back(Member{.coordinates = input.coordinates, .by_item = {}});
    const auto file = input.path / "predictions.jsonl";
    for_each_json_line(file, [&](const Json& row, std::size_t line) {
      const auto id = row.at("item_id").get<std::string>();
      const auto prompt = prompt_shas.find(id);
      if (prompt == prompt_shas.end() || prompt->second != row.at("prompt_sha")) {
        if (prompt == prompt_shas.end() && prompt_shas.contains(tasks::sampled_item(id))) {
          throw StageError(LB_BAD_INPUT, {.what = "several answers to an item make no pair",
                                          .where = file.string() + ":" + std::to_string(line),
                                          .why = id + " is one of several samples",
                                          .fix = "bind `" + port + "` to predictions with one answer to each item"});
        }
        throw StageError(LB_BAD_INPUT,
                         {.what = "the predictions are not about this task",
                          .where = file.string() + ":" + std::to_string(line),
                          .why = prompt == prompt_shas.end() ? "the task has no item " + id
                                                             : "the model was given another prompt for item " + id,
                          .fix = "bind `" + port + "` to predictions on the task of this stage"});
      }
      member.by_item.emplace(id, Prediction{.text = row.at("text").get<std::string>(),
                                            .correct = optional_of<bool>(row.at("correct")),
                                            .truncated = row.at("truncated").get<bool>(),
                                            .format_kept = row.value("format_kept", Json()) == true,
                                            .n_steps = row.at("steps").size(),
                                            .by_person = false,
                                            .status = {},
                                            .judged = {}});
    });
  }
  return members;
}

void apply_grades(const Job& job, const std::string& port, std::vector<Member>& members) {
  for_each_match(job, port, members, [&](Member& member, const Input& input) {
    for_each_json_line(input.path / "grades.jsonl",
                       [&](const Json& row, std::size_t) { apply_grade(row, port, member); });
  });
}

void apply_verdicts(const Job& job, const std::string& port, std::vector<Member>& members) {
  for_each_match(job, port, members, [&](Member& member, const Input& input) {
    std::set<std::string> seen;
    for (const verdicts::Verdict& verdict : verdicts::read_verdicts(input.path)) {
      const auto found = member.by_item.find(verdict.item_id);
      if (found == member.by_item.end()) misfit(port, member, verdict.item_id, "there is no prediction of that item");
      if (!seen.insert(verdict.item_id).second) {
        misfit(port, member, verdict.item_id,
               "it has several verdicts, and one has to count: run lowbit.majority-vote");
      }
      expect_step(port, member, verdict.item_id, verdict.finding.first_error_step);
      apply_verdict(verdict, found->second);
    }
  });
}

}  // namespace lowbit::pairs
