// What a live host answers, without a host.
#include "exec/control.h"

#include <catch2/catch.hpp>
#include <set>

using lowbit::Json;
using lowbit::exec::answer_control;
using lowbit::exec::Controlled;
using lowbit::exec::read_answer;
using lowbit::exec::Snapshot;
using lowbit::exec::VariantState;

namespace {

/// A run that stands still and keeps what it is told.
class FakeRun : public Controlled {
 public:
  FakeRun() {
    now.experiment = "restore";
    now.cpus = 2;
    now.variants = {
        {.label = "quantize[bits=3]", .stage = "quantize", .state = VariantState::running, .text = {}, .cause = {}},
        {.label = "quantize[bits=4]", .stage = "quantize", .state = VariantState::done, .text = {}, .cause = {}},
        {.label = "judge", .stage = "judge", .state = VariantState::waiting, .text = {}, .cause = {}},
        {.label = "align", .stage = "align", .state = VariantState::failed, .text = "no memory", .cause = "resource"}};
  }
  [[nodiscard]] Snapshot snapshot() const override { return now; }
  bool cancel(lowbit::graph::VariantIndex variant) override {
    if (just_ended.count(variant) > 0) return false;
    cancelled.insert(variant);
    return true;
  }
  std::vector<lowbit::graph::VariantIndex> retry(const std::string& cause,
                                                 const std::set<lowbit::graph::VariantIndex>& only) override {
    causes.push_back(cause);
    retried = only;
    return {3};
  }
  void interrupt() override { interrupted = true; }

  Snapshot now;
  std::set<std::size_t> cancelled;
  std::set<std::size_t> just_ended;
  std::vector<std::string> causes;
  std::set<std::size_t> retried;
  bool interrupted = false;
};

Json asked(FakeRun& run, const Json& request) { return Json::parse(answer_control(run, request.dump())); }

std::string refused(FakeRun& run, const Json& request) {
  const auto answer = read_answer(answer_control(run, request.dump()));
  REQUIRE(!answer.ok());
  return render(answer.error());
}

}  // namespace

TEST_CASE("a host tells where every variant stands", "[exec][control]") {
  FakeRun run;
  const Json answer = asked(run, {{"request", "status"}});
  CHECK(answer["ok"] == true);
  CHECK(answer["pid"].is_number());
  CHECK(answer["status"]["counts"] == Json{{"running", 1}, {"done", 1}, {"waiting", 1}, {"failed", 1}});
  CHECK(
      answer["status"]["variants"][3] ==
      Json{{"label", "align"}, {"stage", "align"}, {"state", "failed"}, {"text", "no memory"}, {"cause", "resource"}});
}

TEST_CASE("a stage stands for all of its variants that have not settled", "[exec][control]") {
  FakeRun run;
  CHECK(asked(run, {{"request", "cancel"}, {"labels", {"quantize", "judge"}}}) ==
        Json{{"ok", true}, {"labels", {"quantize[bits=3]", "judge"}}});
  CHECK(run.cancelled == std::set<std::size_t>{0, 2});
}

TEST_CASE("all labels are cancelled or none, and every wrong one is told", "[exec][control]") {
  FakeRun run;
  CHECK(refused(run, {{"request", "cancel"}, {"labels", {"judge", "quantise", "quantize[bits=4]"}}}) ==
        "error[LB0003]: there is no stage quantise in the running experiment restore\n"
        " = note: a stage with a similar name exists: quantize\n"
        " = help: `lowbit status` lists them\n"
        "error[LB0031]: nothing of quantize[bits=4] is left to cancel\n"
        " = note: quantize[bits=4] is done\n"
        " = help: only what runs or waits can be cancelled: see `lowbit status`\n");
  CHECK(run.cancelled.empty());
}

