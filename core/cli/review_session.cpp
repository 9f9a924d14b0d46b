#include "cli/review_session.h"

#include <charconv>
#include <istream>
#include <optional>
#include <ostream>
#include <utility>

#include "env/clock.h"
#include "report/review_page.h"

namespace lowbit::cli {
namespace {

constexpr std::size_t kLongestNote = 2000;  // bytes: the ledger is for version control

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.pop_back();
  return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

/// A number from 1 to `most`.
std::optional<std::size_t> choice(const std::string& text, std::size_t most) {
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number == 0 || number > most) return std::nullopt;
  return number;
}

std::string step_question(std::size_t n_steps) {
  const std::string first = n_steps == 0   ? "e: there is an error"
                            : n_steps == 1 ? "first wrong step: 1"
                                           : "first wrong step: 1 to " + std::to_string(n_steps);
  return first + "; n: no error, the answer is right; ?: cannot tell; s: skip; u: undo the last; q: quit";
}

}  // namespace

ReviewSession::ReviewSession(std::istream& in, std::ostream& out, std::string reviewer, Save save, IsDecided is_decided)
    : in_(in), out_(out), reviewer_(std::move(reviewer)), save_(std::move(save)), is_decided_(std::move(is_decided)) {}

std::optional<std::string> ReviewSession::ask(const std::string& question) {
  out_ << question << "\n> " << std::flush;
  std::string line;
  if (!std::getline(in_, line)) return std::nullopt;
  return trimmed(std::move(line));
}

Result<bool> ReviewSession::save(const ReviewCase& subject, Decision& decision) {
  decision.case_id = subject.case_id;
  decision.item_id = subject.item_id;
  decision.problem_id = subject.problem_id;
  decision.answer = subject.answer;
  decision.extracted = subject.extracted;
  decision.reviewer = reviewer_;
  decision.decided_at = env::utc_now();
  return save_(decision);
}

/// From 0; one past the last: back to the step. Empty: the input ended.
std::optional<std::size_t> ReviewSession::ask_for_type(const OpenCase& open) {
  const std::size_t n = open.types->size();
  while (true) {
    const auto word =
        ask(report::types_page(*open.types) + "type of the error: 1 to " + std::to_string(n) + "; b: back");
    if (!word) return std::nullopt;
    if (*word == "b") return n;
    if (const auto type = choice(*word, n)) return *type - 1;
    out_ << "`" << *word << "` is none of these\n";
  }
}

ReviewSession::Next ReviewSession::ask_for(const OpenCase& open, Decision& decision) {
  const ReviewCase& subject = *open.subject;
  while (decision.status.empty()) {
    const auto word = ask(step_question(subject.steps.size()));
    if (!word || *word == "q") return Next::quit;
    if (*word == "s") return Next::skipped;
    if (*word == "u") return Next::undo;
    if (*word == "n" || *word == "?") {
      decision.status = *word == "n" ? "no_error" : "undetermined";
      break;
    }
    const auto step = choice(*word, subject.steps.size());
    if (!step && !(subject.steps.empty() && *word == "e")) {
      out_ << "`" << *word << "` is none of these\n";
      continue;
    }
    const auto type = ask_for_type(open);
    if (!type) return Next::quit;
    if (*type == open.types->size()) continue;
    const NamedType& named = (*open.types)[*type];
    decision.status = "error";
    decision.first_error_step = step;
    decision.type = std::string(named.type);
    if (!named.category.empty()) decision.category = std::string(named.category);
  }
  while (true) {
    auto note = ask("a note, or an empty line; the decision is kept then");
    if (!note) return Next::quit;
    if (note->size() <= kLongestNote) {
      decision.note = *std::move(note);
      return Next::decided;
    }
    out_ << "a note has at most " << kLongestNote << " bytes\n";
  }
}

Result<void> ReviewSession::take_back(const ReviewCase& subject, const std::string& decision_id) {
  Decision withdrawn;
  withdrawn.status = "withdrawn";
  withdrawn.withdraws = decision_id;
  LB_TRY_ASSIGN(const bool taken_back, save(subject, withdrawn));
  if (!taken_back) out_ << "that decision does not count any more\n";
  return {};
}

Result<std::size_t> ReviewSession::decide(const std::vector<OpenCase>& cases) {
  std::vector<Made> made;
  std::size_t i = 0;
  while (i < cases.size()) {
    const ReviewCase& subject = *cases[i].subject;
    LB_TRY_ASSIGN(const bool decided_meanwhile, is_decided_(subject.case_id));
    if (decided_meanwhile) {
      out_ << "\ncase " << i + 1 << " of " << cases.size() << " was decided by somebody else\n";
      ++i;
      continue;
    }
    out_ << "\ncase " << i + 1 << " of " << cases.size() << "\n" << report::review_page(subject);
    Decision decision;
    const Next next = ask_for(cases[i], decision);
    if (next == Next::quit) break;
    if (next == Next::undo) {
      if (made.empty()) {
        out_ << "nothing was decided before this case\n";
        continue;
      }
      i = made.back().index;
      LB_TRY(take_back(*cases[i].subject, made.back().decision_id));
      made.pop_back();
      continue;
    }
    if (next == Next::decided) {
      LB_TRY_ASSIGN(const bool kept, save(subject, decision));
      if (kept) {
        made.push_back({.index = i, .decision_id = decision.decision_id});
      } else {
        out_ << "somebody else has decided this case meanwhile; this decision is not kept\n";
      }
    }
    ++i;
  }
  return made.size();
}

}  // namespace lowbit::cli
