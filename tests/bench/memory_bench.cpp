// Peak memory of stages that go through a model block by block must not grow with its depth. Each stage is run, as the
// plugin that was built, over models of one width and several depths, each in a process of its own:
//
//   build/release/tests/memory_bench [--blocks 8,16,32,64] [--stages lowbit.rtn,lowbit.gptq,...]
//
// Exits with 1 when the largest peak of a stage exceeds its smallest by more than a tenth. All blocks of the deepest
// model are as large as a whole process here: one that kept them, or what it computed from them, would show.
#include <dlfcn.h>
#include <malloc.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/synthetic_model.h"
#include "support/fake_host.h"

extern char** environ;

namespace {

using namespace lowbit;
namespace fs = std::filesystem;

constexpr double kMostGrowth = 1.10;

struct StageUnderTest {
  const char* id;
  const char* plugin;
  const char* windows_port;  ///< null: reads no text
  nlohmann::json params;
};
const std::vector<StageUnderTest>& stages() {
  static const std::vector<StageUnderTest> all{
      {"lowbit.rtn", "quantizer-rtn", nullptr, {{"num_bits", 4}, {"group_size", 128}}},
      {"lowbit.gptq",
       "quantizer-gptq",
       "calibration",
       {{"num_bits", 4}, {"group_size", 128}, {"batch_size", 2}, {"checkpoint_interval_s", 0}}},
      {"lowbit.awq",
       "quantizer-awq",
       "calibration",
       {{"num_bits", 4}, {"group_size", 128}, {"batch_size", 2}, {"n_grid", 4}, {"checkpoint_interval_s", 0}}},
      {"lowbit.smoothquant",
       "quantizer-smoothquant",
       "calibration",
       {{"weight_bits", 8}, {"activation_bits", 8}, {"alpha", 0.5}, {"batch_size", 2}, {"checkpoint_interval_s", 0}}},
      {"lowbit.nf4", "quantizer-nf4", nullptr, nlohmann::json::object()},
      {"lowbit.llm-int8", "quantizer-llm-int8", nullptr, nlohmann::json::object()},
      {"lowbit.hessians", "dataset-hessians", "calibration", {{"batch_size", 2}, {"checkpoint_interval_s", 0}}},
      {"lowbit.quantize-activations", "quantizer-activations", nullptr, {{"input_bits", 8}}},
      {"lowbit.export", "exporter", nullptr, {{"format", "hf"}}},
      {"lowbit.perplexity",
       "evaluator-perplexity",
       "task",
       {{"streaming", true}, {"batch_size", 2}, {"checkpoint_interval_s", 0}}},
      {"lowbit.kl-divergence", "evaluator-kl-divergence", "task", {{"streaming", true}, {"batch_size", 2}}}};
  return all;
}

/// A line of /proc/self/status, in KiB.
int64_t status_kib(const std::string& key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::atoll(line.c_str() + key.size() + 1);
  }
  return 0;
}

/// The largest value of RssAnon while it lives; the kernel keeps a peak of all resident memory only.
class AnonymousPeak {
 public:
  AnonymousPeak()
      : sampler_([this] {
          while (!stop_) {
            peak_ = std::max(peak_.load(), status_kib("RssAnon"));
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
          }
        }) {}
  AnonymousPeak(const AnonymousPeak&) = delete;
  AnonymousPeak& operator=(const AnonymousPeak&) = delete;
  ~AnonymousPeak() {
    stop_ = true;
    sampler_.join();
  }
  [[nodiscard]] int64_t kib() const { return peak_; }

 private:
  std::atomic<int64_t> peak_{0};
  std::atomic<bool> stop_{false};
  std::thread sampler_;
};

int run_stage(const StageUnderTest& stage, const fs::path& model, const fs::path& windows, const fs::path& output) {
  mallopt(M_MMAP_THRESHOLD, 1 << 28);  // as the host sets it for jobs
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  const std::string file = std::string(LOWBIT_PLUGIN_DIR) + "/" + stage.plugin + ".so";
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const auto entry = reinterpret_cast<const lb_plugin* (*)()>(dlsym(library, "lowbit_plugin"));
  test::FakeHost host;
  host.directory = output;
  host.params = stage.params;
  host.outputs.clear();
  host.bind("model", {.path = model.string(), .type = "model/1"});
  host.bind("reference", {.path = model.string(), .type = "model/1"});  // where a stage has such an input
  if (stage.windows_port != nullptr) {
    host.bind(stage.windows_port, {.path = windows.string(), .type = "token-batches/1"});
  }
  lb_status status = LB_INTERNAL;
  int64_t anonymous_kib = 0;
  {
    const AnonymousPeak peak;
    for (const lb_stage* const* s = entry()->stages; *s != nullptr; ++s) {
      if (std::string((*s)->id) != stage.id) continue;
      for (const lb_port* const* p = (*s)->outputs; *p != nullptr; ++p) host.outputs.emplace_back((*p)->name);
      status = host.run((*s)->run);
    }
    anonymous_kib = peak.kib();
  }
  for (const ErrorText& e : host.errors)
    std::fprintf(stderr, "%s (%s): %s\n", e.what.c_str(), e.where.c_str(), e.why.c_str());
  // Not ru_maxrss: that remembers the process before exec.
  std::ofstream(output / "peak") << status_kib("VmHWM") << ' ' << anonymous_kib << '\n';
  return status == LB_OK ? 0 : 1;
}

