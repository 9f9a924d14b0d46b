// The experiments that come with lowbit, as files: each expands, and every row of every table beside it names results
// of its expansion. Plugins that the source papers want and lowbit does not have stand here on paper, so that those
// parts of the files are read too.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "env/files.h"
#include "graph/expand.h"
#include "plugin/catalog.h"
#include "report/table_sources.h"
#include "spec/experiment_reader.h"
#include "spec/table_reader.h"
#include "support/toy_catalog.h"

namespace lowbit::test {
namespace {

namespace fs = std::filesystem;

const fs::path kExperiments = fs::path(LOWBIT_SOURCE_DIR) / "experiments";

constexpr const char* kOnPaper =
    R"(lowbit.quip: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}}
lowbit.pb-llm: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "number"}, "group_size": {"type": "integer"}}
lowbit.db-llm: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "group_size": {"type": "integer"}}
lowbit.billm: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "number"}, "group_size": {"type": "integer"}}
lowbit.icq: model:model/1 -> quantized:quantized-model/1
lowbit.iec: model:quantized-model/1 data:sft-pairs/1 -> trained:adapter/1; seeded
  {"steps": {"type": "integer"}, "batch_size": {"type": "integer"}, "learning_rate": {"type": "number"}, "lr_schedule": {"type": "string"}, "rank": {"type": "integer"}, "alpha": {"type": "number"}, "dropout": {"type": "number"}, "clip_norm": {"type": "number"}, "max_length": {"type": "integer"}, "gradient_checkpointing": {"type": "boolean"}, "compute_dtype": {"type": "string"}, "n_shards": {"type": "integer"}}
lowbit.qllm: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}}
lowbit.outlier-suppression-plus: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}}
lowbit.affinequant: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}}
lowbit.atom: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}}
lowbit.quarot: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}}
lowbit.omniquant: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "group_size": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}, "cross_layer_weight": {"type": "number"}}
lowbit.duquant: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}, "fine_tune": {"type": "boolean"}}
lowbit.prefixquant: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}, "fine_tune": {"type": "boolean"}}
lowbit.lsi: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "group_size": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}, "base": {"type": "string"}, "cross_layer_weight": {"type": "number"}}
lowbit.sde: model:model/1 calibration:token-batches/1 -> quantized:quantized-model/1
  {"num_bits": {"type": "integer"}, "group_size": {"type": "integer"}, "activation_bits": {"type": "integer"}, "kv_bits": {"type": "integer"}, "base": {"type": "string"}, "fine_tune": {"type": "boolean"}, "n_diagonals": {"type": "integer"}, "cross_layer_weight": {"type": "number"}}
lowbit.piqa: records:file -> task:task/1
lowbit.arc: records:file -> task:task/1
  {"name": {"type": "string"}}
lowbit.hellaswag: records:file -> task:task/1
lowbit.winogrande: records:file -> task:task/1
lowbit.boolq: records:file -> task:task/1
lowbit.mmlu: records:file -> task:task/1
  {"num_fewshot": {"type": "integer"}}
lowbit.longbench: records:file -> task:task/1
lowbit.multiple-choice: model:model/1|quantized-model/1|adapter/1 task:task/1 -> predictions:predictions/1
lowbit.long-generation: model:model/1|quantized-model/1|adapter/1 task:task/1 -> predictions:predictions/1
)";

/// What lowbit has, and what it does not have yet.
class WithPlans : public StageCatalog {
 public:
  explicit WithPlans(const plugin::PluginCatalog& there) : there_(there) {}
  [[nodiscard]] const StageDescription* find(std::string_view id) const override {
    const StageDescription* known = there_.find(id);
    return known == nullptr ? planned_.find(id) : known;
  }
  [[nodiscard]] std::vector<std::string> ids() const override { return there_.ids(); }

 private:
  const plugin::PluginCatalog& there_;
  ToyCatalog planned_{kOnPaper};
};

