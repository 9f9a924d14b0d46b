// How much judges agree, through the program: two judges that are scripts, two seeds, and their votes.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

constexpr const char* kJudges = R"(experiment: judged
seeds: [0, 1]
matrix: {judge: [gpt, llama]}
inputs:
  problems: {type: task/1, path: problems}
  answers: {type: predictions/1, path: answers}
  script: {type: file, path: judge.py}
stages:
  - id: judge
    use: lowbit.command-judge
    with: {task: inputs.problems, predictions: inputs.answers, program: inputs.script}
    params: {command: [python3, "{program}"], args: {judge: "${judge}"}}
  - id: vote
    use: lowbit.majority-vote
    with:
      task: inputs.problems
      predictions: inputs.answers
      verdicts: {each: judge.verdicts, over: [judge]}
)";

// c: an error in computing, step 1; n: none; ?: the judge cannot tell. The second seed changes its mind on i1.
constexpr const char* kScript = R"(import json, os

job = json.load(open(os.environ["LOWBIT_JOB"]))
judge = job["args"]["judge"]
said = {"gpt": "ccn?", "llama": "cnnc"}[judge]
if job["seed"] == 1:
    said = said[0] + "n" + said[2:]
with open(os.path.join(job["outputs"]["verdicts"], "verdicts.jsonl"), "w") as out:
    for i, verdict in enumerate(said):
        error = verdict == "c"
        out.write(json.dumps({"item_id": f"i{i}", "judge": judge,
                              "status": {"c": "error", "n": "no_error", "?": "undetermined"}[verdict],
                              "first_error_step": 1 if error else None, "category": "execution" if error else None,
                              "type": "computational_error" if error else None, "explanation": None,
                              "confidence": None, "call_ids": []}) + "\n")
)";

void write_inputs(const Project& project) {
  std::string items;
  std::string answers;
  for (int i = 0; i < 4; ++i) {
    const std::string id = "i" + std::to_string(i);
    items += Json{{"item_id", id},      {"problem_id", id},        {"problem", "2 + 2"},
                  {"answer", "4"},      {"solution", nullptr},     {"steps", nullptr},
                  {"choices", nullptr}, {"answer_index", nullptr}, {"fields", Json::object()}}
                 .dump() +
             "\n";
    answers += Json{{"item_id", id},       {"problem_id", id}, {"prompt_sha", std::string(64, '0')},
                    {"text", "2 + 2 = 5"}, {"extracted", "5"}, {"steps", Json::array({"2 + 2 = 5"})},
                    {"correct", false},    {"n_tokens", 9},    {"truncated", false}}
                   .dump() +
               "\n";
  }
  std::filesystem::create_directories(project.path() / "problems");
  std::filesystem::create_directories(project.path() / "answers");
  const Json prompt{{"template", "{{problem}}"}, {"system", nullptr}, {"chat", false}};
  const Json task{
      {"name", "sums"},    {"kind", "generate"},        {"n_items", 4}, {"prompt", prompt}, {"stop", Json::array()},
      {"grader", nullptr}, {"response_format", nullptr}};
  write_text(project.path() / "problems" / "task.json", task.dump());
  write_text(project.path() / "problems" / "items.jsonl", items);
  write_text(project.path() / "answers" / "predictions.jsonl", answers);
  write_text(project.path() / "judge.py", kScript);
}

constexpr const char* kWithoutJudges = R"(experiment: plain
stages: [{id: first, use: lowbit.toy.source, params: {text: a}}]
)";

}  // namespace

