#include <fstream>

#include "base/words.h"
#include "component/store/fixture.h"
#include "store/project_facts.h"
#include "store/study_results.h"
#include "store/task_questions.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

/// Answers to i1 (right), i2 (wrong), i3 (not graded) and i4 (wrong).
Publication answers(Writer& writer, const std::string& content, const std::string& label) {
  Publication made = writer.publication(content, label);
  const std::vector<std::pair<std::string, Json>> grades{{"i1", true}, {"i2", false}, {"i3", nullptr}, {"i4", false}};
  for (const auto& [item, correct] : grades) {
    made.items["predictions"].push_back({item,
                                         {{"item_id", item},
                                          {"problem_id", "of " + item},
                                          {"correct", correct},
                                          {"text", "text of " + item},
                                          {"extracted", "4"},
                                          {"n_tokens", 3},
                                          {"truncated", item == "i4"},
                                          {"prompt_sha", "p"}}});
  }
  return made;
}

/// A result of type `type` on the predictions of `content`, with these lines.
Publication marks(Writer& writer, const std::string& content, const std::string& label, const std::string& type,
                  const std::string& on, std::vector<std::pair<std::string, Json>> lines) {
  Publication made = writer.publication(content, label);
  Json record = made.result.content_record.json();
  record["inputs"] = {{"predictions", {{"type", "predictions/1"}, {"digest", sha256("a:" + on).hex()}}}};
  made.result.content_record = record;
  made.outputs.front().port = "marks";
  made.outputs.front().artifact.type = type;
  made.result.outputs = {{"marks", made.outputs.front().artifact}};
  for (auto& [item, line] : lines) {
    line["item_id"] = item;
    made.items["marks"].push_back({item, std::move(line)});
  }
  return made;
}

/// Two results of answers, one judged and graded.
struct Answered {
  Directory dir;
  Writer writer{dir.database()};

  Answered() {
    must(writer.store().record_expansion(
        {.experiment = "study", .file = "study.yaml"},
        {row("solve", {{"bits", Json(4)}}, "a"), row("solve", {{"bits", Json(2)}}, "b"), row("judge", {}, "j"),
         row("grade", {}, "g"), row("never", {}, "n"), row("other", {}, "o")}));
    writer.publish(answers(writer, "a", "solve[bits=4]"));
    writer.publish(answers(writer, "b", "solve[bits=2]"));
    writer.publish(marks(writer, "j", "judge", "verdicts/1", "a",
                         {{"i2",
                           {{"judge", "gpt"},
                            {"status", "error"},
                            {"type", "procedural_error"},
                            {"category", "method"},
                            {"first_error_step", 2}}},
                          {"i4", {{"judge", "gpt"}, {"status", "undetermined"}}}}));
    writer.publish(marks(writer, "g", "grade", "grades/1", "a",
                         {{"i1", {{"source", "prediction"}, {"correct", true}}},
                          {"i2", {{"source", "human"}, {"correct", false}, {"type", "formula_rule_error"}}}}));
    writer.publish(marks(writer, "o", "other", "verdicts/1", "elsewhere", {{"i1", {{"judge", "gpt"}}}}));
  }
};

PredictionsPlace place_of(ProjectFacts& facts, const std::string& label) {
  return must(facts.predictions(must(facts.meanings_of(label, "")).front()));
}

