#include "repair.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "objects.h"
#include "verdicts/error_types.h"

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;

/// Behind a byte order mark and behind the last `</think>`. A block that begins and does not end leaves nothing.
std::string_view unwrapped(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  constexpr std::string_view kClose = "</think>";
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  const auto close = text.rfind(kClose);
  if (close == std::string_view::npos) return without_reasoning(text);
  text.remove_prefix(close + kClose.size());
  return text.find("<think>") == std::string_view::npos ? text : std::string_view();
}

/// Calls at(i) for each character outside of strings; true: the text ends inside of one.
template <class At>
bool outside_strings(std::string_view text, At&& at) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      at(i);
    }
  }
  return quoted;
}

std::string without_trailing_commas(std::string_view text) {
  std::vector<std::size_t> commas;
  outside_strings(text, [&](std::size_t i) {
    if (text[i] != ',') return;
    const auto next = text.find_first_not_of(kBlank, i + 1);
    if (next != std::string_view::npos && (text[next] == '}' || text[next] == ']')) commas.push_back(i);
  });
  std::string out;
  std::size_t from = 0;
  for (const std::size_t comma : commas) {
    out += text.substr(from, comma - from);
    from = comma + 1;
  }
  out += text.substr(from);
  return out;
}

/// Whether what was written last is whole: a number may have been cut, a text or a word that JSON knows was not.
bool ends_whole(std::string_view text) {
  const char last = text.empty() ? '\0' : text.back();
  if (last == '"' || last == '}' || last == ']' || last == ',') return true;
  return text.ends_with("null") || text.ends_with("true") || text.ends_with("false");
}

/// An object that was cut, with its brackets closed; nothing when it was cut inside a value.
std::optional<std::string> closed(std::string_view text) {
  text = text.substr(0, text.find_last_not_of(kBlank) + 1);
  std::string brackets;
  const bool in_string = outside_strings(text, [&](std::size_t i) {
    if (text[i] == '{') brackets.insert(0, "}");
    if (text[i] == '[') brackets.insert(0, "]");
    if ((text[i] == '}' || text[i] == ']') && !brackets.empty()) brackets.erase(0, 1);
  });
  if (in_string || brackets.empty() || !ends_whole(text)) return std::nullopt;
  if (text.ends_with(',')) text.remove_suffix(1);
  return std::string(text) + brackets;
}

void add_once(Repairs& used, const char* name) {
  if (std::find(used.begin(), used.end(), name) == used.end()) used.emplace_back(name);
}

Json parsed_without_commas(std::string_view text, Repairs& used) {
  try {
    return parsed_object(text);
  } catch (const Invalid&) {
    const std::string shorter = without_trailing_commas(text);
    if (shorter.size() == text.size()) throw;
    Json object = parsed_object(shorter);
    add_once(used, "trailing_commas");
    return object;
  }
}

/// Lower-case letters and digits alone.
std::string squashed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) != 0) out += static_cast<char>(std::tolower(byte));
  }
  return out;
}

/// `Computational errors`, `computational-error` and `computational` are one name.
std::string stem(std::string_view text) {
  std::string out = squashed(text);
  for (const std::string_view end : {"errors", "error"}) {
    if (out.size() > end.size() && out.ends_with(end)) return out.substr(0, out.size() - end.size());
  }
  return out;
}

struct Synonym {
  std::string_view taxonomy, stem, type;
};
/// Other words for the same kind of error, the names of the other taxonomy among them where they mean the same.
constexpr std::array kSynonyms{Synonym{"v2", "computation", "computational_error"},
                               Synonym{"v2", "calculation", "computational_error"},
                               Synonym{"v2", "arithmetic", "computational_error"},
                               Synonym{"v2", "formula", "formula_rule_error"},
                               Synonym{"v2", "formulamisuse", "formula_rule_error"},
                               Synonym{"v2", "symbol", "symbolic_manipulation_error"},
                               Synonym{"v2", "symbolic", "symbolic_manipulation_error"},
                               Synonym{"v2", "logic", "logical_reasoning_error"},
                               Synonym{"v2", "logical", "logical_reasoning_error"},
                               Synonym{"v1", "computational", "computation_error"},
                               Synonym{"v1", "calculation", "computation_error"},
                               Synonym{"v1", "arithmetic", "computation_error"},
                               Synonym{"v1", "formula", "formula_misuse"},
                               Synonym{"v1", "formularule", "formula_misuse"},
                               Synonym{"v1", "symbolic", "symbol_error"},
                               Synonym{"v1", "symbolicmanipulation", "symbol_error"},
                               Synonym{"v1", "logic", "logical_error"},
                               Synonym{"v1", "logicalreasoning", "logical_error"},
                               Synonym{"v1", "boundary", "boundary_condition_error"}};

