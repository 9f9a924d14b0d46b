// What the operations of lm/fused.h and lm/decode_attention.h take beside the same formula composed of libtorch's
// operations, on one thread:
//
//   build/release/tests/fused_bench [--rounds N]
//
// Both are run in turn; a row shows the median of their times and the median of the ratio pair by pair.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "lm/config.h"
#include "lm/decode_attention.h"
#include "lm/fused.h"
#include "lm/model.h"

namespace {

using namespace lowbit;

using Work = std::function<void()>;

double seconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

int n_rounds = 31;

void compare(const char* what, const std::string& shape, const Work& ours, const Work& composed) {
  ours();
  composed();
  std::vector<double> our_times, their_times, ratios;
  for (int round = 0; round < n_rounds; ++round) {
    our_times.push_back(seconds(ours));
    their_times.push_back(seconds(composed));
    ratios.push_back(our_times.back() / their_times.back());
  }
  std::printf("%-34s %-22s %9.3f %9.3f %7.2f\n", what, shape.c_str(), 1e3 * median(our_times),
              1e3 * median(their_times), median(ratios));
}

/// One pass forward, and one with the gradients of `leaves`.
void compare_both(const std::string& what, const std::string& shape, const std::vector<at::Tensor>& inputs,
                  const std::function<at::Tensor(const std::vector<at::Tensor>&)>& ours,
                  const std::function<at::Tensor(const std::vector<at::Tensor>&)>& composed) {
  const auto forward = [&](const auto& operation) {
    return [&] {
      const c10::InferenceMode no_gradients;
      (void)operation(inputs);
    };
  };
  compare(what.c_str(), shape, forward(ours), forward(composed));
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.clone().requires_grad_(true));
  const at::Tensor direction = at::randn_like(ours(inputs));
  const auto with_gradients = [&](const auto& operation) {
    return [&] {
      for (at::Tensor& leaf : leaves) leaf.mutable_grad().reset();
      operation(leaves).backward(direction);
    };
  };
  compare((what + ", with gradients").c_str(), shape, with_gradients(ours), with_gradients(composed));
}

struct Shape {
  int64_t n_sequences, n_tokens, hidden, intermediate, n_heads, n_kv_heads;
};

void compare_all(const Shape& s) {
  const int64_t d = s.hidden / s.n_heads;
  const auto text = [](std::initializer_list<int64_t> dims) {
    std::string joined;
    for (const int64_t dim : dims) joined += (joined.empty() ? "" : " x ") + std::to_string(dim);
    return joined;
  };
  const at::Tensor weight = at::randn({s.hidden});
  compare_both(
      "rms_norm", text({s.n_sequences * s.n_tokens, s.hidden}), {at::randn({s.n_sequences, s.n_tokens, s.hidden})},
      [&](const auto& in) { return lm::rms_norm(in[0], weight, 1e-5); },
      [&](const auto& in) { return in[0] * (in[0].square().mean(-1, true) + 1e-5).rsqrt() * weight; });

  lm::ModelConfig config;
  config.head_dim = d;
  config.rope_theta = 10000;
  const lm::Positions positions(config, 0, s.n_tokens, {}, at::kFloat);
  compare_both(
      "rotated_heads", text({s.n_sequences, s.n_tokens, s.n_heads, d}),
      {at::randn({s.n_sequences, s.n_tokens, s.hidden})},
      [&](const auto& in) { return lm::rotated_heads(in[0], s.n_heads, positions.cos, positions.sin); },
      [&](const auto& in) {
        const at::Tensor x = in[0].view({s.n_sequences, s.n_tokens, s.n_heads, d}).transpose(1, 2);
        const auto halves = x.chunk(2, -1);
        return (x * positions.cos + at::cat({halves[1].neg(), halves[0]}, -1) * positions.sin).contiguous();
      });

  compare_both(
      "swiglu", text({s.n_sequences * s.n_tokens, s.intermediate}),
      {at::randn({s.n_sequences * s.n_tokens, s.intermediate}),
       at::randn({s.n_sequences * s.n_tokens, s.intermediate})},
      [](const auto& in) { return lm::swiglu(in[0], in[1]); }, [](const auto& in) { return at::silu(in[0]) * in[1]; });

  const double scale = 1 / std::sqrt(static_cast<double>(d));
  const at::Tensor hidden = at::ones({s.n_tokens, s.n_tokens}, at::kBool).triu(1);
  // Without gradients ours overwrites its scores, so it is given a copy, and the copy is counted.
  compare_both(
      "causal_softmax", text({s.n_sequences, s.n_heads, s.n_tokens, s.n_tokens}),
      {at::randn({s.n_sequences, s.n_heads, s.n_tokens, s.n_tokens})},
      [&](const auto& in) { return lm::causal_softmax(in[0].clone(), scale, 0, {}); },
      [&](const auto& in) {
        return at::softmax((in[0] * scale).masked_fill(hidden, -std::numeric_limits<double>::infinity()), -1);
      });

  const c10::InferenceMode no_gradients;
  const at::Tensor q = at::randn({s.n_sequences, s.n_heads, 1, d});
  const at::Tensor keys = at::randn({s.n_sequences, s.n_kv_heads, s.n_tokens, d});
  const at::Tensor values = at::randn({s.n_sequences, s.n_kv_heads, s.n_tokens, d});
  const int64_t batch = s.n_sequences * s.n_kv_heads;
  compare(
      "decode_attention", text({s.n_sequences, s.n_heads, s.n_tokens, d}),
      [&] { (void)lm::decode_attention(q, keys, values, s.n_tokens, {}); },
      [&] {
        const at::Tensor scores = at::bmm(q.reshape({batch, s.n_heads / s.n_kv_heads, d}),
                                          keys.reshape({batch, s.n_tokens, d}).transpose(1, 2));
        (void)at::bmm(at::softmax(scores * scale, -1), values.reshape({batch, s.n_tokens, d}));
      });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--rounds") == 0) n_rounds = std::max(1, std::atoi(argv[2]));
  // Memory that was freed stays with the process, as in lowbit's jobs: page faults are not what is compared.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  lm::set_threads(1);
  at::manual_seed(1);
  std::printf("%-34s %-22s %9s %9s %7s\n", "fp32, one thread", "shape", "ours, ms", "libtorch", "ratio");
  compare_all({.n_sequences = 16, .n_tokens = 110, .hidden = 128, .intermediate = 384, .n_heads = 4, .n_kv_heads = 2});
  compare_all(
      {.n_sequences = 1, .n_tokens = 512, .hidden = 2048, .intermediate = 8192, .n_heads = 32, .n_kv_heads = 8});
  return 0;
}
