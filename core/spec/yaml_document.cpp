#include "spec/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "spec/language.h"
#include "spec/source_text.h"

namespace lowbit::spec {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxCopiedNodes = 100'000;  // by anchors and aliases
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kEndsPlainWord = " \t\r\n,]}";

// The problem that was appended last makes the rest unreadable.
struct Stop {};

std::size_t node_count(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += node_count(item);
  for (const Node::Entry& entry : node.entries) count += node_count(entry.value);
  return count;
}

std::size_t height(const Node& node) {
  std::size_t below = 0;
  for (const Node& item : node.items) below = std::max(below, height(item));
  for (const Node::Entry& entry : node.entries) below = std::max(below, height(entry.value));
  return node.kind == Node::Kind::scalar ? 0 : below + 1;
}

class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::shared_ptr<const SourceText>& source, std::size_t begin, Diagnostics& problems)
      : text_(source->text), begin_(begin), places_(source), problems_(problems) {}

  std::optional<Node> root;

  [[nodiscard]] std::size_t offset(const YAML::Mark& mark) const {
    return std::min(text_.size(), begin_ + static_cast<std::size_t>(std::max(mark.pos, 0)));
  }
  [[nodiscard]] SourceSpan place(std::size_t offset, std::size_t length = 1) const {
    return places_.at(offset, length);
  }
  /// The innermost `[` or `{` that is still open.
  [[nodiscard]] const SourceSpan* open_bracket() const {
    const auto it = std::find_if(open_.rbegin(), open_.rend(), [](const Open& open) { return open.flow; });
    return it == open_.rend() ? nullptr : &it->node.span;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (!root) return;
    const std::size_t at = offset(mark);
    if (text_.substr(at).starts_with("---")) {
      stop(error("LB1008", "the file holds more than one YAML document")
               .at(place(at, 3), "a second document begins here")
               .fix("keep one experiment in one file"));
    }
    stop(error("LB1004", "this does not belong to the value above it")
             .at(place(at), "expected the end of the text")
             .fix("check the indentation: the keys of one mapping start in the same column"));
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = skip_properties(offset(mark));
    const std::string_view rest = text_.substr(at);
    for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
      if (!rest.starts_with(word)) continue;
      const std::string_view after = rest.substr(word.size());
      const bool is_key = after.starts_with(':');
      if (after.empty() || kEndsPlainWord.find(after.front()) != std::string_view::npos || (is_key && key_expected())) {
        add(plain_node(at, word), anchor);
        return;
      }
    }
    add(Node{.span = place_of_nothing(at), .plain = true}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::size_t at = offset(mark);
    const std::size_t length = std::min(text_.find_first_of(kEndsPlainWord, at), text_.size()) - at;
    const auto known = anchored_.find(anchor);
    if (known == anchored_.end()) {
      stop(error("LB1010", "an alias cannot stand inside the value that it names")
               .at(place(at, length), "the value of this anchor is not complete here")
               .fix("write the value out"));
    }
    count_copies(known->second.node_count, place(at, length), "one alias too many");
    check_depth(known->second.height, at);
    add(known->second.node, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const std::size_t at = skip_properties(offset(mark));
    // yaml-cpp gives plain scalars the tag "?", all others "!"; an explicit tag was refused above.
    const char first = at < text_.size() ? text_[at] : ' ';
    const bool quoted = first == '"' || first == '\'';
    const bool block = first == '|' || first == '>';
    if (tag == "?" || (!quoted && !block)) {
      add(plain_node(at, value), anchor);
    } else if (block) {
      add(Node{.span = place(at), .text = value}, anchor);
    } else {
      const std::size_t close = closing_quote(at);
      const SourceSpan whole = place(at, close - at + 1);
      add(Node{.span = whole,
               .text = without_zeros(value, whole),
               .verbatim = text_.substr(at + 1, close - at - 1) == value},
          anchor);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Node::Kind::sequence, mark, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Node::Kind::mapping, mark, anchor, style);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = 0;
    bool flow = false;
    std::optional<Text> key;  ///< mapping: read, its value not yet
    bool key_refused = false;
    std::unordered_map<std::string, SourceSpan> seen;
  };
  struct Anchored {
    Node node;
    std::size_t node_count = 0;
    std::size_t height = 0;
  };

  [[noreturn]] void stop(Diagnostic problem) {
    problems_.push_back(std::move(problem));
    throw Stop{};
  }

  [[nodiscard]] bool key_expected() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::mapping && !open_.back().key;
  }

  void check_depth(std::size_t added, std::size_t at) {
    if (open_.size() + added <= kMaxDepth) return;
    stop(error("LB1009", "lists and mappings are nested more than 64 deep")
             .at(place(at), "one level too many")
             .fix("no experiment needs this: check the brackets"));
  }

  void count_copies(std::size_t nodes, const SourceSpan& where, const char* label) {
    copied_nodes_ += nodes;
    if (copied_nodes_ <= kMaxCopiedNodes) return;
    stop(error("LB1010", "the anchors and aliases of this file stand for more than 100000 values")
             .at(where, label)
             .fix("name large data in `inputs` instead"));
  }

  // Moves past `&anchor` and past tags, which are refused.
  std::size_t skip_properties(std::size_t at) {
    while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
      const std::size_t end = std::min(text_.find_first_of(kEndsPlainWord, at), text_.size());
      if (text_[at] == '!') {
        problems_.push_back(error("LB1007", "YAML tags are not part of the experiment language")
                                .at(place(at, end - at), "remove this tag")
                                .fix("write the value plainly; quote it if it is text"));
      }
      at = std::min(text_.find_first_not_of(kSpace, end), text_.size());
      while (at < text_.size() && text_[at] == '#') {
        at = std::min(text_.find_first_not_of(kSpace, std::min(text_.find('\n', at), text_.size())), text_.size());
      }
    }
    return at;
  }

  [[nodiscard]] Node plain_node(std::size_t at, std::string_view value) const {
    const std::string_view source = text_.substr(at);
    const bool verbatim = source.starts_with(value);
    // A value folded from several lines is shown by what stands on the first.
    const auto [in_value, in_source] = std::mismatch(value.begin(), value.end(), source.begin(), source.end());
    const auto common = static_cast<std::size_t>(in_value - value.begin());
    return Node{.span = place(at, std::max<std::size_t>(common, 1)),
                .text = std::string(value),
                .plain = true,
                .verbatim = verbatim};
  }

  // yaml-cpp marks a missing value with the token after it; people look at the key, or at the `-` or `,` before.
  [[nodiscard]] SourceSpan place_of_nothing(std::size_t at) const {
    if (open_.empty()) return place(at);
    if (open_.back().key) return open_.back().key->span;
    const std::size_t before = at == 0 ? std::string_view::npos : text_.find_last_not_of(kSpace, at - 1);
    const bool separator = before != std::string_view::npos && before >= begin_ &&
                           std::string_view("-,[").find(text_[before]) != std::string_view::npos;
    return place(separator ? before : at);
  }

  // The rest of the text is read on: what else is wrong with it is said, too.
  std::string without_zeros(std::string text, const SourceSpan& where) {
    const auto kept = std::remove(text.begin(), text.end(), '\0');
    if (kept == text.end()) return text;
    problems_.push_back(error("LB1002", "a text cannot hold a zero byte")
                            .at(where, "an escape in it stands for one")
                            .note("programs that it is handed to would read it up to there")
                            .fix("leave the escape out"));
    text.erase(kept, text.end());
    return text;
  }

  // yaml-cpp ends an unclosed quoted text at the end of the file without a word.
  std::size_t closing_quote(std::size_t at) {
    const char quote = text_[at];
    for (std::size_t i = at + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        if (quote == '"' || i + 1 == text_.size() || text_[i + 1] != quote) return i;
        ++i;
      }
    }
    stop(error("LB1004", "a quoted text does not end")
             .at(place(at), "opened here")
             .fix(std::string("close it with ") + quote));
  }

  void open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
    const std::size_t at = skip_properties(offset(mark));
    check_depth(1, at);
    Open opened;
    opened.node.kind = kind;
    opened.node.span = place(at);
    opened.anchor = anchor;
    opened.flow = style == YAML::EmitterStyle::Flow;
    open_.push_back(std::move(opened));
  }

  void close() {
    Node node = std::move(open_.back().node);
    const YAML::anchor_t anchor = open_.back().anchor;
    open_.pop_back();
    add(std::move(node), anchor);
  }

  void add(Node node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      const std::size_t nodes = node_count(node);
      count_copies(nodes, node.span, "one anchor too many");
      anchored_[anchor] = {node, nodes, height(node)};
    }
    if (open_.empty()) {
      root = std::move(node);
    } else if (open_.back().node.kind == Node::Kind::sequence) {
      open_.back().node.items.push_back(std::move(node));
    } else if (!open_.back().key) {
      add_key(open_.back(), node);
    } else {
      Open& mapping = open_.back();
      if (!mapping.key_refused) mapping.node.entries.push_back({std::move(*mapping.key), std::move(node)});
      mapping.key.reset();
    }
  }

  // A refused key takes its value with it.
  void add_key(Open& mapping, const Node& node) {
    mapping.key = Text{node.text, node.span};
    mapping.key_refused = true;
    if (node.kind != Node::Kind::scalar || node.missing()) {
      problems_.push_back(error("LB1011", "the keys of a mapping are words")
                              .at(node.span, node.missing() ? "no key here" : "a list or mapping as a key")
                              .fix("write `key: value`"));
    } else if (node.plain && node.text == "<<") {
      problems_.push_back(error("LB1006", "merge keys are not part of YAML 1.2")
                              .at(node.span, "`<<` merges nothing here")
                              .fix("write the keys out, or use an alias for a whole value: `params: *name`"));
    } else if (const auto [first, fresh] = mapping.seen.emplace(node.text, node.span); !fresh) {
      const SourceSpan& before = first->second;
      problems_.push_back(error("LB1005", "key " + ticked(node.text) + " appears twice in one mapping")
                              .at(node.span, "the second one")
                              .note("the first one is at " + before.source->name + ":" + std::to_string(before.line) +
                                    ":" + std::to_string(before.column))
                              .fix("keep one of them"));
    } else {
      mapping.key_refused = false;
    }
  }

  std::string_view text_;
  std::size_t begin_;  ///< where yaml-cpp's position 0 lies in text_
  Places places_;
  Diagnostics& problems_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchored_;
  std::size_t copied_nodes_ = 0;
};

