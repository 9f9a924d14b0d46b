// What a job tells the host: appended records that survive the death of either side at any byte.
// Layout of a record: u32 length, u32 CRC-32 of the payload (both little-endian), payload: one JSON object.
//   {"k":"hello","pid":..}  {"k":"log","level":..,"text":..}  {"k":"progress","done":..,"total":..,"unit":..}
//   {"k":"metric",name,unit,value,std_error,count,step}  {"k":"checkpoint","step":..}
//   {"k":"fail",what,where,why,fix}  {"k":"done","status":..}
// A reader takes whole records and stops at a torn or damaged one; nothing after it counts.
// The journal of an attempt that resumes begins with the carried records of the attempt that it goes on from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "domain/result.h"

namespace lowbit::exec {

/// A record longer than this is damage, not data, and none is written.
inline constexpr std::uint32_t kMaxJournalRecord = 16U << 20U;

[[nodiscard]] std::string journal_record(const Json& payload);

/// Takes whole, undamaged records from the front of `bytes`; `consumed` says how far they reach.
struct JournalRecords {
  std::vector<Json> records;
  std::size_t consumed = 0;
  bool damaged = false;  ///< what follows is not merely unfinished
};
[[nodiscard]] JournalRecords parse_journal(std::string_view bytes);

/// Appends records. Thread-safe: any thread of a job may report.
class JournalWriter {
 public:
  [[nodiscard]] static Result<JournalWriter> open(const std::filesystem::path& file);
  JournalWriter(JournalWriter&& other) noexcept;
  JournalWriter& operator=(JournalWriter&&) = delete;
  ~JournalWriter();

  /// False when the record could not be written whole (full disk, too long): the job must fail then.
  [[nodiscard]] bool append(const Json& payload);
  /// Appended records are on the disk after this.
  [[nodiscard]] bool sync();

 private:
  explicit JournalWriter(int descriptor) : descriptor_(descriptor) {}
  std::mutex mutex_;
  int descriptor_ = -1;
};

/// Follows a journal that is being written: each call gives the records that are new.
class JournalTail {
 public:
  explicit JournalTail(std::filesystem::path file) : file_(std::move(file)) {}
  [[nodiscard]] std::vector<Json> poll();

 private:
  std::filesystem::path file_;
  std::uint64_t offset_ = 0;
  bool damaged_ = false;
};

/// A whole journal boiled down to what publishing needs.
struct JobReport {
  std::vector<MetricRow> metrics;  ///< the last value of each (name, step) wins
  std::optional<int> status;       ///< of the done record; none: the job ended without a word
  Json failure;                    ///< the last fail record, or null
  std::optional<Json> last_progress;
  std::vector<std::uint64_t> checkpoints;  ///< committed steps, in order
  std::vector<std::string> warnings;       ///< each text once, in order
};
[[nodiscard]] JobReport summarize(const std::vector<Json>& records);
/// A missing journal is an empty report.
[[nodiscard]] JobReport read_report(const std::filesystem::path& journal);

/// What a job had told when it committed a checkpoint and what one that resumes there will not tell again: curve points
/// (the last of each name and step), warnings and errors (each text once).
struct CarriedRecords {
  std::vector<Json> records;
  std::string gap;  ///< why records may be missing; empty: none is
};
[[nodiscard]] CarriedRecords carried_records(const std::filesystem::path& journal, std::uint64_t checkpoint);

[[nodiscard]] Json to_json(const MetricRow& metric);
/// Throws Json::exception on what to_json() cannot have written.
[[nodiscard]] MetricRow metric_row(const Json& record);

}  // namespace lowbit::exec
