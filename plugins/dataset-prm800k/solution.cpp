#include "solution.h"

#include <algorithm>
#include <array>
#include <lowbit/sdk.hpp>
#include <string_view>
#include <utility>

#include "answers/response.h"
#include "lm/normal_form.h"
#include "lm/text_input.h"

namespace lowbit::prm800k {
namespace {

using Json = nlohmann::json;

/// The member, or null where it is missing.
const Json& member(const Json& object, const char* name) {
  static const Json none;
  const auto it = object.find(name);
  return it == object.end() ? none : *it;
}

std::optional<std::string> text_or_null(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

std::string tidy(std::string_view text) { return lm::normal_form(lm::stripped(text), lm::NormalForm::composed); }

bool has_tag(std::string_view text) {
  constexpr std::array kTags{answers::kStepStart, answers::kStepEnd, answers::kAnswerStart, answers::kAnswerEnd};
  return std::any_of(kTags.begin(), kTags.end(),
                     [&](std::string_view tag) { return text.find(tag) != std::string_view::npos; });
}

constexpr std::string_view kMark = "# Answer";

/// Where the last line `# Answer` begins; npos without one.
std::size_t find_mark(std::string_view text) {
  for (std::size_t at = text.rfind(kMark); at != std::string_view::npos; at = text.rfind(kMark, at - 1)) {
    const std::size_t end = at + kMark.size();
    if ((at == 0 || text[at - 1] == '\n') && (end == text.size() || text[end] == '\n' || text[end] == '\r')) return at;
    if (at == 0) break;
  }
  return std::string_view::npos;
}

/// Texts of the chosen completions up to the first step that has none.
std::variant<std::vector<std::string>, LeftOut> chosen_texts(const Json& label) {
  std::vector<std::string> texts;
  for (const Json& step : label.at("steps")) {
    const Json& index = member(step, "chosen_completion");
    const Json& completions = member(step, "completions");
    const Json* chosen = &member(step, "human_completion");
    if (index.is_number_unsigned()) {
      const auto i = index.get<std::size_t>();
      if (!completions.is_array() || i >= completions.size()) break;
      chosen = &completions[i];
    }
    if (chosen->is_null()) break;
    if (chosen->is_string()) {
      texts.push_back(chosen->get<std::string>());
      continue;
    }
    if (member(*chosen, "flagged") == true) return LeftOut{"flagged"};
    if (member(*chosen, "rating") == -1) return LeftOut{"bad_step"};
    const auto text = text_or_null(member(*chosen, "text"));
    if (!text) break;
    texts.push_back(*text);
  }
  return texts;
}

/// `answer`: nothing where it stands in the last step.
std::variant<Solution, LeftOut> finished(Solution solution, std::vector<std::string> texts,
                                         std::optional<std::string> answer) {
  if (texts.empty()) return LeftOut{"no_steps"};
  std::string& last = texts.back();
  const std::size_t mark = find_mark(last);
  if (mark != std::string::npos) {
    answer = last.substr(mark + kMark.size());
    last.resize(mark);
    if (lm::stripped(last).empty()) texts.pop_back();  // nothing but the answer
  }
  if (!answer || lm::stripped(*answer).empty()) return LeftOut{"no_answer"};
  if (texts.empty()) return LeftOut{"no_steps"};
  solution.answer = tidy(*answer);
  for (const std::string& text : texts) solution.steps.push_back(tidy(text));

  const auto any_step = [&](const auto& test) {
    return std::any_of(solution.steps.begin(), solution.steps.end(), test);
  };
  if (any_step([](const std::string& step) { return step.empty(); })) return LeftOut{"empty_step"};
  if (any_step([](const std::string& step) { return find_mark(step) != std::string::npos; })) {
    return LeftOut{"answer_inside"};
  }
  if (any_step(has_tag) || has_tag(solution.answer)) return LeftOut{"tag_inside"};
  return solution;
}

std::variant<Solution, LeftOut> labelled(const Json& record) {
  if (member(record, "is_quality_control_question") == true) return LeftOut{"quality_control"};
  if (member(record, "is_initial_screening_question") == true || member(record, "generation") == -1) {
    return LeftOut{"initial_screening"};
  }
  const Json& label = record.at("label");
  const auto finish = text_or_null(member(label, "finish_reason"));
  if (finish != "solution") {
    constexpr std::array<std::string_view, 3> kKnown{"found_error", "bad_problem", "give_up"};
    const bool known = finish && std::find(kKnown.begin(), kKnown.end(), *finish) != kKnown.end();
    return LeftOut{known ? *finish : "unfinished"};
  }
  auto texts = chosen_texts(label);
  if (auto* left_out = std::get_if<LeftOut>(&texts)) return std::move(*left_out);
  const Json& question = record.at("question");
  return finished({.problem = question.at("problem").get<std::string>(),
                   .reference_answer = text_or_null(member(question, "ground_truth_answer")),
                   .reference_solution = text_or_null(member(question, "ground_truth_solution")),
                   .steps = {},
                   .answer = {}},
                  std::get<std::vector<std::string>>(std::move(texts)), std::nullopt);
}

}  // namespace

std::variant<Solution, LeftOut> solution_of(const Json& record, const std::string& where) {
  if (record.contains("question") && record.contains("label")) return labelled(record);
  if (record.contains("instruction") && record.contains("responses")) {
    auto texts = record.at("responses").get<std::vector<std::string>>();
    texts.push_back(record.at("next_response").get<std::string>());
    return finished({.problem = record.at("instruction").get<std::string>(), .steps = {}, .answer = {}},
                    std::move(texts), text_or_null(member(record, "answer")));
  }
  std::string fields;
  for (const auto& [name, value] : record.items()) fields += (fields.empty() ? "" : ", ") + name;
  throw StageError(LB_BAD_INPUT, {.what = "a record is not one of PRM800K",
                                  .where = where,
                                  .why = "its fields are " + (fields.empty() ? "none" : fields),
                                  .fix = "bind PRM800K's own JSONL files, or the rows of a data set \"solutions only\" "
                                         "as JSONL (scripts/parquet-to-jsonl --rows)"});
}

}  // namespace lowbit::prm800k
