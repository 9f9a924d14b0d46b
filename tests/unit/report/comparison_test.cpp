#include "report/comparison.h"

#include <catch2/catch.hpp>

#include <cmath>

#include "report/comparison_page.h"
#include "report/text_table.h"
#include "support/written_study.h"

using namespace lowbit;
using namespace lowbit::report;
using Catch::Contains;
using Catch::WithinAbs;

namespace {

struct Fixture : test::WrittenStudy {
  std::size_t add(const std::string& stage, const Json& axes, std::optional<std::int64_t> seed, const Json& params,
                  const std::string& kind = "evaluator", const std::string& plugin = "toy.score") {
    return WrittenStudy::add(stage, axes, seed, params, kind, plugin);
  }

  void measure(std::size_t variant, const std::string& name, double value, const std::string& unit = "ratio") {
    study.variants[variant].metrics[name] = {unit, value, 0};
  }

  void feed(std::size_t to, const std::string& port, const std::string& type, const std::string& digest,
            std::optional<std::size_t> maker = {}) {
    recipes[to].inputs.push_back({port, type, digest, "out", maker});
  }

  /// Item by item: 1 right, 0 wrong.
  void answer(std::size_t variant, const std::string& grades, const std::string& prompt = "p") {
    std::vector<ItemAnswer>& list = answers[*study.variants[variant].result_id];
    for (std::size_t i = 0; i < grades.size(); ++i) {
      const std::string id = "item-" + std::to_string(i);
      list.push_back({id, id, prompt, grades[i] == '1'});
    }
    measure(variant, "toys/accuracy", 0.125, "fraction");  // never shown: the rows are counted
  }

  [[nodiscard]] Result<Comparison> compared(const CompareRequest& request = {}) const {
    LB_TRY_ASSIGN(const ComparedVariants variants, compared_variants(study, request));
    return compare(variants, study, recipes, answers, request);
  }
  [[nodiscard]] std::string page(const CompareRequest& request = {}, std::size_t width = 0,
                                 PageFormat format = PageFormat::text) const {
    const Result<Comparison> comparison = compared(request);
    return comparison ? comparison_page(*comparison, format, width, "lowbit run study.yaml")
                      : render(comparison.error());
  }
};

/// Two methods at two widths after a model in full precision; two seeds of answers.
Fixture small_study() {
  Fixture f;
  const std::size_t data = f.add("data", Json::object(), {}, {{"n", 8}}, "dataset", "lowbit.tiny-math");
  const std::size_t full = f.add("score", {{"base", "full"}}, {}, {{"batch", 8}});
  f.measure(full, "toys/perplexity/token@item", 5.25);
  for (const auto& [method, bits] : {std::pair{"rtn", 4}, std::pair{"gptq", 2}}) {
    const Json params = std::string(method) == "rtn"
                            ? Json{{"num_bits", bits}, {"group_size", 64}}
                            : Json{{"num_bits", bits}, {"group_size", 64}, {"actorder", "none"}};
    const std::size_t made = f.add("quantize", {{"method", method}, {"bits", bits}}, {}, params, "quantizer",
                                   std::string("lowbit.") + method);
    f.measure(made, "weights/nmse", bits == 4 ? 0.01 : 0.2);
    const Json axes{{"base", "quantized"}, {"method", method}, {"bits", bits}};
    const std::size_t score = f.add("score", axes, {}, {{"batch", 8}});
    f.feed(score, "model", "quantized-model/1", "m" + std::to_string(bits), made);
    f.measure(score, "toys/perplexity/token@item", bits == 4 ? 5.5 : 103.0);
  }
  for (std::size_t i = 0; i < f.study.variants.size(); ++i) {
    if (f.study.variants[i].stage == "score") f.feed(i, "task", "task/1", "7a5c", data);
  }
  const char* grades[3][2] = {{"11111110", "11111100"}, {"11111000", "11110000"}, {"10000000", "01000000"}};
  for (std::int64_t seed = 0; seed < 2; ++seed) {
    std::size_t column = 0;
    for (const Json& axes : {Json{{"base", "full"}}, Json{{"base", "quantized"}, {"method", "rtn"}, {"bits", 4}},
                             Json{{"base", "quantized"}, {"method", "gptq"}, {"bits", 2}}}) {
      const std::size_t solve = f.add("solve", axes, seed, {{"max_new_tokens", 64}});
      f.feed(solve, "task", "task/1", "7a5c", data);
      f.answer(solve, grades[column++][seed]);
    }
  }
  return f;
}

}  // namespace

