#include "lm/tokenizer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <sstream>

#include "lm/byte_level.h"
#include "lm/pattern.h"
#include "lm/utf8.h"
#include "numerics/support/files.h"

using namespace lowbit;
using lm::Tokenizer;
using Ids = std::vector<int64_t>;
using Json = nlohmann::json;

namespace {

Tokenizer from_json(const Json& json) {
  const test::ScratchDirectory dir;
  test::write_text(dir.path() / "tokenizer.json", json.dump());
  return Tokenizer::open(dir.path() / "tokenizer.json");
}

std::string error_of(const Json& json) {
  const test::ScratchDirectory dir;
  test::write_text(dir.path() / "tokenizer.json", json.dump());
  return dir.error_of([&] { (void)Tokenizer::open(dir.path() / "tokenizer.json"); });
}

Json words(std::initializer_list<const char*> list, const Json& unk = nullptr) {
  Json vocab = Json::object();
  for (const char* word : list) vocab[word] = vocab.size();
  return {{"model", {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", unk}}}};
}

std::string unsupported(const std::string& feature) {
  return "the tokenizer uses " + feature +
         ", which is not supported\n  where: DIR/tokenizer.json\n"
         "  why: supported are byte-level BPE, SentencePiece-style BPE with byte fallback and word-level tokenizers\n"
         "  fix: use a model with such a tokenizer";
}

std::string malformed(const std::string& why) {
  return "malformed tokenizer.json\n  where: DIR/tokenizer.json\n  why: " + why +
         "\n  fix: copy or download the file again, or save the tokenizer anew";
}

Json added(int64_t id, const std::string& content, bool special, const Json& more = Json::object()) {
  Json token{{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
             {"rstrip", false}, {"normalized", false}, {"special", special}};
  token.update(more);
  return token;
}

}  // namespace

TEST_CASE("the committed tokenizers agree with the independent reference", "[tokenizer]") {
  for (const char* name : {"random-untied", "random-tied"}) {
    INFO(name);
    const auto tokenizer = Tokenizer::open(test::fixtures() / name / "tokenizer.json");
    const Json reference = test::read_json(test::fixtures() / name / "reference.json");
    CHECK(tokenizer.encode(reference["text"].get<std::string>()) == reference["ids"].get<Ids>());
    const Json& ppl = reference["perplexity"];
    CHECK(tokenizer.encode(ppl["text"].get<std::string>()).size() == ppl["n_ids"].get<size_t>());
    for (const Json& greedy : reference["greedy"]) {
      CHECK(tokenizer.decode(greedy["ids"].get<Ids>()) == greedy["text"].get<std::string>());
    }
  }
}

TEST_CASE("byte-level tokenizers agree with the independent reference, on text that is hard on them", "[tokenizer]") {
  for (const std::string name : {"gpt2", "llama3"}) {
    const auto tokenizer = Tokenizer::open(test::fixtures() / "byte-level" / (name + ".json"));
    const Json reference = test::read_json(test::fixtures() / "byte-level" / (name + ".ids.json"));
    CHECK(reference.size() > 30);
    for (const Json& row : reference) {
      const auto text = row["text"].get<std::string>();
      INFO(name << ": " << row.dump());
      CHECK(tokenizer.encode(text, Tokenizer::Special::skip) == row["ids"].get<Ids>());
      CHECK(tokenizer.decode(row["ids"].get<Ids>()) == text);
    }
  }
  const auto llama3 = Tokenizer::open(test::fixtures() / "byte-level/llama3.json");
  CHECK(llama3.encode("a<|end|>") == Ids{*llama3.id("<|begin|>"), 97, *llama3.id("<|end|>")});
  CHECK(Tokenizer::open(test::fixtures() / "byte-level/gpt2.json").encode("a") == Ids{97});
}

TEST_CASE("any text comes back from a byte-level tokenizer, lines of 100 kB too", "[tokenizer]") {
  const auto dir = test::fixtures() / "byte-level";
  std::mt19937 random(1);
  std::vector<std::string> texts{std::string(100000, 'a'), std::string(100000, ' '), std::string(100000, '\n'),
                                 std::string(100000, '1'), std::string(100000, '.')};
  std::string mixed;
  const std::vector<std::string> parts{"a", "B", " ", "7", "\n", "é", "漢", "👍", "'s", ".", "\u0301", "\u00a0"};
  while (mixed.size() < 100000) mixed += parts[random() % parts.size()];
  texts.push_back(mixed);
  for (const char* name : {"gpt2.json", "llama3.json"}) {
    const auto tokenizer = Tokenizer::open(dir / name);
    for (const std::string& text : texts) {
      CHECK((tokenizer.decode(tokenizer.encode(text, Tokenizer::Special::skip)) == text));
    }
  }
}

TEST_CASE("a blank is put in front of each stretch of text when the file says so", "[tokenizer]") {
  Json json = test::read_json(test::fixtures() / "byte-level/gpt2.json");
  json["pre_tokenizer"]["add_prefix_space"] = true;
  const auto tokenizer = from_json(json);
  const Ids a = tokenizer.encode(" a");
  CHECK(tokenizer.encode("a") == a);
  CHECK(tokenizer.encode("a<|end|>a") == Ids{a[0], *tokenizer.id("<|end|>"), a[0]});
}

TEST_CASE("bytes and their characters are one to one", "[tokenizer]") {
  std::set<std::string> seen;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    const std::string character = lm::to_byte_characters(text);
    CHECK(lm::from_byte_characters(character) == text);
    seen.insert(character);
  }
  CHECK(seen.size() == 256);
  CHECK(lm::to_byte_characters("a b\n!") == "aĠbĊ!");
  CHECK(lm::from_byte_characters("漢") == "漢");  // no byte's character: an added token
}

TEST_CASE("what is not UTF-8 is shown as U+FFFD, one for each start of a character", "[tokenizer]") {
  const std::string r = "\xEF\xBF\xBD";
  CHECK(lm::utf8_replaced("a€👍") == "a€👍");
  CHECK(lm::utf8_replaced("\xE2\x82"
                          "e") == r + "e");       // two bytes of three
  CHECK(lm::utf8_replaced("\xF0\x9F\x91") == r);  // three of four
  CHECK(lm::utf8_replaced("\xF0\x9F"
                          "\xE2\x82\xAC") == r + "€");
  CHECK(lm::utf8_replaced("\xFF\x80x") == r + r + "x");           // neither starts a character
  CHECK(lm::utf8_replaced("\xC0\xAF") == r + r);                  // overlong
  CHECK(lm::utf8_replaced("\xED\xA0\x80") == r + r + r);          // a surrogate
  CHECK(lm::utf8_replaced("\xF4\x90\x80\x80") == r + r + r + r);  // beyond U+10FFFF
  const auto tokenizer = Tokenizer::open(test::fixtures() / "byte-level/gpt2.json");
  const Ids euro = tokenizer.encode("€");
  REQUIRE(euro.size() == 3);
  CHECK(tokenizer.decode({euro[0], euro[1]}) == r);
}

TEST_CASE("Llama 3's and OPT's published vocabularies", "[tokenizer]") {
  const auto dir = test::shared_data("tokenizers");
  if (!dir) return;
  const auto llama3 = Tokenizer::open(*dir / "llama3/tokenizer.json");
  // The first 100,000 ids are those of OpenAI's cl100k_base.
  CHECK(llama3.encode("Hello world", Tokenizer::Special::skip) == Ids{9906, 1917});
  CHECK(llama3.encode("Hello, world!") == Ids{128000, 9906, 11, 1917, 0});
  const auto opt = Tokenizer::open(*dir / "opt/tokenizer.json");
  CHECK(opt.encode("Hello world") == Ids{2, 31414, 232});
  const Json hard = test::read_json(test::fixtures() / "byte-level/llama3.ids.json");
  for (const Json& row : hard) {
    const auto text = row["text"].get<std::string>();
    CHECK(llama3.decode(llama3.encode(text)) == text);
    CHECK(opt.decode(opt.encode(text)) == text);
  }
}

TEST_CASE("the published Llama-2 and GPT-2 vocabularies give the published ids", "[tokenizer]") {
  const auto dir = test::shared_data(GENERATE("tokenizers/llama2", "tokenizers/gpt2"));
  if (!dir) return;
  const auto tokenizer = Tokenizer::open(*dir / "tokenizer.json");
  const std::string inputs = test::read_text(*dir / "strings.inp");
  std::istringstream ids_file(test::read_text(*dir / "ids.out"));
  const std::string separator = "\n__ggml_vocab_test__\n";
  size_t n = 0;
  std::string line;
  for (size_t begin = 0; std::getline(ids_file, line); ++n) {
    const size_t end = inputs.find(separator, begin);
    const std::string text = inputs.substr(begin, end - begin);
    begin = end + separator.size();
    std::istringstream numbers(line);
    const Ids expected{std::istream_iterator<int64_t>(numbers), {}};
    INFO("string " << n << ": " << text);
    CHECK(tokenizer.encode(text, Tokenizer::Special::skip) == expected);
    CHECK(tokenizer.decode(expected) == text);
  }
  CHECK(n > 40);
}

TEST_CASE("stories260K is tokenized as its reference says", "[tokenizer]") {
  const auto dir = test::shared_data("models/stories260K");
  if (!dir) return;
  const auto tokenizer = Tokenizer::open(*dir / "tokenizer.json");
  const Json reference = test::read_json(*dir / "reference.json");
  CHECK(tokenizer.encode(reference["text"].get<std::string>()) == reference["ids_with_bos"].get<Ids>());
  CHECK(tokenizer.decode(reference["greedy_ids_from_bos_200"].get<Ids>()) ==
        reference["greedy_text_from_bos_200"].get<std::string>());
}

TEST_CASE("merges apply by rank, then from the left, not by length", "[tokenizer]") {
  const Json json{{"model",
                   {{"type", "BPE"},
                    {"vocab", {{"a", 0}, {"b", 1}, {"c", 2}, {"bc", 3}, {"ab", 4}, {"abc", 5}, {"aa", 6}}},
                    {"merges", {"b c", "a b", "ab c", "a a"}}}}};
  const auto tokenizer = from_json(json);
  CHECK(tokenizer.encode("abc") == Ids{0, 3});  // b c outranks a b, and a bc is no merge
  CHECK(tokenizer.encode("ab") == Ids{4});
  CHECK(tokenizer.encode("aaa") == Ids{6, 0});   // leftmost first
  CHECK(tokenizer.encode("aaab") == Ids{6, 4});  // a b (rank 1) before a a (rank 3)
  CHECK(tokenizer.encode("axb") == Ids{4});      // neither a token nor bytes nor unk: dropped, before anything merges

  Json pairs = json;  // the newer spelling of merges
  pairs["model"]["merges"] = Json::parse(R"([["b", "c"], ["a", "b"], ["ab", "c"], ["a", "a"]])");
  CHECK(from_json(pairs).encode("aaab") == Ids{6, 4});
}

TEST_CASE("unknown characters become unk, and fuse when the file says so", "[tokenizer]") {
  Json json{
      {"model",
       {{"type", "BPE"}, {"vocab", {{"<unk>", 0}, {"a", 1}}}, {"merges", Json::array()}, {"unk_token", "<unk>"}}}};
  CHECK(from_json(json).encode("axyа") == Ids{1, 0, 0, 0});
  json["model"]["fuse_unk"] = true;
  CHECK(from_json(json).encode("axya") == Ids{1, 0, 1});
}

TEST_CASE("byte tokens that encode no text are shown as replacement characters, one a byte", "[tokenizer]") {
  const auto tokenizer = Tokenizer::open(test::fixtures() / "random-tied/tokenizer.json");
  const auto byte = [&](const char* token) { return tokenizer.id(token).value(); };
  CHECK(tokenizer.decode({byte("<0xE2>"), byte("<0x82>"), byte("<0xAC>")}) == "€");
  CHECK(tokenizer.decode({byte("<0xE2>"), byte("<0x82>"), byte("e")}) ==
        "\xEF\xBF\xBD\xEF\xBF\xBD"
        "e");
  CHECK(tokenizer.decode({byte("<0xC3>"), byte("<0xA9>"), byte("<0xFF>")}) == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("added tokens are cut out before anything else", "[tokenizer]") {
  Json json = words({"a", "b", "<m>", "<m>x", "<n>"}, "a");
  json["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
  json["added_tokens"] = {added(2, "<m>", true), added(3, "<m>x", false),
                          added(4, "<n>", false, {{"lstrip", true}, {"rstrip", true}})};
  const auto tokenizer = from_json(json);
  CHECK(tokenizer.encode("b<m>b <m>xb") == Ids{1, 2, 1, 3, 1});  // longest match first
  CHECK(tokenizer.encode("b  <n>  b") == Ids{1, 4, 1});
  CHECK(tokenizer.decode({1, 2, 3, 1}) == "b <m>x b");
  CHECK(tokenizer.decode({1, 2, 3, 1}, Tokenizer::Show::special_too) == "b <m> <m>x b");
  CHECK(tokenizer.decode({1, 99}) == "b");
  CHECK(tokenizer.size() == 5);
  CHECK(tokenizer.id("<n>") == 4);
  CHECK_FALSE(tokenizer.id("zzz"));
  CHECK(tokenizer.token(1) == "b");
}

TEST_CASE("blanks beside an added token belong to it, and single words do not touch others", "[tokenizer]") {
  Json json = words({"?", "<l>", "<r>", " x", "word", "<m>"}, "?");
  json["added_tokens"] = {added(1, "<l>", false, {{"lstrip", true}}), added(2, "<r>", false, {{"rstrip", true}}),
                          added(3, " x", false), added(4, "word", false, {{"single_word", true}}),
                          added(5, "<m>", false)};
  const auto tokenizer = from_json(json);
  CHECK(tokenizer.encode("<m>\u00a0\u3000\n<l><m>") == Ids{5, 1, 5});
  CHECK(tokenizer.encode("<m> <m>") == Ids{5, 0, 5});
  CHECK(tokenizer.encode("<r>\u2003\t<m>") == Ids{2, 5});
  CHECK(tokenizer.encode("<r> x") == Ids{2, 3});  // the blank is the first token's and begins the second all the same
  CHECK(tokenizer.encode("<r> <l><m>") == Ids{2, 1, 5});
  for (const char* alone : {"word", "<m>word<m>", "-word.", "€word€"}) {
    INFO(alone);
    const Ids ids = tokenizer.encode(alone);
    CHECK(std::count(ids.begin(), ids.end(), 4) == 1);
  }
  for (const char* touching : {"words", "éword", "word_", "word\u0301", "word\u200d", "7word", "Ⓐword", "wordword"}) {
    INFO(touching);
    const Ids ids = tokenizer.encode(touching);
    CHECK(std::count(ids.begin(), ids.end(), 4) == 0);
  }
}

TEST_CASE("scheme first asks where the whole text begins, not where a piece does", "[tokenizer]") {
  Json json = words({"▁a", "a"});
  json["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "WhitespaceSplit"}}, {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}}}}};
  CHECK(from_json(json).encode("a a") == Ids{0, 1});
  CHECK(from_json(json).encode(" a a") == Ids{1, 1});
}

TEST_CASE("the template puts its tokens around a text", "[tokenizer]") {
  Json json = words({"<s>", "</s>", "a"});
  json["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
        {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}}},
      {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {0}}}}, {"</s>", {{"id", "</s>"}, {"ids", {1}}}}}}};
  CHECK(from_json(json).encode("a") == Ids{0, 2, 1});
  CHECK(from_json(json).encode("a", Tokenizer::Special::skip) == Ids{2});
}

TEST_CASE("the five ways to split at matches", "[tokenizer]") {
  using lm::SplitBehavior;
  const auto parts = [](SplitBehavior behavior, bool invert = false) {
    std::string text;
    for (const auto part : lm::split("-a--bc-", lm::Pattern::literal("-"), behavior, invert))
      text += std::string(part) + "|";
    return text;
  };
  CHECK(parts(SplitBehavior::removed) == "a|bc|");
  CHECK(parts(SplitBehavior::isolated) == "-|a|-|-|bc|-|");
  CHECK(parts(SplitBehavior::contiguous) == "-|a|--|bc|-|");
  CHECK(parts(SplitBehavior::merged_with_previous) == "-|a-|-|bc-|");
  CHECK(parts(SplitBehavior::merged_with_next) == "-a|-|-bc|-|");
  CHECK(parts(SplitBehavior::removed, true) == "-|-|-|-|");
}

TEST_CASE("blanks in expressions are Unicode's White_Space", "[tokenizer]") {
  // U+0085 is one, U+180E has not been one since Unicode 6.3.
  const std::string text = "a\u0085b\u180ec d";
  const auto blanks = [&](const std::string& expression) {
    std::string found;
    for (const lm::Span& span : lm::Pattern::regex(expression).spans(text)) {
      if (span.is_match) found += text.substr(span.begin, span.end - span.begin) + "|";
    }
    return found;
  };
  CHECK(blanks("\\s") == "\u0085| |");
  CHECK(blanks("[\\s]") == "\u0085| |");
  CHECK(blanks("[[:digit:]\\s]") == "\u0085| |");
  CHECK(blanks("\\S+") == "a|b\u180ec|d|");
  CHECK(blanks("[^\\s]+") == "a|b\u180ec|d|");
  CHECK(blanks("\\\\s") == "");  // a backslash and an s
}

TEST_CASE("pre-tokenizers chain, and digits stand alone", "[tokenizer]") {
  Json json = words({"tom", "has", "1", "2", ".", "x", "é"});
  json["pre_tokenizer"] = {{"type", "Sequence"},
                           {"pretokenizers",
                            {{{"type", "WhitespaceSplit"}},
                             {{"type", "Digits"}, {"individual_digits", true}},
                             {{"type", "Split"}, {"pattern", {{"Regex", "[.,]"}}}, {"behavior", "Isolated"}}}}};
  CHECK(from_json(json).encode("tom has\u00a012.") == Ids{0, 1, 2, 3, 4});
  json["pre_tokenizer"] = {{"type", "Whitespace"}};
  CHECK(from_json(json).encode("tom  has. é.x") == Ids{0, 1, 4, 6, 4, 5});
}

TEST_CASE("decoders join words and close the gaps between digits", "[tokenizer]") {
  Json json = words({"tom", "has", "1", "2", "."});
  CHECK(from_json(json).decode({0, 1, 2, 3, 4}) == "tom has 1 2 .");
  json["decoder"] = {{"type", "Sequence"},
                     {"decoders",
                      {{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", false}},
                       {{"type", "Fuse"}},
                       {{"type", "Replace"}, {"pattern", {{"Regex", "(?<=[0-9]) (?=[0-9])"}}}, {"content", ""}}}}};
  CHECK(from_json(json).decode({0, 1, 2, 3, 4}) == "tom has 12 .");
}

TEST_CASE("Metaspace marks blanks in its three schemes", "[tokenizer]") {
  const auto ids = [](const Json& more, const std::string& text) {
    Json json = words({"▁a", "a", "▁", "b", "▁b", "<x>", "▁a▁b"});
    json["added_tokens"] = Json::array({added(5, "<x>", true)});
    json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}};
    json["pre_tokenizer"].update(more);
    return from_json(json).encode(text);
  };
  CHECK(ids({{"prepend_scheme", "always"}}, "a b<x>b") == Ids{0, 4, 5, 4});
  CHECK(ids({{"prepend_scheme", "first"}}, "a b<x>b") == Ids{0, 4, 5, 3});
  CHECK(ids({{"prepend_scheme", "never"}}, "a b<x>b") == Ids{1, 4, 5, 3});
  CHECK(ids({{"add_prefix_space", false}}, "a b") == Ids{1, 4});
  CHECK(ids({{"add_prefix_space", true}, {"prepend_scheme", "never"}}, "a b") == Ids{1, 4});  // the newer key decides
  CHECK(ids({{"split", false}}, "a b") == Ids{6});
  CHECK(ids(Json::object(), "a  b") == Ids{0, 2, 4});
}

