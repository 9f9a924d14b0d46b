#include <cstdio>

#include "cli/command.h"
#include "cli/command_options.h"
#include "cli/session.h"
#include "exec/local/control_socket.h"

namespace lowbit::cli {

Result<int> cancel_command(const Words& words) {
  CommandOptions options("cancel");
  options.flag("all", "stop the whole run, as Ctrl-C does where it was started")
      .flag("json", "the host's answer as JSON")
      .project()
      .arguments("stage", "a stage, or one variant of it: quantize, 'quantize[num_bits=3]'; repeatable", false);
  LB_TRY_ASSIGN(const bool asked_for_help, options.read(words));
  if (asked_for_help) return 0;
  const std::vector<std::string> labels = options.all("stage");
  if (labels.empty() != options.has("all")) {
    return error("LB0001", "`lowbit cancel` needs either stages or --all").fix("see `lowbit cancel --help`");
  }
  const Json request = labels.empty() ? Json{{"request", "stop"}} : Json{{"request", "cancel"}, {"labels", labels}};
  LB_TRY_ASSIGN(const exec::ProjectPaths project, project_of(options));
  LB_TRY_ASSIGN(const Json answer, exec::ask_host(project, request));
  if (options.has("json")) {
    std::printf("%s\n", canonical(answer).c_str());
  } else if (labels.empty()) {
    std::printf("the run stops; `lowbit run` continues it\n");
  } else {
    for (const Json& label : answer.value("labels", Json::array())) {
      std::printf("cancelled  %s\n", label.get<std::string>().c_str());
    }
  }
  return 0;
}

}  // namespace lowbit::cli
