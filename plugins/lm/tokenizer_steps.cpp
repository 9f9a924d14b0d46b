#include "lm/tokenizer_steps.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "lm/byte_level.h"
#include "lm/error.h"
#include "lm/normal_form.h"
#include "lm/pattern.h"
#include "lm/utf8.h"

namespace lowbit::lm {

using Json = nlohmann::json;

void unsupported_in_tokenizer(const std::string& feature, const std::string& where) {
  throw Error(
      Status::bad_input,
      {.what = "the tokenizer uses " + feature + ", which is not supported",
       .where = where,
       .why = "supported are byte-level BPE, SentencePiece-style BPE with byte fallback and word-level tokenizers",
       .fix = "use a model with such a tokenizer"});
}

void malformed_tokenizer(const std::string& why, const std::string& where) {
  throw Error(Status::bad_input, {.what = "malformed tokenizer.json",
                                  .where = where,
                                  .why = why,
                                  .fix = "copy or download the file again, or save the tokenizer anew"});
}

void allow_only(const Json& json, const std::string& name, std::initializer_list<std::string_view> keys,
                const std::string& where) {
  for (const auto& [key, value] : json.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end() && !value.is_null()) {
      unsupported_in_tokenizer(name + "." + key, where);
    }
  }
}

namespace {

template <class T>
T get(const Json& json, const char* key, const std::string& where) {
  const auto found = json.find(key);
  if (found == json.end()) malformed_tokenizer(json.value("type", "a step") + " has no " + key, where);
  try {
    return found->get<T>();
  } catch (const Json::exception&) {
    malformed_tokenizer(json.value("type", "a step") + "." + key + " has the wrong type: " + found->dump(), where);
  }
}

std::string type_of(const Json& json, const char* role, const std::string& where) {
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string()) {
    malformed_tokenizer(std::string("a ") + role + " is not an object with a type", where);
  }
  return json["type"].get<std::string>();
}

Pattern read_pattern(const Json& json, const std::string& where) {
  const auto pattern = get<Json>(json, "pattern", where);
  if (pattern.is_object() && pattern.size() == 1 && pattern.begin()->is_string()) {
    const auto text = pattern.begin()->get<std::string>();
    if (pattern.begin().key() == "String") return Pattern::literal(text);
    if (pattern.begin().key() == "Regex") {
      try {
        return Pattern::regex(text);
      } catch (const std::invalid_argument& e) {
        malformed_tokenizer("the expression " + pattern.dump() + " cannot be read: " + e.what(), where);
      } catch (const std::domain_error& e) {
        unsupported_in_tokenizer(e.what(), where);
      }
    }
  }
  malformed_tokenizer("a pattern is neither String nor Regex: " + pattern.dump(), where);
}

constexpr const char* kWords =
    R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}\p{White_Space}]+)";
// What GPT-2 splits text into before any merge; later models bring their own expression in a Split before ByteLevel.
constexpr const char* kGpt2Words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

PreTokenizer splitter(Pattern pattern, SplitBehavior behavior, bool invert) {
  return [=](const std::vector<Piece>& pieces) {
    std::vector<Piece> result;
    for (const Piece& piece : pieces) {
      for (const std::string_view part : split(piece.text, pattern, behavior, invert)) {
        result.push_back({std::string(part), piece.at_start && part.data() == piece.text.data()});
      }
    }
    return result;
  };
}

SplitBehavior read_behavior(const Json& json, const std::string& where) {
  const auto name = get<std::string>(json, "behavior", where);
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  malformed_tokenizer("split behavior " + name + " is unknown", where);
}

enum class PrependScheme { always, first, never };

struct Metaspace {
  std::string replacement;  // U+2581 in practice
  PrependScheme scheme;
  bool split;
};

Metaspace read_metaspace(const Json& json, const std::string& where) {
  allow_only(json, "Metaspace", {"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"},
             where);
  Metaspace result{.replacement = get<std::string>(json, "replacement", where),
                   .scheme = json.value("add_prefix_space", true) ? PrependScheme::always : PrependScheme::never,
                   .split = json.value("split", true)};
  if (json.contains("prepend_scheme")) {
    const auto scheme = get<std::string>(json, "prepend_scheme", where);
    if (scheme == "always") {
      result.scheme = PrependScheme::always;
    } else if (scheme == "first") {
      result.scheme = PrependScheme::first;
    } else if (scheme == "never") {
      result.scheme = PrependScheme::never;
    } else {
      malformed_tokenizer("Metaspace.prepend_scheme " + scheme + " is unknown", where);
    }
    if (result.scheme != PrependScheme::never && !json.value("add_prefix_space", true)) {
      malformed_tokenizer("Metaspace.add_prefix_space is false and prepend_scheme is " + scheme, where);
    }
  }
  if (utf8_length(result.replacement + '\0', 0) != result.replacement.size()) {
    malformed_tokenizer("Metaspace.replacement is not one character", where);
  }
  return result;
}