struct Peak {
  double resident_mib = 0, anonymous_mib = 0, seconds = 0;
};

Peak measure(const StageUnderTest& stage, const fs::path& model, const fs::path& windows, const fs::path& output) {
  fs::remove_all(output);
  fs::create_directories(output);
  std::vector<std::string> words{"memory_bench", "--child",        stage.id,
                                 model.string(), windows.string(), output.string()};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto start = std::chrono::steady_clock::now();
  pid_t pid = -1;
  int status = 1;
  if (posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv.data(), environ) != 0 ||
      waitpid(pid, &status, 0) != pid || status != 0) {
    std::fprintf(stderr, "%s failed\n", stage.id);
    std::exit(1);
  }
  Peak peak;
  peak.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::ifstream(output / "peak") >> peak.resident_mib >> peak.anonymous_mib;
  peak.resident_mib /= 1024;
  peak.anonymous_mib /= 1024;
  return peak;
}

template <class Use>
void each_word(const std::string& list, Use use) {
  std::istringstream in(list);
  for (std::string word; std::getline(in, word, ',');) use(word);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 5 && words[0] == "--child") {
    for (const StageUnderTest& stage : stages()) {
      if (words[1] == stage.id) return run_stage(stage, words[2], words[3], words[4]);
    }
    return 2;
  }
  std::vector<int64_t> depths{8, 16, 32, 64};
  std::string wanted;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    if (words[i] == "--blocks") {
      depths.clear();
      each_word(words[i + 1], [&](const std::string& word) { depths.push_back(std::atoll(word.c_str())); });
    } else if (words[i] == "--stages") {
      wanted = words[i + 1];
    } else {
      std::fprintf(stderr, "unknown option %s\n", words[i].c_str());
      return 2;
    }
  }

  std::string name = (fs::temp_directory_path() / "lowbit-memory-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return 1;
  const fs::path scratch = name;
  setenv("OMP_NUM_THREADS", "1", 1);
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  lm::set_threads(1);

  std::vector<std::vector<Peak>> peaks(stages().size());
  std::printf("%-28s %7s %12s %14s %14s %6s\n", "stage", "blocks", "weights, MiB", "resident, MiB", "anonymous, MiB",
              "s");
  for (const int64_t depth : depths) {
    const bench::ModelShape shape{.hidden = 256,
                                  .intermediate = 768,
                                  .n_heads = 4,
                                  .n_kv_heads = 4,
                                  .n_blocks = depth,
                                  .vocab = 512,
                                  .max_positions = 256};
    bench::write_model(scratch / "model", shape);
    fs::create_directories(scratch / "windows");
    lm::write_token_batches(scratch / "windows", bench::random_windows(scratch / "model", 8, 64));
    const double weights_mib =
        static_cast<double>(lm::Checkpoint::open(scratch / "model").stored_bytes()) / (1024 * 1024);
    for (size_t i = 0; i < stages().size(); ++i) {
      const StageUnderTest& stage = stages()[i];
      if (!wanted.empty() && ("," + wanted + ",").find("," + std::string(stage.id) + ",") == std::string::npos)
        continue;
      const Peak peak = measure(stage, scratch / "model", scratch / "windows", scratch / "output");
      std::printf("%-28s %7lld %12.1f %14.1f %14.1f %6.1f\n", stage.id, static_cast<long long>(depth), weights_mib,
                  peak.resident_mib, peak.anonymous_mib, peak.seconds);
      (void)std::fflush(stdout);
      peaks[i].push_back(peak);
    }
    fs::remove_all(scratch / "model");
  }
  fs::remove_all(scratch);

  bool grew = false;
  for (size_t i = 0; i < stages().size(); ++i) {
    if (peaks[i].empty()) continue;
    const auto [least, most] = std::minmax_element(
        peaks[i].begin(), peaks[i].end(), [](const Peak& a, const Peak& b) { return a.resident_mib < b.resident_mib; });
    const double growth = most->resident_mib / least->resident_mib;
    std::printf("%-28s largest / smallest peak %.3f%s\n", stages()[i].id, growth,
                growth > kMostGrowth ? ": memory grows with the depth of the model" : "");
    grew = grew || growth > kMostGrowth;
  }
  return grew ? 1 : 0;
}
