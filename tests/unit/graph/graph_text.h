// An expanded graph as text, for cases: every variant in order, with everything it is bound to.
//
//   quantize[quantizer=gptq] = toy.gptq {"num_bits":4}
//     model <- inputs.base models/llama
//     chosen <- each, at least 2
//       model=A: answer[model=A].predictions
//   note: ...
#pragma once

#include <string>

#include "graph/expanded_graph.h"

namespace lowbit::test {

[[nodiscard]] std::string graph_text(const graph::ExpandedGraph& graph);

}  // namespace lowbit::test
