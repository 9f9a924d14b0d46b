// The recipe behind lowbit.preference-pairs: judged, clean, distinct and sampled pairs.
#include <map>

#include "lm/digest.h"
#include "lm/tokenizer.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"
#include "verdicts/verdict.h"

using namespace lowbit;
using Json = nlohmann::json;
using verdicts::Finding;
using verdicts::Status;
namespace fs = std::filesystem;

namespace {

constexpr int kItems = 8;

Finding error_of(const char* type, double confidence) {
  Finding finding = verdicts::error_of_type(type, 2, "");
  finding.confidence = confidence;
  return finding;
}
Finding with_status(Status status) { return {.status = status, .first_error_step = {}, .category = {}, .type = {}}; }

/// Items 0 to 7 that a strong model solves; models on the rejected side fail as the tests say.
struct Recipe {
  explicit Recipe(bool chat = false, const std::string& text_of_3 = "problem 3") {
    task.name = "t";
    task.prompt_template = "Q {{problem}}";
    task.chat = chat;
    if (chat) task.system = "Be brief.";
    for (int i = 0; i < kItems; ++i) {
      const std::string id = std::to_string(i);
      task.items.push_back({.item_id = id,
                            .problem_id = "p" + id,
                            .problem = i == 3 ? text_of_3 : "problem " + id,
                            .answer = "1",
                            .solution = {},
                            .steps = {}});
    }
    bind_task("task", task);
    std::map<std::string, Json> all;
    for (int i = 0; i < kItems; ++i) all[std::to_string(i)] = true;
    bind_predictions("chosen", all, Json::object());
  }

  /// What generation asks in Llama 3.1's template, whose start token is <s> here.
  static std::string asked_in_chat(const std::string& item) {
    return "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: "
           "01 Feb 2025\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nQ problem " +
           item + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
  }
  void bind_task(const std::string& port, const tasks::Task& bound) {
    const fs::path directory = fresh();
    tasks::write_task(directory, bound);
    bind(port, directory, "task/1", Json::object());
  }
  /// `correct` by item; answers are "good N" and "bad <coordinates> N".
  void bind_predictions(const std::string& port, const std::map<std::string, Json>& correct, const Json& at) {
    const fs::path directory = fresh();
    JsonLinesWriter out(directory / "predictions.jsonl");
    for (const auto& [item, right] : correct) {
      const std::string prompt = task.chat ? asked_in_chat(item) : "Q " + task.items[std::stoul(item)].problem;
      out.write({{"item_id", item},
                 {"problem_id", "p" + item},
                 {"prompt_sha", lm::sha256_of_text(prompt)},
                 {"text", (port == "chosen" ? "good " : "bad " + at.dump() + " ") + item},
                 {"steps", {"one", "two"}},
                 {"extracted", nullptr},
                 {"correct", right},
                 {"n_tokens", 1},
                 {"truncated", false},
                 {"format_kept", item != "1"}});
    }
    out.close();
    bind(port, directory, "predictions/1", at);
  }
  /// All items failed.
  void bind_failures(const Json& at = Json::object()) {
    std::map<std::string, Json> all;
    for (int i = 0; i < kItems; ++i) all[std::to_string(i)] = false;
    bind_predictions("rejected", all, at);
  }
  void bind_verdicts(const std::map<std::string, Finding>& findings, const Json& at = Json::object(),
                     const std::string& judge = "vote") {
    const fs::path directory = fresh();
    JsonLinesWriter out(directory / "verdicts.jsonl");
    for (const auto& [item, finding] : findings) out.write(verdicts::json_of(finding, item, judge));
    out.close();
    bind("verdicts", directory, "verdicts/1", at);
  }
  void bind_grades(const std::string& port, const std::vector<Json>& rows, const Json& at = Json::object()) {
    const fs::path directory = fresh();
    JsonLinesWriter out(directory / "grades.jsonl");
    for (const Json& row : rows) out.write(row);
    out.close();
    bind(port, directory, "grades/1", at);
  }
  lb_status run(const Json& params) {
    stage.host.params = params;
    return stage.run();
  }
  [[nodiscard]] fs::path last_input() const { return stage.input("input" + std::to_string(n_inputs_ - 1)); }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const Json& row : stage.lines("pairs/pairs.jsonl")) all.push_back(row["item_id"]);
    return all;
  }
  /// Values of the metrics whose names begin with `prefix`, by the rest.
  [[nodiscard]] std::map<std::string, double> metrics(const std::string& prefix) const {
    std::map<std::string, double> all;
    for (const auto& metric : stage.host.metrics) {
      if (metric.name.starts_with(prefix)) all[metric.name.substr(prefix.size())] = metric.value;
    }
    return all;
  }

  test::StageFixture stage{"lowbit.preference-pairs"};
  tasks::Task task{.system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = {}};

 private:
  fs::path fresh() { return stage.input("input" + std::to_string(n_inputs_++)); }
  void bind(const std::string& port, const fs::path& path, const std::string& type, const Json& at) {
    stage.host.bind(port,
                    {.path = path.string(), .type = type, .digest = std::string(64, '0'), .coordinates = at.dump()});
  }
  int n_inputs_ = 0;
};
using Texts = std::vector<std::string>;
using Counts = std::map<std::string, double>;

