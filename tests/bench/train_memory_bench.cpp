// Peak memory and processor time of training steps over models of one width and several depths, with and without
// gradient checkpointing, on full-precision and on packed bases. Each in a process of its own:
//
//   build/release/tests/train_memory_bench [--blocks 8,16,32] [--steps 3] [--threads 2]
//
// Exits with 1 when, with checkpointing, memory grows by more with each block than the block as it is stored, what is
// trained in it and its input: a wide copy of a packed block would be more than three times the whole allowance.
#include <malloc.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "bench/synthetic_model.h"
#include "lm/nf4.h"
#include "lm/quantized_model.h"
#include "lm/train/lora.h"
#include "lm/train/trainer.h"

extern char** environ;

namespace {

using namespace lowbit;
namespace fs = std::filesystem;

constexpr int64_t kRows = 8, kTokens = 128, kShards = 2;

int64_t peak_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::atoll(line.c_str() + 6);
  }
  return 0;
}

/// Trains for some steps; writes peak in KiB, processor seconds a step and the bytes that a block may cost into
/// `result`.
int train(const fs::path& directory, bool checkpointing, int64_t n_steps, int64_t n_threads, const fs::path& result) {
  mallopt(M_MMAP_THRESHOLD, 1 << 28);  // as the host sets it for jobs
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  const lm::ModelConfig config = lm::read_model_config(directory);
  const auto base = lm::open_weights(directory);
  const auto adapter = lm::train::new_adapter(
      config, *base, {.rank = 4, .alpha = 8, .targets = {"q_proj", "v_proj"}, .token_ids = {}}, 1);
  using Blocks = lm::train::LoraModel::Blocks;
  const lm::train::LoraModel model(config, *base, adapter,
                                   {.blocks = checkpointing ? Blocks::recomputed : Blocks::resident});
  lm::train::ThreadPool pool(n_threads);
  lm::train::Parameters parameters(model.initial());
  lm::train::Trainer trainer(parameters, {.clip_norm = 1, .n_shards = kShards}, pool);
  at::manual_seed(3);
  std::vector<lm::train::Sequence> rows(kRows);
  for (lm::train::Sequence& row : rows) {
    const at::Tensor ids = at::randint(config.vocab_size, {kTokens}, at::kLong);
    row.ids.assign(ids.data_ptr<int64_t>(), ids.data_ptr<int64_t>() + kTokens);
    row.scored.assign(kTokens, true);
    row.scored[0] = false;
  }
  const auto loss = [&](int64_t shard, const lm::NamedTensors& leaves) {
    std::vector<const lm::train::Sequence*> part;
    for (auto i = static_cast<size_t>(shard); i < rows.size(); i += kShards) part.push_back(&rows[i]);
    return model.nll(leaves, lm::train::collate(part, 0)).sum() / static_cast<double>(kRows * (kTokens - 1));
  };
  const std::clock_t start = std::clock();
  for (int64_t i = 0; i < n_steps; ++i) (void)trainer.step(loss, {.adam = 1e-3, .muon = 0});
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;

  // The adapter as read, as trained, two moments and the momentum that Muon would have, a gradient a shard; a block's
  // input for each row.
  const int64_t trained = adapter.n_bytes() * (5 + kShards);
  const int64_t inputs = kRows * kTokens * config.hidden_size * static_cast<int64_t>(sizeof(float)) * config.n_blocks;
  std::ofstream(result) << peak_kib() << ' ' << seconds / static_cast<double>(n_steps) << ' '
                        << (base->stored_bytes() + trained + inputs) / config.n_blocks << '\n';
  return 0;
}

struct Measured {
  double peak_mib = 0, step_s = 0, block_mib = 0;
};

Measured measure(const std::vector<std::string>& options, const fs::path& result) {
  std::vector<std::string> words{"train_memory_bench", "--child"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(result.string());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  int status = 1;
  if (posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv.data(), environ) != 0 ||
      waitpid(pid, &status, 0) != pid || status != 0) {
    std::fprintf(stderr, "a training step failed\n");
    std::exit(1);
  }
  Measured m;
  std::ifstream(result) >> m.peak_mib >> m.step_s >> m.block_mib;
  m.peak_mib /= 1024;
  m.block_mib /= 1024 * 1024;
  return m;
}

void pack(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::create_directories(to);
  const lm::ModelConfig config = lm::read_model_config(from);
  const auto plain = lm::Checkpoint::open(from);
  lm::QuantizedModelWriter out(from, to, plain, config, {.method = "nf4", .grid = {}, .activations = {}});
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    for (const lm::Linear linear : lm::linears(config)) {
      const at::Tensor w = plain.tensor(lm::linear_name(config, block, linear)).to(at::kFloat);
      out.add(block, linear, lm::quantize_nf4(w, {}), w);
    }
    out.finish_block(block);
  }
  (void)out.finish();
}

std::vector<int64_t> numbers(const std::string& list) {
  std::vector<int64_t> found;
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) found.push_back(std::atoll(word.c_str()));
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  setenv("OMP_NUM_THREADS", "1", 1);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  lm::set_threads(1);
  if (words.size() == 6 && words[0] == "--child") {
    return train(words[1], words[2] == "on", std::atoll(words[3].c_str()), std::atoll(words[4].c_str()), words[5]);
  }
  std::vector<int64_t> depths{8, 16, 32};
  std::string n_steps = "3";
  std::string n_threads = "2";
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    if (words[i] == "--blocks") depths = numbers(words[i + 1]);
    if (words[i] == "--steps") n_steps = words[i + 1];
    if (words[i] == "--threads") n_threads = words[i + 1];
  }
  std::string name = (fs::temp_directory_path() / "lowbit-train-memory-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return 1;
  const fs::path scratch = name;

  std::printf("%-6s %-14s %7s %13s %14s %10s\n", "base", "checkpointing", "blocks", "resident, MiB", "a block, MiB",
              "CPU s/step");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"bf16", "off"}, {"bf16", "on"}, {"nf4", "off"}, {"nf4", "on"}};
  std::vector<std::vector<Measured>> all(cases.size());
  for (const int64_t depth : depths) {
    fs::remove_all(scratch / "bf16");
    bench::write_model(scratch / "bf16", {.hidden = 512,
                                          .intermediate = 1536,
                                          .n_heads = 8,
                                          .n_kv_heads = 8,
                                          .n_blocks = depth,
                                          .vocab = 512,
                                          .max_positions = 256});
    pack(scratch / "bf16", scratch / "nf4");
    for (size_t i = 0; i < cases.size(); ++i) {
      const auto& [base, checkpointing] = cases[i];
      const Measured m = measure({(scratch / base).string(), checkpointing, n_steps, n_threads}, scratch / "result");
      all[i].push_back(m);
      std::printf("%-6s %-14s %7lld %13.1f %14.2f %10.2f\n", base.c_str(), checkpointing.c_str(),
                  static_cast<long long>(depth), m.peak_mib, m.block_mib, m.step_s);
      (void)std::fflush(stdout);
    }
  }
  fs::remove_all(scratch);
  bool grew = false;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (all[i].size() < 2) continue;
    const double n = static_cast<double>(depths.back() - depths.front());
    const double growth = (all[i].back().peak_mib - all[i].front().peak_mib) / n;
    const bool too_much = cases[i].second == "on" && growth > all[i].back().block_mib;
    std::printf("%-6s %-14s %.2f MiB with each block%s\n", cases[i].first.c_str(), cases[i].second.c_str(), growth,
                too_much ? ": more than its base, its adapter and its input" : "");
    grew = grew || too_much;
  }
  return grew ? 1 : 0;
}
