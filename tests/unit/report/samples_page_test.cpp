#include "report/samples_page.h"

#include <catch2/catch.hpp>

#include <limits>

#include "report/text_table.h"

using namespace lowbit;
using namespace lowbit::report;
using Catch::WithinAbs;

namespace {

/// Item by item: 1 right, 0 wrong, ? not graded.
std::vector<ItemAnswer> answers(const std::string& grades, const std::string& prompt = "p") {
  std::vector<ItemAnswer> out;
  for (std::size_t i = 0; i < grades.size(); ++i) {
    const std::string id = "item-" + std::to_string(1000 + i);
    out.push_back({id, id, prompt, grades[i] == '?' ? std::nullopt : std::optional(grades[i] == '1')});
  }
  return out;
}

PredictionsPlace place(const std::string& label, std::size_t n = 4, std::size_t right = 2, std::size_t ungraded = 1) {
  return {.result_id = 1,
          .label = label,
          .port = "predictions",
          .digest = "d1",
          .task_path = {},
          .n = n,
          .n_right = right,
          .n_ungraded = ungraded};
}

Sample sample(const std::string& item, std::optional<bool> correct, const std::string& text) {
  Sample out;
  out.item_id = item;
  out.problem_id = item;
  out.correct = correct;
  out.text = text;
  out.extracted = "4";
  out.n_tokens = 7;
  return out;
}

SampleList one_item() {
  SampleList list;
  list.a = place("solve[bits=2]");
  list.what = "wrong items";
  list.n_found = 12;
  Sample wrong = sample("item-1#2", false, "2 + 2 = 5\x1b[31m\nso 5");
  wrong.problem_id = "item-1";
  wrong.question = Question{"how much is 2 + 2?", "4"};
  wrong.truncated = true;
  wrong.marks = {{.label = "judge[bits=2]",
                  .source = "gpt",
                  .status = "error",
                  .correct = {},
                  .category = "execution",
                  .type = "computational_error",
                  .first_error_step = 1},
                 {.label = "grade[bits=2]",
                  .source = "human",
                  .status = {},
                  .correct = false,
                  .category = {},
                  .type = {},
                  .first_error_step = {}}};
  list.samples.emplace_back(std::move(wrong), std::nullopt);
  return list;
}

MarksPlace marks(const std::string& label, const std::string& type, std::vector<std::string> sources) {
  return {.result_id = 1, .label = label, .port = "p", .type = type, .sources = std::move(sources)};
}

std::string labels(const std::vector<MarksPlace>& places) {
  std::string out;
  for (const MarksPlace& one : places) out += one.label + " ";
  return out;
}

}  // namespace

