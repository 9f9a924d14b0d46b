// Reads published.csv: RFC 4180, with the header table,row,column,value,unit,certain,note. docs/tables.md.
#pragma once

#include <memory>

#include "base/diagnostic.h"
#include "base/result.h"
#include "domain/published.h"
#include "domain/table_spec.h"

namespace lowbit::spec {

/// All that is wrong with the file, at its lines: LB7028.
[[nodiscard]] Result<PublishedFigures> read_published(const std::shared_ptr<const SourceText>& source);
/// As well that every table, row and column that `table` names under `published` is one of the file's: LB7028 at the
/// name. A combination of them may have no figure.
[[nodiscard]] Result<PublishedFigures> read_published_for(const std::shared_ptr<const SourceText>& source,
                                                          const TableSpec& table);

}  // namespace lowbit::spec
