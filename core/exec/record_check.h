// JSON records against the schemas of schemas/artifacts, which are compiled in. A schema decides; what people read is
// ours: file, line, field, what was expected and what stands there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lowbit::exec {

/// What is wrong with one artifact: the first five problems as text and the number of all.
class Problems {
 public:
  static constexpr std::size_t kShown = 5;

  /// `place`: "predictions.jsonl:3"; `text`: what is wrong there.
  void add(std::string_view place, std::string_view text);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const std::vector<std::string>& shown() const { return shown_; }

 private:
  std::vector<std::string> shown_;
  std::size_t count_ = 0;
};

/// One compiled schema. Not thread-safe; cheap to make, cheap to use (10 us a record).
class RecordCheck {
 public:
  /// `schema`: "predictions-1.predictions". REQUIRES: schemas/artifacts has it.
  explicit RecordCheck(std::string_view schema);
  ~RecordCheck();
  RecordCheck(RecordCheck&&) noexcept;
  RecordCheck& operator=(RecordCheck&&) noexcept;

  /// True when `record` fits; else its problems are added, one for each field.
  bool check(const Json& record, std::string_view place, Problems& problems) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The JSON object in `directory / name`, checked. Empty, with problems added, when it is missing, not JSON or unfit.
[[nodiscard]] std::optional<Json> read_record(const std::filesystem::path& directory, const std::string& name,
                                              std::string_view schema, Problems& problems);

/// Calls `use` with every record of a JSON Lines file that fits its schema, and its place. Every line, the last one
/// too, ends with a newline: a file that was cut off is told from a complete one. Returns the number of lines.
std::size_t for_each_record(const std::filesystem::path& directory, const std::string& name, std::string_view schema,
                            Problems& problems, const std::function<void(Json&&, const std::string& place)>& use);

/// `value` as a message shows it: compact, at most 60 characters.
[[nodiscard]] std::string brief(const Json& value);

}  // namespace lowbit::exec
