#include "plugin/describe.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <string_view>

#include "domain/artifact_type.h"
#include "plugin/kind_signature.h"
#include "plugin/library.h"
#include "plugin/params_schema.h"
#include "plugin/quoted.h"

namespace lowbit::plugin {
namespace {

constexpr std::uint32_t kKnownCaps =
    LB_CAP_RESUME | LB_CAP_SEEDED | LB_CAP_DEVICE_SENSITIVE | LB_CAP_CUDA | LB_CAP_PRELOAD;
constexpr std::uint32_t kKnownPortFlags = LB_PORT_OPTIONAL | LB_PORT_MANY;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; }

template <class Accept>
bool all(std::string_view text, Accept accept) {
  return !text.empty() && std::all_of(text.begin(), text.end(), accept);
}

/// Words of lower-case letters, digits, - and _ with dots between them, two at least: "lowbit.gptq".
bool is_stage_id(std::string_view id) {
  std::size_t words = 0;
  for (std::size_t begin = 0; begin <= id.size(); ++words) {
    const std::size_t end = std::min(id.find('.', begin), id.size());
    if (!all(id.substr(begin, end - begin), is_word)) return false;
    begin = end + 1;
  }
  return words >= 2;
}

bool is_version(std::string_view version) {
  return all(version, [](char c) {
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '+';
  });
}

bool is_port_name(std::string_view name) {
  return all(name, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; }) && is_lower(name.front());
}

bool is_variable_name(std::string_view name) {
  return all(name, [](char c) { return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || c == '_'; }) &&
         !is_digit(name.front());
}

std::string known_types(const std::string& type) {
  std::vector<std::string> names;
  for (const ArtifactType& known : artifact_types()) names.emplace_back(known.name);
  const std::string near = nearest(type, names);
  return near.empty() ? "use a type of docs/artifacts.md" : "a similar type exists: `" + near + "`";
}

std::string_view text_of(const char* text) { return text == nullptr ? std::string_view{} : std::string_view{text}; }

