// What packing gains on short rows: real tokens trained per second of processor time, one epoch forward and backward on
// one thread, for batches of rows of about one length (as all trainers here make them) and for packed sequences.
//
//   build/release/tests/packing_bench [--rows 512] [--rounds 3]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "bench/synthetic_model.h"
#include "lm/quantized_model.h"
#include "lm/train/bins.h"
#include "lm/train/lora.h"

namespace {

using namespace lowbit;
namespace fs = std::filesystem;

struct Epoch {
  double seconds = 0;
  int64_t n_computed = 0;  // positions, padding included
};

Epoch run_epoch(const lm::train::LoraModel& model, const lm::train::Parameters& parameters,
                const std::vector<lm::train::Sequence>& rows, int64_t batch_size) {
  std::vector<int64_t> lengths;
  for (const lm::train::Sequence& row : rows) lengths.push_back(row.length());
  const lm::train::BatchPlan plan(lengths, {.batch_size = batch_size, .seed = 1});
  lm::train::ThreadPool pool(1);
  lm::train::Gradients gradients(parameters, 1, pool);
  Epoch epoch;
  const std::clock_t start = std::clock();
  for (int64_t i = 0; i < plan.per_epoch(); ++i) {
    std::vector<const lm::train::Sequence*> part;
    for (const int64_t row : plan.batch(i)) part.push_back(&rows[static_cast<size_t>(row)]);
    const auto batch = lm::train::collate(part, 0);
    epoch.n_computed += batch.ids.numel();
    (void)gradients.compute([&](int64_t, const lm::NamedTensors& leaves) { return model.nll(leaves, batch).mean(); });
  }
  epoch.seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  return epoch;
}

void compare(const fs::path& directory, int64_t hidden, int64_t n_rows, int64_t shortest, int64_t longest,
             int n_rounds) {
  const lm::ModelConfig config = lm::read_model_config(directory);
  const auto base = lm::open_weights(directory);
  const lm::train::LoraModel model(
      config, *base,
      lm::train::new_adapter(config, *base, {.rank = 8, .alpha = 8, .targets = {"q_proj", "v_proj"}, .token_ids = {}},
                             1),
      {});
  const lm::train::Parameters parameters(model.initial());
  std::mt19937_64 rng(5);
  std::vector<lm::train::Sequence> rows(static_cast<size_t>(n_rows));
  int64_t n_real = 0;
  for (lm::train::Sequence& row : rows) {
    const int64_t length = shortest + static_cast<int64_t>(rng() % static_cast<uint64_t>(longest - shortest + 1));
    for (int64_t t = 0; t < length; ++t) {
      row.ids.push_back(static_cast<int64_t>(rng() % static_cast<uint64_t>(config.vocab_size)));
      row.scored.push_back(t > 0);
    }
    n_real += length;
  }
  const auto report = [&](const char* how, const std::vector<lm::train::Sequence>& sequences, int64_t batch_size) {
    std::vector<double> rates;
    Epoch epoch;
    for (int round = 0; round < n_rounds; ++round) {
      epoch = run_epoch(model, parameters, sequences, batch_size);
      rates.push_back(static_cast<double>(n_real) / epoch.seconds);
    }
    std::sort(rates.begin(), rates.end());
    std::printf("%6lld %5lld..%-4lld %-22s %6.1f %% %10.0f\n", static_cast<long long>(hidden),
                static_cast<long long>(shortest), static_cast<long long>(longest), how,
                100 * (1 - static_cast<double>(n_real) / static_cast<double>(epoch.n_computed)),
                rates[rates.size() / 2]);
    (void)std::fflush(stdout);
  };
  report("16 rows of one length", rows, 16);
  report("1 row", rows, 1);
  for (const int64_t length : {2 * longest, 8 * longest}) {
    const std::string name = "packed to " + std::to_string(length);
    const int64_t tokens = 16 * (shortest + longest) / 2;  // of a batch of rows
    report(name.c_str(), lm::train::pack(rows, length), std::max<int64_t>(1, tokens / length));
  }
}

}  // namespace

int main(int argc, char** argv) {
  int64_t n_rows = 512;
  int n_rounds = 3;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--rows") n_rows = std::atoll(argv[i + 1]);
    if (std::string(argv[i]) == "--rounds") n_rounds = std::atoi(argv[i + 1]);
  }
  lm::set_threads(1);
  std::string name = (fs::temp_directory_path() / "lowbit-packing-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return 1;
  std::printf("%6s %11s %-22s %8s %10s\n", "hidden", "tokens", "a batch", "padding", "tokens/s");
  for (const int64_t hidden : {128, 512}) {
    const fs::path directory = fs::path(name) / std::to_string(hidden);
    bench::write_model(directory, {.hidden = hidden,
                                   .intermediate = 3 * hidden,
                                   .n_heads = hidden / 32,
                                   .n_kv_heads = hidden / 32,
                                   .n_blocks = 4,
                                   .vocab = 512,
                                   .max_positions = 1024});
    compare(directory, hidden, n_rows, 8, 64, n_rounds);
  }
  fs::remove_all(name);
}
