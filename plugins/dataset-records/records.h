// Instruction and preference data as people have it: a JSON array or JSON Lines whose records are told apart by their
// fields. What a record's fields mean, and which are left out: README.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "lm/chat.h"

namespace lowbit::records {

using Json = nlohmann::json;

/// Why a record is left out, as the last part of a metric's name: "role", "turns", "empty", "equal".
struct LeftOut {
  std::string reason;
};

/// Turns of user and assistant alternate, a system message may stand first, the last turn is the assistant's.
struct Conversation {
  std::vector<lm::ChatMessage> messages;
  std::string context;  ///< Alpaca's `input`: what the first user message is about; may be empty
};

/// Two answers to the same turns, which end with the user's.
struct Preference {
  std::vector<lm::ChatMessage> messages;
  std::string context;
  std::string chosen, rejected;
};

/// number: from 0 on; where: of the record, for errors.
using Visit = std::function<void(std::size_t number, const Json& record, const std::string& where)>;

/// Of a file, or of a directory's files in the order of their names. Throws StageError{LB_BAD_INPUT} on what is not
/// JSON, and on a record that is not an object.
void for_each_record(const std::filesystem::path& path, const Visit& visit);

/// Both throw StageError{LB_BAD_INPUT} when a record's fields are of no known form.
[[nodiscard]] std::variant<Conversation, LeftOut> conversation_of(const Json& record, const std::string& where);
[[nodiscard]] std::variant<Preference, LeftOut> preference_of(const Json& record, const std::string& where);

}  // namespace lowbit::records
