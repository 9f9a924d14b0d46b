#include <algorithm>
#include <cstdio>

#include "base/words.h"
#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/meaning.h"
#include "cli/output.h"
#include "cli/session.h"
#include "report/samples_page.h"
#include "report/text_table.h"
#include "store/study_results.h"
#include "store/task_questions.h"

namespace lowbit::cli {
namespace {

constexpr unsigned kSomeSamples = 20;
constexpr std::size_t kShownCharacters = 300;
constexpr std::size_t kErrorsListed = 12;

Result<SampleFilter> filter_of(const CommandOptions& options) {
  SampleFilter filter{.error = options.get("error"), .item_id = options.get("item")};
  int grades = 0;
  for (const auto& [name, grade] :
       {std::pair{"right", SampleFilter::Grade::right}, std::pair{"wrong", SampleFilter::Grade::wrong},
        std::pair{"ungraded", SampleFilter::Grade::ungraded}}) {
    if (!options.has(name)) continue;
    filter.grade = grade;
    ++grades;
  }
  const bool narrowed = grades > 0 || options.has("error") || options.has("item");
  if (options.has("flips") && (narrowed || !options.has("b"))) {
    return error("LB0001", "`lowbit samples --flips` takes two results and no other filter")
        .note("items that only one of them has right are listed")
        .fix("lowbit samples A B --flips");
  }
  if (grades > 1) {
    return error("LB0001", "--right, --wrong and --ungraded exclude one another").fix("give one of them");
  }
  return filter;
}

std::string what_of(const SampleFilter& filter) {
  std::string text;
  switch (filter.grade) {
    case SampleFilter::Grade::right: text = "right items"; break;
    case SampleFilter::Grade::wrong: text = "wrong items"; break;
    case SampleFilter::Grade::ungraded: text = "items that are not graded"; break;
    case SampleFilter::Grade::any: text = "items"; break;
  }
  if (!filter.error.empty()) text += " with error " + filter.error;
  if (!filter.item_id.empty()) text += " named " + filter.item_id;
  return text;
}

Result<PredictionsPlace> place_of(const exec::ProjectPaths& project, store::ProjectFacts& facts,
                                  const CommandOptions& options, const std::string& word) {
  LB_TRY_ASSIGN(const Meaning meaning, meaning_of(project, facts, word, options.get("experiment")));
  if (meaning.kind != Meaning::Kind::variant && meaning.kind != Meaning::Kind::result) {
    return error("LB7064", word + " is not one result")
        .fix("name a variant that answers items, as `lowbit status --json` lists them, or digits of its key");
  }
  return facts.predictions(meaning, options.get("port"));
}

Result<void> check_error_named(store::ProjectFacts& facts, const std::string& error_name,
                               const std::vector<MarksPlace>& deciding) {
  if (error_name.empty()) return {};
  LB_TRY_ASSIGN(const std::vector<std::string> names, facts.errors_in(deciding));
  if (std::find(names.begin(), names.end(), error_name) != names.end()) return {};
  Diagnostic problem = error("LB7066", "no item has an error `" + error_name + "`");
  if (deciding.empty()) return problem.note("nobody graded or judged these predictions").fix("leave --error out");
  const std::string near = nearest(error_name, names);
  problem.note("the errors that are named: " + (names.empty() ? "none" : listed(names, kErrorsListed)));
  return problem.fix(near.empty() ? "use one of these" : "an error with a similar name is there: `" + near + "`");
}

/// One sample each, in the order of `items`.
Result<std::vector<Sample>> samples_of(store::ProjectFacts& facts, const PredictionsPlace& place,
                                       const std::vector<std::string>& items) {
  std::vector<Sample> samples;
  for (const std::string& item : items) {
    LB_TRY_ASSIGN(std::vector<Sample> found, facts.samples(place, {.error = {}, .item_id = item}, {}, 1));
    if (!found.empty()) samples.push_back(std::move(found.front()));
  }
  return samples;
}

Result<void> add_questions(const exec::ProjectPaths& project, const PredictionsPlace& place,
                           std::vector<Sample>& samples) {
  if (!place.task_path) return {};
  std::set<std::string> items;
  for (const Sample& sample : samples) items.insert(sample.item_id);
  LB_TRY_ASSIGN(const auto questions, store::read_questions(project.state() / *place.task_path, items));
  for (Sample& sample : samples) {
    if (const auto found = questions.find(sample.item_id); found != questions.end()) sample.question = found->second;
  }
  return {};
}

Result<report::Flips> flips_between(const exec::ProjectPaths& project, const PredictionsPlace& a,
                                    const PredictionsPlace& b) {
  LB_TRY_ASSIGN(Answers answers, store::answers_of(project.database(), {a.result_id, b.result_id}));
  for (const PredictionsPlace* place : {&a, &b}) {
    if (answers[place->result_id].size() == place->n) continue;
    return error("LB7064", "`" + place->label + "` has several sets of predictions")
        .note("flips are counted between results that have one")
        .fix("leave B out to read the items of one set");
  }
  return report::flips_of(a, answers[a.result_id], b, answers[b.result_id]);
}

/// Of each direction as many, so that the rarer one is seen.
std::vector<std::string> first_flips(const report::Flips& flips, std::size_t limit) {
  const std::size_t n_b =
      std::min(flips.only_b.size(), std::max(limit / 2, limit - std::min(limit, flips.only_a.size())));
  const std::size_t n_a = std::min(flips.only_a.size(), limit - n_b);
  std::vector<std::string> items(flips.only_a.begin(), flips.only_a.begin() + static_cast<std::ptrdiff_t>(n_a));
  items.insert(items.end(), flips.only_b.begin(), flips.only_b.begin() + static_cast<std::ptrdiff_t>(n_b));
  return items;
}

Result<report::SampleList> list_of(const exec::ProjectPaths& project, store::ProjectFacts& facts,
                                   const CommandOptions& options, const SampleFilter& filter) {
  const std::size_t limit = options.get_number("limit").value_or(kSomeSamples);
  report::SampleList list;
  LB_TRY_ASSIGN(list.a, place_of(project, facts, options, options.get("a")));
  LB_TRY_ASSIGN(list.marks, facts.marks_on(list.a.digest));
  if (options.has("b")) {
    LB_TRY_ASSIGN(list.b, place_of(project, facts, options, options.get("b")));
    LB_TRY_ASSIGN(list.flips, flips_between(project, list.a, *list.b));
  }
  std::vector<Sample> of_a;
  if (options.has("flips")) {
    list.n_found = list.flips->only_a.size() + list.flips->only_b.size();
    list.what = "flipped items: " + std::to_string(list.flips->only_a.size()) + " right in A only, " +
                std::to_string(list.flips->only_b.size()) + " right in B only";
    LB_TRY_ASSIGN(of_a, samples_of(facts, list.a, first_flips(*list.flips, limit)));
  } else {
    const std::vector<MarksPlace> deciding = report::deciding_marks(list.marks);
    LB_TRY(check_error_named(facts, filter.error, deciding));
    list.what = what_of(filter);
    LB_TRY_ASSIGN(list.n_found, facts.count_samples(list.a, filter, deciding));
    LB_TRY_ASSIGN(of_a, facts.samples(list.a, filter, deciding, limit));
  }
  LB_TRY(add_questions(project, list.a, of_a));
  LB_TRY(facts.add_marks(list.marks, of_a));
  std::vector<Sample> of_b;
  if (list.b) {
    std::vector<std::string> items;
    items.reserve(of_a.size());
    for (const Sample& sample : of_a) items.push_back(sample.item_id);
    LB_TRY_ASSIGN(of_b, samples_of(facts, *list.b, items));
    LB_TRY_ASSIGN(const std::vector<MarksPlace> marks, facts.marks_on(list.b->digest));
    LB_TRY(facts.add_marks(marks, of_b));
  }
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    list.samples.emplace_back(std::move(of_a[i]), list.b ? std::optional(std::move(of_b.at(i))) : std::nullopt);
  }
  return list;
}

}  // namespace

