#include "plugin/catalog.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

#include "plugin/describe.h"
#include "plugin/library.h"

namespace lowbit::plugin {
namespace fs = std::filesystem;
namespace {

/// The description beside the library, when it is of these very bytes. A side-car is only a saved answer: one that is
/// missing, old or damaged is asked for again.
Result<PluginDescription> read_or_describe(const fs::path& library, const Digest& digest, const Describer& describe) {
  fs::path side_car = library;
  side_car.replace_extension(".plugin.json");
  if (std::ifstream in(side_car, std::ios::binary); in) {
    auto saved = plugin_description(Json::parse(in, nullptr, false));
    if (saved.ok() && saved->library_digest == digest) {
      saved->library = library;
      return saved;
    }
  }
  return describe(library);
}

Result<std::vector<fs::path>> libraries_in(const fs::path& directory) {
  std::error_code failure;
  std::vector<fs::path> files;
  for (fs::directory_iterator it(directory, failure), end; !failure && it != end; it.increment(failure)) {
    if (it->path().extension() == ".so") files.push_back(it->path());
  }
  if (failure) {
    return error("LB4016", "cannot search the plugin directory `" + directory.string() + "`")
        .note(failure.message())
        .fix("correct LOWBIT_PLUGIN_PATH or the option that names it");
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<fs::path> plugin_directories(const std::vector<fs::path>& given, const char* environment) {
  std::vector<fs::path> wanted = given;
  const std::string list = environment == nullptr ? "" : environment;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) wanted.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  std::error_code failure;
  const fs::path own = fs::read_symlink("/proc/self/exe", failure).parent_path().parent_path() / "lib/lowbit/plugins";
  if (!failure && fs::is_directory(own, failure)) wanted.push_back(own);

  std::vector<fs::path> out;
  std::vector<fs::path> seen;
  for (const fs::path& directory : wanted) {
    const fs::path real = fs::weakly_canonical(directory, failure);
    if (std::find(seen.begin(), seen.end(), real) != seen.end()) continue;
    seen.push_back(real);
    out.push_back(directory);
  }
  return out;
}

PluginCatalog PluginCatalog::scan(const std::vector<fs::path>& directories, const Describer& describe,
                                  const DigestOf& digest_of) {
  PluginCatalog catalog;
  for (const fs::path& directory : directories) {
    const auto libraries = libraries_in(directory);
    if (!libraries.ok()) {
      catalog.problems_.insert(catalog.problems_.end(), libraries.error().begin(), libraries.error().end());
      continue;
    }
    for (const fs::path& library : *libraries) catalog.add_file(library, describe, digest_of);
  }
  catalog.index_stages();
  return catalog;
}

void PluginCatalog::add_file(const fs::path& library, const Describer& describe, const DigestOf& digest_of) {
  const auto accept = [&]() -> Result<void> {
    LB_TRY_ASSIGN(const Digest digest, digest_of ? digest_of(library) : digest_of_file(library));
    const auto is_same = [&](const PluginDescription& p) { return p.library_digest == digest; };
    if (std::any_of(plugins_.begin(), plugins_.end(), is_same)) return {};
    LB_TRY_ASSIGN(PluginDescription plugin, read_or_describe(library, digest, describe));
    LB_TRY(check_interface(library, plugin.abi_major, plugin.abi_minor, plugin.build));
    if (Diagnostics problems = check_description(plugin); !problems.empty()) return problems;
    plugins_.push_back(std::move(plugin));
    return {};
  };
  const Result<void> accepted = accept();
  if (accepted.ok()) return;
  for (Diagnostic problem : accepted.error()) {
    // Another library that lies among the plugins is no mistake of the user's.
    if (problem.code == "LB4003") problem.severity = Severity::warning;
    problems_.push_back(std::move(problem));
  }
}

void PluginCatalog::index_stages() {
  std::map<std::string, std::vector<const PluginDescription*>> offers;
  for (const PluginDescription& plugin : plugins_) {
    for (const StageDescription& stage : plugin.stages) {
      offers[stage.id].push_back(&plugin);
      stages_[stage.id] = {&plugin, &stage};
    }
  }
  for (const auto& [id, plugins] : offers) {
    if (plugins.size() == 1) continue;
    Diagnostic problem = error("LB4015", "several plugins offer the stage `" + id + "`");
    for (const PluginDescription* plugin : plugins) problem.note("offered by " + plugin->library.string());
    problems_.push_back(
        problem.fix("remove all but one of these files, or rename the stage in the plugin that is yours"));
    stages_.erase(id);
  }
}

const StageDescription* PluginCatalog::find(std::string_view id) const {
  const auto it = stages_.find(id);
  return it == stages_.end() ? nullptr : it->second.second;
}

const PluginDescription* PluginCatalog::plugin_of(std::string_view id) const {
  const auto it = stages_.find(id);
  return it == stages_.end() ? nullptr : it->second.first;
}

std::vector<std::string> PluginCatalog::ids() const {
  std::vector<std::string> out;
  for (const auto& [id, offer] : stages_) out.push_back(id);
  return out;
}

}  // namespace lowbit::plugin
