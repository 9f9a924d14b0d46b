#include "env/fault.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace lowbit::env {
namespace {

enum class Mode { off, exit, exit_after, full_disk, broken_disk };

struct Fault {
  Mode mode = Mode::off;
  long at = 0;
};

std::atomic<long> operations{0};
Fault planned;

std::string_view role_name(ProcessRole role) {
  switch (role) {
    case ProcessRole::host: return "host";
    case ProcessRole::shim: return "shim";
    case ProcessRole::job: return "job";
  }
  return "";
}

}  // namespace

void set_fault_role(ProcessRole role) {
  planned = {};
  operations = 0;
  const char* text = std::getenv("LOWBIT_FAULT");
  if (text == nullptr) return;
  const char* wanted = std::getenv("LOWBIT_FAULT_ROLE");
  if (role_name(role) != (wanted == nullptr ? "host" : std::string_view(wanted))) return;
  const std::string_view spec(text);
  const auto colon = spec.find(':');
  if (colon == std::string_view::npos) return;
  if (spec.substr(0, colon) == "exit") planned.mode = Mode::exit;
  if (spec.substr(0, colon) == "exit-after") planned.mode = Mode::exit_after;
  if (spec.substr(0, colon) == "enospc") planned.mode = Mode::full_disk;
  if (spec.substr(0, colon) == "eio") planned.mode = Mode::broken_disk;
  planned.at = std::strtol(text + colon + 1, nullptr, 10);
}

int fault_point() {
  if (planned.mode == Mode::off) return 0;
  const long number = ++operations;
  if (planned.mode == Mode::exit && number == planned.at) ::_exit(137);
  if (planned.mode == Mode::full_disk && number >= planned.at) return ENOSPC;
  if (planned.mode == Mode::broken_disk && number == planned.at) return EIO;
  return 0;
}

// Other threads may have begun operations since: then this is after one of theirs, which is as good a moment.
void fault_passed() {
  if (planned.mode == Mode::exit_after && operations >= planned.at) ::_exit(137);
}

}  // namespace lowbit::env
