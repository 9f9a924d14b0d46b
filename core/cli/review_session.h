// A person decides cases one after the other, by typing. Every decision is saved before the next question; the end of
// the input is a way to leave.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/review.h"

namespace lowbit::cli {

/// A case that is to be decided, with the types to choose from.
struct OpenCase {
  const ReviewCase* subject;
  const std::vector<NamedType>* types;
};

class ReviewSession {
 public:
  /// Makes a decision durable and sets its id; false when somebody else has decided the case.
  using Save = std::function<Result<bool>(Decision&)>;
  /// Whether a case is decided by now.
  using IsDecided = std::function<Result<bool>(const std::string& case_id)>;
  ReviewSession(std::istream& in, std::ostream& out, std::string reviewer, Save save, IsDecided is_decided);

  /// The number of cases that are decided when the person leaves.
  [[nodiscard]] Result<std::size_t> decide(const std::vector<OpenCase>& cases);

 private:
  enum class Next { decided, skipped, undo, quit };
  /// A decision that was made, to be taken back.
  struct Made {
    std::size_t index;
    std::string decision_id;
  };
  /// What to do next; of a decision its status, step, type and note.
  [[nodiscard]] Next ask_for(const OpenCase& open, Decision& decision);
  [[nodiscard]] std::optional<std::size_t> ask_for_type(const OpenCase& open);
  [[nodiscard]] Result<void> take_back(const ReviewCase& subject, const std::string& decision_id);
  /// Empty: the input ended.
  [[nodiscard]] std::optional<std::string> ask(const std::string& question);
  [[nodiscard]] Result<bool> save(const ReviewCase& subject, Decision& decision);

  std::istream& in_;
  std::ostream& out_;
  std::string reviewer_;
  Save save_;
  IsDecided is_decided_;
};

}  // namespace lowbit::cli
