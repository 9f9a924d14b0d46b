#include "report/samples_page.h"

#include <algorithm>
#include <unordered_map>

#include "domain/quantity_text.h"
#include "report/answers.h"
#include "report/number_text.h"
#include "report/shown_text.h"
#include "report/text_table.h"

namespace lowbit::report {
namespace {

constexpr std::size_t kSampleName = 10;

std::optional<Json> text_cell(const std::optional<std::string>& text) {
  return text ? std::optional<Json>(*text) : std::nullopt;
}

template <class T>
Json json_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

std::string sample_line(const std::string& name, const std::string& text) {
  return "  " + padded(name, kSampleName, false) + text + "\n";
}

const char* grade_of(const std::optional<bool>& correct) {
  if (!correct) return "not graded";
  return *correct ? "right" : "wrong";
}

std::string words_of_mark(const Mark& mark) {
  // The page has the label of what is judged already: of the judging variant its stage is enough.
  std::string text = "by " + mark.label.substr(0, mark.label.find('[')) + " (" + mark.source + "): ";
  text += mark.status.empty() ? grade_of(mark.correct) : mark.status;
  if (mark.category) text += ", " + *mark.category;
  if (mark.type) text += ", " + *mark.type;
  if (mark.first_error_step) text += ", first in step " + std::to_string(*mark.first_error_step);
  return text;
}

std::string answer_lines(const Sample& sample, const std::string& side, std::size_t limit) {
  const auto shown = [&](const std::string& text) { return shown_text(text, limit); };
  std::string facts = grade_of(sample.correct);
  facts += sample.extracted ? ": " + shown(*sample.extracted) : ": no answer found";
  if (sample.n_tokens) facts += "; " + count_text(static_cast<std::uint64_t>(*sample.n_tokens), "token");
  if (sample.truncated) facts += ", cut at the limit";
  std::string out = sample_line(side.empty() ? "answer" : side, facts);
  out += sample_line("", shown(sample.text));
  for (const Mark& mark : sample.marks) out += sample_line("  judged", shown_text(words_of_mark(mark), 0));
  return out;
}

std::string predictions_line(const char* name, const PredictionsPlace& place) {
  return (*name == '\0' ? std::string() : padded(name, 3, false)) + shown_text(place.label, 0) + "  " +
         std::to_string(place.n_right) + " of " + count_text(place.n, "item") + " right" +
         (place.n_ungraded > 0 ? ", " + std::to_string(place.n_ungraded) + " not graded" : "") + "\n";
}

std::string flips_lines(const Flips& flips) {
  const auto n = [](std::size_t count) { return Json(count); };
  std::string out = "\n" + render({.columns = {"", "B right", "B not right"},
                                   .rows = {{Json("A right"), n(flips.both), n(flips.only_a.size())},
                                            {Json("A not right"), n(flips.only_b.size()), n(flips.neither)}}},
                                  TableFormat::columns);
  out += "McNemar, exact, two-sided: p " + p_value_text(flips.p) + "\n";
  out += "B − A: " + fixed_signed(100 * flips.difference.mean, 1) + " points [" +
         fixed_signed(100 * flips.interval.low, 1) + ", " + fixed_signed(100 * flips.interval.high, 1) +
         "] (95 %, paired, over items)\n";
  return out;
}

Json predictions_document(const PredictionsPlace& place) {
  return {{"label", place.label},   {"port", place.port},       {"digest", place.digest},      {"items", place.n},
          {"right", place.n_right}, {"wrong", place.n_wrong()}, {"ungraded", place.n_ungraded}};
}

Json answer_document(const Sample& sample) {
  Json marks = Json::array();
  for (const Mark& mark : sample.marks) {
    marks.push_back({{"from", mark.label},
                     {"source", mark.source},
                     {"status", mark.status.empty() ? Json() : Json(mark.status)},
                     {"correct", json_or_null(mark.correct)},
                     {"category", json_or_null(mark.category)},
                     {"type", json_or_null(mark.type)},
                     {"first_error_step", json_or_null(mark.first_error_step)}});
  }
  return {{"correct", json_or_null(sample.correct)},
          {"text", sample.text},
          {"extracted", json_or_null(sample.extracted)},
          {"n_tokens", json_or_null(sample.n_tokens)},
          {"truncated", sample.truncated},
          {"marks", std::move(marks)}};
}

void append_answer(std::vector<std::optional<Json>>& row, const Sample* sample) {
  if (sample == nullptr) {
    row.resize(row.size() + 5);
    return;
  }
  const auto names_one = [](const Mark& mark) { return mark.category || mark.type; };
  const auto named = std::find_if(sample->marks.begin(), sample->marks.end(), names_one);
  const bool found = named != sample->marks.end();
  row.push_back(sample->correct ? std::optional<Json>(*sample->correct) : std::nullopt);
  row.push_back(text_cell(sample->extracted));
  row.emplace_back(sample->text);
  row.push_back(found ? text_cell(named->category) : std::nullopt);
  row.push_back(found ? text_cell(named->type) : std::nullopt);
}

}  // namespace

Result<Flips> flips_of(const PredictionsPlace& a, const std::vector<ItemAnswer>& answers_a, const PredictionsPlace& b,
                       const std::vector<ItemAnswer>& answers_b) {
  LB_TRY_ASSIGN(const Difference difference,
                paired_difference({{b.label, std::nullopt, &answers_b}}, {{a.label, std::nullopt, &answers_a}}));
  std::unordered_map<std::string_view, bool> right_in_b;
  for (const ItemAnswer& answer : answers_b) right_in_b[answer.item_id] = answer.correct == true;
  Flips flips{.only_a = {}, .only_b = {}, .difference = difference.mean, .interval = difference.interval};
  for (const ItemAnswer& answer : answers_a) {
    const bool in_a = answer.correct == true;
    const bool in_b = right_in_b.at(answer.item_id);
    if (in_a && in_b) ++flips.both;
    if (!in_a && !in_b) ++flips.neither;
    if (in_a && !in_b) flips.only_a.push_back(answer.item_id);
    if (!in_a && in_b) flips.only_b.push_back(answer.item_id);
  }
  std::sort(flips.only_a.begin(), flips.only_a.end());
  std::sort(flips.only_b.begin(), flips.only_b.end());
  flips.p = mcnemar_exact(flips.only_a.size(), flips.only_b.size());
  return flips;
}

std::vector<MarksPlace> deciding_marks(const std::vector<MarksPlace>& marks) {
  const auto those = [&](const auto& wanted) {
    std::vector<MarksPlace> found;
    std::copy_if(marks.begin(), marks.end(), std::back_inserter(found), wanted);
    return found;
  };
  const auto said_by = [](const char* source) {
    return [source](const MarksPlace& place) {
      return std::find(place.sources.begin(), place.sources.end(), source) != place.sources.end();
    };
  };
  std::vector<MarksPlace> found = those([](const MarksPlace& place) { return place.type == "grades/1"; });
  if (found.empty()) found = those(said_by("human"));
  if (found.empty()) found = those(said_by("vote"));
  return found.empty() ? marks : found;
}

std::string samples_page(const SampleList& list, std::size_t limit) {
  std::string out = predictions_line(list.b ? "A" : "", list.a);
  if (list.b) out += predictions_line("B", *list.b);
  if (list.flips) out += flips_lines(*list.flips);
  out += "\nshowing " + std::to_string(list.samples.size()) + " of " + std::to_string(list.n_found) + " " + list.what;
  if (list.samples.size() < list.n_found) out += " (--limit N shows more)";
  out += "\n";
  for (const auto& [a, b] : list.samples) {
    out += "\n" + shown_text(a.item_id, 0);
    if (a.problem_id != a.item_id) out += "  (problem " + shown_text(a.problem_id, 0) + ")";
    out += "\n";
    if (a.question) {
      out += sample_line("problem", shown_text(a.question->problem, limit));
      if (a.question->reference) out += sample_line("reference", shown_text(*a.question->reference, limit));
    }
    out += answer_lines(a, b ? "A" : "", limit);
    if (b) out += answer_lines(*b, "B", limit);
  }
  return out;
}

Json samples_document(const SampleList& list) {
  Json document{{"a", predictions_document(list.a)},
                {"b", list.b ? predictions_document(*list.b) : Json()},
                {"flips", nullptr},
                {"found", list.n_found},
                {"samples", Json::array()}};
  if (list.flips) {
    document["flips"] = {{"both_right", list.flips->both},      {"only_a", list.flips->only_a.size()},
                         {"only_b", list.flips->only_b.size()}, {"neither", list.flips->neither},
                         {"mcnemar_p", list.flips->p},          {"difference", list.flips->difference.mean},
                         {"low", list.flips->interval.low},     {"high", list.flips->interval.high}};
  }
  for (const auto& [a, b] : list.samples) {
    document["samples"].push_back({{"item_id", a.item_id},
                                   {"problem_id", a.problem_id},
                                   {"problem", a.question ? Json(a.question->problem) : Json()},
                                   {"reference", a.question ? json_or_null(a.question->reference) : Json()},
                                   {"a", answer_document(a)},
                                   {"b", b ? answer_document(*b) : Json()}});
  }
  return document;
}

QueryResult samples_rows(const SampleList& list) {
  QueryResult rows{.columns = {"item_id", "problem_id", "problem", "reference"}, .rows = {}};
  for (const char* side : {"a", "b"}) {
    if (*side == 'b' && !list.b) continue;
    for (const char* name : {"correct", "extracted", "text", "category", "type"}) {
      rows.columns.push_back(list.b ? std::string(name) + "_" + side : name);
    }
  }
  for (const auto& [a, b] : list.samples) {
    auto& row = rows.rows.emplace_back();
    row.emplace_back(a.item_id);
    row.emplace_back(a.problem_id);
    row.push_back(a.question ? std::optional<Json>(a.question->problem) : std::nullopt);
    row.push_back(a.question ? text_cell(a.question->reference) : std::nullopt);
    append_answer(row, &a);
    if (list.b) append_answer(row, b ? &*b : nullptr);
  }
  return rows;
}

}  // namespace lowbit::report
