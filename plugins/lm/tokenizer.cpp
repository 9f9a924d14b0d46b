#include "lm/tokenizer.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <utility>

#include "lm/error.h"
#include "lm/json_file.h"
#include "lm/pattern.h"
#include "lm/tokenizer_model.h"
#include "lm/tokenizer_steps.h"
#include "lm/utf8.h"

namespace lowbit::lm {
namespace {

using Json = nlohmann::json;

struct AddedToken {
  int64_t id;
  std::string content;
  bool special, normalized, single_word, lstrip, rstrip;
};

/// A character of a word, as Rust's \w has it.
bool is_word_character(std::string_view character) {
  static const Pattern word = Pattern::pcre2(R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}])");
  return word.spans(character).front().is_match;
}

/// Finds added tokens in a text as Hugging Face's tokenizers do: leftmost, then longest; what stands inside of a match
/// is not looked at again, a match with single_word that touches a word is passed over.
class AddedTokenFinder {
 public:
  /// `content`: what is looked for, the token's own or its normalized form.
  void add(std::string content, const AddedToken& token) {
    if (content.empty()) return;
    auto& list = by_first_byte_[static_cast<unsigned char>(content.front())];
    list.push_back({std::move(content), token});
    std::stable_sort(list.begin(), list.end(),
                     [](const Entry& a, const Entry& b) { return a.content.size() > b.content.size(); });
  }

  struct Part {
    std::string_view text;
    std::optional<int64_t> id;  // set: the part is this added token
  };
  /// REQUIRES: text is UTF-8.
  [[nodiscard]] std::vector<Part> cut(std::string_view text) const {
    std::vector<Part> parts;
    size_t done = 0;  // may lie behind `at`: blanks after a token with rstrip can begin the next token
    for (size_t at = 0; at < text.size();) {
      const Entry* const found = match(text.substr(at));
      if (found == nullptr) {
        ++at;
        continue;
      }
      size_t begin = at;
      size_t end = at = begin + found->content.size();
      if (found->token.single_word && touches_word(text, begin, end)) continue;
      while (found->token.lstrip && begin > done) {
        const size_t previous = utf8_previous(text, begin);
        if (!is_white_space(text.substr(previous, begin - previous))) break;
        begin = previous;
      }
      while (found->token.rstrip && end < text.size()) {
        const size_t length = *utf8_length(text, end);
        if (!is_white_space(text.substr(end, length))) break;
        end += length;
      }
      if (begin > done) parts.push_back({text.substr(done, begin - done), std::nullopt});
      parts.push_back({text.substr(begin, end - begin), found->token.id});
      done = end;
    }
    if (done < text.size()) parts.push_back({text.substr(done), std::nullopt});
    return parts;
  }

 private:
  struct Entry {
    std::string content;
    AddedToken token;
  };
  [[nodiscard]] const Entry* match(std::string_view text) const {
    const auto& list = by_first_byte_[static_cast<unsigned char>(text.front())];
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const Entry& e) { return text.substr(0, e.content.size()) == e.content; });
    return found == list.end() ? nullptr : &*found;
  }
  [[nodiscard]] static bool touches_word(std::string_view text, size_t begin, size_t end) {
    if (begin > 0) {
      const size_t previous = utf8_previous(text, begin);
      if (is_word_character(text.substr(previous, begin - previous))) return true;
    }
    return end < text.size() && is_word_character(text.substr(end, *utf8_length(text, end)));
  }
  std::array<std::vector<Entry>, 256> by_first_byte_;
};

