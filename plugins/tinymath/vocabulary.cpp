#include "tinymath/vocabulary.h"

#include <array>
#include <string>

namespace lowbit::tinymath {
namespace {

using Json = nlohmann::json;

// clang-format off
constexpr std::array<std::string_view, 180> kVocabulary{
    // special
    "<pad>", "<bos>", "<eos>", "<|step_start|>", "<|step_end|>", "<|answer_start|>", "<|answer_end|>",
    // digits and signs
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    "\n", " ( ", " ) ", " * ", " + ", " , ", " - ", " . ", " / ", " = ", "+ ", ", ", "- ", ". ", "= ", "?",
    // words
    "a ", "add ", "added ", "all ", "among ", " and ", "and ", "anna ", "answer ", " apples ", "apples ", "are ",
    "as ", "back ", " bags ", " beads ", "beads ", "ben ", " books ", "books ", " boxes ", " brothers ", "bus ",
    "buys ", "by ", "car ", " cards ", "cards ", " coins ", "coins ", "collects ", " cookies ", "cookies ", "day ",
    " days ", "did ", "do ", "does ", " dollars ", "dollars ", "each ", "earns ", " eggs ", "eggs ", "emma ",
    "equally ", "far ", "farm ", " fewer ", "find ", "finds ", "first ", "for ", "friday ", "friend ", " friends ",
    "from ", "get ", "gives ", "go ", "goes ", "has ", "have ", "he ", "hour ", " hours ", "how ", "i ", "if ", "in ",
    "is ", "it ", "ivan ", "kate ", "left ", "leo ", "lily ", "lucy ", "many ", " marbles ", "marbles ", "max ",
    "mia ", " miles ", "miles ", "monday ", " more ", "more ", "multiply ", "nina ", "now ", "number ", "of ",
    "omar ", "on ", " packs ", "part ", "paul ", " pens ", "pens ", "put ", "removed ", "rest ", "result ", "rosa ",
    "sam ", "school ", "sells ", "share ", "shares ", "she ", " shells ", "shells ", " shelves ", "shop ",
    " sisters ", "solve ", "spends ", " stamps ", "stamps ", "start ", " stickers ", "stickers ", "subtract ",
    "than ", "the ", "them ", "then ", "there ", "they ", "think ", " times ", "to ", "together ", "tom ", "train ",
    "truck ", "tuesday ", "what ", "with ", "works ", " x ", "x ", " y ", "y ", " z ", "z ",
};
// clang-format on

}  // namespace

std::span<const std::string_view> vocabulary() { return kVocabulary; }

Json tokenizer_json() {
  Json vocab = Json::object();
  for (std::size_t id = 0; id < kVocabulary.size(); ++id) vocab[std::string(kVocabulary[id])] = id;
  Json added = Json::array();
  for (std::size_t id = 0; id < kSpecialTokens; ++id) {
    added.push_back({{"id", id},
                     {"content", kVocabulary[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json bos{{"SpecialToken", {{"id", "<bos>"}, {"type_id", 0}}}};
  const Json first{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json second{{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  const Json bos_entry{{"id", "<bos>"}, {"ids", Json::array({1})}, {"tokens", Json::array({"<bos>"})}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", std::move(added)},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "Split"},
            {"pattern", {{"Regex", R"(\d|\n|\?| ?[^\s\d]+ ?)"}}},
            {"behavior", "Isolated"},
            {"invert", false}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", Json::array({bos, first})},
            {"pair", Json::array({bos, first, second})},
            {"special_tokens", {{"<bos>", bos_entry}}}}},
          {"decoder", {{"type", "Fuse"}}},
          {"model", {{"type", "WordLevel"}, {"vocab", std::move(vocab)}, {"unk_token", "<unk>"}}}};
}

}  // namespace lowbit::tinymath
