// All stages of all plugins that this lowbit can see. Plugins are known by the description beside them
// (X.so, X.plugin.json), which is believed as long as it names the digest of X.so; only otherwise is a plugin
// described again. One bad plugin is a problem to report, never a reason not to list the others.
//
//   const auto catalog = PluginCatalog::scan(plugin_directories({}, std::getenv("LOWBIT_PLUGIN_PATH")),
//                                            describe_in_child());
//   if (const StageDescription* gptq = catalog.find("lowbit.gptq")) ...
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "base/digest.h"
#include "base/result.h"
#include "domain/stage_description.h"
#include "plugin/describe_in_child.h"

namespace lowbit::plugin {

/// Directories to search, in order and without repetition: `given`, then those in `environment` (a list with colons;
/// null: unset), then ../lib/lowbit/plugins beside the running program, if there is one.
[[nodiscard]] std::vector<std::filesystem::path> plugin_directories(const std::vector<std::filesystem::path>& given,
                                                                    const char* environment);

/// Immutable once scanned; safe to read from any thread. Moving it keeps pointers valid.
class PluginCatalog final : public StageCatalog {
 public:
  PluginCatalog() = default;
  PluginCatalog(const PluginCatalog&) = delete;
  PluginCatalog& operator=(const PluginCatalog&) = delete;
  PluginCatalog(PluginCatalog&&) = default;
  PluginCatalog& operator=(PluginCatalog&&) = default;

  using DigestOf = std::function<Result<Digest>(const std::filesystem::path& library)>;

  /// Reads every *.so in `directories`. A file met twice (same bytes) counts once; a stage id that two different files
  /// offer is offered by neither (LB4015). A directory that cannot be read is LB4016. `digest_of`: digest_of_file()
  /// when empty; one that remembers (plugin/digest_memory.h) saves reading the files.
  [[nodiscard]] static PluginCatalog scan(const std::vector<std::filesystem::path>& directories,
                                          const Describer& describe, const DigestOf& digest_of = {});

  [[nodiscard]] const StageDescription* find(std::string_view id) const override;
  [[nodiscard]] std::vector<std::string> ids() const override;
  /// The plugin that offers stage `id`: its file and digest. Null as find() is.
  [[nodiscard]] const PluginDescription* plugin_of(std::string_view id) const;
  /// In the order they were found.
  [[nodiscard]] const std::vector<PluginDescription>& plugins() const { return plugins_; }
  /// What was wrong with the others.
  [[nodiscard]] const Diagnostics& problems() const { return problems_; }

 private:
  void add_file(const std::filesystem::path& library, const Describer& describe, const DigestOf& digest_of);
  void index_stages();

  std::vector<PluginDescription> plugins_;
  std::map<std::string, std::pair<const PluginDescription*, const StageDescription*>, std::less<>> stages_;
  Diagnostics problems_;
};

}  // namespace lowbit::plugin