Json grade(const std::string& item, const Json& correct, const Json& graded, const Json& type = nullptr,
           const std::string& source = "prediction") {
  Json category;
  if (!type.is_null()) category = *verdicts::category_of(type.get<std::string>());
  return {{"item_id", item},       {"problem_id", "p" + item},
          {"correct", correct},    {"graded", graded},
          {"source", source},      {"category", category},
          {"type", type},          {"first_error_step", type.is_null() ? Json() : Json(1)},
          {"decision_id", nullptr}};
}

}  // namespace

TEST_CASE("a vote says what went wrong in each pair, and pairs without an error are left out", "[pairs]") {
  Recipe r;
  r.bind_failures();
  r.bind_verdicts({{"0", error_of("computational_error", 0.8)},
                   {"1", with_status(Status::no_error)},
                   {"2", with_status(Status::conflict)},
                   {"3", with_status(Status::insufficient)},
                   {"4", with_status(Status::undetermined)},
                   {"5", with_status(Status::invalid)},
                   {"6", error_of("conceptual_misunderstanding", 0.6)}});
  const bool keep = GENERATE(false, true);
  REQUIRE(r.run({{"unresolved", keep ? "keep" : "drop"}}) == LB_OK);
  CHECK(r.ids() == (keep ? Texts{"0", "2", "3", "4", "5", "6", "7"} : Texts{"0", "6"}));
  const Json first = r.stage.lines("pairs/pairs.jsonl")[0];
  CHECK(first["category"] == "execution");
  CHECK(first["type"] == "computational_error");
  CHECK(first["first_error_step"] == 2);
  CHECK(first["agreement"] == 0.8);
  CHECK(r.metrics("data/dropped/") == (keep ? Counts{{"no_error", 1}}
                                            : Counts{{"no_error", 1},
                                                     {"conflict", 1},
                                                     {"insufficient", 1},
                                                     {"undetermined", 1},
                                                     {"invalid", 1},
                                                     {"not_judged", 1}}));
  const double n = keep ? 7 : 2;
  CHECK(r.metrics("data/recipe/") ==
        Counts{{"candidates", 8}, {"readable", 8}, {"judged", n}, {"clean", n}, {"distinct", n}});
  CHECK(r.metrics("data/category/") ==
        Counts{{"conceptual", 1}, {"method", 0}, {"execution", 1}, {"reasoning", 0}, {"unnamed", keep ? 5.0 : 0.0}});
}

TEST_CASE("the papers' settings are the categories that pairs are taken from", "[pairs]") {
  const auto [categories, expected] =
      GENERATE(std::pair(Json::array(), Texts{"0", "1", "2", "3"}), std::pair(Json{"conceptual"}, Texts{"0", "1"}),
               std::pair(Json{"method"}, Texts{"2"}), std::pair(Json{"execution"}, Texts{"3"}));
  Recipe r;
  r.bind_failures();
  Finding category_only = with_status(Status::error);
  category_only.category = "conceptual";
  r.bind_verdicts({{"0", error_of("contextual_oversight", 1)},
                   {"1", category_only},
                   {"2", error_of("formula_rule_error", 1)},
                   {"3", error_of("computational_error", 1)}});
  REQUIRE(r.run({{"categories", categories}}) == LB_OK);
  CHECK(r.ids() == expected);
  if (!categories.empty())
    CHECK(r.metrics("data/dropped/")["other_category"] == 4.0 - static_cast<double>(expected.size()));
}

