#include "report/study_report.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/json.h"
#include "base/words.h"
#include "domain/coordinates.h"
#include "domain/quantity_text.h"
#include "report/page_style.h"
#include "report/report_parts.h"
#include "report/table_page.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kKeyShown = 12;
constexpr std::size_t kMissingShown = 20;

/// What is left out first.
enum Rank { always = 0, picture = 1, experiment_file = 2, stage_list = 3, figure_data = 4 };

std::string code(const std::string& text) { return "<code>" + html_text(text) + "</code>"; }
std::string paragraph(const std::string& html) { return "<p>" + html + "</p>\n"; }

std::string html_cell(const std::optional<Json>& cell) {
  if (!cell) return "<td></td>";
  const bool number = cell->is_number();
  return (number ? "<td>" : "<td class=\"text\">") + html_text(scalar_text(*cell)) + "</td>";
}

std::string html_rows(const QueryResult& data) {
  std::string out = "<div class=\"wide\"><table>\n<thead><tr>";
  for (const std::string& column : data.columns)
    out += "<th scope=\"col\" class=\"text\">" + html_text(column) + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : data.rows) {
    out += "<tr>";
    for (const auto& cell : row) out += html_cell(cell);
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table></div>\n";
}

std::string folded(const std::string& title, const std::string& html) {
  return "<details><summary>" + html_text(title) + "</summary>\n" + html + "</details>\n";
}

std::string pasted(const std::string& text) { return "<blockquote>" + html_text(text) + "</blockquote>\n"; }

class Report {
 public:
  explicit Report(const StudyReport& report) : report_(report), study_(*report.study) {}

  WrittenReport write(std::size_t limit) {
    head();
    tables();
    figures();
    graph();
    methods();
    provenance();
    citation();
    add("</main>\n</body>\n</html>\n");
    WrittenReport written;
    written.left_out = shrink(parts_, limit);
    for (const PagePart& part : parts_) written.html += part.html;
    return written;
  }

 private:
  void add(std::string html) {
    parts_.push_back({.html = std::move(html), .rank = always, .what = {}, .instead_of_it = {}});
  }

  void add(Rank rank, const std::string& what, std::string html, const std::string& command) {
    parts_.push_back(
        {.html = std::move(html),
         .rank = rank,
         .what = what,
         .instead_of_it = paragraph("Left out to keep this file small: " + html_text(what) + "; " + code(command) +
                                    " has it, as has " + code("lowbit report --full") + ".")});
  }

  [[nodiscard]] std::string digest_of_results() const {
    std::vector<std::string> keys;
    keys.reserve(study_.variants.size());
    for (const StudyVariant& variant : study_.variants) keys.push_back(variant.content_key);
    std::sort(keys.begin(), keys.end());
    return sha256(joined(keys, "\n")).hex().substr(0, kKeyShown);
  }

  [[nodiscard]] std::size_t n_done() const {
    return static_cast<std::size_t>(std::count_if(study_.variants.begin(), study_.variants.end(),
                                                  [](const StudyVariant& v) { return v.result_id.has_value(); }));
  }

  /// "seeds 0, 1, 2"; empty without.
  [[nodiscard]] std::string seeds_text() const {
    std::set<std::int64_t> seeds;
    for (const StudyVariant& variant : study_.variants) {
      if (variant.seed) seeds.insert(*variant.seed);
    }
    std::vector<std::string> texts;
    texts.reserve(seeds.size());
    for (const std::int64_t seed : seeds) texts.push_back(std::to_string(seed));
    return texts.empty() ? "" : (texts.size() == 1 ? "seed " : "seeds ") + joined(texts);
  }

  /// Of lowbit, as the runs recorded them.
  [[nodiscard]] std::string versions_text() const {
    std::set<std::string> versions;
    for (const ExecutionFacts& made : report_.executions) {
      if (!made.lowbit_version().empty()) versions.insert(made.lowbit_version());
    }
    return versions.empty() ? "of a version that was not recorded"
                            : joined(std::vector<std::string>(versions.begin(), versions.end()));
  }

