// The ports that a kind of stage has. A kind is a promise to the experiments that use it: one quantizer can stand
// where another stood, because both read `model` and write `quantized`. The table for people is in
// docs/write-a-plugin.md.
#pragma once

#include "base/diagnostic.h"
#include "domain/stage_description.h"

namespace lowbit::plugin {

/// Every way in which the stage's ports differ from those of its kind (LB4010); `library` is for the text.
[[nodiscard]] Diagnostics check_signature(const StageDescription& stage, const std::string& library);

}  // namespace lowbit::plugin