std::vector<AddedToken> read_added_tokens(const Json& json, const std::string& where) {
  std::vector<AddedToken> result;
  if (json.is_null()) return result;
  if (!json.is_array()) malformed_tokenizer("added_tokens is not a list", where);
  for (const Json& item : json) {
    if (!item.is_object() || !item.contains("id") || !item["id"].is_number_unsigned() || !item.contains("content") ||
        !item["content"].is_string()) {
      malformed_tokenizer("an added token has no id and content: " + item.dump(), where);
    }
    allow_only(item, "added_tokens", {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"},
               where);
    result.push_back({.id = item["id"].get<int64_t>(),
                      .content = item["content"].get<std::string>(),
                      .special = item.value("special", false),
                      .normalized = item.value("normalized", true),
                      .single_word = item.value("single_word", false),
                      .lstrip = item.value("lstrip", false),
                      .rstrip = item.value("rstrip", false)});
  }
  return result;
}

bool has_step(const Json& json, const char* key, const char* value) {
  if (json.is_object() && json.value(key, Json()) == value) return true;
  return json.is_structured() &&
         std::any_of(json.begin(), json.end(), [&](const Json& part) { return has_step(part, key, value); });
}

/// What stands around a single text: ids before and after it.
struct Frame {
  std::vector<int64_t> before, after;
};

Frame read_frame(const Json& json, const std::string& where) {
  Frame frame;
  if (json.is_null()) return frame;
  const std::string type = json.is_object() ? json.value("type", "") : "";
  if (type == "ByteLevel") return frame;  // about offsets only
  if (type == "Sequence") {
    if (!json.contains("processors") || !json["processors"].is_array()) {
      malformed_tokenizer("Sequence.processors is not a list", where);
    }
    for (const Json& step : json["processors"]) {
      Frame outer = read_frame(step, where);
      outer.before.insert(outer.before.end(), frame.before.begin(), frame.before.end());
      frame.before = std::move(outer.before);
      frame.after.insert(frame.after.end(), outer.after.begin(), outer.after.end());
    }
    return frame;
  }
  if (type != "TemplateProcessing") unsupported_in_tokenizer("post-processor " + type, where);
  bool text_seen = false;
  const auto bad = [&] { malformed_tokenizer("TemplateProcessing is not understood: " + json.dump(), where); };
  if (!json.contains("single") || !json["single"].is_array() || !json.contains("special_tokens")) bad();
  for (const Json& item : json["single"]) {
    if (item.contains("Sequence")) {
      if (text_seen) bad();
      text_seen = true;
      continue;
    }
    if (!item.contains("SpecialToken")) bad();
    const Json& special = json["special_tokens"].value(item["SpecialToken"].value("id", ""), Json());
    if (!special.is_object() || !special.contains("ids") || !special["ids"].is_array()) bad();
    for (const Json& id : special["ids"]) {
      if (!id.is_number_unsigned()) bad();
      (text_seen ? frame.after : frame.before).push_back(id.get<int64_t>());
    }
  }
  if (!text_seen) bad();
  return frame;
}

}  // namespace

struct Tokenizer::Parts {
  /// `where` names the file in errors. Throws Error{bad_input}, Json::exception.
  Parts(const Json& json, const std::string& where);

  std::unique_ptr<const TokenModel> model;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  Decoder decoder;
  Frame frame;
  AddedTokenFinder in_raw_text, in_normalized_text;
  std::unordered_map<int64_t, std::string> tokens;  // id -> token, added ones included
  std::unordered_map<std::string, int64_t> added;
  std::unordered_map<int64_t, bool> special;
  int64_t size = 0;
};

