#include <catch2/catch.hpp>

#include <map>

#include "component/plugin/plugin_files.h"
#include "plugin/library.h"
#include "support/fake_host.h"

using namespace lowbit;
using namespace lowbit::test;

namespace {

/// A stage of the toy plugin, loaded as the engine loads it.
const lb_stage& toy(const std::string& id) {
  for (const char* file : {"toy.so", "toy-lie.so"}) {
    const auto plugin = plugin::load_plugin(kToys / file);
    REQUIRE(plugin.ok());
    for (auto stage = (*plugin)->stages; *stage != nullptr; ++stage) {
      if (id == (*stage)->id) return **stage;
    }
  }
  FAIL("there is no toy " << id);
  std::abort();
}

struct Run {
  Scratch directory;
  FakeHost host;

  lb_status operator()(const std::string& id, nlohmann::json params = nlohmann::json::object()) {
    const lb_stage& stage = toy(id);
    host.directory = directory.path();
    host.outputs.clear();
    for (auto port = stage.outputs; *port != nullptr; ++port) host.outputs.emplace_back((*port)->name);
    host.params = std::move(params);
    return host.run(stage.run);
  }
  [[nodiscard]] std::string out(const std::string& name = "out/data.txt") const { return read_bytes(directory / name); }
  void bind_out_of(const std::string& port, const Run& other, const std::string& output, const std::string& type) {
    host.bind(port, {.path = (other.directory / output).string(), .type = type});
  }
};

}  // namespace

TEST_CASE("a seeded toy gives the same text for the same seed and another for another", "[toy]") {
  std::map<int, std::string> texts;
  for (int i = 0; i < 3; ++i) {
    Run run;
    run.host.seed = i == 2 ? 2 : 1;
    REQUIRE(run("lowbit.toy.seeded-source", {{"lines", 5}}) == LB_OK);
    texts[i] = run.out();
  }
  CHECK(texts[0] == texts[1]);
  CHECK(texts[0] != texts[2]);
}

TEST_CASE("the constant toy writes the same bytes for every parameter", "[toy]") {
  Run one;
  Run two;
  REQUIRE(one("lowbit.toy.constant", {{"ignored", 1}}) == LB_OK);
  REQUIRE(two("lowbit.toy.constant", {{"ignored", 2}}) == LB_OK);
  CHECK(one.out() == two.out());
}

TEST_CASE("the concatenating toy keeps the host's order", "[toy]") {
  Run b;
  Run a;
  REQUIRE(b("lowbit.toy.source", {{"text", "b"}}) == LB_OK);
  REQUIRE(a("lowbit.toy.source", {{"text", "a"}}) == LB_OK);
  Run all;
  all.host.bind("in", {.path = (b.directory / "out").string(), .type = "file", .coordinates = R"({"x":"b"})"});
  all.host.bind("in", {.path = (a.directory / "out").string(), .type = "file", .coordinates = R"({"x":"a"})"});
  REQUIRE(all("lowbit.toy.concat") == LB_OK);
  CHECK(all.out() == "{\"x\":\"b\"}\nb\n{\"x\":\"a\"}\na\n");
}

TEST_CASE("the transforming toy ends the same whether it was interrupted or not, at every step", "[toy]") {
  const nlohmann::json params{{"text", "t"}, {"steps", 5}};
  Run whole;
  REQUIRE(whole("lowbit.toy.transform", params) == LB_OK);
  CHECK(whole.host.checkpoints == std::vector<std::uint64_t>{1, 2, 3, 4});
  for (std::uint64_t step = 1; step < 5; ++step) {
    Run resumed;
    resumed.host.resume_from = whole.host.path("checkpoint-" + std::to_string(step));
    REQUIRE(resumed("lowbit.toy.transform", params) == LB_OK);
    CHECK(resumed.out() == whole.out());
    CHECK(resumed.host.metrics.back().value == whole.host.metrics.back().value);
  }
}

TEST_CASE("the transforming toy stops when it is cancelled", "[toy]") {
  Run run;
  run.host.cancel_after_ticks = 3;
  CHECK(run("lowbit.toy.transform", {{"steps", 100}}) == LB_CANCELLED);
  CHECK(run.host.progress.size() == 3);
}

TEST_CASE("the throwing toy ends with the status its exception stands for", "[toy]") {
  const std::map<std::string, lb_status> expected{{"runtime_error", LB_INTERNAL},
                                                  {"int", LB_INTERNAL},
                                                  {"bad_alloc", LB_RESOURCE},
                                                  {"torch_out_of_memory", LB_RESOURCE},
                                                  {"stage_error", LB_NUMERIC}};
  for (const auto& [what, status] : expected) {
    Run run;
    CHECK(run("lowbit.toy.throw", {{"what", what}}) == status);
    CHECK(run.host.errors.size() == 1);
  }
}

