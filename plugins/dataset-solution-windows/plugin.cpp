// dataset-solution-windows: a task's problems and reference solutions as token windows, for perplexity and calibration.
// One window an item, padded on the right; the tokens of the solution and the end token are scored.
#include <algorithm>

#include "lm/config.h"
#include "lm/digest.h"
#include "lm/stage.h"
#include "lm/token_batches.h"
#include "lm/tokenizer.h"
#include "tasks/task.h"

using namespace lowbit;

namespace {

struct Params {
  std::string response_format = "plain";
  std::int64_t n = 0;

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::response_format, "response_format")
            .one_of("plain", "tagged")
            .doc("how solutions are written: steps line by line, or steps and answer in tags"),
        field(&Params::n, "n").at_least(0).unit("items").doc("the first items of the task; 0: all"));
  }
};

struct Window {
  std::vector<std::int64_t> ids;
  std::size_t n_prompt;
};

Window window_of(const lm::Tokenizer& tokenizer, const std::string& prompt, const std::string& solution,
                 std::int64_t end_id, const tasks::Item& item) {
  const auto head = tokenizer.encode(prompt);
  Window window{.ids = tokenizer.encode(prompt + solution), .n_prompt = head.size()};
  if (window.ids.size() <= head.size() || !std::equal(head.begin(), head.end(), window.ids.begin())) {
    throw StageError(LB_BAD_INPUT,
                     {.what = "the solution cannot be told from the prompt in tokens",
                      .where = "item " + item.item_id,
                      .why = "a token of prompt and solution together reaches over the border between them",
                      .fix = "end the task's prompt template in a line break or a space"});
  }
  window.ids.push_back(end_id);
  return window;
}

void write_windows(const Job& job, const Params& params) {
  const auto model = lm::open_model(job.input("model")).directory;
  const auto config = lm::read_model_config(model);
  const auto tokenizer = lm::open_tokenizer(model, config.vocab_size);
  const tasks::Task task = tasks::read_task(job.input("task").path);
  tasks::expect_plain_generation(task);
  if (config.eos_ids.empty()) {
    throw StageError(LB_BAD_INPUT, {.what = "the model has no end token",
                                    .where = (model / "config.json").string(),
                                    .why = "config.json has no eos_token_id",
                                    .fix = "use the config.json that belongs to these weights"});
  }
  const auto n = params.n == 0 ? task.items.size() : std::min(task.items.size(), static_cast<std::size_t>(params.n));
  const auto format = answers::format_named(params.response_format);
  std::vector<Window> windows;
  std::size_t length = 0;
  for (std::size_t i = 0; i < n; ++i) {
    job.tick(i, n, "items");
    const tasks::Item& item = task.items[i];
    windows.push_back(window_of(tokenizer, tasks::prompt_of(task, item), tasks::completion_of(item, format),
                                config.eos_ids.front(), item));
    length = std::max(length, windows.back().ids.size());
  }

  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(n), static_cast<std::int64_t>(length)};
  lm::TokenBatches batches{
      .ids = at::full(shape, config.pad_id.value_or(0), at::kLong),
      .attention_mask = at::zeros(shape, at::kBool),
      .loss_mask = at::zeros(shape, at::kBool),
      .vocab_size = config.vocab_size,
      .tokenizer_sha256 = lm::sha256_of_file(model / "tokenizer.json"),
      .variant = task.name + "-" + params.response_format,
      .source_sha256 = {},
      .rule = "one window an item: prompt, " + params.response_format +
              " reference solution and end token, padded on the right; solution and end are scored",
      .bos = tokenizer.encode("").empty() ? "none" : "each"};
  std::size_t n_tokens = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Window& window = windows[i];
    const auto row = static_cast<std::int64_t>(i);
    const auto n_ids = static_cast<std::int64_t>(window.ids.size());
    const auto n_prompt = static_cast<std::int64_t>(window.n_prompt);
    batches.ids[row].narrow(0, 0, n_ids).copy_(at::tensor(window.ids, at::kLong));
    batches.attention_mask[row].narrow(0, 0, n_ids).fill_(true);
    batches.loss_mask[row].narrow(0, n_prompt, n_ids - n_prompt).fill_(true);
    n_tokens += window.ids.size();
  }
  lm::write_token_batches(job.output("batches"), batches);
  job.metric("data/n_items", static_cast<double>(n), "items");
  job.metric("data/n_tokens", static_cast<double>(n_tokens), "tokens");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.solution-windows", LB_DATASET)
                  .version("1")
                  .summary("Problems with their reference solutions as token windows; the solutions are scored.")
                  .preload()
                  .input("task", "task/1", "problems with reference steps and answers")
                  .input("model", lm::kModelTypes, "whose tokenizer and vocabulary are used")
                  .output("batches", "token-batches/1", "one window an item")
                  .run<lm::stage<Params, write_windows>>())
