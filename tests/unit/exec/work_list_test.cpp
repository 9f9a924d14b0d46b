#include "exec/work_list.h"

#include <catch2/catch.hpp>

using namespace lowbit;
using namespace lowbit::exec;

namespace {

using Indices = std::vector<graph::VariantIndex>;

const StageDescription& plugin() {
  static const StageDescription one{.id = "lowbit.x", .version = "1.0.0", .kind = StageKind::dataset, .summary = "x"};
  return one;
}

/// Stages without inputs, which can all start; those with the same number make the same.
struct Stages {
  graph::ExpandedGraph graph;
  graph::Plan plan;
  graph::ExternalDigests externals;
  Capacity capacity{.cpus = 1, .gpus = {}, .rates = {}};
  ResourcePool pool{capacity};
  std::optional<VariantStates> states;
  std::optional<WorkList> works;

  explicit Stages(const std::vector<int>& numbers) {
    for (const int number : numbers) {
      graph::Variant& variant = graph.variants.emplace_back();
      variant.stage = std::string(1, static_cast<char>('a' + plan.variants.size()));
      variant.plugin = &plugin();
      variant.params = {{"number", number}};
      graph::PlannedVariant& planned = plan.variants.emplace_back();
      planned.variant = plan.variants.size() - 1;
      planned.own = graph::own_record(variant, "cpu");
    }
    states.emplace(graph, plan, externals, std::nullopt, DurationHistory());
    works.emplace(graph, *states, capacity);
  }

  JobPtr add(graph::VariantIndex index) {
    static_cast<void>(states->know_inputs(index));
    states->schedule(index);
    return works->add(index);
  }
  [[nodiscard]] const Digest& key(graph::VariantIndex index) const { return states->content(index).digest; }
  /// A job that makes the result of this variant.
  [[nodiscard]] JobPtr job(graph::VariantIndex index) {
    static_cast<void>(states->know_inputs(index));
    PublishContext context;
    context.content.digest = key(index);
    return std::make_shared<RunningJob>(RunningJob{.label = graph.variants[index].label(),
                                                   .context = std::move(context),
                                                   .tail = JournalTail("nowhere"),
                                                   .watch = ProgressWatch(std::chrono::milliseconds(0), {})});
  }
  Indices startable() {
    Indices all;
    while (const auto next = works->next(pool)) all.push_back(*next);
    return all;
  }
};

}  // namespace

TEST_CASE("variants that need the same result have one job", "[exec][works]") {
  Stages stages({1, 1, 2});
  for (const graph::VariantIndex index : Indices{0, 1, 2}) CHECK_FALSE(stages.add(index));
  CHECK(stages.startable() == Indices{0, 2});
  stages.works->begin(0, stages.job(0));
  CHECK(stages.works->in_flight() == 1);
  const Work work = stages.works->take(stages.key(0));
  CHECK(work.variants == Indices{0, 1});
  CHECK(work.attempts == 1);
  CHECK(stages.works->in_flight() == 0);
  CHECK(stages.works->find(stages.key(0)) == nullptr);
}

TEST_CASE("a job of another host is waited for by the first variant that needs what it makes", "[exec][works]") {
  Stages stages({1, 1});
  const JobPtr adopted = stages.job(0);
  CHECK(stages.works->adopt(adopted));
  CHECK_FALSE(stages.works->adopt(stages.job(1)));
  CHECK(stages.works->in_flight() == 0);  // nobody here needs it yet
  CHECK(stages.add(1) == adopted);
  CHECK(stages.works->in_flight() == 1);
  CHECK_FALSE(stages.add(0));
  CHECK(stages.startable().empty());
  CHECK(stages.works->take(stages.key(0)).variants == Indices{1, 0});
}

TEST_CASE("who is withdrawn leaves its work to the others", "[exec][works]") {
  Stages stages({1, 1, 2});
  for (const graph::VariantIndex index : Indices{0, 1, 2}) static_cast<void>(stages.add(index));
  SECTION("before it started: another is started in its place, or nothing") {
    stages.works->withdraw(0);
    stages.works->withdraw(2);
    CHECK(stages.startable() == Indices{1});
    CHECK(stages.works->find(stages.key(2)) == nullptr);
  }
  SECTION("while its job runs: that runs on under another name") {
    CHECK(stages.startable() == Indices{0, 2});
    const JobPtr job = stages.job(0);
    stages.works->begin(0, job);
    stages.works->withdraw(0);
    CHECK(job->label == "b");
    CHECK(stages.works->take(stages.key(0)).variants == Indices{1});
  }
}

TEST_CASE("what is put back can be tried again, unless it was cancelled meanwhile", "[exec][works]") {
  Stages stages({1});
  static_cast<void>(stages.add(0));
  REQUIRE(stages.startable() == Indices{0});
  stages.works->begin(0, stages.job(0));
  stages.works->put_back(stages.key(0), stages.works->take(stages.key(0)));
  CHECK(stages.startable().empty());
  SECTION("it was not") {
    CHECK(stages.works->try_again(stages.key(0), 0));
    CHECK(stages.startable() == Indices{0});
    stages.works->begin(0, stages.job(0));
    CHECK(stages.works->take(stages.key(0)).attempts == 2);
  }
  SECTION("it was") {
    stages.works->withdraw(0);
    CHECK_FALSE(stages.works->try_again(stages.key(0), 0));
    CHECK(stages.startable().empty());
  }
}
