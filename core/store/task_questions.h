// What a task/1 artifact asks, read back for people who look at answers.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "domain/samples.h"

namespace lowbit::store {

/// Of the task in `directory`, the questions of these items, by the ids that were asked for: `item#3`, the third sample
/// of an item, asks what `item` does. Items that the task does not have are left out. LB7065 on what is no task, LB61xx
/// where it cannot be read.
[[nodiscard]] Result<std::map<std::string, Question>> read_questions(const std::filesystem::path& directory,
                                                                     const std::set<std::string>& items);

/// Of all items of the task, by their ids.
[[nodiscard]] Result<std::map<std::string, Question>> read_questions(const std::filesystem::path& directory);

/// The item that a prediction's `item#3` answers; an item itself.
[[nodiscard]] std::string item_of_sample(const std::string& item_id);

}  // namespace lowbit::store
