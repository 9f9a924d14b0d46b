#include "report/study_report.h"

#include <catch2/catch.hpp>

#include "report/report_parts.h"
#include "support/written_study.h"

using namespace lowbit;
using namespace lowbit::report;
using Catch::Contains;

namespace {

/// The bytes that a data: URI stands for (RFC 3986, 2.1).
std::string percent_decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return out;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin) + begin.size();
  return text.substr(from, text.find(end, from) - from);
}

test::WrittenStudy two_widths() {
  test::WrittenStudy written;
  for (const int bits : {4, 3}) {
    const std::size_t made = written.add("quantize", {{"bits", bits}}, {}, {{"num_bits", bits}, {"symmetric", false}},
                                         "quantizer", "lowbit.rtn", "2");
    written.recipes[made].inputs.push_back(
        {.port = "model", .type = "model/1", .digest = "e27b2671aa", .maker_port = {}});
    for (const int seed : {0, 1}) {
      const std::size_t scored = written.add("solve", {{"bits", bits}}, seed, {{"seed", seed}, {"stop", ""}},
                                             "evaluator", "lowbit.generate", "5");
      written.recipes[scored].inputs.push_back(
          {.port = "model", .type = "quantized-model/1", .digest = "11", .maker_port = "quantized", .maker = made});
    }
  }
  return written;
}

struct Reported {
  explicit Reported(std::string comparison = "nothing to compare\n") : written(two_widths()) {
    report.study = &written.study;
    for (std::size_t i = 0; i < written.recipes.size(); ++i) {
      report.plugins.push_back(plugin_text(written.recipes[i].record));
      if (!written.study.variants[i].result_id) continue;
      ExecutionFacts made;
      made.content_key = "c0ffee0000000000";
      made.ended_at = "2026-01-02T03:04:0" + std::to_string(i) + "Z";
      made.seconds = 60;
      made.versions = {{"lowbit", "1.1"}};
      made.build = "g++ 12.2.0";
      made.host = i == 0 ? "node1" : "node2";
      report.executions.push_back(made);
    }
    report.comparison = std::move(comparison);
    report.graph = "<svg xmlns=\"http://www.w3.org/2000/svg\"><text>a & \"ü\" #1 50%</text></svg>";
    report.graph_summary = "two stages";
    report.methods = methods_of(written.study, written.recipes, {});
    report.rerun = "lowbit run study.yaml";
    report.version = "1.2";
  }

  test::WrittenStudy written;
  StudyReport report;
};

}  // namespace

TEST_CASE("methods say what varied, what did not, and what was read", "[report]") {
  const test::WrittenStudy written = two_widths();
  const MethodFacts facts{.summaries = {{"lowbit.rtn", "Rounds to nearest."}},
                          .paths = {{"e27b2671aa", "models/base"}}};
  const std::vector<StageMethod> methods = methods_of(written.study, written.recipes, facts);
  REQUIRE(methods.size() == 2);
  CHECK(methods[0].stage == "quantize");
  CHECK(methods[0].plugin == "lowbit.rtn 2");
  CHECK(methods[0].summary == "Rounds to nearest.");
  CHECK(method_text(methods[0]) ==
        "2 variants over num_bits 4, 3. All with symmetric = false. Reads model from models/base (e27b2671).");
  CHECK(method_text(methods[1]) ==
        R"(4 variants over seed 0, 1. All with stop = "". Reads model from quantize.quantized.)");
  CHECK(methods[1].summary.empty());
}

TEST_CASE("an embedded picture is the picture, and its text is escaped", "[report]") {
  const std::string svg = "<svg><text>\"quoted\" & 'ü' #1 50 % \n</text></svg>";
  const std::string html = embedded_svg(svg, "what \"it\" <shows>");
  CHECK(percent_decoded(between(html, "src=\"data:image/svg+xml,", "\"")) == svg);
  CHECK_THAT(html, Contains("alt=\"what &quot;it&quot; &lt;shows&gt;\""));
}

