// A file in a message.
#pragma once

#include <filesystem>
#include <string>

namespace lowbit::plugin {

[[nodiscard]] inline std::string quoted(const std::filesystem::path& path) { return "`" + path.string() + "`"; }

}  // namespace lowbit::plugin
