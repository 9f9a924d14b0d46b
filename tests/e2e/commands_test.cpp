// What commands say to a person who made a mistake, or asks for machine-readable output.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::StartsWith;
using Json = nlohmann::json;

namespace {

constexpr const char* kOne = "experiment: one\nstages: [{id: one, use: lowbit.toy.source}]\n";

}  // namespace

TEST_CASE("mistyped commands, options and arguments name what is near", "[e2e]") {
  const Project project(kOne);
  const Ended command = project.lowbit({"plna"});
  CHECK(command.status == 2);
  CHECK(command.err ==
        "error[LB0001]: there is no command `plna`\n"
        " = note: a command with a similar name exists: plan\n"
        " = help: `lowbit help` lists the commands\n");
  const Ended option = project.lowbit({"run", "experiment.yaml", "--dry-rum"});
  CHECK(option.status == 2);
  CHECK(option.err ==
        "error[LB0001]: `lowbit run` has no option --dry-rum\n"
        " = note: an option with a similar name exists: --dry-run\n"
        " = help: see `lowbit run --help`\n");
  CHECK(project.lowbit({"run"}).err ==
        "error[LB0001]: `lowbit run` needs file\n"
        " = help: see `lowbit run --help`\n");
  CHECK(project.lowbit({"explain", "LB00O1"}).err ==
        "error[LB0002]: there is no error code LB00O1\n"
        " = note: a code with a similar name exists: LB0001\n"
        " = help: codes are LB and four digits, as printed in brackets after `error`\n");
  CHECK_THAT(project.lowbit({"explain", "LB0001"}).out, Contains("## LB0001"));
  CHECK(project.lowbit({"why", "onw", "experiment.yaml"}).err ==
        "error[LB0003]: there is no stage onw in experiment.yaml\n"
        " = note: a stage with a similar name exists: one\n"
        " = help: `lowbit plan` lists them\n");
  CHECK(project.lowbit({"why", "experiment.yaml", "one"}).err ==
        "error[LB0001]: `lowbit why` is given the stage first, then the file\n"
        " = help: lowbit why one experiment.yaml\n");
  const Ended nothing = project.lowbit({});
  CHECK(nothing.status == 2);
  CHECK_THAT(nothing.err, Contains("usage: lowbit COMMAND"));
}

TEST_CASE("numbers of options are whole, from 1 on, and in range", "[e2e]") {
  const Project project(kOne);
  for (const char* number : {"-1", "0", "1x", "", "4294967296", "0.5"}) {
    INFO(number);
    const Ended run = project.lowbit({"run", "experiment.yaml", std::string("--jobs=") + number});
    CHECK(run.status == 2);
    if (*number != '\0') {
      CHECK(run.err == "error[LB0001]: `lowbit run --jobs` needs a whole number from 1 on, not " + std::string(number) +
                           "\n = help: see `lowbit run --help`\n");
    }
  }
  CHECK(project.lowbit({"plugins", "check", "x.so", "--timeout=-1"}).status == 2);
  CHECK(project.lowbit({"run", "experiment.yaml", "-j", "2"}).status == 0);
}

TEST_CASE("explain takes a whole code", "[e2e]") {
  const Project project(kOne);
  for (const char* code : {"", "LB", "LB2", "LB20011", "LB2001 no"}) {
    INFO(code);
    const Ended explain = project.lowbit({"explain", code});
    CHECK(explain.status == 2);
    CHECK(explain.out.empty());
  }
}

TEST_CASE("the help lists every command in columns", "[e2e]") {
  const Ended help = Project(kOne).lowbit({"help"});
  CHECK_THAT(help.out, Contains("\n  completion  a script that") && Contains("\n  run         plan, then"));
}

