// What is needed although no stage of an experiment made it: the models that adapters are based on.
#include "exec/garbage.h"

#include <catch2/catch.hpp>

#include "support/program.h"

using namespace lowbit;
using test::TemporaryDirectory;
using test::write_text;

namespace fs = std::filesystem;

namespace {

/// A project whose results are written into the store by hand.
struct Study {
  TemporaryDirectory directory;
  exec::WritableProject project = open(directory.path());
  std::int64_t run = 0;

  Study() {
    auto begun =
        project.store().begin_run({.experiment = "study", .file = "study.yaml", .command = "lowbit run study.yaml"});
    REQUIRE(begun.ok());
    run = *begun;
  }

  static exec::WritableProject open(const fs::path& root) {
    auto opened = exec::WritableProject::open({root});
    REQUIRE(opened.ok());
    return *std::move(opened);
  }

  /// A result of `name` whose artifact has digest sha256("a:" + name) and rests on those of `bases`.
  void publish(const std::string& name, const std::vector<std::string>& bases, bool replace = false) {
    store::Attempt row;
    row.content_key = sha256(name);
    row.nonce = "nonce";
    row.directory = "work/" + name;
    row.stage_label = name;
    row.environment = Json::object();
    const auto id = project.store().begin_attempt(run, row);
    REQUIRE(id.ok());
    store::Publication publication;
    publication.attempt_id = *id;
    publication.provenance_key = sha256("p:" + name);
    publication.result.content_key = sha256(name);
    publication.result.content_record = Json::object();
    publication.own_record = Json::object();
    publication.stage_id = "lowbit.x";
    publication.stage_kind = "trainer";
    publication.result_directory = "results/" + name.substr(0, 1) + "/" + name + "-" + std::to_string(*id);
    store::PublishedOutput output{.port = "out",
                                  .artifact = {.type = "adapter/1", .digest = sha256("a:" + name)},
                                  .path = publication.result_directory + "/out/out"};
    for (const std::string& base : bases) output.bases.push_back(sha256("a:" + base));
    publication.outputs = {output};
    publication.ended_at = "2026-01-01T00:00:00.000Z";
    publication.seconds = 3;
    REQUIRE(project.store().publish({publication}, replace).ok());
    fs::create_directories(project.paths().state() / output.path);
    write_text(project.paths().state() / output.path / "weights", std::string(100, 'x'));
  }

  void expand(const std::vector<std::string>& names) {
    std::vector<store::ExpansionRow> rows;
    for (const std::string& name : names) {
      rows.push_back({.stage = name,
                      .coordinates = {},
                      .plugin_id = "lowbit.x",
                      .provenance_key = sha256("p:" + name),
                      .provenance_record = Json{{"inputs", Json::object()}}});
    }
    REQUIRE(project.store().record_expansion({.experiment = "study", .file = "study.yaml"}, rows).ok());
  }

  std::string garbage() {
    const auto list = exec::find_garbage(project.paths(), project.store());
    REQUIRE(list.ok());
    std::string text = "kept " + std::to_string(list->kept) + ":";
    for (const exec::Garbage& item : list->items) {
      text += " " + item.label + " " + std::to_string(item.bytes) + " B " + std::to_string(int(item.seconds)) + " s";
    }
    return text;
  }
};

}  // namespace

TEST_CASE("an adapter keeps what it is based on, and that what it is based on", "[exec][gc]") {
  Study study;
  study.publish("model", {});
  study.publish("aligned", {"model"});
  study.publish("restored", {"aligned"});
  study.publish("other", {"model"});
  study.expand({"restored"});
  CHECK(study.garbage() == "kept 3: other 100 B 3 s");
  study.expand({"other"});
  CHECK(study.garbage() == "kept 2: aligned 100 B 3 s restored 100 B 3 s");
}

TEST_CASE("a result that another one replaced is garbage, unless a kept adapter is based on its very bytes",
          "[exec][gc]") {
  Study study;
  study.publish("model", {});
  study.publish("model", {}, true);
  study.expand({"model"});
  CHECK(study.garbage() == "kept 1: model 100 B 3 s");
  study.publish("adapter", {"model"});
  study.expand({"adapter"});
  CHECK(study.garbage() == "kept 3:");  // the same bytes twice: either may be the one that is read
}

TEST_CASE("what is removed is forgotten, and its files are gone", "[exec][gc]") {
  Study study;
  study.publish("model", {});
  study.publish("other", {});
  study.expand({"model"});
  const auto list = exec::find_garbage(study.project.paths(), study.project.store());
  REQUIRE(list.ok());
  REQUIRE(exec::remove_garbage(study.project, *list).ok());
  CHECK(study.garbage() == "kept 1:");
  CHECK_FALSE(study.project.store().by_content_key(sha256("other")));
  CHECK(study.project.store().by_content_key(sha256("model")));
  CHECK(fs::exists(study.project.paths().results() / "m"));
  CHECK(fs::is_empty(study.project.paths().results() / "o"));
}

TEST_CASE("an attempt of a newer lowbit is no garbage, and one that is damaged is", "[exec][gc]") {
  Study study;
  const fs::path attempt = study.project.paths().work() / sha256("x").hex() / "a1-nonce";
  fs::create_directories(attempt);
  write_text(attempt / "host.json", R"({"format": 1})");
  CHECK(study.garbage() == "kept 0: a1-nonce 13 B 0 s");
  write_text(attempt / "host.json", R"({"format": 2})");
  const auto list = exec::find_garbage(study.project.paths(), study.project.store());
  REQUIRE_FALSE(list.ok());
  CHECK(list.error().front().code == "LB4108");
}
