// A person decides cases one after the other, by typing. Every decision is saved before the next question; the end of
// the input is a way to leave.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
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
  /// Makes a decision durable; sets its id.
  using Save = std::function<Result<void>(Decision&)>;
  ReviewSession(std::istream& in, std::ostream& out, std::string reviewer, Save save);

  /// The number of cases that are decided when the person leaves.
  [[nodiscard]] Result<std::size_t> decide(const std::vector<OpenCase>& cases);

 private:
  enum class Next { decided, skipped, undo, quit };
  [[nodiscard]] Result<Next> decide_one(const OpenCase& open);
  /// Empty: the input ended.
  [[nodiscard]] std::optional<std::string> ask(const std::string& question);
  [[nodiscard]] Result<void> save(const ReviewCase& subject, Decision decision);

  std::istream& in_;
  std::ostream& out_;
  std::string reviewer_;
  Save save_;
};

}  // namespace lowbit::cli