  void head() {
    add("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
        "data:\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" "
        "content=\"lowbit " +
        html_text(report_.version) + "\">\n<title>" + html_text(study_.experiment) + "</title>\n<style>" + kPageStyle +
        "</style>\n</head>\n<body>\n<main>\n<h1>" + html_text(study_.experiment) + "</h1>\n");
    std::string when;
    if (!report_.executions.empty()) {
      const auto [first, last] =
          std::minmax_element(report_.executions.begin(), report_.executions.end(),
                              [](const auto& a, const auto& b) { return a.ended_at < b.ended_at; });
      when = ", made from " + html_text(first->ended_at) + " to " + html_text(last->ended_at);
    }
    const std::string seeds = seeds_text();
    add(paragraph(std::to_string(n_done()) + " of " + count_text(study_.variants.size(), "result") + " of " +
                  code(study_.file) + (seeds.empty() ? "" : ", " + seeds) + when + ". Results " +
                  code(digest_of_results()) + "."));
    std::vector<std::string> missing;
    for (const StudyVariant& variant : study_.variants) {
      if (!variant.result_id) missing.push_back(variant.label + " (" + variant.state + ")");
    }
    if (!missing.empty()) {
      add("<p class=\"warning\">Not there yet: " + html_text(listed(missing, kMissingShown)) + ". " +
          code(report_.rerun) + " makes what is missing.</p>\n");
    }
    std::string links;
    const auto link = [&](const char* id, const char* title) {
      links += (links.empty() ? "" : " · ") + std::string("<a href=\"#") + id + "\">" + title + "</a>";
    };
    link("tables", report_.tables.empty() ? "Comparison" : "Tables");
    if (!report_.figures.empty()) link("figures", "Figures");
    link("graph", "Graph");
    link("methods", "Methods");
    link("provenance", "Provenance");
    link("cite", "To cite");
    add("<nav>" + links + "</nav>\n");
  }

  void section(const char* id, const char* title) { add(std::string("<h2 id=\"") + id + "\">" + title + "</h2>\n"); }

  void tables() {
    section("tables", report_.tables.empty() ? "Comparison" : "Tables");
    if (report_.tables.empty()) {
      add("<pre class=\"wide\">" + html_lines(report_.comparison) + "</pre>\n");
      return;
    }
    for (const ReportedTable& table : report_.tables) {
      add("<section id=\"table-" + html_text(table.name) + "\">\n" + render(table.table, PageFormat::html) +
          "<p class=\"command\">" + code(table.command) + "</p>\n</section>\n");
    }
  }

  void figures() {
    if (report_.figures.empty()) return;
    section("figures", "Figures");
    for (const ReportedFigure& figure : report_.figures) {
      add("<figure>\n");
      for (const std::string& svg : figure.pictures) {
        add(picture, "figure " + figure.title, embedded_svg(svg, figure.summary), figure.command);
      }
      add("<figcaption class=\"command\">" + code(figure.command) + "</figcaption>\n");
      add(figure_data, "data of figure " + figure.title,
          folded("Data: " + count_text(figure.data.rows.size(), "row"), html_rows(figure.data)), figure.command);
      add("</figure>\n");
    }
  }

  void graph() {
    section("graph", "Graph");
    add(picture, "the graph", "<figure>\n" + embedded_svg(report_.graph, report_.graph_summary) + "</figure>\n",
        "lowbit graph " + study_.file + " --format svg");
  }

  void methods() {
    section("methods", "Methods");
    std::string out = "<dl>\n";
    for (const StageMethod& method : report_.methods) {
      out += "<dt>" + html_text(method.stage) + " " + code(method.plugin) + "</dt>\n<dd>" +
             (method.summary.empty() ? "" : html_text(method.summary) + " ") + html_text(method_text(method)) +
             "</dd>\n";
    }
    add(out + "</dl>\n");
  }

  void provenance() {
    section("provenance", "Provenance");
    outside();
    environments();
    costs();
    stages();
    runs();
    if (report_.file_changed) {
      add("<p class=\"warning\">" + code(study_.file) +
          " was changed since: the results are those of the text that stands here.</p>\n");
    }
    if (study_.text.empty()) return;
    add(experiment_file, "the text of the experiment",
        folded(study_.file + " as it was run, SHA-256 " + sha256(study_.text).hex(),
               "<pre class=\"wide\">" + html_lines(study_.text) + "</pre>\n"),
        "cat " + study_.file);
  }

  void outside() {
    if (report_.outside.empty()) return;
    QueryResult rows{.columns = {"from outside", "type", "SHA-256"}, .rows = {}};
    for (const OutsideSource& source : report_.outside) {
      rows.rows.push_back(
          {Json(source.path.empty() ? "(path not known)" : source.path), Json(source.type), Json(source.digest)});
    }
    add(html_rows(rows));
  }