TEST_CASE("the hanging toy honours a cancel when it was told to", "[toy]") {
  Run run;
  run.host.cancel_after_ticks = 2;  // the first tick passes; the wait then sees the cancel of a second report
  run.host.progress.push_back({0, 0, "before"});
  CHECK(run("lowbit.toy.hang", {{"honours_cancel", true}}) == LB_CANCELLED);
}

TEST_CASE("the lying toy breaks the rule it names", "[toy]") {
  Run silent;
  CHECK(silent("lowbit.toy.lie", {{"about", "silent_failure"}}) == LB_INTERNAL);
  CHECK(silent.host.errors.empty());
  Run none;
  CHECK(none("lowbit.toy.lie", {{"about", "no_output"}}) == LB_OK);
  CHECK_FALSE(std::filesystem::exists(none.directory / "out"));
  Run nan;
  CHECK(nan("lowbit.toy.lie", {{"about", "nan_metric"}}) == LB_OK);
  CHECK(std::isnan(nan.host.metrics.at(0).value));
  Run unit;
  CHECK(unit("lowbit.toy.lie", {{"about", "wrong_metric_unit"}}) == LB_OK);
  CHECK(unit.host.metrics.at(0).name == "data/n_items");
  CHECK(unit.host.metrics.at(0).unit == "bytes");
  Run malformed;
  CHECK(malformed("lowbit.toy.lie", {{"about", "malformed_artifact"}}) == LB_OK);
  CHECK(malformed.out("predictions/predictions.jsonl") == "{\"item_id\": 1}\nnot json\n");
  Run outside;
  std::filesystem::create_directories(outside.directory / "a/b");
  outside.host.directory = outside.directory / "a/b";
  outside.host.outputs = {"out"};
  outside.host.params = {{"about", "writes_outside"}};
  CHECK(outside.host.run(toy("lowbit.toy.lie").run) == LB_OK);
  CHECK(read_bytes(outside.directory / "a/stray.txt") == "stray\n");
}

TEST_CASE("the failing toy succeeds once its file exists", "[toy]") {
  Run run;
  const nlohmann::json params{{"path", (run.directory / "now").string()}, {"status", "numeric"}};
  CHECK(run("lowbit.toy.fail_until", params) == LB_NUMERIC);
  write_bytes(run.directory / "now", "");
  CHECK(run("lowbit.toy.fail_until", params) == LB_OK);
}

TEST_CASE("the toy study runs from model to verdicts and its numbers are those of its closed forms", "[toy]") {
  Run task;
  Run model;
  REQUIRE(task("lowbit.toy.task", {{"items", 8}}) == LB_OK);
  REQUIRE(model("lowbit.toy.model") == LB_OK);

  // Row 0 is 0 … 7: with 7 levels its scale is 1 and every weight of it is kept. Row 1 is 8 … 15 in steps of 15/7.
  Run quantized;
  quantized.bind_out_of("model", model, "model", "model/1");
  REQUIRE(quantized("lowbit.toy.round", {{"levels", 7}}) == LB_OK);
  double squared_error = 0;
  double squared_norm = 0;
  for (int w = 0; w < 16; ++w) {
    const double step = w < 8 ? 1.0 : 15.0 / 7.0;
    squared_error += std::pow(w - std::nearbyint(w / step) * step, 2);
    squared_norm += w * w;
  }
  CHECK(quantized.host.metrics.at(0).value == Approx(squared_error / squared_norm).epsilon(1e-5));

  const auto accuracy = [&](const Run& of, const std::string& output, const std::string& type, double expected) {
    Run answers;
    answers.bind_out_of("model", of, output, type);
    answers.bind_out_of("task", task, "task", "task/1");
    REQUIRE(answers("lowbit.toy.answer") == LB_OK);
    CHECK(answers.host.metrics.at(0).name == "toy-sums/accuracy");
    CHECK(answers.host.metrics.at(0).value == expected);
    CHECK(answers.host.metrics.at(0).count == 8);
    Run verdicts;
    verdicts.bind_out_of("predictions", answers, "predictions", "predictions/1");
    verdicts.bind_out_of("task", task, "task", "task/1");
    REQUIRE(verdicts("lowbit.toy.judge") == LB_OK);
    CHECK(verdicts.host.metrics.at(0).value == 1 - expected);
  };
  accuracy(model, "model", "model/1", 1);
  accuracy(quantized, "quantized", "quantized-model/1", 1);  // the eight items ask row 0 only
  Run shifted;
  shifted.bind_out_of("model", quantized, "quantized", "quantized-model/1");
  REQUIRE(shifted("lowbit.toy.shift", {{"shift", 1}}) == LB_OK);
  accuracy(shifted, "trained", "model/1", 0);
}