std::string items_of(const std::vector<Sample>& samples) {
  std::vector<std::string> items;
  for (const Sample& sample : samples) items.push_back(sample.item_id);
  return joined(items, " ");
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("the items of a result are counted and filtered", "[store][samples]") {
  const Answered study;
  ProjectFacts facts = must(ProjectFacts::open(study.dir.database()));
  const PredictionsPlace place = place_of(facts, "solve[bits=4]");
  CHECK(place.port == "predictions");
  CHECK(place.digest == sha256("a:a").hex());
  CHECK(place.n == 4);
  CHECK(place.n_right == 1);
  CHECK(place.n_ungraded == 1);
  CHECK(place.n_wrong() == 2);

  const std::vector<MarksPlace> judged = must(facts.marks_on(place.digest));
  REQUIRE(judged.size() == 2);
  CHECK(judged[0].label == "judge");
  CHECK(judged[0].sources == std::vector<std::string>{"gpt"});
  CHECK(judged[0].n == 2);
  CHECK(judged[0].n_human == 0);
  CHECK(judged[1].type == "grades/1");
  CHECK(judged[1].sources == std::vector<std::string>{"human", "prediction"});
  CHECK(judged[1].n_human == 1);
  CHECK(must(facts.marks_on(sha256("a:b").hex())).empty());
  CHECK(joined(must(facts.errors_in(judged))) == "formula_rule_error, method, procedural_error");

  const auto check = [&](const SampleFilter& filter, const std::string& items) {
    CHECK(items_of(must(facts.samples(place, filter, judged, 10))) == items);
    CHECK(must(facts.count_samples(place, filter, judged)) == must(facts.samples(place, filter, judged, 10)).size());
  };
  check({}, "i1 i2 i3 i4");
  check({.grade = SampleFilter::Grade::right, .error = {}, .item_id = {}}, "i1");
  check({.grade = SampleFilter::Grade::wrong, .error = {}, .item_id = {}}, "i2 i4");
  check({.grade = SampleFilter::Grade::ungraded, .error = {}, .item_id = {}}, "i3");
  check({.error = {}, .item_id = "i4"}, "i4");
  check({.error = {}, .item_id = "i5"}, "");
  check({.error = "method", .item_id = {}}, "i2");
  check({.error = "formula_rule_error", .item_id = {}}, "i2");
  check({.grade = SampleFilter::Grade::right, .error = "method", .item_id = {}}, "");
  CHECK(must(facts.samples(place, {.error = "method", .item_id = {}}, {judged[1]}, 10)).empty());  // of grades alone
  CHECK(items_of(must(facts.samples(place, {}, {}, 2))) == "i1 i2");
  CHECK(must(facts.count_samples(place, {}, {})) == 4);
}

TEST_CASE("an item comes with its answer and with what is said of it", "[store][samples]") {
  const Answered study;
  ProjectFacts facts = must(ProjectFacts::open(study.dir.database()));
  const PredictionsPlace place = place_of(facts, "solve[bits=4]");
  std::vector<Sample> samples = must(facts.samples(place, {}, {}, 10));
  must(facts.add_marks(must(facts.marks_on(place.digest)), samples));
  CHECK(samples[1].text == "text of i2");
  CHECK(samples[1].problem_id == "of i2");
  CHECK(samples[1].correct == false);
  CHECK(samples[1].n_tokens == 3);
  CHECK_FALSE(samples[1].truncated);
  CHECK(samples[3].truncated);
  CHECK_FALSE(samples[2].correct.has_value());
  REQUIRE(samples[1].marks.size() == 2);
  CHECK(samples[1].marks[0].source == "gpt");
  CHECK(samples[1].marks[0].status == "error");
  CHECK(samples[1].marks[0].category == "method");
  CHECK(samples[1].marks[0].first_error_step == 2);
  CHECK_FALSE(samples[1].marks[0].correct.has_value());
  CHECK(samples[1].marks[1].source == "human");
  CHECK(samples[1].marks[1].correct == false);
  CHECK(samples[2].marks.empty());
}

TEST_CASE("what has no predictions, or no result, is refused", "[store][samples]") {
  const Answered study;
  ProjectFacts facts = must(ProjectFacts::open(study.dir.database()));
  const auto refused = [&](const std::string& label, const std::string& port) {
    return study.dir.error_of(facts.predictions(must(facts.meanings_of(label, "")).front(), port));
  };
  CHECK(refused("judge", "") ==
        "error[LB7064]: `judge` has no predictions\n"
        " = help: name a stage that answers items, such as one of lowbit.generate\n");
  CHECK(refused("solve[bits=4]", "answers") ==
        "error[LB7064]: `solve[bits=4]` has no predictions `answers`\n"
        " = note: its predictions: predictions\n"
        " = help: name one with --port\n");
  CHECK(refused("never", "") ==
        "error[LB7064]: `never` has no result\n"
        " = note: it is never\n"
        " = help: run its experiment first; `lowbit status` tells how far it is\n");
}

TEST_CASE("how a result came to be is known by its id", "[store][samples]") {
  const Answered study;
  ProjectFacts facts = must(ProjectFacts::open(study.dir.database()));
  const ExecutionFacts made = must(facts.execution(place_of(facts, "solve[bits=2]").result_id));
  CHECK(made.label == "solve[bits=2]");
  CHECK(made.content_key == sha256("b").hex());
  CHECK(made.plugin_digest == sha256("plugin file").hex());
  CHECK(made.attempt == 1);
  CHECK(made.seconds == 2);
  CHECK(made.ended_at == "2026-03-01T12:00:02.000Z");
  CHECK(made.run == 1);
  CHECK(made.lowbit_version() == "0.1.0");
  CHECK(made.build == "g++ 12.2.0");
  CHECK(made.host == "node7");
}

TEST_CASE("recipes tell what feeds a variant, and what it was", "[store][samples]") {
  const Directory dir;
  Writer writer(dir.database());
  const auto from = [](const std::string& content, const char* port) {
    return Json{{"from", sha256("p:" + content).hex()}, {"port", port}};
  };
  ExpansionRow source = row("source", {}, "s");
  ExpansionRow reader = row("reader", {{"bits", Json(2)}}, "r");
  reader.provenance_record = Json{{"inputs",
                                   {{"task", from("s", "out")},
                                    {"model", {{"digest", "00aa"}, {"type", "model/1"}}},
                                    {"all", Json::array({{{"at", {{"bits", 2}}}, {"of", from("s", "out")}},
                                                         {{"at", {{"bits", 3}}}, {"of", from("elsewhere", "out")}}})}}},
                                  {"params", {{"planned", true}}}};
  ExpansionRow never = row("never", {}, "n");
  never.provenance_record = Json{{"inputs", {{"in", from("r", "predictions")}}}, {"params", {{"planned", true}}}};
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {source, reader, never}));
  Publication made = writer.publication("r", "reader[bits=2]");
  Json record = made.result.content_record.json();
  const Json task{{"type", "task/1"}, {"digest", "11bb"}};
  record["inputs"] = {
      {"task", task},
      {"model", {{"digest", "00aa"}, {"type", "model/1"}}},
      {"all", Json::array({{{"at", {{"bits", 2}}}, {"of", task}},
                           {{"at", {{"bits", 3}}}, {"of", {{"type", "task/1"}, {"digest", "22cc"}}}}})}};
  record["params"] = {{"planned", false}};
  made.result.content_record = record;
  writer.publish(made);

  const StudyResults study = must(study_results(dir.database(), "study"));
  const StudyRecipes recipes = must(study_recipes(dir.database(), study));
  REQUIRE(recipes.size() == 3);
  CHECK(recipes[0].kind.empty());
  CHECK(recipes[1].kind == "evaluator");
  CHECK(recipes[1].record["params"]["planned"] == false);
  CHECK(recipes[2].record["params"]["planned"] == true);
  std::vector<std::string> inputs;
  for (const StudyRecipe& recipe : recipes) {
    for (const RecipeInput& input : recipe.inputs) {
      inputs.push_back(input.port + " " + input.type + " " + input.digest + " " + input.maker_port + " " +
                       (input.maker ? std::to_string(*input.maker) : "outside"));
    }
  }
  CHECK(joined(inputs, "\n") ==
        "all task/1 11bb out 0\n"
        "all task/1 22cc out outside\n"
        "model model/1 00aa  outside\n"
        "task task/1 11bb out 0\n"
        "in   predictions 1");
}

