// From what a plugin exports to what lowbit knows about it. Nothing here runs a stage.
#pragma once

#include <lowbit/plugin_abi.h>

#include <filesystem>

#include "base/result.h"
#include "domain/stage_description.h"

namespace lowbit::plugin {

/// Loads the file and describes it. Runs code of the plugin, which may crash: for worker processes only. The host asks
/// through describe_in_child().
[[nodiscard]] Result<PluginDescription> describe_file(const std::filesystem::path& library);

/// What `plugin` says, checked. Every problem is reported (LB4009 to LB4011).
/// REQUIRES: an interface that check_interface() accepts.
[[nodiscard]] Result<PluginDescription> describe(const lb_plugin& plugin, const std::filesystem::path& library,
                                                 const Digest& library_digest);

/// The rules that a description keeps, wherever it was read from: names, ports (LB4009), the signature of the kind
/// (LB4010), the parameter schema (LB4011). Empty when all is well.
[[nodiscard]] Diagnostics check_description(const PluginDescription& plugin);

}  // namespace lowbit::plugin
