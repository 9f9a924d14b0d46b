// `lowbit compare`, `samples` and `trace` on a study that was run.
#include <catch2/catch.hpp>

#include <cmath>
#include <nlohmann/json.hpp>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::WithinAbs;
using Json = nlohmann::json;

namespace {

/// Answers to 60 items, some of them hostile. `right` of them are right, moved by the seed; `prompt` is what was asked.
constexpr const char* kAnswers = R"py(
import json, os

job = json.load(open(os.environ["LOWBIT_JOB"]))
if job["args"].get("task"):
    task = job["outputs"]["task"]
    json.dump({"name": "toys", "kind": "generate", "n_items": 60, "stop": [], "response_format": "plain", "grader": None,
               "prompt": {"template": "{{problem}}", "system": None, "chat": False}}, open(task + "/task.json", "w"))
    with open(task + "/items.jsonl", "w") as out:
        for i in range(60):
            out.write(json.dumps({"item_id": f"item-{i}", "problem_id": f"problem-{i}", "problem": f"how much is {i}?",
                                  "answer": str(i), "solution": None, "steps": None, "choices": None,
                                  "answer_index": None, "fields": {}}) + "\n")
    raise SystemExit
draw = job["args"]["draw"]
right, prompt = job["args"]["right"], job["args"].get("prompt", "0")
with open(os.path.join(job["outputs"]["predictions"], "predictions.jsonl"), "w") as out:
    for i in range(60):
        text = "\x1b[31mred\u202e" + "x" * 1000 if i == 7 else f"the answer is {i}"
        correct = None if i == 59 else (37 * i + draw * (i % 3)) % 60 < right
        out.write(json.dumps({"item_id": f"item-{i}", "problem_id": f"problem-{i}", "prompt_sha": prompt * 64,
                              "text": text, "steps": [], "extracted": str(i), "correct": correct,
                              "n_tokens": 5, "truncated": False}) + "\n")
with open(job["events"], "a") as events:
    for name, unit, value in (("toys/accuracy", "fraction", 0.5), ("toys/tokens_per_item", "tokens", right + draw / 64)):
        events.write(json.dumps({"metric": {"name": name, "unit": unit, "value": value}}) + "\n")
)py";

constexpr const char* kVerdicts = R"py(
import json, os

job = json.load(open(os.environ["LOWBIT_JOB"]))
lines = open(os.path.join(job["inputs"]["predictions"][0]["path"], "predictions.jsonl")).read().splitlines()
with open(os.path.join(job["outputs"]["verdicts"], "verdicts.jsonl"), "w") as out:
    for line in map(json.loads, lines):
        wrong = line["correct"] is False
        out.write(json.dumps({"item_id": line["item_id"], "judge": "toy", "status": "error" if wrong else "no_error",
                              "first_error_step": None, "category": "method" if wrong else None,
                              "type": "procedural_error" if wrong else None, "confidence": None,
                              "explanation": "", "call_ids": []}) + "\n")
)py";

constexpr const char* kStudy = R"(experiment: toys
seeds: [0, 1]
matrix:
  right: [48, 30, 12]
inputs:
  program: {type: file, path: answers.py}
  judging: {type: file, path: verdicts.py}
stages:
  - id: task
    use: lowbit.command-dataset
    with: {program: inputs.program}
    params: {command: [python3, "{program}"], args: {task: true}}
  - id: answer
    use: lowbit.command-dataset
    with: {data: task.task, program: inputs.program}
    params: {command: [python3, "{program}"], args: {draw: "${seed}", right: "${right}"}}
  - id: judge
    use: lowbit.command-judge
    with: {predictions: answer.predictions, task: task.task, program: inputs.judging}
    params: {command: [python3, "{program}"]}
)";

constexpr const char* kTables = R"(experiment: toys
tables:
  main:
    columns:
      - {label: tokens, value: {of: answers, metric: "*/tokens_per_item"}}
      - {label: accuracy ↑, accuracy: {of: answers}}
      - {label: delta, delta: {of: answers, to: best}}
    rows:
      - {id: best, stages: {answers: answer}, at: {right: 48}}
      - {id: half, stages: {answers: answer}, at: {right: 30}}
)";