TEST_CASE("the command that continues a run is the run with all of its options, as a shell takes them", "[e2e]") {
  const Project project("");
  REQUIRE(project.shell("mkdir 'my dir'").status == 0);
  write_text(project.path() / "my dir/it's.yaml",
             "experiment: bad\nprofiles: {fast: {resources: {cpus: 1}}}\n"
             "stages: [{id: bad, use: lowbit.toy.throw, params: {what: int}}]\n");
  const std::string options = "'my dir/it'\\''s.yaml' --set 'seeds=[3]' --profile fast --project 'my dir'";
  const Ended run =
      project.shell("lowbit run -C 'my dir' --profile fast 'my dir/it'\\''s.yaml' -s seeds=[3] -f bad -j 1 --plain");
  CHECK(run.status == 1);
  CHECK_THAT(run.err, Contains("; continue with: lowbit run " + options + " --jobs 1\n"));
  CHECK(project.shell("lowbit run " + options + " --jobs 1").status == 1);
  CHECK_THAT(project.shell("lowbit retry " + options + " --failed").err,
             Contains("; continue with: lowbit run " + options + "\n"));
  const Json runs = Json::parse(project.lowbit({"ls", "runs", "--json", "-C", "my dir"}).out);
  CHECK(runs.at(0).at("command") == "lowbit retry " + options + " --failed");
  CHECK(runs.at(2).at("command") == "lowbit run " + options + " --force bad --jobs 1");
}

TEST_CASE("plugins describes one stage, and names what is near an id that no plugin offers", "[e2e]") {
  const Project project(kOne);
  const Ended page = project.lowbit({"plugins", "example.word-count"});
  CHECK(page.status == 0);
  CHECK_THAT(page.out, StartsWith("stage    example.word-count\n") && Contains("\ntext   file  required  the text\n") &&
                           Contains("\nmin_count  integer >= 1  1"));
  const Json json = Json::parse(project.lowbit({"plugins", "example.word-count", "--json"}).out);
  CHECK(json.at("id") == "example.word-count");
  CHECK(json.at("params_schema").at("properties").contains("min_count"));
  const Ended wrong = project.lowbit({"plugins", "example.word-cuont"});
  CHECK(wrong.status == 2);
  CHECK(wrong.out.empty());
  CHECK(wrong.err ==
        "error[LB0003]: no plugin offers a stage example.word-cuont\n"
        " = note: a stage with a similar name exists: example.word-count\n"
        " = help: `lowbit plugins` lists them\n");
}

TEST_CASE("a missing experiment, a missing input and a missing project are three different things", "[e2e]") {
  const Project project(kOne);
  const Ended file = project.lowbit({"run", "experimnet.yaml"});
  CHECK(file.status == 2);
  CHECK(file.err ==
        "error[LB0005]: the experiment file experimnet.yaml cannot be read\n"
        " = note: there is no such file or directory\n"
        " = help: check the path; `lowbit init` makes a first one\n");
  const Ended query = project.lowbit({"query"});
  CHECK(query.status == 2);
  CHECK_THAT(query.err, Contains("error[LB7010]: there are no results in") && Contains("`lowbit run FILE` first"));
  project.edit(
      "experiment: one\ninputs: {text: {type: file, path: nowhere.txt}}\n"
      "stages: [{id: one, use: lowbit.toy.transform, with: {in: inputs.text}}]\n");
  const Ended input = project.run();
  CHECK(input.status == 2);
  CHECK(input.err ==
        "error[LB2101]: input `text` does not exist: nowhere.txt\n"
        " --> experiment.yaml:2:35\n"
        "  |\n"
        "2 | inputs: {text: {type: file, path: nowhere.txt}}\n"
        "  |                                   ^^^^^^^^^^^ not found\n"
        "  = note: paths are relative to the experiment file\n"
        "  = help: put it there, or correct the path\n");
}

TEST_CASE("logs of a stage that never ran name what is near", "[e2e]") {
  const Project project(kOne);
  REQUIRE(project.run().status == 0);
  const Ended logs = project.lowbit({"logs", "onw"});
  CHECK(logs.status == 2);
  CHECK_THAT(logs.err, Contains("error[LB0004]: no attempt of onw is recorded in") &&
                           Contains("an attempt with a similar name exists: one"));
}

TEST_CASE("logs of a stage with variants, or with some of its axes, name the variants", "[e2e]") {
  const Project project(
      "experiment: many\nmatrix: {a: [1, 2], b: [u, v, w]}\n"
      "stages: [{id: one, use: lowbit.toy.source, params: {lines: \"${a}\", text: \"${b}\"}}]\n");
  REQUIRE(project.run().status == 0);
  const Ended stage = project.lowbit({"logs", "one"});
  CHECK(stage.status == 2);
  CHECK_THAT(stage.err,
             Contains("note: its variants are one[a=1,b=u], one[a=1,b=v], one[a=1,b=w], one[a=2,b=u] and 2 more\n"));
  CHECK_THAT(project.lowbit({"logs", "one[a=2]"}).err,
             Contains("note: its variants are one[a=2,b=u], one[a=2,b=v], one[a=2,b=w]\n"));
  CHECK(project.lowbit({"logs", "one[a=2,b=v]"}).status == 0);
}

