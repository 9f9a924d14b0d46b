// Deterministic trouble for tests: the n-th durable operation of a process ends the process or fails.
//   LOWBIT_FAULT=exit:17         _exit(137) before operation 17 (counted from 1)
//   LOWBIT_FAULT=exit-after:17   _exit(137) after it, before anything is made of its success
//   LOWBIT_FAULT=enospc:17       operation 17 and all later ones fail as a full disk would
//   LOWBIT_FAULT=eio:17          operation 17 alone fails as a broken disk would
// LOWBIT_FAULT_ROLE=host|shim|job limits it to one kind of process; unset: the host.
#pragma once

namespace lowbit::env {

enum class ProcessRole { host, shim, job };

/// Says which kind of process this is; called once at its start.
void set_fault_role(ProcessRole role);

/// Called before every durable operation. 0: go on; otherwise the error number to fail with.
[[nodiscard]] int fault_point();

/// Called after a durable operation that succeeded.
void fault_passed();

}  // namespace lowbit::env
