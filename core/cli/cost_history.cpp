#include "cli/cost_history.h"

#include "env/files.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {

graph::CostHistory cost_history(const exec::ProjectPaths& project) {
  if (!env::exists(project.database())) return {};
  const auto rows = store::query_sqlite(project.database(),
                                        "SELECT a.label, r.plugin, r.seconds, coalesce((SELECT sum(bytes) FROM "
                                        "artifacts WHERE result_id = r.result_id), 0) "
                                        "FROM results r JOIN attempts a ON a.attempt_id = r.attempt_id");
  if (!rows.ok()) return {};
  std::vector<graph::CostSample> samples;
  samples.reserve(rows->rows.size());
  for (const auto& row : rows->rows) {
    samples.push_back({.label = row[0]->get<std::string>(),
                       .plugin_id = row[1]->get<std::string>(),
                       .seconds = row[2]->get<double>(),
                       .bytes = row[3]->get<std::uint64_t>()});
  }
  return graph::CostHistory(samples);
}

}  // namespace lowbit::cli
