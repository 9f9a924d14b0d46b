// What a stage told in attempts that were killed, and what of it is published in the end.
#include <catch2/catch.hpp>

#include "exec/journal.h"
#include "exec/new_attempt.h"
#include "exec/project.h"
#include "exec/publish.h"
#include "support/program.h"

using namespace lowbit;
using test::TemporaryDirectory;
using test::write_text;

namespace fs = std::filesystem;

namespace {

Json point(std::int64_t step, double value) {
  return {{"k", "metric"},        {"name", "x/loss"}, {"unit", "ratio"}, {"value", value},
          {"std_error", nullptr}, {"count", 0},       {"step", step}};
}

Json final_metric(const std::string& name) {
  return {{"k", "metric"},        {"name", name}, {"unit", "ratio"}, {"value", 0.5},
          {"std_error", nullptr}, {"count", 6},   {"step", -1}};
}

Json warning(const std::string& text) { return {{"k", "log"}, {"level", 2}, {"text", text}}; }

/// A project with one resumable stage, whose jobs are played by the test.
class Stage {
 public:
  Stage() : project_(open(directory_.path())) {
    plugin_.resumable = true;
    run_ = project_.store().begin_run({.experiment = "e", .file = "e.yaml", .command = "lowbit run e.yaml"}).value();
  }

  [[nodiscard]] exec::NewAttempt attempt(std::uint32_t threads = 1) {
    auto made = exec::new_attempt(project_, files_,
                                  {.variant = variant_,
                                   .own_record = own_,
                                   .content = {.record = own_, .digest = sha256("key")},
                                   .provenance_key = sha256("provenance"),
                                   .artifact_of = {},
                                   .threads = threads,
                                   .run = run_},
                                  [](const std::string&) { return Result<fs::path>(fs::path("socket")); });
    REQUIRE(made.ok());
    return *std::move(made);
  }

  static void tell(const exec::NewAttempt& attempt, const std::vector<Json>& records) {
    auto journal = exec::JournalWriter::open(attempt.paths.journal());
    REQUIRE(journal.ok());
    for (const Json& record : records) REQUIRE(journal->append(record));
  }

  static void checkpoint(const exec::NewAttempt& attempt, std::uint64_t step) {
    fs::create_directories(attempt.paths.checkpoints() / std::to_string(step));
    tell(attempt, {{{"k", "checkpoint"}, {"step", step}}});
  }

  void kill(const exec::NewAttempt& attempt) {
    REQUIRE(project_.store().end_attempt(attempt.context.attempt_id, store::AttemptState::lost, Json(), 0).ok());
  }

  /// The metrics that are published, and again by a host that finds the result moved but not recorded.
  [[nodiscard]] Json published(const exec::NewAttempt& attempt) {
    tell(attempt, {{{"k", "done"}, {"status", 0}}});
    write_text(attempt.paths.exit(), canonical(exec::to_json(exec::ExitRecord{.kind = exec::ExitKind::exited})));
    const auto prepared = exec::prepare(project_.paths(), attempt.paths, attempt.context);
    REQUIRE(prepared.ok());
    REQUIRE(std::holds_alternative<store::Publication>(*prepared));
    const auto& publication = std::get<store::Publication>(*prepared);
    const auto again = exec::republish(project_.paths(), project_.paths().state() / publication.result_directory);
    REQUIRE(again.ok());
    CHECK(json_of(again->publication.metrics) == json_of(publication.metrics));
    return json_of(publication.metrics);
  }

 private:
  static exec::WritableProject open(const fs::path& root) {
    auto project = exec::WritableProject::open({root});
    REQUIRE(project.ok());
    return *std::move(project);
  }

  static Json json_of(const std::vector<MetricRow>& metrics) {
    Json list = Json::array();
    for (const MetricRow& metric : metrics) list.push_back(exec::to_json(metric));
    return list;
  }

  TemporaryDirectory directory_;
  exec::WritableProject project_;
  StageDescription plugin_{.id = "lowbit.x", .version = "1.0.0", .kind = StageKind::dataset, .summary = "x"};
  graph::Variant variant_{.stage = "slow", .plugin = &plugin_};
  Json own_ = Json::object();
  exec::RunFiles files_{.library_of = [](const std::string&) { return fs::path("x.so"); },
                        .plugins = {{"lowbit.x", Digest()}},
                        .input_root = {},
                        .externals = {}};
  std::int64_t run_ = 0;
};

Json published_undisturbed() {
  Stage stage;
  const exec::NewAttempt only = stage.attempt();
  for (int step = 1; step <= 6; ++step) Stage::tell(only, {point(step, step)});
  Stage::tell(only, {final_metric("x/loss")});
  return stage.published(only);
}

}  // namespace

