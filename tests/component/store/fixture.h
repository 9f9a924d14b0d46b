// A results.db in a directory of its own, and a writer that fills it.
#pragma once

#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/sqlite/open.h"

namespace lowbit::store::test {

/// The value, or the test fails with the diagnostics.
template <class T>
T must(Result<T> result) {
  if (!result) FAIL(render(result.error()));
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) FAIL(render(result.error()));
}

/// Removed with everything in it.
class Directory {
 public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path database() const { return path_ / "results.db"; }
  /// The diagnostics as text, with DIR for this directory.
  [[nodiscard]] std::string text_of(const Diagnostics& problems) const;
  template <class T>
  std::string error_of(const Result<T>& result) const {
    return result ? "no error" : text_of(result.error());
  }

 private:
  std::filesystem::path path_;
};

/// A writer that holds the lease and is inside a run of experiment `study`.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& file, const OpenOptions& options = {});

  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] std::int64_t run() const { return run_; }
  /// A running attempt for content key sha256(`content`).
  std::int64_t begin(const std::string& content, const std::string& label);
  /// A success of a fresh attempt: content key sha256(`content`), provenance key sha256("p:" + `content`), one metric
  /// `metric` in unit fraction over 10 items, one artifact with digest sha256("a:" + `content`).
  Publication publication(const std::string& content, const std::string& label, double value = 0.5,
                          const std::string& metric = "toy/accuracy");
  StageResult publish(const Publication& publication, bool replace = false);

 private:
  std::unique_ptr<Store> store_;
  std::int64_t run_ = 0;
};

/// A line of an expansion whose provenance key is sha256("p:" + `content`).
[[nodiscard]] ExpansionRow row(const std::string& stage, std::vector<Coordinates::Entry> coordinates,
                               const std::string& content);

/// The answer to `sql` as CSV without its header.
[[nodiscard]] std::string ask(const std::filesystem::path& file, const std::string& sql);

/// Statements given to SQLite behind lowbit's back.
void meddle(const std::filesystem::path& file, const std::string& sql);

/// Runs `body` in a forked process and returns the text it returns.
std::string in_child(const std::function<std::string()>& body);

}  // namespace lowbit::store::test
