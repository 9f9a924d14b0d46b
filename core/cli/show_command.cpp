#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/meaning.h"
#include "cli/output.h"
#include "cli/session.h"
#include "report/result_page.h"

namespace lowbit::cli {
namespace {

template <class Facts>
void print_facts(const Facts& facts, std::string (*page)(const Facts&), Json (*document)(const Facts&), bool as_json) {
  if (as_json) {
    print_json(document(facts));
  } else {
    std::fputs(page(facts).c_str(), stdout);
  }
}

}  // namespace

Result<int> show_command(const Words& words) {
  CommandOptions options("show");
  options
      .argument("what", "a variant: 'quantize[num_bits=3]', or the beginning of a key or of an artifact's digest", true)
      .text("experiment", "the experiment that the variant is of, where several have it")
      .flag("json", "one JSON object")
      .project();
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  LB_TRY_ASSIGN(const exec::ProjectPaths project, existing_project(options));
  const std::string word = options.get("what");
  LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
  LB_TRY_ASSIGN(const Meaning meaning, meaning_of(project, facts, word, options.get("experiment")));
  const bool json = options.has("json");
  if (meaning.kind == Meaning::Kind::experiment || meaning.kind == Meaning::Kind::run) {
    return error("LB0038",
                 word + " is " + (meaning.kind == Meaning::Kind::run ? "a run" : "an experiment") + ", not one result")
        .fix("`lowbit ls` and `lowbit status` show those; `lowbit diff` compares two of them");
  }
  if (meaning.kind == Meaning::Kind::artifact) {
    LB_TRY_ASSIGN(const ArtifactFacts artifact, facts.artifact(meaning));
    print_facts(artifact, report::artifact_page, report::artifact_document, json);
  } else {
    LB_TRY_ASSIGN(const VariantFacts variant, facts.variant(meaning));
    print_facts(variant, report::result_page, report::result_document, json);
  }
  return 0;
}

}  // namespace lowbit::cli
