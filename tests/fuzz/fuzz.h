// A fuzz target is one function from bytes to 0, with libFuzzer's name and signature: it must come back from whatever
// bytes it is given. Built by clang with LOWBIT_FUZZ it is driven by libFuzzer (scripts/fuzz), else by replay_main.cpp,
// which gives it the inputs below tests/fuzz/corpus, so that what was found once stays found in every build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/diagnostic.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace lowbit::test {

/// Ends the process with `what` when a promise does not hold: to the fuzzer that is a crash.
void require(bool holds, std::string_view what);

/// A refusal names a problem, and every place in it lies within its text.
void require_explained(const Diagnostics& problems);

/// A directory of this process, empty at first, gone at its end.
[[nodiscard]] const std::string& scratch_directory();

}  // namespace lowbit::test
