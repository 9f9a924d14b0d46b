// Text -> ExperimentSpec: the grammar of docs/experiment-file.md, checked for form. Which plugins, stages and ports
// exist is not known here. Pure and thread-safe.
//
//   const auto file = std::make_shared<const SourceText>(SourceText{"experiment.yaml", text});
//   const auto set = std::make_shared<const SourceText>(SourceText{"--set #1", "seeds=[3,4,5]"});
//   LB_TRY_ASSIGN(const ExperimentSpec spec, spec::read_experiment(file, {.overrides = {{set}}}));
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/source_span.h"
#include "domain/experiment_spec.h"
#include "spec/composition.h"
#include "spec/overrides.h"

namespace lowbit::spec {

/// What one invocation adds to the file: `--set`, `--sweep`, `--profile`, and how other files are read.
struct Invocation {
  std::vector<Override> overrides;
  std::vector<Override> sweeps;
  std::string profile;  ///< empty: none
  SourceLoader load = [](const std::string&) -> Result<std::shared_ptr<const SourceText>> {
    return error("LB1043", "other files cannot be read here");
  };
};

/// All problems of the files and of the invocation at once (LB10xx, LB001x); places in an override point into its text.
[[nodiscard]] Result<ExperimentSpec> read_experiment(const std::shared_ptr<const SourceText>& source,
                                                     const Invocation& invocation = {});

/// Whether a text has keys that stand in experiment files only, none of which a tables file has.
[[nodiscard]] bool is_experiment(const std::shared_ptr<const SourceText>& source);

}  // namespace lowbit::spec
