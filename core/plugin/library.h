// Loading a plugin file: everything that can be wrong with the file is found before any of it runs, except what only
// the dynamic linker knows.
//
// A loaded library is never unloaded (docs/adr/0002-never-unload.md): what the plugin exports lives as long as the
// process. Loading runs the plugin's initializers, which may crash; it happens in worker processes only.
#pragma once

#include <lowbit/plugin_abi.h>

#include <filesystem>
#include <string>

#include "base/digest.h"
#include "base/result.h"

namespace lowbit::plugin {

/// LB4001 unreadable, LB4003 not a plugin, LB4004 other architecture, LB4005 refused by the dynamic linker, LB4006 and
/// LB4007 another plugin interface, LB4008 no description.
[[nodiscard]] Result<const lb_plugin*> load_plugin(const std::filesystem::path& file);

/// LB4006 when the major differs from this lowbit's, LB4007 when the minor is newer. `build` is what the plugin says
/// it was built with; empty when unknown.
[[nodiscard]] Result<void> check_interface(const std::filesystem::path& file, std::uint32_t major, std::uint32_t minor,
                                           const std::string& build);

/// SHA-256 of a file's bytes; LB4001 when it cannot be read.
[[nodiscard]] Result<Digest> digest_of_file(const std::filesystem::path& file);

}  // namespace lowbit::plugin