Tokenizer::Parts::Parts(const Json& json, const std::string& where) {
  if (!json.is_object() || !json.contains("model")) malformed_tokenizer("it has no model", where);
  allow_only(json, "tokenizer.json",
             {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
              "decoder", "model"},
             where);
  const auto part = [&](const char* key) { return json.contains(key) ? json[key] : Json(); };
  model = read_token_model(json["model"], where);
  normalizer = read_normalizer(part("normalizer"), where);
  pre_tokenizer = read_pre_tokenizer(part("pre_tokenizer"), where);
  decoder = read_decoder(part("decoder"), where);
  // Hugging Face then asks which character of the raw text the first one came from, and a replaced one came from
  // several.
  if (has_step(part("normalizer"), "type", "Replace") && has_step(part("pre_tokenizer"), "prepend_scheme", "first")) {
    unsupported_in_tokenizer("Metaspace with prepend_scheme first behind a Replace", where);
  }
  frame = read_frame(part("post_processor"), where);

  const Vocabulary& vocabulary = model->vocabulary();
  for (const auto& [token, id] : vocabulary) tokens.emplace(id, token);
  for (const AddedToken& token : read_added_tokens(part("added_tokens"), where)) {
    const auto in_vocabulary = vocabulary.find(token.content);
    const auto holder = tokens.find(token.id);
    if ((in_vocabulary != vocabulary.end() && in_vocabulary->second != token.id) ||
        (holder != tokens.end() && holder->second != token.content)) {
      malformed_tokenizer("added token " + Json(token.content).dump() + " with id " + std::to_string(token.id) +
                              " contradicts the vocabulary",
                          where);
    }
    // A token that is found in normalized text stands for normalized text: "▁the" decodes as " the".
    tokens[token.id] = token.normalized && !token.special ? normalizer(token.content) : token.content;
    added.emplace(token.content, token.id);
    special[token.id] = token.special;
    if (token.normalized) {
      in_normalized_text.add(normalizer(token.content), token);
    } else {
      in_raw_text.add(token.content, token);
    }
  }
  for (const auto& [id, token] : tokens) size = std::max(size, id + 1);
  for (const auto* ids : {&frame.before, &frame.after}) {
    for (const int64_t id : *ids) {
      if (tokens.find(id) == tokens.end()) {
        malformed_tokenizer("the post-processor uses id " + std::to_string(id) + ", which no token has", where);
      }
    }
  }
}

Tokenizer Tokenizer::open(const std::filesystem::path& file) {
  const Json json = read_json_file(file);
  Tokenizer result;
  try {
    result.parts_ = std::make_shared<const Parts>(json, file.string());
  } catch (const Json::exception& e) {  // a member of another type than the format gives it
    malformed_tokenizer(e.what(), file.string());
  }
  return result;
}

std::vector<int64_t> Tokenizer::encode(std::string_view text, Special special) const {
  const std::string repaired = utf8_error(text) ? utf8_replaced(text) : std::string();
  if (!repaired.empty()) text = repaired;
  std::vector<int64_t> ids;
  if (special == Special::add) ids = parts_->frame.before;
  for (const auto& raw : parts_->in_raw_text.cut(text)) {
    if (raw.id) {
      ids.push_back(*raw.id);
      continue;
    }
    const std::string normalized = parts_->normalizer(std::string(raw.text));
    for (const auto& piece : parts_->in_normalized_text.cut(normalized)) {
      if (piece.id) {
        ids.push_back(*piece.id);
        continue;
      }
      const bool at_start = raw.text.data() == text.data() && piece.text.data() == normalized.data();
      for (const Piece& word : parts_->pre_tokenizer({{std::string(piece.text), at_start}})) {
        parts_->model->encode(word.text, ids);
      }
    }
  }
  if (special == Special::add) ids.insert(ids.end(), parts_->frame.after.begin(), parts_->frame.after.end());
  return ids;
}

std::string Tokenizer::decode(const std::vector<int64_t>& ids, Show show) const {
  std::vector<std::string> tokens;
  for (const int64_t id : ids) {
    const auto token = parts_->tokens.find(id);
    if (token == parts_->tokens.end()) continue;
    const auto special = parts_->special.find(id);
    if (show == Show::text && special != parts_->special.end() && special->second) continue;
    tokens.push_back(token->second);
  }
  std::string text;
  for (const std::string& part : parts_->decoder(std::move(tokens))) text += part;
  return text;
}

std::optional<int64_t> Tokenizer::id(std::string_view token) const {
  const std::string key(token);
  if (const auto found = parts_->added.find(key); found != parts_->added.end()) return found->second;
  const Vocabulary& vocabulary = parts_->model->vocabulary();
  const auto found = vocabulary.find(key);
  return found == vocabulary.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> Tokenizer::token(int64_t id) const {
  const auto found = parts_->tokens.find(id);
  return found == parts_->tokens.end() ? std::nullopt : std::optional(found->second);
}

int64_t Tokenizer::size() const { return parts_->size; }

}  // namespace lowbit::lm
