// ls, show, diff, graph, the estimate of plan, completion: what a person sees without running anything.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <regex>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;
using Json = nlohmann::json;

namespace {

constexpr const char* kTwo = R"(experiment: two
matrix: {word: [a, b]}
stages:
  - {id: first, use: lowbit.toy.source, params: {text: "${word}"}}
  - {id: second, use: lowbit.toy.transform, with: {in: first.out}, params: {text: x}}
)";

/// Digests, times and dates as they are on no machine.
std::string settled(const std::string& text) {
  std::string out = std::regex_replace(text, std::regex("[0-9a-f]{64}(-[0-9a-f]{12})?"), "KEY");
  out = std::regex_replace(out, std::regex("/[0-9a-f]{2}/KEY"), "/KEY");
  out = std::regex_replace(out, std::regex("\\b[0-9a-f]{12}\\b"), "DIGEST");
  out = std::regex_replace(out, std::regex("20\\d\\d-\\d\\d-\\d\\dT[0-9:.]+Z"), "TIME");
  out = std::regex_replace(out, std::regex("\\d+\\.\\d s"), "T s");
  return std::regex_replace(out, std::regex(" +(\n|$)"), "$1");
}

Json json_of(const Ended& ended) {
  REQUIRE(ended.status == 0);
  return Json::parse(ended.out);
}

}  // namespace

TEST_CASE("ls lists experiments and runs", "[e2e][looking]") {
  const Project project(kTwo);
  REQUIRE(project.run().status == 0);
  const Json both = json_of(project.lowbit({"ls", "--json"}));
  CHECK(both["experiments"][0]["experiment"] == "two");
  CHECK(both["experiments"][0]["variants"] == 4);
  CHECK(both["experiments"][0]["done"] == 4);
  CHECK(both["runs"][0]["run"] == "run:1");
  CHECK(both["runs"][0]["outcome"] == "done");
  CHECK(both["runs"][0]["command"] == "lowbit run experiment.yaml");
  CHECK(json_of(project.lowbit({"ls", "runs", "--json"})) == both["runs"]);
  CHECK_THAT(project.lowbit({"ls"}).out, StartsWith("experiment  file") && Contains("run:1  two"));
  CHECK(project.lowbit({"ls", "everything"}).err ==
        "error[LB0001]: `lowbit ls` lists experiments or runs, not everything\n"
        " = help: see `lowbit ls --help`\n");
}

TEST_CASE("show tells all of one result", "[e2e][looking]") {
  const Project project(kTwo);
  REQUIRE(project.run().status == 0);
  const Ended show = project.lowbit({"show", "second[word=a]"});
  CHECK(show.status == 0);
  CHECK(settled(show.out) == R"(second[word=a]
state           done in T s
experiment      two
plugin          lowbit.toy.transform 1.0.0
provenance key  KEY
content key     KEY
directory       .lowbit/results/KEY

parameter  value
steps      4
text       x

input  from               type  digest
in     first[word=a].out  file  DIGEST

output  type  size  digest        path in .lowbit
out     file  25 B  DIGEST  results/KEY/out/out

metric     value  std. error  items  unit
toy/state  804.0  –           –      ratio

attempt  state  started                   took   failure  directory in .lowbit
      1  done   TIME  T s  –        results/KEY
)");
  const Json facts = json_of(project.lowbit({"show", "second[word=a]", "--json"}));
  CHECK(facts["record"]["params"]["text"] == "x");
  CHECK(facts["inputs"][0]["from"] == "first[word=a].out");
  CHECK(facts["attempts"].size() == 1);
  const std::string digest = facts["outputs"][0]["digest"];
  CHECK(json_of(project.lowbit({"show", facts["content_key"].get<std::string>().substr(0, 16),
                                "--json"}))["content_key"] == facts["content_key"]);
  const Json artifact = json_of(project.lowbit({"show", facts["inputs"][0]["digest"], "--json"}));
  CHECK(artifact["made_by"] == Json{"first[word=a].out"});
  CHECK(artifact["used_by"] == Json{"second[word=a]"});
  CHECK_THAT(project.lowbit({"show", digest}).out,
             StartsWith("artifact        " + digest + "\ntype            file\n"));
}

