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

const Json kNothing;

/// The member, or null where it is missing.
const Json& member(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() ? kNothing : *it;
}

/// A record whose fields are not of the types that PRM800K gives them would be misread: it is refused.
class Fields {
 public:
  explicit Fields(std::string where) : where_(std::move(where)) {}

  [[nodiscard]] const Json& object(const Json& in, const char* name) const {
    return expect(member(in, name), name, &Json::is_object, "an object");
  }
  [[nodiscard]] const Json& array(const Json& in, const char* name) const {
    return expect(member(in, name), name, &Json::is_array, "a list");
  }
  [[nodiscard]] std::string text(const Json& in, const char* name) const {
    return expect(member(in, name), name, &Json::is_string, "a text").get<std::string>();
  }
  [[nodiscard]] std::optional<std::string> text_if(const Json& in, const char* name) const {
    return member(in, name).is_null() ? std::nullopt : std::optional(text(in, name));
  }
  [[nodiscard]] bool is_true(const Json& in, const char* name) const {
    const Json& value = member(in, name);
    return !value.is_null() && expect(value, name, &Json::is_boolean, "true, false or null").get<bool>();
  }
  [[nodiscard]] std::optional<std::int64_t> whole_if(const Json& in, const char* name) const {
    const Json& value = member(in, name);
    if (value.is_null()) return std::nullopt;
    return expect(value, name, &Json::is_number_integer, "a whole number or null").get<std::int64_t>();
  }
  [[noreturn]] void refuse(const char* name, const std::string& why) const {
    throw StageError(LB_BAD_INPUT, {.what = "a record is not one of PRM800K",
                                    .where = where_ + ", `" + name + "`",
                                    .why = why,
                                    .fix = "take the line out, or the files as their authors published them"});
  }

 private:
  const Json& expect(const Json& value, const char* name, bool (Json::*is)() const noexcept, const char* what) const {
    if (!(value.*is)()) refuse(name, std::string("it is ") + value.type_name() + ", and must be " + what);
    return value;
  }

  std::string where_;
};

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

/// What was written for a step: one of the model's completions, else a person's; null where there is neither, or the
/// choice is none of them.
const Json& chosen_of(const Json& step, const Fields& fields) {
  const auto index = fields.whole_if(step, "chosen_completion");
  if (!index) return member(step, "human_completion");
  if (member(step, "completions").is_null()) return kNothing;
  const Json& list = fields.array(step, "completions");
  return *index >= 0 && static_cast<std::size_t>(*index) < list.size() ? list[static_cast<std::size_t>(*index)]
                                                                       : kNothing;
}

/// Texts of the chosen completions up to the first step that has none.
std::variant<std::vector<std::string>, LeftOut> chosen_texts(const Json& label, const Fields& fields) {
  std::vector<std::string> texts;
  for (const Json& step : fields.array(label, "steps")) {
    if (!step.is_object()) fields.refuse("steps", std::string("a step is ") + step.type_name());
    const Json& chosen = chosen_of(step, fields);
    if (chosen.is_null()) break;
    if (chosen.is_string()) {  // as the README of PRM800K has it
      texts.push_back(chosen.get<std::string>());
      continue;
    }
    if (!chosen.is_object()) fields.refuse("completions", std::string("a completion is ") + chosen.type_name());
    if (fields.is_true(chosen, "flagged")) return LeftOut{"flagged"};
    if (fields.whole_if(chosen, "rating") == -1) return LeftOut{"bad_step"};
    const auto text = fields.text_if(chosen, "text");
    if (!text) break;
    texts.push_back(*text);
  }
  return texts;
}

/// `answer`: nothing where it stands in the last step.
std::variant<Solution, LeftOut> finished(Solution solution, std::vector<std::string> texts,
                                         std::optional<std::string> answer) {
  if (lm::stripped(solution.problem).empty()) return LeftOut{"no_problem"};
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

std::variant<Solution, LeftOut> labelled(const Json& record, const Fields& fields) {
  if (fields.is_true(record, "is_quality_control_question")) return LeftOut{"quality_control"};
  if (fields.is_true(record, "is_initial_screening_question") || fields.whole_if(record, "generation") == -1) {
    return LeftOut{"initial_screening"};
  }
  const Json& label = fields.object(record, "label");
  const auto finish = fields.text_if(label, "finish_reason");
  if (finish != "solution") {
    constexpr std::array<std::string_view, 3> kKnown{"found_error", "bad_problem", "give_up"};
    const bool known = finish && std::find(kKnown.begin(), kKnown.end(), *finish) != kKnown.end();
    return LeftOut{known ? *finish : "unfinished"};
  }
  auto texts = chosen_texts(label, fields);
  if (auto* left_out = std::get_if<LeftOut>(&texts)) return std::move(*left_out);
  const Json& question = fields.object(record, "question");
  return finished({.problem = fields.text(question, "problem"),
                   .reference_answer = fields.text_if(question, "ground_truth_answer"),
                   .reference_solution = fields.text_if(question, "ground_truth_solution"),
                   .steps = {},
                   .answer = {}},
                  std::get<std::vector<std::string>>(std::move(texts)), std::nullopt);
}

}  // namespace

std::variant<Solution, LeftOut> solution_of(const Json& record, const std::string& where) {
  const Fields field_of(where);
  if (record.contains("question") && record.contains("label")) return labelled(record, field_of);
  if (record.contains("instruction") && record.contains("responses")) {
    std::vector<std::string> texts;
    for (const Json& response : field_of.array(record, "responses")) {
      if (!response.is_string()) field_of.refuse("responses", std::string("a response is ") + response.type_name());
      texts.push_back(response.get<std::string>());
    }
    texts.push_back(field_of.text(record, "next_response"));
    return finished({.problem = field_of.text(record, "instruction"), .steps = {}, .answer = {}}, std::move(texts),
                    field_of.text_if(record, "answer"));
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
