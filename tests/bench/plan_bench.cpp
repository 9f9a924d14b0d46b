// What planning takes: reading a study of so many variants, expanding it, deciding on a project without results, and
// deciding that nothing is to be done when all of them have been made. A fifth of the variants are the first stage, the
// others hang on them. Prints times, the exponent that fits them, and the peak memory of the process.
//
//   build/release/tests/plan_bench
#include <stdlib.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "bench/options.h"
#include "graph/expand.h"
#include "graph/keys.h"
#include "graph/plan.h"
#include "spec/experiment_reader.h"
#include "store/sqlite/open.h"
#include "support/toy_catalog.h"

namespace {

using namespace lowbit;
namespace fs = std::filesystem;

constexpr const char* kCatalog =
    "toy.make: text:file -> made:file\n  {\"x\": {\"type\": \"integer\"}, \"y\": {\"type\": \"integer\"}}\n"
    "toy.use: made:file -> used:file\n  {\"z\": {\"type\": \"integer\"}}\n";

/// 5 * 100 * n variants.
std::string study(int64_t n) {
  std::string text = "experiment: plan\nmatrix:\n  x: [";
  for (int64_t i = 0; i < n; ++i) text += (i == 0 ? "" : ", ") + std::to_string(i);
  text += "]\n  y: [";
  for (int64_t i = 0; i < 100; ++i) text += (i == 0 ? "" : ", ") + std::to_string(i);
  return text +
         "]\n  z: [0, 1, 2, 3]\ninputs:\n  text: {type: file, path: text}\nstages:\n"
         "  - {id: make, use: toy.make, with: {text: inputs.text}, params: {x: \"${x}\", y: \"${y}\"}}\n"
         "  - {id: use, use: toy.use, with: {made: make.made}, params: {z: \"${z}\"}}\n";
}

template <class T>
T must(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fputs(render(result.error()).c_str(), stderr);
  std::exit(1);
}

template <class Work>
double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Row {
  double variants, expand, plan, nothing;
};

/// Stores a result for every variant, with one file that all of them share.
void make_all(const graph::ExpandedGraph& graph, graph::Plan& plan, const Digest& text, store::Store& store,
              std::int64_t run) {
  const auto artifact_of = [&](const graph::Member& member) -> std::optional<ArtifactRef> {
    const auto* produced = std::get_if<graph::Produced>(&member.source);
    if (produced == nullptr) return ArtifactRef{"file", text};
    return plan.variants[produced->producer].result->outputs.at(produced->port);
  };
  std::vector<store::Publication> group;
  for (graph::PlannedVariant& planned : plan.variants) {
    const graph::Variant& variant = graph.variants[planned.variant];
    const graph::Key content = graph::content_key_for(planned.own, variant, artifact_of);
    const std::string port = variant.plugin->outputs.front().name;
    store::Publication p;
    p.attempt_id = must(store.begin_attempt(
        run, {.content_key = content.digest, .nonce = "n", .directory = "w", .stage_label = variant.label()}));
    p.provenance_key = planned.provenance.digest;
    p.result.content_key = content.digest;
    p.result.content_record = content.record;
    p.result.outputs[port] = {"file", sha256(content.digest.hex())};
    p.own_record = planned.own;
    p.stage_id = variant.plugin->id;
    p.stage_kind = "dataset";
    p.result_directory = "shared";
    p.outputs.push_back({.port = port, .artifact = p.result.outputs[port], .path = "shared/file"});
    planned.result = p.result;
    group.push_back(std::move(p));
    if (group.size() < 1000 && &planned != &plan.variants.back()) continue;
    must(store.publish(group, false));
    group.clear();
  }
}

Row measure(int64_t n) {
  std::string name = (fs::temp_directory_path() / "lowbit-plan-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) std::exit(1);
  const fs::path directory = name;
  fs::create_directory(directory / "shared");
  std::ofstream(directory / "shared/file") << "x";
  const test::ToyCatalog catalog(kCatalog);
  const Digest text = sha256("text");
  const graph::ExternalDigests externals{{"text", text}};
  Row row{};
  {
    auto store = must(store::open_sqlite(directory / "results.db", store::Access::read_write));
    must(store->take_lease("host", "boot", 1));
    const std::int64_t run = must(store->begin_run("plan", "plan.yaml", "", Json::object()));
    graph::ExpandedGraph graph;
    row.expand = seconds([&] {
      const auto source = std::make_shared<const SourceText>(SourceText{"plan.yaml", study(n)});
      graph = must(graph::expand(must(spec::read_experiment(source)), catalog));
    });
    row.variants = static_cast<double>(graph.variants.size());
    std::optional<graph::Plan> plan;
    row.plan = seconds([&] { plan = graph::make_plan(graph, externals, {}, *store, {}); });
    make_all(graph, *plan, text, *store, run);
    plan.reset();
    store.reset();  // the next command opens it anew
    store = must(store::open_sqlite(directory / "results.db", store::Access::read_write));
    row.nothing = seconds([&] { plan = graph::make_plan(graph, externals, {}, *store, {}); });
    if (plan->count(graph::Decision::reuse) != graph.variants.size()) std::exit(1);
  }
  fs::remove_all(directory);
  return row;
}

double exponent(const Row& small, const Row& large, double Row::*time) {
  return std::log(large.*time / small.*time) / std::log(large.variants / small.variants);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv, {{"variants", "1000,10000,100000"}});
  std::printf("%10s %12s %12s %14s\n", "variants", "expand, ms", "plan, ms", "nothing, ms");
  std::vector<Row> rows;
  for (const int64_t variants : options.numbers("variants")) {
    rows.push_back(measure(std::max<int64_t>(1, variants / 500)));
    const Row& row = rows.back();
    std::printf("%10.0f %12.1f %12.1f %14.1f\n", row.variants, 1e3 * row.expand, 1e3 * row.plan, 1e3 * row.nothing);
    (void)std::fflush(stdout);
  }
  if (rows.size() > 1) {
    std::printf("%10s %12.2f %12.2f %14.2f\n", "exponent", exponent(rows.front(), rows.back(), &Row::expand),
                exponent(rows.front(), rows.back(), &Row::plan), exponent(rows.front(), rows.back(), &Row::nothing));
  }
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory %.0f MiB, the study as text and the writing of its results included\n",
              static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}
