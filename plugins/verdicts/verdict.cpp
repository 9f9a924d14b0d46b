#include "verdicts/verdict.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lm/digest.h"

namespace lowbit::verdicts {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 6> kStatus{"error",   "no_error", "undetermined",
                                                  "invalid", "conflict", "insufficient"};

Status status_named(const std::string& name) {
  const auto found = std::find(kStatus.begin(), kStatus.end(), name);
  return found == kStatus.end() ? Status::invalid : static_cast<Status>(found - kStatus.begin());
}

Finding named_error(const Json& row) {
  return {.status = status_named(row.at("status").get<std::string>()),
          .first_error_step = optional_of<std::size_t>(row.at("first_error_step")),
          .category = optional_of<std::string>(row.at("category")),
          .type = optional_of<std::string>(row.at("type"))};
}

/// Inputs from outside are not checked by the host, and a snapshot may have been edited.
void expect_decision(const Json& row) {
  const Finding finding = named_error(row);
  const auto status = row.at("status").get<std::string>();
  std::string why;
  if (status != "error" && status != "no_error" && status != "undetermined") why = "status is " + status;
  if (status == "error" && !finding.type && !finding.category) why = "an error has neither type nor category";
  if (finding.type && !taxonomy_of(*finding.type)) {
    why = "there is no error type " + *finding.type;
  } else if (finding.type && category_of(*finding.type) != finding.category) {
    why = "type and category do not belong together";
  }
  if (finding.first_error_step == std::size_t{0}) why = "steps are counted from 1";
  if (why.empty()) return;
  throw StageError(LB_BAD_INPUT,
                   {.what = "a decision cannot be read",
                    .where = "decisions.jsonl, decision " + row.at("decision_id").get<std::string>(),
                    .why = why,
                    .fix = "mend reviews/ledger.jsonl and freeze the decisions again: lowbit review --freeze NAME"});
}

}  // namespace

std::vector<Prediction> read_predictions(const std::filesystem::path& directory) {
  std::vector<Prediction> predictions;
  for_each_json_line(directory / "predictions.jsonl", [&](const Json& row, std::size_t) {
    predictions.push_back({.item_id = row.at("item_id").get<std::string>(),
                           .problem_id = row.at("problem_id").get<std::string>(),
                           .prompt_sha = row.at("prompt_sha").get<std::string>(),
                           .text = row.at("text").get<std::string>(),
                           .steps = row.at("steps").get<std::vector<std::string>>(),
                           .extracted = optional_of<std::string>(row.at("extracted")),
                           .correct = optional_of<bool>(row.at("correct"))});
  });
  return predictions;
}

std::string case_of(const Prediction& prediction) {
  return lm::sha256_of_text(Json::array({prediction.item_id, prediction.prompt_sha, prediction.text}).dump());
}

std::string_view name_of(Status status) { return kStatus.at(static_cast<std::size_t>(status)); }

Finding error_of_type(std::string_view type, std::size_t step, std::string explanation) {
  return {.status = Status::error,
          .first_error_step = step,
          .category = category_of(type),
          .type = std::string(type),
          .explanation = std::move(explanation)};
}

std::vector<Verdict> read_verdicts(const std::filesystem::path& directory) {
  std::vector<Verdict> verdicts;
  for_each_json_line(directory / "verdicts.jsonl", [&](const Json& row, std::size_t) {
    Finding finding = named_error(row);
    finding.explanation = optional_of<std::string>(row.at("explanation")).value_or("");
    finding.confidence = optional_of<double>(row.at("confidence"));
    verdicts.push_back({.item_id = row.at("item_id").get<std::string>(),
                        .judge = row.at("judge").get<std::string>(),
                        .finding = std::move(finding)});
  });
  return verdicts;
}

std::unordered_map<std::string, Decision> read_decisions(const std::filesystem::path& directory) {
  std::unordered_map<std::string, Decision> decisions;
  for_each_json_line(directory / "decisions.jsonl", [&](const Json& row, std::size_t) {
    expect_decision(row);
    decisions[row.at("case").get<std::string>()] = {.decision_id = row.at("decision_id").get<std::string>(),
                                                    .finding = named_error(row)};
  });
  return decisions;
}

Json json_of(const Finding& finding, const std::string& item_id, const std::string& judge) {
  return {{"item_id", item_id},
          {"judge", judge},
          {"status", name_of(finding.status)},
          {"first_error_step", or_null(finding.first_error_step)},
          {"category", or_null(finding.category)},
          {"type", or_null(finding.type)},
          {"explanation", finding.explanation.empty() ? Json() : Json(finding.explanation)},
          {"confidence", or_null(finding.confidence)},
          {"call_ids", Json::array()}};
}

}  // namespace lowbit::verdicts
