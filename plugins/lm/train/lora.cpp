#include "lm/train/lora.h"

#include <algorithm>
#include <cmath>

#include "lm/error.h"
#include "lm/train/random.h"

namespace lowbit::lm::train {
namespace {

constexpr const char* kEmbedding = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";
constexpr const char* kEmbeddingRows = "embedding_rows";
constexpr const char* kHeadRows = "head_rows";

std::string name_a(const std::string& weight) { return weight + ".lora_A"; }
std::string name_b(const std::string& weight) { return weight + ".lora_B"; }

/// "model.layers.0.self_attn.q_proj.weight" -> "q_proj"
std::string module_name(const std::string& weight) {
  const size_t end = weight.rfind('.');
  const size_t begin = weight.rfind('.', end - 1) + 1;
  return weight.substr(begin, end - begin);
}

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

Adapter new_adapter(const LlamaConfig& config, const WeightSource& base, const LoraOptions& options, uint64_t seed) {
  Adapter adapter{.rank = options.rank,
                  .alpha = options.alpha,
                  .dropout = options.dropout,
                  .targets = options.targets,
                  .updates = {},
                  .token_ids = options.token_ids,
                  .embedding_rows = {},
                  .head_rows = {}};
  for (const std::string& target : options.targets) {
    const bool known = std::any_of(kLinears.begin(), kLinears.end(),
                                   [&](Linear linear) { return module_name(linear_name(0, linear)) == target; });
    if (known) continue;
    throw Error(Status::bad_param, {.what = "no linear is called " + target,
                                    .where = "target_modules",
                                    .why = "a block has q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj",
                                    .fix = "name some of these"});
  }
  int64_t place = 0;  // of a linear among all, targets or not: adding a target changes no other's first weights
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    for (const Linear linear : kLinears) {
      const std::string name = linear_name(block, linear);
      at::Generator generator = generator_at(seed, {++place});
      if (std::find(options.targets.begin(), options.targets.end(), module_name(name)) == options.targets.end()) {
        continue;
      }
      const auto shape = base.tensor(name).sizes().vec();
      const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
      adapter.updates[name] = {.a = at::empty({options.rank, shape[1]}, at::kFloat).uniform_(-bound, bound, generator),
                               .b = at::zeros({shape[0], options.rank})};
    }
  }
  if (!options.token_ids.empty()) {
    adapter.embedding_rows = first_rows(base.tensor(kEmbedding), options, generator_at(seed, {0, 1}));
    if (!config.tied_embeddings) {
      adapter.head_rows = first_rows(base.tensor(kHead), options, generator_at(seed, {0, 2}));
    }
  }
  return adapter;
}

LoraModel::LoraModel(LlamaConfig config, const WeightSource& base, Adapter adapter, at::ScalarType matrices,
                     at::ScalarType dtype)
    : config_(std::move(config)),
      adapter_(std::move(adapter)),
      matrices_(matrices),
      token_ids_(at::tensor(adapter_.token_ids, at::kLong)) {
  check_tensors(config_, base);
  const Llama shapes_are_checked(config_, base, at::kFloat, Llama::Blocks::resident);
  (void)assemble(
      config_, [&](const std::string& name) { return base_[name] = base.tensor(name).to(dtype, false, /*copy=*/true); },
      dtype);
  for (auto& [name, update] : adapter_.updates) {
    update.a = update.a.to(dtype);
    update.b = update.b.to(dtype);
  }
  for (at::Tensor* rows : {&adapter_.embedding_rows, &adapter_.head_rows}) {
    if (rows->defined()) *rows = rows->to(dtype);
  }
}

std::vector<std::pair<std::string, at::Tensor>> LoraModel::initial() const {
  std::vector<std::pair<std::string, at::Tensor>> parameters;
  for (const auto& [name, update] : adapter_.updates) {
    parameters.emplace_back(name_a(name), update.a);
    parameters.emplace_back(name_b(name), update.b);
  }
  if (adapter_.embedding_rows.defined()) parameters.emplace_back(kEmbeddingRows, adapter_.embedding_rows);
  if (adapter_.head_rows.defined()) parameters.emplace_back(kHeadRows, adapter_.head_rows);
  return parameters;
}

at::Tensor LoraModel::row_scale(const Parameters& parameters, double scale) {
  at::Tensor scales = at::ones_like(parameters.values);
  for (auto& [name, view] : parameters.views(scales)) {
    if (name == kEmbeddingRows || name == kHeadRows) view.fill_(scale);
  }
  return scales;
}

Weights LoraModel::weights(const NamedTensors& leaves, std::optional<uint64_t> dropout_seed) const {
  const double scale = adapter_.scale();
  const bool branches = dropout_seed && adapter_.dropout > 0;
  const auto with_rows = [&](const std::string& name, const char* rows) {
    const auto leaf = leaves.find(rows);
    return leaf == leaves.end() ? base_.at(name) : base_.at(name).index_copy(0, token_ids_, leaf->second);
  };
  Weights w = assemble(
      config_,
      [&](const std::string& name) {
        if (name == kEmbedding) return with_rows(name, kEmbeddingRows);
        if (name == kHead) return with_rows(name, kHeadRows);
        if (branches || adapter_.updates.count(name) == 0) return base_.at(name);
        return at::addmm(base_.at(name), leaves.at(name_b(name)), leaves.at(name_a(name)), 1, scale);
      },
      matrices_);
  if (!branches) return w;
  for (int64_t block = 0; block < config_.n_blocks; ++block) {
    w.blocks[static_cast<size_t>(block)].branch = [this, &leaves, scale, seed = *dropout_seed, block](
                                                      Linear linear, const at::Tensor& x) -> at::Tensor {
      const std::string name = linear_name(block, linear);
      if (adapter_.updates.count(name) == 0) return {};
      const double keep = 1 - adapter_.dropout;
      at::Generator generator = generator_at(seed, {block, static_cast<int64_t>(linear)});
      const at::Tensor kept = at::empty_like(x).detach().bernoulli_(keep, generator) / keep;
      return at::linear(at::linear(x * kept, leaves.at(name_a(name))), leaves.at(name_b(name))) * scale;
    };
  }
  return w;
}

Adapter LoraModel::trained(const Parameters& parameters) const {
  Adapter adapter = adapter_;
  const auto value = [&](const std::string& name) { return parameters.view(parameters.values, name).clone(); };
  for (auto& [name, update] : adapter.updates) update = {.a = value(name_a(name)), .b = value(name_b(name))};
  if (adapter.embedding_rows.defined()) adapter.embedding_rows = value(kEmbeddingRows);
  if (adapter.head_rows.defined()) adapter.head_rows = value(kHeadRows);
  return adapter;
}

}  // namespace lowbit::lm::train
