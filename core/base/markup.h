// Text inside XML, SVG and HTML.
#pragma once

#include <string>
#include <string_view>

namespace lowbit {

/// For element content and attributes; what XML cannot hold stands as U+FFFD.
[[nodiscard]] std::string escaped_xml(std::string_view text);

}  // namespace lowbit
