#include "interchange/tensorboard.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "interchange/event_records.h"
#include "interchange/file_names.h"
#include "interchange/utc_time.h"

namespace lowbit::interchange {
namespace {

/// When an attempt began and ended, seconds since 1970.
struct Span {
  double start = 0;
  double end = 0;
};

Span span_of(const ExportedVariant& variant) {
  const ExecutionFacts& execution = variant.result->execution;
  const double end = epoch_seconds(execution.ended_at).value_or(0);
  return {.start = std::min(epoch_seconds(execution.started_at).value_or(end), end), .end = end};
}

/// "quantizer=gptq,seed=10" of "restore[quantizer=gptq,seed=10]".
std::string point_of(const StudyVariant& variant) {
  const std::size_t from = variant.stage.size() + 1;
  return variant.label.size() > from ? variant.label.substr(from, variant.label.size() - from - 1) : std::string();
}

std::int64_t last_step_of(const std::vector<CurveRow>& points) {
  std::int64_t last = 0;
  for (const CurveRow& point : points) last = std::max(last, point.step);
  return last;
}

}  // namespace

std::string event_file_path(const ExportedVariant& variant) {
  const std::string point = point_of(variant.variant);
  const auto second = static_cast<std::int64_t>(std::floor(span_of(variant).start));
  return path_part(variant.variant.stage) + "/" + (point.empty() ? "" : path_part(point) + "/") +
         "events.out.tfevents." + std::to_string(second) + ".lowbit";
}

ExportFile tensorboard_run(const ExportedVariant& variant, const std::vector<CurveRow>& points) {
  const Span span = span_of(variant);
  const std::int64_t last_step = last_step_of(points);
  ExportFile file{.path = event_file_path(variant), .bytes = event_file_header(span.start)};
  for (const CurveRow& point : points) {
    const double part = last_step == 0 ? 1.0 : static_cast<double>(point.step) / static_cast<double>(last_step);
    file.bytes +=
        scalar_event({.wall_time = span.start + part * (span.end - span.start),
                      .step = point.step,
                      .tag = point.name,
                      .value = static_cast<float>(point.value.value_or(std::numeric_limits<double>::quiet_NaN()))});
  }
  for (const MetricRow& metric : variant.result->facts.metrics) {
    file.bytes += scalar_event({.wall_time = span.end,
                                .step = last_step,
                                .tag = "final/" + metric.name,
                                .value = static_cast<float>(metric.value)});
  }
  return file;
}

}  // namespace lowbit::interchange
