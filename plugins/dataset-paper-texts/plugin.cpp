// dataset-paper-texts: WikiText-2, C4 and the Penn Treebank as the windows that the quantization papers calibrate and
// measure on. The rules are paper_texts.h; what differs from the authors' code stands in README.md.
#include <algorithm>
#include <string_view>

#include "lm/config.h"
#include "lm/digest.h"
#include "lm/stage.h"
#include "lm/token_batches.h"
#include "paper_texts.h"

using namespace lowbit;

namespace {

/// What all stages here have. A stage's own Params derive from it.
struct SamplingParams {
  std::string purpose;
  std::int64_t context_length = 2048;
  std::int64_t n_samples = 128;
  std::int64_t sampling_seed = 0;

  [[nodiscard]] bool calibration() const { return purpose == "calibration"; }
  [[nodiscard]] paper_texts::Sampling sampling(std::int64_t n) const {
    return {.n_samples = n, .context_length = context_length, .seed = static_cast<std::uint64_t>(sampling_seed)};
  }
};

template <class P>
auto sampling_fields() {
  return fields<P>(
      field(static_cast<std::string P::*>(&P::purpose), "purpose")
          .required()
          .one_of("calibration", "evaluation")
          .doc("random windows of the training text, or the windows that perplexity is measured on"),
      field(static_cast<std::int64_t P::*>(&P::context_length), "context_length")
          .at_least(2)
          .unit("tokens")
          .doc("length of a window"),
      field(static_cast<std::int64_t P::*>(&P::n_samples), "n_samples")
          .at_least(1)
          .unit("windows")
          .doc("calibration: windows drawn"),
      field(static_cast<std::int64_t P::*>(&P::sampling_seed), "sampling_seed")
          .at_least(0)
          .doc("where windows are random: what the reference code calls random.seed() with. The papers fix it, so it "
               "is not the experiment's seed"));
}

struct WikiText2Params : SamplingParams {
  static auto fields() { return sampling_fields<WikiText2Params>(); }
};

struct PtbParams : SamplingParams {
  std::string variant;

  static auto fields() {
    return std::tuple_cat(sampling_fields<PtbParams>(),
                          lowbit::fields<PtbParams>(
                              field(&PtbParams::variant, "variant")
                                  .required()
                                  .one_of("new", "old")
                                  .doc("new: sentences joined by a blank, measured on the test text; old: joined by "
                                       "two line feeds, measured on the validation text")));
  }
};

struct C4Params : SamplingParams {
  std::string variant;
  std::int64_t n_documents = 1100;
  std::int64_t n_windows = 256;

  static auto fields() {
    return std::tuple_cat(
        sampling_fields<C4Params>(),
        lowbit::fields<C4Params>(
            field(&C4Params::variant, "variant")
                .required()
                .one_of("new", "old")
                .doc("windows of evaluation. new: side by side over the first documents; old: random windows of "
                     "random documents. Those of calibration are the same in both"),
            field(&C4Params::n_documents, "n_documents")
                .at_least(1)
                .unit("documents")
                .doc("evaluation, variant new: documents joined by a blank"),
            field(&C4Params::n_windows, "n_windows")
                .at_least(1)
                .unit("windows")
                .doc("evaluation: windows drawn (old), or kept at most (new)")));
  }

  /// Perplexities are compared by this name, so it says where the windows are not the reference's.
  [[nodiscard]] std::string evaluation_variant() const {
    std::string name = "c4-" + variant;
    const C4Params reference;
    if (variant == "new" && n_documents != reference.n_documents) name += "-documents" + std::to_string(n_documents);
    if (n_windows != reference.n_windows) name += "-windows" + std::to_string(n_windows);
    if (variant == "old" && sampling_seed != reference.sampling_seed) name += "-seed" + std::to_string(sampling_seed);
    return name;
  }
};

/// A split of a data set as its loader counts it.
struct Split {
  const char* name;
  std::size_t n_rows;
};

/// What every stage here starts with.
class Reading {
 public:
  Reading(const Job& job, const Split& split)
      : job_(job),
        directory_(lm::open_model(job.input("model")).directory),
        config_(lm::read_model_config(directory_)),
        tokenizer_(lm::open_tokenizer(directory_, config_.vocab_size)),
        rows_(lm::read_source_text(job.input("text").path),
              [&](std::size_t done, std::size_t total) { job.tick(done, total, "bytes"); }) {
    if (rows_.size() != split.n_rows) {
      job.warn("the text has " + std::to_string(rows_.size()) + " rows, " + split.name + " has " +
               std::to_string(split.n_rows) + ": these are not the windows of the papers");
    }
  }

  [[nodiscard]] const lm::TextRows& rows() const { return rows_; }
  [[nodiscard]] std::vector<std::int64_t> encode(std::string_view text) const { return tokenizer_.encode(text); }

