// Model cards: a directory a model, or the card of one model patched.
#include <algorithm>
#include <cstdio>
#include <set>
#include <utility>

#include "base/words.h"
#include "cli/export_order.h"
#include "env/files.h"
#include "interchange/model_card.h"

namespace lowbit::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kModelsListed = 6;

/// Each once, by name.
std::vector<std::string> tasks_of(const std::vector<interchange::Evaluation>& evaluations) {
  std::set<std::string> tasks;
  for (const interchange::Evaluation& evaluation : evaluations) {
    for (const interchange::EvaluatedTask& task : evaluation.tasks) tasks.insert(task.name);
  }
  return {tasks.begin(), tasks.end()};
}

Result<interchange::HubDatasets> hub_datasets(const CommandOptions& options,
                                              const std::vector<interchange::Evaluation>& evaluations) {
  const std::vector<std::string> tasks = tasks_of(evaluations);
  interchange::HubDatasets datasets;
  for (const std::string& word : options.all("dataset")) {
    const std::size_t equals = word.find('=');
    const std::string task = word.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == word.size()) {
      return error("LB0001", "--dataset " + word + " is not TASK=ID")
          .fix("write --dataset TASK=ORG/NAME, or TASK=ORG/NAME:TASK_ID");
    }
    if (std::find(tasks.begin(), tasks.end(), task) == tasks.end()) {
      const std::string near = nearest(task, tasks);
      return error("LB0001", "--dataset: no evaluator measured a task " + ticked(task))
          .note("the tasks: " + joined(tasks))
          .fix(near.empty() ? "name one of them" : "a task with a similar name was measured: " + ticked(near));
    }
    const std::string id = word.substr(equals + 1);
    const std::size_t colon = id.find(':');
    datasets[task] = {.id = id.substr(0, colon),
                      .task_id = colon == std::string::npos ? "default" : id.substr(colon + 1)};
  }
  return datasets;
}

/// Evaluations and what points into them.
struct Cards {
  std::vector<interchange::Evaluation> evaluations;
  std::vector<interchange::CardModel> models;
  interchange::HubDatasets datasets;
};

Result<Cards> cards_of(const CommandOptions& options, const ExportedStudy& study) {
  Cards cards;
  cards.evaluations = interchange::evaluations(study);
  cards.models = interchange::models_of(cards.evaluations);
  if (cards.models.empty()) {
    return nothing_to_export(options, study, "no evaluator of a model has a result with a task's metric",
                             "run an evaluator, or choose others with --only");
  }
  LB_TRY_ASSIGN(cards.datasets, hub_datasets(options, cards.evaluations));
  return cards;
}

void note_unnamed(const Cards& cards) {
  std::vector<std::string> unnamed = tasks_of(cards.evaluations);
  std::erase_if(unnamed, [&](const std::string& task) { return cards.datasets.contains(task); });
  if (unnamed.empty()) return;
  std::fprintf(stderr, "note: no dataset of the Hub is named for %s; with --dataset TASK=ORG/NAME, the Hub finds it\n",
               joined(unnamed).c_str());
}

}  // namespace

Result<void> write_cards(const ExportOrder& order) {
  LB_TRY_ASSIGN(const Cards cards, cards_of(order.options, order.study));
  for (const interchange::CardModel& card : cards.models) {
    for (interchange::ExportFile& file : interchange::card_files(order.study, card, cards.datasets)) {
      // Two models from outside whose directories are called alike.
      if (order.out.has(file.path)) {
        const std::size_t slash = file.path.find('/');
        constexpr std::size_t kBrief = 8;
        file.path.insert(slash, "-" + card.model->digest.substr(0, kBrief));
      }
      LB_TRY(order.out.write(file));
    }
  }
  note_unnamed(cards);
  return {};
}

Result<int> patch_card(const CommandOptions& options, const ExportedStudy& study) {
  LB_TRY_ASSIGN(const Cards cards, cards_of(options, study));
  if (cards.models.size() > 1) {
    std::vector<std::string> names;
    for (const interchange::CardModel& card : cards.models) names.push_back(card.model->name);
    return error("LB7072", "--into takes the results of one model, and these are of " + std::to_string(names.size()))
        .note("the models: " + listed(names, kModelsListed))
        .fix("name the evaluators of one of them with --only");
  }
  const fs::path card = options.get("into");
  LB_TRY_ASSIGN(const std::string before, env::read_file(card));
  const interchange::CardBlocks blocks = interchange::card_blocks(study, cards.models.front(), cards.datasets);
  LB_TRY_ASSIGN(const std::string after, interchange::patched_card(before, blocks, card.string()));
  if (after != before) LB_TRY(env::write_named_file(card, after));
  note_unnamed(cards);
  std::printf("%s: results of %s%s\n", card.c_str(), cards.models.front().model->name.c_str(),
              after == before ? ", which it had" : "");
  return 0;
}

}  // namespace lowbit::cli