TEST_CASE("show of what is not there, or not one thing, says what to do", "[e2e][looking]") {
  const Project project(kTwo);
  REQUIRE(project.run().status == 0);
  const Ended variants = project.lowbit({"show", "second"});
  CHECK(variants.status == 2);
  CHECK_THAT(variants.err, Contains("error[LB0004]: there is nothing named second in ") &&
                               Contains("note: its variants are second[word=a], second[word=b]\n"));
  CHECK_THAT(project.lowbit({"show", "second[word=c]"}).err,
             Contains("note: something with a similar name exists: second[word=a]\n"));
  CHECK(project.lowbit({"show", "two"}).err ==
        "error[LB0038]: two is an experiment, not one result\n"
        " = help: `lowbit ls` and `lowbit status` show those; `lowbit diff` compares two of them\n");
  write_text(project.path() / "other.yaml",
             "experiment: other\nmatrix: {word: [a]}\nstages: [{id: first, use: lowbit.toy.source, params: {text: "
             "\"z${word}\"}}]\n");
  REQUIRE(project.lowbit({"run", "other.yaml"}).status == 0);
  const Ended several = project.lowbit({"show", "first[word=a]"});
  CHECK(several.status == 2);
  CHECK(several.err ==
        "error[LB0037]: first[word=a] names several things\n"
        " = note: they are two, other\n"
        " = help: say which experiment's with --experiment NAME\n");
  CHECK(project.lowbit({"show", "first[word=a]", "--experiment", "other"}).status == 0);
}

TEST_CASE("diff shows only what differs", "[e2e][looking]") {
  const Project project(kTwo);
  REQUIRE(project.run().status == 0);
  const Ended variants = project.lowbit({"diff", "second[word=a]", "second[word=b]"});
  CHECK(variants.status == 0);
  CHECK_THAT(variants.out, StartsWith("A  second[word=a]\nB  second[word=b]\ninput in changed\n"));
  CHECK_THAT(project.lowbit({"diff", "first[word=a]", "first[word=b]"}).out, Contains("parameter text a -> b\n"));
  const Json same = json_of(project.lowbit({"diff", "second[word=a]", "second[word=a]", "--json"}));
  CHECK(same["record"].empty());
  CHECK(same["metrics"].empty());
  CHECK(same["equal_metrics"] == 1);
  std::string edited = kTwo;
  edited.replace(edited.find("text: x"), 7, "text: z");
  edited.replace(edited.find("two"), 3, "new");
  write_text(project.path() / "new.yaml", edited);
  REQUIRE(project.lowbit({"run", "new.yaml"}).status == 0);
  const Json sets = json_of(project.lowbit({"diff", "two", "new", "--json"}));
  CHECK(sets["equal"] == 2);
  CHECK(sets["changed"].size() == 2);
  CHECK(sets["changed"][0]["record"] == Json{"parameter text x -> z"});
  const Json runs = json_of(project.lowbit({"diff", "run:1", "run:2", "--json"}));
  CHECK(runs["only_a"] == Json{"first[word=a]", "first[word=b]"});
  CHECK(project.lowbit({"diff", "two", "second[word=a]", "--experiment", "two"}).err ==
        "error[LB0039]: two and second[word=a] cannot be compared\n"
        " = note: one result is compared with another, or an experiment or run with another\n"
        " = help: `lowbit ls` lists experiments and runs; `lowbit show` tells what a name means\n");
}