TEST_CASE("an edited input file makes what reads it run again, and only that", "[e2e]") {
  const Project project(
      "experiment: one\ninputs: {text: {type: file, path: in.txt}}\nstages:\n"
      "  - {id: reads, use: lowbit.toy.transform, with: {in: inputs.text}}\n"
      "  - {id: other, use: lowbit.toy.source}\n");
  write_text(project.path() / "in.txt", "first\n");
  REQUIRE(project.run().status == 0);
  write_text(project.path() / "in.txt", "second\n");
  CHECK_THAT(project.plan(), Contains("run    reads  input in changed") && Contains("reuse  other"));
  CHECK_THAT(project.run().err, Contains("1 done, 1 reused"));
}

TEST_CASE("an unwritable place for results is the machine's fault, and says so", "[e2e]") {
  const Project project(kOne);
  write_text(project.path() / ".lowbit", "not a directory");
  const Ended run = project.run();
  CHECK(run.status == 3);
  CHECK_THAT(run.err, Contains("error[LB610") && Contains(".lowbit"));
}

TEST_CASE("everything that prints data also prints JSON", "[e2e]") {
  const Project project(kOne);
  CHECK(Json::parse(project.lowbit({"plan", "experiment.yaml", "--json"}).out).at("counts").at("run") == 1);
  const Ended run = project.lowbit({"run", "experiment.yaml", "--json"});
  CHECK(run.status == 0);
  CHECK(Json::parse(run.out.substr(0, run.out.find('\n'))).at("event") == "run");
  CHECK(Json::parse(project.lowbit({"plan", "experiment.yaml", "--json"}).out).at("counts").at("reuse") == 1);
  CHECK(Json::parse(project.lowbit({"why", "one", "experiment.yaml", "--json"}).out).at(0).at("decision") == "reuse");
  const Json status = Json::parse(project.lowbit({"status", "--json"}).out);
  CHECK(status.at("live").is_null());
  CHECK(status.at("stages").at(0).at("state") == "done");
  CHECK(Json::parse(project.lowbit({"logs", "one", "--json"}).out).at("exit").at("code") == 0);
  CHECK(Json::parse(project.lowbit({"query", "SELECT 1 AS a", "--json"}).out) == Json::parse(R"([{"a":1}])"));
  CHECK(Json::parse(project.lowbit({"plugins", "--json"}).out).at("problems").empty());
  CHECK(Json::parse(project.lowbit({"doctor", "--json"}).out).is_array());
}

TEST_CASE("doctor says what OpenBLAS will take the processor for in jobs, and whose word that is", "[e2e]") {
  const Project project(kOne);
  const auto line = [&](const Environment& environment) {
    for (const Json& check : Json::parse(project.lowbit({"doctor", "--json"}, environment).out)) {
      if (check.at("check") == "OpenBLAS") return check;
    }
    return Json();
  };
  const Json own = line({{"OPENBLAS_CORETYPE", "Haswell"}});
  CHECK(own.at("mark") == "warn");
  CHECK_THAT(own.at("evidence").get<std::string>(),
             Contains("jobs get OPENBLAS_CORETYPE=Haswell from your environment"));
  const Ended job = project.lowbit({"run", "experiment.yaml"}, {{"OPENBLAS_CORETYPE", "Haswell"}});
  REQUIRE(job.status == 0);
  CHECK(project.query("SELECT json_extract(environment, '$.blas_core_type') FROM attempts") == "Haswell\n");
}

TEST_CASE("init makes a project whose first experiment runs, and keeps what is there", "[e2e]") {
  const Project project(kOne);
  REQUIRE(project.lowbit({"init", "new"}).status == 0);
  const Ended again = project.lowbit({"init", "new"});
  CHECK(again.status == 0);
  CHECK_THAT(again.out, Contains("kept     new/lowbit.yaml") && Contains("kept     new/experiment.yaml"));
  const Ended run = project.lowbit({"run", "new/experiment.yaml", "--project", "new"});
  CHECK(run.status == 0);
  CHECK_THAT(run.err, Contains("8 done in"));
}
