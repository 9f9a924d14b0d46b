// Adapters: their algebra, their gradients, their files.
#include "lm/train/lora.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "lm/adapter.h"
#include "lm/perplexity.h"
#include "lm/quantized_model.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
namespace train = lm::train;

namespace {

const train::LoraModel::Options kDouble{.matrices = at::kDouble, .dtype = at::kDouble};
const std::vector<std::string> kAll{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};

struct Model {
  std::filesystem::path directory;
  lm::ModelConfig config;
  std::unique_ptr<lm::WeightSource> weights;
  explicit Model(const std::string& name)
      : directory(test::fixtures() / name),
        config(lm::read_model_config(directory)),
        weights(lm::open_weights(directory)) {}
};

/// Three rows of different lengths with the ends scored.
train::Batch some_batch(int64_t vocab_size) {
  std::vector<train::Sequence> rows(3);
  for (size_t b = 0; b < 3; ++b) {
    for (int64_t t = 0; t < 6 + 2 * static_cast<int64_t>(b); ++t) {
      rows[b].ids.push_back((7 * t * t + 3 * t + 11 * static_cast<int64_t>(b) + 1) % vocab_size);
      rows[b].scored.push_back(t >= 4);
    }
  }
  return train::collate({&rows[0], &rows[1], &rows[2]}, 0);
}

/// A new adapter that is not the zero it begins as: B random too.
lm::Adapter random_adapter(const Model& model, const std::vector<int64_t>& token_ids = {}) {
  std::vector<std::string> all;
  for (const lm::Linear linear : lm::linears(model.config)) all.push_back(lm::module_name(model.config, linear));
  auto adapter = train::new_adapter(model.config, *model.weights,
                                    {.rank = 3, .alpha = 6, .targets = all, .token_ids = token_ids}, 5);
  uint64_t seed = 100;
  for (auto& [name, update] : adapter.updates) {
    update.b = (0.05 * test::normal(update.b.sizes(), ++seed)).to(at::kFloat);
  }
  return adapter;
}

at::Tensor loss_of(const train::LoraModel& model, const lm::NamedTensors& leaves, const train::Batch& batch) {
  return model.nll(leaves, batch).mean();
}

struct Gradient {
  double loss;
  at::Tensor flat;
};
Gradient gradient_of(const train::LoraModel& model, const train::Parameters& parameters, const train::Batch& batch) {
  train::ThreadPool pool(1);
  train::Gradients gradients(parameters, 1, pool);
  const double loss =
      gradients.compute([&](int64_t, const lm::NamedTensors& leaves) { return loss_of(model, leaves, batch); });
  return {loss, gradients.total().clone()};
}

}  // namespace

TEST_CASE("the loss is the evaluator's", "[train]") {
  const Model model(GENERATE(from_range(test::kReferenceModels)));
  const train::Batch batch = some_batch(model.config.vocab_size);
  const auto w = train::assemble(
      model.config, [&](const std::string& name) { return model.weights->tensor(name).to(at::kDouble); }, at::kDouble);
  const at::Tensor nll = train::scored_nll(model.config, w, batch);
  const lm::Model llama(model.config, *model.weights, at::kDouble);
  const at::Tensor all = lm::token_nll(llama, llama.forward(batch.ids), batch.ids);  // [B, T - 1]
  const int64_t n_positions = batch.ids.size(1);
  for (int64_t i = 0; i < batch.n_scored(); ++i) {
    const auto place = batch.position[i].item<int64_t>();
    CHECK(nll[i].item<double>() == Approx(all[place / n_positions][place % n_positions].item<double>()).epsilon(1e-12));
  }
  const at::Tensor sums = train::row_logps(nll, batch);
  CHECK(sums.sum().item<double>() == Approx(-nll.sum().item<double>()).epsilon(1e-12));
  CHECK(sums[0].item<double>() == Approx(-nll.narrow(0, 0, 2).sum().item<double>()).epsilon(1e-12));
}

TEST_CASE("matrices in bf16 change the loss by bf16's rounding only", "[train]") {
  const Model model("random-untied");
  const train::Batch batch = some_batch(model.config.vocab_size);
  const auto loss = [&](at::ScalarType matrices) {
    const auto w = train::assemble(
        model.config, [&](const std::string& name) { return model.weights->tensor(name).to(at::kFloat); }, matrices);
    return train::scored_nll(model.config, w, batch).mean().item<double>();
  };
  CHECK(loss(at::kBFloat16) != loss(at::kFloat));
  CHECK(loss(at::kBFloat16) == Approx(loss(at::kFloat)).epsilon(0.01));  // 2^-8 a product, 15 of them in a row
}