struct Study : Project {
  explicit Study(const std::string& experiment = kStudy) : Project(experiment) {
    write_text(path() / "answers.py", kAnswers);
    write_text(path() / "verdicts.py", kVerdicts);
    write_text(path() / "tables.yaml", kTables);
  }
};

double number(const std::string& text) { return std::stod(text); }

}  // namespace

TEST_CASE("a study's variants, items and figures can be looked into", "[e2e][compare]") {
  const Study project;
  const Ended ran = project.run();
  INFO(ran.err);
  REQUIRE(ran.status == 0);

  const Ended compared = project.lowbit({"compare", "toys", "answer"}, {{"COLUMNS", "100"}});
  INFO(compared.out << compared.err);
  CHECK(compared.status == 0);
  CHECK(compared.err.empty());
  CHECK_THAT(compared.out, Contains("toys: answer, 3 variants\n") && Contains("toys/accuracy % ↑") &&
                               Contains("Δ to 1, answer[right=48], paired by seed\n") && !Contains("≠"));
  const Json comparison = Json::parse(project.lowbit({"compare", "--json"}).out);
  const auto& metrics = comparison["sections"][0]["metrics"];
  REQUIRE(metrics[0]["name"] == "toys/accuracy");
  for (std::size_t c = 0; c < 3; ++c) {
    const std::string where = "s.stage = 'answer' AND s.axes ->> '$.right' = " + std::string(c == 0   ? "48"
                                                                                             : c == 1 ? "30"
                                                                                                      : "12");
    const double accuracy =
        number(project.query("SELECT sum(coalesce(p.correct, 0)) * 1.0 / count(*) FROM v_stages s JOIN predictions p "
                             "USING (result_id) WHERE " +
                             where));
    CHECK_THAT(metrics[0]["cells"][c]["value"].get<double>(), WithinAbs(accuracy, 1e-12));
    const double tokens =
        number(project.query("SELECT mean FROM v_agg s WHERE metric = 'toys/tokens_per_item' AND " + where));
    CHECK_THAT(metrics[1]["cells"][c]["value"].get<double>(), WithinAbs(tokens, 1e-9));
    if (c == 0) continue;
    CHECK_THAT(metrics[0]["cells"][c]["delta"].get<double>(),
               WithinAbs(accuracy - metrics[0]["cells"][0]["value"].get<double>(), 1e-12));
    CHECK_THAT(metrics[1]["cells"][c]["delta"].get<double>(), WithinAbs(c == 1 ? -18 : -36, 1e-9));
    CHECK_THAT(metrics[1]["cells"][c]["delta_std"].get<double>(), WithinAbs(0, 1e-9));
  }
  CHECK_THAT(project.lowbit({"compare", "answer", "--baseline", "answer[right=12]", "--csv"}).out,
             Contains("\"{\"\"right\"\":48}\",\"{\"\"right\"\":12}\""));
  CHECK_THAT(project.lowbit({"compare", "--markdown"}).out, Contains("**toys: answer, judge, 3 variants**"));

  const Ended wrong = project.lowbit({"samples", "answer[right=12,seed=0]", "--wrong", "-n", "2"});
  INFO(wrong.out << wrong.err);
  CHECK(wrong.status == 0);
  CHECK_THAT(wrong.out, Contains("showing 2 of 47 wrong items (--limit N shows more)\n") &&
                            Contains("by judge (toy): error, method, procedural_error\n"));
  const Ended hostile = project.lowbit({"samples", "answer[right=12,seed=0]", "--item", "item-7"});
  CHECK_THAT(hostile.out, Contains("\\x1b[31mred\\u202exxx") && Contains("… (+709 characters)") && !Contains("\x1b") &&
                              !Contains("\u202e"));
  CHECK_THAT(project.lowbit({"samples", "answer[right=12,seed=0]", "--item", "item-7", "--full"}).out,
             Contains(std::string(1000, 'x')) && !Contains("\x1b"));
  CHECK_THAT(project.lowbit({"samples", "answer[right=12,seed=0]", "--error", "method"}).out,
             Contains("showing 20 of 47 items with error method"));
  const Ended few = project.lowbit({"samples", "answer[right=12,seed=0]", "--ungraded", "--csv"});
  CHECK_THAT(few.out, Contains("item-59,problem-59,how much is 59?,59,,59,the answer is 59,,\n"));
  CHECK_THAT(project.lowbit({"samples", "answer[right=12,seed=0]", "--csv"}).err, Contains("20 of 60 items"));

  const Json flips = Json::parse(
      project.lowbit({"samples", "answer[right=48,seed=0]", "answer[right=30,seed=0]", "--flips", "--json"}).out);
  const auto flipped = [&](const std::string& which) {
    return number(
        project.query("SELECT count(*) FROM predictions a JOIN predictions b USING (item_id) WHERE a.result_id = "
                      "(SELECT result_id FROM "
                      "v_stages WHERE label = 'answer[right=48,seed=0]') AND b.result_id = (SELECT result_id FROM "
                      "v_stages WHERE label = "
                      "'answer[right=30,seed=0]') AND " +
                      which));
  };
  CHECK(flips["flips"]["only_a"] == flipped("a.correct = 1 AND b.correct = 0"));
  CHECK(flips["flips"]["only_b"] == flipped("a.correct = 0 AND b.correct = 1"));
  // 18 items are right before and none after: p = 2 / 2^18.
  CHECK(flips["flips"]["only_a"] == 18);
  CHECK_THAT(flips["flips"]["mcnemar_p"].get<double>(), WithinAbs(2 / std::pow(2.0, 18), 1e-15));
  CHECK(flips["samples"].size() == 18);

  const Ended traced = project.lowbit({"trace", ".", "half", "accuracy"});
  INFO(traced.out << traced.err);
  CHECK(traced.status == 0);
  const std::string right = project.query(
      "SELECT sum(p.correct) FROM v_stages s JOIN predictions p USING (result_id) WHERE s.label = "
      "'answer[right=30,seed=1]'");
  CHECK_THAT(traced.out, Contains("table main, row half, column accuracy ↑\n") &&
                             Contains("answer[right=30,seed=1]\n  " + right.substr(0, right.find('\n')) +
                                      " right of 60, 1 not graded\n  key ") &&
                             Contains("  data ") && Contains(" ← task.task\n") && Contains("answers.py\n") &&
                             Contains("judge[right=30,seed=0]\n  verdicts/1 of 60 items by toy\n") &&
                             Contains("make it again  lowbit run experiment.yaml\n"));
  const Json trace =
      Json::parse(project.lowbit({"trace", "experiment.yaml", "main", "half", "delta", "--json", "--items"}).out);
  CHECK(trace["results"].size() == 4);
  CHECK(trace["results"][0]["items"].size() == 60);
  CHECK(trace["results"][0]["items"]["item-59"].is_null());
  const Json table = Json::parse(project.lowbit({"table", ".", "--json"}).out);
  CHECK(trace["figures"]["delta"] == table[1]["delta"]);
  CHECK(trace["figures"]["delta: high"] == table[1]["delta: high"]);
}

