// A file that another tool reads, before it is one.
#pragma once

#include <string>

namespace lowbit::interchange {

struct ExportFile {
  std::string path;  ///< relative, parts separated by /
  std::string bytes;
};

}  // namespace lowbit::interchange
