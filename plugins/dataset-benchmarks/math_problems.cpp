#include "math_problems.h"

#include <algorithm>
#include <charconv>

#include "answers/boxed.h"
#include "tasks/problem_id.h"

namespace lowbit::benchmarks {
namespace {

using Json = nlohmann::json;

/// A text of the record; nothing where the field is missing or null.
std::optional<std::string> text_of(const Json& json, const char* field) {
  const auto it = json.find(field);
  if (it == json.end() || it->is_null()) return std::nullopt;
  return it->get<std::string>();
}

/// Of 3, "3" and "Level 3"; nothing of "Level ?", which some problems of MATH have.
std::optional<std::int64_t> level_of(const Json& json) {
  const auto it = json.find("level");
  if (it == json.end()) return std::nullopt;
  if (it->is_number_integer()) return it->get<std::int64_t>();
  if (!it->is_string()) return std::nullopt;
  const auto& text = it->get_ref<const std::string&>();
  const std::size_t begin = text.find_first_of("0123456789");
  std::int64_t level = 0;
  if (begin == std::string::npos ||
      std::from_chars(text.data() + begin, text.data() + text.size(), level).ec != std::errc()) {
    return std::nullopt;
  }
  return level;
}

/// "Counting & Probability" -> "counting_and_probability", as MATH names its directories.
std::string directory_of(const std::string& subject) {
  std::string name;
  for (const char c : subject) {
    if (c == '&') {
      name += "and";
    } else if (c == ' ') {
      name += '_';
    } else {
      name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return name;
}

/// "test/algebra/1": the record's own id, or its path with what is missing in front; nothing where neither is known.
std::optional<std::string> id_of(const tasks::Record& record, const std::string& split,
                                 const std::optional<std::string>& subject) {
  std::optional<std::string> id = text_of(record.json, "unique_id");
  if (!id && !record.path.empty()) {
    id = record.path;
    if (id->find('/') == std::string::npos && subject) id = directory_of(*subject) + "/" + *id;
    if (std::count(id->begin(), id->end(), '/') == 1 && !split.empty()) id = split + "/" + *id;
  }
  constexpr std::string_view kEnd = ".json";
  if (id && id->ends_with(kEnd)) id->resize(id->size() - kEnd.size());
  return id;
}

}  // namespace

tasks::Item math_item(const tasks::Record& record, const std::string& split) {
  const auto lacks = [&](const std::string& what, const std::string& why) {
    throw StageError(LB_BAD_INPUT, {.what = "a problem of MATH has no " + what,
                                    .where = record.where,
                                    .why = why,
                                    .fix = "repair the record, or take it out of the input"});
  };
  tasks::Item item;
  const auto problem = text_of(record.json, "problem");
  if (!problem) lacks("text", "there is no field `problem`");
  item.problem = *problem;
  item.solution = text_of(record.json, "solution");
  const auto boxed = item.solution ? answers::last_box(*item.solution) : std::nullopt;
  item.answer = boxed ? std::optional(std::string(*boxed)) : text_of(record.json, "answer");
  if (!item.answer) lacks("answer", "its solution has no \\boxed{}, and there is no field `answer`");

  auto subject = text_of(record.json, "subject");
  if (!subject) subject = text_of(record.json, "type");
  const auto id = id_of(record, split, subject);
  item.item_id = id.value_or((split.empty() ? "" : split + "/") + std::to_string(record.number));
  item.problem_id = id ? "math/" + *id : tasks::problem_id_of(*problem);
  if (subject) item.fields["subject"] = *subject;
  if (const auto level = level_of(record.json)) item.fields["level"] = *level;
  return item;
}

bool is_wanted(const tasks::Item& item, const MathParams& params) {
  const auto among = [&](const auto& wanted, const char* field) {
    return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const auto& value) {
             return item.fields.contains(field) && item.fields[field] == value;
           });
  };
  return among(params.subjects, "subject") && among(params.levels, "level");
}

void write_math(const Job& job, const MathParams& params) {
  tasks::Task task = empty_task(params);
  tasks::for_each_record(job.input("records").path, [&](const tasks::Record& record) {
    job.tick(record.number, 0, "records");
    tasks::Item item = math_item(record, params.split);
    if (is_wanted(item, params)) task.items.push_back(std::move(item));
  });
  publish(job, std::move(task), params);
}

}  // namespace lowbit::benchmarks
