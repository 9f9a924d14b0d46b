// Declaring a stage and exporting a plugin. A stage is a function of a job; this file holds what stands between that
// function and the C contract: the description, the storage behind its pointers, and the wall that exceptions stop at.
#pragma once

#include <lowbit/plugin_abi.h>
#include <lowbit/errors.hpp>
#include <lowbit/job.hpp>
#include <lowbit/params.hpp>

#include <cxxabi.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace lowbit {

namespace detail {

/// Parameters of a stage body: `void(const Job&)` or `void(const Job&, const P&)`.
template <class Body>
struct BodyParams;
template <>
struct BodyParams<void (*)(const Job&)> {
  using Type = NoParams;
};
template <class P>
struct BodyParams<void (*)(const Job&, const P&)> {
  using Type = P;
};
template <auto Body>
using ParamsOf = typename BodyParams<decltype(Body)>::Type;

/// libtorch throws its own types for exhausted memory; their text is what a plugin without its headers can know them
/// by.
inline bool means_out_of_memory(std::string_view message) {
  for (const std::string_view sign : {"out of memory", "can't allocate memory", "ALLOC_FAILED"}) {
    if (message.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

/// The message of an exception without the frames that libtorch appends.
inline std::string_view without_frames(std::string_view message) {
  message = message.substr(0, std::min(message.find("\nException raised from"), message.find("\nframe #")));
  const std::size_t end = message.find_last_not_of(" \n");
  return end == std::string_view::npos ? message : message.substr(0, end + 1);
}

inline std::string type_name(const std::exception& e) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(typeid(e).name(), nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? name.get() : typeid(e).name();
}

inline lb_status fail(const lb_host& host, lb_status status, std::string_view what, std::string_view where,
                      std::string_view why, std::string_view fix) {
  const lb_error error{to_c(what), to_c(where), to_c(why), to_c(fix)};
  host.fail(host.ctx, &error);
  return status;
}

inline constexpr std::string_view kLessMemory = "give the stage more memory, or lower its batch size";
inline constexpr std::string_view kTellAuthor = "report this to the plugin's author";

/// REQUIRES: called while an exception is being handled.
inline lb_status report_current_exception(const lb_host& host, std::string_view where) {
  try {
    throw;
  } catch (const Cancelled&) {
    return LB_CANCELLED;
  } catch (const StageError& e) {
    const ErrorText& text = e.text();
    // A thrown error is a failure, whatever status its author put in.
    const lb_status status = e.status() == LB_OK || e.status() == LB_CANCELLED ? lb_status{LB_INTERNAL} : e.status();
    return fail(host, status, text.what, text.where, text.why, text.fix.empty() ? kTellAuthor : text.fix);
  } catch (const std::bad_alloc& e) {
    return fail(host, LB_RESOURCE, "out of memory", where, e.what(), kLessMemory);
  } catch (const std::system_error& e) {
    if (e.code() == std::errc::no_space_on_device) {
      return fail(host, LB_RESOURCE, "no space left on the disk", where, e.what(), "free disk space, then run again");
    }
    return fail(host, LB_INTERNAL, "unexpected exception " + type_name(e), where, e.what(), kTellAuthor);
  } catch (const std::exception& e) {
    if (means_out_of_memory(e.what())) {
      return fail(host, LB_RESOURCE, "out of memory", where, without_frames(e.what()), kLessMemory);
    }
    return fail(host, LB_INTERNAL, "unexpected exception " + type_name(e), where, without_frames(e.what()),
                kTellAuthor);
  } catch (...) {
    return fail(host, LB_INTERNAL, "unexpected exception", where, "its type is not derived from std::exception",
                kTellAuthor);
  }
}

}  // namespace detail

/// Turns a stage body into the C function of lb_stage: nothing it throws gets out, and every failure is reported.
template <auto Body>
lb_status guarded(const lb_job* job, const lb_host* host) noexcept {
  const Job face(*job, *host);
  try {
    if constexpr (std::is_invocable_v<decltype(Body), const Job&>) {
      Body(face);
    } else {
      Body(face, face.params<detail::ParamsOf<Body>>());
    }
    return LB_OK;
  } catch (...) {
    try {
      return detail::report_current_exception(*host, face.place());
    } catch (...) {  // no memory left even for the report
      return detail::fail(*host, LB_RESOURCE, "out of memory", {}, "while another failure was reported",
                          detail::kLessMemory);
    }
  }
}

/// A stage as its author declares it. Names and rules: docs/write-a-plugin.md.
class Stage {
 public:
  Stage(std::string id, lb_kind kind) : id_(std::move(id)), kind_(kind) {}

  /// Part of the key: change it whenever a number changes.
  Stage& version(std::string text) { return version_ = std::move(text), *this; }
  /// One sentence.
  Stage& summary(std::string text) { return summary_ = std::move(text), *this; }
  /// `type` is "model/1" or alternatives "model/1|adapter/1"; `flags` are LB_PORT_*.
  Stage& input(std::string name, std::string type, std::string doc, std::uint32_t flags = 0) {
    return inputs_.push_back({std::move(name), std::move(type), std::move(doc), flags}), *this;
  }
  Stage& output(std::string name, std::string type, std::string doc, std::uint32_t flags = 0) {
    return outputs_.push_back({std::move(name), std::move(type), std::move(doc), flags}), *this;
  }
  /// The result depends on job.seed().
  Stage& seeded() { return add(LB_CAP_SEEDED); }
  /// Goes on from a committed checkpoint, to the same bytes.
  Stage& resumable() { return add(LB_CAP_RESUME); }
  /// The result depends on the device class.
  Stage& device_sensitive() { return add(LB_CAP_DEVICE_SENSITIVE); }
  /// Can use a GPU.
  Stage& cuda() { return add(LB_CAP_CUDA); }
  /// Slow to load.
  Stage& preload() { return add(LB_CAP_PRELOAD); }
  /// An environment variable the job may see: the place for secrets.
  Stage& environment(std::string name) { return environment_.push_back(std::move(name)), *this; }

  /// What the stage does: `void(const Job&)` or `void(const Job&, const Params&)`; Params describe themselves.
  template <auto Body>
  Stage& run() {
    run_ = &guarded<Body>;
    schema_ = params_schema<detail::ParamsOf<Body>>().dump();
    return *this;
  }
  /// Refuses, before anything runs, parameters that contradict each other or the inputs: under a second, no writing.
  template <auto Body>
  Stage& check() {
    check_ = &guarded<Body>;
    return *this;
  }

 private:
  friend class PluginStorage;
  struct Port {
    std::string name, type, doc;
    std::uint32_t flags;
  };
  Stage& add(std::uint32_t cap) { return caps_ |= cap, *this; }

  std::string id_;
  lb_kind kind_;
  std::uint32_t caps_ = 0;
  std::string version_, summary_, schema_;
  std::vector<Port> inputs_, outputs_;
  std::vector<std::string> environment_;
  lb_status (*check_)(const lb_job*, const lb_host*) = nullptr;
  lb_status (*run_)(const lb_job*, const lb_host*) = nullptr;
};

/// Everything the exported lb_plugin points to. Made once by LOWBIT_PLUGIN and never destroyed.
class PluginStorage {
 public:
  PluginStorage(const char* build, std::vector<Stage> stages) : stages_(std::move(stages)) {
    for (const Stage& stage : stages_) pointers_.push_back(&c_stages_.emplace_back(c_stage(stage)));
    pointers_.push_back(nullptr);
    plugin_ = {LB_ABI_MAJOR, LB_ABI_MINOR, build, pointers_.data()};
  }
  PluginStorage(const PluginStorage&) = delete;
  PluginStorage& operator=(const PluginStorage&) = delete;

  [[nodiscard]] const lb_plugin* plugin() const { return &plugin_; }

 private:
  lb_stage c_stage(const Stage& s) {
    std::vector<const char*>& names = names_.emplace_back();
    for (const std::string& name : s.environment_) names.push_back(name.c_str());
    names.push_back(nullptr);
    lb_stage out{};
    out.size = sizeof(lb_stage);
    out.caps = s.caps_;
    out.kind = s.kind_;
    out.id = s.id_.c_str();
    out.version = s.version_.c_str();
    out.summary = s.summary_.c_str();
    out.params_schema = s.schema_.c_str();
    out.environment = names.data();
    out.inputs = c_ports(s.inputs_);
    out.outputs = c_ports(s.outputs_);
    out.check = s.check_;
    out.run = s.run_;
    return out;
  }

  const lb_port* const* c_ports(const std::vector<Stage::Port>& ports) {
    std::vector<const lb_port*>& list = port_lists_.emplace_back();
    for (const Stage::Port& p : ports) {
      list.push_back(&c_ports_.emplace_back(lb_port{p.name.c_str(), p.type.c_str(), p.doc.c_str(), p.flags}));
    }
    list.push_back(nullptr);
    return list.data();
  }

  // Deques: what was pointed to stays where it is.
  std::vector<Stage> stages_;
  std::deque<lb_port> c_ports_;
  std::deque<std::vector<const lb_port*>> port_lists_;
  std::deque<std::vector<const char*>> names_;
  std::deque<lb_stage> c_stages_;
  std::vector<const lb_stage*> pointers_;
  lb_plugin plugin_{};
};

}  // namespace lowbit

#if defined(__clang__)
#define LOWBIT_COMPILER "clang " __clang_version__
#else
#define LOWBIT_COMPILER "g++ " __VERSION__
#endif

/// The one export of a plugin: `LOWBIT_PLUGIN(build, stage, stage...)` with lowbit::Stage values. `build` is text for
/// messages: the compiler and the libraries that matter.
#define LOWBIT_PLUGIN(build, ...)                                                           \
  extern "C" __attribute__((visibility("default"))) const lb_plugin* lowbit_plugin(void) {  \
    try {                                                                                   \
      static const auto* const storage = new ::lowbit::PluginStorage(build, {__VA_ARGS__}); \
      return storage->plugin();                                                             \
    } catch (const std::exception& e) {                                                     \
      std::fprintf(stderr, "the plugin could not describe itself: %s\n", e.what());         \
      return nullptr;                                                                       \
    }                                                                                       \
  }