  /// `cut`: how, after the number of windows and their length. `encoded`: what is tokenized as a whole, `first` for
  /// the text, `document` for each of its documents.
  void write(const at::Tensor& windows, const std::string& variant, const std::string& cut,
             const std::string& encoded) const {
    const lm::TokenBatches batches{
        .ids = windows,
        .attention_mask = {},
        .loss_mask = {},
        .vocab_size = config_.vocab_size,
        .tokenizer_sha256 = lm::sha256_of_file(directory_ / "tokenizer.json"),
        .variant = variant,
        .source_sha256 = lm::sha256_of_text(rows_.source().bytes),
        .rule = std::to_string(windows.size(0)) + " windows of " + std::to_string(windows.size(1)) + " tokens, " + cut,
        .bos = encode("").empty() ? "none" : encoded};
    lm::write_token_batches(job_.output("batches"), batches);
    job_.metric("data/n_items", static_cast<double>(windows.size(0)), "items");
    job_.metric("data/n_tokens", static_cast<double>(windows.numel()), "tokens");
  }

 private:
  const Job& job_;
  std::filesystem::path directory_;
  lm::ModelConfig config_;
  lm::Tokenizer tokenizer_;
  lm::TextRows rows_;
};

std::string seeded_rule(const SamplingParams& params) {
  return "sampling_seed " + std::to_string(params.sampling_seed);
}

/// A data set that is one text: `text` joins its rows, `name` is that of the windows of evaluation.
void cut_text(const Reading& reading, const SamplingParams& params, const std::string& text, const std::string& name,
              const std::string& join) {
  const auto ids = reading.encode(text);
  const lm::SourceText& source = reading.rows().source();
  if (params.calibration()) {
    reading.write(paper_texts::random_windows(ids, params.sampling(params.n_samples), source), name + "-calibration",
                  "random, " + seeded_rule(params) + "; " + join, "first");
  } else {
    reading.write(paper_texts::side_by_side(ids, params.context_length, source), name, "side by side; " + join,
                  "first");
  }
}

void cut_wikitext2(const Job& job, const WikiText2Params& params) {
  const Reading reading(job, params.calibration() ? Split{"the training split of wikitext-2-raw-v1", 36718}
                                                  : Split{"the test split of wikitext-2-raw-v1", 4358});
  cut_text(reading, params, paper_texts::wikitext2(reading.rows()), "wikitext2", "rows joined by two line feeds");
}

void cut_ptb(const Job& job, const PtbParams& params) {
  const bool is_new = params.variant == "new";
  const Reading reading(job, params.calibration() ? Split{"the training split of the Penn Treebank", 42068}
                             : is_new             ? Split{"the test split of the Penn Treebank", 3761}
                                                  : Split{"the validation split of the Penn Treebank", 3370});
  cut_text(reading, params, paper_texts::penn_treebank(reading.rows(), is_new ? " " : "\n\n"), "ptb-" + params.variant,
           is_new ? "sentences joined by a blank" : "sentences joined by two line feeds");
}

void cut_c4(const Job& job, const C4Params& params) {
  const Reading reading(job, params.calibration() ? Split{"en/c4-train.00000-of-01024", 356317}
                                                  : Split{"en/c4-validation.00000-of-00008", 45576});
  if (!params.calibration() && params.variant == "new") {
    const auto ids = reading.encode(paper_texts::first_documents(reading.rows(), params.n_documents));
    const at::Tensor windows = paper_texts::side_by_side(ids, params.context_length, reading.rows().source());
    reading.write(windows.narrow(0, 0, std::min(windows.size(0), params.n_windows)), params.evaluation_variant(),
                  "side by side; the first " + std::to_string(params.n_documents) + " documents joined by a blank",
                  "first");
    return;
  }
  const std::int64_t n = params.calibration() ? params.n_samples : params.n_windows;
  const at::Tensor windows = paper_texts::random_document_windows(
      reading.rows(), [&](std::string_view text) { return reading.encode(text); }, params.sampling(n),
      [&](std::int64_t done, std::int64_t total) {
        job.tick(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total), "windows");
      });
  reading.write(windows, params.calibration() ? "c4-calibration" : params.evaluation_variant(),
                "random, each of a random document, " + seeded_rule(params), "document");
}

Stage paper_text(const char* id, const char* summary, const char* text) {
  return Stage(id, LB_DATASET)
      .version("1")
      .summary(summary)
      .preload()
      .input("text", "text/1|file", text)
      .input("model", lm::kModelTypes, "whose tokenizer and vocabulary are used")
      .output("batches", "token-batches/1", "the windows");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              paper_text("lowbit.wikitext2", "WikiText-2 as the windows of the quantization papers.",
                         "a split of wikitext-2-raw-v1: wiki.*.raw, or its rows as JSONL")
                  .run<lm::stage<WikiText2Params, cut_wikitext2>>(),
              paper_text("lowbit.ptb", "The Penn Treebank as the windows of the quantization papers.",
                         "a split: ptb.*.txt, a sentence a line, or its rows as JSONL")
                  .run<lm::stage<PtbParams, cut_ptb>>(),
              paper_text("lowbit.c4", "C4 as the windows of the quantization papers.",
                         "a shard of allenai/c4, JSONL: a document a line")
                  .run<lm::stage<C4Params, cut_c4>>())
