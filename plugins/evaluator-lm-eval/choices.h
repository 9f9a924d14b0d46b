// Questions with choices, as lm-evaluation-harness asks them: one request a choice.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "samples_file.h"

namespace lowbit::lm_eval {

/// Requests that are one choice each: with acc_mutual_info those behind them ask for the choices without the question.
[[nodiscard]] std::size_t n_choices(const Sample& sample);
/// The continuations; where all are the same (WinoGrande), the prompts.
[[nodiscard]] std::vector<std::string> choices_of(const Sample& sample);
/// The right one, from 0. Throws StageError{LB_BAD_INPUT} where the target names none of the choices, or several.
[[nodiscard]] std::size_t answer_index_of(const Sample& sample);

}  // namespace lowbit::lm_eval
