#include "cli/meaning.h"

#include <set>
#include <vector>

#include "base/words.h"

namespace lowbit::cli {
namespace {

const char* word_for(Meaning::Kind kind) {
  switch (kind) {
    case Meaning::Kind::variant: return "variant";
    case Meaning::Kind::result: return "result";
    case Meaning::Kind::artifact: return "artifact";
    case Meaning::Kind::experiment: return "experiment";
    case Meaning::Kind::run: break;
  }
  return "run";
}

Diagnostic several(const std::string& word, const std::vector<Meaning>& meanings) {
  const bool by_label = !meanings.front().name.empty() && meanings.front().kind == Meaning::Kind::variant;
  std::vector<std::string> candidates;
  candidates.reserve(meanings.size());
  for (const Meaning& one : meanings) candidates.push_back(by_label ? one.name : word_for(one.kind));
  return error("LB0037", word + " names several things")
      .note("they are " + listed(candidates, 6))
      .fix(by_label ? "say which experiment's with --experiment NAME" : "give more digits of the key");
}

Result<Meaning> nothing_found(const exec::ProjectPaths& project, store::ProjectFacts& facts, const std::string& word) {
  LB_TRY_ASSIGN(const std::vector<std::string> labels, facts.names(store::Named::variants));
  LB_TRY_ASSIGN(const std::vector<std::string> experiments, facts.names(store::Named::experiments));
  std::set<std::string> sorted(labels.begin(), labels.end());
  sorted.insert(experiments.begin(), experiments.end());
  const std::vector<std::string> names(sorted.begin(), sorted.end());
  Diagnostic problem = error("LB0004", "there is nothing named " + word + " in " + project.root.string());
  std::vector<std::string> variants;
  for (const std::string& name : names) {
    if (name.starts_with(word + "[")) variants.push_back(name);
  }
  if (!variants.empty()) {
    problem.note("its variants are " + listed(variants, 4));
  } else if (const std::string near = nearest(word, names); !near.empty()) {
    problem.note("something with a similar name exists: " + near);
  }
  return problem.fix("`lowbit ls` lists experiments and runs, `lowbit status --json` every variant");
}

}  // namespace

Result<Meaning> meaning_of(const exec::ProjectPaths& project, store::ProjectFacts& facts, const std::string& word,
                           const std::string& experiment) {
  LB_TRY_ASSIGN(const std::vector<Meaning> meanings, facts.meanings_of(word, experiment));
  if (meanings.empty()) return nothing_found(project, facts, word);
  if (meanings.size() > 1) return several(word, meanings);
  return meanings.front();
}

}  // namespace lowbit::cli
