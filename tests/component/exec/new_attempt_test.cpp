// Attempts whose inputs are not there, and results that were damaged before they were recorded.
#include "exec/new_attempt.h"

#include <catch2/catch.hpp>

#include "exec/project.h"
#include "exec/publish.h"
#include "support/program.h"

using namespace lowbit;
using test::TemporaryDirectory;
using test::write_text;

namespace fs = std::filesystem;

namespace {

/// A variant whose one input comes from another variant.
struct Consumer {
  StageDescription plugin{.id = "lowbit.x", .version = "1.0.0", .kind = StageKind::dataset, .summary = "x"};
  graph::Variant variant{.stage = "consume", .plugin = &plugin};
  Json own = Json::object();
  exec::RunFiles files{.library_of = [](const std::string&) { return fs::path("x.so"); },
                       .plugins = {{"lowbit.x", Digest()}},
                       .input_root = {},
                       .externals = {}};

  Consumer() {
    variant.inputs.push_back({.port = "model", .members = {{.at = {}, .source = graph::Produced{0, "out"}}}});
  }

  Result<exec::NewAttempt> attempt(exec::WritableProject& project, const ArtifactRef& input) {
    return exec::new_attempt(project, files,
                             {.variant = variant,
                              .own_record = own,
                              .content = {.record = own, .digest = sha256("key")},
                              .provenance_key = sha256("provenance"),
                              .artifact_of = [&](const graph::Member&) { return input; }},
                             [](const std::string&) { return Result<fs::path>(fs::path("socket")); });
  }
};

}  // namespace

TEST_CASE("an input without files stops the attempt before anything is written", "[exec]") {
  const TemporaryDirectory directory;
  auto project = exec::WritableProject::open({directory.path()});
  REQUIRE(project.ok());
  const auto attempt = Consumer().attempt(*project, {.type = "model/1", .digest = sha256("gone")});
  REQUIRE_FALSE(attempt.ok());
  CHECK(render(attempt.error()) == "error[LB5005]: an input of consume has no files: " + sha256("gone").hex() +
                                       "\n = help: run the same command again: what made it will run\n");
  CHECK(fs::is_empty(directory.path() / ".lowbit" / "work"));
}

TEST_CASE("an adapter without the model it was trained on is not a model", "[exec]") {
  const TemporaryDirectory directory;
  auto project = exec::WritableProject::open({directory.path()});
  REQUIRE(project.ok());
  store::Store& store = project->store();
  const auto run = store.begin_run({.experiment = "e", .file = "e.yaml", .command = "lowbit run e.yaml"});
  REQUIRE(run.ok());
  store::Attempt row;
  row.content_key = sha256("train");
  row.nonce = "n";
  row.directory = "work/n";
  row.stage_label = "train";
  row.started_at = "2026-01-01T00:00:00.000Z";
  row.environment = Json::object();
  const auto id = store.begin_attempt(*run, row);
  REQUIRE(id.ok());
  const ArtifactRef adapter{.type = "adapter/1", .digest = sha256("adapter")};
  store::Publication publication;
  publication.attempt_id = *id;
  publication.provenance_key = sha256("train");
  publication.result = {
      .content_key = sha256("train"), .content_record = Json::object(), .outputs = {{"out", adapter}}};
  publication.own_record = Json::object();
  publication.stage_id = "lowbit.x";
  publication.stage_kind = "trainer";
  publication.result_directory = "results/x";
  publication.outputs = {
      {.port = "out", .artifact = adapter, .path = "results/x/out", .bytes = 1, .bases = {sha256("base")}}};
  publication.ended_at = "2026-01-01T00:00:01.000Z";
  const auto published = store.publish({publication}, false);
  REQUIRE(published.ok());

  const auto attempt = Consumer().attempt(*project, adapter);
  REQUIRE_FALSE(attempt.ok());
  CHECK(render(attempt.error()) ==
        "error[LB5006]: the base " + sha256("base").brief() +
            " of an adapter is not in this project\n"
            " = note: an adapter is a model only together with the model it was trained on\n"
            " = help: bind that model as an input of the experiment, or run the stage that makes it\n");
}

TEST_CASE("a result that was damaged before it was recorded is not recorded", "[exec]") {
  const TemporaryDirectory directory;
  const exec::ProjectPaths project{directory.path()};
  const fs::path result = exec::result_directory(project, sha256("key"), "n");
  fs::create_directories(result / "out" / "predictions");
  write_text(result / "out" / "predictions" / "predictions.jsonl", "not json\n");
  exec::PublishContext context;
  context.stage_label = "answer";
  context.content = {.record = Json::object(), .digest = sha256("key")};
  context.own_record = Json::object();
  context.output_types = {{"predictions", "predictions/1"}};
  context.environment = Json::object();
  write_text(result / "manifest.json", canonical(exec::to_json(context)));
  const auto publication = exec::republish(project, result);
  REQUIRE_FALSE(publication.ok());
  CHECK(publication.error().front().code == "LB5004");
  CHECK(publication.error().front().what ==
        "a published result is damaged: output `predictions` is not a valid predictions/1");
  CHECK(publication.error().front().help == "remove " + result.string() + " and run the same command again");
}