TEST_CASE("variants stand beside each other with what differs, and the rest is counted", "[report][compare]") {
  // Accuracies by hand: answers to an item by seed, m and SE of docs/tables.md, Wilson with m (1 - m) / SE^2 answers.
  CHECK(small_study().page() == R"(study: score, solve, 3 variants

variant                                    1              2               3
base                                    full      quantized       quantized
bits                                       –              4               2
method                                     –            rtn            gptq
quantize.use                               –          rtn 1          gptq 1
seeds                                      2              2               2
score
  toys/perplexity/token@item ↓         5.250          5.500         103.000
    Δ                               baseline         +0.250         +97.750
solve
  toys/accuracy % ↑               81.2 ± 8.8     56.2 ± 8.8      12.5 ± 0.0
    [95 %]                      [50.4, 94.9]   [27.4, 81.4]     [3.5, 36.0]
    Δ                               baseline    −25.0 ± 0.0     −68.8 ± 8.8
    Δ [95 %]                                  [−49.5, −0.5]  [−92.9, −44.6]

Δ to 1, score[base=full], paired by seed
± standard deviation over seeds (n − 1)
[95 % interval over items, seeds fixed; each by itself, not adjusted for their number]
8 equal parameters hidden (--all-params shows them)

study: quantize, 2 variants

variant                1         2
bits                   4         2
method               rtn      gptq
quantize.use       rtn 1    gptq 1
weights/nmse ↓   0.01000   0.20000
  Δ             baseline  +0.19000

Δ to 1, quantize[bits=4,method=rtn], paired by seed
2 equal parameters hidden (--all-params shows them)

left out, with one variant: data
)");
}

TEST_CASE("an accuracy is that of the rows, with the intervals of a table", "[report][compare]") {
  const Result<Comparison> comparison = small_study().compared();
  REQUIRE(comparison);
  const ComparedMetric& accuracy = comparison->sections[0].metrics[1];
  REQUIRE(accuracy.name == "toys/accuracy");
  CHECK(accuracy.from_answers);
  CHECK(accuracy.cells[1].value == 9.0 / 16);
  CHECK_THAT(*accuracy.cells[1].deviation, WithinAbs(std::sqrt(2.0) / 16, 1e-12));  // 5/8 and 4/8
  // Item by item, both seeds added: 0 0 0 0 -1 -2 -1 0 of 2 each, so m = -4/16 and SE^2 = sum (d + 1/2)^2 / 16^2.
  CHECK(*accuracy.cells[1].delta == -0.25);
  const double std_error = std::sqrt(5 * .25 + 2 * .25 + 2.25) / 16;
  CHECK_THAT(accuracy.cells[1].delta_interval->high, WithinAbs(-0.25 + 1.959964 * std_error, 1e-7));
  CHECK_THAT(*accuracy.cells[1].delta_deviation, WithinAbs(0, 1e-12));
}

TEST_CASE("differences of other metrics are paired by seed", "[report][compare]") {
  Fixture f;
  const double values[2][3] = {{1.0, 2.0, 4.0}, {2.0, 2.5, 6.0}};
  for (const int bits : {4, 2}) {
    for (std::int64_t seed = 0; seed < 3; ++seed) {
      f.measure(f.add("train", {{"bits", bits}}, seed, {}, "trainer"), "train/loss", values[bits == 4 ? 0 : 1][seed]);
    }
  }
  const Result<Comparison> comparison = f.compared();
  REQUIRE(comparison);
  const ComparedCell& cell = comparison->sections[0].metrics[0].cells[1];
  // Differences 1, 0.5 and 2.
  CHECK_THAT(*cell.delta, WithinAbs(3.5 / 3, 1e-12));
  CHECK_THAT(*cell.delta_deviation, WithinAbs(std::sqrt((1.0 / 36 + 16.0 / 36 + 25.0 / 36) / 2), 1e-12));
  CHECK(cell.n_seeds == 3);

  // A single result without seed stands beside every seed; other seeds do not.
  f.measure(f.add("train", {{"bits", 16}}, {}, {}, "trainer"), "train/loss", 1);
  f.measure(f.add("train", {{"bits", 8}}, 7, {}, "trainer"), "train/loss", 1);
  const Result<Comparison> more = f.compared({.baselines = {"train[bits=2]"}});
  REQUIRE(more);
  const std::vector<ComparedCell>& cells = more->sections[0].metrics[0].cells;
  CHECK(cells[0].value == 3.5);
  CHECK_THAT(*cells[2].delta, WithinAbs(-2.5, 1e-12));
  CHECK_FALSE(cells[3].delta);
  CHECK(cells[3].not_comparable == "seeds differ: 7, baseline 0, 1, 2");
}

