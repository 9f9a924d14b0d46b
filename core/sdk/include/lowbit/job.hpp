// One execution of one stage, as its author sees it: parameters, inputs, outputs, randomness, reports, checkpoints.
//
// Threads: everything may be called from any thread that the stage started, except checkpoint(), which belongs to the
// thread that run() was called on. A Job lives as long as run() and is not copied.
#pragma once

#include <lowbit/paid_calls.h>
#include <lowbit/plugin_abi.h>
#include <lowbit/rates.h>
#include <lowbit/errors.hpp>
#include <lowbit/params.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lowbit {

/// An artifact or file bound to an input port. Read-only.
struct Input {
  std::filesystem::path path;  ///< file or directory
  std::string type;            ///< "quantized-model/1"
  std::string digest;          ///< 64 hexadecimal digits: identity of the bytes
  nlohmann::json coordinates;  ///< object of the gathered axes; {} when not gathered
  nlohmann::json closure;      ///< object digest -> {"path","type"}: what this artifact is based on, recursively

  /// The file itself, or the one file in the directory: how an artifact of type `file` is opened whether it came from
  /// outside the experiment or from another stage.
  [[nodiscard]] std::filesystem::path file() const;
};

/// What a final metric is an average of; both unknown unless said.
struct Average {
  std::uint64_t count = 0;  ///< items averaged over
  double std_error = std::numeric_limits<double>::quiet_NaN();
};

/// Seed of the stream `purpose` under `seed`: splitmix64(splitmix64(seed) ^ FNV-1a-64(purpose)). The recipe is part
/// of every result that used it and never changes.
[[nodiscard]] constexpr std::uint64_t stream_seed(std::uint64_t seed, std::string_view purpose);

class Job {
 public:
  Job(const lb_job& job, const lb_host& host) : job_(job), host_(host) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// "quantize[num_bits=3]": for messages only.
  [[nodiscard]] std::string_view stage_id() const { return view(job_.stage_id); }
  /// Parameters as P's field list reads them.
  template <class P>
  [[nodiscard]] P params() const {
    return read_params<P>(nlohmann::json::parse(view(job_.params)));
  }
  /// Upper bound on busy threads, at least 1.
  [[nodiscard]] std::uint32_t threads() const { return job_.threads; }
  /// "cpu" or "cuda:0".
  [[nodiscard]] std::string_view device() const { return view(job_.device); }
  /// Private to this job and deleted afterwards.
  [[nodiscard]] std::filesystem::path scratch() const { return view(job_.scratch_dir); }

  // Randomness. A stage that uses any of these declares .seeded(), or all its seeds are one variant.
  [[nodiscard]] std::uint64_t seed() const { return job_.seed; }
  /// For generators that are not of the standard library: `torch::manual_seed(job.seed_for("dropout"))`.
  [[nodiscard]] std::uint64_t seed_for(std::string_view purpose) const { return stream_seed(job_.seed, purpose); }
  /// An independent stream per purpose: drawing more from one shifts no other. Draw integers from it with own
  /// arithmetic where bits matter: distributions of the standard library differ between its implementations.
  [[nodiscard]] std::mt19937_64 rng(std::string_view purpose) const { return std::mt19937_64(seed_for(purpose)); }

  // Ports.
  [[nodiscard]] bool has_input(std::string_view port) const { return input_count(port) > 0; }
  /// REQUIRES: the port is bound, once.
  [[nodiscard]] Input input(std::string_view port) const { return input_at(port, 0); }
  /// Members of a gathered port in canonical order; empty when unbound.
  [[nodiscard]] std::vector<Input> inputs(std::string_view port) const;
  /// A directory to write into; what it holds is published when the stage ends well.
  [[nodiscard]] std::filesystem::path output(std::string_view port) const;

  // Reports.
  /// A final number that may fill a table cell; `name` and `unit` as in schemas/metrics.yaml. It must be finite.
  void metric(std::string_view name, double value, std::string_view unit, Average average = {}) const {
    report({to_c(name), to_c(unit), value, average.std_error, average.count, -1});
  }
  /// A point of a curve. REQUIRES: step >= 0.
  void curve(std::string_view name, double value, std::string_view unit, std::int64_t step) const {
    report({to_c(name), to_c(unit), value, std::numeric_limits<double>::quiet_NaN(), 0, step});
  }
  /// Reports progress and throws Cancelled when the host asked to stop. Costs nanoseconds: once per unit of work.
  /// `total` 0: not known.
  void tick(std::uint64_t done, std::uint64_t total, std::string_view unit) const {
    done_ = done;
    total_ = total;
    unit_ = unit;
    host_.progress(host_.ctx, done, total, to_c(unit));
    stop_if_cancelled();
  }
  /// Where the stage is, for a failure that does not know: its label, and "after 3 of 32 blocks" once it ticked.
  [[nodiscard]] std::string place() const {
    std::string text(stage_id());
    if (unit_.empty()) return text;
    if (!text.empty()) text += ", ";
    text += "after " + std::to_string(done_);
    if (total_ > 0) text += " of " + std::to_string(total_);
    return text + " " + unit_;
  }
  /// For long stretches that have no progress to report.
  void stop_if_cancelled() const {
    if (host_.cancelled(host_.ctx) != 0) throw Cancelled{};
  }
  void debug(std::string_view message) const { host_.log(host_.ctx, LB_LOG_DEBUG, to_c(message)); }
  void info(std::string_view message) const { host_.log(host_.ctx, LB_LOG_INFO, to_c(message)); }
  void warn(std::string_view message) const { host_.log(host_.ctx, LB_LOG_WARN, to_c(message)); }
  void error(std::string_view message) const { host_.log(host_.ctx, LB_LOG_ERROR, to_c(message)); }

