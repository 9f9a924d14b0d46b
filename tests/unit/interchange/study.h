// A study of three stages for tests: a task, a model that is rounded at two widths, and an evaluator that answered with
// the first of them.
#pragma once

#include "domain/exported_study.h"

namespace lowbit::test {

[[nodiscard]] ExportedStudy small_study();

}  // namespace lowbit::test
