// The lb_host table of plugin_abi.h over an attempt directory and its journal.
#pragma once

#include <lowbit/paid_calls.h>
#include <lowbit/plugin_abi.h>
#include <lowbit/rates.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "exec/attempt_files.h"
#include "exec/journal.h"

namespace lowbit::worker {

/// Which functions of the table any thread of the stage may call and which only its own: lowbit/plugin_abi.h.
class HostTable {
 public:
  /// `stop`: set when the job was asked to stop. All three references outlive the table.
  HostTable(const exec::JobRequest& request, const exec::AttemptPaths& attempt, exec::JournalWriter& journal,
            const std::atomic<bool>& stop);
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  [[nodiscard]] const lb_host* table() const { return &table_; }
  /// Strings live as long as the table.
  [[nodiscard]] lb_job job();
  void report(const Json& record);
  [[nodiscard]] bool journal_broken() const { return broken_; }
  [[nodiscard]] bool failure_reported() const { return failure_reported_; }
  /// A required output that was never asked for or was left empty.
  [[nodiscard]] std::optional<std::string> missing_output() const;

 private:
  static HostTable& self(void* ctx) { return *static_cast<HostTable*>(ctx); }
  lb_str keep(std::string text);

  void log(int32_t level, lb_str message);
  void progress(std::uint64_t done, std::uint64_t total, lb_str unit);
  void metric(const lb_metric& metric);
  lb_status input(lb_str port, std::size_t index, lb_input* out);
  lb_status output(lb_str port, lb_str* path);
  lb_status checkpoint_begin(std::uint64_t step, lb_str* dir);
  lb_status checkpoint_commit(std::uint64_t step);
  void fail(const lb_error& error);
  /// Puts into the journal what the machine said.
  lb_status refused(const Diagnostics& problems);
  const void* extension(std::string_view id);

  const exec::JobRequest& request_;
  const exec::AttemptPaths& attempt_;
  exec::JournalWriter& journal_;
  const std::atomic<bool>& stop_;
  lb_host table_{};
  lb_paid_calls paid_calls_{};
  lb_rates rates_{};
  std::mutex mutex_;
  std::deque<std::string> kept_;  ///< text handed to the stage lives until run() returns
  std::chrono::steady_clock::time_point last_progress_{};
  std::string last_unit_;
  std::set<std::uint64_t> committed_;
  std::atomic<bool> broken_{false};
  std::atomic<bool> failure_reported_{false};
};

}  // namespace lowbit::worker
