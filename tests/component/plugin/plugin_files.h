// Places that the plugin tests share.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/diagnostic.h"

namespace lowbit::test {

inline const std::filesystem::path kProgram = LOWBIT_PROGRAM;
inline const std::filesystem::path kBadPlugins = LOWBIT_BAD_PLUGINS;
inline const std::filesystem::path kToys = LOWBIT_BINARY_DIR "/lib/lowbit/toy-plugins";

/// A fresh directory that goes with the test.
class Scratch {
 public:
  Scratch() {
    std::string form = (std::filesystem::temp_directory_path() / "lowbit-test-XXXXXX").string();
    path_ = mkdtemp(form.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// The rendered text with every `directory` in it written as DIR.
inline std::string text_in(const std::filesystem::path& directory, const Diagnostics& problems) {
  std::string text = render(problems);
  const std::string name = directory.string();
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) text.replace(at, name.size(), "DIR");
  return text;
}

}  // namespace lowbit::test