PreTokenizer metaspace_pre_tokenizer(const Metaspace& options) {
  return [=, blank = Pattern::literal(" "),
          mark = Pattern::literal(options.replacement)](const std::vector<Piece>& pieces) {
    std::vector<Piece> result;
    for (const Piece& piece : pieces) {
      std::string text = blank.replace(piece.text, options.replacement);
      const bool prepend =
          options.scheme == PrependScheme::always || (options.scheme == PrependScheme::first && piece.at_start);
      if (prepend && text.rfind(options.replacement, 0) != 0) text.insert(0, options.replacement);
      if (!options.split) {
        result.push_back({std::move(text), piece.at_start});
        continue;
      }
      for (const std::string_view part : split(text, mark, SplitBehavior::merged_with_next)) {
        result.push_back({std::string(part), piece.at_start && part.data() == text.data()});
      }
    }
    return result;
  };
}

/// Bytes as characters, after the text was cut into words unless a step before did that.
PreTokenizer byte_level_pre_tokenizer(const Json& json, const std::string& where) {
  allow_only(json, "ByteLevel", {"type", "add_prefix_space", "trim_offsets", "use_regex"}, where);
  const bool add_blank = json.value("add_prefix_space", true);
  const bool cut = json.value("use_regex", true);
  return [=, words = Pattern::regex(kGpt2Words)](std::vector<Piece> pieces) {
    std::vector<Piece> result;
    for (Piece& piece : pieces) {
      if (add_blank && piece.text.rfind(' ', 0) != 0) piece.text.insert(piece.text.begin(), ' ');
      if (!cut) {
        result.push_back({to_byte_characters(piece.text), piece.at_start});
        continue;
      }
      for (const std::string_view word : split(piece.text, words, SplitBehavior::isolated)) {
        result.push_back({to_byte_characters(word), piece.at_start && word.data() == piece.text.data()});
      }
    }
    return result;
  };
}

/// A character may be spread over several tokens, so bytes are joined before they are read as text.
std::vector<std::string> join_byte_characters(const std::vector<std::string>& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += from_byte_characters(token);
  return {utf8_replaced(bytes)};
}

Decoder metaspace_decoder(const Metaspace& options) {
  return [=, mark = Pattern::literal(options.replacement)](std::vector<std::string> tokens) {
    for (std::string& token : tokens) {
      const bool first = &token == &tokens.front() && options.scheme != PrependScheme::never;
      token = mark.replace(token, first ? "" : " ");
    }
    return tokens;
  };
}

/// "<0x0A>" -> 0x0A.
std::optional<char> byte_of(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token.back() != '>') return std::nullopt;
  unsigned value = 0;
  for (const char c : token.substr(3, 2)) {
    const auto digit = std::string_view("0123456789ABCDEF").find(static_cast<char>(c >= 'a' && c <= 'f' ? c - 32 : c));
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return static_cast<char>(value);
}

/// A run of byte tokens becomes the text it encodes, or as many U+FFFD as it has bytes when it encodes none.
std::vector<std::string> join_bytes(const std::vector<std::string>& tokens) {
  std::vector<std::string> result;
  std::string run;
  const auto flush = [&] {
    if (run.empty()) return;
    if (!utf8_error(run)) {
      result.push_back(run);
    } else {
      result.insert(result.end(), run.size(), std::string(kReplacementCharacter));
    }
    run.clear();
  };
  for (const std::string& token : tokens) {
    if (const auto byte = byte_of(token)) {
      run += *byte;
    } else {
      flush();
      result.push_back(token);
    }
  }
  flush();
  return result;
}

std::vector<std::string> fuse(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  return {text};
}

/// Strips at most `start` leading and `stop` trailing copies of one character from every token.
Decoder strip_decoder(const std::string& content, size_t start, size_t stop) {
  return [=](std::vector<std::string> tokens) {
    for (std::string& token : tokens) {
      for (size_t i = 0; i < start && token.rfind(content, 0) == 0; ++i) token.erase(0, content.size());
      for (size_t i = 0; i < stop && token.size() >= content.size() &&
                         token.compare(token.size() - content.size(), content.size(), content) == 0;
           ++i) {
        token.erase(token.size() - content.size());
      }
    }
    return tokens;
  };
}

/// Every token but the first gets a blank before it, unless it starts with `prefix`, which is then dropped.
Decoder word_piece_decoder(const std::string& prefix) {
  return [=](std::vector<std::string> tokens) {
    for (size_t i = 1; i < tokens.size(); ++i) {
      if (!prefix.empty() && tokens[i].rfind(prefix, 0) == 0) {
        tokens[i].erase(0, prefix.size());
      } else {
        tokens[i].insert(tokens[i].begin(), ' ');
      }
    }
    return tokens;
  };
}

