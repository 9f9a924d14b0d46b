#include "lm/train/lora.h"

#include <algorithm>
#include <cmath>

#include "lm/error.h"
#include "lm/train/checkpoint.h"
#include "lm/train/random.h"

namespace lowbit::lm::train {
namespace {

constexpr const char* kEmbeddingRows = "embedding_rows";
constexpr const char* kHeadRows = "head_rows";
constexpr const char* kEmbeddingMatrix = "embedding_matrix";
constexpr const char* kHeadMatrix = "head_matrix";

/// What is trained of embedding and output matrix, by the names of the parameters.
std::vector<std::pair<const char*, at::Tensor*>> outer_parameters(Adapter& adapter) {
  return {{kEmbeddingRows, &adapter.embedding_rows},
          {kHeadRows, &adapter.head_rows},
          {kEmbeddingMatrix, &adapter.embedding_matrix},
          {kHeadMatrix, &adapter.head_matrix}};
}

std::string name_a(const std::string& weight) { return weight + ".lora_A"; }
std::string name_b(const std::string& weight) { return weight + ".lora_B"; }

/// [n, h], as LoraOptions::first_rows_of says.
at::Tensor first_rows(const at::Tensor& matrix, const LoraOptions& options, at::Generator generator) {
  const auto n = static_cast<int64_t>(options.token_ids.size());
  const at::Tensor rows = matrix.to(at::kFloat);
  const at::Tensor known = at::ones({matrix.size(0)}, at::kBool);
  for (const int64_t id : options.token_ids) known[id] = false;
  const double std = 1 / std::sqrt(static_cast<double>(matrix.size(1)));
  at::Tensor first = at::empty({n, matrix.size(1)}, at::kFloat).normal_(0, std, generator);
  for (int64_t i = 0; i < n; ++i) {
    if (options.first_rows_of.empty() || options.first_rows_of[static_cast<size_t>(i)].empty()) {
      first[i] += rows.index({known}).mean(0);
    } else {
      first[i] = rows.index({at::tensor(options.first_rows_of[static_cast<size_t>(i)], at::kLong)}).mean(0);
    }
  }
  return first;
}

}  // namespace

Adapter new_adapter(const ModelConfig& config, const WeightSource& base, const LoraOptions& options, uint64_t seed) {
  Adapter adapter{.rank = options.rank,
                  .alpha = options.alpha,
                  .dropout = options.dropout,
                  .targets = options.targets,
                  .updates = {},
                  .token_ids = {},
                  .embedding = module_of(outer_names(config).embedding),
                  .embedding_rows = {},
                  .head_rows = {},
                  .embedding_matrix = {},
                  .head_matrix = {}};
  std::vector<std::string> modules;
  std::string known;
  for (const Linear linear : linears(config)) {
    modules.push_back(module_name(config, linear));
    known += (known.empty() ? "" : ", ") + modules.back();
  }
  for (const std::string& target : options.targets) {
    if (std::find(modules.begin(), modules.end(), target) != modules.end()) continue;
    throw Error(Status::bad_param, {.what = "no linear is called " + target,
                                    .where = "target_modules",
                                    .why = "a block has " + known,
                                    .fix = "name some of these"});
  }
  const OuterNames outer = outer_names(config);
  int64_t place = 0;  // of a linear among all, targets or not: adding a target changes no other's first weights
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    for (const Linear linear : linears(config)) {
      at::Generator generator = generator_at(seed, {++place});
      const std::string module = module_name(config, linear);
      if (std::find(options.targets.begin(), options.targets.end(), module) == options.targets.end()) continue;
      const std::string name = linear_name(config, block, linear);
      const auto shape = base.tensor(name).sizes().vec();
      const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
      adapter.updates[name] = {.a = at::empty({options.rank, shape[1]}, at::kFloat).uniform_(-bound, bound, generator),
                               .b = at::zeros({shape[0], options.rank})};
    }
  }
  const auto begin = [&](const std::string& name, int64_t generator, at::Tensor& rows, at::Tensor& matrix) {
    const at::Tensor of_base = base.tensor(name);
    if (!options.token_ids.empty()) rows = first_rows(of_base, options, generator_at(seed, {0, generator}));
    if (!options.whole_matrices) return;
    matrix = of_base.to(at::kFloat, false, /*copy=*/true);
    if (rows.defined()) matrix.index_copy_(0, at::tensor(options.token_ids, at::kLong), rows);
    rows.reset();
  };
  begin(outer.embedding, 1, adapter.embedding_rows, adapter.embedding_matrix);
  if (!config.tied_embeddings) begin(outer.head, 2, adapter.head_rows, adapter.head_matrix);
  if (adapter.embedding_rows.defined()) adapter.token_ids = options.token_ids;
  adapter.is_tied = options.whole_matrices && config.tied_embeddings;
  return adapter;
}

LoraModel::LoraModel(ModelConfig config, const WeightSource& base, Adapter adapter, Options options)
    : config_(std::move(config)),
      adapter_(std::move(adapter)),
      options_(options),
      token_ids_(at::tensor(adapter_.token_ids, at::kLong)) {
  if (const ActivationRules* rules = base.activation_rules()) rules_ = *rules;
  const Model checked(config_, base, at::kFloat, Model::Blocks::streaming);
  for (int64_t block = 0; block < config_.n_blocks; ++block) (void)checked.block(block);
  base.release_block();
  const GetTensor keep = [&](const std::string& name, const std::vector<int64_t>&) {
    return base_[name] = base.tensor(name).to(options_.dtype, false, /*copy=*/true);
  };
  (void)assemble_outer(config_, keep);
  if (options_.blocks == Blocks::recomputed) {
    source_ = &base;
  } else {
    for (int64_t block = 0; block < config_.n_blocks; ++block) (void)assemble_block(config_, block, keep);
  }
  for (auto& [name, update] : adapter_.updates) {
    update.a = update.a.to(options_.dtype);
    update.b = update.b.to(options_.dtype);
  }
  for (const auto& [name, tensor] : outer_parameters(adapter_)) {
    if (tensor->defined()) *tensor = tensor->to(options_.dtype);
  }
}