TEST_CASE("a retry is for the experiment that runs and for a cause that there is", "[exec][control]") {
  FakeRun run;
  CHECK(asked(run, {{"request", "retry"}, {"experiment", "restore"}, {"cause", "resource"}}) ==
        Json{{"ok", true}, {"labels", {"align"}}});
  CHECK(run.causes == std::vector<std::string>{"resource"});
  CHECK(refused(run, {{"request", "retry"}, {"experiment", "other"}}) ==
        "error[LB0033]: the live lowbit runs another experiment\n"
        " = note: it runs restore, asked for was other\n"
        " = help: wait for it to end, then retry\n");
  CHECK(refused(run, {{"request", "retry"}, {"experiment", "restore"}, {"cause", "weather"}}) ==
        "error[LB0032]: the live lowbit does not understand what it was asked\n"
        " = note: there is no cause weather\n"
        " = help: use the same lowbit as the one that runs\n");
  CHECK(run.causes.size() == 1);
}

TEST_CASE("what a host tells is what is read, and less where it is older", "[exec][control]") {
  FakeRun run;
  run.now.variants[0].point = "bits=3";
  run.now.variants[0].plugin = "lowbit.rtn";
  run.now.variants[0].cpus = 4;
  run.now.running.push_back({.label = "quantize[bits=3]",
                             .also_for = {"other"},
                             .seconds = 2.5,
                             .progress = {{"done", 3}},
                             .cpus = 4,
                             .gpus = {"1"},
                             .memory_bytes = 5,
                             .rates = {{"judge", 60}},
                             .speed = 1.25});
  run.now.memory_in_use = 5;
  run.now.memory_bytes = 7;
  run.now.seconds = 9;
  run.now.stopping = true;
  const Json told = asked(run, {{"request", "status"}})["status"];
  CHECK(to_json(lowbit::exec::snapshot_of(told)) == told);
  const Snapshot older = lowbit::exec::snapshot_of(
      Json::parse(R"({"experiment":"a","running":[{"label":"b","cpus":"many"}],"variants":[{"state":"dancing"}]})"));
  CHECK(older.experiment == "a");
  CHECK(older.running.at(0).label == "b");
  CHECK(older.running.at(0).speed == 0);
  CHECK(older.variants.at(0).state == VariantState::waiting);
  CHECK(lowbit::exec::snapshot_of(Json()).variants.empty());
}

TEST_CASE("a retry may name stages and variants, and a name that nothing has is refused", "[exec][control]") {
  FakeRun run;
  const Json request{{"request", "retry"}, {"experiment", "restore"}, {"labels", {"align", "quantize[bits=3]"}}};
  CHECK(asked(run, request) == Json{{"ok", true}, {"labels", {"align"}}});
  CHECK(run.retried == std::set<std::size_t>{0, 3});
  CHECK_THAT(refused(run, {{"request", "retry"}, {"experiment", "restore"}, {"labels", {"algin"}}}),
             Catch::Contains("LB0003") && Catch::Contains("a stage with a similar name exists: align"));
  CHECK(run.causes.size() == 1);
}

TEST_CASE("stop is an interrupt", "[exec][control]") {
  FakeRun run;
  CHECK(asked(run, {{"request", "stop"}}) == Json{{"ok", true}});
  CHECK(run.interrupted);
}

TEST_CASE("what is no request is refused in words", "[exec][control]") {
  FakeRun run;
  CHECK_THAT(refused(run, {{"request", "dance"}}),
             Catch::Contains("LB0032") && Catch::Contains("there is no request dance"));
  for (const char* line :
       {"", "{", "[]", "7", R"({"request":7})", R"({"request":"cancel"})", R"({"request":"cancel","labels":[7]})"}) {
    const auto answer = read_answer(answer_control(run, line));
    REQUIRE(!answer.ok());
    CHECK(answer.error().front().code == "LB0032");
  }
  CHECK(run.cancelled.empty());
}

TEST_CASE("what is no answer is an error of the machine", "[exec][control]") {
  for (const char* line : {"", "nonsense", "{}", R"({"ok":1})", R"({"ok":false})", R"({"ok":false,"problems":[{}]})"}) {
    const auto answer = read_answer(line);
    REQUIRE(!answer.ok());
    CHECK(answer.error().front().code == "LB4105");
  }
}
