#include "lm/train/parameters.h"

namespace lowbit::lm::train {

Parameters::Parameters(const std::vector<std::pair<std::string, at::Tensor>>& initial) {
  std::vector<at::Tensor> flat;
  int64_t offset = 0;
  for (const auto& [name, tensor] : initial) {
    places_[name] = {offset, tensor.sizes().vec()};
    flat.push_back(tensor.reshape({-1}));
    offset += tensor.numel();
  }
  values = at::cat(flat);
}

at::Tensor Parameters::view(const at::Tensor& flat, std::string_view name) const {
  const Place& place = places_.find(name)->second;
  return flat.narrow(0, place.offset, c10::multiply_integers(place.shape)).view(place.shape);
}

NamedTensors Parameters::views(const at::Tensor& flat) const {
  NamedTensors views;
  for (const auto& [name, place] : places_) views[name] = view(flat, name);
  return views;
}

int64_t Parameters::offset(std::string_view name) const { return places_.find(name)->second.offset; }

Gradients::Gradients(const Parameters& parameters, int64_t n_shards, ThreadPool& pool) : pool_(pool) {
  for (int64_t i = 0; i < n_shards; ++i) {
    Shard& shard = shards_.emplace_back();
    shard.gradient = at::zeros_like(parameters.values);
    shard.leaves = parameters.views(parameters.values);
    NamedTensors gradients = parameters.views(shard.gradient);
    for (auto& [name, leaf] : shard.leaves) {
      leaf = leaf.detach().requires_grad_(true);
      leaf.mutable_grad() = gradients[name];  // what backward() adds to, in place
    }
  }
}

double Gradients::compute(const ShardLoss& loss) {
  pool_.run(n_shards(), [&](int64_t i) {
    Shard& shard = shards_[static_cast<size_t>(i)];
    shard.gradient.zero_();
    const at::Tensor value = loss(i, shard.leaves);
    shard.loss = value.defined() ? value.item<double>() : 0;
    if (value.defined()) value.backward();
  });
  double sum = shards_.front().loss;
  for (size_t i = 1; i < shards_.size(); ++i) {
    total().add_(shards_[i].gradient);
    sum += shards_[i].loss;
  }
  return sum;
}

}  // namespace lowbit::lm::train
