// An experiment file, the files it names, --set, --sweep and --profile, then plugins, matrix, keys and plan: all that
// `lowbit plan` does with what a person wrote. The input is a case file as in tests/cases/spec and tests/cases/graph;
// one without sections is the experiment file alone. The sections `expect: ..` do not matter here.
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "graph/expand.h"
#include "graph/plan.h"
#include "graph/plan_text.h"
#include "spec/experiment_reader.h"
#include "support/memory_results.h"
#include "support/toy_catalog.h"
#include "unit/spec/spec_text.h"

using namespace lowbit;

namespace {

constexpr const char* kFile = "experiment.yaml";

// What the catalogs of tests/cases/graph have in common, for experiments that come without one.
constexpr const char* kCatalog = R"(
toy.rtn: model:model/1|adapter/1 calib?:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer", "minimum": 2, "maximum": 8}, "group_size": {"type": "integer", "default": 128}}
toy.gptq 1.2.0: model:model/1|adapter/1 calib?:token-batches/1 -> quantized:quantized-model/1; seeded
  {"num_bits": {"type": "integer", "minimum": 2, "maximum": 8}, "actorder": {"type": "string"}}
toy.measure: model?:model/1|quantized-model/1 text?:file -> predictions:predictions/1
toy.pool: models*:quantized-model/1 predictions*:predictions/1 -> report:file; seeded
)";

using Sections = std::map<std::string, std::string, std::less<>>;

Sections sections_of(std::string_view text) {
  Sections sections;
  std::string* into = nullptr;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end);
    if (line.substr(0, 4) == "--- " && line.back() == '\n') {
      into = &sections[std::string(line.substr(4, line.size() - 5))];
    } else if (into != nullptr) {
      into->append(line);
    }
  }
  if (sections.find(kFile) == sections.end()) sections = {{kFile, std::string(text)}};
  return sections;
}

std::vector<std::string> lines_of(const Sections& sections, std::string_view name) {
  std::vector<std::string> lines;
  const auto section = sections.find(name);
  if (section == sections.end()) return lines;
  std::string line;
  for (const char c : section->second) {
    if (c != '\n') {
      line += c;
    } else if (!line.empty()) {
      lines.push_back(std::exchange(line, {}));
    }
  }
  return lines;
}

test::ToyCatalog catalog_of(const Sections& sections) {
  const auto section = sections.find("catalog");
  try {
    if (section != sections.end()) return test::ToyCatalog(section->second);
  } catch (const std::exception&) {  // not a catalog: of a test, not of a user
  }
  return test::ToyCatalog(kCatalog);
}

Result<ExperimentSpec> read(const Sections& sections) {
  const auto arguments = [&](const std::string& option) {
    std::vector<spec::Override> all;
    for (const std::string& line : lines_of(sections, option)) {
      const std::string name = "--" + option + " #" + std::to_string(all.size() + 1);
      all.push_back({std::make_shared<const SourceText>(SourceText{name, line})});
    }
    return all;
  };
  const std::vector<std::string> profile = lines_of(sections, "profile");
  const auto load = [&](const std::string& name) -> Result<std::shared_ptr<const SourceText>> {
    const auto section = sections.find(name);
    if (section == sections.end()) return error("LB4001", "no such file");
    return std::make_shared<const SourceText>(SourceText{name, section->second});
  };
  return spec::read_experiment(std::make_shared<const SourceText>(SourceText{kFile, sections.at(kFile)}),
                               {.overrides = arguments("set"),
                                .sweeps = arguments("sweep"),
                                .profile = profile.empty() ? "" : profile.front(),
                                .load = load});
}

void plan(const graph::ExpandedGraph& graph) {
  graph::ExternalDigests externals;
  for (const graph::Variant& variant : graph.variants) {
    for (const graph::BoundInput& input : variant.inputs) {
      for (const graph::Member& member : input.members) {
        if (const auto* external = std::get_if<graph::External>(&member.source)) {
          externals[external->path] = sha256(external->path);
        }
      }
    }
  }
  const graph::Plan plan = graph::make_plan(graph, externals, {}, test::MemoryResults(), {});
  test::require(plan.variants.size() == graph.variants.size(), "every variant is planned");
  test::require(!graph::plan_text(graph, plan, {.details = true}).empty(), "a plan can be shown");
  test::require(graph::plan_json(graph, plan).is_object(), "a plan can be given to programs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Sections sections = sections_of({reinterpret_cast<const char*>(data), size});
  const Result<ExperimentSpec> spec = read(sections);
  if (!spec.ok()) {
    test::require_explained(spec.error());
    return 0;
  }
  test::require(!test::spec_text(*spec, kFile).empty(), "what was read can be shown");
  const test::ToyCatalog catalog = catalog_of(sections);
  const Result<graph::ExpandedGraph> graph = graph::expand(*spec, catalog);
  if (graph.ok()) {
    plan(*graph);
  } else {
    test::require_explained(graph.error());
  }
  return 0;
}
