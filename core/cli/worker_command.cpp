// lowbit worker: what other lowbit processes start. Not for people, except to see why a plugin cannot be described.
#include <charconv>
#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "worker/describe.h"
#include "worker/fork_server.h"
#include "worker/shim.h"

namespace lowbit::cli {

Result<int> worker_command(const Words& words) {
  CommandOptions options("worker");
  options.text("describe", "load this plugin and write its description")
      .text("output", "where the description goes")
      .text("errors", "where problems go, as JSON, instead of to the terminal")
      .text("shim", "run the attempt in this directory")
      .number("listener", "descriptor of the socket to listen at")
      .number("fork-server", "fork shims as this socket asks for them")
      .text("library", "plugin to load before the first fork");
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  if (options.has("shim")) {
    const auto listener = options.get_number("listener");
    return worker::run_shim(exec::AttemptPaths{options.get("shim")}, listener ? static_cast<int>(*listener) : -1);
  }
  if (const auto requests = options.get_number("fork-server")) {
    return worker::run_fork_server(options.has("library") ? options.get("library") : "", static_cast<int>(*requests));
  }
  if (!options.has("describe") || !options.has("output")) {
    return error("LB0001", "`lowbit worker` needs --shim, or --fork-server, or --describe and --output")
        .fix("this command is for lowbit itself: see `lowbit worker --help`");
  }
  worker::DescribeRequest request{
      .library = options.get("describe"), .output = options.get("output"), .errors = std::nullopt};
  if (options.has("errors")) request.errors = options.get("errors");
  return worker::describe(request);
}

}  // namespace lowbit::cli
