// What an ELF file is and offers, read without loading it: nothing of the file is executed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lowbit::plugin {

struct ElfFile {
  unsigned bits = 0;          ///< 32 or 64
  std::uint16_t machine = 0;  ///< EM_*
  bool shared_object = false;
  /// Names the dynamic linker can find, sorted; read only when `bits` are those of this program.
  std::vector<std::string> exports;

  /// "x86-64, 64 bits"
  [[nodiscard]] std::string architecture() const;
};

/// Empty when `file` is not an ELF file or is cut off.
[[nodiscard]] std::optional<ElfFile> read_elf(const std::filesystem::path& file);

/// The running program itself.
[[nodiscard]] const ElfFile& own_elf();

}  // namespace lowbit::plugin
