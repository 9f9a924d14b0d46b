// What a plugin says about a stage it offers, known without running it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/result.h"

namespace lowbit {

/// Numbers are those of plugin_abi.h and are written to disk.
enum class StageKind { quantizer = 1, trainer = 2, evaluator = 3, judge = 4, dataset = 5 };

[[nodiscard]] std::string_view name_of(StageKind kind);
[[nodiscard]] std::optional<StageKind> stage_kind(std::string_view name);

struct PortDescription {
  std::string name;                ///< "model"
  std::vector<std::string> types;  ///< alternatives, "model/1", "adapter/1"; never empty
  std::string doc;
  bool optional = false;
  bool many = false;  ///< accepts a gathered binding

  [[nodiscard]] bool accepts(std::string_view type) const;
};

struct StageDescription {
  std::string id;       ///< "lowbit.gptq"
  std::string version;  ///< enters the key
  StageKind kind = StageKind::dataset;
  std::string summary;
  Json params_schema;  ///< JSON Schema draft-07 object, closed
  std::vector<PortDescription> inputs;
  std::vector<PortDescription> outputs;
  std::vector<std::string> environment;  ///< variables its jobs may see
  bool seeded = false;
  bool device_sensitive = false;
  bool resumable = false;
  bool cuda = false;
  bool preload = false;

  [[nodiscard]] const PortDescription* input(std::string_view port) const;
  [[nodiscard]] const PortDescription* output(std::string_view port) const;
};

/// One plugin file with everything in it.
struct PluginDescription {
  std::filesystem::path library;
  Digest library_digest;  ///< SHA-256 of the file that was described
  std::uint32_t abi_major = 0;
  std::uint32_t abi_minor = 0;
  std::string build;
  std::vector<StageDescription> stages;
};

[[nodiscard]] Json to_json(const StageDescription& stage);
/// The form of `*.plugin.json` (schemas/plugin-description.schema.json). `library` is not part of it.
[[nodiscard]] Json to_json(const PluginDescription& description);
[[nodiscard]] Result<PluginDescription> plugin_description(const Json& json);

/// Where stages are looked up by id.
class StageCatalog {
 public:
  virtual ~StageCatalog() = default;
  /// Null when no plugin offers it. The pointer lives as long as the catalog.
  [[nodiscard]] virtual const StageDescription* find(std::string_view id) const = 0;
  [[nodiscard]] virtual std::vector<std::string> ids() const = 0;
};

}  // namespace lowbit
