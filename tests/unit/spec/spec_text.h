// An ExperimentSpec as text, for cases that check what was read and where.
#pragma once

#include <string>

#include "domain/experiment_spec.h"

namespace lowbit::test {

/// One line a value, `line:column` (after the source's name when that is not `file`) in front of everything located.
[[nodiscard]] std::string spec_text(const ExperimentSpec& spec, const std::string& file);

}  // namespace lowbit::test