TEST_CASE("a new adapter changes nothing, and its first gradient is in B alone", "[lora]") {
  const Model model("random-untied");
  const train::Batch batch = some_batch(model.config.vocab_size);
  const auto adapter =
      train::new_adapter(model.config, *model.weights, {.rank = 4, .alpha = 8, .targets = kAll, .token_ids = {}}, 1);
  const train::LoraModel lora(model.config, *model.weights, adapter, {});
  const train::Parameters parameters(lora.initial());
  const auto base = train::assemble(
      model.config, [&](const std::string& name) { return model.weights->tensor(name).to(at::kFloat); }, at::kFloat);
  CHECK(at::equal(lora.nll(parameters.views(parameters.values), batch), train::scored_nll(model.config, base, batch)));
  const Gradient gradient = gradient_of(lora, parameters, batch);
  for (const auto& [name, view] : parameters.views(gradient.flat)) {
    INFO(name);
    const bool is_a = name.find("lora_A") != name.npos;
    CHECK((view.abs().max().item<double>() == 0) == is_a);
  }
}

TEST_CASE("on a base that rounds activations the loss is the evaluator's, and gradients pass through", "[lora]") {
  const Model plain(GENERATE("random-untied", "random-opt"));
  const test::ScratchDirectory dir;
  const lm::ActivationGrid grid{.num_bits = 4};
  lm::copy_with_rules(plain.directory, dir.path(), {.inputs = grid, .kv_cache = grid});
  const auto rounding = lm::open_weights(dir.path());
  const auto adapter = train::new_adapter(plain.config, *rounding,
                                          {.rank = 4, .alpha = 8, .targets = {"q_proj", "v_proj"}, .token_ids = {}}, 1);
  const train::Batch batch = some_batch(plain.config.vocab_size);
  const train::LoraModel lora(plain.config, *rounding, adapter, kDouble);
  const train::Parameters parameters(lora.initial());
  const auto nll = lora.nll(parameters.views(parameters.values), batch).detach();
  const auto weights = lm::adapted(lm::open_weights(dir.path()), adapter);
  const lm::Model evaluated(plain.config, *weights, at::kDouble);
  const at::Tensor all = lm::token_nll(evaluated, evaluated.forward(batch.ids), batch.ids).reshape({-1});
  const int64_t n_positions = batch.ids.size(1);
  const at::Tensor place = batch.position - batch.position.div(n_positions, "floor");  // rows of T - 1
  CHECK(test::max_difference(nll, all.index_select(0, place)) < 1e-9);
  CHECK(gradient_of(lora, parameters, batch).flat.norm().item<double>() > 1e-6);
}

TEST_CASE("padding is nothing that a base with LLM.int8 looks for outliers in", "[lora]") {
  const Model plain("random-untied");
  const test::ScratchDirectory dir;
  lm::copy_with_rules(plain.directory, dir.path(),
                      {.inputs = lm::ActivationGrid{.num_bits = 8}, .outlier_threshold = 1.5});
  const auto rounding = lm::open_weights(dir.path());
  const auto adapter = train::new_adapter(plain.config, *rounding,
                                          {.rank = 4, .alpha = 8, .targets = {"q_proj", "v_proj"}, .token_ids = {}}, 1);
  const train::LoraModel lora(plain.config, *rounding, adapter, kDouble);
  const train::Parameters parameters(lora.initial());
  const train::Sequence longer{.ids = {1, 5, 9, 13, 17, 21, 25}, .scored = {false, true, true, true, true, true, true}};
  const train::Sequence shorter{.ids = {1, 30, 12}, .scored = {false, true, true}};
  const auto nll = [&](int64_t pad_id, bool masked) {
    train::Batch batch = train::collate({&longer, &shorter}, pad_id);
    if (!masked) batch.real.reset();
    return lora.nll(parameters.views(parameters.values), batch).detach();
  };
  CHECK(at::equal(nll(3, true), nll(17, true)));
  CHECK_FALSE(at::equal(nll(3, false), nll(17, false)));  // as text it would count
  CHECK_FALSE(train::collate({&longer}, 0).real.defined());
}