TEST_CASE("different questions are not subtracted", "[e2e][compare]") {
  std::string experiment = kStudy;
  experiment.replace(experiment.find("  right: [48, 30, 12]"), 21, "  prompt: [\"0\", \"1\"]");
  experiment.replace(experiment.find("right: \"${right}\""), 17, "right: 30, prompt: \"${prompt}\"");
  const Study project(experiment);
  REQUIRE(project.run().status == 0);
  CHECK_THAT(project.lowbit({"compare"}).out,
             Contains("≠ not comparable: answer of 2: prompts differ: answer[prompt=1,seed=0], baseline "
                      "answer[prompt=0,seed=0]\n"));
  const Ended flips = project.lowbit({"samples", "answer[prompt=0,seed=0]", "answer[prompt=1,seed=0]", "--flips"});
  CHECK(flips.status == 2);
  CHECK_THAT(flips.err, Contains("error[LB7025]") && Contains("was asked with different prompts"));
}

TEST_CASE("words of compare, samples and trace are completed", "[e2e][compare]") {
  const Study project;
  REQUIRE(project.run().status == 0);
  const auto completed = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"completion", "--words"});
    return project.lowbit(std::move(words)).out;
  };
  CHECK_THAT(completed({"com"}), Contains("compare\t"));
  CHECK_THAT(completed({"compare", "t"}), Contains("toys"));
  CHECK_THAT(completed({"compare", "toys", "answer[r"}), Contains("answer[right=48,seed=0]"));
  CHECK_THAT(completed({"compare", "--baseline", "answer[r"}), Contains("answer[right=12,seed=1]"));
  CHECK_THAT(completed({"compare", "--all"}), Contains("--all-params\t") && Contains("--all-columns\t"));
  CHECK_THAT(completed({"samples", "answer[r"}), Contains("answer[right=48,seed=0]"));
  CHECK_THAT(completed({"samples", "answer[right=48,seed=0]", "--fl"}), Contains("--flips\t"));
  CHECK(completed({"trace", ""}) == ":files *.y*ml\n");
  CHECK(completed({"trace", "tables.yaml", ""}).empty());
}

