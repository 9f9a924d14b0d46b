// SVG as PDF, by rsvg-convert (Debian: librsvg2-bin): text stays text, fonts are embedded.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace lowbit::cli {

/// Where in PATH rsvg-convert is.
[[nodiscard]] std::optional<std::filesystem::path> pdf_converter();

/// Writes `file`, which is whole or not there. LB6201 where there is no rsvg-convert, LB6202 where it fails.
[[nodiscard]] Result<void> write_pdf(const std::filesystem::path& file, const std::string& svg);

}  // namespace lowbit::cli
