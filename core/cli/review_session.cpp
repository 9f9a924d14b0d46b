#include "cli/review_session.h"

#include <charconv>
#include <istream>
#include <optional>
#include <ostream>
#include <set>
#include <utility>

#include "env/clock.h"
#include "report/review_page.h"

namespace lowbit::cli {
namespace {

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

ReviewSession::ReviewSession(std::istream& in, std::ostream& out, std::string reviewer, Save save)
    : in_(in), out_(out), reviewer_(std::move(reviewer)), save_(std::move(save)) {}

std::optional<std::string> ReviewSession::ask(const std::string& question) {
  out_ << question << "\n> " << std::flush;
  std::string line;
  if (!std::getline(in_, line)) return std::nullopt;
  return trimmed(std::move(line));
}

Result<void> ReviewSession::save(const ReviewCase& subject, Decision decision) {
  decision.case_id = subject.case_id;
  decision.item_id = subject.item_id;
  decision.problem_id = subject.problem_id;
  decision.answer = subject.answer;
  decision.extracted = subject.extracted;
  decision.reviewer = reviewer_;
  decision.decided_at = env::utc_now();
  return save_(decision);
}

Result<ReviewSession::Next> ReviewSession::decide_one(const OpenCase& open) {
  const ReviewCase& subject = *open.subject;
  Decision decision;
  while (true) {
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
    decision.status = "error";
    decision.first_error_step = step;
    break;
  }
  while (decision.status == "error") {
    const auto word = ask(report::types_page(*open.types) + "type of the error: 1 to " +
                          std::to_string(open.types->size()) + "; b: back");
    if (!word) return Next::quit;
    if (*word == "b") return decide_one(open);
    const auto type = choice(*word, open.types->size());
    if (!type) {
      out_ << "`" << *word << "` is none of these\n";
      continue;
    }
    const NamedType& named = (*open.types)[*type - 1];
    decision.type = std::string(named.type);
    if (!named.category.empty()) decision.category = std::string(named.category);
    break;
  }
  decision.note = ask("a note, or an empty line").value_or("");
  LB_TRY(save(subject, decision));
  return Next::decided;
}

Result<std::size_t> ReviewSession::decide(const std::vector<OpenCase>& cases) {
  std::vector<std::size_t> decided;
  std::size_t i = 0;
  while (i < cases.size()) {
    out_ << "\ncase " << i + 1 << " of " << cases.size() << "\n" << report::review_page(*cases[i].subject);
    LB_TRY_ASSIGN(const Next next, decide_one(cases[i]));
    if (next == Next::quit) break;
    if (next == Next::undo) {
      if (decided.empty()) {
        out_ << "nothing was decided before this case\n";
        continue;
      }
      i = decided.back();
      decided.pop_back();
      Decision withdrawn;
      withdrawn.status = "withdrawn";
      LB_TRY(save(*cases[i].subject, withdrawn));
      continue;
    }
    if (next == Next::decided) decided.push_back(i);
    ++i;
  }
  return decided.size();
}

}  // namespace lowbit::cli