std::vector<std::pair<std::string, at::Tensor>> LoraModel::initial() const {
  std::vector<std::pair<std::string, at::Tensor>> parameters;
  for (const auto& [name, update] : adapter_.updates) {
    parameters.emplace_back(name_a(name), update.a);
    parameters.emplace_back(name_b(name), update.b);
  }
  Adapter adapter = adapter_;
  for (const auto& [name, tensor] : outer_parameters(adapter)) {
    if (tensor->defined()) parameters.emplace_back(name, *tensor);
  }
  return parameters;
}

at::Tensor LoraModel::row_scale(const Parameters& parameters, double scale) {
  at::Tensor scales = at::ones_like(parameters.values);
  for (auto& [name, view] : parameters.views(scales)) {
    if (name == kEmbeddingRows || name == kHeadRows || name == kEmbeddingMatrix || name == kHeadMatrix) {
      view.fill_(scale);
    }
  }
  return scales;
}

at::Tensor LoraModel::frozen(const std::string& name) const {
  const auto kept = base_.find(name);
  return kept == base_.end() ? source_->tensor(name).to(options_.dtype) : kept->second;
}

OuterWeights LoraModel::outer(const NamedTensors& leaves) const {
  const auto trained = [&](const std::string& name, const char* matrix, const char* rows) {
    if (const auto whole = leaves.find(matrix); whole != leaves.end()) return whole->second;
    const auto leaf = leaves.find(rows);
    return leaf == leaves.end() ? frozen(name) : frozen(name).index_copy(0, token_ids_, leaf->second);
  };
  const OuterNames names = outer_names(config_);
  OuterWeights w = assemble_outer(config_, [&](const std::string& name, const std::vector<int64_t>&) {
    if (name == names.embedding) return trained(name, kEmbeddingMatrix, kEmbeddingRows);
    return name == names.head ? trained(name, kHeadMatrix, kHeadRows) : frozen(name);
  });
  w.head = w.head.to(options_.matrices);
  return w;
}

BlockWeights LoraModel::block(int64_t index, const NamedTensors& leaves, std::optional<uint64_t> dropout_seed) const {
  const double scale = adapter_.scale();
  const bool branches = dropout_seed && adapter_.dropout > 0;
  BlockWeights w = assemble_block(config_, index, [&](const std::string& name, const std::vector<int64_t>&) {
    if (branches || adapter_.updates.count(name) == 0) return frozen(name);
    return at::addmm(frozen(name), leaves.at(name_b(name)), leaves.at(name_a(name)), 1, scale);
  });
  for (const Linear linear : linears(config_)) w[linear] = w[linear].to(options_.matrices);
  if (!rules_.empty()) w.activations = hooks_of(rules_, config_, index);
  if (!branches) return w;
  w.branch = [this, &leaves, scale, seed = *dropout_seed, index](Linear linear, const at::Tensor& x) -> at::Tensor {
    const std::string name = linear_name(config_, index, linear);
    if (adapter_.updates.count(name) == 0) return {};
    const double keep = 1 - adapter_.dropout;
    at::Generator generator = generator_at(seed, {index, static_cast<int64_t>(linear)});
    const at::Tensor kept = at::empty_like(x).detach().bernoulli_(keep, generator) / keep;
    return at::linear(at::linear(x * kept, leaves.at(name_a(name))), leaves.at(name_b(name))) * scale;
  };
  return w;
}

at::Tensor LoraModel::nll(const NamedTensors& leaves, const Batch& batch, std::optional<uint64_t> dropout_seed) const {
  const BlockStep resident = [&](int64_t index, const at::Tensor& x, const Positions& positions) {
    return block_forward(config_, block(index, leaves, dropout_seed), x, positions);
  };
  const BlockStep recomputed = [&](int64_t index, const at::Tensor& x, const Positions& positions) {
    NamedTensors of_block;
    for (const Linear linear : linears(config_)) {
      const std::string name = linear_name(config_, index, linear);
      if (adapter_.updates.count(name) == 0) continue;
      for (const std::string& parameter : {name_a(name), name_b(name)}) of_block[parameter] = leaves.at(parameter);
    }
    const Part part = [this, index, positions, dropout_seed](const at::Tensor& input, const NamedTensors& trained) {
      source_->release_block();
      return block_forward(config_, block(index, trained, dropout_seed), input, positions);
    };
    return checkpointed(part, x, of_block);
  };
  return scored_nll(config_, outer(leaves), options_.blocks == Blocks::resident ? resident : recomputed, batch);
}

Adapter LoraModel::trained(const Parameters& parameters) const {
  Adapter adapter = adapter_;
  const auto value = [&](const std::string& name) { return parameters.view(parameters.values, name).clone(); };
  for (auto& [name, update] : adapter.updates) update = {.a = value(name_a(name)), .b = value(name_b(name))};
  for (const auto& [name, tensor] : outer_parameters(adapter)) {
    if (tensor->defined()) *tensor = value(name);
  }
  return adapter;
}

}  // namespace lowbit::lm::train