TEST_CASE("A begins uniform in +-1/sqrt(in), the same for each seed", "[lora]") {
  const Model model("random-untied");
  const auto make = [&](uint64_t seed, std::vector<std::string> targets) {
    return train::new_adapter(model.config, *model.weights,
                              {.rank = 64, .alpha = 8, .targets = std::move(targets), .token_ids = {}}, seed);
  };
  const auto adapter = make(1, kAll);
  const at::Tensor a = adapter.updates.at("model.layers.1.mlp.down_proj.weight").a;
  const double bound = 1 / std::sqrt(44.0);
  CHECK(a.abs().max().item<double>() <= bound);
  // Variance of a uniform distribution, bound^2 / 3; its standard error over 64 x 44 draws is 1.7 %.
  CHECK(a.square().mean().item<double>() == Approx(bound * bound / 3).epsilon(0.07));
  CHECK(at::equal(a, make(1, {"down_proj"}).updates.at("model.layers.1.mlp.down_proj.weight").a));
  CHECK_FALSE(at::equal(a, make(2, kAll).updates.at("model.layers.1.mlp.down_proj.weight").a));
  CHECK(make(1, {"q_proj", "v_proj"}).n_parameters() == 2 * 64 * ((32 + 32) + (32 + 16)));
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([&] { (void)make(1, {"c_attn"}); }) ==
        "no linear is called c_attn\n  where: target_modules\n"
        "  why: a block has q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj\n  fix: name some of these");
}

TEST_CASE("gradients of updates and token rows are those of finite differences", "[lora]") {
  const Model model(GENERATE(from_range(test::kReferenceModels)));
  const train::Batch batch = some_batch(model.config.vocab_size);
  const auto seen = batch.ids[0][1].item<int64_t>();  // a token of the batch: its embedding row has a gradient
  const train::LoraModel lora(model.config, *model.weights, random_adapter(model, {seen, 39}), kDouble);
  train::Parameters parameters(lora.initial());
  const Gradient gradient = gradient_of(lora, parameters, batch);
  const at::NoGradGuard none;
  const auto loss_at = [&](const at::Tensor& values) {
    return loss_of(lora, parameters.views(values), batch).item<double>();
  };
  // Central differences along a random direction of each parameter: error h^2 times third derivatives, about 1e-9.
  uint64_t seed = 50;
  for (const auto& [name, view] : parameters.views(parameters.values)) {
    INFO(name);
    at::Tensor direction = at::zeros_like(parameters.values);
    parameters.view(direction, name).copy_(test::normal(view.sizes(), ++seed));
    constexpr double kStep = 1e-5;
    const double slope =
        (loss_at(parameters.values + kStep * direction) - loss_at(parameters.values - kStep * direction)) / (2 * kStep);
    CHECK(at::dot(gradient.flat, direction).item<double>() == Approx(slope).epsilon(1e-5).margin(1e-9));
  }
}

TEST_CASE("merged and unmerged adapters agree, and dropout of nothing drops nothing", "[lora]") {
  const Model model("random-untied");
  const train::Batch batch = some_batch(model.config.vocab_size);
  lm::Adapter adapter = random_adapter(model);
  const auto nll = [&](std::optional<uint64_t> seed) {
    const train::LoraModel lora(model.config, *model.weights, adapter, {});
    const train::Parameters parameters(lora.initial());
    const auto leaves = parameters.views(parameters.values);
    return lora.nll(leaves, batch, seed);
  };
  const at::Tensor merged = nll({});
  adapter.dropout = 1e-12;  // keeps everything, but goes through the branches
  CHECK(test::max_difference(merged, nll(1)) < 1e-5);
  CHECK_FALSE(at::equal(merged, nll(1)));
  adapter.dropout = 0.5;
  CHECK(test::max_difference(merged, nll(1)) > 1e-3);
  CHECK(at::equal(nll(1), nll(1)));
  CHECK_FALSE(at::equal(nll(1), nll(2)));
}

TEST_CASE("doubling alpha and halving B gives the same model", "[lora]") {
  const Model model("random-untied");
  const auto adapter = random_adapter(model);
  auto other = adapter;
  other.alpha *= 2;
  for (auto& [name, update] : other.updates) update.b = update.b / 2;
  const auto a = lm::adapted(lm::open_weights(model.directory), adapter);
  const auto b = lm::adapted(lm::open_weights(model.directory), other);
  for (const std::string& name : a->names()) CHECK(at::equal(a->tensor(name), b->tensor(name)));
}

