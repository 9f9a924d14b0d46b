#include "worker/describe.h"

#include <cstdio>

#include "env/files.h"
#include "plugin/describe.h"

namespace lowbit::worker {
namespace {

Result<void> describe_to_file(const DescribeRequest& request) {
  LB_TRY_ASSIGN(const PluginDescription plugin, plugin::describe_file(request.library));
  return env::write_file_durably(request.output, to_json(plugin).dump(2) + "\n");
}

void report(const Diagnostics& problems, const std::optional<std::filesystem::path>& errors) {
  if (errors) {
    Json all = Json::array();
    for (const Diagnostic& problem : problems) all.push_back(to_json(problem));
    if (env::write_file_durably(*errors, canonical(all)).ok()) return;
  }
  std::fputs(render(problems).c_str(), stderr);
}

}  // namespace

int describe(const DescribeRequest& request) {
  const Result<void> written = describe_to_file(request);
  if (written.ok()) return 0;
  report(written.error(), request.errors);
  return exit_code(written.error());
}

}  // namespace lowbit::worker