TEST_CASE("words that compare, samples and trace do not know are answered with those they do", "[e2e][compare]") {
  const Study project;
  REQUIRE(project.run().status == 0);
  const auto refused = [&](std::vector<std::string> words, const std::string& said) {
    const Ended ended = project.lowbit(std::move(words));
    CHECK(ended.status == 2);
    CHECK(ended.out.empty());
    CHECK_THAT(ended.err, Contains(said));
  };
  refused({"compare", "toys", "anwser"}, "error[LB7060]: experiment `toys` has no stage or variant `anwser`");
  refused({"compare", "--baseline", "answer"}, "error[LB7061]: baseline `answer` is more than one variant");
  refused({"compare", "task"}, "error[LB7062]: there is nothing to compare");
  refused({"compare", "--metric", "toys/accurate"}, "error[LB7063]: no stage that is compared reports toys/accurate");
  refused({"samples", "judge[right=12,seed=0]"}, "error[LB7064]: `judge[right=12,seed=0]` has no predictions");
  refused({"samples", "toys"}, "error[LB7064]: toys is not one result");
  refused({"samples", "answer[right=12]"}, "error[LB0004]");
  refused({"samples", "answer[right=12,seed=0]", "--error", "metod"}, "a similar name is there: `method`");
  refused({"samples", "answer[right=12,seed=0]", "--error", "metod"}, "error[LB7066]: no item has an error `metod`");
  refused({"samples", "answer[right=12,seed=0]", "--flips"}, "error[LB0001]");
  refused({"samples", "answer[right=12,seed=0]", "--right", "--wrong"}, "error[LB0001]");
  refused({"trace", ".", "half"}, "error[LB0001]");
  refused({"trace", ".", "main", "hafl", "accuracy"}, "error[LB7068]: table `main` has no row `hafl`");
  REQUIRE(
      project
          .shell("sed 's/^experiment: toys/experiment: games/' experiment.yaml > games.yaml && lowbit run games.yaml")
          .status == 0);
  CHECK(project.lowbit({"compare", "experiment.yaml"}).out == project.lowbit({"compare", "toys"}).out);
  CHECK(project.lowbit({"compare", "."}).status == 0);
  refused({"compare"}, "error[LB7067]: the project has several experiments\n = note: its experiments: games, toys\n");
  refused({"compare", "toy"}, "error[LB7067]: there is no experiment `toy`");
  CHECK(project.lowbit({"compare", "toys"}).status == 0);
}