TEST_CASE("figures on other data, with other prompts or by other judges are not subtracted", "[report][compare]") {
  Fixture f;
  const std::size_t easy = f.add("easy", Json::object(), {}, {}, "dataset");
  const std::size_t hard = f.add("hard", Json::object(), {}, {}, "dataset");
  for (const int bits : {16, 4, 2, 1}) {
    const std::size_t solve = f.add("solve", {{"bits", bits}}, {}, {});
    f.feed(solve, "task", "task/1", bits == 2 ? "22222222aa" : "11111111aa", bits == 2 ? hard : easy);
    f.feed(solve, "model", "model/1", "m" + std::to_string(bits));
    f.answer(solve, "1100", bits == 4 ? "other" : "p");
    const std::size_t judge = f.add("judge", {{"bits", bits}}, {}, {{"model", bits == 1 ? "llama" : "gpt"}}, "judge");
    f.feed(judge, "predictions", "predictions/1", "p" + std::to_string(bits), solve);
    f.measure(judge, "judge/error", 0.5 + bits / 100.0, "fraction");
    const std::size_t grade = f.add("grade", {{"bits", bits}}, {}, {}, "dataset");
    f.feed(grade, "vote", "verdicts/1", "v" + std::to_string(bits), judge);
    f.measure(grade, "first_errors/none", 0.25 + bits / 100.0, "fraction");
  }
  const Result<Comparison> comparison = f.compared();
  REQUIRE(comparison);
  const auto reasons = [&](std::size_t metric) {
    std::vector<std::string> out;
    for (const ComparedCell& cell : comparison->sections[0].metrics[metric].cells) out.push_back(cell.not_comparable);
    return out;
  };
  const std::string task = "task/1 differs: 22222222 of hard.out, baseline 11111111 of easy.out";
  const std::string prompts = "prompts differ: solve[bits=4], baseline solve[bits=16]";
  const std::string judges = "judge differs: judge[bits=1] (toy.score 1), baseline judge[bits=16] (toy.score 1)";
  CHECK(reasons(0) == std::vector<std::string>{"", prompts, task, ""});
  CHECK(reasons(1) == std::vector<std::string>{"", prompts, task, judges});
  CHECK(reasons(2) == reasons(1));
  CHECK(comparison->sections[0].metrics[0].cells[3].delta);
  CHECK_THAT(f.page(), Contains("≠ not comparable: solve, judge, grade of 2: " + prompts + "\n") &&
                           Contains("≠ not comparable: judge, grade of 4: judge differs"));
  CHECK_THAT(f.page({.metrics = {"judge/error"}}),
             Contains("    Δ               baseline            ≠            ≠            ≠\n"));
}

TEST_CASE("training data may differ: it is part of what is compared", "[report][compare]") {
  Fixture f;
  for (const int bits : {4, 2}) {
    const std::size_t train = f.add("train", {{"bits", bits}}, {}, {}, "trainer");
    f.feed(train, "data", "preference-pairs/1", "pairs" + std::to_string(bits));
    f.measure(train, "train/loss", bits);
  }
  const Result<Comparison> comparison = f.compared();
  REQUIRE(comparison);
  CHECK(comparison->sections[0].metrics[0].cells[1].delta == -2.0);
}

TEST_CASE("what another program measured stands in the place of a model, its task does not", "[report][compare]") {
  Fixture f;
  for (const int model : {1, 2, 3}) {
    const std::size_t answers = f.add("answers", {{"model", model}}, {}, {});
    f.feed(answers, "task", "task/1", model == 3 ? "22222222aa" : "11111111aa");
    f.feed(answers, "results", "file", "r" + std::to_string(model));
    f.answer(answers, model == 1 ? "1100" : "1110");
  }
  const Result<Comparison> comparison = f.compared();
  REQUIRE(comparison);
  const auto& cells = comparison->sections[0].metrics[0].cells;
  CHECK(cells[1].not_comparable.empty());
  CHECK(cells[1].delta);
  CHECK(cells[2].not_comparable == "task/1 differs: 22222222 of outside, baseline 11111111 of outside");
}

