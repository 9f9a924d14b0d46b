// dataset-preference-pairs: what one model solved and another did not, as pairs to prefer the first answer by, and the
// steps that make a balanced set of them. README.md.
#include <lowbit/sdk.hpp>

#include <map>

#include "candidates.h"
#include "deduplicate.h"
#include "lm/digest.h"
#include "members.h"
#include "overlap/overlap.h"
#include "sampling.h"
#include "tasks/rendering.h"
#include "tasks/token_limit.h"

using namespace lowbit;
using pairs::Kept;
using pairs::Member;

namespace {

struct Params {
  std::int64_t n = 0;
  std::string end_token = "<eos>";
  std::vector<std::string> categories;
  std::string unresolved = "drop";
  std::string require_format = "none";
  std::string deduplicate = "pairs";
  std::string near_duplicates = "drop";
  std::string sampling = "first";
  std::vector<std::string> cell_axes;
  std::int64_t max_tokens = 0;
  std::string chat_date = std::string(lm::kChatDate);

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::n, "n").at_least(0).unit("items").doc("most pairs kept; 0: all"),
        field(&Params::end_token, "end_token")
            .doc("written behind every completion that ended by itself; the model's own end token. Chat tasks have the "
                 "chat template's instead"),
        field(&Params::categories, "categories")
            .one_of("all", "conceptual", "method", "execution", "reasoning")
            .doc("categories of the rejected answer's first error; empty, or with all among them: every one"),
        field(&Params::unresolved, "unresolved")
            .one_of("drop", "keep")
            .doc("with verdicts or grades: pairs whose error is not named (conflict, insufficient, undetermined, "
                 "invalid, not judged)"),
        field(&Params::require_format, "require_format")
            .one_of("none", "chosen", "both")
            .doc("whose answers must have kept the response format"),
        field(&Params::deduplicate, "deduplicate")
            .one_of("pairs", "problems")
            .doc("what is kept once: equal pairs, or problems, equal and nearly equal ones, over all models"),
        field(&Params::near_duplicates, "near_duplicates")
            .one_of("drop", "keep")
            .doc("problems that share 80 % of their runs of 13 words with another, or with one that is held out; keep "
                 "for problems from templates"),
        field(&Params::sampling, "sampling")
            .one_of("first", "error_rates")
            .doc("which n: the first ones of the task, or by model and error in proportion to error rates"),
        field(&Params::cell_axes, "cell_axes")
            .doc("sampling error_rates: axes of the rejected answer's model that are told apart; empty: all"),
        field(&Params::max_tokens, "max_tokens")
            .at_least(0)
            .unit("tokens")
            .doc(
                "pairs with an answer that is longer with its prompt, by the model's tokenizer, are left out; 0: none"),
        field(&Params::chat_date, "chat_date")
            .not_empty()
            .doc("day that a chat template names as today's where it names one (Llama 3.1 and later)"));
  }
};

/// Empty: all.
std::set<std::string> wanted_categories(const Params& params) {
  std::set<std::string> wanted(params.categories.begin(), params.categories.end());
  if (wanted.contains("all")) wanted.clear();
  return wanted;
}

bool is_judged(const Job& job) { return job.has_input("verdicts") || job.has_input("grades"); }

void check_recipe(const Job& job, const Params& params) {
  const auto refuse = [](const char* where, const std::string& what) {
    throw StageError(LB_BAD_PARAM, {.what = what + " wants to know what went wrong in wrong answers",
                                    .where = where,
                                    .why = "neither `verdicts` nor `grades` is bound",
                                    .fix = "bind `verdicts` to a vote on the rejected predictions, or `grades`"});
  };
  if (is_judged(job)) return;
  if (!wanted_categories(params).empty()) refuse("categories", "a choice of error categories");
  if (params.sampling == "error_rates") refuse("sampling", "sampling by error rates");
}

