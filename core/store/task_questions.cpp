#include "store/task_questions.h"

#include <algorithm>

#include "base/json.h"
#include "env/files.h"

namespace lowbit::store {
namespace {

std::string item_of(const std::string& sample) { return sample.substr(0, sample.rfind('#')); }

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

}  // namespace

Result<std::map<std::string, Question>> read_questions(const std::filesystem::path& directory,
                                                       const std::set<std::string>& items) {
  LB_TRY_ASSIGN(const std::string lines, env::read_file(directory / "items.jsonl"));
  std::map<std::string, Question> of_item;
  std::set<std::string> wanted;
  for (const std::string& item : items) wanted.insert({item, item_of(item)});
  try {
    for (std::size_t from = 0; from < lines.size() && of_item.size() < wanted.size();) {
      const std::size_t end = std::min(lines.find('\n', from), lines.size());
      const Json line = Json::parse(lines.begin() + static_cast<std::ptrdiff_t>(from),
                                    lines.begin() + static_cast<std::ptrdiff_t>(end));
      const std::string id = line.at("item_id");
      if (wanted.contains(id)) of_item[id] = question_of(line);
      from = end + 1;
    }
  } catch (const Json::exception& e) {
    return error("LB7065", "a task cannot be read")
        .note(directory.string() + ": " + e.what())
        .fix("`lowbit doctor --verify` tells whether its bytes are what they were; make it again");
  }
  std::map<std::string, Question> questions;
  for (const std::string& item : items) {
    auto found = of_item.find(item);
    if (found == of_item.end()) found = of_item.find(item_of(item));
    if (found != of_item.end()) questions[item] = found->second;
  }
  return questions;
}

}  // namespace lowbit::store
