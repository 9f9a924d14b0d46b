// What planning takes: reading a study of so many variants and expanding it, deciding on a project without results, and
// deciding that nothing is to be done when all of them have been made. A fifth of the variants are the first stage, the
// others hang on them. Prints the least times of some rounds, the exponent that fits them, and the peak memory of a
// process that does all three.
//
//   build/release/tests/plan_bench [--variants 1000,10000,100000] [--rounds 3] [--clock wall|cpu]
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
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

/// What `make` gives. `seconds` is the least of several rounds: what other work on the machine adds is no part of it.
template <class Make>
auto timed(int64_t rounds, double& seconds, const Make& make) {
  std::optional<std::invoke_result_t<Make>> made;
  seconds = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < rounds; ++i) {
    made.reset();
    seconds = std::min(seconds, bench::seconds([&] { made.emplace(make()); }));
  }
  return *std::move(made);
}

struct Row {
  double variants = 0;
  double expand = 0, plan = 0, nothing = 0;  ///< seconds
};

graph::ExpandedGraph expanded(int64_t n, const test::ToyCatalog& catalog) {
  const auto source = std::make_shared<const SourceText>(SourceText{"plan.yaml", study(n)});
  return must(graph::expand(must(spec::read_experiment(source)), catalog));
}

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

const Digest& text_digest() {
  static const Digest digest = sha256("text");
  return digest;
}

/// Plans on a project without results, and writes those of all variants.
void make(int64_t n, const fs::path& directory) {
  const test::ToyCatalog catalog(kCatalog);
  fs::create_directory(directory / "shared");
  std::ofstream(directory / "shared/file") << "x";
  auto store = must(store::open_sqlite(directory / "results.db", store::Access::read_write));
  must(store->take_lease("host", "boot", 1));
  const std::int64_t run = must(store->begin_run({.experiment = "plan", .file = "plan.yaml", .command = ""}));
  const graph::ExpandedGraph graph = expanded(n, catalog);
  graph::Plan plan = graph::make_plan(graph, {{"text", text_digest()}}, {}, *store, {});
  make_all(graph, plan, text_digest(), *store, run);
}

/// What a command does that finds all of it done, step by step.
Row find_done(int64_t n, const fs::path& directory, int64_t rounds) {
  const test::ToyCatalog catalog(kCatalog);
  const graph::ExternalDigests externals{{"text", text_digest()}};
  Row row;
  const graph::ExpandedGraph graph = timed(rounds, row.expand, [&] { return expanded(n, catalog); });
  row.variants = static_cast<double>(graph.variants.size());
  const auto plan_on = [&](const store::Store& store) { return graph::make_plan(graph, externals, {}, store, {}); };
  {
    const auto store = must(store::open_sqlite(directory / "results.db", store::Access::read_only));
    const graph::Plan plan = timed(rounds, row.nothing, [&] { return plan_on(*store); });
    if (plan.count(graph::Decision::reuse) != graph.variants.size()) std::exit(1);
  }
  const auto store = must(store::open_sqlite(directory / "empty.db", store::Access::read_write));
  (void)timed(rounds, row.plan, [&] { return plan_on(*store); });
  return row;
}

double exponent(const Row& small, const Row& large, double Row::*time) {
  return std::log(large.*time / small.*time) / std::log(large.variants / small.variants);
}

/// In a process of its own, so that its peak memory is that of planning.
Row measured(const char* program, int64_t n, const bench::Options& options) {
  std::string directory = (fs::temp_directory_path() / "lowbit-plan-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) std::exit(1);
  make(n, directory);
  const std::string command = std::string(program) + " --made " + directory + " --points " + std::to_string(n) +
                              " --rounds " + options.text("rounds") + " --clock " + options.text("clock");
  FILE* child = ::popen(command.c_str(), "r");
  Row row;
  if (child == nullptr ||
      std::fscanf(child, "%lf %lf %lf %lf", &row.variants, &row.expand, &row.plan, &row.nothing) != 4 ||
      ::pclose(child) != 0) {
    std::fprintf(stderr, "`%s` did not measure\n", command.c_str());
    std::exit(1);
  }
  fs::remove_all(directory);
  return row;
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(
      argc, argv,
      {{"variants", "1000,10000,100000"}, {"rounds", "3"}, {"clock", "wall"}, {"made", ""}, {"points", "0"}});
  bench::by_processor_time = options.text("clock") == "cpu";
  if (!options.text("made").empty()) {
    const Row row = find_done(options.number("points"), options.text("made"), options.number("rounds"));
    std::printf("%g %g %g %g\n", row.variants, row.expand, row.plan, row.nothing);
    return 0;
  }
  std::printf("%10s %12s %12s %14s %10s\n", "variants", "expand, ms", "plan, ms", "nothing, ms", "peak, MiB");
  std::vector<Row> rows;
  for (const int64_t variants : options.numbers("variants")) {
    rows.push_back(measured(argv[0], std::max<int64_t>(1, variants / 500), options));
    rusage usage{};  // of the largest child so far
    (void)::getrusage(RUSAGE_CHILDREN, &usage);
    const Row& row = rows.back();
    std::printf("%10.0f %12.1f %12.1f %14.1f %10.0f\n", row.variants, 1e3 * row.expand, 1e3 * row.plan,
                1e3 * row.nothing, static_cast<double>(usage.ru_maxrss) / 1024);
    (void)std::fflush(stdout);
  }
  if (rows.size() > 1) {
    std::printf("%10s %12.2f %12.2f %14.2f\n", "exponent", exponent(rows.front(), rows.back(), &Row::expand),
                exponent(rows.front(), rows.back(), &Row::plan), exponent(rows.front(), rows.back(), &Row::nothing));
  }
  return 0;
}
