#include "base/words.h"
#include "component/store/fixture.h"
#include "store/project_facts.h"

using namespace lowbit;
using namespace lowbit::store;
using namespace lowbit::store::test;

namespace {

/// Verdicts of `judge` on i1 (an error) and i2 (cannot tell). `inputs`: of the content record.
Publication verdicts(Writer& writer, const std::string& content, const std::string& label, const std::string& judge,
                     const Json& inputs) {
  Publication made = writer.publication(content, label);
  Json record = made.result.content_record.json();
  record["inputs"] = inputs;
  made.result.content_record = record;
  made.outputs.front().port = "verdicts";
  made.outputs.front().artifact.type = "verdicts/1";
  made.result.outputs = {{"verdicts", made.outputs.front().artifact}};
  made.items["verdicts"] = {
      {"i1",
       {{"item_id", "i1"},
        {"judge", judge},
        {"status", "error"},
        {"category", "method"},
        {"type", "procedural_error"},
        {"first_error_step", 3}}},
      {"i2", {{"item_id", "i2"}, {"judge", judge}, {"status", "undetermined"}, {"type", nullptr}}}};
  return made;
}

Json on(const std::string& predictions) {
  return {{"predictions", {{"type", "predictions/1"}, {"digest", sha256(predictions).hex()}}}};
}

std::string text_of(const std::vector<Judgement>& judgements) {
  std::vector<std::string> lines;
  for (const Judgement& one : judgements) {
    lines.push_back(one.item_id + " " + one.judge + " " + one.label + " " +
                    (one.seed ? std::to_string(*one.seed) : "-") + " " + one.status + " " + one.category.value_or("-") +
                    " " + one.type.value_or("-") + " " +
                    (one.first_error_step ? std::to_string(*one.first_error_step) : "-"));
  }
  return joined(lines, "\n");
}

}  // namespace

TEST_CASE("judgements are the verdicts that an experiment's last expansion leads to", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  Store& store = writer.store();
  must(store.record_expansion(
      {.experiment = "study", .file = "study.yaml"},
      {row("vote", {}, "v"), row("judge", {{"seed", Json(1)}}, "one"), row("judge", {{"seed", Json(2)}}, "two"),
       row("again", {}, "one"), row("cases", {}, "t"), row("blind", {}, "b"), row("never", {}, "n")}));
  writer.publish(verdicts(writer, "old", "judge", "gpt", on("p")));
  writer.publish(verdicts(writer, "one", "judge[seed=1]", "gpt", on("p")));
  writer.publish(verdicts(writer, "two", "judge[seed=2]", "gpt", on("q")));
  writer.publish(verdicts(writer, "v", "vote", "vote", on("p")));
  writer.publish(verdicts(writer, "t", "cases", "truth", on("p")));
  writer.publish(verdicts(writer, "b", "blind", "llama", {{"task", {{"digest", sha256("task").hex()}}}}));
  ProjectFacts facts = must(ProjectFacts::open(dir.database()));

  const std::vector<Judgement> judgements = must(facts.judgements("study"));
  CHECK(text_of(judgements) ==
        "i1 vote vote - error method procedural_error 3\n"
        "i2 vote vote - undetermined - - -\n"
        "i1 gpt judge[seed=1] 1 error method procedural_error 3\n"
        "i2 gpt judge[seed=1] 1 undetermined - - -\n"
        "i1 gpt judge[seed=2] 2 error method procedural_error 3\n"
        "i2 gpt judge[seed=2] 2 undetermined - - -");
  CHECK(judgements[0].predictions == sha256("p").hex());
  CHECK(judgements[2].predictions == judgements[0].predictions);
  CHECK(judgements[4].predictions == sha256("q").hex());
  CHECK_FALSE(judgements[0].audited);
  CHECK(must(facts.judgements("other")).empty());
  CHECK(joined(must(facts.names(Named::judges))) == "gpt, llama");
}

TEST_CASE("predictions that were gathered are known by all of them", "[store][facts]") {
  const Directory dir;
  Writer writer(dir.database());
  must(writer.store().record_expansion({.experiment = "study", .file = "study.yaml"}, {row("judge", {}, "g")}));
  const Json members{{{"at", {{"seed", 1}}}, {"of", {{"digest", sha256("p").hex()}}}}};
  writer.publish(verdicts(writer, "g", "judge", "gpt", {{"predictions", members}}));
  ProjectFacts facts = must(ProjectFacts::open(dir.database()));
  const std::vector<Judgement> judgements = must(facts.judgements("study"));
  REQUIRE(judgements.size() == 2);
  CHECK(judgements[0].predictions == canonical(members));
}
