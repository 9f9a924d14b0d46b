// The two places of a model card that lowbit writes, between lines that mark them:
//
//   ---
//   license: mit
//   # lowbit:model-index
//   # lowbit:end
//   ---
//   My words.
//   <!-- lowbit:results -->
//   <!-- lowbit:end -->
//
// Everything else is the person's. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lowbit::interchange {

/// Lines, each with its newline, without the markers.
struct CardBlocks {
  std::string metadata;  ///< YAML
  std::string results;   ///< Markdown
};

/// A card of these alone, with their markers.
[[nodiscard]] std::string whole_card(const CardBlocks& blocks);

/// `card` with what stands between its markers replaced; one of the two pairs may be absent. Line ends are those of the
/// marker. LB7071: there is no pair, one is not closed or is there twice, or the metadata has another `model-index`.
/// `name`: of the file, for the message.
[[nodiscard]] Result<std::string> patched_card(std::string_view card, const CardBlocks& blocks,
                                               const std::string& name);

}  // namespace lowbit::interchange