TEST_CASE("what has no result, no such metric or no number is told apart", "[report][compare]") {
  Fixture f;
  const std::size_t a = f.add("score", {{"bits", 4}}, 0, {});
  const std::size_t b = f.add("score", {{"bits", 4}}, 1, {});
  const std::size_t c = f.add("score", {{"bits", 3}}, 0, {});
  f.add("score", {{"bits", 3}}, 1, {});
  f.add("score", {{"bits", 2}}, 0, {});
  const std::size_t d = f.add("score", {{"bits", 1}}, 0, {});
  for (const std::size_t i : {a, b, c}) f.measure(i, "x/value", 1.5);
  f.measure(d, "x/value", 1.5);
  f.study.variants[d].metrics["x/value"].value.reset();
  f.study.variants[3].result_id.reset();
  f.study.variants[3].state = "failed";
  CHECK(f.page() == R"(study: score, 4 variants

variant              1  2  3    4
bits                 4  3  2    1
seeds                2  2  1    1
x/value  1.500 ± 0.000  ·  –  nan
  Δ           baseline  –  –    –

Δ to 1, score[bits=4], paired by seed
± standard deviation over seeds (n − 1)
1 equal parameter hidden (--all-params shows them)

· not there yet: score[bits=3,seed=1] (failed); `lowbit run study.yaml` makes it
)");
}

TEST_CASE("variants are named by stages and labels, and the baseline stands first", "[report][compare]") {
  const Fixture f = small_study();
  StudyVariant variant;
  variant.stage = "score";
  variant.axes = {{"method", "rtn"}, {"bits", 4}};
  variant.seed = 1;
  variant.label = "score[method=rtn,bits=4,seed=1]";
  for (const char* word :
       {"score", "score[method=rtn,bits=4,seed=1]", "score[bits=4]", "score[bits=4,method=rtn]", "score[seed=1]"}) {
    INFO(word);
    CHECK(names_variant(word, variant));
  }
  for (const char* word : {"scores", "score[bits=3]", "score[bits=4", "score bits=4]", "score[bits=4,bits=3]",
                           "score[rtn]", "score[]", "score[bits=4,]x", "sco", ""}) {
    INFO(word);
    CHECK_FALSE(names_variant(word, variant));
  }

  const Result<Comparison> some =
      f.compared({.selection = {"score"}, .baselines = {"score[bits=2]"}, .metrics = {"*/perplexity/*"}});
  REQUIRE(some);
  REQUIRE(some->sections.size() == 1);
  CHECK(some->sections[0].columns[0].label == "score[base=quantized,bits=2,method=gptq]");
  CHECK(some->sections[0].columns[1].label == "score[base=full]");
  CHECK(some->sections[0].metrics[0].cells[1].delta == 5.25 - 103);
  // A baseline that is not selected is taken in.
  const Result<Comparison> two = f.compared({.selection = {"score[method=rtn]"}, .baselines = {"score[base=full]"}});
  REQUIRE(two);
  CHECK(two->sections[0].columns.size() == 2);
}

TEST_CASE("words that name nothing, or too much, say what there is", "[report][compare]") {
  const Fixture f = small_study();
  CHECK(f.page({.selection = {"scores", "score[bits=3]"}}) ==
        "error[LB7060]: experiment `study` has no stage or variant `scores`\n"
        " = help: something with a similar name exists: `score`\n"
        "error[LB7060]: experiment `study` has no stage or variant `score[bits=3]`\n"
        " = note: the variants of score: score[base=full], score[base=quantized,bits=4,method=rtn], "
        "score[base=quantized,bits=2,method=gptq]\n"
        " = help: name stages, or variants as `lowbit status --json` lists them; axes may be left out: "
        "'score[num_bits=3]'\n");
  CHECK(f.page({.baselines = {"score[base=quantized]"}}) ==
        "error[LB7061]: baseline `score[base=quantized]` is more than one variant\n"
        " = note: it may be score[base=quantized,bits=4,method=rtn], score[base=quantized,bits=2,method=gptq]\n"
        " = help: name more of its axes; only the seed may stay open\n");
  CHECK(f.page({.baselines = {"data"}}) ==
        "error[LB7061]: baseline `data` is not among what is compared\n"
        " = help: name a variant of a stage that is run at several points\n");
  CHECK(f.page({.selection = {"data"}}) ==
        "error[LB7062]: there is nothing to compare in experiment `study`\n"
        " = note: each of its stages that were named is run at one point of the axes\n"
        " = help: `lowbit diff A B` compares results of different stages\n");
  CHECK(f.page({.metrics = {"weights/nms"}}) ==
        "error[LB7063]: no stage that is compared reports weights/nms\n"
        " = note: their metrics: toys/accuracy, toys/perplexity/token@item, weights/nmse\n"
        " = help: a similar metric is there: `weights/nmse`\n");
}

