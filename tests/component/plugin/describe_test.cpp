#include <catch2/catch.hpp>

#include <functional>
#include <lowbit/sdk.hpp>

#include "component/plugin/plugin_files.h"
#include "plugin/describe.h"
#include "plugin/params_schema.h"

using namespace lowbit;
using namespace lowbit::test;

namespace {

void do_nothing(const Job&) {}

Stage stage(const char* id, lb_kind kind) {
  Stage s(id, kind);
  s.version("1.0.0").summary("For tests.").run<do_nothing>();
  return s;
}
Stage dataset() { return stage("test.data", LB_DATASET).output("out", "file", "nothing"); }
Stage quantizer() {
  return stage("test.q", LB_QUANTIZER)
      .input("model", "model/1|adapter/1", "m")
      .output("quantized", "quantized-model/1", "q");
}
Stage trainer() { return stage("test.t", LB_TRAINER).output("trained", "adapter/1", "t"); }
Stage evaluator() {
  return stage("test.e", LB_EVALUATOR)
      .input("model", "model/1", "m")
      .input("task", "task/1", "t")
      .output("predictions", "predictions/1", "p");
}
Stage judge() {
  return stage("test.j", LB_JUDGE)
      .input("predictions", "predictions/1", "p", LB_PORT_MANY)
      .input("task", "task/1", "t")
      .output("verdicts", "verdicts/1", "v");
}

/// The problems of a plugin with these stages; `change` may break what the SDK would not.
std::string problems_of(std::vector<Stage> stages, const std::function<void(lb_stage&)>& change = {}) {
  const PluginStorage storage("b", std::move(stages));
  std::vector<lb_stage> copies;
  for (auto s = storage.plugin()->stages; *s != nullptr; ++s) copies.push_back(**s);
  if (change) change(copies.at(0));
  std::vector<const lb_stage*> list;
  for (const lb_stage& s : copies) list.push_back(&s);
  list.push_back(nullptr);
  lb_plugin plugin = *storage.plugin();
  plugin.stages = list.data();
  const auto described = plugin::describe(plugin, "/lib/x.so", sha256("x"));
  return described.ok() ? "" : render(described.error());
}

std::string problem(const std::string& code, const std::string& what, const std::string& fix) {
  return "error[" + code + "]: " + what + "\n = help: " + fix + "\n";
}
const std::string kData = "stage `test.data` of `x.so` ";

std::string schema_problems(const char* schema) {
  return render(plugin::check_params_schema(Json::parse(schema), "S"));
}

}  // namespace

TEST_CASE("a description holds all that a plugin says", "[plugin][describe]") {
  const PluginStorage storage(
      "g++ 12", {quantizer().seeded().resumable().cuda().preload().device_sensitive().environment("KEY")});
  const auto described = plugin::describe(*storage.plugin(), "/lib/x.so", sha256("x"));
  REQUIRE(described.ok());
  CHECK(described->library == "/lib/x.so");
  CHECK(described->library_digest == sha256("x"));
  CHECK(described->build == "g++ 12");
  REQUIRE(described->stages.size() == 1);
  const StageDescription& s = described->stages[0];
  CHECK(s.id == "test.q");
  CHECK(s.kind == StageKind::quantizer);
  CHECK(s.inputs.at(0).types == std::vector<std::string>{"model/1", "adapter/1"});
  CHECK((s.seeded && s.resumable && s.cuda && s.preload && s.device_sensitive));
  CHECK(s.environment == std::vector<std::string>{"KEY"});
}

TEST_CASE("a description survives its file form", "[plugin][describe]") {
  const PluginStorage storage("b", {judge(), dataset()});
  const auto described = plugin::describe(*storage.plugin(), "/lib/x.so", sha256("x"));
  REQUIRE(described.ok());
  const auto again = plugin_description(to_json(*described));
  REQUIRE(again.ok());
  CHECK(to_json(*again) == to_json(*described));
}