TEST_CASE("an item is shown with question, answer and what is said of it", "[report][samples]") {
  CHECK(samples_page(one_item(), 12) == R"(solve[bits=2]  2 of 4 items right, 1 not graded

showing 1 of 12 wrong items (--limit N shows more)

item-1#2  (problem item-1)
  problem   how much is … (+6 characters)
  reference 4
  answer    wrong: 4; 7 tokens, cut at the limit
            2 + 2 = 5\x1b[3… (+7 characters)
    judged  by judge (gpt): error, execution, computational_error, first in step 1
    judged  by grade (human): wrong
)");
}

TEST_CASE("two results have the table of their answers above the items", "[report][samples]") {
  const PredictionsPlace a = place("full", 6, 4, 0);
  const PredictionsPlace b = place("low", 6, 2, 1);
  const Result<Flips> flips = flips_of(a, answers("111100"), b, answers("1000?1"));
  REQUIRE(flips);
  SampleList list;
  list.a = a;
  list.b = b;
  list.flips = *flips;
  list.what = "flipped items: 3 right in A only, 1 right in B only";
  list.n_found = 4;
  list.samples.emplace_back(sample("item-1001", true, "4"), sample("item-1001", std::nullopt, ""));
  list.samples.back().second->extracted.reset();
  // (3, 1): p = 2 (1 + 4) / 16. B - A = -2/6; sum of squared deviations 4 - 4/6; SE = sqrt(10/3)/6 = .3043.
  CHECK(samples_page(list, 100) == R"(A  full  4 of 6 items right
B  low  2 of 6 items right, 1 not graded

             B right  B not right
A right            1            3
A not right        1            1
McNemar, exact, two-sided: p = 0.62
B − A: −33.3 points [−93.0, +26.3] (95 %, paired, over items)

showing 1 of 4 flipped items: 3 right in A only, 1 right in B only (--limit N shows more)

item-1001
  A         right: 4; 7 tokens
            4
  B         not graded: no answer found; 7 tokens
            
)");
  const Json document = samples_document(list);
  CHECK(document["flips"]["only_a"] == 3);
  CHECK(document["flips"]["both_right"] == 1);
  CHECK(document["samples"][0]["b"]["correct"].is_null());
  CHECK(render(samples_rows(list), TableFormat::csv) ==
        "item_id,problem_id,problem,reference,correct_a,extracted_a,text_a,category_a,type_a,correct_b,extracted_b,"
        "text_b,category_b,type_b\n"
        "item-1001,item-1001,,,true,4,4,,,,,\"\",,\n");
}

TEST_CASE("flips are counted by item, and only between the same questions", "[report][samples]") {
  const PredictionsPlace a = place("full");
  const PredictionsPlace b = place("low");
  // The published pair of 60 gained and 26 lost of 500.
  std::string before;
  std::string after;
  for (int i = 0; i < 500; ++i) {
    before += i < 60 ? '0' : '1';
    after += i < 60 || i >= 86 ? '1' : '0';
  }
  const Result<Flips> flips = flips_of(a, answers(before), b, answers(after));
  REQUIRE(flips);
  CHECK(flips->only_a.size() == 26);
  CHECK(flips->only_b.size() == 60);
  CHECK(flips->both == 414);
  CHECK(flips->neither == 0);
  CHECK(flips->only_b.front() == "item-1000");
  CHECK_THAT(flips->p, WithinAbs(.000317, 5e-7));
  CHECK_THAT(flips->difference.mean, WithinAbs(.068, 1e-12));
  CHECK_THAT(flips->difference.std_error, WithinAbs(.018296, 5e-7));

  CHECK(flips_of(a, answers("11"), b, answers("10", "q")).error().front().code == "LB7025");
  CHECK(flips_of(a, answers("11"), b, answers("101")).error().front().code == "LB7025");
  CHECK(flips_of(a, {}, b, answers("1")).error().front().code == "LB7026");
}

TEST_CASE("an error type is that of grades, else of people, of a vote, of all judges", "[report][samples]") {
  const MarksPlace one = marks("one", "verdicts/1", {"gpt"});
  const MarksPlace other = marks("other", "verdicts/1", {"llama"});
  const MarksPlace vote = marks("vote", "verdicts/1", {"vote"});
  const MarksPlace people = marks("people", "verdicts/1", {"human"});
  const MarksPlace grades = marks("grades", "grades/1", {"prediction", "vote"});
  CHECK(labels(deciding_marks({one, other})) == "one other ");
  CHECK(labels(deciding_marks({one, vote, other})) == "vote ");
  CHECK(labels(deciding_marks({one, vote, people})) == "people ");
  CHECK(labels(deciding_marks({one, vote, people, grades})) == "grades ");
  CHECK(deciding_marks({}).empty());
}

TEST_CASE("a document holds whole texts", "[report][samples]") {
  const Json document = samples_document(one_item());
  CHECK(document["a"] == Json{{"label", "solve[bits=2]"},
                              {"port", "predictions"},
                              {"digest", "d1"},
                              {"items", 4},
                              {"right", 2},
                              {"wrong", 1},
                              {"ungraded", 1}});
  CHECK(document["b"].is_null());
  CHECK(document["flips"].is_null());
  CHECK(document["found"] == 12);
  CHECK(document["samples"][0]["problem"] == "how much is 2 + 2?");
  CHECK(document["samples"][0]["a"]["text"] == "2 + 2 = 5\x1b[31m\nso 5");
  CHECK(document["samples"][0]["a"]["marks"][0]["type"] == "computational_error");
  CHECK(document["samples"][0]["a"]["marks"][1]["correct"] == false);
  CHECK(render(samples_rows(one_item()), TableFormat::csv) ==
        "item_id,problem_id,problem,reference,correct,extracted,text,category,type\n"
        "item-1#2,item-1,how much is 2 + 2?,4,false,4,\"2 + 2 = 5\x1b[31m\nso 5\",execution,computational_error\n");
}
