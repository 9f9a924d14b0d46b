// A stage that takes time in equal steps, reports on each, and can be killed and resumed at any of them.
#include <chrono>
#include <thread>

#include "stages.h"

namespace toy {
namespace {

using lowbit::field;

struct Params {
  std::string text;
  std::int64_t steps = 4;
  std::int64_t delay_ms = 0;
  std::int64_t checkpoint_every = 1;
  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::text, "text").doc("appended to the input"),
        field(&Params::steps, "steps").range(1, 1000000).unit("steps").doc("how many times the state is mixed"),
        field(&Params::delay_ms, "delay_ms")
            .range(0, 600000)
            .unit("ms")
            .no_effect_on_result()
            .doc("sleep before each step"),
        field(&Params::checkpoint_every, "checkpoint_every")
            .range(0, 1000000)
            .unit("steps")
            .no_effect_on_result()
            .doc("steps between two checkpoints; 0: none"));
  }
};

struct State {
  std::uint64_t step = 0;
  std::uint64_t value = 0;
};

State read_state(const std::filesystem::path& checkpoint) {
  const auto json = nlohmann::json::parse(read_text(checkpoint / "state.json"));
  return {json.at("step"), json.at("value")};
}

void run(const lowbit::Job& job, const Params& params) {
  std::string text = job.has_input("in") ? read_text(job.input("in").file()) : "";
  text += params.text;

  State state{0, lowbit::stream_seed(0, text)};
  if (const auto checkpoint = job.resume_from()) {
    state = read_state(*checkpoint);
    job.info("resumed at step " + std::to_string(state.step));
  }
  const auto steps = static_cast<std::uint64_t>(params.steps);
  const auto every = static_cast<std::uint64_t>(params.checkpoint_every);
  while (state.step < steps) {
    job.tick(state.step, steps, "steps");
    if (params.delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(params.delay_ms));
    state = {state.step + 1, lowbit::stream_seed(state.value, text)};
    job.curve("toy/state", static_cast<double>(state.value >> 54U), "ratio", static_cast<std::int64_t>(state.step));
    if (every > 0 && state.step % every == 0 && state.step < steps) {
      job.checkpoint(state.step, [&](const std::filesystem::path& into) {
        write_text(into / "state.json", nlohmann::json{{"step", state.step}, {"value", state.value}}.dump());
      });
    }
  }
  job.tick(steps, steps, "steps");
  write_text(job.output("out") / kFile, text + "\n" + std::to_string(state.value) + "\n");
  job.metric("toy/state", static_cast<double>(state.value >> 54U), "ratio");
}

}  // namespace

lowbit::Stage transform() {
  return lowbit::Stage("lowbit.toy.transform", LB_DATASET)
      .version("1.0.0")
      .summary("Appends to a text and mixes it step by step; slow, resumable and cancellable.")
      .input("in", "file", "a text", LB_PORT_OPTIONAL)
      .output("out", "file", "the text and its mixed state")
      .resumable()
      .preload()  // it is not slow to load: so the tests meet jobs of both ways to start
      .run<run>();
}

}  // namespace toy
