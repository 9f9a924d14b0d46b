#include "plugin/elf_file.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <fstream>

namespace lowbit::plugin {
namespace {

using Header = ElfW(Ehdr);
using Section = ElfW(Shdr);
using Symbol = ElfW(Sym);

/// Reads whole objects at offsets and never past the end of the file.
class ElfReader {
 public:
  explicit ElfReader(const std::filesystem::path& file) : in_(file, std::ios::binary) {
    std::error_code ignored;
    const auto bytes = std::filesystem::file_size(file, ignored);
    bytes_ = ignored ? 0 : bytes;
  }

  template <class T>
  [[nodiscard]] std::optional<std::vector<T>> read(std::uint64_t offset, std::uint64_t count) {
    if (offset > bytes_ || count > (bytes_ - offset) / sizeof(T)) return std::nullopt;
    std::vector<T> objects(count);
    const auto size = static_cast<std::streamsize>(count * sizeof(T));
    in_.seekg(static_cast<std::streamoff>(offset));
    if (!in_.read(reinterpret_cast<char*>(objects.data()), size)) return std::nullopt;
    return objects;
  }

 private:
  std::ifstream in_;
  std::uint64_t bytes_ = 0;
};

unsigned char visibility_of(const Symbol& symbol) { return symbol.st_other & 0x3U; }

bool is_export(const Symbol& symbol) {
  const unsigned binding = symbol.st_info >> 4U;
  const bool global = binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE;
  return global && symbol.st_shndx != SHN_UNDEF &&
         (visibility_of(symbol) == STV_DEFAULT || visibility_of(symbol) == STV_PROTECTED);
}

// .dynsym is what dlsym() searches; unlike .symtab it survives `strip`.
std::optional<std::vector<std::string>> read_exports(ElfReader& reader, const Header& header) {
  const auto sections = reader.read<Section>(header.e_shoff, header.e_shnum);
  if (!sections) return std::nullopt;
  std::vector<std::string> names;
  for (const Section& section : *sections) {
    if (section.sh_type != SHT_DYNSYM) continue;
    if (section.sh_link >= sections->size()) return std::nullopt;
    const Section& strings = (*sections)[section.sh_link];
    const auto symbols = reader.read<Symbol>(section.sh_offset, section.sh_size / sizeof(Symbol));
    const auto text = reader.read<char>(strings.sh_offset, strings.sh_size);
    if (!symbols || !text) return std::nullopt;
    for (const Symbol& symbol : *symbols) {
      if (!is_export(symbol) || symbol.st_name >= text->size()) continue;
      const char* begin = text->data() + symbol.st_name;
      names.emplace_back(begin, strnlen(begin, text->size() - symbol.st_name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string machine_name(std::uint16_t machine) {
  switch (machine) {
    case EM_386: return "x86";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "ARM";
    case EM_AARCH64: return "AArch64";
    case EM_RISCV: return "RISC-V";
    case EM_PPC64: return "POWER";
    default: return "machine " + std::to_string(machine);
  }
}

}  // namespace

std::string ElfFile::architecture() const { return machine_name(machine) + ", " + std::to_string(bits) + " bits"; }

std::optional<ElfFile> read_elf(const std::filesystem::path& file) {
  ElfReader reader(file);
  const auto headers = reader.read<Header>(0, 1);
  if (!headers || std::memcmp(headers->front().e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  const Header& header = headers->front();
  ElfFile elf;
  elf.bits = header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32;
  elf.machine = header.e_machine;  // type and machine stand at the same place in files of 32 and of 64 bits
  elf.shared_object = header.e_type == ET_DYN;
  constexpr unsigned kOwnBits = sizeof(void*) * 8;
  if (elf.bits != kOwnBits) return elf;
  auto exports = read_exports(reader, header);
  if (!exports) return std::nullopt;
  elf.exports = *std::move(exports);
  return elf;
}

const ElfFile& own_elf() {
  static const ElfFile own = read_elf("/proc/self/exe").value_or(ElfFile{});
  return own;
}

}  // namespace lowbit::plugin