TEST_CASE("agreement of judges, their seeds and their votes", "[e2e][agreement]") {
  const Project project(kJudges);
  write_inputs(project);
  const Ended run = project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);

  const Ended page = project.lowbit({"agreement"});
  CHECK(page.status == 0);
  CHECK_THAT(page.out, Contains("experiment  judged\ncases       4, of 1 set of predictions\n") &&
                           Contains("gpt (seed 0)         4      3             1        0\n") &&
                           Contains("vote (seed 0)      4  0.500 [0.150, 0.850]  0.250 [0.046, 0.699]  0.250 ") &&
                           Contains("llama (seed 1)  llama (seed 0)      4  1.000 [0.510, 1.000]  1.000 "));
  const Json facts = Json::parse(project.lowbit({"agreement", "judged", "--json", "--baseline", "gpt (seed 0)"}).out);
  CHECK(facts["baseline"] == "gpt (seed 0)");
  std::string pairs;
  for (const Json& pair : facts["pairs"]) {
    pairs += pair["rater"].get<std::string>() + " / " + pair["with"].get<std::string>() + "\n";
    if (pair["rater"] != "gpt (seed 1)" || pair["with"] != "gpt (seed 0)") continue;
    CHECK(pair["alike"]["count"] == 2);
    CHECK(pair["alike"]["of"] == 3);
    // Seed 0 says c c n, seed 1 c n n: po = 2/3, pe = (2 * 1 + 1 * 2) / 9.
    CHECK(pair["kappa"]["value"].get<double>() == Approx((2.0 / 3 - 4.0 / 9) / (1 - 4.0 / 9)));
  }
  CHECK(pairs ==
        "gpt (seed 0) / vote (seed 0)\ngpt (seed 0) / vote (seed 1)\n"
        "gpt (seed 1) / gpt (seed 0)\ngpt (seed 1) / vote (seed 0)\ngpt (seed 1) / vote (seed 1)\n"
        "llama (seed 0) / gpt (seed 0)\nllama (seed 0) / vote (seed 0)\nllama (seed 0) / vote (seed 1)\n"
        "llama (seed 1) / gpt (seed 0)\nllama (seed 1) / llama (seed 0)\nllama (seed 1) / vote (seed 0)\n"
        "llama (seed 1) / vote (seed 1)\nvote (seed 1) / vote (seed 0)\n");
  CHECK(facts["judges"][0]["fleiss_kappa"]["cases"] == 3);
  CHECK(facts["judges"][0]["alpha"]["cases"] == 4);
  CHECK(facts["step_alpha"]["why"] == "one class only");
  CHECK(project.lowbit({"agreement"}).out == page.out);

  const Ended unknown = project.lowbit({"agreement", "--baseline", "gtp (seed 0)"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err ==
        "error[LB7032]: the baseline `gtp (seed 0)` is none of the judges\n"
        " = note: they are gpt (seed 0), gpt (seed 1), llama (seed 0), llama (seed 1)\n"
        " = note: one with a similar name exists: gpt (seed 0)\n"
        " = help: name one of them, or leave --baseline out to compare every judge with every other\n");
  CHECK(project.lowbit({"agreement", "--level", "step"}).err ==
        "error[LB0001]: `lowbit agreement` has no level `step`\n = help: use type or category\n");
  const auto completed = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"completion", "--words", "agreement"});
    return project.lowbit(words).out;
  };
  CHECK(completed({""}) == "judged\t\n");
  CHECK(completed({"--baseline", ""}) == "gpt\t\nllama\t\n");
  CHECK(completed({"--level", "c"}) == "category\t\n");
}

TEST_CASE("agreement without a judge, or of no experiment, says what to do", "[e2e][agreement]") {
  const Project project(kWithoutJudges);
  CHECK_THAT(project.lowbit({"agreement"}).err, Contains("error[LB7010]"));
  REQUIRE(project.run().status == 0);
  CHECK(project.lowbit({"agreement"}).err ==
        "error[LB7031]: no judge has said anything in `plain`\n"
        " = note: none of the results that its last expansion leads to holds verdicts on predictions\n"
        " = help: add a judge (docs/judging.md) and run it; `lowbit status` tells how far it is\n");
  const Ended unknown = project.lowbit({"agreement", "plian"});
  CHECK(unknown.status == 2);
  CHECK(unknown.err ==
        "error[LB7030]: no experiment `plian` was run here\n"
        " = note: the project has plain\n"
        " = note: one with a similar name exists: plain\n"
        " = help: `lowbit agreement plain`; `lowbit ls` lists them\n");
  write_text(project.path() / "other.yaml",
             "experiment: other\nstages: [{id: first, use: lowbit.toy.source, params: {text: a}}]\n");
  REQUIRE(project.lowbit({"run", "other.yaml"}).status == 0);
  CHECK(project.lowbit({"agreement"}).err ==
        "error[LB7030]: agreement in which experiment\n"
        " = note: the project has other, plain\n"
        " = help: `lowbit agreement other`; `lowbit ls` lists them\n");
  REQUIRE(project.lowbit({"gc", "--forget", "other"}).status == 0);
  REQUIRE(project.lowbit({"gc", "--forget", "plain"}).status == 0);
  CHECK(project.lowbit({"agreement"}).err ==
        "error[LB7030]: agreement in which experiment\n"
        " = note: this project has no experiments\n"
        " = help: `lowbit run FILE` runs one\n");
}