TEST_CASE("questions are read back by item, also those of samples", "[store][samples]") {
  const Directory dir;
  const auto task = dir.path() / "task";
  write(task / "items.jsonl",
        R"({"item_id":"a","problem":"how much?","answer":"4","choices":null,"answer_index":null})"
        "\n"
        R"({"item_id": "b#1", "problem": "which?", "answer": null, "choices": ["x", "y"], "answer_index": 1})"
        "\n"
        R"({"item_id":"c","problem":"","answer":null,"choices":null,"answer_index":null})"
        "\n");
  const auto questions = must(read_questions(task, {"a", "a#3", "b#1", "c", "d"}));
  REQUIRE(questions.size() == 4);
  CHECK(questions.at("a").problem == "how much?");
  CHECK(questions.at("a#3").reference == "4");
  CHECK(questions.at("b#1").reference == "y");
  CHECK_FALSE(questions.at("c").reference.has_value());
  write(task / "items.jsonl", "{\"item_id\": 3}\n");
  CHECK(read_questions(task, {"a"}).error().front().code == "LB7065");
  write(task / "items.jsonl", "no JSON\n");
  CHECK(read_questions(task, {"a"}).error().front().code == "LB7065");
  CHECK(read_questions(dir.path() / "nowhere", {"a"}).error().front().code.starts_with("LB61"));
}
