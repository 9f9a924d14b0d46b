// Text -> FiguresFile: the grammar of docs/figures.md, checked for form and for names within the file. Which stages,
// axes and metrics the experiment has is not known here. Pure and thread-safe.
//
//   const auto file = std::make_shared<const SourceText>(SourceText{"figures.yaml", text});
//   LB_TRY_ASSIGN(const FiguresFile figures, spec::read_figures(file));
#pragma once

#include <memory>

#include "base/result.h"
#include "base/source_span.h"
#include "domain/figure_spec.h"

namespace lowbit::spec {

/// All problems of the file at once (LB10xx).
[[nodiscard]] Result<FiguresFile> read_figures(const std::shared_ptr<const SourceText>& source);

}  // namespace lowbit::spec