TEST_CASE("one element of B A lands where it should", "[lora]") {
  // The merge case of torchtune's tests: r 4, alpha 1, W[4,5] = 1, A[1,25] = 3, B[32,1] = 12 -> W'[32,25] = 36 / 4.
  at::Tensor w = at::zeros({64, 64});
  w[4][5] = 1;
  lm::Adapter adapter{.rank = 4,
                      .alpha = 1,
                      .dropout = 0,
                      .targets = {},
                      .updates = {},
                      .token_ids = {},
                      .embedding_rows = {},
                      .head_rows = {},
                      .embedding_matrix = {},
                      .head_matrix = {}};
  adapter.updates["w"] = {.a = at::zeros({4, 64}), .b = at::zeros({64, 4})};
  adapter.updates["w"].a[1][25] = 3;
  adapter.updates["w"].b[32][1] = 12;
  const auto merged = lm::adapted(std::make_unique<test::MemoryWeights>(lm::NamedTensors{{"w", w}}), adapter);
  at::Tensor expected = w.clone();
  expected[32][25] = 9;
  CHECK(at::equal(merged->tensor("w"), expected));
}

TEST_CASE("the outputs that PEFT published for its regression adapter come out", "[lora][shared]") {
  const auto file = test::shared_data("cases/lora/lora_mlp-expected.json");
  if (!file) return;
  const auto json = test::read_json(*file);
  const auto tensor = [&](const char* key) {
    const auto& rows = json.at(key);
    std::vector<at::Tensor> parts;
    if (!rows[0].is_array()) return at::tensor(rows.get<std::vector<double>>(), at::kDouble);
    for (const auto& row : rows) parts.push_back(at::tensor(row.get<std::vector<double>>(), at::kDouble));
    return at::stack(parts);
  };
  lm::Adapter adapter{.rank = json.at("r"),
                      .alpha = json.at("lora_alpha"),
                      .dropout = 0,
                      .targets = {},
                      .updates = {},
                      .token_ids = {},
                      .embedding_rows = {},
                      .head_rows = {},
                      .embedding_matrix = {},
                      .head_matrix = {}};
  adapter.updates["lin0.weight"] = {.a = tensor("lora_A").to(at::kFloat), .b = tensor("lora_B").to(at::kFloat)};
  const auto merged = lm::adapted(
      std::make_unique<test::MemoryWeights>(lm::NamedTensors{{"lin0.weight", tensor("lin0.weight")}}), adapter);
  const at::Tensor hidden =
      at::linear(tensor("input"), merged->tensor("lin0.weight").to(at::kDouble), tensor("lin0.bias")).relu();
  const at::Tensor out = at::log_softmax(at::linear(hidden, tensor("lin1.weight"), tensor("lin1.bias")), -1);
  CHECK(test::max_difference(out, tensor("output_log_softmax")) < 1e-5);
}

TEST_CASE("trained rows begin near the mean of the others and replace only their own", "[lora]") {
  const Model model("random-untied");
  const auto adapter = random_adapter(model, {3, 5});
  const auto base = model.weights->tensor("model.embed_tokens.weight").to(at::kDouble);
  at::Tensor others = at::cat({base.narrow(0, 0, 3), base.narrow(0, 4, 1), base.narrow(0, 6, 34)});
  // Noise of variance 1/h in 2 h places: its mean square is 1/h within a quarter of it (four standard errors).
  const at::Tensor noise = adapter.embedding_rows.to(at::kDouble) - others.mean(0, true);
  CHECK(noise.square().mean().item<double>() == Approx(1.0 / 32).epsilon(0.75));
  const auto weights = lm::adapted(lm::open_weights(model.directory), adapter);
  for (const char* name : {"model.embed_tokens.weight", "lm_head.weight"}) {
    const at::Tensor now = weights->tensor(name);
    const at::Tensor changed = now.ne(model.weights->tensor(name)).any(1).nonzero().squeeze(1);
    CHECK(at::equal(changed, at::tensor({3, 5}, at::kLong)));
  }
}

