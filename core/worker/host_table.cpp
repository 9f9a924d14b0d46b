#include "worker/host_table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/utf8.h"
#include "env/files.h"

namespace lowbit::worker {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kProgressInterval = 200ms;

// Of one text in the journal: six times as much when every byte is escaped, which is still a record.
constexpr std::size_t kLongestText = std::size_t{1} << 20U;

std::string text(lb_str s) { return s.size == 0 ? std::string() : std::string(s.data, s.size); }

/// What people are told; cut between two characters where nobody would read on.
std::string told(lb_str s) {
  if (s.size <= kLongestText) return text(s);
  return std::string(utf8_prefix({s.data, s.size}, kLongestText)) + " [cut: it had " + std::to_string(s.size) +
         " bytes]";
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Result<void> put_in_place(const fs::path& written, const fs::path& finished) {
  LB_TRY(env::sync_tree(written));
  LB_TRY(env::remove_tree(finished));
  return env::rename_durably(written, finished);
}

bool holds_a_file(const fs::path& directory) {
  std::error_code code;
  for (fs::recursive_directory_iterator it(directory, code), end; !code && it != end; it.increment(code)) {
    if (it->is_regular_file(code)) return true;
  }
  return false;
}

}  // namespace

HostTable::HostTable(const exec::JobRequest& request, const exec::AttemptPaths& attempt, exec::JournalWriter& journal,
                     const std::atomic<bool>& stop)
    : request_(request), attempt_(attempt), journal_(journal), stop_(stop) {
  table_.size = sizeof(lb_host);
  table_.ctx = this;
  table_.log = [](void* ctx, int32_t level, lb_str message) { self(ctx).log(level, message); };
  table_.progress = [](void* ctx, uint64_t done, uint64_t total, lb_str unit) {
    self(ctx).progress(done, total, unit);
  };
  table_.metric = [](void* ctx, const lb_metric* metric) { self(ctx).metric(*metric); };
  table_.cancelled = [](void* ctx) -> int32_t { return self(ctx).stop_ || self(ctx).broken_ ? 1 : 0; };
  table_.input_count = [](void* ctx, lb_str port) -> size_t {
    const auto it = self(ctx).request_.inputs.find(text(port));
    return it == self(ctx).request_.inputs.end() ? 0 : it->second.size();
  };
  table_.input = [](void* ctx, lb_str port, size_t index, lb_input* out) { return self(ctx).input(port, index, out); };
  table_.output = [](void* ctx, lb_str port, lb_str* path) { return self(ctx).output(port, path); };
  table_.checkpoint_begin = [](void* ctx, uint64_t step, lb_str* dir) { return self(ctx).checkpoint_begin(step, dir); };
  table_.checkpoint_commit = [](void* ctx, uint64_t step) { return self(ctx).checkpoint_commit(step); };
  table_.fail = [](void* ctx, const lb_error* error) { self(ctx).fail(*error); };
  table_.extension = [](void* ctx, const char* id) { return self(ctx).extension(id); };
  paid_calls_ = {.size = sizeof(lb_paid_calls), .file = keep(request_.paid_calls.string())};
  const Json rates = request_.lease.is_object() ? request_.lease.value("rates", Json::object()) : Json::object();
  rates_ = {.size = sizeof(lb_rates), .shares = keep(canonical(rates))};
}

lb_job HostTable::job() {
  return {.size = sizeof(lb_job),
          .threads = request_.threads,
          .seed = request_.seed,
          .stage_id = keep(request_.stage_label),
          .params = keep(canonical(request_.params)),
          .device = keep(request_.device),
          .scratch_dir = keep(attempt_.scratch().string()),
          .resume_from = keep(request_.resume_from.string())};
}

void HostTable::report(const Json& record) {
  if (!journal_.append(record)) broken_ = true;
}

lb_status HostTable::refused(const Diagnostics& problems) {
  report({{"k", "log"}, {"level", LB_LOG_ERROR}, {"text", render(problems)}});
  return LB_RESOURCE;
}

std::optional<std::string> HostTable::missing_output() const {
  for (const std::string& port : request_.required_outputs) {
    if (!holds_a_file(attempt_.output(port))) return port;
  }
  return std::nullopt;
}

lb_str HostTable::keep(std::string value) {
  const std::lock_guard lock(mutex_);
  kept_.push_back(std::move(value));
  return {kept_.back().data(), kept_.back().size()};
}

void HostTable::log(int32_t level, lb_str message) {
  report({{"k", "log"}, {"level", level}, {"text", told(message)}});
}

// The first report and every change of unit are never held back: a crash report needs the last known position.
void HostTable::progress(std::uint64_t done, std::uint64_t total, lb_str unit) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    const std::string name = told(unit);
    const bool due = now - last_progress_ >= kProgressInterval || name != last_unit_ || (total != 0 && done == total);
    if (!due) return;
    last_progress_ = now;
    last_unit_ = name;
  }
  report({{"k", "progress"}, {"done", done}, {"total", total}, {"unit", told(unit)}});
}