TEST_CASE("columns that do not fit are left out, and their number is said", "[report][compare]") {
  const std::string narrow = small_study().page({.selection = {"solve"}}, 50);
  CHECK_THAT(narrow, Contains("variant                       1              2\n") &&
                         Contains("1 of 3 variants hidden: only so many fit into 50 characters (--all-columns shows "
                                  "them; or name fewer)\n"));
  // The baseline and the one beside it always stand there.
  CHECK_THAT(small_study().page({.selection = {"solve"}}, 10), Contains("1 of 3 variants hidden"));
  CHECK_THAT(small_study().page({.selection = {"solve"}, .max_columns = 2}, 200),
             Contains("study: solve, 3 variants\n") && Contains("1 of 3 variants hidden"));
}

TEST_CASE("everything can be shown, also in Markdown", "[report][compare]") {
  const std::string all = small_study().page({.selection = {"quantize"}, .everything = true});
  CHECK_THAT(all, Contains("quantize.group_size        64        64\n") && Contains("quantize.actorder") &&
                      !Contains("hidden"));
  const std::string page = small_study().page({.selection = {"quantize"}}, 0, PageFormat::markdown);
  CHECK_THAT(page, Contains("**study: quantize, 2 variants**\n\n| variant ") && Contains("|---") &&
                       Contains("- Δ to 1, quantize[bits=4,method=rtn], paired by seed\n"));
}

TEST_CASE("metrics that are equal everywhere are hidden, and only they", "[report][compare]") {
  Fixture f;
  for (const int bits : {4, 2}) {
    const std::size_t score = f.add("score", {{"bits", bits}}, {}, {});
    f.measure(score, "x/same", 7);
    f.measure(score, "x/other", bits);
    if (bits == 4) f.measure(score, "x/alone", 7);
  }
  const Result<Comparison> comparison = f.compared();
  REQUIRE(comparison);
  CHECK(comparison->sections[0].n_equal_metrics == 1);
  REQUIRE(comparison->sections[0].metrics.size() == 2);
  CHECK(comparison->sections[0].metrics[0].name == "x/alone");
  const Result<Comparison> same = f.compared({.metrics = {"x/same"}});
  REQUIRE(same);
  CHECK(same->sections[0].metrics.empty());
}

TEST_CASE("programs get a comparison unrounded", "[report][compare]") {
  const Result<Comparison> comparison = small_study().compared({.selection = {"score"}});
  REQUIRE(comparison);
  CHECK(render(comparison_rows(*comparison), TableFormat::csv) ==
        "stage,metric,unit,better,variant,axes,baseline,state,value,std,low,high,seeds,items,delta,delta_std,delta_low,"
        "delta_high,not_comparable\n"
        "score,toys/perplexity/token@item,ratio,down,1,\"{\"\"base\"\":\"\"full\"\"}\",\"{\"\"base\"\":\"\"full\"\"}\","
        "number,5.25,,,,1,,,,,,\n"
        "score,toys/perplexity/token@item,ratio,down,2,\"{\"\"base\"\":\"\"quantized\"\",\"\"bits\"\":4,\"\"method\"\":"
        "\"\"rtn\"\"}\",\"{\"\"base\"\":\"\"full\"\"}\",number,5.5,,,,1,,0.25,,,,\n"
        "score,toys/perplexity/token@item,ratio,down,3,\"{\"\"base\"\":\"\"quantized\"\",\"\"bits\"\":2,\"\"method\"\":"
        "\"\"gptq\"\"}\",\"{\"\"base\"\":\"\"full\"\"}\",number,103.0,,,,1,,97.75,,,,\n");
  const Json document = comparison_document(*comparison);
  CHECK(document["sections"][0]["variants"][0] ==
        Json{{"label", "score[base=full]"}, {"axes", {{"base", "full"}}}, {"seeds", Json::array()}});
  CHECK(document["sections"][0]["parameters"][1] == Json{{"name", "bits"}, {"values", {nullptr, 4, 2}}});
  CHECK(document["sections"][0]["metrics"][0]["cells"][2]["delta"] == 97.75);
  CHECK(document["sections"][0]["equal_parameters"] == 6);
}
