#include "gptq_model.h"

#include "lm/error.h"

namespace lowbit::gptq {
namespace {

using lm::Linear;

/// The linears that read one input.
void quantize_group(const lm::ModelConfig& config, lm::BlockWeights& w, int64_t block, Linear group,
                    const at::Tensor& moments, const lm::GptqOptions& options, const Done& done) {
  const lm::GptqInputs inputs =
      lm::at_place(lm::linear_name(config, block, group), [&] { return lm::prepare_gptq(moments, options); });
  for (const Linear linear : lm::linears(config)) {
    if (lm::input_group(config, linear) != group) continue;
    lm::at_place(lm::linear_name(config, block, linear), [&] {
      const at::Tensor original = w[linear];
      lm::GptqResult result = lm::quantize_gptq(original, inputs, options);
      w[linear] = lm::dequantize(result.matrix).to(original.scalar_type());
      done({linear, std::move(result), original});
    });
  }
}

}  // namespace

void quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, int64_t block,
                    const std::function<at::Tensor(Linear group)>& moments, const lm::GptqOptions& options,
                    const Done& done) {
  for (const Linear group : {Linear::q, Linear::o, lm::input_group(config, Linear::up), Linear::down}) {
    quantize_group(config, w, block, group, moments(group), options, done);
  }
}

void quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, int64_t block, lm::Calibration& calibration,
                    const lm::GptqOptions& options, bool true_sequential, const Done& done) {
  if (!true_sequential) {
    const std::map<Linear, at::Tensor> moments = calibration.all_second_moments(w);
    quantize_block(
        config, w, block, [&](Linear group) { return moments.at(group); }, options, done);
    calibration.pass_attention(w);
    calibration.pass_mlp(w);
    return;
  }
  const auto quantize = [&](Linear group) {
    quantize_group(config, w, block, group, calibration.second_moments(w, group), options, done);
  };
  quantize(Linear::q);
  quantize(Linear::o);
  calibration.pass_attention(w);
  quantize(lm::input_group(config, Linear::up));
  quantize(Linear::down);
  calibration.pass_mlp(w);
}

}  // namespace lowbit::gptq