void HostTable::metric(const lb_metric& m) {
  report({{"k", "metric"},
          {"name", told(m.name)},
          {"unit", told(m.unit)},
          {"value", number_or_null(m.value)},
          {"std_error", number_or_null(m.std_error)},
          {"count", m.count},
          {"step", m.step}});
}

lb_status HostTable::input(lb_str port, std::size_t index, lb_input* out) {
  const auto it = request_.inputs.find(text(port));
  if (it == request_.inputs.end() || index >= it->second.size()) return LB_INTERNAL;
  const exec::JobInput& input = it->second[index];
  constexpr std::size_t kMembersOfAbi1 = offsetof(lb_input, closure) + sizeof(lb_str);
  if (out->size < kMembersOfAbi1) return LB_INTERNAL;
  out->path = keep(input.path.string());
  out->type = keep(input.type);
  out->digest = keep(input.digest.hex());
  out->coordinates = keep(canonical(input.coordinates));
  out->closure = keep(canonical(input.closure));
  return LB_OK;
}

lb_status HostTable::output(lb_str port, lb_str* path) {
  const std::string name = text(port);
  if (std::find(request_.outputs.begin(), request_.outputs.end(), name) == request_.outputs.end()) return LB_INTERNAL;
  const fs::path directory = attempt_.output(name);
  if (const auto made = env::make_directories(directory); !made.ok()) return refused(made.error());
  *path = keep(directory.string());
  return LB_OK;
}

lb_status HostTable::checkpoint_begin(std::uint64_t step, lb_str* dir) {
  const fs::path directory = attempt_.checkpoints() / (std::to_string(step) + ".tmp");
  if (const auto removed = env::remove_tree(directory); !removed.ok()) return refused(removed.error());
  if (const auto made = env::make_directories(directory); !made.ok()) return refused(made.error());
  *dir = keep(directory.string());
  return LB_OK;
}

lb_status HostTable::checkpoint_commit(std::uint64_t step) {
  const fs::path finished = attempt_.checkpoints() / std::to_string(step);
  const fs::path directory = attempt_.checkpoints() / (std::to_string(step) + ".tmp");
  if (!env::exists(directory)) return LB_INTERNAL;
  // What was told so far is not told again after a resume: no checkpoint may outlive it.
  if (broken_ || !journal_.sync()) return LB_RESOURCE;
  if (const auto written = put_in_place(directory, finished); !written.ok()) return refused(written.error());
  report({{"k", "checkpoint"}, {"step", step}});
  for (const std::uint64_t older : committed_) {
    if (older == step) continue;
    const auto removed = env::remove_tree(attempt_.checkpoints() / std::to_string(older));
    if (!removed.ok()) return refused(removed.error());
  }
  committed_ = {step};
  return broken_ ? LB_RESOURCE : LB_OK;
}

void HostTable::fail(const lb_error& e) {
  failure_reported_ = true;
  report({{"k", "fail"}, {"what", told(e.what)}, {"where", told(e.where)}, {"why", told(e.why)}, {"fix", told(e.fix)}});
}

const void* HostTable::extension(std::string_view id) {
  if (id == LB_RATES) return &rates_;
  return id == LB_PAID_CALLS && paid_calls_.file.size != 0 ? &paid_calls_ : nullptr;
}

}  // namespace lowbit::worker
