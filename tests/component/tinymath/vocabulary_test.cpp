#include "tinymath/vocabulary.h"

#include <filesystem>
#include <set>

#include "component/tinymath/support.h"
#include "lm/error.h"
#include "lm/json_file.h"
#include "lm/tokenizer.h"
#include "support/program.h"
#include "tinymath/drill.h"

using namespace lowbit;
using tinymath::Split;
using Ids = std::vector<int64_t>;

namespace {

lm::Tokenizer tokenizer() {
  const test::TemporaryDirectory directory;
  lm::write_json_file(directory.path() / "tokenizer.json", tinymath::tokenizer_json());
  return lm::Tokenizer::open(directory.path() / "tokenizer.json");
}

}  // namespace

TEST_CASE("the special tokens have the ids that models are built with", "[tinymath]") {
  const auto t = tokenizer();
  const std::vector<std::string> special{
      "<pad>", "<bos>", "<eos>", "<|step_start|>", "<|step_end|>", "<|answer_start|>", "<|answer_end|>"};
  for (std::size_t id = 0; id < special.size(); ++id) {
    CHECK(t.id(special[id]) == static_cast<int64_t>(id));
    CHECK(t.encode(special[id], lm::Tokenizer::Special::skip) == Ids{static_cast<int64_t>(id)});
  }
  CHECK(special.size() == tinymath::kSpecialTokens);
  CHECK(t.size() == static_cast<int64_t>(tinymath::vocabulary().size()));
  CHECK(t.encode("") == Ids{1});
}

TEST_CASE("digits are single tokens and words carry their spaces", "[tinymath]") {
  const auto t = tokenizer();
  std::vector<std::string> pieces;
  for (const int64_t id : t.encode("tom has 12 apples . how many ?\n3 * 7 = 21\nanswer 21<eos>")) {
    pieces.push_back(*t.token(id));
  }
  CHECK(pieces == std::vector<std::string>{"<bos>", "tom ", "has ",    "1", "2",   " apples ", ". ",  "how ",
                                           "many ", "?",    "\n",      "3", " * ", "7",        " = ", "2",
                                           "1",     "\n",   "answer ", "2", "1",   "<eos>"});
}

TEST_CASE("every text the generator writes is in the vocabulary and decodes to itself", "[tinymath]") {
  const auto t = tokenizer();
  std::set<int64_t> used;
  std::size_t longest_prompt = 0;
  std::size_t longest = 0;
  const auto round_trip = [&](const std::string& text) {
    const Ids ids = t.encode(text, lm::Tokenizer::Special::skip);
    used.insert(ids.begin(), ids.end());
    CHECK(t.decode(ids, lm::Tokenizer::Show::special_too) == text);
    return ids.size();
  };
  for (int split = 0; split < 5; ++split) {
    for (const auto& problem : test::problems({.split = static_cast<Split>(split), .seed = 77}, 1200)) {
      const std::string prompt = problem.text + "\n";
      longest_prompt = std::max(longest_prompt, round_trip("<bos>" + prompt));
      for (const auto format : {answers::Format::plain, answers::Format::tagged}) {
        const std::string whole = "<bos>" + prompt + test::solution(problem, format) + "<eos>";
        longest = std::max(longest, round_trip(whole));
        // Training masks the prompt by its own tokens.
        const Ids head = t.encode(prompt);
        const Ids all = t.encode(prompt + test::solution(problem, format) + "<eos>");
        CHECK(std::equal(head.begin(), head.end(), all.begin()));
      }
    }
  }
  tinymath::Draw draw(1);
  for (int i = 0; i < 3000; ++i) {
    const auto drill = tinymath::draw_drill(draw);
    round_trip(tinymath::left_side(drill.left, drill.op, drill.right) + std::to_string(drill.result) + "\n");
  }
  // What a model's context must hold, and what max_new_tokens must allow.
  CHECK(longest_prompt <= 56);
  CHECK(longest <= 112);
  // No token is idle but the padding.
  CHECK(used.size() == tinymath::vocabulary().size() - 1);
  CHECK(used.count(0) == 0);
}

TEST_CASE("any ids, sensible or not, decode to a text that encodes to the same ids", "[tinymath]") {
  // What a broken model wrote can be trained against: its text means its tokens.
  const auto t = tokenizer();
  tinymath::Draw draw(2);
  for (int round = 0; round < 3000; ++round) {
    Ids ids(static_cast<std::size_t>(draw.between(1, 30)));
    for (int64_t& id : ids) id = draw.between(0, static_cast<int>(t.size()) - 1);
    const std::string text = t.decode(ids, lm::Tokenizer::Show::special_too);
    INFO(text);
    CHECK(t.encode(text, lm::Tokenizer::Special::skip) == ids);
  }
}

TEST_CASE("a word outside the vocabulary is an error that names it", "[tinymath]") {
  CHECK_THROWS_WITH(tokenizer().encode("tom has 12 pears ."), Catch::Contains("\" pears \" is unknown"));
}