std::vector<std::string> alternatives(std::string_view types) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= types.size();) {
    const std::size_t end = std::min(types.find('|', begin), types.size());
    out.emplace_back(types.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

/// Copies what C pointers say; what cannot be copied is a problem.
class DescriptionReader {
 public:
  explicit DescriptionReader(std::string library) : library_(std::move(library)) {}

  StageDescription stage(const lb_stage& s) {
    StageDescription out;
    out.id = text_of(s.id);
    out.version = text_of(s.version);
    out.summary = text_of(s.summary);
    subject_ = "stage `" + out.id + "` of " + library_;
    if (s.kind < LB_QUANTIZER || s.kind > LB_DATASET) {
      report("has the unknown kind " + std::to_string(s.kind), "use one of LB_QUANTIZER … LB_DATASET");
    } else {
      out.kind = static_cast<StageKind>(s.kind);
    }
    if (s.run == nullptr) report("has no run function", "set lb_stage.run");
    if ((s.caps & ~kKnownCaps) != 0) report("has unknown bits in caps", "use LB_CAP_* only");
    out.params_schema = Json::parse(text_of(s.params_schema), nullptr, false);
    if (out.params_schema.is_discarded())
      report("has a params_schema that is not JSON", "correct lb_stage.params_schema");
    out.inputs = ports(s.inputs, "input");
    out.outputs = ports(s.outputs, "output");
    for (auto name = s.environment; name != nullptr && *name != nullptr; ++name) out.environment.emplace_back(*name);
    const auto has = [&](std::uint32_t cap) { return (s.caps & cap) != 0; };
    out.seeded = has(LB_CAP_SEEDED);
    out.device_sensitive = has(LB_CAP_DEVICE_SENSITIVE);
    out.resumable = has(LB_CAP_RESUME);
    out.cuda = has(LB_CAP_CUDA);
    out.preload = has(LB_CAP_PRELOAD);
    return out;
  }

  void report(const std::string& found, const std::string& fix) {
    problems.push_back(error("LB4009", subject_ + " " + found).fix(fix));
  }

  Diagnostics problems;

 private:
  std::vector<PortDescription> ports(const lb_port* const* list, const std::string& side) {
    std::vector<PortDescription> out;
    if (list == nullptr) {
      report("has no list of " + side + "s", "use a list that holds NULL alone when there are none");
      return out;
    }
    for (; *list != nullptr; ++list) {
      const lb_port& p = **list;
      out.push_back({.name = std::string(text_of(p.name)),
                     .types = alternatives(text_of(p.type)),
                     .doc = std::string(text_of(p.doc)),
                     .optional = (p.flags & LB_PORT_OPTIONAL) != 0,
                     .many = (p.flags & LB_PORT_MANY) != 0});
      if ((p.flags & ~kKnownPortFlags) != 0) {
        report("has unknown flags on " + side + " `" + out.back().name + "`", "use LB_PORT_* only");
      }
    }
    return out;
  }

  std::string library_;
  std::string subject_;
};

class DescriptionChecker {
 public:
  DescriptionChecker(const StageDescription& stage, const std::string& library)
      : stage_(stage), library_(library), subject_("stage `" + stage.id + "` of " + library) {}

  Diagnostics check() {
    if (!is_stage_id(stage_.id)) {
      report("needs another id", "name it as VENDOR.METHOD in lower-case letters, digits, - and _: `lowbit.gptq`");
    }
    if (!is_version(stage_.version)) {
      report("has no valid version", "give one such as 1.0.0, and change it whenever a number changes");
    }
    if (stage_.summary.empty() || stage_.summary.find('\n') != std::string::npos) {
      report("has no summary of one line", "say in one sentence what the stage does");
    }
    check_ports(stage_.inputs, "input");
    check_ports(stage_.outputs, "output");
    if (stage_.outputs.empty()) report("has no output", "declare what it writes");
    for (const PortDescription& port : stage_.outputs) {
      if (port.types.size() != 1)
        report("has output `" + port.name + "` of several types", "declare the one it writes");
      if (port.many) report("has a gathered output `" + port.name + "`", "gather at the input that reads it");
    }
    for (const std::string& name : stage_.environment) {
      if (!is_variable_name(name)) {
        report("asks for the environment variable `" + name + "`", "use letters, digits and _");
      }
    }
    append(check_signature(stage_, library_));
    append(check_params_schema(stage_.params_schema, subject_));
    return std::move(problems_);
  }

 private:
  void check_ports(const std::vector<PortDescription>& ports, const std::string& side) {
    std::set<std::string> seen;
    for (const PortDescription& port : ports) {
      const std::string name = side + " `" + port.name + "`";
      if (!is_port_name(port.name)) {
        report("has " + name, "name ports in lower-case letters, digits and _, a letter first");
      }
      if (!seen.insert(port.name).second) report("has " + name + " twice", "rename one of them");
      if (port.doc.empty()) report("does not say what " + name + " is", "document the port in one sentence");
      for (const std::string& type : port.types) {
        if (find_artifact_type(type) == nullptr)
          report("has " + name + " of unknown type `" + type + "`", known_types(type));
      }
    }
  }

  void report(const std::string& found, const std::string& fix) {
    problems_.push_back(error("LB4009", subject_ + " " + found).fix(fix));
  }
  void append(Diagnostics more) {
    problems_.insert(problems_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  const StageDescription& stage_;
  const std::string& library_;
  std::string subject_;
  Diagnostics problems_;
};

}  // namespace

Diagnostics check_description(const PluginDescription& plugin) {
  const std::string library = quoted(plugin.library.filename());
  Diagnostics problems;
  if (plugin.stages.empty()) {
    problems.push_back(
        error("LB4009", "the plugin " + library + " has no stages").fix("list them in LOWBIT_PLUGIN(...)"));
  }
  std::set<std::string> ids;
  for (const StageDescription& stage : plugin.stages) {
    if (!ids.insert(stage.id).second) {
      problems.push_back(
          error("LB4009", "the plugin " + library + " has stage `" + stage.id + "` twice").fix("rename one of them"));
    }
    Diagnostics more = DescriptionChecker(stage, library).check();
    problems.insert(problems.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return problems;
}

Result<PluginDescription> describe(const lb_plugin& plugin, const std::filesystem::path& library,
                                   const Digest& library_digest) {
  PluginDescription out;
  out.library = library;
  out.library_digest = library_digest;
  out.abi_major = plugin.abi_major;
  out.abi_minor = plugin.abi_minor;
  out.build = text_of(plugin.build);

  DescriptionReader reader(quoted(library.filename()));
  for (auto stage = plugin.stages; stage != nullptr && *stage != nullptr; ++stage) {
    constexpr std::size_t kFirstSize = offsetof(lb_stage, run) + sizeof(lb_stage::run);  // of interface 1.0
    if ((*stage)->size < kFirstSize) {
      return error("LB4009", "a stage of " + quoted(library.filename()) + " has a struct of " +
                                 std::to_string((*stage)->size) + " bytes, the interface needs " +
                                 std::to_string(kFirstSize))
          .fix("set lb_stage.size to sizeof(lb_stage)");
    }
    out.stages.push_back(reader.stage(**stage));
  }
  if (!reader.problems.empty()) return std::move(reader.problems);
  if (Diagnostics problems = check_description(out); !problems.empty()) return problems;
  return out;
}

Result<PluginDescription> describe_file(const std::filesystem::path& library) {
  LB_TRY_ASSIGN(const Digest digest, digest_of_file(library));
  LB_TRY_ASSIGN(const lb_plugin* plugin, load_plugin(library));
  return describe(*plugin, library, digest);
}

}  // namespace lowbit::plugin
