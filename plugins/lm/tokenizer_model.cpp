#include "lm/tokenizer_model.h"

#include <array>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>

#include "lm/error.h"
#include "lm/tokenizer_steps.h"
#include "lm/utf8.h"

namespace lowbit::lm {
namespace {

using Json = nlohmann::json;

uint64_t pair_key(int64_t left, int64_t right) {
  return static_cast<uint64_t>(left) << 32U | static_cast<uint64_t>(right);
}

struct Merge {
  uint32_t rank;
  int64_t id;  // of the merged token
};

struct BpeOptions {
  std::optional<int64_t> unk_id;
  bool fuse_unk = false;
  std::optional<std::array<int64_t, 256>> byte_ids;  // set when every byte has its token
  bool whole_pieces_first = false;                   // a piece that is a token needs no merges (ignore_merges)
};

/// Sennrich et al. 2016: the characters of a piece, in SentencePiece's dress unknown ones as bytes, then the merge of
/// lowest rank, leftmost first, until none applies.
class Bpe final : public TokenModel {
 public:
  Bpe(Vocabulary vocabulary, std::unordered_map<uint64_t, Merge> merges, BpeOptions options)
      : TokenModel(std::move(vocabulary)), merges_(std::move(merges)), options_(std::move(options)) {}

  void encode(std::string_view piece, std::vector<int64_t>& ids) const override {
    if (options_.whole_pieces_first) {
      if (const auto whole = vocabulary().find(std::string(piece)); whole != vocabulary().end()) {
        ids.push_back(whole->second);
        return;
      }
    }
    std::vector<Symbol> symbols = characters(piece);
    merge(symbols);
    for (size_t i = 0; i < symbols.size(); i = static_cast<size_t>(symbols[i].next)) ids.push_back(symbols[i].id);
  }

 private:
  // A doubly linked list in place: merging drops the right one of two neighbours.
  struct Symbol {
    int64_t id;
    int64_t previous, next;  // -1 and symbols.size(): none
    bool alive = true;
  };

  [[nodiscard]] std::vector<Symbol> characters(std::string_view piece) const {
    std::vector<int64_t> ids;
    bool last_is_unk = false;
    for (size_t at = 0; at < piece.size();) {
      const size_t length = *utf8_length(piece, at);
      const std::string character(piece.substr(at, length));
      at += length;
      bool is_unk = false;
      if (const auto found = vocabulary().find(character); found != vocabulary().end()) {
        ids.push_back(found->second);
      } else if (options_.byte_ids) {
        for (const char byte : character) ids.push_back((*options_.byte_ids)[static_cast<unsigned char>(byte)]);
      } else if (options_.unk_id) {
        is_unk = true;
        if (!(options_.fuse_unk && last_is_unk)) ids.push_back(*options_.unk_id);
      }
      last_is_unk = is_unk;
    }
    std::vector<Symbol> symbols;
    for (size_t i = 0; i < ids.size(); ++i) {
      symbols.push_back({.id = ids[i], .previous = static_cast<int64_t>(i) - 1, .next = static_cast<int64_t>(i) + 1});
    }
    return symbols;
  }

  void merge(std::vector<Symbol>& symbols) const {
    using Candidate = std::tuple<uint32_t, int64_t, int64_t>;  // rank, position of the left symbol, merged id
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto n = static_cast<int64_t>(symbols.size());
    const auto at = [&](int64_t i) -> Symbol& { return symbols[static_cast<size_t>(i)]; };
    const auto find = [&](int64_t left) -> const Merge* {
      const int64_t right = at(left).next;
      if (right >= n) return nullptr;
      const auto found = merges_.find(pair_key(at(left).id, at(right).id));
      return found == merges_.end() ? nullptr : &found->second;
    };
    const auto offer = [&](int64_t left) {
      if (const Merge* merge = find(left)) queue.emplace(merge->rank, left, merge->id);
    };
    for (int64_t i = 0; i + 1 < n; ++i) offer(i);
    while (!queue.empty()) {
      const auto [rank, left, id] = queue.top();
      queue.pop();
      if (!at(left).alive) continue;
      const Merge* current = find(left);
      if (current == nullptr || current->id != id) continue;  // a neighbour has changed since
      const int64_t right = at(left).next;
      at(left).id = id;
      at(left).next = at(right).next;
      at(right).alive = false;
      if (at(left).next < n) at(at(left).next).previous = left;
      if (at(left).previous >= 0) offer(at(left).previous);
      offer(left);
    }
  }

  std::unordered_map<uint64_t, Merge> merges_;
  BpeOptions options_;
};

class WordLevel final : public TokenModel {
 public:
  WordLevel(Vocabulary vocabulary, std::optional<int64_t> unk_id, std::string where)
      : TokenModel(std::move(vocabulary)), unk_id_(unk_id), where_(std::move(where)) {}

  void encode(std::string_view piece, std::vector<int64_t>& ids) const override {
    const auto found = vocabulary().find(std::string(piece));
    if (found != vocabulary().end()) {
      ids.push_back(found->second);
    } else if (unk_id_) {
      ids.push_back(*unk_id_);
    } else {
      throw Error(
          Status::bad_input,
          {.what = "a word is not in the vocabulary",
           .where = where_,
           .why = "\"" + std::string(piece) + "\" is unknown and no word stands for unknown ones",
           .fix = "use text of the tokenizer's own domain, or a tokenizer whose unk_token is in its vocabulary"});
    }
  }

