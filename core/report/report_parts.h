// A page put together of parts, some of which may be left out so that it stays small. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lowbit::report {

struct PagePart {
  std::string html;
  int rank = 0;               ///< 0: never left out; higher ones go first, of one rank the largest
  std::string what;           ///< "data of figure radar", for people
  std::string instead_of_it;  ///< HTML, in its place
};

/// The parts that have to go so that all together have at most `limit` bytes, or all that can; 0: none. Replaces them.
[[nodiscard]] std::vector<std::string> shrink(std::vector<PagePart>& parts, std::size_t limit);

/// An image inside the page, with a text for those who do not see it. `svg`: a whole document.
[[nodiscard]] std::string embedded_svg(const std::string& svg, const std::string& alternative);

}  // namespace lowbit::report
