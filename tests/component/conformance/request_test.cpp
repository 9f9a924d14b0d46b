#include "component/conformance/conformance_fixture.h"

using namespace lowbit;
using namespace lowbit::test;

namespace {

const std::filesystem::path kToy = kToys / "toy.so";

}  // namespace

TEST_CASE("what a stage still needs is said in words for the command line", "[conformance]") {
  const Findings input = check({.library = kToy, .stage = "lowbit.toy.answer"});
  CHECK(input.failed().empty());
  CHECK(input.skipped().size() == 14);
  CHECK(input.evidence("runs") == "give --input model=PATH --input task=PATH");
  CHECK(input.evidence("resume") == input.evidence("runs"));
  const Findings parameter = check({.library = kToy, .stage = "lowbit.toy.fail_until"});
  CHECK(parameter.failed().empty());
  CHECK(parameter.evidence("runs") == "give --param path=VALUE");
}

TEST_CASE("results are handed over one by one, in the order of the list", "[conformance]") {
  const Directory in_memory;
  std::vector<std::string> seen;
  const auto results = exec::check_conformance({.library = kToy, .program = kProgram, .stage = "lowbit.toy.answer"},
                                               [&](const exec::CheckResult& r) { seen.push_back(r.check); });
  REQUIRE(results.ok());
  REQUIRE(results->size() == seen.size());
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK((*results)[i].check == seen[i]);
  CHECK(to_json(results->front()) == Json{{"result", "ok"},
                                          {"stage", "toy.so"},
                                          {"check", "exports"},
                                          {"evidence", "lowbit_plugin and nothing else"}});
}

TEST_CASE("a stage that the plugin does not have is refused", "[conformance]") {
  CHECK(refusal({.library = kTemplate, .stage = "example.word-cuont"}) ==
        "error[LB0003]: there is no stage example.word-cuont in word-count.so\n"
        " = note: its stages are example.word-count\n"
        " = help: a stage with a similar name exists: example.word-count\n");
}

TEST_CASE("a plugin file that is not there is refused", "[conformance]") {
  CHECK(refusal({.library = "no/such.so"}) ==
        "error[LB4001]: cannot read the plugin file `no/such.so`\n"
        " = note: No such file or directory\n"
        " = help: check the path and its permissions\n");
}

TEST_CASE("inputs that no stage takes are refused", "[conformance]") {
  const Directory files;
  const auto text = files.file("text.txt", "a");
  CHECK(refusal({.library = kTemplate, .inputs = {{"txet", "", text}}}) ==
        "error[LB2002]: no stage has an input `txet`\n"
        " = note: inputs: text: file\n"
        " = help: give --input PORT=PATH or --input PORT=TYPE:PATH\n");
  CHECK(refusal({.library = kTemplate, .inputs = {{"text", "model/1", text}}}) ==
        "error[LB2002]: no stage has an input `text` that takes model/1\n"
        " = note: inputs: text: file\n"
        " = help: give --input PORT=PATH or --input PORT=TYPE:PATH\n");
  CHECK(refusal({.library = kTemplate, .inputs = {{"text", "", text}, {"text", "", text}}}) ==
        "error[LB2009]: input `text` of `example.word-count` takes one artifact, not a set\n"
        " = help: give --input text= once\n");
}

TEST_CASE("inputs that are not there, or not of their type, are refused", "[conformance]") {
  CHECK(refusal({.library = kTemplate, .inputs = {{"text", "", "no/such.txt"}}}) ==
        "error[LB2101]: input `text` does not exist: no/such.txt\n"
        " = help: check the path\n");
  const Directory files;
  files.file("pairs/pairs.jsonl", "");
  const auto pairs = files.path() / "pairs";
  CHECK(refusal({.library = kToys / "toy-nonconforming.so", .inputs = {{"pairs", "", pairs}}}) ==
        "error[LB2102]: input `pairs` is not a valid sft-pairs/1: " + pairs.string() +
            "\n = note: sft-pairs/1: the artifact: is missing or holds no bytes\n"
            " = help: give an artifact as docs/artifacts.md describes it, or its type: --input pairs=TYPE:PATH\n");
}

TEST_CASE("parameters that no stage has or takes are refused", "[conformance]") {
  const Directory files;
  CHECK(refusal({.library = kTemplate, .params = {param("min_cuont", 2)}}) ==
        "error[LB2004]: no stage has a parameter `min_cuont`\n"
        " --> --param:1:1\n"
        "  |\n"
        "1 | min_cuont=2\n"
        "  | ^^^^^^^^^\n"
        "  = help: a similar name exists: `min_count`\n");
  CHECK(refusal({.library = kTemplate,
                 .inputs = {{"text", "", files.file("text.txt", "a")}},
                 .params = {param("min_count", 0)}}) ==
        "error[LB2005]: parameter `min_count` of `example.word-count` cannot be 0\n"
        " --> --param:1:11\n"
        "  |\n"
        "1 | min_count=0\n"
        "  |           ^ expected an integer of at least 1\n"
        "  = note: min_count: rarer words are left out\n"
        "  = help: give an integer of at least 1\n");
}