TEST_CASE("one judge's confidence is no agreement", "[pairs]") {
  Recipe r;
  r.bind_failures();
  r.bind_verdicts({{"0", error_of("computational_error", 0.8)}}, Json::object(), "somebody");
  REQUIRE(r.run(Json::object()) == LB_OK);
  CHECK(r.stage.lines("pairs/pairs.jsonl")[0]["agreement"].is_null());
}

TEST_CASE("grades decide what is right, and the error that a grade names outweighs the vote", "[pairs]") {
  Recipe r;
  r.bind_failures();
  r.bind_verdicts({{"1", error_of("computational_error", 0.6)}, {"2", with_status(Status::no_error)}});
  r.bind_grades("grades", {grade("0", true, false, nullptr, "human"),                // not wrong after all
                           grade("1", false, false, "computational_error", "vote"),  // as the vote says
                           grade("2", false, false, "formula_rule_error", "human"),  // the vote found nothing
                           grade("3", nullptr, false), grade("4", false, false), grade("5", false, false),
                           grade("6", false, false), grade("7", false, false)});
  r.bind_grades("chosen_grades", {grade("4", false, true, "computational_error", "human")});
  REQUIRE(r.run(Json::object()) == LB_OK);
  CHECK(r.ids() == Texts{"1", "2"});
  const auto rows = r.stage.lines("pairs/pairs.jsonl");
  CHECK(rows[0]["agreement"] == 0.6);
  CHECK(rows[0]["first_error_step"] == 1);
  CHECK(rows[1]["type"] == "formula_rule_error");
  CHECK(rows[1]["agreement"] == 1);
  CHECK(r.metrics("data/dropped/") ==
        Counts{{"rejected_right", 1}, {"not_graded", 1}, {"chosen_wrong", 1}, {"not_judged", 3}});
}

TEST_CASE("what a person left open, no vote fills in", "[pairs]") {
  Recipe r;
  r.bind_failures();
  r.bind_verdicts({{"1", error_of("computational_error", 1.0)}, {"2", error_of("computational_error", 1.0)}});
  r.bind_grades("grades", {grade("0", false, false), grade("1", false, false, nullptr, "human"),
                           grade("2", false, false, "computational_error", "vote"), grade("3", false, false),
                           grade("4", false, false), grade("5", false, false), grade("6", false, false),
                           grade("7", false, false)});
  REQUIRE(r.run(Json::object()) == LB_OK);
  CHECK(r.ids() == Texts{"2"});
  CHECK(r.metrics("data/dropped/")["undetermined"] == 1);
}

TEST_CASE("what does not keep the format is left out where that is asked for", "[pairs]") {
  const std::string whose = GENERATE(std::string("chosen"), std::string("both"), std::string("none"));
  Recipe r;
  r.bind_failures();
  REQUIRE(r.run({{"require_format", whose}}) == LB_OK);
  CHECK(r.ids().size() == (whose == "none" ? 8U : 7U));
  CHECK(r.metrics("data/dropped/") == (whose == "none" ? Counts{} : Counts{{"format_broken", 1}}));
}

TEST_CASE("problems that are held out are not learned from", "[pairs]") {
  Recipe r;
  r.bind_failures();
  tasks::Task other = r.task;
  other.items.resize(2);
  other.items[0].problem_id = "elsewhere";  // the text of item 0
  other.items[0].problem = "PROBLEM  0";
  other.items[1].problem = "another text";  // the id of item 1
  r.bind_task("held_out", other);
  REQUIRE(r.run(Json::object()) == LB_OK);
  CHECK(r.ids() == Texts{"2", "3", "4", "5", "6", "7"});
  CHECK(r.metrics("data/dropped/") == Counts{{"held_out", 2}});
}

TEST_CASE("what nearly stands in a held-out problem is left out, unless problems come from templates", "[pairs]") {
  std::string text;
  for (int i = 0; i < 22; ++i) text += "w" + std::to_string(i) + " ";  // 10 runs, 9 of them in the other
  const bool drop = GENERATE(true, false);
  Recipe r(false, text);
  r.bind_failures();
  tasks::Task other = r.task;
  other.items = {r.task.items[3]};
  other.items[0].problem_id = "elsewhere";
  other.items[0].problem = "other beginning " + text.substr(3) + "and end";
  r.bind_task("held_out", other);
  REQUIRE(r.run({{"near_duplicates", drop ? "drop" : "keep"}}) == LB_OK);
  CHECK(r.ids().size() == (drop ? 7U : 8U));
  CHECK(r.metrics("data/dropped/") == (drop ? Counts{{"held_out", 1}} : Counts{}));
}