TEST_CASE("a word without a token is an error when there is no unk", "[tokenizer]") {
  const test::ScratchDirectory dir;
  // transformers insists on an unk_token and fails on unknown words when it is not in the vocabulary.
  const Json unk = GENERATE(Json(nullptr), Json("<unk>"));
  test::write_text(dir.path() / "tokenizer.json", words({"a"}, unk).dump());
  const auto tokenizer = Tokenizer::open(dir.path() / "tokenizer.json");
  CHECK(dir.error_of([&] { (void)tokenizer.encode("b"); }) ==
        "a word is not in the vocabulary\n  where: DIR/tokenizer.json\n"
        "  why: \"b\" is unknown and no word stands for unknown ones\n"
        "  fix: use text of the tokenizer's own domain, or a tokenizer whose unk_token is in its vocabulary");
}

TEST_CASE("what is not supported is refused by name", "[tokenizer]") {
  Json json = words({"a"});
  json["normalizer"] = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFKC"}}}}};
  CHECK(error_of(json) == unsupported("normalizer NFKC"));
  json = words({"a"});
  json["pre_tokenizer"] = {{"type", "UnicodeScripts"}};
  CHECK(error_of(json) == unsupported("pre-tokenizer UnicodeScripts"));
  json = words({"a"});
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"novelty", 1}};
  CHECK(error_of(json) == unsupported("ByteLevel.novelty"));
  json = words({"a"});
  json["post_processor"] = {{"type", "Sequence"}, {"processors", {{{"type", "BertProcessing"}}}}};
  CHECK(error_of(json) == unsupported("post-processor BertProcessing"));
  json = words({"a"});
  json["decoder"] = {{"type", "CTC"}};
  CHECK(error_of(json) == unsupported("decoder CTC"));
  json = words({"a"});
  json["model"]["type"] = "Unigram";
  CHECK(error_of(json) == unsupported("model Unigram"));
  json = words({"a"});
  json["model"]["novelty"] = 1;
  CHECK(error_of(json) == unsupported("model WordLevel.novelty"));
  json = words({"a"});
  json["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "\\w+"}}}, {"behavior", "Removed"}};
  CHECK(error_of(json) == unsupported("\\w in an expression"));
  json = words({"a"});
  json["normalizer"] = {{"type", "Sequence"},
                        {"normalizers", {{{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "b"}}}}};
  json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}};
  CHECK(error_of(json) == unsupported("Metaspace with prepend_scheme first behind a Replace"));
  for (const auto& [key, value] : std::map<std::string, Json>{
           {"dropout", 0.1}, {"continuing_subword_prefix", "##"}, {"end_of_word_suffix", "</w>"}}) {
    const Json bpe{{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", Json::array()}, {key, value}}}};
    CHECK(error_of(bpe) == unsupported("model BPE with " + key));
  }
}

TEST_CASE("a tokenizer.json that contradicts itself is refused", "[tokenizer]") {
  CHECK(error_of(Json::array()) == malformed("it has no model"));
  Json json = words({"a"});
  json["model"]["vocab"]["b"] = 0;
  CHECK(error_of(json) == malformed("tokens \"a\" and \"b\" share id 0"));
  CHECK(error_of(words({"a"}, 5)) == malformed("model.unk_token 5 is not in the vocabulary"));
  json = words({"a"});
  json["added_tokens"] = Json::array({added(0, "<x>", true)});
  CHECK(error_of(json) == malformed("added token \"<x>\" with id 0 contradicts the vocabulary"));
  json = {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}}}, {"merges", {"a b"}}}}};
  CHECK(error_of(json) == malformed("merge \"a b\" needs token \"ab\", which is missing"));
  json["model"]["merges"] = Json::array();
  json["model"]["byte_fallback"] = true;
  CHECK(error_of(json) == malformed("byte_fallback is on and token <0x00> is missing"));
  json = words({"a"});
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", "yes"}};
  CHECK(error_of(json) == malformed("[json.exception.type_error.302] type must be boolean, but is string"));
  json["pre_tokenizer"] = {
      {"type", "Metaspace"}, {"replacement", "▁"}, {"add_prefix_space", false}, {"prepend_scheme", "always"}};
  CHECK(error_of(json) == malformed("Metaspace.add_prefix_space is false and prepend_scheme is always"));
  json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "ab"}};
  CHECK(error_of(json) == malformed("Metaspace.replacement is not one character"));
  json["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "("}}}, {"behavior", "Removed"}};
  CHECK(error_of(json) ==
        malformed("the expression {\"Regex\":\"(\"} cannot be read: missing closing parenthesis at byte 1"));
}
