#include "store/task_questions.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "base/json.h"
#include "env/files.h"

namespace lowbit::store {
namespace {

Question question_of(const Json& line) {
  Question question{.problem = line.at("problem"), .reference = {}};
  if (const Json& answer = member(line, "answer"); answer.is_string()) question.reference = answer.get<std::string>();
  const Json& choices = member(line, "choices");
  const Json& index = member(line, "answer_index");
  if (!question.reference && choices.is_array() && index.is_number_unsigned() &&
      index.get<std::size_t>() < choices.size()) {
    question.reference = choices[index.get<std::size_t>()].get<std::string>();
  }
  return question;
}

/// Of the items that are `wanted`; until `enough` were found.
Result<std::map<std::string, Question>> questions_in(const std::filesystem::path& directory, std::size_t enough,
                                                     const std::function<bool(const std::string&)>& wanted) {
  LB_TRY_ASSIGN(const std::string lines, env::read_file(directory / "items.jsonl"));
  std::map<std::string, Question> of_item;
  try {
    for (std::size_t from = 0; from < lines.size() && of_item.size() < enough;) {
      const std::size_t end = std::min(lines.find('\n', from), lines.size());
      const Json line = Json::parse(lines.begin() + static_cast<std::ptrdiff_t>(from),
                                    lines.begin() + static_cast<std::ptrdiff_t>(end));
      const std::string id = line.at("item_id");
      if (wanted(id)) of_item[id] = question_of(line);
      from = end + 1;
    }
  } catch (const Json::exception& e) {
    return error("LB7065", "a task cannot be read")
        .note(directory.string() + ": " + e.what())
        .fix("`lowbit doctor --verify` tells whether its bytes are what they were; make it again");
  }
  return of_item;
}

}  // namespace

std::string item_of_sample(const std::string& item_id) { return item_id.substr(0, item_id.rfind('#')); }

Result<std::map<std::string, Question>> read_questions(const std::filesystem::path& directory,
                                                       const std::set<std::string>& items) {
  std::set<std::string> wanted;
  for (const std::string& item : items) wanted.insert({item, item_of_sample(item)});
  LB_TRY_ASSIGN(const auto of_item,
                questions_in(directory, wanted.size(), [&](const std::string& id) { return wanted.contains(id); }));
  std::map<std::string, Question> questions;
  for (const std::string& item : items) {
    auto found = of_item.find(item);
    if (found == of_item.end()) found = of_item.find(item_of_sample(item));
    if (found != of_item.end()) questions[item] = found->second;
  }
  return questions;
}

Result<std::map<std::string, Question>> read_questions(const std::filesystem::path& directory) {
  return questions_in(directory, std::numeric_limits<std::size_t>::max(), [](const std::string&) { return true; });
}

}  // namespace lowbit::store
