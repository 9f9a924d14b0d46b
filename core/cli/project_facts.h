// What `show` and `diff` tell of a project's database, as JSON documents; report/result_page.h renders them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "exec/project.h"

namespace lowbit::cli {

/// What a person may mean by a word: {"variant": expansion_id}, {"result": result_id} of a key's beginning,
/// {"artifact": digest}, {"experiment": name} or, for "run:7", {"run": 7}. LB0004 when there is nothing of that name,
/// LB0037 when there are several. `experiment` narrows variants; empty: any.
[[nodiscard]] Result<Json> find_thing(const exec::ProjectPaths& project, const std::string& word,
                                      const std::string& experiment);

/// {"label", "experiment", "stage", "plugin", "state", "provenance_key", "content_key", "directory", "seconds",
/// "record", "inputs": [{"port", "at", "type", "digest", "from", "path"}], "outputs": [{"port", "type", "digest",
/// "path", "bytes", "summary"}], "metrics": [{"name", "unit", "value", "std_error", "count"}], "attempts": [{"number",
/// "state", "started_at", "ended_at", "seconds", "directory", "failure"}]}; null where nothing is known. Paths are
/// relative to .lowbit, those of inputs from outside absolute.
[[nodiscard]] Result<Json> variant_facts(const exec::ProjectPaths& project, const Json& thing);

/// {"digest", "type", "bytes", "path", "summary", "made_by": [labels], "used_by": [labels], "bases": [digests]}
[[nodiscard]] Result<Json> artifact_facts(const exec::ProjectPaths& project, const std::string& digest);

/// What an experiment's last expansion leads to, or what a run made: {label: {"record", "metrics"}}.
[[nodiscard]] Result<Json> results_of(const exec::ProjectPaths& project, const Json& thing);

}  // namespace lowbit::cli
