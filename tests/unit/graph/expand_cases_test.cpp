// tests/cases/graph: an experiment file and a catalog of toy plugins (support/toy_catalog.h), and what expanding it
// gives. Cases are named after the sentences of the Semantics paragraph; error-*.case after what is wrong.
//   expect: graph                 the whole expanded graph (graph_text.h), or the diagnostics
//   expect: graph --skip-missing  the same without stages that no plugin offers
#include <catch2/catch.hpp>

#include <memory>

#include "graph/expand.h"
#include "spec/experiment_reader.h"
#include "support/case_file.h"
#include "support/toy_catalog.h"
#include "unit/graph/graph_text.h"

namespace lowbit::test {
namespace {

constexpr const char* kFile = "experiment.yaml";

std::string expand_case(const CaseFile& file, std::string_view expected) {
  const bool skip = expected == "graph --skip-missing";
  REQUIRE((skip || expected == "graph"));
  const auto source = std::make_shared<const SourceText>(SourceText{kFile, file.text_of(kFile)});
  const Result<ExperimentSpec> spec = spec::read_experiment(source, {});
  if (!spec) return "this is for the reader of the file to say:\n" + render(spec.error());
  const ToyCatalog catalog(file.text_of("catalog"));
  const Result<graph::ExpandedGraph> graph =
      graph::expand(*spec, catalog, skip ? graph::MissingPlugin::left_out : graph::MissingPlugin::refused);
  return graph ? graph_text(*graph) : render(graph.error());
}

TEST_CASE("every case of tests/cases/graph expands as it expects", "[graph][cases]") {
  for (const auto& path : case_files(LOWBIT_SOURCE_DIR "/tests/cases/graph")) check_case(path, expand_case);
}

}  // namespace
}  // namespace lowbit::test
