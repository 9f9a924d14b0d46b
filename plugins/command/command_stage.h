// A stage that is someone else's program: docs/command-stage.md is the contract. The stages of this plugin
// differ in their ports only.
#pragma once

#include <lowbit/sdk.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lowbit::command {

struct Params {
  std::vector<std::string> command;
  nlohmann::json args = nlohmann::json::object();
  nlohmann::json env = nlohmann::json::object();
  std::vector<std::int64_t> success_codes{0};

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::command, "command")
            .required()
            .not_empty()
            .doc("program and arguments, one a member, no shell; {program} stands for the file bound to `program`"),
        field(&Params::args, "args").doc("values for the program: what changes its result belongs here"),
        field(&Params::env, "env").doc("environment variables to add; never secrets, they are stored"),
        field(&Params::success_codes, "success_codes").not_empty().doc("exit statuses that mean success"));
  }
};

struct Port {
  const char* name;
  const char* type;
  const char* doc;
  std::uint32_t flags;
};

struct Ports {
  std::string_view kind;  ///< "dataset", as the job file says it
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

/// Refuses what can be seen to be wrong without running.
void check_command(const Job& job, const Params& params);

/// Runs the program to its end.
void run_command(const Job& job, const Params& params, const Ports& ports);

}  // namespace lowbit::command
