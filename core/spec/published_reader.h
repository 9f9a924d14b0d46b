// Reads published.csv: RFC 4180, with the header table,row,column,value,unit,certain,note. docs/tables.md.
#pragma once

#include <memory>

#include "base/diagnostic.h"
#include "base/result.h"
#include "domain/published.h"

namespace lowbit::spec {

/// All that is wrong with the file, at its lines: LB7028.
[[nodiscard]] Result<PublishedFigures> read_published(const std::shared_ptr<const SourceText>& source);

}  // namespace lowbit::spec
