// What lowbit takes for what tests/bench/peer_transformers_speed.py measures of Hugging Face transformers, on the same
// files and with the same options; prints the same JSON lines. First a line for a plain fp32 product as large as the
// blocks' largest linear on one window: the limit that both are held against.
//
//   python3 tests/bench/peer_transformers_speed.py DIR --only-write
//   build/release/tests/model_speed_bench --directory DIR --threads 2
//
// tests/bench/beside_transformers.py runs both in turn and prints the ratios.
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/options.h"
#include "lm/generate.h"
#include "lm/perplexity.h"
#include "lm/tokenizer.h"

namespace {

using namespace lowbit;
using Json = nlohmann::ordered_json;

constexpr int64_t kLayersOfWhole = 16;

struct Times {
  std::vector<double> all;
  [[nodiscard]] double median() const {
    std::vector<double> sorted = all;
    std::sort(sorted.begin(), sorted.end());
    const size_t n = sorted.size();
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  }
};

template <class Work>
Times rounds_of(int64_t n_rounds, const Work& work) {
  Times times;
  for (int64_t i = 0; i < n_rounds; ++i) times.all.push_back(bench::seconds(work));
  return times;
}

double rounded(double x, int digits) { return std::round(x * std::pow(10, digits)) / std::pow(10, digits); }

Json rounded(const Times& times) {
  Json list = Json::array();
  for (const double t : times.all) list.push_back(rounded(t, 4));
  return list;
}

void print(const Json& json) {
  std::printf("%s\n", json.dump().c_str());
  (void)std::fflush(stdout);
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void report_product(const lm::ModelConfig& config, int64_t n_rows, int64_t n_rounds) {
  const at::Tensor x = at::randn({n_rows, config.hidden_size});
  const at::Tensor w = at::randn({config.intermediate_size, config.hidden_size});
  (void)at::mm(x, w.t());
  double best = bench::seconds([&] { (void)at::mm(x, w.t()); });
  for (int64_t i = 0; i < 3 * n_rounds; ++i) best = std::min(best, bench::seconds([&] { (void)at::mm(x, w.t()); }));
  const double operations = 2.0 * static_cast<double>(n_rows * config.hidden_size * config.intermediate_size);
  print({{"what", "product"}, {"dtype", "fp32"}, {"gflop_per_s", rounded(1e-9 * operations / best, 2)}});
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv,
                               {{"directory", "."},
                                {"threads", "2"},
                                {"clock", "wall"},
                                {"rounds", "3"},
                                {"dtypes", "bf16,fp32"},
                                {"context", "2048"},
                                {"perplexity-batches", "1,4"},
                                {"new", "128"},
                                {"generate-batches", "1,32"}});
  mallopt(M_MMAP_THRESHOLD, 1 << 28);  // as the host sets it for jobs
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  bench::by_processor_time = options.text("clock") == "cpu";
  lm::set_threads(static_cast<int>(options.number("threads")));
  const c10::InferenceMode no_gradients;
  const std::filesystem::path directory = options.text("directory");
  const auto config = lm::read_model_config(directory);
  const auto weights = lm::Checkpoint::open(directory);
  const auto tokenizer = lm::Tokenizer::open(directory / "tokenizer.json");
  const int64_t context = options.number("context");
  const int64_t n_new = options.number("new");
  const int64_t n_rounds = options.number("rounds");
  std::string named = "";
  if (config.n_blocks != kLayersOfWhole) {
    named = "_of_" + std::to_string(config.n_blocks) + (config.n_blocks > 1 ? "_layers" : "_layer");
  }
  std::vector<std::vector<int64_t>> prompts;
  for (const std::string& line : lines_of(directory / "prompts.txt")) prompts.push_back(tokenizer.encode(line));

  print({{"libtorch", TORCH_VERSION}, {"threads", at::get_num_threads()}, {"clock", options.text("clock")}});
  report_product(config, context, n_rounds);
  for (const std::string& dtype : options.words("dtypes")) {
    const lm::Model model(config, weights, dtype == "bf16" ? at::kBFloat16 : at::kFloat);
    const auto line = [&](const char* what, int64_t batch) {
      return Json{{"what", what},
                  {"dtype", dtype},
                  {"layers", config.n_blocks},
                  {"threads", at::get_num_threads()},
                  {"batch", batch}};
    };
    for (const int64_t batch : options.numbers("perplexity-batches")) {
      if (batch == 0) continue;
      std::vector<int64_t> ids = tokenizer.encode(lines_of(directory / "text.txt").at(0));
      ids.resize(static_cast<size_t>(batch * context));
      const lm::Windows windows = lm::cut_windows(ids, {.context_length = context, .prefix = {}});
      const lm::Windows first{.ids = windows.ids.narrow(1, 0, std::min<int64_t>(64, context)),
                              .scored = windows.scored.narrow(1, 0, std::min<int64_t>(64, context)),
                              .keep = {}};
      (void)lm::score(model, first, {.batch_size = batch});
      double mean_nll = 0;
      const Times times =
          rounds_of(n_rounds, [&] { mean_nll = lm::score(model, windows, {.batch_size = batch}).total().mean(); });
      Json json = line("perplexity", batch);
      json["context"] = context;
      json["mean_nll"] = rounded(mean_nll, 6);
      json["seconds"] = rounded(times);
      json["tokens_per_s" + named] = rounded(static_cast<double>(batch * context) / times.median(), 2);
      print(json);
    }
    for (const int64_t batch : options.numbers("generate-batches")) {
      if (batch == 0) continue;
      const std::vector<std::vector<int64_t>> chosen(prompts.begin(), prompts.begin() + batch);
      std::vector<std::vector<int64_t>> short_ones = chosen;
      for (auto& prompt : short_ones) prompt.resize(std::min<size_t>(8, prompt.size()));
      (void)lm::generate(model, short_ones, {.max_new_tokens = 2, .stop_ids = {}});
      const auto timed = [&](int64_t n) {
        return rounds_of(n_rounds, [&] { (void)lm::generate(model, chosen, {.max_new_tokens = n, .stop_ids = {}}); });
      };
      const double first = timed(1).median();
      const Times times = timed(n_new);
      Json json = line("generate", batch);
      json["prompt"] = prompts.front().size();
      json["new"] = n_new;
      json["seconds"] = rounded(times);
      json["first_token_seconds"] = rounded(first, 4);
      json["tokens_per_s" + named] = rounded(static_cast<double>(batch * n_new) / times.median(), 2);
      json["decode_tokens_per_s" + named] =
          rounded(static_cast<double>(batch * (n_new - 1)) / (times.median() - first), 2);
      print(json);
    }
  }
  return 0;
}