TEST_CASE("what does not fit is left out, the least needed first", "[report]") {
  const auto part = [](std::size_t size, int rank, const char* what) {
    return PagePart{.html = std::string(size, 'x'), .rank = rank, .what = what, .instead_of_it = "-"};
  };
  std::vector<PagePart> parts{part(100, 0, "tables"), part(50, 1, "picture"), part(30, 2, "small data"),
                              part(40, 2, "large data")};
  SECTION("everything fits") {
    CHECK(shrink(parts, 220).empty());
    CHECK(parts[3].html.size() == 40);
  }
  SECTION("no limit") { CHECK(shrink(parts, 0).empty()); }
  SECTION("one byte too many: the largest of the highest rank") {
    CHECK(shrink(parts, 219) == std::vector<std::string>{"large data"});
    CHECK(parts[3].html == "-");
    CHECK(parts[2].html.size() == 30);
  }
  SECTION("nothing of rank 0 ever goes") {
    CHECK(shrink(parts, 1) == std::vector<std::string>{"large data", "small data", "picture"});
    CHECK(parts[0].html.size() == 100);
  }
}

TEST_CASE("a report needs no script and no network, and says what it stands on", "[report]") {
  const Reported reported;
  const std::string html = study_report(reported.report, 0).html;
  CHECK_THAT(html, !Contains("<script"));
  CHECK_THAT(html, !Contains("url("));
  CHECK_THAT(html, !Contains("@import"));
  for (const char* attribute : {" src=\"", " href=\""}) {
    for (std::size_t at = html.find(attribute); at != std::string::npos; at = html.find(attribute, at + 1)) {
      const std::string value = html.substr(html.find('"', at) + 1, 5);
      CHECK((value == "data:" || value[0] == '#'));
    }
  }
  CHECK_THAT(html, Contains("default-src 'none'"));
  CHECK_THAT(html, Contains("6 of 6 results of <code>study.yaml</code>, seeds 0, 1, made from 2026-01-02T03:04:00Z to "
                            "2026-01-02T03:04:05Z."));
  CHECK_THAT(html, Contains("<tr><td class=\"text\">solve</td><td>4</td><td class=\"text\">4 min</td></tr>"));
  CHECK_THAT(html, Contains("All numbers were computed with lowbit 1.1 (experiment study, results "));
  CHECK_THAT(html, Contains("<td class=\"text\">lowbit 1.1, g++ 12.2.0</td><td class=\"text\">node2</td>"));
  CHECK(percent_decoded(between(html, "src=\"data:image/svg+xml,", "\"")) == reported.report.graph);
  CHECK(study_report(reported.report, 0).html == html);
}

TEST_CASE("a report says what is missing", "[report]") {
  Reported reported;
  StudyVariant& lost = reported.written.study.variants[5];
  lost.result_id.reset();
  lost.state = "failed";
  reported.report.executions.pop_back();
  const std::string html = study_report(reported.report, 0).html;
  CHECK_THAT(html, Contains("5 of 6 results"));
  CHECK_THAT(html, Contains("Not there yet: solve[bits=3,seed=1] (failed). <code>lowbit run study.yaml</code>"));
  CHECK_THAT(html, Contains("1 more were planned and are missing"));
}

TEST_CASE("texts of a study stand in a report as texts", "[report]") {
  Reported reported("a <b> & \"c\"\nsecond line\n");
  reported.written.study.experiment = "<script>alert(1)</script>";
  reported.written.study.text = "experiment: <img src=x onerror=alert(1)>\x1b[31m\n";
  const std::string html = study_report(reported.report, 0).html;
  CHECK_THAT(html, !Contains("<script"));
  CHECK_THAT(html, !Contains("<img src=x"));
  CHECK_THAT(html, !Contains("\x1b"));
  CHECK_THAT(html, Contains("a &lt;b&gt; &amp; &quot;c&quot;\nsecond line\n"));
}

TEST_CASE("a report that is too large names what it left out", "[report]") {
  Reported reported;
  ReportedFigure figure{
      .title = "loss", .pictures = {"<svg/>"}, .summary = "falls", .data = {}, .command = "lowbit figure"};
  figure.data.columns = {"step"};
  for (int i = 0; i < 1000; ++i) figure.data.rows.push_back({Json(i)});
  reported.report.figures.push_back(std::move(figure));
  const std::size_t whole = study_report(reported.report, 0).html.size();
  const WrittenReport smaller = study_report(reported.report, whole - 1);
  CHECK(smaller.left_out == std::vector<std::string>{"data of figure loss"});
  CHECK(smaller.html.size() < whole);
  CHECK_THAT(smaller.html,
             Contains("Left out to keep this file small: data of figure loss; <code>lowbit figure</code>"));
}