TEST_CASE("one pair for each problem over all models, the one with most agreement", "[pairs]") {
  Recipe r;
  const Json one{{"size", "1B"}};
  const Json three{{"size", "3B"}};
  r.bind_failures(one);
  r.bind_failures(three);
  std::map<std::string, Finding> of_one;
  std::map<std::string, Finding> of_three;
  for (int i = 0; i < kItems; ++i) {
    of_one[std::to_string(i)] = error_of("computational_error", i < 3 ? 1.0 : 0.6);
    of_three[std::to_string(i)] = error_of("computational_error", 0.8);
  }
  r.bind_verdicts(of_three, three);  // in another order than the predictions
  r.bind_verdicts(of_one, one);
  REQUIRE(r.run({{"deduplicate", "problems"}}) == LB_OK);
  std::map<std::string, int> sizes;
  for (const Json& row : r.stage.lines("pairs/pairs.jsonl")) ++sizes[row["at"]["size"]];
  CHECK(sizes == std::map<std::string, int>{{"1B", 3}, {"3B", 5}});
  CHECK(r.metrics("data/dropped/") == Counts{{"same_problem", 8}});
}

TEST_CASE("pairs are sampled by model and error in proportion to error rates", "[pairs]") {
  // 1B: four computational and four conceptual errors (1/2 each); 3B: two failures, both conceptual (1). Of 4 pairs
  // 1B gets 1 and 1, 3B 2.
  Recipe r;
  r.bind_failures({{"size", "1B"}});
  std::map<std::string, Finding> verdicts_1b;
  for (int i = 0; i < kItems; ++i) {
    verdicts_1b[std::to_string(i)] =
        error_of(i < 4 ? "computational_error" : "conceptual_misunderstanding", i == 2 || i == 5 ? 1.0 : 0.6);
  }
  r.bind_verdicts(verdicts_1b, {{"size", "1B"}});
  r.bind_predictions("rejected", {{"0", false}, {"1", true}, {"2", false}}, {{"size", "3B"}});
  r.bind_verdicts(
      {{"0", error_of("conceptual_misunderstanding", 0.6)}, {"2", error_of("conceptual_misunderstanding", 1)}},
      {{"size", "3B"}});
  REQUIRE(r.run({{"n", 4}, {"sampling", "error_rates"}}) == LB_OK);
  Texts found;
  for (const Json& row : r.stage.lines("pairs/pairs.jsonl")) {
    found.push_back(row["problem_id"].get<std::string>() + " " + row["at"]["size"].get<std::string>());
  }
  CHECK(found == Texts{"p0 3B", "p2 1B", "p2 3B", "p5 1B"});
  CHECK(r.metrics("data/dropped/") == Counts{{"not_drawn", 6}, {"rejected_right", 1}});
  CHECK(r.stage.metric("data/n_items").value == 4);
  CHECK(r.stage.metric("data/category/conceptual").value == 3);
}

TEST_CASE("a chat task's pairs are written in the model's template, with its end of turn", "[pairs]") {
  Recipe r(true);
  r.bind_failures();
  const bool with_model = GENERATE(true, false);
  if (!with_model) {
    CHECK(r.run(Json::object()) == LB_BAD_INPUT);
    CHECK_THAT(r.stage.error(), Catch::StartsWith("the prompts are for a chat template, and there is no model"));
    return;
  }
  const fs::path model = r.stage.input("model");
  fs::copy_file(fs::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-untied/tokenizer.json",
                model / "tokenizer.json");
  fs::copy_file(fs::path(LOWBIT_SOURCE_DIR) / "docs/chat-templates/llama-3.1.jinja", model / "chat_template.jinja");
  test::write_text(model / "tokenizer_config.json", R"({"bos_token": "<s>", "eos_token": "</s>"})");
  r.stage.host.bind("model", {.path = model.string(), .type = "model/1"});
  REQUIRE(r.run({{"chat_date", "01 Feb 2025"}, {"n", 1}}) == LB_OK);
  const Json row = r.stage.lines("pairs/pairs.jsonl")[0];
  CHECK("<s>" + row["prompt"].get<std::string>() == Recipe::asked_in_chat("0"));
  CHECK(row["chosen"] == "good 0<|eot_id|>");
  CHECK(row["rejected"] == "bad {} 0<|eot_id|>");
  CHECK(r.run({{"chat_date", "02 Feb 2025"}}) == LB_BAD_INPUT);  // the predictions were asked on another day
  CHECK_THAT(r.stage.error(), Catch::Contains("the model was given another prompt for item 0"));

  Recipe limited;
  limited.bind_failures();
  limited.stage.host.bind("model", {.path = model.string(), .type = "model/1"});
  const auto tokenizer = lm::Tokenizer::open(model / "tokenizer.json");
  const std::size_t length = tokenizer.encode("Q problem 0bad {} 0<eos>").size();
  REQUIRE(tokenizer.encode("Q problem 0good 0<eos>").size() < length);
  CHECK(limited.run({{"max_tokens", length - 1}}) == LB_BAD_INPUT);
  CHECK_THAT(limited.stage.error(), Catch::Contains("too_long 8"));
  CHECK(limited.run({{"max_tokens", length}}) == LB_OK);
}