TEST_CASE("stages of every kind with the ports of their kind are accepted", "[plugin][describe]") {
  CHECK(
      problems_of({quantizer(), judge(), evaluator(), dataset(), trainer().input("data", "sft-pairs/1", "d")}).empty());
  CHECK(problems_of({trainer().input("model", "adapter/1", "m")}).empty());
  CHECK(problems_of({stage("test.e", LB_EVALUATOR)
                         .input("task", "task/1", "t")
                         .output("predictions", "predictions/1", "p")
                         .output("calls", "api-calls/1", "what a model elsewhere was asked")})
            .empty());
  CHECK(problems_of({judge().input("votes", "verdicts/1", "others", LB_PORT_OPTIONAL | LB_PORT_MANY)}).empty());
  CHECK(problems_of({judge().output("calls", "api-calls/1", "what was paid")}).empty());
  CHECK(problems_of({quantizer()
                         .input("calibration", "token-batches/1", "c", LB_PORT_OPTIONAL)
                         .input("hessians", "hessians/1", "h", LB_PORT_OPTIONAL)})
            .empty());
}

TEST_CASE("LB4009: what a stage is called and how it is versioned", "[plugin][describe]") {
  const std::string fix = "name it as VENDOR.METHOD in lower-case letters, digits, - and _: `lowbit.gptq`";
  for (const char* id : {"", "gptq", "lowbit.", ".gptq", "lowbit..gptq", "lowbit.GPTQ", "lowbit.g p"}) {
    const std::string name = std::string("stage `") + id + "` of `x.so` needs another id";
    CHECK(problems_of({stage(id, LB_DATASET).output("out", "file", "o")}) == problem("LB4009", name, fix));
  }
  CHECK(problems_of({dataset().version("")}) ==
        problem("LB4009", kData + "has no valid version",
                "give one such as 1.0.0, and change it whenever a number changes"));
  CHECK(problems_of({dataset().summary("two\nlines")}) ==
        problem("LB4009", kData + "has no summary of one line", "say in one sentence what the stage does"));
  CHECK(problems_of({dataset(), dataset()}) ==
        problem("LB4009", "the plugin `x.so` has stage `test.data` twice", "rename one of them"));
  CHECK(problems_of({}) == problem("LB4009", "the plugin `x.so` has no stages", "list them in LOWBIT_PLUGIN(...)"));
}

TEST_CASE("LB4009: ports have names, types and documentation", "[plugin][describe]") {
  CHECK(problems_of({dataset().input("In", "file", "i")}) ==
        problem("LB4009", kData + "has input `In`", "name ports in lower-case letters, digits and _, a letter first"));
  CHECK(problems_of({dataset().input("in", "file", "i").input("in", "file", "i")}) ==
        problem("LB4009", kData + "has input `in` twice", "rename one of them"));
  CHECK(problems_of({dataset().input("in", "file", "")}) ==
        problem("LB4009", kData + "does not say what input `in` is", "document the port in one sentence"));
  CHECK(problems_of({dataset().input("in", "model/1|quantised-model/1", "i")}) ==
        problem("LB4009", kData + "has input `in` of unknown type `quantised-model/1`",
                "a similar type exists: `quantized-model/1`"));
  CHECK(problems_of({dataset().input("in", "", "i")}) ==
        problem("LB4009", kData + "has input `in` of unknown type ``", "use a type of docs/artifacts.md"));
  CHECK(problems_of({stage("test.data", LB_DATASET)}) ==
        problem("LB4009", kData + "has no output", "declare what it writes"));
  CHECK(problems_of({dataset().output("two", "model/1|adapter/1", "o")}) ==
        problem("LB4009", kData + "has output `two` of several types", "declare the one it writes"));
  CHECK(problems_of({dataset().output("two", "file", "o", LB_PORT_MANY)}) ==
        problem("LB4009", kData + "has a gathered output `two`", "gather at the input that reads it"));
  CHECK(problems_of({dataset().environment("A KEY")}) ==
        problem("LB4009", kData + "asks for the environment variable `A KEY`", "use letters, digits and _"));
}

