// Toys that run well and break one promise each: `lowbit plugins check` has to find it, with the check that is named
// in the toy's summary.
#include <signal.h>
#include <unistd.h>
#include <lowbit/sdk.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;
using lowbit::field;
using lowbit::Job;
using lowbit::Stage;

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void finish(const Job& job, const std::string& text) { write_text(job.output("out") / "data.txt", text + "\n"); }

// No promise is broken by the process id being random: it is by writing it down.
void run_unrepeatable(const Job& job) { finish(job, std::to_string(getpid())); }
void run_unrepeatable_metric(const Job& job) {
  finish(job, "same");
  job.metric("toy/pid", getpid(), "ratio");
}
void run_counts_threads(const Job& job) { finish(job, std::to_string(job.threads())); }
void run_secretly_seeded(const Job& job) { finish(job, std::to_string(job.seed())); }
void run_seedless(const Job& job) { finish(job, "the same for every seed"); }

struct ChunkParams {
  std::int64_t chunk = 8;
  std::string label = "a";
  static auto fields() {
    return lowbit::fields<ChunkParams>(
        field(&ChunkParams::chunk, "chunk").range(1, 1024).no_effect_on_result().doc("items at a time"),
        field(&ChunkParams::label, "label").no_effect_on_result().doc("for the log"));
  }
};
void run_chunks(const Job& job, const ChunkParams& params) { finish(job, std::to_string(100 % params.chunk)); }
void run_labels(const Job& job, const ChunkParams& params) { finish(job, params.label); }

// A fifth of a second without asking whether it should stop.
void run_deaf(const Job& job) {
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  finish(job, "done");
}
void run_wrong_cancel(const Job& job) {
  try {
    for (int i = 0; i < 20; ++i) {
      job.tick(0, 0, "steps");
      std::this_thread::sleep_for(std::chrono::milliseconds(4));
    }
  } catch (const lowbit::Cancelled&) {
    throw lowbit::StageError(LB_INTERNAL, {.what = "interrupted", .where = "loop", .why = "cancel", .fix = "wait"});
  }
  finish(job, "done");
}

// Saves its position but not its state.
void run_forgetful(const Job& job) {
  int step = 0;
  int state = 0;
  if (const auto from = job.resume_from()) step = std::stoi(read_text(*from / "step"));
  while (step < 6) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
    ++step;
    state += step;
    job.checkpoint(static_cast<std::uint64_t>(step),
                   [&](const fs::path& into) { write_text(into / "step", std::to_string(step)); });
  }
  finish(job, std::to_string(state));
}
void run_wasted_checkpoint(const Job& job) {
  job.checkpoint(1, [](const fs::path& into) { write_text(into / "step", "1"); });
  finish(job, "done");
}

struct LitterParams {
  std::string where = "working_directory";
  static auto fields() {
    return lowbit::fields<LitterParams>(
        field(&LitterParams::where, "where").one_of("working_directory", "TMPDIR", "input").doc("where it litters"));
  }
};
void run_litter(const Job& job, const LitterParams& params) {
  if (params.where == "working_directory") write_text("litter.txt", "x");
  if (params.where == "TMPDIR") write_text(fs::temp_directory_path() / "litter.txt", "x");
  if (params.where == "input" && job.has_input("in")) write_text(job.input("in").path / "litter.txt", "x");
  finish(job, "done");
}

void run_fragile(const Job& job) {
  const std::string text = read_text(job.input("in").file());
  if (text.find("end") == std::string::npos) {
    signal(SIGSEGV, SIG_DFL);  // the same end under a sanitizer, which would handle it
    (void)raise(SIGSEGV);
  }
  finish(job, text);
}
void run_gullible(const Job& job) { finish(job, read_text(job.input("pairs").path / "pairs.jsonl")); }
void run_needy(const Job& job) { finish(job, read_text(job.input("in").file())); }
void run_misnamed_metric(const Job& job) {
  finish(job, "done");
  job.metric("speed", 1, "items");
}

Stage toy(const std::string& name, const char* summary) {
  return Stage("lowbit.toy." + name, LB_DATASET).version("1.0.0").summary(summary).output("out", "file", "a text");
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER, toy("unrepeatable", "repeats: writes its process id.").run<run_unrepeatable>(),
              toy("unrepeatable-metric", "repeats: reports its process id.").run<run_unrepeatable_metric>(),
              toy("counts-threads", "threads: writes how many it may use.").run<run_counts_threads>(),
              toy("secretly-seeded", "seed: uses it without saying so.").run<run_secretly_seeded>(),
              toy("seedless", "seed: says that it uses it.").seeded().run<run_seedless>(),
              toy("chunks", "no-effect: the number of items at a time changes the result.").run<run_chunks>(),
              toy("labels", "no-effect: the label for the log changes the result.").run<run_labels>(),
              toy("deaf", "cancel: never asks.").run<run_deaf>(),
              toy("wrong-cancel", "cancel: fails instead.").run<run_wrong_cancel>(),
              toy("forgetful", "resume: forgets its state.").resumable().run<run_forgetful>(),
              toy("wasted-checkpoint", "resume: commits what is never used.").run<run_wasted_checkpoint>(),
              toy("litter", "own-files: writes beside its directories.")
                  .input("in", "file", "a directory", LB_PORT_OPTIONAL)
                  .run<run_litter>(),
              toy("fragile", "bad-inputs: dies of a cut file.").input("in", "file", "a text").run<run_fragile>(),
              toy("gullible", "bad-inputs: takes anything for pairs.")
                  .input("pairs", "sft-pairs/1", "copied")
                  .run<run_gullible>(),
              toy("needy", "optional-inputs: cannot do without.")
                  .input("in", "file", "copied", LB_PORT_OPTIONAL)
                  .run<run_needy>(),
              toy("misnamed-metric", "metrics: reports one that nobody knows.").run<run_misnamed_metric>())
