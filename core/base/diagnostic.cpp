#include "base/diagnostic.h"

#include <algorithm>
#include <tuple>

#include "base/utf8.h"

namespace lowbit {
namespace {

// More are not read; those that were left out are seen once these are mended.
constexpr std::size_t kMostShown = 50;

/// Notes may have several lines.
std::string lines(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t end = text.find('\n');
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += "\n";
    text.remove_prefix(end + 1);
  }
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\t', ' ');
  return printable(text);
}

std::string_view line_of(const SourceText& source, std::size_t line) {
  std::string_view rest = source.text;
  for (std::size_t i = 1; i < line; ++i) {
    const auto newline = rest.find('\n');
    if (newline == std::string_view::npos) return {};
    rest.remove_prefix(newline + 1);
  }
  std::string_view text = rest.substr(0, rest.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// The part of a long line around what is marked, `…` where something was left out.
struct Excerpt {
  std::string before, marked, after;
};

Excerpt excerpt_of(std::string_view line, std::size_t begin, std::size_t length) {
  constexpr std::size_t kMost = 160;  // bytes
  constexpr std::size_t kBefore = 60;
  std::size_t from = 0;
  std::size_t to = line.size();
  if (line.size() > kMost) {
    from = std::min(begin > kBefore ? begin - kBefore : 0, line.size() - kMost);
    while (from < begin && continues_character(line[from])) ++from;
    to = std::min(line.size(), from + kMost);
    while (to < line.size() && continues_character(line[to])) ++to;
  }
  const std::size_t end = std::min(begin + length, to);
  return {.before = (from > 0 ? "…" : "") + std::string(line.substr(from, begin - from)),
          .marked = std::string(line.substr(begin, end - begin)),
          .after = std::string(line.substr(end, to - end)) + (to < line.size() ? "…" : "")};
}

void append_excerpt(std::string& out, const Diagnostic& d) {
  const std::string number = std::to_string(d.span.line);
  const std::string margin(number.size(), ' ');
  const std::string_view line = line_of(*d.span.source, d.span.line);
  const std::size_t begin = std::min(d.span.column - 1, line.size());
  const std::size_t length = std::min(std::max<std::size_t>(d.span.length, 1), line.size() - begin);
  const Excerpt shown = excerpt_of(line, begin, length);

  out += margin + "--> " + printable(d.span.source->name) + ":" + number + ":" + std::to_string(d.span.column) + "\n";
  out += margin + " |\n" + number + " | " + one_line(shown.before + shown.marked + shown.after) + "\n";
  // Characters, not bytes, so that the caret stands under the right one.
  out += margin + " | " + std::string(width_of(one_line(shown.before)), ' ');
  out += std::string(std::max<std::size_t>(width_of(one_line(shown.marked)), 1), '^');
  if (!d.label.empty()) out += " " + printable(d.label);
  out += "\n";
}

// Optimal string alignment distance: insertions, deletions, substitutions, adjacent transpositions.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

int exit_code(const Diagnostics& diagnostics) {
  bool user = false;
  bool machine = false;
  bool stage = false;
  for (const Diagnostic& d : diagnostics) {
    if (d.severity != Severity::error) continue;
    switch (d.code.size() > 2 ? d.code[2] : '4') {
      case '4':
      case '6': machine = true; break;
      case '5': stage = true; break;
      default: user = true; break;
    }
  }
  if (user) return 2;
  if (machine) return 3;
  return stage ? 1 : 0;
}

std::string render(const Diagnostic& d) {
  std::string out = d.severity == Severity::error ? "error[" : "warning[";
  out += d.code + "]: " + lines(d.what) + "\n";
  std::string margin = " ";
  if (d.span) {
    margin = std::string(std::to_string(d.span.line).size() + 1, ' ');
    append_excerpt(out, d);
  }
  for (const std::string& note : d.notes) out += margin + "= note: " + lines(note) + "\n";
  if (!d.help.empty()) out += margin + "= help: " + lines(d.help) + "\n";
  return out;
}

std::string render(Diagnostics diagnostics) {
  const auto place = [](const Diagnostic& d) {
    return std::tuple(d.severity != Severity::error,
                      d.span ? std::string_view(d.span.source->name) : std::string_view(), d.span.line, d.span.column);
  };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  std::string out;
  const std::size_t n = std::min(kMostShown, diagnostics.size());
  for (std::size_t i = 0; i < n; ++i) out += render(diagnostics[i]);
  if (n < diagnostics.size()) out += "… and " + std::to_string(diagnostics.size() - n) + " more problems\n";
  return out;
}

Json to_json(const Diagnostic& d) {
  Json json{{"code", d.code},
            {"severity", d.severity == Severity::error ? "error" : "warning"},
            {"what", d.what},
            {"notes", d.notes},
            {"help", d.help}};
  if (d.span) {
    json["place"] = {{"file", d.span.source->name},
                     {"line", d.span.line},
                     {"column", d.span.column},
                     {"length", d.span.length},
                     {"label", d.label}};
  }
  return json;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = 3;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && 2 * distance < std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace lowbit
