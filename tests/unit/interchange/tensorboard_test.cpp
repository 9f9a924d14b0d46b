#include "interchange/tensorboard.h"

#include <catch2/catch.hpp>

#include <limits>

#include "interchange/event_records.h"
#include "unit/interchange/study.h"

using namespace lowbit;
using namespace lowbit::interchange;
using lowbit::test::small_study;

TEST_CASE("a run is named by its point, its file by the second it began", "[interchange]") {
  const ExportedStudy study = small_study();
  CHECK(event_file_path(study.variants[3]) == "score/num_bits=3,seed=7/events.out.tfevents.1795428030.lowbit");
  CHECK(event_file_path(study.variants[0]) == "task/events.out.tfevents.1795428000.lowbit");
}

TEST_CASE("points lie between the attempt's start and end, final metrics at its end", "[interchange]") {
  ExportedStudy study = small_study();
  ExportedVariant& variant = study.variants[1];  // from 10:00:10 to 10:00:20
  variant.result->facts.metrics.resize(1);
  const std::vector<CurveRow> points{
      {.name = "train/loss", .step = 0, .unit = "nats", .value = 2.0},
      {.name = "train/loss", .step = 5, .unit = "nats", .value = {}},
      {.name = "train/loss", .step = 10, .unit = "nats", .value = 0.25},
  };
  const double start = 1795428010.0;
  CHECK(tensorboard_run(variant, points).bytes ==
        event_file_header(start) + scalar_event({start, 0, "train/loss", 2.0F}) +
            scalar_event({start + 5, 5, "train/loss", std::numeric_limits<float>::quiet_NaN()}) +
            scalar_event({start + 10, 10, "train/loss", 0.25F}) +
            scalar_event({start + 10, 10, "final/weights/bits_per_weight", 3.25F}));
  CHECK(tensorboard_run(variant, {}).bytes ==
        event_file_header(start) + scalar_event({start + 10, 0, "final/weights/bits_per_weight", 3.25F}));
}
