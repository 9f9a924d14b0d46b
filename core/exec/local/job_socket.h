// The Unix socket at which who watches a job hears others than the host that started it.
#pragma once

#include <sys/un.h>

#include <filesystem>
#include <string>

#include "base/result.h"
#include "env/posix/descriptor.h"

namespace lowbit::exec {

/// A fresh path for one: short (a Unix socket's path holds 107 bytes), in a directory that is private to this user.
[[nodiscard]] std::filesystem::path socket_path(const std::string& nonce);

/// Makes the directory as well.
[[nodiscard]] Result<env::Descriptor> listen_at(const std::filesystem::path& socket);

}  // namespace lowbit::exec