 private:
  std::optional<int64_t> unk_id_;
  std::string where_;
};

Vocabulary read_vocabulary(const Json& json, const std::string& where) {
  if (!json.contains("vocab") || !json["vocab"].is_object()) malformed_tokenizer("model.vocab is not an object", where);
  Vocabulary vocabulary;
  std::unordered_map<int64_t, std::string> seen;
  for (const auto& [token, id] : json["vocab"].items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > 0x7FFFFFFFU) {
      malformed_tokenizer("the id of token " + Json(token).dump() + " is " + id.dump(), where);
    }
    const auto value = id.get<int64_t>();
    if (const auto [other, inserted] = seen.emplace(value, token); !inserted) {
      malformed_tokenizer(
          "tokens " + Json(other->second).dump() + " and " + Json(token).dump() + " share id " + id.dump(), where);
    }
    vocabulary.emplace(token, value);
  }
  return vocabulary;
}

std::optional<int64_t> read_unk(const Json& json, const Vocabulary& vocabulary, const std::string& where) {
  if (!json.contains("unk_token") || json["unk_token"].is_null()) return std::nullopt;
  const auto found =
      json["unk_token"].is_string() ? vocabulary.find(json["unk_token"].get<std::string>()) : vocabulary.end();
  if (found == vocabulary.end()) {
    malformed_tokenizer("model.unk_token " + json["unk_token"].dump() + " is not in the vocabulary", where);
  }
  return found->second;
}

std::unique_ptr<const TokenModel> read_bpe(const Json& json, const std::string& where) {
  allow_only(json, "model BPE",
             {"type", "vocab", "merges", "unk_token", "fuse_unk", "byte_fallback", "dropout", "ignore_merges",
              "continuing_subword_prefix", "end_of_word_suffix"},
             where);
  for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!json.contains(key)) continue;
    const Json& value = json[key];
    if (!value.is_null() && value != "" && value != false && value != 0.0) {
      unsupported_in_tokenizer(std::string("model BPE with ") + key, where);
    }
  }
  Vocabulary vocabulary = read_vocabulary(json, where);
  BpeOptions options{.unk_id = read_unk(json, vocabulary, where),
                     .fuse_unk = json.value("fuse_unk", false),
                     .byte_ids = {},
                     .whole_pieces_first = json.value("ignore_merges", false)};
  if (json.value("byte_fallback", false)) {
    options.byte_ids.emplace();
    for (size_t byte = 0; byte < 256; ++byte) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const std::string token = std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">";
      const auto found = vocabulary.find(token);
      if (found == vocabulary.end())
        malformed_tokenizer("byte_fallback is on and token " + token + " is missing", where);
      (*options.byte_ids)[byte] = found->second;
    }
  }
  if (!json.contains("merges") || !json["merges"].is_array()) malformed_tokenizer("model.merges is not a list", where);
  std::unordered_map<uint64_t, Merge> merges;
  uint32_t rank = 0;
  for (const Json& item : json["merges"]) {
    std::string left;
    std::string right;
    if (item.is_string()) {  // "left right", or ["left", "right"] in files since 2024
      const auto text = item.get<std::string>();
      const size_t blank = text.find(' ');
      if (blank == text.npos) malformed_tokenizer("merge " + item.dump() + " is not a pair", where);
      left = text.substr(0, blank);
      right = text.substr(blank + 1);
    } else if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
      left = item[0].get<std::string>();
      right = item[1].get<std::string>();
    } else {
      malformed_tokenizer("merge " + item.dump() + " is not a pair", where);
    }
    const auto id = [&](const std::string& token) {
      const auto found = vocabulary.find(token);
      if (found == vocabulary.end()) {
        malformed_tokenizer("merge " + item.dump() + " needs token " + Json(token).dump() + ", which is missing",
                            where);
      }
      return found->second;
    };
    merges.insert_or_assign(pair_key(id(left), id(right)), Merge{.rank = rank++, .id = id(left + right)});
  }
  return std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), std::move(options));
}

}  // namespace

std::unique_ptr<const TokenModel> read_token_model(const Json& json, const std::string& where) {
  if (!json.is_object()) malformed_tokenizer("model is not an object", where);
  // Files older than the type tag hold BPE or WordPiece; a merges list tells them apart.
  const std::string type = json.value("type", json.contains("merges") ? "BPE" : "of an unnamed type");
  if (type == "BPE") return read_bpe(json, where);
  if (type == "WordLevel") {
    allow_only(json, "model WordLevel", {"type", "vocab", "unk_token"}, where);
    Vocabulary vocabulary = read_vocabulary(json, where);
    // The format cannot leave unk_token out; naming a word that is not there makes unknown words an error.
    const Json& unk = json.contains("unk_token") ? json["unk_token"] : Json();
    const bool closed = unk.is_string() && vocabulary.find(unk.get<std::string>()) == vocabulary.end();
    const auto unk_id = closed ? std::nullopt : read_unk(json, vocabulary, where);
    return std::make_unique<WordLevel>(std::move(vocabulary), unk_id, where);
  }
  unsupported_in_tokenizer("model " + type, where);
}

}  // namespace lowbit::lm
