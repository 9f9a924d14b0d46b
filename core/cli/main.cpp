// The program: a table of commands, each a file of its own that holds no logic of the engine.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "env/process.h"

namespace lowbit::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      {"run", "FILE [-n] [-s path=value]...", "plan, then do what is missing; always resumes", run_command},
      {"plan", "FILE [--check]", "what a run would do and why; changes nothing", plan_command},
      {"why", "STAGE FILE", "why a stage will run or is reused: its reason and its keys", why_command},
      {"status", "[--failed]", "how far every stage is", status_command},
      {"ls", "[experiments|runs]", "the experiments and runs of the project", ls_command},
      {"show", "VARIANT|KEY", "one result: its key, inputs, outputs, metrics, attempts; or one artifact", show_command},
      {"diff", "A B", "what differs between two results, experiments or runs", diff_command},
      {"logs", "STAGE", "what the last attempt of a stage said", logs_command},
      {"cancel", "STAGE... | --all", "stop stages of the live run, or all of it; what they saved stays",
       cancel_command},
      {"retry", "FILE --failed [--cause CAUSE]", "only what failed and what that blocked; also in the live run",
       retry_command},
      {"graph", "FILE [--format text|svg|dot|mermaid] [--variants]", "a picture of the stages and what a run would do",
       graph_command},
      {"table", "FILE [NAME] [--format text|md|csv|json]", "the table of an experiment, from tables.yaml beside it",
       table_command},
      {"compare", "[EXPERIMENT] [STAGE|VARIANT...] [--baseline VARIANT] [--metric NAME]",
       "the variants of an experiment beside each other: what differs, and by how much", compare_command},
      {"samples", "A [B --flips] [--wrong|--right|--ungraded] [--error TYPE] [--item ID]",
       "items of a result with answers and errors, and what flips between two results", samples_command},
      {"trace", "FILE [TABLE] ROW COLUMN [--items]",
       "from a figure of a table back to results, answers, verdicts, recipes and files", trace_command},
      {"figure", "FILE [NAME] [-o FILE | --to DIR]", "draw the figures of an experiment, from figures.yaml beside it",
       figure_command},
      {"report", "[EXPERIMENT] [-o FILE] [--published] [--full]",
       "one HTML file with tables, figures, graph, methods and provenance", report_command},
      {"agreement", "[EXPERIMENT] [--baseline JUDGE] [--level type|category] [--json]",
       "how much judges, votes and people agree on first errors", agreement_command},
      {"query", "[SQL] [--csv|--json|--markdown]", "read-only SQL on the results; without SQL: the views",
       query_command},
      {"review", "[EXPERIMENT] [--list] [--freeze NAME]", "decide what judges could not, blind, case by case",
       review_command},
      {"export", "SOURCE --format FORMAT DIRECTORY", "write a model or the results of an experiment for other tools",
       export_command},
      {"import", "DIRECTORY OUT", "read a model that another tool wrote", import_command},
      {"plugins", "[STAGE] [--json] | check PLUGIN.so",
       "the stages that plugins offer, or one of them; or check a plugin", plugins_command},
      {"gc", "[--dry-run]", "remove what no experiment needs any more", gc_command},
      {"doctor", "[--verify [--repair] | --rebuild]",
       "check machine, project and plugins; check results, or make the database again", doctor_command},
      {"init", "[DIRECTORY]", "start a project: lowbit.yaml and a first experiment", init_command},
      {"schema", "", "the JSON Schema of experiment files, for editors", schema_command},
      {"explain", "CODE", "what an error code means and what to do", explain_command},
      {"completion", "bash|zsh|fish", "a script that completes lowbit's words in this shell", completion_command},
      {"worker", "--shim DIR | --fork-server FD | --describe PLUGIN.so --output FILE", "", worker_command},
  };
  return all;
}

const Command* find_command(std::string_view name) {
  const auto it = std::find_if(commands().begin(), commands().end(), [&](const Command& c) { return c.name == name; });
  return it == commands().end() ? nullptr : &*it;
}

namespace {

std::string usage() {
  std::size_t width = 0;
  for (const Command& command : commands()) width = std::max(width, command.name.size());
  std::string text = "usage: lowbit COMMAND [OPTION]... [ARGUMENT]...\n\n";
  for (const Command& command : commands()) {
    if (command.summary.empty()) continue;  // for lowbit itself
    std::string name(command.name);
    name.resize(width + 2, ' ');
    text += "  " + name + std::string(command.summary) + "\n";
  }
  return text + "\n`lowbit COMMAND --help` shows the options of a command.\n";
}

Diagnostic unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (!command.summary.empty()) names.emplace_back(command.name);
  }
  Diagnostic problem = error("LB0001", "there is no command `" + name + "`");
  if (const std::string near = nearest(name, names); !near.empty()) {
    problem.note("a command with a similar name exists: " + near);
  }
  return problem.fix("`lowbit help` lists the commands");
}

Result<int> run_words(const Words& words) {
  if (words.empty()) {
    std::fputs(usage().c_str(), stderr);
    return 2;
  }
  const std::string& name = words.front();
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  if (name == "--version" || name == "version") {
    std::printf("lowbit %s\n", LOWBIT_VERSION);
    return 0;
  }
  const Command* command = find_command(name);
  if (command == nullptr) return unknown_command(name);
  try {
    return command->function(Words(words.begin() + 1, words.end()));
  } catch (const std::exception& e) {
    return error("LB4106", "`lowbit " + name + "` met something that it does not expect")
        .note(e.what())
        .fix("what was finished is kept; report this with the command and what it was called on");
  }
}

int run_program(const Words& words) {
  int status = 0;
  Diagnostics problems;
  if (Result<int> outcome = run_words(words); outcome.ok()) {
    status = *outcome;
  } else {
    problems = std::move(outcome).error();
    status = exit_code(problems);
  }
  // What a plugin printed goes to the log of its job, not to a person.
  const bool is_worker = !words.empty() && words.front() == "worker";
  if (Result<void> flushed = is_worker ? Result<void>() : flush_output(); !flushed.ok()) {
    if (status == 0) status = exit_code(flushed.error());
    problems.insert(problems.end(), flushed.error().begin(), flushed.error().end());
  }
  std::fputs(render(std::move(problems)).c_str(), stderr);
  return status;
}

}  // namespace
}  // namespace lowbit::cli

int main(int argc, char** argv) {
  lowbit::env::keep_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is an error of one write, not the end of a run
  return lowbit::cli::run_program(lowbit::cli::Words(argv + 1, argv + argc));
}
