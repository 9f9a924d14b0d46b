// What an experiment last expanded to, beside the database: with the published results, all that tables need.
// One JSON object a line: {"format","experiment","file","options","text","expanded_at","keys","bytes" of what follows},
// then one line for each stage at a point of its axes, producers before consumers:
// {"stage","at":[[axis,value],...],"plugin","key","record"}.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "exec/project.h"
#include "store/store.h"

namespace lowbit::exec {

struct Expansion {
  store::ExpandedFrom from;
  std::vector<store::ExpansionRow> rows;
};

/// Where the expansion of an experiment lies.
[[nodiscard]] std::filesystem::path expansion_file(const ProjectPaths& project, const std::string& experiment);

/// Durable after return. A file that says the same already is left as it is.
[[nodiscard]] Result<void> write_expansion(const ProjectPaths& project, const Expansion& expansion);

/// LB5007 when it is not what write_expansion() wrote.
[[nodiscard]] Result<Expansion> read_expansion(const std::filesystem::path& file);

/// What the provenance keys of `rows` lead to by the results in `store`, where the database does not say so yet: the
/// content key is computed from what the producers made. Each pair fits Store::link().
[[nodiscard]] Result<std::vector<std::pair<Digest, Digest>>> missing_links(
    const store::Store& store, const std::string& experiment, const std::vector<store::ExpansionRow>& rows);

}  // namespace lowbit::exec
