// What people decided, kept for good: reviews/ledger.jsonl of the project. Lines are only ever appended, so a decision
// is never lost; the last line about a case counts. It lies beside the experiments and not in .lowbit, because it is
// work that cannot be computed again and belongs under version control.
//
//   store::ReviewLedger ledger(project.root / "reviews");
//   LB_TRY(ledger.append(decision));
//   LB_TRY_ASSIGN(const store::Decided decided, ledger.read());
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/review.h"

namespace lowbit::store {

struct Decided {
  std::map<std::string, Decision> by_case;  ///< the last of each; without those that were withdrawn
  std::size_t n_lines = 0;
  std::vector<std::size_t> cut;  ///< lines that are no JSON, from 1: the beginning of one, where a process was killed
  Diagnostics invalid;           ///< LB6016, lines that are no decision: somebody edited them. They count for nothing
  std::set<std::string> ids;     ///< of all decisions that ever were
};

class ReviewLedger {
 public:
  explicit ReviewLedger(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::filesystem::path file() const { return directory_ / "ledger.jsonl"; }
  [[nodiscard]] std::filesystem::path snapshot(const std::string& name) const { return directory_ / name; }

  /// Durable on return. Sets `decision_id` to the digest of the line. False, and nothing is kept, when somebody else
  /// has decided the case; a withdrawal is kept only while what it takes back counts.
  [[nodiscard]] Result<bool> append(Decision& decision) const;
  /// LB61xx where decisions could not be kept: told before somebody decides.
  [[nodiscard]] Result<void> expect_writable() const;
  /// Empty where there is no file.
  [[nodiscard]] Result<Decided> read() const;
  /// Writes what counts now as a decisions/1 artifact, `directory()/name`, with the answers that people found right in
  /// grader-cases.jsonl beside it; an older snapshot of that name is replaced. The number of decisions. LB6016 while
  /// lines are invalid; LB0046 when nothing is decided, or the older snapshot has decisions that this ledger never had.
  [[nodiscard]] Result<std::size_t> freeze(const std::string& name) const;
  /// Decisions of the ledger that the snapshot at `directory` does not have, or has otherwise.
  [[nodiscard]] Result<std::size_t> newer_than(const std::filesystem::path& directory) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace lowbit::store