TEST_CASE("LB4009: what only a plugin in plain C can get wrong", "[plugin][describe]") {
  const auto broken = [](const std::function<void(lb_stage&)>& change) { return problems_of({dataset()}, change); };
  CHECK(broken([](lb_stage& s) { s.size = 8; }) ==
        problem("LB4009", "a stage of `x.so` has a struct of 8 bytes, the interface needs 88",
                "set lb_stage.size to sizeof(lb_stage)"));
  CHECK(broken([](lb_stage& s) { s.kind = 9; }) ==
        problem("LB4009", kData + "has the unknown kind 9", "use one of LB_QUANTIZER … LB_DATASET"));
  CHECK(broken([](lb_stage& s) { s.run = nullptr; }) ==
        problem("LB4009", kData + "has no run function", "set lb_stage.run"));
  CHECK(broken([](lb_stage& s) { s.caps = 1U << 20U; }) ==
        problem("LB4009", kData + "has unknown bits in caps", "use LB_CAP_* only"));
  CHECK(broken([](lb_stage& s) { s.params_schema = "{"; }) ==
        problem("LB4009", kData + "has a params_schema that is not JSON", "correct lb_stage.params_schema"));
  CHECK(broken([](lb_stage& s) { s.inputs = nullptr; }) ==
        problem("LB4009", kData + "has no list of inputs", "use a list that holds NULL alone when there are none"));
  CHECK(broken([](lb_stage& s) {
          static const lb_port odd{"odd", "file", "o", 64};
          static const lb_port* const ports[] = {&odd, nullptr};
          s.inputs = ports;
        }) == problem("LB4009", kData + "has unknown flags on input `odd`", "use LB_PORT_* only"));
  CHECK(broken([](lb_stage& s) { s.id = s.version = s.summary = nullptr; }).find("needs another id") !=
        std::string::npos);
}

TEST_CASE("LB4010: a stage has the ports of its kind", "[plugin][describe]") {
  const auto mismatch = [](const std::string& what, const std::string& expected) {
    return "error[LB4010]: " + what + "\n = note: expected: " + expected +
           "\n = help: change the port, or declare the stage as a dataset, whose ports are free\n";
  };
  const std::string q = "quantizer `test.q` of `x.so` ";
  const std::string models = "model/1 or quantized-model/1 or adapter/1";
  CHECK(problems_of({stage("test.q", LB_QUANTIZER).output("quantized", "quantized-model/1", "q")}) ==
        mismatch(q + "has no input `model`", "input `model` of type " + models));
  CHECK(problems_of({stage("test.q", LB_QUANTIZER)
                         .input("model", "task/1", "m", LB_PORT_OPTIONAL)
                         .output("quantized", "quantized-model/1", "q")}) ==
        mismatch(q + "has input `model` of type task/1", "input `model` of type " + models) +
            mismatch(q + "declares input `model` optional", "input `model` of type " + models + ", always there"));
  CHECK(problems_of({quantizer().input("calib", "token-batches/1", "c")}) ==
        mismatch(q + "has input `calib`", "inputs of this kind: model, calibration, hessians, program"));
  CHECK(problems_of({quantizer().output("log", "file", "l")}) ==
        mismatch(q + "has output `log`", "outputs of this kind: quantized"));
  CHECK(problems_of({trainer()}) == mismatch("trainer `test.t` of `x.so` reads neither `model` nor `data`",
                                             "inputs of a trainer: `model`, `data` or both"));
  CHECK(
      problems_of(
          {stage("test.e", LB_EVALUATOR).input("model", "model/1", "m").output("predictions", "predictions/1", "p")}) ==
      mismatch("evaluator `test.e` of `x.so` has no input `task`", "input `task` of type task/1 or token-batches/1"));
  const auto reading = [&](const std::string& type) {
    return stage("test.e", LB_EVALUATOR)
        .input("task", "task/1", "t")
        .input("results", type.c_str(), "r")
        .output("predictions", "predictions/1", "p");
  };
  CHECK(problems_of({reading("file")}).empty());
  CHECK(problems_of({reading("text/1")}) ==
        mismatch("evaluator `test.e` of `x.so` has input `results` of type text/1", "input `results` of type file"));
  CHECK(problems_of({stage("test.j", LB_JUDGE).input("task", "task/1", "t").output("verdicts", "verdicts/1", "v")}) ==
        mismatch("judge `test.j` of `x.so` has no input `predictions`", "input `predictions` of type predictions/1"));
  CHECK(problems_of({judge().output("calls", "file", "c")}) ==
        mismatch("judge `test.j` of `x.so` has output `calls` of type file", "output `calls` of type api-calls/1"));
  CHECK(problems_of({judge().output("bills", "api-calls/1", "c")}) ==
        mismatch("judge `test.j` of `x.so` has output `bills`", "outputs of this kind: verdicts, calls"));
}

