#include "rubric.h"

#include <fstream>
#include <lowbit/errors.hpp>
#include <sstream>

#include "llm_judge_texts.h"
#include "lm/json_file.h"
#include "tasks/places.h"

namespace lowbit::judge_llm {
namespace {

using Json = nlohmann::json;

[[noreturn]] void bad_rubric(const std::string& where, const std::string& why, const std::string& fix) {
  throw StageError(LB_BAD_INPUT, {.what = "the rubric cannot be used", .where = where, .why = why, .fix = fix});
}

Rubric rubric_from(const std::string& text, const std::string& where) {
  Rubric rubric;
  try {
    const Json json = lm::parse_json(text);
    rubric.name = json.at("name").get<std::string>();
    rubric.taxonomy = json.at("taxonomy").get<std::string>();
    if (!json.at("system").is_null()) rubric.system = json.at("system").get<std::string>();
    rubric.prompt = json.at("template").get<std::string>();
    rubric.answer_schema = json.at("answer_schema");
    rubric.written_schema = nlohmann::ordered_json::parse(text).at("answer_schema");
  } catch (const std::exception& e) {
    bad_rubric(where, e.what(), "write the file as docs/artifacts.md describes rubric/1");
  }
  if (rubric.taxonomy != "v1" && rubric.taxonomy != "v2") {
    bad_rubric(where, "its taxonomy is " + rubric.taxonomy, "set `taxonomy` to v1 or v2");
  }
  const Json members = rubric.answer_schema.value("properties", Json::object());
  if (!members.contains("status") || !(members.contains("type") || members.contains("category"))) {
    bad_rubric(where, "`answer_schema` has no property `status`, or neither `type` nor `category`",
               "let the judge answer with the members that docs/llm-judge.md lists");
  }
  return rubric;
}

std::string numbered(const Case& subject) {
  if (subject.steps.empty()) return subject.text;
  std::string out;
  for (std::size_t i = 0; i < subject.steps.size(); ++i) {
    out += (i == 0 ? "" : "\n") + std::to_string(i + 1) + ". " + subject.steps[i];
  }
  return out;
}

}  // namespace

Rubric built_in_rubric(std::string_view taxonomy) {
  const std::string file = "lowbit.first-error." + std::string(taxonomy) + "-1.json";
  return rubric_from(std::string(embedded::llm_judge_texts::find_text(file)), file);
}

Rubric read_rubric(const std::filesystem::path& directory) {
  const auto file = directory / "rubric.json";
  const std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) bad_rubric(file.string(), "the file is missing or may not be read", "bind `rubric` to a rubric/1");
  return rubric_from(text.str(), file.string());
}

std::string render_prompt(const Rubric& rubric, const Case& subject) {
  return tasks::fill_places(rubric.prompt, [&](const std::string& place) -> std::string {
    if (place == "problem") return subject.problem;
    if (place == "answer") return subject.answer.value_or("(not given)");
    if (place == "solution") return subject.solution.value_or("(not given)");
    if (place == "steps") return numbered(subject);
    if (place == "extracted") return subject.extracted.value_or("(none found)");
    bad_rubric("rubric " + rubric.name, "its template names {{" + place + "}}",
               "use {{problem}}, {{answer}}, {{solution}}, {{steps}} and {{extracted}} only");
  });
}

}  // namespace lowbit::judge_llm