TEST_CASE("trained rows begin at the mean of the tokens that are named for them", "[lora]") {
  const Model model("random-untied");
  const auto rows_from = [&](std::vector<std::vector<int64_t>> tokens) {
    return train::new_adapter(
        model.config, *model.weights,
        {.rank = 2, .targets = {"q_proj"}, .token_ids = {3, 5}, .first_rows_of = std::move(tokens)}, 1);
  };
  const auto all = rows_from({});
  const auto named = rows_from({{7, 9}, {}});
  const auto mean = [&](const char* name) {
    const at::Tensor base = model.weights->tensor(name).to(at::kFloat);
    return (base[7] + base[9]) / 2;
  };
  CHECK(test::max_difference(named.embedding_rows[0], mean("model.embed_tokens.weight")) < 1e-6);
  CHECK(test::max_difference(named.head_rows[0], mean("lm_head.weight")) < 1e-6);
  // Where nothing is named, naming others changes nothing.
  CHECK(at::equal(named.embedding_rows[1], all.embedding_rows[1]));
  CHECK(at::equal(named.head_rows[1], all.head_rows[1]));
}

TEST_CASE("only trained rows have a rate of their own", "[lora]") {
  const Model model("random-untied");
  const train::LoraModel lora(model.config, *model.weights, random_adapter(model, {3, 5}), {});
  const train::Parameters parameters(lora.initial());
  const at::Tensor scales = train::LoraModel::row_scale(parameters, 30);
  for (const auto& [name, scale] : parameters.views(scales)) {
    INFO(name);
    const bool row = name == "embedding_rows" || name == "head_rows";
    CHECK(at::equal(scale, at::full_like(scale, row ? 30 : 1)));
  }
}

TEST_CASE("an adapter read back is the adapter written", "[lora]") {
  const test::ScratchDirectory dir;
  const Model model("random-untied");
  const auto adapter = random_adapter(model, {3, 5});
  const std::string digest(64, 'a');
  CHECK(lm::write_adapter(dir.path(), adapter, digest) == 4 * adapter.n_parameters());
  CHECK(lm::read_adapter_base(dir.path()) == digest);
  const auto back = lm::read_adapter(dir.path());
  CHECK(back.rank == 3);
  CHECK(back.alpha == 6);
  CHECK(back.targets == kAll);
  CHECK(back.token_ids == std::vector<int64_t>{3, 5});
  CHECK(back.n_parameters() == adapter.n_parameters());
  const auto a = lm::adapted(lm::open_weights(model.directory), adapter);
  const auto b = lm::adapted(lm::open_weights(model.directory), back);
  for (const std::string& name : a->names()) CHECK(at::equal(a->tensor(name), b->tensor(name)));

  const std::string name = "model.layers.0.mlp.up_proj.weight";
  const auto json = test::read_json(dir.path() / "adapter_config.json");
  CHECK(json.at("trainable_token_indices").at("lm_head") == nlohmann::json({3, 5}));
  const auto file = lm::SafetensorsFile::open(dir.path() / "adapter_model.safetensors");
  CHECK(
      at::equal(file.tensor("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"), adapter.updates.at(name).a));
}

TEST_CASE("adapters that mean something else are refused by name", "[lora]") {
  const test::ScratchDirectory dir;
  const Model model("random-untied");
  (void)lm::write_adapter(dir.path(), random_adapter(model), std::string(64, 'a'));
  const auto with = [&](const char* key, const nlohmann::json& value) {
    auto json = test::read_json(dir.path() / "adapter_config.json");
    const auto before = json;
    json[key] = value;
    test::write_text(dir.path() / "adapter_config.json", json.dump());
    const std::string text = dir.error_of([&] { (void)lm::read_adapter(dir.path()); });
    test::write_text(dir.path() / "adapter_config.json", before.dump());
    return text;
  };
  const auto unsupported = [](const std::string& what) {
    return what +
           " is not supported\n  where: DIR/adapter_config.json\n"
           "  why: only plain LoRA updates, trained token rows and whole embedding and output matrices are "
           "implemented\n"
           "  fix: train the adapter without it";
  };
  CHECK(with("use_dora", true) == unsupported("use_dora = true"));
  CHECK(with("use_rslora", true) == unsupported("use_rslora = true"));
  CHECK(with("bias", "all") == unsupported("bias = \"all\""));
  CHECK(with("modules_to_save", {"score"}) == unsupported("modules_to_save = [\"score\"]"));
  CHECK(with("r", 4).find("is not of rank 4") != std::string::npos);
  CHECK(dir.error_of([&] {
    auto other = random_adapter(model);
    other.updates["model.layers.0.self_attn.q_proj.weight"].b = at::zeros({5, 3});
    (void)lm::adapted(lm::open_weights(model.directory), other);
  }) == "the adapter does not fit its base\n  where: model.layers.0.self_attn.q_proj.weight\n"
        "  why: the update is 5 x 32\n  fix: apply the adapter to the model it was trained on");
}
