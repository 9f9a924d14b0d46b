// The toy stages, one function per stage. They do next to nothing, quickly and without libtorch, each in one way that
// an engine must cope with. For tests and demonstrations; never installed.
#pragma once

#include <lowbit/sdk.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace toy {

// sources.cpp: well-behaved
lowbit::Stage source();
lowbit::Stage seeded_source();
lowbit::Stage constant();
lowbit::Stage concat();
lowbit::Stage env();
// transform.cpp: slow on request, with progress, curves and checkpoints
lowbit::Stage transform();
// misbehaving.cpp (and lie.c)
lowbit::Stage crash();
lowbit::Stage throws();
lowbit::Stage hang();
lowbit::Stage fail_until();
// study.cpp: a whole study in five kinds
lowbit::Stage task();
lowbit::Stage model();
lowbit::Stage quantizer();
lowbit::Stage trainer();
lowbit::Stage evaluator();
lowbit::Stage judge();

/// Every toy that writes text writes this file.
inline constexpr const char* kFile = "data.txt";

void write_text(const std::filesystem::path& file, std::string_view text);
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

}  // namespace toy