/// Ids of items whose problem also stands in a task of `held_out`.
std::set<std::string> held_out_items(const Job& job, const tasks::Task& task, bool near) {
  std::vector<overlap::Text> texts;
  for (const tasks::Item& item : task.items) texts.push_back({item.item_id, item.problem_id, item.problem});
  const overlap::Subjects subjects(texts);
  std::set<std::string> found;
  for (const Input& input : job.inputs("held_out")) {
    std::vector<overlap::Text> others;
    for (tasks::Item& item : tasks::read_task(input.path).items) {
      others.push_back({item.item_id, item.problem_id, std::move(item.problem)});
    }
    constexpr double kSame = 0.8;
    constexpr double kNotLooked = 2;
    for (const auto& match : subjects.matches(others, near ? kSame : kNotLooked)) {
      found.insert(task.items[match.subject].item_id);
    }
  }
  return found;
}

/// What is read before pairs are made.
struct Inputs {
  tasks::Task task;
  std::optional<std::filesystem::path> model;
  std::vector<pairs::Asked> asked;  ///< by item
  std::vector<Member> chosen, rejected;
};

Inputs read_inputs(const Job& job, const Params& params) {
  Inputs inputs{.task = tasks::read_task(job.input("task").path)};
  if (job.has_input("model")) inputs.model = job.input("model").path;
  const tasks::Rendering rendering(inputs.task, inputs.model, params.chat_date);
  pairs::PromptShas prompt_shas;
  for (const tasks::Item& item : inputs.task.items) {
    auto prompt = rendering.prompt(item);
    prompt_shas[item.item_id] = lm::sha256_of_text(prompt.asked);
    inputs.asked.push_back({.item = &item, .prompt = std::move(prompt.row), .end = rendering.end(params.end_token)});
  }
  inputs.chosen = pairs::read_members(job, "chosen", prompt_shas);
  inputs.rejected = pairs::read_members(job, "rejected", prompt_shas);
  pairs::apply_grades(job, "chosen_grades", inputs.chosen);
  pairs::apply_grades(job, "grades", inputs.rejected);
  pairs::apply_verdicts(job, "verdicts", inputs.rejected);
  return inputs;
}

/// Members are compared where the axes that both have agree: predictions of seed 1 with predictions of seed 1.
pairs::Candidates read_candidates(const Job& job, const Params& params, const Inputs& inputs) {
  const tasks::TokenLimit limit(params.max_tokens, inputs.model);
  pairs::CandidateRules rules{.chosen_keeps_format = params.require_format != "none",
                              .rejected_keeps_format = params.require_format == "both",
                              .judged = is_judged(job),
                              .keep_unresolved = params.unresolved == "keep",
                              .categories = wanted_categories(params),
                              .held_out = held_out_items(job, inputs.task, params.near_duplicates == "drop"),
                              .too_long = [&](const std::string& prompt, const std::string& text) {
                                return limit.is_exceeded_by(prompt, text);
                              }};
  pairs::Candidates candidates(std::move(rules));
  const bool stops_at_n = params.n > 0 && params.sampling == "first" && params.deduplicate == "pairs";
  const auto is_full = [&] { return stops_at_n && candidates.pairs().size() >= static_cast<std::size_t>(params.n); };
  for (std::size_t i = 0; i < inputs.asked.size() && !is_full(); ++i) {
    job.tick(i, inputs.asked.size(), "items");
    const std::string& id = inputs.asked[i].item->item_id;
    for (const Member& worse : inputs.rejected) {
      const auto of_worse = worse.by_item.find(id);
      if (of_worse == worse.by_item.end()) continue;
      for (const Member& better : inputs.chosen) {
        const auto of_better = better.by_item.find(id);
        if (of_better == better.by_item.end() || !pairs::agree(better.coordinates, worse.coordinates) || is_full())
          continue;
        candidates.offer(inputs.asked[i], of_better->second, of_worse->second, worse.coordinates);
      }
    }
  }
  return candidates;
}

/// Steps 5 and 6.
Kept select(const Params& params, const Inputs& inputs, const std::vector<pairs::Pair>& all, pairs::Counts& counts) {
  Kept kept;
  if (params.deduplicate == "problems") {
    kept = pairs::deduplicated(all, params.near_duplicates == "drop", counts.dropped);
  } else {
    for (std::size_t i = 0; i < all.size(); ++i) kept.push_back(i);
  }
  counts.left["distinct"] = kept.size();
  const auto n = static_cast<std::size_t>(params.n);
  if (n == 0 || kept.size() <= n) return kept;
  counts.dropped["not_drawn"] = kept.size() - n;
  if (params.sampling == "error_rates") {
    const auto rates = pairs::error_rates(inputs.rejected, params.cell_axes);
    return pairs::sampled(all, kept, rates, params.cell_axes, n);
  }
  kept.resize(n);
  return kept;
}

