// How the quantization papers take windows from WikiText-2, C4 and the Penn Treebank: the rules of the GPTQ authors'
// datautils.py (Frantar et al. 2022), which most later papers call or copy. Sources and deviations: README.md.
//
// L: tokens of a window. Throws lm::Error{bad_input} when a text does not hold the windows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lm/python_random.h"
#include "lm/text_input.h"
#include "lm/torch.h"

namespace lowbit::paper_texts {

/// All rows, joined by two line feeds. A row of a file of lines is the line with its line feed, or nothing when the
/// line is blank, as the data set's loader has it.
[[nodiscard]] std::string wikitext2(const lm::TextRows& rows);
/// All sentences, joined by `separator`. A sentence of a file of lines is the line without white space at its ends.
[[nodiscard]] std::string penn_treebank(const lm::TextRows& rows, std::string_view separator);
/// The first `n` documents, joined by a blank.
[[nodiscard]] std::string first_documents(const lm::TextRows& documents, std::int64_t n);

struct Sampling {
  std::int64_t n_samples = 0;       ///< windows drawn
  std::int64_t context_length = 0;  ///< L
  std::uint64_t seed = 0;           ///< of random.seed()
};

/// ids [T] -> int64 [n_samples, L]: each window starts at random.randint(0, T - L - 1). `source`: for errors.
[[nodiscard]] at::Tensor random_windows(const std::vector<std::int64_t>& ids, const Sampling& sampling,
                                        const lm::SourceText& source);

/// Text -> ids, with what the tokenizer puts around a text.
using Encode = std::function<std::vector<std::int64_t>(std::string_view)>;

/// int64 [n_samples, L]: for each window documents are drawn, random.randint(0, D - 1), until one has more than L
/// tokens; then a place in it as in random_windows(). `tick(done, n_samples)`: before every draw, may throw to cancel.
[[nodiscard]] at::Tensor random_document_windows(const lm::TextRows& documents, const Encode& encode,
                                                 const Sampling& sampling,
                                                 const std::function<void(std::int64_t, std::int64_t)>& tick = {});

/// int64 [W, L]: ids [T] cut into windows side by side, W = floor(T / L) of them, at least one. `source`: for errors.
[[nodiscard]] at::Tensor side_by_side(const std::vector<std::int64_t>& ids, std::int64_t context_length,
                                      const lm::SourceText& source);

}  // namespace lowbit::paper_texts
