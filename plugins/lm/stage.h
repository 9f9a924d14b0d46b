// Where the numerics library meets the plugin SDK. Like the other headers that know both (round_linears.h,
// train/stage.h, train/adapter_stage.h) included by plugins, not compiled into the library.
#pragma once

#include <algorithm>
#include <chrono>
#include <lowbit/sdk.hpp>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "lm/activations.h"
#include "lm/adapter.h"
#include "lm/device.h"
#include "lm/error.h"
#include "lm/grid.h"
#include "lm/quantized_model.h"
#include "lm/torch.h"

namespace lowbit::lm {

/// Throws StageError{resource} when the system gives no `n` threads at once: libtorch's pool waits for ever for one
/// that it did not get.
inline void require_threads(unsigned n) {
  std::mutex all_are_there;
  std::vector<std::thread> threads;
  std::string refusal;
  {
    const std::lock_guard<std::mutex> hold(all_are_there);
    try {
      while (threads.size() < n) {
        threads.emplace_back([&all_are_there] { const std::lock_guard<std::mutex> wait(all_are_there); });
      }
    } catch (const std::system_error& e) {
      refusal = e.what();
    }
  }
  for (std::thread& thread : threads) thread.join();
  if (refusal.empty()) return;
  throw StageError(LB_RESOURCE, {.what = "the system gives no " + std::to_string(n) + " threads",
                                 .where = "threads",
                                 .why = "after " + std::to_string(threads.size()) + ": " + refusal,
                                 .fix = "give the stage fewer `cpus`, or raise the limits on processes and memory "
                                        "(ulimit -u, ulimit -v, the cgroup's pids.max)"});
}

/// A stage body with threads set and the library's errors turned into the SDK's:
/// `lowbit::Stage(...).run<lm::stage<Params, body>>()`.
template <class Params, void (*Body)(const Job&, const Params&)>
void stage(const Job& job, const Params& params) {
  if (job.threads() > 1) require_threads(job.threads());
  set_threads(static_cast<int>(job.threads()));
  try {
    Body(job, params);
  } catch (const Error& e) {
    const Error::Text& text = e.text();
    throw StageError(static_cast<lb_status>(e.status()),
                     {.what = text.what, .where = text.where, .why = text.why, .fix = text.fix});
  }
}

/// The types that a port for weights takes.
inline constexpr const char* kModelTypes = "model/1|quantized-model/1|adapter/1";

struct OpenedModel {
  std::filesystem::path directory;  ///< of config.json and tokenizer.json: the model under all adapters
  std::unique_ptr<WeightSource> weights;
};

/// Any model: full, packed (linears come out dequantized), or adapters on either. `closure`: object digest ->
/// {"path", "type"}, as the host delivers it with an adapter. Throws Error{bad_input}.
[[nodiscard]] inline OpenedModel open_model(const std::filesystem::path& path, const std::string& type,
                                            const nlohmann::json& closure) {
  if (type.rfind("adapter/", 0) != 0) return {path, open_weights(path)};
  const std::string digest = read_adapter_base(path);
  const auto base = closure.find(digest);
  if (base == closure.end()) {
    throw Error(Status::bad_input, {.what = "the base of an adapter is not there",
                                    .where = path.string(),
                                    .why = "base.json names " + digest + ", which no artifact of this project is",
                                    .fix = "bind the adapter together with its base: run the stages that made both"});
  }
  OpenedModel opened = open_model(base->at("path").get<std::string>(), base->at("type").get<std::string>(), closure);
  opened.weights =
      adapted(std::move(opened.weights), read_adapter(path), read_model_config(opened.directory).tied_embeddings);
  return opened;
}
[[nodiscard]] inline OpenedModel open_model(const Input& input) {
  return open_model(input.path, input.type, input.closure);
}

/// What it costs to keep the model: bytes of all it is made of, and the bits of a weight of its blocks' linears; the
/// bits of activations where they are rounded.
inline void report_size(const Job& job, const ModelConfig& config, const WeightSource& weights) {
  double n_bits = 0;
  double n_weights = 0;
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    for (const Linear linear : linears(config)) {
      const auto shape = linear_shape(config, linear);
      const auto n = static_cast<double>(shape[0] * shape[1]);
      n_bits += n * static_cast<double>(weights.code_bits(linear_name(config, block, linear)));
      n_weights += n;
    }
  }
  job.metric("model/stored_bytes", static_cast<double>(weights.stored_bytes()), "bytes");
  job.metric("model/weight_bits", n_bits / n_weights, "bits");
  if (const ActivationRules* rules = weights.activation_rules()) {
    if (rules->inputs) job.metric("model/activation_bits", rules->inputs->num_bits, "bits");
    if (rules->kv_cache) job.metric("model/kv_bits", rules->kv_cache->num_bits, "bits");
  }
}

