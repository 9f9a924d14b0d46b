// Text -> TablesFile: the grammar of docs/tables.md, checked for form and for names within the file. Which stages, axes
// and metrics the experiment has is not known here. Pure and thread-safe.
//
//   const auto file = std::make_shared<const SourceText>(SourceText{"tables.yaml", text});
//   LB_TRY_ASSIGN(const TablesFile tables, spec::read_tables(file));
#pragma once

#include <memory>

#include "base/result.h"
#include "base/source_span.h"
#include "domain/table_spec.h"

namespace lowbit::spec {

/// All problems of the file at once (LB10xx).
[[nodiscard]] Result<TablesFile> read_tables(const std::shared_ptr<const SourceText>& source);

}  // namespace lowbit::spec
