#include <catch2/catch.hpp>

#include <elf.h>

#include "component/plugin/plugin_files.h"
#include "plugin/elf_file.h"
#include "plugin/library.h"

using namespace lowbit;
using namespace lowbit::test;
using plugin::load_plugin;

namespace {

std::string refusal(const std::filesystem::path& file) {
  const auto loaded = load_plugin(file);
  return loaded.ok() ? "loaded" : text_in(file.parent_path(), loaded.error());
}

std::string patched(std::size_t offset, char byte) {
  std::string bytes = read_bytes(kToys / "toy-lie.so");
  bytes.at(offset) = byte;
  return bytes;
}

const std::string kOwn = plugin::own_elf().architecture();

}  // namespace

TEST_CASE("a plugin is loaded and gives its description", "[plugin][library]") {
  const auto loaded = load_plugin(kToys / "toy-lie.so");
  REQUIRE(loaded.ok());
  CHECK(std::string((*loaded)->stages[0]->id) == "lowbit.toy.lie");
}

TEST_CASE("a plugin without a symbol table is still a plugin", "[plugin][library]") {
  CHECK(refusal(kBadPlugins / "stripped.so") == "loaded");
}

TEST_CASE("a relative path is looked up in the working directory, never in the system's library path",
          "[plugin][library]") {
  const auto relative = std::filesystem::relative(kToys / "toy-lie.so");
  CHECK(load_plugin(relative).ok());
  CHECK_FALSE(load_plugin("libc.so.6").ok());
}

TEST_CASE("LB4001: a plugin file that cannot be read", "[plugin][library]") {
  const Scratch dir;
  CHECK(refusal(dir / "a.so") ==
        "error[LB4001]: cannot read the plugin file `DIR/a.so`\n"
        " = note: there is no such file\n"
        " = help: check the path and its permissions\n");
  std::filesystem::create_directory(dir / "d.so");
  CHECK(refusal(dir / "d.so") ==
        "error[LB4001]: cannot read the plugin file `DIR/d.so`\n"
        " = note: it is not a regular file\n"
        " = help: check the path and its permissions\n");
}

TEST_CASE("LB4003: a file that is not a plugin says what was expected and what was found", "[plugin][library]") {
  const Scratch dir;
  write_bytes(dir / "script.so", "#!/bin/sh\n");
  CHECK(refusal(dir / "script.so") ==
        "error[LB4003]: `DIR/script.so` is not a plugin\n"
        " = note: expected: an ELF shared library that exports `lowbit_plugin`\n"
        " = note: found: 10 bytes that are not a complete ELF file\n"
        " = help: check the path, or build the plugin again with lowbit_add_plugin()\n");
  CHECK(refusal(kBadPlugins / "export.so") ==
        "error[LB4003]: `DIR/export.so` is not a plugin\n"
        " = note: expected: a shared library that exports `lowbit_plugin`\n"
        " = note: found: some_plugin\n"
        " = help: write LOWBIT_PLUGIN(...) in one source file and build it with lowbit_add_plugin()\n");
  write_bytes(dir / "program.so", patched(offsetof(Elf64_Ehdr, e_type), ET_EXEC));
  CHECK(refusal(dir / "program.so") ==
        "error[LB4003]: `DIR/program.so` is not a plugin\n"
        " = note: expected: a shared library that exports `lowbit_plugin`\n"
        " = note: found: an ELF file that is not a shared library\n"
        " = help: write LOWBIT_PLUGIN(...) in one source file and build it with lowbit_add_plugin()\n");
}

TEST_CASE("a plugin file cut off anywhere is refused or still whole, and never crashes the reader",
          "[plugin][library]") {
  const Scratch dir;
  const std::string whole = read_bytes(kToys / "toy-lie.so");
  for (std::size_t length = 0; length < whole.size(); length += 61) {
    write_bytes(dir / "cut.so", whole.substr(0, length));
    CHECK_FALSE(plugin::read_elf(dir / "cut.so").has_value());  // the section table stands at the end
  }
}

TEST_CASE("LB4004: a plugin for another kind of machine", "[plugin][library]") {
  const Scratch dir;
  write_bytes(dir / "other.so", patched(offsetof(Elf64_Ehdr, e_machine), static_cast<char>(EM_RISCV)));
  CHECK(refusal(dir / "other.so") ==
        "error[LB4004]: `DIR/other.so` was built for another kind of machine\n"
        " = note: expected: " +
            kOwn +
            "\n"
            " = note: found: RISC-V, 64 bits\n"
            " = help: build the plugin on this machine\n");
  write_bytes(dir / "small.so", patched(EI_CLASS, ELFCLASS32));
  CHECK_THAT(refusal(dir / "small.so"), Catch::StartsWith("error[LB4004]") && Catch::Contains("32 bits"));
}

TEST_CASE("LB4005: the dynamic linker's own words are kept when it refuses a plugin", "[plugin][library]") {
  CHECK(refusal(kBadPlugins / "dependency.so") ==
        "error[LB4005]: `DIR/dependency.so` cannot be loaded\n"
        " = note: the dynamic linker says: libgone.so: cannot open shared object file: No such file or directory\n"
        " = help: install the library it names, or build the plugin again on this machine\n");
  CHECK(refusal(kBadPlugins / "symbol.so") ==
        "error[LB4005]: `DIR/symbol.so` cannot be loaded\n"
        " = note: the dynamic linker says: DIR/symbol.so: undefined symbol: gone\n"
        " = help: build the plugin again with the libraries of this machine\n");
}

TEST_CASE("LB4006: a plugin of another major interface", "[plugin][library]") {
  CHECK(refusal(kBadPlugins / "major.so") ==
        "error[LB4006]: `DIR/major.so` was built for another plugin interface\n"
        " = note: expected: 1.0\n"
        " = note: found: 2.0\n"
        " = help: build the plugin again with the headers of this lowbit\n");
}

TEST_CASE("LB4007: a plugin of a newer minor interface", "[plugin][library]") {
  CHECK(refusal(kBadPlugins / "minor.so") ==
        "error[LB4007]: `DIR/minor.so` was built for another plugin interface\n"
        " = note: expected: 1.0 or older\n"
        " = note: found: 1.1\n"
        " = note: built with: C11 for tests\n"
        " = help: use a newer lowbit, or build the plugin again with the headers of this one\n");
}

TEST_CASE("LB4008: a plugin that returns no description", "[plugin][library]") {
  CHECK(refusal(kBadPlugins / "null.so") ==
        "error[LB4008]: the plugin `DIR/null.so` does not describe itself\n"
        " = note: its `lowbit_plugin` returned a null pointer\n"
        " = help: report this to the plugin's author\n");
}