TEST_CASE("verdicts and grades have to belong to the predictions one by one", "[pairs]") {
  Recipe r;
  r.bind_failures({{"size", "1B"}});
  std::string expected;
  SECTION("none of this model") {
    r.bind_verdicts({}, {{"size", "3B"}});
    expected =
        "`verdicts` do not belong to the predictions one by one\npredictions of {\"size\":\"1B\"}\n0 of 1 bound have "
        "coordinates that agree with theirs\ngather `verdicts` over the same axes as the predictions";
  }
  SECTION("two of this model") {
    r.bind_grades("grades", {}, {{"seed", 0}});
    r.bind_grades("grades", {}, {{"seed", 1}});
    expected =
        "`grades` do not belong to the predictions one by one\npredictions of {\"size\":\"1B\"}\n2 of 2 bound have "
        "coordinates that agree with theirs\ngather `grades` over the same axes as the predictions";
  }
  SECTION("a verdict on another item") {
    r.bind_verdicts({{"9", error_of("computational_error", 1)}});
    expected =
        "`verdicts` are not about these predictions\npredictions of {\"size\":\"1B\"}, item 9\nthere is no prediction "
        "of that item\nbind `verdicts` to what was made from these very predictions";
  }
  SECTION("a verdict on a longer answer") {
    r.bind_verdicts({{"3", verdicts::error_of_type("computational_error", 3, "")}});
    expected =
        "`verdicts` are not about these predictions\npredictions of {\"size\":\"1B\"}, item 3\nstep 3 of 2 is named\n"
        "bind `verdicts` to what was made from these very predictions";
  }
  SECTION("two verdicts on an item") {
    r.bind_verdicts({});
    JsonLinesWriter out(r.last_input() / "verdicts.jsonl");
    for (const char* judge : {"a", "b"}) out.write(verdicts::json_of(with_status(Status::no_error), "0", judge));
    out.close();
    expected =
        "`verdicts` are not about these predictions\npredictions of {\"size\":\"1B\"}, item 0\nit has several "
        "verdicts, "
        "and one has to count: run lowbit.majority-vote\nbind `verdicts` to what was made from these very predictions";
  }
  SECTION("a grade of another prediction") {
    r.bind_grades("grades", {grade("0", true, true)});
    expected =
        "`grades` are not about these predictions\npredictions of {\"size\":\"1B\"}, item 0\nthe grade was made from "
        "another one than the prediction has\nbind `grades` to what was made from these very predictions";
  }
  CHECK(r.run(Json::object()) == LB_BAD_INPUT);
  CHECK(r.stage.error() == expected);
}

TEST_CASE("what needs judged answers says so", "[pairs]") {
  Recipe r;
  r.bind_failures();
  const bool categories = GENERATE(true, false);
  CHECK(r.run(categories ? Json{{"categories", {"method"}}} : Json{{"sampling", "error_rates"}}) == LB_BAD_PARAM);
  CHECK(r.stage.error() == (categories ? "a choice of error categories wants to know what went wrong in wrong "
                                         "answers\ncategories\n"
                                       : "sampling by error rates wants to know what went wrong in wrong answers\n"
                                         "sampling\n") +
                               std::string("neither `verdicts` nor `grades` is bound\nbind `verdicts` to a vote on the "
                                           "rejected predictions, or `grades`"));
}
