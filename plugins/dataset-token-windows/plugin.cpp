// dataset-token-windows: a text as windows of token ids, for calibration and perplexity.
#include "lm/config.h"
#include "lm/digest.h"
#include "lm/perplexity.h"
#include "lm/stage.h"
#include "lm/text_input.h"
#include "lm/token_batches.h"

using namespace lowbit;

namespace {

struct Params {
  std::string variant;
  std::int64_t context_length = 2048;
  std::int64_t stride = 0;
  std::string bos = "first";
  std::string separator;
  bool strip = false;
  std::int64_t n_windows = 0;
  std::string select = "first";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::variant, "variant")
            .required()
            .not_empty()
            .doc("name of the text and of the way it is cut, first part of the metrics' names"),
        field(&Params::context_length, "context_length")
            .required()
            .at_least(2)
            .unit("tokens")
            .doc("length of a window"),
        field(&Params::stride, "stride")
            .at_least(0)
            .unit("tokens")
            .doc("text tokens from window to window; 0: windows side by side"),
        field(&Params::bos, "bos")
            .one_of("none", "first", "each", "document")
            .doc("where the start token stands: nowhere, before the text, before each window, before each document"),
        field(&Params::separator, "separator")
            .doc("text between documents, left out; empty: the whole text is one document"),
        field(&Params::strip, "strip").doc("white space at both ends of a document is left out"),
        field(&Params::n_windows, "n_windows").at_least(0).unit("windows").doc("windows kept; 0: all"),
        field(&Params::select, "select")
            .one_of("first", "spread")
            .doc("which windows are kept: the first ones, or some spread evenly over the text"));
  }
};

std::vector<std::string_view> documents_of(std::string_view text, const Params& params) {
  std::vector<std::string_view> documents;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = params.separator.empty() ? text.npos : text.find(params.separator, begin);
    std::string_view document = text.substr(begin, end == text.npos ? text.npos : end - begin);
    if (params.strip) document = lm::stripped(document);
    if (!document.empty()) documents.push_back(document);
    if (end == text.npos) break;
    begin = end + params.separator.size();
  }
  return documents;
}

std::string rule_of(const Params& params) {
  std::string rule = "windows of " + std::to_string(params.context_length) + " tokens, ";
  rule += params.stride == 0 ? "side by side" : "one every " + std::to_string(params.stride) + " tokens";
  if (!params.separator.empty()) rule += ", documents joined";
  if (params.strip) rule += ", documents stripped";
  if (params.n_windows > 0) rule += params.select == "first" ? ", the first ones" : ", spread over the text";
  return rule;
}

void cut(const Job& job, const Params& params) {
  const auto source = lm::open_model(job.input("model")).directory;
  const auto config = lm::read_model_config(source);
  const auto tokenizer = lm::open_tokenizer(source, config.vocab_size);
  if (params.bos != "none" && !config.bos_id) {
    throw StageError(LB_BAD_PARAM, {.what = "the model has no start token",
                                    .where = "bos",
                                    .why = "bos is " + params.bos + " and config.json has no bos_token_id",
                                    .fix = "set bos to none"});
  }
  const std::string text = lm::read_source_text(job.input("text").path).bytes;
  std::vector<int64_t> ids;
  if (params.bos == "first") ids.push_back(*config.bos_id);
  const auto documents = documents_of(text, params);
  for (size_t i = 0; i < documents.size(); ++i) {
    job.tick(i, documents.size(), "documents");
    if (params.bos == "document") ids.push_back(*config.bos_id);
    const auto more = tokenizer.encode(documents[i], lm::Tokenizer::Special::skip);
    ids.insert(ids.end(), more.begin(), more.end());
  }

  lm::WindowOptions options{.context_length = params.context_length, .stride = params.stride, .prefix = {}};
  if (params.bos == "each") options.prefix = {*config.bos_id};
  lm::Windows windows = lm::cut_windows(ids, options);
  const int64_t n_cut = windows.ids.size(0);
  if (n_cut == 0 || n_cut < params.n_windows) {
    throw StageError(LB_BAD_INPUT,
                     {.what = "the text is too short",
                      .where = job.input("text").path.string(),
                      .why = "its " + std::to_string(ids.size()) + " tokens make " + std::to_string(n_cut) +
                             " windows of " + std::to_string(params.context_length) +
                             ", wanted: " + (params.n_windows == 0 ? "at least one" : std::to_string(params.n_windows)),
                      .fix = "use a longer text, shorter windows or fewer of them"});
  }
  const int64_t n_kept = params.n_windows == 0 ? n_cut : params.n_windows;
  // Window i of n stands at i / n of the way: the first one is always kept.
  const at::Tensor kept = params.select == "first" ? at::arange(n_kept, at::kLong)
                                                   : (at::arange(n_kept, at::kLong) * n_cut).div(n_kept, "floor");
  lm::TokenBatches batches{.ids = windows.ids.index_select(0, kept),
                           .attention_mask = {},
                           .loss_mask = {},
                           .vocab_size = config.vocab_size,
                           .tokenizer_sha256 = lm::sha256_of_file(source / "tokenizer.json"),
                           .variant = params.variant,
                           .source_sha256 = lm::sha256_of_text(text),
                           .rule = rule_of(params),
                           .bos = params.bos};
  if (params.stride != 0) batches.loss_mask = windows.scored.index_select(0, kept);
  lm::write_token_batches(job.output("batches"), batches);
  job.metric("data/n_items", static_cast<double>(n_kept), "items");
  job.metric("data/n_tokens", static_cast<double>(batches.ids.numel()), "tokens");
  job.metric("data/dropped/not_kept", static_cast<double>(n_cut - n_kept), "items");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.token-windows", LB_DATASET)
                  .version("1")
                  .summary("Cuts a text into windows of token ids.")
                  .preload()
                  .input("text", "text/1|file", "the text")
                  .input("model", lm::kModelTypes, "whose tokenizer and vocabulary are used")
                  .output("batches", "token-batches/1", "the windows")
                  .run<lm::stage<Params, cut>>())
