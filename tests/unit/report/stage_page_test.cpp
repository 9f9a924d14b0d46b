#include "report/stage_page.h"

#include <catch2/catch.hpp>

#include "domain/artifact_type.h"

using namespace lowbit;
using namespace lowbit::report;
using Catch::Contains;

namespace {

StageDescription stage_with(const char* params) {
  return {.id = "test.stage",
          .version = "2",
          .kind = StageKind::trainer,
          .summary = "For tests.",
          .params_schema = Json::parse(params),
          .inputs = {{.name = "model", .types = {"model/1", "adapter/1"}, .doc = "what is trained"},
                     {.name = "more", .types = {"task/1"}, .doc = "more of it", .optional = true, .many = true}},
          .outputs = {{.name = "trained", .types = {"adapter/1"}, .doc = "the adapter"}},
          .environment = {"A", "B"}};
}

constexpr const char* kNoParams = R"({"type":"object","additionalProperties":false,"properties":{}})";

}  // namespace

TEST_CASE("a stage's page holds ports, parameters and environment", "[report]") {
  const char* params = R"({"type":"object","additionalProperties":false,"required":["steps"],"properties":{
      "rate":{"type":"number","minimum":0,"exclusiveMaximum":1,"default":0.5,"description":"how fast"},
      "schedule":{"type":"string","enum":["cosine","constant"],"default":"cosine","description":"how it falls"},
      "steps":{"type":"integer","minimum":1,"description":"how many","unit":"steps"},
      "threads":{"type":"integer","default":2,"description":"how wide","affects_result":false}}})";
  CHECK(stage_page(stage_with(params)) ==
        "stage        test.stage\n"
        "summary      For tests.\n"
        "kind         trainer\n"
        "version      2\n"
        "seed         none\n"
        "environment  may see A, B\n"
        "\n"
        "input  type                 binding\n"
        "model  model/1 | adapter/1  required           what is trained\n"
        "more   task/1               optional, gathers  more of it\n"
        "\n"
        "output   type       written\n"
        "trained  adapter/1  always   the adapter\n"
        "\n"
        "parameter  value              default   unit\n"
        "steps      integer >= 1       required  steps  how many\n"
        "rate       number >= 0, < 1   0.5              how fast\n"
        "schedule   cosine | constant  cosine           how it falls\n"
        "threads    integer            2                how wide (no effect on the result)\n");
}

TEST_CASE("a stage's page says which lists, objects and nulls a parameter takes", "[report]") {
  const std::string page = stage_page(stage_with(R"({"type":"object","properties":{
      "names":{"type":"array","items":{"type":"string"},"minItems":1,"default":["a long name","another long name"],
               "description":"who"},
      "price":{"type":["number","null"],"minimum":0,"default":null,"description":"how much"},
      "title":{"type":"string","default":"","description":"what above"},
      "where":{"type":"object","default":{},"description":"a place","required":["x"],
               "properties":{"x":{"type":"number","description":"to the right"}}}}})"));
  CHECK_THAT(page, Contains("\nnames      list of string, members >= 1  …               "
                            "who (default: [a long name, another long name])\n"));
  CHECK_THAT(page, Contains("\nprice      number | null >= 0            null            how much\n"));
  CHECK_THAT(page, Contains("\ntitle      string                        \"\"              what above\n"));
  CHECK_THAT(page, Contains("\nwhere.x    number                        required        to the right\n"));
}

TEST_CASE("a stage's page leaves out what a stage does not have", "[report]") {
  StageDescription stage = stage_with(kNoParams);
  stage.inputs.clear();
  stage.environment.clear();
  stage.seeded = true;
  CHECK(stage_page(stage) ==
        "stage    test.stage\n"
        "summary  For tests.\n"
        "kind     trainer\n"
        "version  2\n"
        "seed     the experiment's\n"
        "\n"
        "output   type       written\n"
        "trained  adapter/1  always   the adapter\n");
}

TEST_CASE("a port that takes every type of artifact says so instead of listing them", "[report]") {
  StageDescription stage = stage_with(kNoParams);
  stage.inputs.front().types.clear();
  for (const ArtifactType& type : artifact_types()) stage.inputs.front().types.emplace_back(type.name);
  CHECK_THAT(stage_page(stage), Contains("\nmodel  any type  required           what is trained\n"));
}