template <class Step, class Read>
std::vector<Step> read_sequence(const Json& json, const char* key, const std::string& where, const Read& read) {
  const auto list = get<Json>(json, key, where);
  if (!list.is_array()) malformed_tokenizer(std::string("Sequence.") + key + " is not a list", where);
  std::vector<Step> steps;
  for (const Json& item : list) steps.push_back(read(item, where));
  return steps;
}

}  // namespace

Normalizer read_normalizer(const Json& json, const std::string& where) {
  if (json.is_null()) return [](std::string text) { return text; };
  const std::string type = type_of(json, "normalizer", where);
  if (type == "Sequence") {
    return [steps = read_sequence<Normalizer>(json, "normalizers", where, read_normalizer)](std::string text) {
      for (const Normalizer& step : steps) text = step(std::move(text));
      return text;
    };
  }
  if (type == "Prepend") {
    allow_only(json, type, {"type", "prepend"}, where);
    return [prefix = get<std::string>(json, "prepend", where)](std::string text) {
      return text.empty() ? text : prefix + text;
    };
  }
  if (type == "Replace") {
    allow_only(json, type, {"type", "pattern", "content"}, where);
    return [pattern = read_pattern(json, where), content = get<std::string>(json, "content", where)](
               const std::string& text) { return pattern.replace(text, content); };
  }
  if (type == "NFC" || type == "NFD") {
    allow_only(json, type, {"type"}, where);
    const auto form = type == "NFC" ? NormalForm::composed : NormalForm::decomposed;
    return [form](const std::string& text) { return normal_form(text, form); };
  }
  unsupported_in_tokenizer("normalizer " + type, where);
}

PreTokenizer read_pre_tokenizer(const Json& json, const std::string& where) {
  if (json.is_null()) return [](std::vector<Piece> pieces) { return pieces; };
  const std::string type = type_of(json, "pre-tokenizer", where);
  if (type == "Sequence") {
    return [steps = read_sequence<PreTokenizer>(json, "pretokenizers", where, read_pre_tokenizer)](
               std::vector<Piece> pieces) {
      for (const PreTokenizer& step : steps) pieces = step(std::move(pieces));
      return pieces;
    };
  }
  if (type == "WhitespaceSplit") {
    allow_only(json, type, {"type"}, where);
    return splitter(Pattern::regex(R"(\s)"), SplitBehavior::removed, false);
  }
  if (type == "Whitespace") {
    allow_only(json, type, {"type"}, where);
    return splitter(Pattern::pcre2(kWords), SplitBehavior::removed, true);
  }
  if (type == "Digits") {
    allow_only(json, type, {"type", "individual_digits"}, where);
    return splitter(Pattern::regex(R"(\p{N})"),
                    json.value("individual_digits", false) ? SplitBehavior::isolated : SplitBehavior::contiguous,
                    false);
  }
  if (type == "Split") {
    allow_only(json, type, {"type", "pattern", "behavior", "invert"}, where);
    return splitter(read_pattern(json, where), read_behavior(json, where), json.value("invert", false));
  }
  if (type == "Metaspace") return metaspace_pre_tokenizer(read_metaspace(json, where));
  if (type == "ByteLevel") return byte_level_pre_tokenizer(json, where);
  unsupported_in_tokenizer("pre-tokenizer " + type, where);
}

Decoder read_decoder(const Json& json, const std::string& where) {
  if (json.is_null()) return word_piece_decoder("");
  const std::string type = type_of(json, "decoder", where);
  if (type == "Sequence") {
    return [steps = read_sequence<Decoder>(json, "decoders", where, read_decoder)](std::vector<std::string> tokens) {
      for (const Decoder& step : steps) tokens = step(std::move(tokens));
      return tokens;
    };
  }
  if (type == "Replace") {
    allow_only(json, type, {"type", "pattern", "content"}, where);
    return [pattern = read_pattern(json, where),
            content = get<std::string>(json, "content", where)](std::vector<std::string> tokens) {
      for (std::string& token : tokens) token = pattern.replace(token, content);
      return tokens;
    };
  }
  if (type == "ByteFallback") return join_bytes;
  if (type == "ByteLevel") return join_byte_characters;
  if (type == "Fuse") return fuse;
  if (type == "Strip") {
    allow_only(json, type, {"type", "content", "start", "stop"}, where);
    return strip_decoder(get<std::string>(json, "content", where), get<size_t>(json, "start", where),
                         get<size_t>(json, "stop", where));
  }
  if (type == "WordPiece") {
    allow_only(json, type, {"type", "prefix", "cleanup"}, where);
    if (json.value("cleanup", true)) unsupported_in_tokenizer("decoder WordPiece with cleanup", where);
    return word_piece_decoder(get<std::string>(json, "prefix", where));
  }
  if (type == "Metaspace") return metaspace_decoder(read_metaspace(json, where));
  unsupported_in_tokenizer("decoder " + type, where);
}

}  // namespace lowbit::lm
