#include "store/review_ledger.h"

#include <utility>

#include "base/digest.h"
#include "env/files.h"

namespace lowbit::store {
namespace {

namespace fs = std::filesystem;

template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json line_of(const Decision& decision) {
  return {{"case", decision.case_id},
          {"item_id", decision.item_id},
          {"problem_id", decision.problem_id},
          {"status", decision.status},
          {"category", json_of(decision.category)},
          {"type", json_of(decision.type)},
          {"first_error_step", json_of(decision.first_error_step)},
          {"answer", json_of(decision.answer)},
          {"extracted", json_of(decision.extracted)},
          {"note", decision.note},
          {"reviewer", decision.reviewer},
          {"decided_at", decision.decided_at}};
}

/// What of a decision stages read.
Json frozen(const Decision& decision) {
  return {{"case", decision.case_id},       {"decision_id", decision.decision_id},
          {"status", decision.status},      {"category", json_of(decision.category)},
          {"type", json_of(decision.type)}, {"first_error_step", json_of(decision.first_error_step)}};
}

template <class T>
std::optional<T> optional_of(const Json& line, const char* name) {
  const Json& value = member(line, name);
  return value.is_null() ? std::nullopt : std::optional(value.get<T>());
}

/// Throws Json::exception when a field is missing or of another type.
Decision decision_of(const Json& line) {
  return {.decision_id = line.at("decision_id"),
          .case_id = line.at("case"),
          .item_id = line.at("item_id"),
          .problem_id = line.at("problem_id"),
          .status = line.at("status"),
          .category = optional_of<std::string>(line, "category"),
          .type = optional_of<std::string>(line, "type"),
          .first_error_step = optional_of<std::uint64_t>(line, "first_error_step"),
          .answer = optional_of<std::string>(line, "answer"),
          .extracted = optional_of<std::string>(line, "extracted"),
          .note = line.value("note", ""),
          .reviewer = line.value("reviewer", ""),
          .decided_at = line.value("decided_at", "")};
}

/// Calls `use` with each line as JSON, or with a discarded value.
template <class Use>
void for_each_line(const std::string& text, Use&& use) {
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    if (end > from)
      use(Json::parse(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(end),
                      nullptr, false));
    from = end + 1;
  }
}

std::string frozen_text(const Decided& decided) {
  std::string text;
  for (const auto& [id, decision] : decided.by_case) text += canonical(frozen(decision)) + "\n";
  return text;
}

/// Answers that a grader called wrong and a person right.
std::string grader_cases(const Decided& decided) {
  std::string text;
  for (const auto& [id, decision] : decided.by_case) {
    if (decision.status != "no_error" || !decision.answer || !decision.extracted) continue;
    text += canonical({{"gold", *decision.answer},
                       {"pred", *decision.extracted},
                       {"expected", true},
                       {"decision_id", decision.decision_id}}) +
            "\n";
  }
  return text;
}

}  // namespace

Result<void> ReviewLedger::append(Decision& decision) const {
  Json line = line_of(decision);
  decision.decision_id = sha256(canonical(line)).hex().substr(0, 16);
  line["decision_id"] = decision.decision_id;
  LB_TRY(env::make_directories(directory_));
  return env::append_line_durably(file(), canonical(line));
}

Result<Decided> ReviewLedger::read() const {
  Decided decided;
  LB_TRY_ASSIGN(const auto text, env::read_file_if_there(file()));
  for_each_line(text.value_or(""), [&](const Json& line) {
    ++decided.n_lines;
    try {
      Decision decision = decision_of(line);
      decided.by_case.erase(decision.case_id);
      if (decision.status != "withdrawn") decided.by_case.emplace(decision.case_id, std::move(decision));
    } catch (const Json::exception&) {
      ++decided.n_broken;
    }
  });
  return decided;
}

Result<std::size_t> ReviewLedger::freeze(const std::string& name) const {
  LB_TRY_ASSIGN(const Decided decided, read());
  LB_TRY(env::make_directories(snapshot(name)));
  LB_TRY(env::write_file_durably(snapshot(name) / "grader-cases.jsonl", grader_cases(decided)));
  LB_TRY(env::write_file_durably(snapshot(name) / "decisions.jsonl", frozen_text(decided)));
  return decided.by_case.size();
}

Result<std::size_t> ReviewLedger::newer_than(const fs::path& directory) const {
  LB_TRY_ASSIGN(const Decided decided, read());
  LB_TRY_ASSIGN(const auto text, env::read_file_if_there(directory / "decisions.jsonl"));
  std::map<std::string, std::string> known;  // decision by case
  for_each_line(text.value_or(""), [&](const Json& line) {
    if (line.is_object()) known[line.value("case", "")] = line.value("decision_id", "");
  });
  std::size_t newer = 0;
  for (const auto& [id, decision] : decided.by_case) {
    const auto found = known.find(id);
    newer += found == known.end() || found->second != decision.decision_id ? 1U : 0U;
  }
  for (const auto& [id, decision_id] : known) newer += decided.by_case.contains(id) ? 0U : 1U;  // withdrawn since
  return newer;
}

}  // namespace lowbit::store
