// Generation with and without what lowbit.generate can leave out: the tokens that all prompts begin with, and steps for
// sequences that have ended. Both sides of a pair in turn, in one run; a small LLaMA with random weights.
//
//   build/release/tests/generate_bench --threads 1 --clock cpu
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/options.h"
#include "bench/synthetic_model.h"
#include "lm/generate.h"

namespace {

using namespace lowbit;
using Prompts = std::vector<std::vector<int64_t>>;

struct Counts {
  int64_t n_tokens = 0, n_longest = 0, n_steps = 0;  ///< tokens of answers; steps: calls of the model
};

Prompts random_prompts(const lm::ModelConfig& config, int64_t n, int64_t n_shared, int64_t n_own) {
  const at::Tensor ids = at::randint(config.vocab_size, {n, n_shared + n_own}, at::kLong);
  ids.narrow(1, 0, n_shared).copy_(ids.narrow(0, 0, 1).narrow(1, 0, n_shared).clone().expand({n, n_shared}));
  Prompts prompts;
  for (int64_t i = 0; i < n; ++i) {
    const auto* const first = ids.data_ptr<int64_t>() + i * ids.size(1);
    prompts.emplace_back(first, first + ids.size(1));
  }
  return prompts;
}

/// Planned batches; with options.n_rows, one call.
Counts answer(const lm::Model& model, const Prompts& prompts, const lm::GenerateOptions& options, int64_t batch_size) {
  std::vector<int64_t> lengths;
  for (const auto& prompt : prompts) lengths.push_back(static_cast<int64_t>(prompt.size()));
  Counts counts;
  for (const auto& batch : lm::plan_batches(lengths, batch_size)) {
    Prompts of_batch;
    for (const size_t i : batch) of_batch.push_back(prompts[i]);
    for (const auto& a : lm::generate(model, of_batch, options, [&](size_t) { ++counts.n_steps; })) {
      const auto n = static_cast<int64_t>(a.ids.size());
      counts.n_tokens += n;
      counts.n_longest = std::max(counts.n_longest, n);
    }
  }
  return counts;
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

/// The two in turn; prints a line for each, and the median of the ratios pair by pair.
template <class A, class B>
void compare(int64_t n_rounds, const char* name_a, const A& a, const char* name_b, const B& b) {
  Counts of_a = a();  // untimed: pages, caches
  Counts of_b = b();
  std::vector<double> times_a, times_b, ratios;
  for (int64_t i = 0; i < n_rounds; ++i) {
    times_a.push_back(bench::seconds([&] { of_a = a(); }));
    times_b.push_back(bench::seconds([&] { of_b = b(); }));
    ratios.push_back(times_a.back() / times_b.back());
  }
  const auto line = [](const char* name, const Counts& counts, const std::vector<double>& times) {
    std::printf("%-32s %6lld %7lld %8lld %11.1f", name, static_cast<long long>(counts.n_steps),
                static_cast<long long>(counts.n_longest), static_cast<long long>(counts.n_tokens),
                static_cast<double>(counts.n_tokens) / median(times));
  };
  line(name_a, of_a, times_a);
  std::printf("\n");
  line(name_b, of_b, times_b);
  std::printf("   %.2f\n", median(ratios));
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options(argc, argv,
                               {{"threads", "1"},
                                {"clock", "wall"},
                                {"rounds", "3"},
                                {"hidden", "512"},
                                {"intermediate", "1408"},
                                {"blocks", "4"},
                                {"prompts", "32"},
                                {"shared", "512"},
                                {"own", "32"},
                                {"new", "32"},
                                {"mixed-prompts", "64"},
                                {"mixed-new", "128"},
                                {"rows", "8"}});
  mallopt(M_MMAP_THRESHOLD, 1 << 28);  // as the host sets it for jobs
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  bench::by_processor_time = options.text("clock") == "cpu";
  lm::set_threads(static_cast<int>(options.number("threads")));
  std::string directory = (std::filesystem::temp_directory_path() / "lowbit-bench-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return 1;
  bench::write_model(directory, {.hidden = options.number("hidden"),
                                 .intermediate = options.number("intermediate"),
                                 .n_heads = 8,
                                 .n_kv_heads = 4,
                                 .n_blocks = options.number("blocks"),
                                 .vocab = 4096});
  const auto config = lm::read_model_config(directory);
  const auto weights = lm::Checkpoint::open(directory);
  const lm::Model model(config, weights, at::kFloat);
  std::filesystem::remove_all(directory);  // what is mapped stays
  const int64_t n_rounds = options.number("rounds");
  std::printf("fp32, %d threads                   steps longest   tokens  tokens / s  ratio\n", at::get_num_threads());

  {
    const int64_t n_shared = options.number("shared");
    const Prompts prompts = random_prompts(config, options.number("prompts"), n_shared, options.number("own"));
    const auto answered = [&](const lm::SharedPrefix* prefix) {
      const auto n = static_cast<int64_t>(prompts.size());
      return answer(model, prompts, {.max_new_tokens = options.number("new"), .stop_ids = {}, .prefix = prefix}, n);
    };
    const auto reused = [&] {
      const lm::SharedPrefix prefix(model, prompts);
      return answered(&prefix);
    };
    compare(
        n_rounds, "prompts computed whole", [&] { return answered(nullptr); }, "their common tokens once", reused);
  }
  {
    const Prompts prompts = random_prompts(config, options.number("mixed-prompts"), 0, options.number("own"));
    lm::GenerateOptions mixed{.max_new_tokens = options.number("mixed-new"), .stop_ids = {}};
    for (int64_t id = 0; id < config.vocab_size; id += 16) mixed.stop_ids.push_back(id);  // few long answers
    const int64_t n_rows = options.number("rows");
    const auto planned = [&] { return answer(model, prompts, mixed, n_rows); };
    const auto refilled = [&] {
      lm::GenerateOptions o = mixed;
      o.n_rows = n_rows;
      return answer(model, prompts, o, static_cast<int64_t>(prompts.size()));
    };
    compare(n_rounds, "planned batches", planned, "refilled rows", refilled);
  }
  return 0;
}