struct Phrase {
  std::string_view from_parser;  ///< a beginning of yaml-cpp's message
  const char* what;
  const char* help;
};

constexpr std::array kPhrases{
    Phrase{"illegal map value", "`:` cannot stand here", "check the indentation, and quote a text that holds `: `"},
    Phrase{"end of map not found", "this line does not continue the mapping above it",
           "check the indentation: the keys of one mapping start in the same column"},
    Phrase{"end of sequence not found", "this line does not continue the list above it",
           "check the indentation: the `-` of one list, and the keys of one mapping, start in the same column"},
    Phrase{"unknown token", "no value can start with this character", "quote the text"},
    Phrase{"the referenced anchor is not defined", "this alias names no anchor",
           "define it above with `&name`, or quote the text if it is meant to start with `*`"},
};

Diagnostic syntax_error(const YAML::Exception& exception, const Builder& builder, std::string_view text) {
  const std::size_t at = builder.offset(exception.mark);
  const SourceSpan here = builder.place(at);
  const std::string_view message = exception.msg;
  const std::string_view line = text.substr(at - (here.column - 1), here.column);
  const std::size_t tab = line.find('\t');
  if (tab < line.find_first_not_of(" \t")) {
    return error("LB1004", "a tab is used for indentation")
        .at(builder.place(at - (here.column - 1) + tab), "a tab")
        .fix("indent with spaces");
  }
  if (message.ends_with("flow not found") && builder.open_bracket() != nullptr) {
    if (at > 0 && text.substr(at - 1).starts_with("${")) {
      return error("LB1004", "inside [ ] and { } a template needs quotes")
          .at(builder.place(at - 1, 2), "`{` begins a mapping here")
          .fix("write \"${axis}\"");
    }
    const bool list = message.find("sequence") != std::string_view::npos;
    return error("LB1004", list ? "a list does not end" : "a mapping does not end")
        .at(*builder.open_bracket(), "opened here")
        .note("line " + std::to_string(here.line) + " cannot be read as part of it")
        .fix(list ? "close it with ]" : "close it with }");
  }
  for (const Phrase& phrase : kPhrases) {
    if (message.starts_with(phrase.from_parser)) return error("LB1004", phrase.what).at(here).fix(phrase.help);
  }
  return error("LB1004", "the text is not YAML").at(here, std::string(message)).fix("correct the text at this place");
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto it =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key.value == key; });
  return it == entries.end() ? nullptr : &it->value;
}

