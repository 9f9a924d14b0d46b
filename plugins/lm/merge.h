// An adapter and its full-precision base as one full-precision model: W + (alpha / r) B A in fp32, trained rows and
// matrices in place, then rounded to the dtype that is stored.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lm/formats/directory.h"

namespace lowbit::lm {

/// Writes model/1 into the empty directory `out`. `source`: directory of the base's config.json and tokenizer;
/// `adapted`: the base with its adapters. `dtype`: none: each tensor's own in the base. Embedding and output matrix
/// stay tied where they are. Returns one sentence about what rounding changed, or nothing. Throws Error{bad_input} when
/// weights of the base are packed codes or it has rules for activations, Error{numeric, resource}.
std::vector<std::string> merge_adapter(const std::filesystem::path& source, const WeightSource& base,
                                       const WeightSource& adapted, std::optional<at::ScalarType> dtype,
                                       const std::filesystem::path& out, const formats::Progress& progress = {});

}  // namespace lowbit::lm
