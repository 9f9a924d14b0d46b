// `--set path=value`: one value of an experiment file replaced from the command line.
//
//   seeds=[3,4,5]   matrix.num_bits[0]=4   stages.quantize.params.group_size=64
//
// A path is keys with dots between them; `[i]` is an element of a list, counted from 0; an element of `stages` is also
// reached by its id. The value is YAML. Paths lead to what the file has; added are keys of the language that the file
// leaves out, and parameters. Overrides apply in order, a later one wins; `seeds` takes the place of `replicates`
// and the other way round.
#pragma once

#include <memory>
#include <vector>

#include "base/diagnostic.h"
#include "base/source_span.h"
#include "spec/yaml_document.h"

namespace lowbit::spec {

struct Override {
  std::shared_ptr<const SourceText> text;  ///< named as people know it: `--set #1`
};

/// Changes `root`; an override that is refused (LB0010 to LB0012, LB10xx in its value) changes nothing.
void apply_overrides(Node& root, const std::vector<Override>& overrides, Diagnostics& problems);

/// `--sweep num_bits=4,3` gives an axis of the matrix these values; `--sweep stages.restore.params.beta=0.1,0.5` makes
/// an axis of the last name in the path and puts it there. One that is refused (LB0010 to LB0013) changes nothing.
void apply_sweeps(Node& root, const std::vector<Override>& sweeps, Diagnostics& problems);

}  // namespace lowbit::spec
