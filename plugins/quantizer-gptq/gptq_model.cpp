#include "gptq_model.h"

#include "lm/error.h"

namespace lowbit::gptq {

void quantize_block(lm::BlockWeights& w, int64_t block, lm::Calibration& calibration, const lm::GptqOptions& options,
                    const std::function<void(QuantizedLinear)>& done) {
  using lm::Linear;
  const auto quantize_group = [&](Linear group) {
    const at::Tensor moments = calibration.second_moments(w, group);
    for (const Linear linear : lm::kLinears) {
      if (lm::input_group(linear) != group) continue;
      try {
        const at::Tensor original = w[linear];
        lm::GptqResult result = lm::quantize_gptq(original, moments, options);
        w[linear] = lm::dequantize(result.matrix).to(original.scalar_type());
        done({linear, std::move(result), original});
      } catch (const lm::Error& e) {
        lm::Error::Text text = e.text();
        text.where = lm::linear_name(block, linear) + ", " + text.where;
        throw lm::Error(e.status(), std::move(text));
      }
    }
  };
  quantize_group(Linear::q);
  quantize_group(Linear::o);
  calibration.pass_attention(w);
  quantize_group(Linear::gate);
  quantize_group(Linear::down);
  calibration.pass_mlp(w);
}

}  // namespace lowbit::gptq