const plugin::PluginCatalog& catalog() {
  static const plugin::PluginCatalog scanned =
      plugin::PluginCatalog::scan(plugin::plugin_directories({}, std::getenv("LOWBIT_PLUGIN_PATH")),
                                  plugin::describe_in_child({.program = LOWBIT_PROGRAM}));
  return scanned;
}

Result<std::shared_ptr<const SourceText>> load(const std::string& name) {
  LB_TRY_ASSIGN(std::string text, env::read_file(name));
  return std::make_shared<const SourceText>(SourceText{name, std::move(text)});
}

template <class T>
T valid(Result<T> result) {
  if (!result) FAIL(render(result.error()));
  return *std::move(result);
}

ExperimentSpec read(const fs::path& file) {
  return valid(
      spec::read_experiment(valid(load(file.string())), {.overrides = {}, .sweeps = {}, .profile = {}, .load = load}));
}

/// As after a run of it: table_sources.h asks for no metrics.
StudyResults study_of(const graph::ExpandedGraph& graph) {
  StudyResults study{.experiment = graph.experiment};
  for (const graph::Variant& variant : graph.variants) {
    Json axes = variant.coordinates.to_json();
    axes.erase("seed");
    study.variants.push_back({variant.stage, variant.label(), std::move(axes), variant.seed, {}, {}, {}});
  }
  return study;
}

/// Rows of the tables that `wanted` names, or of all, found in `study`.
std::size_t rows_found(const fs::path& directory, const StudyResults& study, const std::set<std::string>& wanted = {}) {
  const TablesFile tables = valid(spec::read_tables(valid(load((directory / "tables.yaml").string()))));
  CHECK(tables.experiment.value == study.experiment);
  std::size_t n = 0;
  for (const TableSpec& table : tables.tables) {
    if (!wanted.empty() && !wanted.contains(table.name.value)) continue;
    n += valid(report::find_sources(table, study)).size();
  }
  return n;
}

TEST_CASE("every row of every table beside an experiment names results of it", "[experiments]") {
  const WithPlans plans(catalog());
  std::map<std::string, std::size_t> n_rows;
  for (const auto& entry : fs::recursive_directory_iterator(kExperiments)) {
    if (entry.path().filename() != "experiment.yaml") continue;
    const fs::path directory = entry.path().parent_path();
    INFO(entry.path());
    const graph::ExpandedGraph graph = valid(graph::expand(read(entry.path()), plans));
    if (fs::exists(directory / "tables.yaml")) n_rows[graph.experiment] = rows_found(directory, study_of(graph));
  }
  CHECK(n_rows.size() >= 8);
  CHECK(n_rows["llama3-low-bit"] > 80);
  CHECK(n_rows["compensate-quantization-errors"] > 400);
}

TEST_CASE("what lowbit has of the papers' studies fills the tables that say so", "[experiments]") {
  for (const auto& [name, tables, missing] :
       {std::tuple{"llama3-low-bit", std::set<std::string>{"perplexity-8b", "perplexity-70b"},
                   "lowbit.multiple-choice"},
        std::tuple{"llama3-low-bit/small", std::set<std::string>{}, "lowbit.multiple-choice"},
        std::tuple{"compensate-quantization-errors", std::set<std::string>{"weights", "activations"}, "lowbit.sde"}}) {
    const ExperimentSpec spec = read(kExperiments / name / "experiment.yaml");
    const Result<graph::ExpandedGraph> refused = graph::expand(spec, catalog());
    REQUIRE_FALSE(refused.ok());
    CHECK_THAT(render(refused.error()), Catch::Contains(std::string("no plugin offers `") + missing));
    for (const Diagnostic& problem : refused.error()) CHECK(problem.code == "LB2001");
    const graph::ExpandedGraph rest = valid(graph::expand(spec, catalog(), graph::MissingPlugin::left_out));
    CHECK(rows_found(kExperiments / name, study_of(rest), tables) > 10);
  }
}

}  // namespace
}  // namespace lowbit::test
