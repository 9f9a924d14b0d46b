// What commands print on stdout.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace lowbit::cli {

/// One document, indented; bytes that are not UTF-8 (names of files) are replaced, never thrown on.
void print_json(const Json& value);

/// LB6107 when something of what was printed did not get out. Nothing is wrong with a reader that went away.
[[nodiscard]] Result<void> flush_output();

}  // namespace lowbit::cli
