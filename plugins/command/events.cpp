#include "events.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

namespace lowbit::command {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct StatusName {
  std::string_view name;
  lb_status status;
};
constexpr std::array kStatuses{StatusName{"bad_param", LB_BAD_PARAM}, StatusName{"bad_input", LB_BAD_INPUT},
                               StatusName{"internal", LB_INTERNAL},   StatusName{"resource", LB_RESOURCE},
                               StatusName{"numeric", LB_NUMERIC},     StatusName{"transient", LB_TRANSIENT}};
constexpr std::array kLevels{StatusName{"debug", LB_LOG_DEBUG}, StatusName{"info", LB_LOG_INFO},
                             StatusName{"warn", LB_LOG_WARN}, StatusName{"error", LB_LOG_ERROR}};

template <class Table>
std::int32_t code_of(const Table& table, const json& name) {
  const std::string text = name.get<std::string>();
  for (const auto& [known, code] : table) {
    if (known == text) return code;
  }
  throw std::invalid_argument("`" + text + "` is not one of its words");
}

/// null stands for NaN, which JSON does not have.
double number(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

/// Refuses what would be ignored: a slip in an optional name must not pass.
void only(const json& event, std::initializer_list<std::string_view> names) {
  if (!event.is_object()) throw std::invalid_argument("its content must be an object");
  for (const auto& [name, unused] : event.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw std::invalid_argument("`" + name + "` is not one of its fields");
    }
  }
}

std::uint64_t natural(const json& value) {
  if (!value.is_number_unsigned())
    throw std::invalid_argument("a number of at least 0 was expected, not " + value.dump());
  return value.get<std::uint64_t>();
}

}  // namespace

Events::Events(const Job& job, fs::path file, fs::path checkpoints)
    : job_(job), file_(std::move(file)), checkpoints_(std::move(checkpoints)) {
  std::ofstream(file_).close();
  in_.open(file_, std::ios::binary);
  if (!in_) {
    throw StageError(LB_RESOURCE, {.what = "the events file could not be made",
                                   .where = file_.string(),
                                   .why = "its directory cannot be written",
                                   .fix = "check free space and permissions of the project's directory"});
  }
}

void Events::read() {
  in_.clear();
  for (std::string piece; std::getline(in_, piece);) {
    partial_ += piece;
    if (in_.eof()) return;  // no newline yet
    take(std::exchange(partial_, {}));
  }
}

void Events::read_to_end() {
  read();
  if (!partial_.empty()) take(std::exchange(partial_, {}));
}

void Events::take(const std::string& line) {
  ++line_;
  if (line.empty()) return;
  try {
    const json event = json::parse(line);
    if (!event.is_object() || event.size() != 1) throw std::invalid_argument("an event is an object with one key");
    const std::string& kind = event.begin().key();
    const json& content = event.begin().value();
    if (kind == "metric") return metric(content);
    if (kind == "progress") return progress(content);
    if (kind == "log") return log(content);
    if (kind == "checkpoint") return checkpoint(content);
    if (kind == "error") return remember_error(content);
    throw std::invalid_argument("`" + kind + "` is not an event");
  } catch (const StageError&) {
    throw;
  } catch (const std::exception& e) {  // of the parser, of a value's type, of the rules above
    throw StageError(LB_INTERNAL, {.what = "line " + std::to_string(line_) + " of the events file is not an event",
                                   .where = line.substr(0, 200),
                                   .why = e.what(),
                                   .fix = "write one JSON object with one of the keys metric, progress, log, "
                                          "checkpoint, error a line (null, not NaN); see docs/command-stage.md"});
  }
}

void Events::metric(const json& event) {
  only(event, {"name", "unit", "value", "std_error", "count", "step"});
  const std::string name = event.at("name");
  const std::string unit = event.at("unit");
  const double value = number(event.at("value"));
  if (event.contains("step")) {
    return job_.curve(name, value, unit, static_cast<std::int64_t>(natural(event.at("step"))));
  }
  Average average;
  if (event.contains("count")) average.count = natural(event.at("count"));
  if (event.contains("std_error")) average.std_error = number(event.at("std_error"));
  ++final_metrics_;
  job_.metric(name, value, unit, average);
}

void Events::progress(const json& event) {
  only(event, {"done", "total", "unit"});
  const std::uint64_t total = event.contains("total") ? natural(event.at("total")) : 0;
  job_.tick(natural(event.at("done")), total, event.value("unit", "steps"));
}

void Events::log(const json& event) {
  if (event.is_string()) return job_.info(event.get<std::string>());
  only(event, {"level", "text"});
  const std::string text = event.at("text");
  switch (code_of(kLevels, event.at("level"))) {
    case LB_LOG_DEBUG: return job_.debug(text);
    case LB_LOG_WARN: return job_.warn(text);
    case LB_LOG_ERROR: return job_.error(text);
    default: return job_.info(text);
  }
}

void Events::checkpoint(const json& event) {
  const std::uint64_t step = natural(event);
  const fs::path written = checkpoints_ / std::to_string(step);
  if (!fs::is_directory(written) || fs::is_empty(written)) {
    throw std::invalid_argument("resume_dir/" + std::to_string(step) + " holds no files");
  }
  job_.checkpoint(step, [&](const fs::path& directory) {
    for (const auto& entry : fs::directory_iterator(written)) {
      const fs::path target = directory / entry.path().filename();
      std::error_code other_file_system;
      fs::rename(entry.path(), target, other_file_system);
      if (other_file_system) fs::copy(entry.path(), target, fs::copy_options::recursive);
    }
  });
  fs::remove_all(written);
}

void Events::remember_error(const json& event) {
  only(event, {"status", "what", "where", "why", "fix"});
  StageError error(code_of(kStatuses, event.at("status")), {.what = event.at("what"),
                                                            .where = event.value("where", ""),
                                                            .why = event.value("why", ""),
                                                            .fix = event.at("fix")});
  if (!error_) error_ = std::move(error);
}

}  // namespace lowbit::command
