#include "store/review_ledger.h"

#include <utility>

#include "base/digest.h"
#include "env/files.h"

namespace lowbit::store {
namespace {

namespace fs = std::filesystem;

Json line_of(const Decision& decision) {
  return {{"case", decision.case_id},
          {"item_id", decision.item_id},
          {"problem_id", decision.problem_id},
          {"status", decision.status},
          {"category", value_or_null(decision.category)},
          {"type", value_or_null(decision.type)},
          {"first_error_step", value_or_null(decision.first_error_step)},
          {"answer", value_or_null(decision.answer)},
          {"extracted", value_or_null(decision.extracted)},
          {"note", decision.note},
          {"reviewer", decision.reviewer},
          {"decided_at", decision.decided_at},
          {"withdraws", decision.withdraws.empty() ? Json() : Json(decision.withdraws)}};
}

/// What of a decision stages read.
Json frozen(const Decision& decision) {
  return {{"case", decision.case_id},
          {"decision_id", decision.decision_id},
          {"status", decision.status},
          {"category", value_or_null(decision.category)},
          {"type", value_or_null(decision.type)},
          {"first_error_step", value_or_null(decision.first_error_step)}};
}

/// Throws Json::exception when a field is missing or of another type.
Decision decision_of(const Json& line) {
  return {.decision_id = line.at("decision_id"),
          .case_id = line.at("case"),
          .item_id = line.at("item_id"),
          .problem_id = line.at("problem_id"),
          .status = line.at("status"),
          .category = value_if<std::string>(member(line, "category")),
          .type = value_if<std::string>(member(line, "type")),
          .first_error_step = value_if<std::uint64_t>(member(line, "first_error_step")),
          .answer = value_if<std::string>(member(line, "answer")),
          .extracted = value_if<std::string>(member(line, "extracted")),
          .note = line.value("note", ""),
          .reviewer = line.value("reviewer", ""),
          .decided_at = line.value("decided_at", ""),
          .withdraws = value_if<std::string>(member(line, "withdraws")).value_or("")};
}

/// Why a decision says nothing; empty: it says something.
std::string fault_of(const Decision& decision) {
  const std::string& status = decision.status;
  if (status != "error" && status != "no_error" && status != "undetermined" && status != "withdrawn") {
    return "there is no status " + status;
  }
  if (status == "error" && !decision.type && !decision.category) return "an error has neither type nor category";
  if (decision.first_error_step == std::uint64_t{0}) return "steps are counted from 1";
  if (!decision.type) return {};
  const NamedType* const known = find_error_type(*decision.type);
  if (known == nullptr) return "there is no error type " + *decision.type;
  return decision.category.value_or("") == known->category ? "" : "type and category do not belong together";
}

Diagnostic invalid_line(std::size_t number, const std::string& why) {
  return error("LB6016", "line " + std::to_string(number) + " of the review ledger is no decision")
      .note(why)
      .fix("mend or remove the line in reviews/ledger.jsonl");
}

/// The last word on each case.
void apply(Decision decision, Decided& decided) {
  decided.ids.insert(decision.decision_id);
  const auto found = decided.by_case.find(decision.case_id);
  if (decision.status == "withdrawn") {
    if (found != decided.by_case.end() && found->second.decision_id == decision.withdraws) decided.by_case.erase(found);
    return;
  }
  decided.by_case.insert_or_assign(decision.case_id, std::move(decision));
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

Decided decided_in(const std::string& text) {
  Decided decided;
  for_each_line(text, [&](const Json& line) {
    ++decided.n_lines;
    if (line.is_discarded()) {
      decided.cut.push_back(decided.n_lines);
      return;
    }
    try {
      Decision decision = decision_of(line);
      const std::string fault = fault_of(decision);
      if (!fault.empty()) return decided.invalid.push_back(invalid_line(decided.n_lines, fault));
      apply(std::move(decision), decided);
    } catch (const Json::exception& e) {
      decided.invalid.push_back(invalid_line(decided.n_lines, e.what()));
    }
  });
  return decided;
}

/// Decision by case, of a decisions.jsonl; lines that are none count for nothing.
std::map<std::string, std::string> decisions_in(const std::string& text) {
  std::map<std::string, std::string> known;
  for_each_line(text, [&](const Json& line) {
    if (!line.is_object()) return;
    const Json& id = member(line, "case");
    const Json& decision = member(line, "decision_id");
    if (id.is_string() && decision.is_string()) known[id] = decision;
  });
  return known;
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

Result<bool> ReviewLedger::append(Decision& decision) const {
  Json line = line_of(decision);
  decision.decision_id = sha256(canonical(line)).hex().substr(0, 16);
  line["decision_id"] = decision.decision_id;
  LB_TRY(env::make_directories(directory_));
  return env::append_line_durably(file(), [&](std::string_view text) -> std::optional<std::string> {
    const Decided decided = decided_in(std::string(text));
    const auto found = decided.by_case.find(decision.case_id);
    const bool is_open = found == decided.by_case.end();
    const bool fits =
        decision.status == "withdrawn" ? !is_open && found->second.decision_id == decision.withdraws : is_open;
    return fits ? std::optional(canonical(line)) : std::nullopt;
  });
}

Result<void> ReviewLedger::expect_writable() const {
  LB_TRY(env::make_directories(directory_));
  LB_TRY(env::append_line_durably(file(), [](std::string_view) { return std::optional<std::string>(); }));
  return {};
}

Result<Decided> ReviewLedger::read() const {
  LB_TRY_ASSIGN(const auto text, env::read_file_if_there(file()));
  return decided_in(text.value_or(""));
}

Result<std::size_t> ReviewLedger::freeze(const std::string& name) const {
  LB_TRY_ASSIGN(const Decided decided, read());
  if (!decided.invalid.empty()) return decided.invalid;
  LB_TRY_ASSIGN(const auto older, env::read_file_if_there(snapshot(name) / "decisions.jsonl"));
  std::size_t unknown = 0;
  for (const auto& [id, decision] : decisions_in(older.value_or("")))
    unknown += decided.ids.contains(decision) ? 0U : 1U;
  if (decided.by_case.empty() || unknown > 0) {
    return error("LB0046",
                 unknown > 0 ? "the snapshot " + name + " would lose decisions" : "there is nothing to freeze")
        .note(unknown > 0 ? "it has " + std::to_string(unknown) + " that " + file().string() + " never had"
                          : "no decision counts in " + file().string())
        .fix(unknown > 0 ? "bring the ledger that they are from, or freeze under another name"
                         : "`lowbit review` decides cases; is this the project whose cases were decided?");
  }
  LB_TRY(env::make_directories(snapshot(name)));
  LB_TRY(env::write_file_durably(snapshot(name) / "grader-cases.jsonl", grader_cases(decided)));
  LB_TRY(env::write_file_durably(snapshot(name) / "decisions.jsonl", frozen_text(decided)));
  return decided.by_case.size();
}

Result<std::size_t> ReviewLedger::newer_than(const fs::path& directory) const {
  LB_TRY_ASSIGN(const Decided decided, read());
  LB_TRY_ASSIGN(const auto text, env::read_file_if_there(directory / "decisions.jsonl"));
  const std::map<std::string, std::string> known = decisions_in(text.value_or(""));
  std::size_t newer = 0;
  for (const auto& [id, decision] : decided.by_case) {
    const auto found = known.find(id);
    newer += found == known.end() || found->second != decision.decision_id ? 1U : 0U;
  }
  for (const auto& [id, decision_id] : known) newer += decided.by_case.contains(id) ? 0U : 1U;  // withdrawn since
  return newer;
}

}  // namespace lowbit::store
