#include "items_by_doc.h"

#include <algorithm>
#include <utility>

#include "lm/text_input.h"

namespace lowbit::lm_eval {
namespace {

bool is_of_a_doc(const tasks::Item& item) {
  return item.fields.contains("doc_hash") && item.fields.contains("doc_id") &&
         item.fields["doc_id"].is_number_integer();
}

}  // namespace

ItemsByDoc::ItemsByDoc(const tasks::Task& task, std::string problem_field)
    : task_(task), problem_field_(std::move(problem_field)) {
  const bool of_docs = std::all_of(task.items.begin(), task.items.end(), is_of_a_doc);
  for (const tasks::Item& item : task.items) {
    if (of_docs) {
      by_doc_[item.fields["doc_id"].get<std::int64_t>()] = &item;
    } else {
      by_text_[std::string(lm::stripped(item.problem))].push_back(&item);
    }
  }
}

const tasks::Item& ItemsByDoc::take(const Sample& sample) {
  return by_text_.empty() ? take_by_doc(sample) : take_by_text(sample);
}

const tasks::Item& ItemsByDoc::take_by_doc(const Sample& sample) {
  const auto found = by_doc_.find(sample.doc_id);
  const std::string fix = "make the task with lowbit.lm-eval-task from samples of the same task and version";
  if (found == by_doc_.end()) {
    refuse_sample(sample, "the task has no such item",
                  "task " + task_.name + " has " + std::to_string(by_doc_.size()) + " items, none with doc_id " +
                      std::to_string(sample.doc_id),
                  fix);
  }
  const nlohmann::json& hash = found->second->fields["doc_hash"];
  if (sample.doc_hash && hash.is_string() && hash != *sample.doc_hash) {
    refuse_sample(sample, "the item is another one in the task",
                  "its doc_hash is " + *sample.doc_hash + ", in the task item " + found->second->item_id + " has " +
                      hash.get<std::string>(),
                  fix);
  }
  return *found->second;
}

const tasks::Item& ItemsByDoc::take_by_text(const Sample& sample) {
  const std::string question = question_of(sample, problem_field_);
  const auto found = by_text_.find(std::string(lm::stripped(question)));
  if (found == by_text_.end() || found->second.empty()) {
    refuse_sample(sample, "the task has no such item",
                  "no item of task " + task_.name + (found == by_text_.end() ? "" : " is left that") +
                      " has the problem `" + question.substr(0, 80) + "`",
                  "bind `task` to the task that was answered, with `problem_field` if the question stands in another "
                  "field, or to one of lowbit.lm-eval-task");
  }
  const tasks::Item* item = found->second.front();
  found->second.pop_front();
  return *item;
}

}  // namespace lowbit::lm_eval
