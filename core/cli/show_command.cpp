#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/project_facts.h"
#include "cli/session.h"
#include "report/result_page.h"

namespace lowbit::cli {

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
  LB_TRY_ASSIGN(const Json thing, find_thing(project, word, options.get("experiment")));
  if (thing.contains("experiment") || thing.contains("run")) {
    return error("LB0038", word + " is " + (thing.contains("run") ? "a run" : "an experiment") + ", not one result")
        .fix("`lowbit ls` and `lowbit status` show those; `lowbit diff` compares two of them");
  }
  const bool artifact = thing.contains("artifact");
  LB_TRY_ASSIGN(const Json facts, artifact ? artifact_facts(project, thing["artifact"].get<std::string>())
                                           : variant_facts(project, thing));
  if (options.has("json")) {
    print_json(facts);
  } else {
    std::fputs((artifact ? report::artifact_page(facts) : report::result_page(facts)).c_str(), stdout);
  }
  return 0;
}

}  // namespace lowbit::cli