TEST_CASE("LB4011: a parameter schema is closed, documented and made of what lowbit enforces", "[plugin][describe]") {
  const auto bad = [](const std::string& found, const std::string& fix) {
    return problem("LB4011", "the parameter schema of S " + found, fix);
  };
  CHECK(schema_problems(R"([])") == bad("is not the schema of an object",
                                        R"(write {"type":"object","additionalProperties":false,"properties":{}})"));
  CHECK(schema_problems(R"({"type":"object","properties":{}})") ==
        bad("accepts unknown parameters", "add \"additionalProperties\": false"));
  const auto with = [](const std::string& property) {
    const std::string text = R"({"type":"object","additionalProperties":false,"properties":{"a":)" + property + "}}";
    return schema_problems(text.c_str());
  };
  CHECK(with(R"({"type":"integer","default":1,"description":"d"})").empty());
  CHECK(with("true") == bad("has no schema for `a`", "describe the parameter"));
  CHECK(with(R"({"type":"integer","default":1})") ==
        bad("has no description of `a`", "say in one sentence what the parameter does"));
  CHECK(with(R"({"type":"int","default":1,"description":"d"})") ==
        bad("has no valid type for `a`", "give one of array, boolean, integer, null, number, object, string"));
  CHECK(with(R"({"type":"integer","description":"d"})") ==
        bad("has neither a default nor an entry in `required` for `a`", "add one of the two"));
  CHECK(with(R"({"type":"integer","enum":[],"default":1,"description":"d"})") ==
        bad("has an enum without values for `a`", "list the values"));
  CHECK(with(R"({"type":"integer","affects_result":"no","default":1,"description":"d"})") ==
        bad("has an `affects_result` that is not true or false for `a`", "correct it"));
  CHECK(with(R"({"type":"array","items":{"type":"string","pattern":"x"},"default":[],"description":"d"})") ==
        bad("uses `pattern` for `a[]`, which lowbit does not enforce",
            "say it with other keywords, or refuse such values in check()"));
  CHECK(with(R"({"type":"object","properties":{"b":{"type":"integer"}},"default":{},"description":"d"})") ==
        bad("has no description of `a.b`", "say in one sentence what the parameter does"));
  CHECK(schema_problems(R"({"type":"object","additionalProperties":false,"properties":{},"required":["a"]})") ==
        bad("requires \"a\", which is not among its properties", "correct `required`"));
}

TEST_CASE("all problems of a plugin are reported at once", "[plugin][describe]") {
  const std::string text =
      problems_of({dataset().version("").environment("A KEY"), quantizer().output("log", "file", "l")});
  CHECK(text.find("has no valid version") != std::string::npos);
  CHECK(text.find("environment variable") != std::string::npos);
  CHECK(text.find("has output `log`") != std::string::npos);
}