nlohmann::json json_of(const pairs::Pair& pair, const std::string& item_id) {
  return {{"item_id", item_id},
          {"problem_id", pair.item->problem_id},
          {"prompt", pair.prompt},
          {"chosen", pair.chosen},
          {"rejected", pair.rejected},
          {"category", or_null(pair.judged.category)},
          {"type", or_null(pair.judged.type)},
          {"first_error_step", or_null(pair.judged.first_error_step)},
          {"agreement", or_null(pair.judged.agreement)},
          {"at", pair.at}};
}

void report(const Job& job, const std::vector<pairs::Pair>& all, const Kept& kept, const pairs::Counts& counts) {
  job.metric("data/n_items", static_cast<double>(kept.size()), "items");
  for (const auto& [step, count] : counts.left) {
    job.metric("data/recipe/" + step, static_cast<double>(count), "items");
  }
  for (const auto& [reason, count] : counts.dropped) {
    job.metric("data/dropped/" + reason, static_cast<double>(count), "items");
  }
  if (!is_judged(job)) return;
  std::map<std::string, std::size_t> categories{{"unnamed", 0}};
  for (const auto category : verdicts::kCategories) categories.emplace(category, 0);
  for (const std::size_t i : kept) ++categories[all[i].judged.category.value_or("unnamed")];
  for (const auto& [category, count] : categories) {
    job.metric("data/category/" + category, static_cast<double>(count), "items");
  }
}

void write_pairs(const Job& job, const Params& params) {
  check_recipe(job, params);
  const Inputs inputs = read_inputs(job, params);
  const pairs::Candidates candidates = read_candidates(job, params, inputs);
  const auto& all = candidates.pairs();
  pairs::Counts counts = candidates.counts();
  const Kept kept = select(params, inputs, all, counts);
  if (kept.empty()) {
    std::string text;
    for (const auto& [reason, count] : counts.dropped) text += ", " + reason + " " + std::to_string(count);
    throw StageError(LB_BAD_INPUT, {.what = "there is no preference pair",
                                    .where = "task " + inputs.task.name,
                                    .why = "no item is right among `chosen` and wrong among `rejected`" + text,
                                    .fix = "use more items, or models that differ more"});
  }
  JsonLinesWriter out(job.output("pairs") / "pairs.jsonl");
  std::map<std::string, std::size_t> n_of_item;
  for (const std::size_t i : kept) {
    const std::string& id = all[i].item->item_id;
    const std::size_t nth = n_of_item[id]++;
    out.write(json_of(all[i], nth == 0 ? id : id + "#" + std::to_string(nth)));
  }
  out.close();
  report(job, all, kept, counts);
}

}  // namespace

LOWBIT_PLUGIN(
    LOWBIT_COMPILER,
    Stage("lowbit.preference-pairs", LB_DATASET)
        .version("2")
        .summary("Pairs of a right and a wrong answer to the same item, from the predictions of different models.")
        .input("task", "task/1", "the problems that both sides answered")
        .input("chosen", "predictions/1", "where right answers come from", LB_PORT_MANY)
        .input("rejected", "predictions/1", "where wrong answers come from", LB_PORT_MANY)
        .input("verdicts", "verdicts/1", "what went wrong in `rejected`: a vote, or one judge",
               LB_PORT_MANY | LB_PORT_OPTIONAL)
        .input("grades", "grades/1", "what counts as right among `rejected`, and errors that people named",
               LB_PORT_MANY | LB_PORT_OPTIONAL)
        .input("chosen_grades", "grades/1", "what counts as right among `chosen`", LB_PORT_MANY | LB_PORT_OPTIONAL)
        .input("held_out", "task/1", "problems that must not be learned from", LB_PORT_MANY | LB_PORT_OPTIONAL)
        .input("model", "model/1|quantized-model/1", "whose chat template and tokenizer are used", LB_PORT_OPTIONAL)
        .output("pairs", "preference-pairs/1", "prompt, right and wrong completion")
        .check<check_recipe>()
        .run<write_pairs>())
