#include "gptq_model.h"

#include "lm/error.h"

namespace lowbit::gptq {

void quantize_block(const lm::ModelConfig& config, lm::BlockWeights& w, int64_t block, lm::Calibration& calibration,
                    const lm::GptqOptions& options, const std::function<void(QuantizedLinear)>& done) {
  using lm::Linear;
  const auto quantize_group = [&](Linear group) {
    const at::Tensor moments = calibration.second_moments(w, group);
    for (const Linear linear : lm::linears(config)) {
      if (lm::input_group(config, linear) != group) continue;
      try {
        const at::Tensor original = w[linear];
        lm::GptqResult result = lm::quantize_gptq(original, moments, options);
        w[linear] = lm::dequantize(result.matrix).to(original.scalar_type());
        done({linear, std::move(result), original});
      } catch (const lm::Error& e) {
        lm::Error::Text text = e.text();
        text.where = lm::linear_name(config, block, linear) + ", " + text.where;
        throw lm::Error(e.status(), std::move(text));
      }
    }
  };
  quantize_group(Linear::q);
  quantize_group(Linear::o);
  calibration.pass_attention(w);
  quantize_group(lm::input_group(config, Linear::up));
  quantize_group(Linear::down);
  calibration.pass_mlp(w);
}

}  // namespace lowbit::gptq