/// The dtype that scales are stored in, as parameter `scale_dtype` names it.
[[nodiscard]] inline at::ScalarType scale_dtype(const std::string& name) {
  return name == "float32" ? at::kFloat : name == "bfloat16" ? at::kBFloat16 : at::kHalf;
}

/// Second moments of fewer tokens than features have no full rank: what is missing comes from dampening alone.
inline void warn_of_few_tokens(const Job& job, const ModelConfig& config, std::int64_t n_tokens) {
  std::int64_t widest = 0;
  for (const Linear linear : linears(config)) widest = std::max(widest, linear_shape(config, linear).back());
  if (n_tokens >= widest) return;
  job.warn("the calibration has " + std::to_string(n_tokens) + " tokens, a linear reads " + std::to_string(widest) +
           " features: the second moments are not of full rank, and dampening decides what they leave open");
}

/// Parameters of every stage that rounds weights to a grid. A stage's own Params derive from it.
struct GridParams {
  std::int64_t num_bits = 4;
  std::int64_t group_size = -1;
  bool symmetric = false;
  std::string range = "min_max";
  std::string scale_dtype = "float16";

  [[nodiscard]] GridOptions grid() const {
    return {.num_bits = static_cast<int>(num_bits),
            .group_size = group_size,
            .symmetric = symmetric,
            .range = range == "mse" ? GridOptions::Range::mse : GridOptions::Range::min_max,
            .scale_dtype = lm::scale_dtype(scale_dtype)};
  }
};

template <class P>
auto grid_fields() {
  const auto of = [](auto member, const char* name) { return field(member, name); };
  return fields<P>(
      of(static_cast<std::int64_t P::*>(&P::num_bits), "num_bits")
          .range(1, 8)
          .unit("bits")
          .required()
          .doc("bits of a stored code"),
      of(static_cast<std::int64_t P::*>(&P::group_size), "group_size")
          .at_least(-1)
          .unit("weights")
          .required()
          .doc("weights along the input dimension that share a scale; -1: a whole row"),
      of(static_cast<bool P::*>(&P::symmetric), "symmetric").doc("zero point fixed in the middle of the grid"),
      of(static_cast<std::string P::*>(&P::range), "range")
          .one_of("min_max", "mse")
          .doc("range of a grid: from the smallest to the largest weight, or the best of 80 narrower ones by sum of "
               "|error|^2.4"),
      of(static_cast<std::string P::*>(&P::scale_dtype), "scale_dtype")
          .one_of("float16", "bfloat16", "float32")
          .doc("how scales are stored; they are rounded to it before any weight is rounded to them"));
}

/// The final metrics of every weight quantizer.
inline void report(const Job& job, const QuantizedModelWriter::Totals& totals, const GridOptions& grid) {
  const auto n_weights = static_cast<double>(totals.n_weights);
  job.metric("weights/nmse", totals.nmse(), "ratio");
  job.metric("weights/bits_per_weight", totals.bits_per_weight(), "bits");
  job.metric("weights/paper_bits_per_weight", grid.num_bits, "bits");
  job.metric("weights/packed_bytes", static_cast<double>(totals.n_bits) / 8, "bytes");
  job.metric("weights/quantized_weights", n_weights, "weights");
}

/// The dtype that matrices are multiplied in, as parameter `compute_dtype` names it.
[[nodiscard]] inline at::ScalarType compute_dtype(const std::string& name) {
  return name == "bfloat16" ? at::kBFloat16 : name == "float64" ? at::kDouble : at::kFloat;
}

/// Parameter `device` of a stage that can use a GPU.
template <class P>
auto device_field() {
  return field(static_cast<std::string P::*>(&P::device), "device")
      .one_of("cpu", "cuda")
      .doc(
          "where it is computed: the processor, or the first GPU that the job sees, by a libtorch with CUDA. Weights "
          "stay "
          "in main memory and are copied block by block");
}
/// Dtype and device of a stage's tensors, by its parameters. Throws Error{bad_param, resource}.
template <class P>
[[nodiscard]] at::TensorOptions compute_options(const P& params) {
  return at::TensorOptions(device_named(params.device)).dtype(compute_dtype(params.compute_dtype));
}

/// Says when the next checkpoint is due, so that short jobs write none and long ones lose little.
class CheckpointClock {
 public:
  /// `interval_s`: least time between checkpoints; 0: one at every chance.
  explicit CheckpointClock(double interval_s) : interval_(interval_s), last_(Clock::now()) {}
  [[nodiscard]] bool due() const { return Clock::now() - last_ >= interval_; }
  void reset() { last_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::duration<double> interval_;
  Clock::time_point last_;
};

}  // namespace lowbit::lm
