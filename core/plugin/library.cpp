#include "plugin/library.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <string_view>
#include <system_error>

#define BOOST_DLL_USE_STD_FS  // NOLINT(readability-identifier-naming): Boost reads it
#include <boost/dll/shared_library.hpp>

#include "base/words.h"
#include "plugin/elf_file.h"
#include "plugin/quoted.h"

namespace lowbit::plugin {
namespace {

constexpr const char* kExport = "lowbit_plugin";
constexpr const char* kNewFile = "check the path, or build the plugin again with lowbit_add_plugin()";

Diagnostic unreadable(const std::filesystem::path& file, const std::string& reason) {
  return error("LB4001", "cannot read the plugin file " + quoted(file))
      .note(reason)
      .fix("check the path and its permissions");
}

std::string first_exports(const ElfFile& elf) {
  if (elf.exports.empty()) return "found: no exported function at all";
  return "found: " + listed(elf.exports, 4);
}

Result<void> check_file(const std::filesystem::path& file) {
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status)) return unreadable(file, "there is no such file");
  if (!std::filesystem::is_regular_file(status)) return unreadable(file, "it is not a regular file");
  if (!std::ifstream(file, std::ios::binary)) return unreadable(file, std::strerror(errno));

  const auto elf = read_elf(file);
  if (!elf) {
    return error("LB4003", quoted(file) + " is not a plugin")
        .note("expected: an ELF shared library that exports `lowbit_plugin`")
        .note("found: " + std::to_string(std::filesystem::file_size(file, failure)) +
              " bytes that are not a complete ELF file")
        .fix(kNewFile);
  }
  if (elf->bits != own_elf().bits || elf->machine != own_elf().machine) {
    return error("LB4004", quoted(file) + " was built for another kind of machine")
        .note("expected: " + own_elf().architecture())
        .note("found: " + elf->architecture())
        .fix("build the plugin on this machine");
  }
  if (!elf->shared_object || !std::binary_search(elf->exports.begin(), elf->exports.end(), kExport)) {
    return error("LB4003", quoted(file) + " is not a plugin")
        .note("expected: a shared library that exports `lowbit_plugin`")
        .note(elf->shared_object ? first_exports(*elf) : "found: an ELF file that is not a shared library")
        .fix("write LOWBIT_PLUGIN(...) in one source file and build it with lowbit_add_plugin()");
  }
  return {};
}

/// Never unloaded: the list is never destroyed. See the header.
const boost::dll::shared_library& keep(boost::dll::shared_library library) {
  static auto& all = *new std::deque<boost::dll::shared_library>;
  return all.emplace_back(std::move(library));
}

Diagnostic refused_by_linker(const std::filesystem::path& file, std::string reason) {
  // Boost puts its own words before those of dlerror(), which names the library or the symbol.
  constexpr std::string_view kPreamble = "dlerror system message: ";
  if (const auto begin = reason.find(kPreamble); begin != std::string::npos) {
    reason = reason.substr(begin + kPreamble.size());
    reason = reason.substr(0, reason.rfind("):"));
  }
  const bool missing = reason.find("cannot open shared object file") != std::string::npos;
  return error("LB4005", quoted(file) + " cannot be loaded")
      .note("the dynamic linker says: " + reason)
      .fix(missing ? "install the library it names, or build the plugin again on this machine"
                   : "build the plugin again with the libraries of this machine");
}

}  // namespace

Result<void> check_interface(const std::filesystem::path& file, std::uint32_t major, std::uint32_t minor,
                             const std::string& build) {
  const auto refuse = [&](const char* code, const char* fix) {
    Diagnostic problem = error(code, quoted(file) + " was built for another plugin interface")
                             .note("expected: " + std::to_string(LB_ABI_MAJOR) + "." + std::to_string(LB_ABI_MINOR) +
                                   (std::string_view(code) == "LB4007" ? " or older" : ""))
                             .note("found: " + std::to_string(major) + "." + std::to_string(minor));
    if (!build.empty()) problem.note("built with: " + build);
    return problem.fix(fix);
  };
  if (major != LB_ABI_MAJOR) return refuse("LB4006", "build the plugin again with the headers of this lowbit");
  if (minor > LB_ABI_MINOR) {
    return refuse("LB4007", "use a newer lowbit, or build the plugin again with the headers of this one");
  }
  return {};
}

namespace {

Result<const lb_plugin*> load_fresh(const std::filesystem::path& file) {
  LB_TRY(check_file(file));
  try {
    namespace dll = boost::dll;
    const lb_plugin* plugin = keep(dll::shared_library(std::filesystem::absolute(file),
                                                       dll::load_mode::rtld_now | dll::load_mode::rtld_local))
                                  .get<const lb_plugin*()>(kExport)();
    if (plugin == nullptr) {
      return error("LB4008", "the plugin " + quoted(file) + " does not describe itself")
          .note("its `lowbit_plugin` returned a null pointer")
          .fix("report this to the plugin's author");
    }
    // Behind another major the rest of the struct is unknown, so `build` is read only when the major fits.
    LB_TRY(check_interface(file, plugin->abi_major, plugin->abi_minor,
                           plugin->abi_major == LB_ABI_MAJOR && plugin->build != nullptr ? plugin->build : ""));
    return plugin;
  } catch (const std::exception& e) {
    return refused_by_linker(file, e.what());
  }
}

}  // namespace

Result<const lb_plugin*> load_plugin(const std::filesystem::path& file) {
  // A job finds what the process that it was forked from has loaded.
  static auto& loaded = *new std::map<std::filesystem::path, const lb_plugin*>;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (const auto known = loaded.find(file); known != loaded.end()) return known->second;
  LB_TRY_ASSIGN(const lb_plugin* const plugin, load_fresh(file));
  return loaded.emplace(file, plugin).first->second;
}

Result<Digest> digest_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return unreadable(file, std::strerror(errno));
  Sha256 sum;
  std::array<char, 65536> buffer{};
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    sum.update(std::string_view(buffer.data(), static_cast<std::size_t>(in.gcount())));
  }
  if (in.bad()) return unreadable(file, "reading it failed");
  return sum.finish();
}

}  // namespace lowbit::plugin
