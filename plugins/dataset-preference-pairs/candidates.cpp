#include "candidates.h"

#include "lm/digest.h"

namespace lowbit::pairs {
namespace {

using verdicts::Status;

std::string without_blanks(const std::string& text) {
  std::string kept;
  for (const char c : text) {
    if (c != ' ' && (c < '\t' || c > '\r')) kept += c;
  }
  return kept;
}

}  // namespace

std::string Candidates::objection(const Prediction& rejected) const {
  if (!rules_.judged) return {};
  if (rejected.status == Status::no_error) return "no_error";
  if (rejected.status != Status::error && !rules_.keep_unresolved) {
    return rejected.status ? std::string(verdicts::name_of(*rejected.status)) : "not_judged";
  }
  const bool wanted =
      rules_.categories.empty() || (rejected.judged.category && rules_.categories.contains(*rejected.judged.category));
  return wanted ? "" : "other_category";
}

void Candidates::offer(const Asked& asked, const Prediction& chosen, const Prediction& rejected,
                       const nlohmann::json& at) {
  if (!chosen.correct || !rejected.correct) return drop("not_graded");
  if (!*chosen.correct || chosen.truncated) return drop("chosen_wrong");
  if (*rejected.correct) return drop("rejected_right");
  ++counts_.left["candidates"];

  const std::string better = chosen.text + asked.end;
  const std::string worse = rejected.text + (rejected.truncated ? "" : asked.end);
  if ((rules_.chosen_keeps_format && !chosen.format_kept) || (rules_.rejected_keeps_format && !rejected.format_kept)) {
    return drop("format_broken");
  }
  if (worse.empty()) return drop("rejected_empty");
  if (without_blanks(better) == without_blanks(worse)) return drop("equal");
  if (rules_.too_long && (rules_.too_long(asked.prompt, better) || rules_.too_long(asked.prompt, worse))) {
    return drop("too_long");
  }
  ++counts_.left["readable"];

  if (const std::string reason = objection(rejected); !reason.empty()) return drop(reason);
  ++counts_.left["judged"];
  if (rules_.held_out.contains(asked.item->item_id)) return drop("held_out");
  ++counts_.left["clean"];
  if (!seen_.emplace(asked.prompt, better, worse).second) return drop("duplicate");
  pairs_.push_back(
      {.item = asked.item,
       .prompt = asked.prompt,
       .chosen = better,
       .rejected = worse,
       .at = at,
       .judged = rules_.judged ? rejected.judged : Judged(),
       .digest = lm::sha256_of_text(asked.item->item_id + "\n" + at.dump() + "\n" + better + "\n" + worse)});
}

}  // namespace lowbit::pairs
