#include "interchange/card_blocks.h"

#include <optional>
#include <utility>
#include <vector>

namespace lowbit::interchange {
namespace {

struct Markers {
  std::string_view begin;
  std::string_view end;
};

constexpr Markers kMetadata{"# lowbit:model-index", "# lowbit:end"};
constexpr Markers kResults{"<!-- lowbit:results -->", "<!-- lowbit:end -->"};

/// A line without its end, and where it stands.
struct Line {
  std::string_view text;
  std::size_t from = 0;
  std::size_t behind = 0;  ///< its end included
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t newline = text.find('\n', from);
    const std::size_t behind = newline == std::string_view::npos ? text.size() : newline + 1;
    std::string_view line = text.substr(from, behind - from);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    lines.push_back({line, from, behind});
    from = behind;
  }
  return lines;
}

/// Where a block is put: what stands between the markers.
struct Place {
  std::size_t from = 0;
  std::size_t to = 0;
  bool carriage_returns = false;
};

Diagnostic no_place(const std::string& name, std::string note) {
  return error("LB7071", name + " has no place for results")
      .note(std::move(note))
      .fix(
          "put `<!-- lowbit:results -->` and `<!-- lowbit:end -->` on lines of their own, or `# lowbit:model-index` "
          "and "
          "`# lowbit:end` into its metadata; docs/interchange.md shows both");
}

Result<std::optional<Place>> place_of(std::string_view card, const Markers& markers, const std::string& name) {
  std::optional<Place> place;
  bool open = false;
  for (const Line& line : lines_of(card)) {
    if (line.text == markers.begin) {
      if (place) return no_place(name, "the line " + std::string(markers.begin) + " is there twice");
      open = true;
      place = Place{.from = line.behind,
                    .to = line.behind,
                    .carriage_returns = card.substr(line.from, line.behind - line.from).ends_with("\r\n")};
    } else if (open && line.text == markers.end) {
      place->to = line.from;
      open = false;
    }
  }
  if (open)
    return no_place(name, "no line " + std::string(markers.end) + " stands behind " + std::string(markers.begin));
  return place;
}

std::string with_line_ends(const std::string& text, bool carriage_returns) {
  if (!carriage_returns) return text;
  std::string out;
  for (const char c : text) out.append(c == '\n' ? "\r\n" : std::string(1, c));
  return out;
}

/// The lines between the first `---`, which is the first line, and the next.
std::string_view metadata_of(std::string_view card) {
  const std::vector<Line> lines = lines_of(card);
  if (lines.empty() || lines.front().text != "---") return {};
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].text == "---") return card.substr(lines.front().behind, lines[i].from - lines.front().behind);
  }
  return {};
}

}  // namespace

std::string whole_card(const CardBlocks& blocks) {
  return "---\n" + std::string(kMetadata.begin) + "\n" + blocks.metadata + std::string(kMetadata.end) + "\n---\n\n" +
         std::string(kResults.begin) + "\n" + blocks.results + std::string(kResults.end) + "\n";
}

Result<std::string> patched_card(std::string_view card, const CardBlocks& blocks, const std::string& name) {
  LB_TRY_ASSIGN(const std::optional<Place> metadata, place_of(card, kMetadata, name));
  LB_TRY_ASSIGN(const std::optional<Place> results, place_of(card, kResults, name));
  if (!metadata && !results) return no_place(name, "no pair of lines marks one");
  const std::string_view header = metadata_of(card);
  const auto header_from = static_cast<std::size_t>(header.empty() ? 0 : header.data() - card.data());
  if (metadata && (metadata->from < header_from || metadata->to > header_from + header.size())) {
    return no_place(name,
                    "# lowbit:model-index does not stand in its metadata, between the lines `---` at its beginning");
  }
  for (const Line& line : lines_of(header)) {
    const std::size_t at = header_from + line.from;
    if (!metadata || !line.text.starts_with("model-index:") || (at >= metadata->from && at < metadata->to)) continue;
    return no_place(name, "its metadata has a `model-index` of its own, and YAML allows one");
  }
  std::string out(card);
  const auto replace = [&](const Place& place, const std::string& block) {
    out.replace(place.from, place.to - place.from, with_line_ends(block, place.carriage_returns));
  };
  // The later one first: what stands before it keeps its place. Metadata come first.
  if (results) replace(*results, blocks.results);
  if (metadata) replace(*metadata, blocks.metadata);
  return out;
}

}  // namespace lowbit::interchange
