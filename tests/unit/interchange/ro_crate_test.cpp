#include "interchange/ro_crate.h"

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <set>

#include "interchange/crate_graph.h"
#include "unit/interchange/study.h"

using namespace lowbit;
using namespace lowbit::interchange;
using lowbit::test::small_study;

namespace {

std::map<std::string, Json> entities_of(const ExportedStudy& study) {
  const std::vector<ExportFile> files =
      ro_crate(study, {.experiment_file = "experiment: small\n", .lowbit_version = "0.1.0", .license = "CC-BY-4.0"});
  REQUIRE(files.at(0).path == "ro-crate-metadata.json");
  REQUIRE(files.at(1).bytes == "experiment: small\n");
  std::map<std::string, Json> entities;
  const Json document = Json::parse(files[0].bytes);
  for (const Json& entity : document["@graph"]) {
    REQUIRE(entities.emplace(entity["@id"].get<std::string>(), entity).second);
  }
  return entities;
}

Json refer(const std::string& id) { return {{"@id", id}}; }

}  // namespace

TEST_CASE("a result is an action of its plugin, on its inputs and parameters", "[interchange]") {
  const auto entities = entities_of(small_study());
  const Json& action = entities.at("#action-3333");
  CHECK(action["@type"] == "CreateAction");
  CHECK(action["name"] == "score[num_bits=3,seed=7]");
  CHECK(action["instrument"] == refer("#plugin-lowbit.generate-feed"));
  CHECK(action["startTime"] == "2026-11-23T10:00:30.000+00:00");
  CHECK(action["endTime"] == "2026-11-23T10:00:40.250+00:00");
  CHECK(action["object"] == Json::array({refer("#artifact-q1"), refer("#artifact-t1"), refer("#action-3333-seed"),
                                         refer("#action-3333-param-batch_size")}));
  CHECK(action["result"][0] == refer("#artifact-p1"));
  CHECK(entities.at("#action-3333-metric-sums%2Faccuracy")["value"] == 0.5);
  CHECK(entities.at("#action-3333-param-batch_size")["value"] == 8);
  CHECK(entities.at("#plugin-lowbit.generate-feed-param-batch_size")["additionalType"] == "Integer");
  CHECK(entities.at("#artifact-q1")["name"] == "round[num_bits=3].quantized");
  CHECK(entities.at("#artifact-q1")["contentSize"] == "4096");
  CHECK_FALSE(entities.contains("#action-2222-metric-weights%2Fnmse"));  // not a number
}

TEST_CASE("the experiment is the workflow, run on what is from outside", "[interchange]") {
  const auto entities = entities_of(small_study());
  CHECK(entities.at("./")["mainEntity"] == refer("experiment.yaml"));
  CHECK(entities.at("./")["datePublished"] == "2026-11-23T10:00:40.250+00:00");
  CHECK(entities.at("./")["license"] == "CC-BY-4.0");
  CHECK(entities.at("#run")["instrument"] == refer("experiment.yaml"));
  CHECK(entities.at("#run")["startTime"] == "2026-11-23T10:00:00.000+00:00");
  CHECK(entities.at("#run")["object"] == Json::array({refer("#artifact-b1"), refer("#artifact-c1")}));
  CHECK(entities.at("#orchestration")["object"].size() == 3);
}

TEST_CASE("every reference leads to an entity, or to a page of the web", "[interchange]") {
  const auto entities = entities_of(small_study());
  std::set<std::string> open;
  const std::function<void(const Json&)> visit = [&](const Json& value) {
    if (value.is_object() && value.size() == 1 && value.contains("@id")) {
      const auto id = value["@id"].get<std::string>();
      if (!entities.contains(id) && !id.starts_with("https://")) open.insert(id);
    }
    for (const Json& part : value) {
      if (part.is_structured()) visit(part);
    }
  };
  for (const auto& [id, entity] : entities) visit(entity);
  CHECK(open == std::set<std::string>{});
}

TEST_CASE("parts of identifiers are escaped", "[interchange]") {
  CHECK(iri_part("a/b c@1~") == "a%2Fb%20c%401~");
  CHECK(iri_part("ä") == "%C3%A4");
}