struct StatusName {
  std::string_view squashed, status;
};
constexpr std::array kStatuses{StatusName{"error", "error"},
                               StatusName{"incorrect", "error"},
                               StatusName{"wrong", "error"},
                               StatusName{"noerror", "no_error"},
                               StatusName{"noerrors", "no_error"},
                               StatusName{"correct", "no_error"},
                               StatusName{"undetermined", "undetermined"},
                               StatusName{"unknown", "undetermined"},
                               StatusName{"uncertain", "undetermined"}};

std::optional<std::string> status_named(std::string_view text) {
  const auto* const found = std::find_if(kStatuses.begin(), kStatuses.end(),
                                         [name = squashed(text)](const auto& one) { return one.squashed == name; });
  return found == kStatuses.end() ? std::nullopt : std::optional(std::string(found->status));
}

std::optional<std::string> type_named(std::string_view taxonomy, std::string_view text) {
  const std::string name = stem(text);
  for (const verdicts::ErrorType& known : verdicts::types_of(taxonomy)) {
    if (stem(known.type) == name) return std::string(known.type);
  }
  for (const Synonym& synonym : kSynonyms) {
    if (synonym.taxonomy == taxonomy && synonym.stem == name) return std::string(synonym.type);
  }
  return std::nullopt;
}

std::optional<std::string> category_named(std::string_view text) {
  const std::string name = stem(text);
  for (const std::string_view category : verdicts::kCategories) {
    if (category == name) return std::string(category);
  }
  return std::nullopt;
}

bool names_nothing(std::string_view text) {
  const std::string name = squashed(text);
  return name.empty() || name == "none" || name == "null" || name == "na" || name == "noerror";
}

/// The member as the verdict writes it, where it is text and another name for that.
template <class Named>
void rename(Json& answer, const char* member, Named&& named, Repairs& used) {
  if (!answer.contains(member) || !answer[member].is_string()) return;
  const auto text = answer[member].get<std::string>();
  const std::optional<std::string> name = named(text);
  if (!name || *name == text) return;
  answer[member] = *name;
  add_once(used, "names");
}

const verdicts::ErrorType* known_type(std::string_view taxonomy, const Json& type) {
  for (const verdicts::ErrorType& known : verdicts::types_of(taxonomy)) {
    if (type == known.type) return &known;
  }
  return nullptr;
}

}  // namespace

Json repaired_object(std::string_view text, bool truncated, Repairs& used) {
  const std::string_view inner = unwrapped(text);
  if (inner.size() != without_reasoning(text).size()) used.emplace_back("wrapping");
  std::vector<Json> objects;
  std::size_t begin = next_object(inner, 0);
  Repairs of_objects;
  while (begin != std::string_view::npos) {
    const std::size_t end = end_of_object(inner, begin);
    if (end == std::string_view::npos) {
      const auto rest = truncated ? closed(inner.substr(begin)) : std::nullopt;
      if (!rest) throw Invalid{"its JSON object is not closed"};
      objects.push_back(parsed_without_commas(*rest, of_objects));
      of_objects.emplace_back("closed");
      break;
    }
    objects.push_back(parsed_without_commas(inner.substr(begin, end - begin), of_objects));
    begin = next_object(inner, end);
  }
  if (objects.empty()) throw Invalid{"there is no JSON object in it"};
  if (objects.size() > 1) {
    std::erase_if(objects, [](const Json& object) { return !object.contains("status"); });
    if (objects.empty() ||
        std::any_of(objects.begin(), objects.end(), [&](const Json& o) { return o != objects[0]; })) {
      throw Invalid{"there is more than one JSON object in it"};
    }
    used.emplace_back("one_of_several");
  }
  used.insert(used.end(), of_objects.begin(), of_objects.end());
  return objects.front();
}

void repair_names(Json& answer, std::string_view taxonomy, bool takes_category, Repairs& used) {
  rename(answer, "status", status_named, used);
  rename(
      answer, "type", [&](const std::string& text) { return type_named(taxonomy, text); }, used);
  rename(answer, "category", category_named, used);
  if (answer.value("status", Json()) != "error") {
    for (const char* member : {"type", "category"}) {
      if (!answer.contains(member) || !answer[member].is_string()) continue;
      if (!names_nothing(answer[member].get<std::string>())) continue;
      answer[member] = nullptr;
      add_once(used, "names");
    }
  }
  const verdicts::ErrorType* const known = known_type(taxonomy, answer.value("type", Json()));
  if (known == nullptr || !answer.contains("category")) return;
  const Json right = known->category.empty() ? Json() : Json(known->category);
  if (answer["category"] == right && takes_category) return;
  if (takes_category) {
    answer["category"] = right;
  } else {
    answer.erase("category");
  }
  add_once(used, "category");
}

}  // namespace lowbit::judge_llm
