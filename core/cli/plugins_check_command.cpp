// lowbit plugins check: does a plugin keep its promises?
#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "domain/artifact_type.h"
#include "exec/conformance.h"

namespace lowbit::cli {
namespace {

using exec::CheckResult;
using exec::Finding;

/// `text` at its first `=`, both parts with their places in the argument.
struct Assignment {
  Text name;
  Text value;
};

Result<Assignment> assignment(const std::string& option, std::size_t number, const std::string& text,
                              const std::string& form) {
  const auto source = std::make_shared<const SourceText>(SourceText{option + " #" + std::to_string(number), text});
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return error("LB0014", "`" + option + "` needs " + form)
        .at({source, 1, 1, std::max<std::size_t>(text.size(), 1)}, "expected " + form)
        .fix("see `lowbit plugins check --help`");
  }
  return Assignment{{text.substr(0, equals), {source, 1, 1, equals}},
                    {text.substr(equals + 1), {source, 1, equals + 2, text.size() - equals - 1}}};
}

Result<std::vector<exec::GivenInput>> inputs_of(const CommandOptions& options) {
  std::vector<exec::GivenInput> inputs;
  for (const std::string& text : options.all("input")) {
    LB_TRY_ASSIGN(const Assignment given,
                  assignment("--input", inputs.size() + 1, text, "PORT=PATH or PORT=TYPE:PATH"));
    const std::string type = given.value.value.substr(0, given.value.value.find(':'));
    const bool typed = type.size() < given.value.value.size() && find_artifact_type(type) != nullptr;
    inputs.push_back({.port = given.name.value,
                      .type = typed ? type : "",
                      .path = typed ? given.value.value.substr(type.size() + 1) : given.value.value});
  }
  return inputs;
}

Result<std::vector<Param>> params_of(const CommandOptions& options) {
  std::vector<Param> params;
  for (const std::string& text : options.all("param")) {
    LB_TRY_ASSIGN(const Assignment given, assignment("--param", params.size() + 1, text, "NAME=VALUE"));
    Json value = Json::parse(given.value.value, nullptr, false);
    if (value.is_discarded()) value = given.value.value;
    params.push_back({given.name, {std::move(value), given.value.span}});
  }
  return params;
}

void print_line(const CheckResult& result) {
  const std::string finding = result.finding == Finding::fail ? "FAIL" : std::string(exec::name_of(result.finding));
  std::printf("%-4s  %s  %-15s  %s\n", finding.c_str(), result.subject.c_str(), result.check.c_str(),
              result.evidence.c_str());
  std::fflush(stdout);
}

}  // namespace

Result<int> plugins_check_command(const Words& words) {
  CommandOptions options("plugins check");
  options.argument("plugin", "the plugin file, PLUGIN.so", true)
      .text("stage", "check this stage only")
      .many("input,i", "PORT=PATH or PORT=TYPE:PATH: what an input is bound to; repeatable")
      .many("param,p", "NAME=VALUE: a parameter, JSON or plain text; again with another value: what it is varied to")
      .number("timeout", "seconds after which a job counts as hanging (600)")
      .flag("json", "print one JSON object instead of lines");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  exec::ConformanceRequest request;
  request.library = options.get("plugin");
  request.program = own_program();
  request.stage = options.get("stage");
  LB_TRY_ASSIGN(request.inputs, inputs_of(options));
  LB_TRY_ASSIGN(request.params, params_of(options));
  if (const auto seconds = options.get_number("timeout")) request.job_limit = std::chrono::seconds(*seconds);

  const bool json = options.has("json");
  LB_TRY_ASSIGN(const std::vector<CheckResult> results,
                exec::check_conformance(request, json ? [](const CheckResult&) {} : print_line));
  std::array<std::size_t, 3> counts{};
  for (const CheckResult& result : results) ++counts[static_cast<std::size_t>(result.finding)];
  const auto [n_ok, n_failed, n_skipped] = counts;
  if (json) {
    Json all{{"plugin", request.library.string()}, {"checks", Json::array()}};
    for (const CheckResult& result : results) all["checks"].push_back(to_json(result));
    all["counts"] = {{"ok", n_ok}, {"fail", n_failed}, {"skip", n_skipped}};
    print_json(all);
  } else {
    std::printf("\n%zu ok, %zu failed, %zu skipped\n", n_ok, n_failed, n_skipped);
  }
  return n_failed == 0 ? 0 : 3;
}

}  // namespace lowbit::cli
