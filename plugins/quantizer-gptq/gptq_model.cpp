#include "gptq_model.h"

#include <array>

#include "lm/error.h"

namespace lowbit::gptq {
namespace {

using lm::Linear;

/// The linears that read one input. `w`: gets the rounded values; null: nobody computes with them.
void quantize_group(const lm::ModelConfig& config, lm::BlockWeights* w, const lm::BlockWeights& stored, int64_t block,
                    Linear group, const at::Tensor& moments, const lm::GptqOptions& options, const Done& done) {
  const lm::GptqInputs inputs =
      lm::at_place(lm::linear_name(config, block, group), [&] { return lm::prepare_gptq(moments, options); });
  for (const Linear linear : lm::linears(config)) {
    if (lm::input_group(config, linear) != group) continue;
    lm::at_place(lm::linear_name(config, block, linear), [&] {
      lm::GptqResult result = lm::quantize_gptq(stored[linear], inputs, options);
      if (w != nullptr) (*w)[linear] = lm::dequantize(result.matrix).to((*w)[linear].scalar_type());
      done({linear, std::move(result), stored[linear]});
    });
  }
}

std::array<Linear, 4> groups_of(const lm::ModelConfig& config) {
  return {Linear::q, Linear::o, lm::input_group(config, Linear::up), Linear::down};
}

}  // namespace

void quantize_block(const lm::ModelConfig& config, const lm::BlockWeights& stored, int64_t block,
                    const std::function<at::Tensor(Linear group)>& moments, const lm::GptqOptions& options,
                    const Done& done) {
  for (const Linear group : groups_of(config)) {
    quantize_group(config, nullptr, stored, block, group, moments(group), options, done);
  }
}

void quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, const lm::BlockWeights& stored, int64_t block,
                    lm::Calibration& calibration, const lm::GptqOptions& options, bool true_sequential,
                    const Done& done) {
  if (!true_sequential) {
    const std::map<Linear, at::Tensor> moments = calibration.all_second_moments(w);
    for (const Linear group : groups_of(config)) {
      quantize_group(config, &w, stored, block, group, moments.at(group), options, done);
    }
    calibration.pass_attention(w);
    calibration.pass_mlp(w);
    return;
  }
  const auto quantize = [&](Linear group) {
    quantize_group(config, &w, stored, block, group, calibration.second_moments(w, group), options, done);
  };
  quantize(Linear::q);
  quantize(Linear::o);
  calibration.pass_attention(w);
  quantize(lm::input_group(config, Linear::up));
  quantize(Linear::down);
  calibration.pass_mlp(w);
}

}  // namespace lowbit::gptq