TEST_CASE("a stage that is killed again and again publishes the curve of an undisturbed one", "[exec]") {
  Stage stage;
  const exec::NewAttempt first = stage.attempt();
  Stage::tell(first, {final_metric("x/early"), point(1, 1), point(2, 2)});
  Stage::checkpoint(first, 2);
  Stage::tell(first, {point(3, 99)});
  stage.kill(first);

  const exec::NewAttempt second = stage.attempt();
  REQUIRE(second.request.resume_from == first.paths.checkpoints() / "2");
  Stage::tell(second, {point(3, 3), point(4, 98)});
  stage.kill(second);

  const exec::NewAttempt third = stage.attempt();
  REQUIRE(third.request.resume_from == first.paths.checkpoints() / "2");
  Stage::tell(third, {point(2, 2), point(3, 3), point(4, 4)});
  Stage::checkpoint(third, 4);
  Stage::tell(third, {point(5, 97), point(7, 97)});
  stage.kill(third);

  const exec::NewAttempt fourth = stage.attempt();
  REQUIRE(fourth.request.resume_from == third.paths.checkpoints() / "4");
  CHECK(fourth.carry_gap.empty());
  for (const exec::NewAttempt* earlier : {&first, &second, &third}) fs::remove_all(earlier->paths.directory);
  Stage::tell(fourth, {point(5, 5), point(6, 6), final_metric("x/loss")});
  CHECK(stage.published(fourth) == published_undisturbed());
}

TEST_CASE("the point that a later attempt reports at a step is the one that counts", "[exec]") {
  Stage stage;
  const exec::NewAttempt first = stage.attempt();
  Stage::tell(first, {point(1, 1), point(2, 99)});
  Stage::checkpoint(first, 2);
  stage.kill(first);
  const exec::NewAttempt second = stage.attempt();
  for (int step = 2; step <= 6; ++step) Stage::tell(second, {point(step, step)});
  Stage::tell(second, {final_metric("x/loss")});
  CHECK(stage.published(second) == published_undisturbed());
}

TEST_CASE("warnings from before the checkpoint stand in the journal of the attempt that resumes", "[exec]") {
  Stage stage;
  const exec::NewAttempt first = stage.attempt();
  Stage::tell(first, {warning("rounded to nearest"), {{"k", "log"}, {"level", 1}, {"text", "chatter"}}});
  Stage::checkpoint(first, 1);
  Stage::tell(first, {warning("of a step that is made again")});
  stage.kill(first);
  CHECK(exec::JournalTail(stage.attempt().paths.journal()).poll() ==
        std::vector<Json>(1, warning("rounded to nearest")));
}

TEST_CASE("points that cannot be read any more are missed aloud", "[exec]") {
  Stage stage;
  const exec::NewAttempt first = stage.attempt();
  Stage::tell(first, {point(1, 1), point(2, 2)});
  Stage::checkpoint(first, 2);
  stage.kill(first);
  std::string expected;
  SECTION("the journal is damaged") {
    std::string bytes = test::read_text(first.paths.journal());
    bytes[bytes.size() / 2] ^= 0x10;
    write_text(first.paths.journal(), bytes);
    expected = first.paths.journal().string() + " is damaged";
  }
  SECTION("the journal is gone") {
    fs::remove(first.paths.journal());
    expected = "reading " + first.paths.journal().string() + " failed";
  }
  const exec::NewAttempt second = stage.attempt();
  CHECK(second.request.resume_from == first.paths.checkpoints() / "2");
  CHECK(second.carry_gap == "curve points and warnings from before checkpoint 2 may be missing: " + expected);
  CHECK(exec::JournalTail(second.paths.journal()).poll().back() == warning(second.carry_gap));
}

TEST_CASE("an attempt that starts from nothing takes nothing over", "[exec]") {
  Stage stage;
  const exec::NewAttempt first = stage.attempt();
  Stage::tell(first, {point(1, 1)});
  Stage::checkpoint(first, 1);
  stage.kill(first);
  const exec::NewAttempt second = stage.attempt(2);
  CHECK(second.checkpoint_refused);
  CHECK_FALSE(fs::exists(second.paths.journal()));
}
