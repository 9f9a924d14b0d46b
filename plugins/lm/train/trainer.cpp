#include "lm/train/trainer.h"

#include <algorithm>
#include <utility>

#include "lm/error.h"

namespace lowbit::lm::train {
namespace {

constexpr const char* kStateFile = "trainer.safetensors";
const std::string kCurve = "curve/";

}  // namespace

Trainer::Trainer(Parameters& parameters, Options options, ThreadPool& pool)
    : parameters_(parameters),
      options_(std::move(options)),
      pool_(pool),
      gradients_(parameters, options_.n_shards, pool),
      n_adam_(options_.muon_matrices.empty() ? parameters.size() : parameters.offset(options_.muon_matrices.front())),
      adam_(options_.adam, n_adam_, options_.n_decayed, parameters.values.scalar_type()),
      momentum_(at::zeros_like(parameters.values)) {
  adam_.scale = options_.adam_scale;
}

Trainer::Step Trainer::step(const ShardLoss& loss, const Rates& rates) {
  const double value = gradients_.compute(loss);
  at::Tensor& gradient = gradients_.total();
  try {
    const double norm = clip_norm(gradient, options_.clip_norm);
    ++n_steps_;
    pool_.run(static_cast<int64_t>(options_.muon_matrices.size()) + 1, [&](int64_t i) {
      if (i == 0) {
        at::Tensor values = parameters_.values.narrow(0, 0, n_adam_);
        adam_.step(values, gradient.narrow(0, 0, n_adam_), rates.adam, n_steps_);
        return;
      }
      const std::string& name = options_.muon_matrices[static_cast<size_t>(i - 1)];
      at::Tensor matrix = parameters_.view(parameters_.values, name);
      at::Tensor momentum = parameters_.view(momentum_, name);
      Muon::step(matrix, parameters_.view(gradient, name), momentum, rates.muon, options_.muon);
    });
    return {value, norm};
  } catch (const Error& e) {
    Error::Text text = e.text();
    text.where = "step " + std::to_string(n_steps_) + ", loss " + std::to_string(value);
    throw Error(e.status(), std::move(text));
  }
}

double Trainer::tail_mean(const std::string& curve) const {
  const std::vector<double>& values = curves_.at(curve);
  const size_t n = std::max<size_t>(1, values.size() / 10);
  double sum = 0;
  for (size_t i = values.size() - n; i < values.size(); ++i) sum += values[i];
  return sum / static_cast<double>(n);
}

void Trainer::save(const std::filesystem::path& directory) const {
  NamedTensors state{{"values", parameters_.values},
                     {"adam_m", adam_.m},
                     {"adam_v", adam_.v},
                     {"n_steps", at::tensor({n_steps_}, at::kLong)}};
  if (!options_.muon_matrices.empty()) state["momentum"] = momentum_;
  for (const auto& [name, values] : curves_) state[kCurve + name] = at::tensor(values, at::kDouble);
  write_safetensors(directory / kStateFile, state);
}

void Trainer::restore(const std::filesystem::path& directory) {
  const auto state = SafetensorsFile::open(directory / kStateFile);
  parameters_.values.copy_(state.tensor("values"));  // in place: the shards' leaves look at it
  adam_.m.copy_(state.tensor("adam_m"));
  adam_.v.copy_(state.tensor("adam_v"));
  if (!options_.muon_matrices.empty()) momentum_.copy_(state.tensor("momentum"));
  n_steps_ = state.tensor("n_steps")[0].item<int64_t>();
  curves_.clear();
  for (const std::string& name : state.names()) {
    if (name.rfind(kCurve, 0) != 0) continue;
    const at::Tensor values = state.tensor(name).contiguous();
    curves_[name.substr(kCurve.size())].assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  }
}

}  // namespace lowbit::lm::train
