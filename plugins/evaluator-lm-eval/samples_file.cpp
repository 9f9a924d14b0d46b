#include "samples_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <lowbit/sdk.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "python_json.h"
#include "results_file.h"

namespace lowbit::lm_eval {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 11> kQuestions{"question", "problem", "query",         "prompt", "goal", "ctx",
                                                      "sentence", "input",   "question_stem", "text",   "page"};

[[noreturn]] void refuse(const std::string& what, const std::string& where, const std::string& why,
                         const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = what, .where = where, .why = why, .fix = fix});
}

const std::string kNoFilter = "none";
const std::string kCopyAgain = "copy the file again from where lm_eval wrote it, or evaluate again";

/// A text, or the messages of a chat as one.
std::string prompt_text(const Json& argument, const std::string& where) {
  if (argument.is_string()) return argument.get<std::string>();
  if (argument.is_array() && argument.size() == 1 && argument[0].is_string()) return argument[0].get<std::string>();
  refuse("a prompt is not a text", where, "it is " + std::string(argument.type_name()),
         "import tasks that are asked in text only");
}

Request request_of(const Json& prompt, const Json& continuation, const std::string& where) {
  return {.prompt = prompt_text(prompt, where),
          .continuation = continuation.is_string() ? continuation.get<std::string>() : std::string()};
}

/// An object of gen_args_0, gen_args_1, …, or before version 0.4.3 a list of lists.
std::vector<Request> requests_of(const Json& arguments, const std::string& where) {
  std::vector<Request> requests;
  if (arguments.is_array()) {
    for (const Json& one : arguments)
      requests.push_back(request_of(one.at(0), one.size() > 1 ? one[1] : Json(), where));
  }
  for (std::size_t i = 0; arguments.is_object() && i < arguments.size(); ++i) {
    const Json& one = arguments.at("gen_args_" + std::to_string(i));
    requests.push_back(request_of(one.at("arg_0"), member(one, "arg_1"), where));
  }
  if (requests.empty()) refuse("a sample has no prompt", where, "`arguments` is empty", kCopyAgain);
  return requests;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

Sample sample_of(const Json& row, const std::string& where) {
  Sample sample{.where = where,
                .doc_id = row.at("doc_id").get<std::int64_t>(),
                .doc_hash = optional_of<std::string>(member(row, "doc_hash")),
                .doc = row.at("doc"),
                .target = text_of(row.at("target")),
                .requests = requests_of(row.at("arguments"), where),
                .responses = row.at("resps"),
                .filtered = row.at("filtered_resps"),
                .metrics = {},
                .row = row};
  if (row.contains("metrics")) {
    sample.metrics = row["metrics"].get<std::vector<std::string>>();
    return sample;
  }
  // Before 0.4.7 they are not listed: what is left is measured.
  const std::set<std::string> others{"doc_id", "doc",      "target",      "arguments",   "resps",
                                     "filter", "doc_hash", "prompt_hash", "target_hash", "filtered_resps"};
  for (const auto& [name, value] : row.items()) {
    if (!others.contains(name)) sample.metrics.push_back(name);
  }
  return sample;
}

[[noreturn]] void refuse_twice(const Json& row, std::int64_t doc_id, const std::string& filter,
                               const std::string& where) {
  const std::string what = "item " + std::to_string(doc_id) + " stands there twice";
  if (row.contains("filter")) {
    refuse(what, where, "an item has one line for each filter, and one of `" + filter + "` came before", kCopyAgain);
  }
  refuse(what, where, "its lines do not say which filter they are of, as lm_eval's did not before 0.4.7",
         "evaluate with a later lm_eval, or import this task's numbers only, with lowbit.lm-eval-results");
}

std::string listed(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

}  // namespace

void refuse_sample(const Sample& sample, const std::string& what, const std::string& why, const std::string& fix) {
  refuse(what, sample.where, why, fix);
}

std::vector<Sample> read_samples(const std::filesystem::path& file, const std::string& filter) {
  std::vector<Sample> samples;
  std::set<std::string> filters;
  std::set<std::pair<std::string, std::int64_t>> seen;
  for_each_python_json_line(file, [&](const Json& row, std::size_t line) {
    const std::string where = file.string() + ":" + std::to_string(line);
    const auto doc_id = row.at("doc_id").get<std::int64_t>();
    const std::string of_row = row.value("filter", kNoFilter);
    filters.insert(of_row);
    if (!seen.emplace(of_row, doc_id).second) refuse_twice(row, doc_id, of_row, where);
    if (filter.empty() || of_row == filter) samples.push_back(sample_of(row, where));
  });
  if (filter.empty() && filters.size() > 1) {
    refuse("the answers were filtered in several ways", file.string(), "the filters are " + listed(filters),
           "set `filter` to one of them");
  }
  if (samples.empty()) {
    refuse("there is no sample" + (filter.empty() ? "" : " of filter `" + filter + "`"), file.string(),
           filters.empty() ? "the file is empty" : "the filters are " + listed(filters),
           filters.empty() ? kCopyAgain : "set `filter` to one of them");
  }
  std::stable_sort(samples.begin(), samples.end(),
                   [](const Sample& a, const Sample& b) { return a.doc_id < b.doc_id; });
  return samples;
}

std::optional<double> log_probability(const Json& response) {
  const Json& value = response.is_array() && !response.empty() ? response[0] : response;
  if (value.is_array()) return log_probability(value);
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::string question_of(const Sample& sample, const std::string& field) {
  if (!field.empty()) {
    const Json& value = member(sample.doc, field);
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) return value.get<std::string>();
  }
  for (const std::string_view name : kQuestions) {
    const Json& value = member(sample.doc, std::string(name));
    if (field.empty() && value.is_string() && !value.get_ref<const std::string&>().empty()) {
      return value.get<std::string>();
    }
  }
  std::set<std::string> fields;
  if (sample.doc.is_object()) {
    for (const auto& [name, value] : sample.doc.items()) fields.insert(name);
  }
  refuse_sample(sample, "the question of an item is not known",
                (field.empty() ? "no field has a name that is known for it" : "`" + field + "` is no text there") +
                    "; the fields of its row are " + listed(fields),
                "set `problem_field` to the one that holds the question, or `whole_prompt` to true");
}

}  // namespace lowbit::lm_eval