TEST_CASE("a graph is drawn in every format, and refused in words", "[e2e][looking]") {
  const Project project(kTwo);
  const auto graph = [&](const std::string& format) {
    return project.lowbit({"graph", "experiment.yaml", "--format", format}).out;
  };
  CHECK(graph("text") ==
        "two  ▶ 4 run\n"
        "first  lowbit.toy.source  ▶ 2 run\n"
        "second  lowbit.toy.transform  ▶ 2 run\n"
        "  <- first  out → in\n");
  CHECK_THAT(graph("svg"), StartsWith("<svg xmlns=") && EndsWith("</svg>\n"));
  CHECK_THAT(graph("dot"), StartsWith("digraph \"two\" {\n") && EndsWith("}\n"));
  CHECK_THAT(graph("mermaid"), StartsWith("flowchart TB\n"));
  const Ended wrong = project.lowbit({"graph", "experiment.yaml", "--format", "png"});
  CHECK(wrong.status == 2);
  CHECK(wrong.err ==
        "error[LB0035]: there is no format png for a graph\n"
        " = note: formats are text, svg, dot and mermaid\n"
        " = help: see `lowbit graph --help`\n");
  std::string many = "0";
  for (int i = 1; i < 300; ++i) many += ", " + std::to_string(i);
  project.edit("experiment: many\nmatrix: {word: [" + many +
               "]}\nstages:\n"
               "  - {id: first, use: lowbit.toy.source, params: {text: \"t${word}\"}}\n"
               "  - {id: second, use: lowbit.toy.transform, with: {in: first.out}}\n");
  CHECK(project.lowbit({"graph", "experiment.yaml", "--format", "svg", "--variants"}).err ==
        "error[LB0036]: 600 variants are too many to draw\n"
        " = note: at most 400 are drawn\n"
        " = help: leave --variants out for a box a stage, or narrow an axis: --set 'matrix.num_bits=[4]'\n");
  CHECK_THAT(graph("text"), StartsWith("many  ▶ 600 run\n"));
}

TEST_CASE("plan estimates from what has run, and says where it cannot", "[e2e][looking]") {
  const Project project(kTwo);
  CHECK_THAT(project.plan(), EndsWith("4 variants: 0 reuse, 4 run, 0 maybe\n"
                                      "estimate: unknown, nothing like it has run here\n"));
  REQUIRE(project.run().status == 0);
  CHECK_THAT(project.plan(), EndsWith("4 variants: 4 reuse, 0 run, 0 maybe\n"));
  project.edit(std::string(kTwo) + "  - {id: third, use: lowbit.toy.transform, with: {in: second.out}}\n");
  const Json estimate = json_of(project.lowbit({"plan", "experiment.yaml", "--force", "second", "--json"}))["estimate"];
  CHECK(estimate["known"] == 2);
  CHECK(estimate["unknown"] == 2);
  CHECK(estimate["from"] == 2);
  CHECK(estimate["bytes"] == 50);
  CHECK(estimate["seconds"].is_number());
}

TEST_CASE("bash completes commands, options, files, stages and variants", "[e2e][completion]") {
  const Project project(kTwo);
  REQUIRE(project.run().status == 0);
  const auto complete = [&](const std::string& words) {
    // As readline calls it: the words with the cursor after the last of them.
    const std::string script = "source <(lowbit completion bash); COMP_WORDS=(" + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _lowbit; "
                               "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"";
    return project.shell(script).out;
  };
  CHECK(complete("lowbit pl") == "plan\nplugins\n");
  CHECK(complete("lowbit plan --st") == "--strict\n");
  CHECK(complete("lowbit plan --strict --st").empty());
  CHECK(complete("lowbit plan exp") == "experiment.yaml\n");
  CHECK(complete("lowbit run experiment.yaml --force se") == "second\nsecond\\[word=a\\]\nsecond\\[word=b\\]\n");
  CHECK(complete("lowbit show \"'second[word=b\"") == "second[word=b]\n");
  CHECK(complete("lowbit logs second[word = b") == "b\\]\n");
  CHECK(complete("lowbit graph experiment.yaml --format s") == "svg\n");
  CHECK(complete("lowbit explain LB003").find("LB0030\nLB0031\n") == 0);
  CHECK(complete("lowbit completion ''") == "bash\nzsh\nfish\n");
  CHECK(complete("lowbit worker --").empty());
  CHECK(complete("lowbit nonsense --").empty());
}

TEST_CASE("the scripts for other shells ask the same question", "[e2e][completion]") {
  const Project project(kTwo);
  CHECK_THAT(project.lowbit({"completion", "zsh"}).out,
             StartsWith("#compdef lowbit\n") && Contains("completion --words"));
  CHECK_THAT(project.lowbit({"completion", "fish"}).out,
             Contains("complete -c lowbit") && Contains("completion --words"));
  CHECK(project.lowbit({"completion", "tcsh"}).err ==
        "error[LB0001]: there is no completion for the shell tcsh\n"
        " = help: `lowbit completion bash`, `lowbit completion zsh` or `lowbit completion fish`\n");
  const Ended words = project.lowbit({"completion", "--words", "retry", "experiment.yaml", "--cause", "re"});
  CHECK(words.out == "resource\t\n");
}
