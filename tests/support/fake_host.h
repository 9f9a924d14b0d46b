// A host for stages under test: gives a job what the test says and remembers all that the stage reported.
// Writes nothing unless `directory` is set; then outputs and checkpoints are real directories below it.
//
//   FakeHost host;
//   host.params = {{"group_size", 32}};
//   host.bind("model", {.path = "/models/a", .type = "model/1"});
//   REQUIRE(host.run(&lowbit::guarded<quantize>) == LB_OK);
//   CHECK(host.metrics.at(0).value == 0.5);
#pragma once

#include <lowbit/sdk.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lowbit::test {

class FakeHost {
 public:
  struct Metric {
    std::string name, unit;
    double value, std_error;
    std::uint64_t count;
    std::int64_t step;
  };
  struct Progress {
    std::uint64_t done, total;
    std::string unit;
  };
  struct BoundInput {
    std::string path, type;
    std::string digest = std::string(64, '0');
    std::string coordinates = "{}";
    std::string closure = "{}";
  };

  // What the job is given.
  nlohmann::json params = nlohmann::json::object();
  std::uint64_t seed = 0;
  std::uint32_t threads = 1;
  std::string stage_id = "stage";
  std::string device = "cpu";
  std::string resume_from;
  std::filesystem::path directory;
  std::filesystem::path paid_calls;  ///< the project's file; empty: this host keeps none
  std::string rates;                 ///< JSON object of shares; empty: this host knows none
  std::vector<std::string> outputs{"out"};
  std::optional<std::uint64_t> cancel_after_ticks;  ///< progress reports after which cancelled() says yes
  lb_status checkpoint_status = LB_OK;              ///< what checkpoint_commit answers
  void bind(const std::string& port, BoundInput input) { inputs_[port].push_back(std::move(input)); }

  // What it reported.
  std::vector<Metric> metrics;
  std::vector<Progress> progress;
  std::vector<std::pair<std::int32_t, std::string>> log;
  std::vector<ErrorText> errors;
  std::vector<std::uint64_t> checkpoints;

  lb_status run(lb_status (*function)(const lb_job*, const lb_host*)) {
    const std::string text = params.dump();
    const std::string scratch = path("scratch");
    lb_job job{};
    job.size = sizeof job;
    job.threads = threads;
    job.seed = seed;
    job.stage_id = to_c(stage_id);
    job.params = to_c(text);
    job.device = to_c(device);
    job.scratch_dir = to_c(scratch);
    job.resume_from = to_c(resume_from);
    const lb_host host = table();
    return function(&job, &host);
  }

  /// Where output `port` or checkpoint `name` is written.
  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory.empty() ? std::filesystem::path("/fake") : directory) / name;
  }

 private:
  static FakeHost& self(void* ctx) { return *static_cast<FakeHost*>(ctx); }

  lb_str keep(std::string text) {
    const std::lock_guard lock(mutex_);
    return to_c(kept_.emplace_back(std::move(text)));
  }

  std::string make_directory(const std::string& name) const {
    if (!directory.empty()) std::filesystem::create_directories(path(name));
    return path(name);
  }

  lb_host table() {
    lb_host host{};
    host.size = sizeof host;
    host.ctx = this;
    host.log = [](void* c, std::int32_t level, lb_str message) {
      const std::lock_guard lock(self(c).mutex_);
      self(c).log.emplace_back(level, view(message));
    };
    host.progress = [](void* c, std::uint64_t done, std::uint64_t total, lb_str unit) {
      const std::lock_guard lock(self(c).mutex_);
      self(c).progress.push_back({done, total, std::string(view(unit))});
    };
    host.metric = [](void* c, const lb_metric* m) {
      const std::lock_guard lock(self(c).mutex_);
      self(c).metrics.push_back(
          {std::string(view(m->name)), std::string(view(m->unit)), m->value, m->std_error, m->count, m->step});
    };
    host.cancelled = [](void* c) -> std::int32_t {
      const std::lock_guard lock(self(c).mutex_);
      const auto limit = self(c).cancel_after_ticks;
      return limit && self(c).progress.size() >= *limit ? 1 : 0;
    };
    host.input_count = [](void* c, lb_str port) {
      const auto found = self(c).inputs_.find(std::string(view(port)));
      return found == self(c).inputs_.end() ? std::size_t{0} : found->second.size();
    };
    host.input = [](void* c, lb_str port, std::size_t index, lb_input* out) -> lb_status {
      const auto found = self(c).inputs_.find(std::string(view(port)));
      if (found == self(c).inputs_.end() || index >= found->second.size()) return LB_BAD_INPUT;
      const BoundInput& in = found->second[index];
      out->path = to_c(in.path);
      out->type = to_c(in.type);
      out->digest = to_c(in.digest);
      out->coordinates = to_c(in.coordinates);
      out->closure = to_c(in.closure);
      return LB_OK;
    };
    host.output = [](void* c, lb_str port, lb_str* out) -> lb_status {
      const std::string name(view(port));
      const auto& all = self(c).outputs;
      if (std::find(all.begin(), all.end(), name) == all.end()) return LB_INTERNAL;
      *out = self(c).keep(self(c).make_directory(name));
      return LB_OK;
    };
    host.checkpoint_begin = [](void* c, std::uint64_t step, lb_str* out) -> lb_status {
      *out = self(c).keep(self(c).make_directory("checkpoint-" + std::to_string(step)));
      return LB_OK;
    };
    host.checkpoint_commit = [](void* c, std::uint64_t step) -> lb_status {
      if (self(c).checkpoint_status == LB_OK) self(c).checkpoints.push_back(step);
      return self(c).checkpoint_status;
    };
    host.fail = [](void* c, const lb_error* e) {
      self(c).errors.push_back({std::string(view(e->what)), std::string(view(e->where)), std::string(view(e->why)),
                                std::string(view(e->fix))});
    };
    paid_calls_text_ = paid_calls.string();
    paid_calls_ = {.size = sizeof(lb_paid_calls), .file = to_c(paid_calls_text_)};
    rates_ = {.size = sizeof(lb_rates), .shares = to_c(rates)};
    host.extension = [](void* c, const char* id) -> const void* {
      if (std::string_view(id) == LB_RATES && !self(c).rates.empty()) return &self(c).rates_;
      return std::string_view(id) == LB_PAID_CALLS && !self(c).paid_calls.empty() ? &self(c).paid_calls_ : nullptr;
    };
    return host;
  }

  std::map<std::string, std::vector<BoundInput>> inputs_;
  std::deque<std::string> kept_;
  std::string paid_calls_text_;
  lb_paid_calls paid_calls_{};
  lb_rates rates_{};
  std::mutex mutex_;
};

}  // namespace lowbit::test
