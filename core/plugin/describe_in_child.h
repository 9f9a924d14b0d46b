// Describing a plugin runs code of the plugin: here a process of its own does it, so that a plugin that crashes,
// exits or hangs costs a diagnostic and nothing else.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>

#include "base/result.h"
#include "domain/stage_description.h"

namespace lowbit::plugin {

using Describer = std::function<Result<PluginDescription>(const std::filesystem::path& library)>;

struct ChildOptions {
  std::filesystem::path program = "/proc/self/exe";  ///< a lowbit program, called as `worker --describe ...`
  std::chrono::milliseconds limit{10'000};           ///< what takes longer counts as hanging
};

/// LB4012 the child ended without an answer, LB4013 it hung and was killed, LB4014 it could not be started; otherwise
/// what describe_file() says in the child.
[[nodiscard]] Describer describe_in_child(ChildOptions options = {});

}  // namespace lowbit::plugin
