#include "store/result_rows.h"

#include <cmath>

#include "component/store/fixture.h"
#include "store/task_questions.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

/// A result with a curve that has a gap, and with two predictions and a verdict.
std::int64_t publish(Writer& writer) {
  Publication made = writer.publication("c", "solve");
  made.metrics.push_back({.name = "loss", .unit = "nats", .value = 2.0, .std_error = 0.5, .count = 8, .step = 20});
  made.metrics.push_back(
      {.name = "loss", .unit = "nats", .value = std::nan(""), .std_error = {}, .count = 0, .step = 10});
  made.metrics.push_back({.name = "early", .unit = "ratio", .value = 1.0, .std_error = {}, .count = 0, .step = 30});
  PublishedOutput verdicts;
  verdicts.port = "verdicts";
  verdicts.artifact = {"verdicts/1", sha256("v")};
  made.outputs.push_back(verdicts);
  made.items["predictions"] = {{"z", {{"correct", true}, {"text", "„4“"}}}, {"a", {{"correct", nullptr}}}};
  made.items["verdicts"] = {{"a", {{"judge", "vote"}, {"status", "error"}}}};
  return writer.publish(made).id;
}

}  // namespace

TEST_CASE("points of curves come by name and step, items in the order of their artifact", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const std::int64_t result = publish(writer);
  ResultRows rows = must(ResultRows::open(dir.database()));
  std::string points;
  must(rows.each_point(result, [&](const CurveRow& point) -> Result<void> {
    points += point.name + " " + std::to_string(point.step) + " " + point.unit + " " +
              (point.value ? std::to_string(*point.value) : "-") + " " +
              (point.std_error ? std::to_string(*point.std_error) : "-") + " " + std::to_string(point.count) + "\n";
    return {};
  }));
  CHECK(points ==
        "early 30 ratio 1.000000 - 0\n"
        "loss 10 nats - - 0\n"
        "loss 20 nats 2.000000 0.500000 8\n");
  for (const auto& [kind, wanted] :
       {std::pair{ItemKind::predictions, std::string("predictions z {\"correct\":true,\"text\":\"„4“\"}\n"
                                                     "predictions a {\"correct\":null}\n")},
        std::pair{ItemKind::verdicts, std::string("verdicts a {\"judge\":\"vote\",\"status\":\"error\"}\n")},
        std::pair{ItemKind::grades, std::string()}}) {
    std::string items;
    must(rows.each_item(result, kind, [&](const ItemLine& item) -> Result<void> {
      items += item.port + " " + item.item_id + " " + canonical(item.fields) + "\n";
      return {};
    }));
    CHECK(items == wanted);
  }
}

TEST_CASE("a visitor that has a problem ends the walk, and the next walk begins anew", "[store]") {
  const Directory dir;
  Writer writer(dir.database());
  const std::int64_t result = publish(writer);
  ResultRows rows = must(ResultRows::open(dir.database()));
  int visited = 0;
  const auto stop = [&](const ItemLine&) -> Result<void> {
    ++visited;
    return error("LB6103", "the disk is full");
  };
  CHECK(dir.error_of(rows.each_item(result, ItemKind::predictions, stop)) == "error[LB6103]: the disk is full\n");
  CHECK(visited == 1);
  CHECK_FALSE(rows.each_item(result, ItemKind::predictions, stop).ok());
  CHECK(visited == 2);
}

TEST_CASE("the third sample of an item answers the item", "[store]") {
  CHECK(item_of_sample("item-1#3") == "item-1");
  CHECK(item_of_sample("item-1") == "item-1");
}