Result<int> samples_command(const Words& words) {
  CommandOptions options("samples");
  options.argument("a", "a variant that answered items: 'solve[num_bits=3]', or the beginning of its key", true)
      .argument("b", "another one, on the same items", false)
      .flag("flips", "items that only one of the two has right")
      .flag("wrong", "items that A has wrong")
      .flag("right", "items that A has right")
      .flag("ungraded", "items of A that are not graded")
      .text("error", "items of A with this error type or category, by grades, else by people, votes or judges")
      .text("item", "the item of this id")
      .number("limit,n", "so many items (default 20)")
      .flag("full", "texts to their end")
      .text("port", "which predictions of the results, where these have several")
      .text("experiment", "the experiment that the variants are of, where several have them")
      .flag("csv", "rows as CSV, texts whole")
      .flag("json", "one JSON object, texts whole")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const SampleFilter filter, filter_of(options));
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const report::SampleList list, list_of(project, facts, options, filter));
  if (options.has("json")) {
    print_json(report::samples_document(list));
  } else if (options.has("csv")) {
    std::fputs(report::render(report::samples_rows(list), report::TableFormat::csv).c_str(), stdout);
    if (list.samples.size() < list.n_found) {
      std::fprintf(stderr, "%zu of %zu items; --limit N gives more\n", list.samples.size(), list.n_found);
    }
  } else {
    std::fputs(report::samples_page(list, options.has("full") ? 0 : kShownCharacters).c_str(), stdout);
  }
  return 0;
}

}  // namespace lowbit::cli