  void environments() {
    std::map<std::array<std::string, 3>, std::size_t> known;
    for (const ExecutionFacts& e : report_.executions) {
      Json environment = e.environment;
      if (environment.is_object()) environment.erase("lease");
      const std::string version = e.lowbit_version();
      ++known[{version.empty() ? "not recorded" : "lowbit " + version + (e.build.empty() ? "" : ", " + e.build),
               e.host.empty() ? "not recorded" : e.host,
               environment.is_object() ? canonical(environment) : "not recorded"}];
    }
    QueryResult rows{.columns = {"computed by", "on", "numeric environment", "results"}, .rows = {}};
    for (const auto& [where, n] : known) {
      const auto& [program, host, text] = where;
      rows.rows.push_back({Json(program), Json(host), Json(text), Json(n)});
    }
    if (!known.empty()) add(html_rows(rows));
  }

  /// Time by stage, of the results that are shown.
  void costs() {
    struct Cost {
      std::size_t n = 0;
      double seconds = 0;
    };
    std::vector<std::pair<std::string, Cost>> costs;
    double total = 0;
    std::size_t at = 0;
    for (const StudyVariant& variant : study_.variants) {
      if (!variant.result_id) continue;
      const double seconds = report_.executions[at++].seconds;
      auto cost = std::find_if(costs.begin(), costs.end(), [&](const auto& one) { return one.first == variant.stage; });
      if (cost == costs.end()) cost = costs.insert(costs.end(), {variant.stage, {}});
      ++cost->second.n;
      cost->second.seconds += seconds;
      total += seconds;
    }
    QueryResult rows{.columns = {"stage", "results", "time"}, .rows = {}};
    for (const auto& [stage, cost] : costs)
      rows.rows.push_back({Json(stage), Json(cost.n), Json(duration_text(cost.seconds))});
    rows.rows.push_back({Json("all"), Json(n_done()), Json(duration_text(total))});
    add(html_rows(rows));
  }

  void stages() {
    QueryResult rows{.columns = {"result", "plugin", "state", "key", "ended", "took", "run"}, .rows = {}};
    std::size_t at = 0;
    for (std::size_t i = 0; i < study_.variants.size(); ++i) {
      const StudyVariant& variant = study_.variants[i];
      auto& row = rows.rows.emplace_back();
      row = {Json(variant.label), Json(report_.plugins[i]), Json(variant.state), {}, {}, {}, {}};
      if (!variant.result_id) continue;
      const ExecutionFacts& made = report_.executions[at++];
      row[3] = made.content_key.substr(0, kKeyShown);
      row[4] = made.ended_at;
      row[5] = duration_text(made.seconds);
      if (made.run > 0) row[6] = "run:" + std::to_string(made.run);
    }
    add(stage_list, "the list of results", folded("Every result: " + std::to_string(rows.rows.size()), html_rows(rows)),
        "lowbit status");
  }

  void runs() {
    QueryResult rows{.columns = {"run", "started", "outcome", "made", "failed", "command"}, .rows = {}};
    for (const RunLine& run : report_.runs) {
      rows.rows.push_back({Json("run:" + std::to_string(run.run)), Json(run.started_at), Json(run.outcome),
                           Json(run.done), Json(run.failed), Json(run.command)});
    }
    if (!rows.rows.empty()) add(folded("Runs: " + std::to_string(rows.rows.size()), html_rows(rows)));
  }

  void citation() {
    section("cite", "To cite");
    const std::string seeds = seeds_text();
    std::set<std::string> plugins(report_.plugins.begin(), report_.plugins.end());
    add(pasted("All numbers were computed with lowbit " + versions_text() + " (experiment " + study_.experiment +
               ", results " + digest_of_results() + "): " + count_text(n_done(), "result") + " of " +
               count_text(plugins.size(), "plugin") + (seeds.empty() ? "" : ", " + seeds) + ". " +
               (n_done() < study_.variants.size()
                    ? std::to_string(study_.variants.size() - n_done()) + " more were planned and are missing. "
                    : "") +
               "`" + report_.rerun + "` computes them again."));
  }

  /// Text that keeps its lines.
  static std::string html_lines(const std::string& text) {
    std::string out;
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      out += html_text(text.substr(begin, end - begin)) + "\n";
      begin = end + 1;
    }
    return out + html_text(text.substr(begin));
  }

  const StudyReport& report_;
  const StudyResults& study_;
  std::vector<PagePart> parts_;
};

}  // namespace

WrittenReport study_report(const StudyReport& report, std::size_t limit) { return Report(report).write(limit); }

}  // namespace lowbit::report