  // Resuming. A stage that uses these declares .resumable(): run to the end and run, kill, resume give the same bytes.
  /// The committed checkpoint to go on from, if there is one.
  [[nodiscard]] std::optional<std::filesystem::path> resume_from() const {
    if (job_.resume_from.size == 0) return std::nullopt;
    return std::filesystem::path(view(job_.resume_from));
  }
  /// Calls `write(directory)` with an empty directory and makes what it wrote durable; older checkpoints go. It holds
  /// all that the result depends on: weights, optimizer, generator states, data position.
  template <class Writer>
  void checkpoint(std::uint64_t step, Writer&& write) const {
    lb_str directory{};
    expect_ok(host_.checkpoint_begin(host_.ctx, step, &directory), "a checkpoint could not be started", step);
    std::forward<Writer>(write)(std::filesystem::path(view(directory)));
    expect_ok(host_.checkpoint_commit(host_.ctx, step), "a checkpoint could not be committed", step);
  }

  /// The project's paid-calls file (lowbit/paid_calls.h); nothing when this host keeps none.
  [[nodiscard]] std::optional<std::filesystem::path> paid_calls() const {
    const auto* const calls = static_cast<const lb_paid_calls*>(extension(LB_PAID_CALLS));
    if (calls == nullptr) return std::nullopt;
    return std::filesystem::path(view(calls->file));
  }
  /// This job's shares of the requests a minute at endpoints (lowbit/rates.h), by name.
  [[nodiscard]] std::map<std::string, std::uint32_t> rates() const {
    std::map<std::string, std::uint32_t> shares;
    const auto* const rates = static_cast<const lb_rates*>(extension(LB_RATES));
    if (rates == nullptr) return shares;
    const auto all = nlohmann::json::parse(view(rates->shares), nullptr, false);
    if (!all.is_object()) return shares;
    for (const auto& [name, share] : all.items()) {
      if (share.is_number_unsigned()) shares[name] = share.get<std::uint32_t>();
    }
    return shares;
  }
  /// One of them; nothing: requests to that endpoint are not limited.
  [[nodiscard]] std::optional<std::uint32_t> requests_per_minute(const std::string& endpoint) const {
    const auto shares = rates();
    const auto share = shares.find(endpoint);
    return share == shares.end() ? std::nullopt : std::optional(share->second);
  }
  /// A service outside the table of plugin_abi.h, "name/rev"; null when this host does not offer it.
  [[nodiscard]] const void* extension(const char* id) const { return host_.extension(host_.ctx, id); }

 private:
  void report(const lb_metric& metric) const { host_.metric(host_.ctx, &metric); }
  [[nodiscard]] std::size_t input_count(std::string_view port) const {
    return host_.input_count(host_.ctx, to_c(port));
  }
  [[nodiscard]] Input input_at(std::string_view port, std::size_t index) const;
  static void expect_ok(lb_status status, const char* what, std::uint64_t step);

  const lb_job& job_;
  const lb_host& host_;
  // Of the last tick. A job has one thread.
  mutable std::uint64_t done_ = 0;
  mutable std::uint64_t total_ = 0;
  mutable std::string unit_;
};

// Implementation.

namespace detail {
constexpr std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}
}  // namespace detail

constexpr std::uint64_t stream_seed(std::uint64_t seed, std::string_view purpose) {
  return detail::splitmix64(detail::splitmix64(seed) ^ detail::fnv1a(purpose));
}

inline std::filesystem::path Input::file() const {
  if (!std::filesystem::is_directory(path)) return path;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
  if (files.size() == 1 && std::filesystem::is_regular_file(files.front())) return files.front();
  throw StageError(LB_BAD_INPUT, {.what = "one file was expected, a directory was found",
                                  .where = path.string(),
                                  .why = "it holds " + std::to_string(files.size()) + " entries",
                                  .fix = "bind this port to a file, or to a stage that writes exactly one"});
}

inline std::vector<Input> Job::inputs(std::string_view port) const {
  std::vector<Input> all;
  const std::size_t count = input_count(port);
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.push_back(input_at(port, i));
  return all;
}

inline Input Job::input_at(std::string_view port, std::size_t index) const {
  lb_input in{};
  in.size = sizeof in;
  if (host_.input(host_.ctx, to_c(port), index, &in) != LB_OK) {
    throw StageError(LB_INTERNAL, {.what = "the stage read input `" + std::string(port) + "`, which is not bound",
                                   .where = std::string(stage_id()),
                                   .why = "the port is optional or not declared",
                                   .fix = "report this to the plugin's author: ask has_input() first"});
  }
  return {.path = std::filesystem::path(view(in.path)),
          .type = std::string(view(in.type)),
          .digest = std::string(view(in.digest)),
          .coordinates = nlohmann::json::parse(view(in.coordinates)),
          .closure = nlohmann::json::parse(view(in.closure))};
}

inline std::filesystem::path Job::output(std::string_view port) const {
  lb_str path{};
  if (host_.output(host_.ctx, to_c(port), &path) != LB_OK) {
    throw StageError(LB_INTERNAL, {.what = "the stage wrote output `" + std::string(port) + "`, which it does not have",
                                   .where = std::string(stage_id()),
                                   .why = "the port is not declared, or its directory could not be made",
                                   .fix = "report this to the plugin's author: declare the output"});
  }
  return view(path);
}

inline void Job::expect_ok(lb_status status, const char* what, std::uint64_t step) {
  if (status == LB_OK) return;
  if (status == LB_CANCELLED) throw Cancelled{};
  throw StageError(status, {.what = what,
                            .where = "checkpoint " + std::to_string(step),
                            .why = "the host answered with status " + std::to_string(status),
                            .fix = "see the log of the stage; free disk space if it is full, then run again"});
}

}  // namespace lowbit
