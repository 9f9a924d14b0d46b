#include "exec/externals.h"

#include <map>

#include "env/files.h"
#include "exec/manifest.h"

namespace lowbit::exec {

Result<Externals> digest_externals(const graph::ExpandedGraph& graph, const std::filesystem::path& root,
                                   const store::Store& store) {
  std::map<std::string, const graph::External*> inputs;
  for (const graph::Variant& variant : graph.variants) {
    for (const graph::BoundInput& input : variant.inputs) {
      for (const graph::Member& member : input.members) {
        if (const auto* external = std::get_if<graph::External>(&member.source)) inputs[external->path] = external;
      }
    }
  }
  Externals externals;
  Diagnostics problems;
  for (const auto& [written, input] : inputs) {
    const std::filesystem::path path = std::filesystem::absolute(root / written).lexically_normal();
    if (!env::exists(path)) {
      problems.push_back(error("LB2101", "input `" + input->name + "` does not exist: " + written)
                             .at(input->span, "not found")
                             .note("paths are relative to the experiment file")
                             .fix("put it there, or correct the path"));
      continue;
    }
    auto fingerprint = stat_fingerprint(path);
    if (!fingerprint.ok()) {
      problems.insert(problems.end(), fingerprint.error().begin(), fingerprint.error().end());
      continue;
    }
    if (const auto known = store.external_digest(path.string()); known && known->fingerprint == *fingerprint) {
      externals.digests[written] = known->digest;
      continue;
    }
    const auto manifest = read_manifest(path, true);
    if (!manifest.ok()) {
      problems.insert(problems.end(), manifest.error().begin(), manifest.error().end());
      continue;
    }
    externals.digests[written] = manifest->digest();
    externals.remembered.push_back({path.string(), *fingerprint, manifest->digest()});
  }
  if (!problems.empty()) return problems;
  return externals;
}

}  // namespace lowbit::exec