Node* Node::find(std::string_view key) {
  const auto it =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key.value == key; });
  return it == entries.end() ? nullptr : &it->value;
}

void Node::drop(std::string_view key) {
  const auto same = [&](const Entry& entry) { return entry.key.value == key; };
  entries.erase(std::remove_if(entries.begin(), entries.end(), same), entries.end());
}

SourceSpan Node::within(std::size_t offset, std::size_t length) const {
  if (!verbatim) return span;
  SourceSpan part = span;
  part.column += offset + (plain ? 0 : 1);
  part.length = length;
  return part;
}

std::optional<Node> parse_yaml(const std::shared_ptr<const SourceText>& source, std::size_t begin,
                               Diagnostics& problems) {
  LB_CHECK(begin <= source->text.size());
  if (auto problem = problem_with_text(source)) {
    problems.push_back(std::move(*problem));
    return std::nullopt;
  }
  const std::string_view text = source->text;
  if (text.substr(begin).starts_with(kByteOrderMark)) begin += kByteOrderMark.size();
  Builder builder(source, begin, problems);
  try {
    std::istringstream stream{std::string(text.substr(begin))};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& exception) {
    problems.push_back(syntax_error(exception, builder, text));
    return std::nullopt;
  }
  if (!builder.root) return Node{.span = builder.place(begin), .plain = true};
  return std::move(builder.root);
}

}  // namespace lowbit::spec
