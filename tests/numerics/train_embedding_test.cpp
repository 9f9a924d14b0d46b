// Embedding and output matrix trained whole, tied and untied, and adapters merged into their bases.
#include <catch2/catch.hpp>

#include "lm/merge.h"
#include "lm/quantized_model.h"
#include "lm/train/lora.h"
#include "lm/train/optimizer.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
namespace train = lm::train;

namespace {

struct Fixture {
  std::filesystem::path directory;
  lm::ModelConfig config;
  std::unique_ptr<lm::WeightSource> weights;
  explicit Fixture(const std::string& name)
      : directory(test::fixtures() / name),
        config(lm::read_model_config(directory)),
        weights(lm::open_weights(directory)) {}
  [[nodiscard]] std::vector<std::string> all_linears() const {
    std::vector<std::string> all;
    for (const lm::Linear linear : lm::linears(config)) all.push_back(lm::module_name(config, linear));
    return all;
  }
};

train::Batch two_rows(int64_t vocab_size) {
  std::vector<train::Sequence> rows(2);
  for (size_t b = 0; b < 2; ++b) {
    for (int64_t t = 0; t < 7 + 4 * static_cast<int64_t>(b); ++t) {
      rows[b].ids.push_back((5 * t * t + 3 * t + 11 * static_cast<int64_t>(b) + 1) % vocab_size);
      rows[b].scored.push_back(t >= 3);
    }
  }
  return train::collate({&rows[0], &rows[1]}, 0);
}

lm::Adapter whole(const lm::ModelConfig& config, const lm::WeightSource& base,
                  const std::vector<std::string>& targets) {
  auto adapter = train::new_adapter(
      config, base, {.rank = 3, .alpha = 6, .targets = targets, .token_ids = {}, .whole_matrices = true}, 5);
  uint64_t seed = 100;
  for (auto& [name, update] : adapter.updates) {
    update.b = (0.05 * test::normal(update.b.sizes(), ++seed)).to(at::kFloat);
  }
  return adapter;
}

/// The adapter after a few steps on a batch: every trained tensor has moved.
lm::Adapter trained(const lm::ModelConfig& config, const lm::WeightSource& base, const lm::Adapter& start) {
  const train::LoraModel model(config, base, start, {});
  train::Parameters parameters(model.initial());
  train::ThreadPool pool(1);
  train::Gradients gradients(parameters, 1, pool);
  train::AdamW adam({}, parameters.size(), 0);
  const train::Batch batch = two_rows(config.vocab_size);
  for (int64_t t = 1; t <= 3; ++t) {
    (void)gradients.compute([&](int64_t, const lm::NamedTensors& leaves) { return model.nll(leaves, batch).mean(); });
    adam.step(parameters.values, gradients.total(), 1e-2, t);
  }
  return model.trained(parameters);
}

lm::NamedTensors gradients_of(const lm::ModelConfig& config, const lm::WeightSource& base, const lm::Adapter& adapter) {
  const train::LoraModel model(config, base, adapter, {.matrices = at::kDouble, .dtype = at::kDouble});
  const train::Parameters parameters(model.initial());
  train::ThreadPool pool(1);
  train::Gradients gradients(parameters, 1, pool);
  const train::Batch batch = two_rows(config.vocab_size);
  (void)gradients.compute([&](int64_t, const lm::NamedTensors& leaves) { return model.nll(leaves, batch).mean(); });
  return parameters.views(gradients.total().clone());
}

at::Tensor logits_of(const lm::ModelConfig& config, const lm::WeightSource& weights) {
  const c10::InferenceMode no_gradients;
  const lm::Model model(config, weights, at::kFloat);
  return model.logits(model.forward(at::tensor({1, 5, 9, 30, 7, 7, 2}, at::kLong).unsqueeze(0))).clone();
}

}  // namespace

TEST_CASE("a whole embedding begins as the base's and the model is the base's at first", "[embedding]") {
  const Fixture f(GENERATE(from_range(test::kReferenceModels)));
  INFO(f.directory.string());
  const auto adapter = train::new_adapter(
      f.config, *f.weights,
      {.rank = 3, .alpha = 6, .targets = f.all_linears(), .token_ids = {}, .whole_matrices = true}, 5);
  CHECK(adapter.is_tied == f.config.tied_embeddings);
  CHECK(adapter.head_matrix.defined() != f.config.tied_embeddings);
  CHECK(adapter.token_ids.empty());
  const auto adapted = lm::adapted(lm::open_weights(f.directory), adapter);
  CHECK(at::equal(logits_of(f.config, *adapted), logits_of(f.config, *f.weights)));
}

TEST_CASE("named tokens of whole matrices begin where they are told to", "[embedding]") {
  const Fixture f("random-untied");
  const auto adapter = train::new_adapter(
      f.config, *f.weights,
      {.rank = 2, .targets = {"q_proj"}, .token_ids = {3}, .whole_matrices = true, .first_rows_of = {{7, 9}}}, 1);
  const at::Tensor base = f.weights->tensor("lm_head.weight").to(at::kFloat);
  CHECK(test::max_difference(adapter.head_matrix[3], (base[7] + base[9]) / 2) < 1e-6);
  CHECK(at::equal(adapter.head_matrix[4], base[4]));
  CHECK_FALSE(adapter.head_rows.defined());
}

TEST_CASE("the gradient of a tied matrix is the sum of those of an untied copy", "[embedding]") {
  const Fixture tied("random-tied");
  REQUIRE(tied.config.tied_embeddings);
  lm::NamedTensors tensors;
  for (const std::string& name : tied.weights->names()) tensors[name] = tied.weights->tensor(name);
  tensors["lm_head.weight"] = tensors.at("model.embed_tokens.weight").clone();
  const test::MemoryWeights copy(tensors);
  lm::ModelConfig untied = tied.config;
  untied.tied_embeddings = false;
  const auto one = gradients_of(tied.config, *tied.weights, whole(tied.config, *tied.weights, tied.all_linears()));
  const auto two = gradients_of(untied, copy, whole(untied, copy, tied.all_linears()));
  REQUIRE(one.size() + 1 == two.size());
  const at::Tensor sum = two.at("embedding_matrix") + two.at("head_matrix");
  CHECK(two.at("embedding_matrix").norm().item<double>() > 1e-3);
  CHECK(two.at("head_matrix").norm().item<double>() > 1e-3);
  CHECK(test::max_difference(one.at("embedding_matrix"), sum) < 1e-14);
  for (const auto& [name, gradient] : one) {
    if (name != "embedding_matrix") CHECK(test::max_difference(gradient, two.at(name)) < 1e-14);
  }
}

TEST_CASE("a whole embedding read back is that written, under PEFT's names", "[embedding]") {
  const Fixture f(GENERATE("random-tied", "random-untied", "random-opt"));
  INFO(f.directory.string());
  const auto adapter = trained(f.config, *f.weights, whole(f.config, *f.weights, f.all_linears()));
  const test::ScratchDirectory dir;
  const std::int64_t written_twice = f.config.tied_embeddings ? adapter.embedding_matrix.numel() : 0;
  CHECK(lm::write_adapter(dir.path(), adapter, std::string(64, 'a')) == 4 * (adapter.n_parameters() + written_twice));
  const auto json = test::read_json(dir.path() / "adapter_config.json");
  const auto saved =
      f.config.tied_embeddings ? nlohmann::json({"embed_tokens"}) : nlohmann::json({"embed_tokens", "lm_head"});
  CHECK(json.at("modules_to_save") == saved);
  CHECK(json.value("ensure_weight_tying", false) == f.config.tied_embeddings);
  CHECK(json.at("trainable_token_indices").is_null());
  const auto file = lm::SafetensorsFile::open(dir.path() / "adapter_model.safetensors");
  CHECK(at::equal(file.tensor("base_model.model." + adapter.embedding + ".weight"), adapter.embedding_matrix));
  CHECK(at::equal(file.tensor("base_model.model.lm_head.weight"),
                  f.config.tied_embeddings ? adapter.embedding_matrix : adapter.head_matrix));

  const auto a = lm::adapted(lm::open_weights(f.directory), adapter);
  const auto b = lm::adapted(lm::open_weights(f.directory), lm::read_adapter(dir.path()));
  CHECK_FALSE(at::equal(logits_of(f.config, *a), logits_of(f.config, *f.weights)));
  CHECK(at::equal(logits_of(f.config, *a), logits_of(f.config, *b)));
}

TEST_CASE("PEFT's wish for tied weights means nothing where no matrix is saved whole", "[embedding]") {
  const Fixture f("random-untied");
  const test::ScratchDirectory dir;
  (void)lm::write_adapter(dir.path(),
                          train::new_adapter(f.config, *f.weights, {.rank = 2, .alpha = 2, .targets = {"q_proj"}}, 1),
                          std::string(64, 'a'));
  for (const nlohmann::json& saved : {nlohmann::json(), nlohmann::json::array()}) {
    auto json = test::read_json(dir.path() / "adapter_config.json");
    json["ensure_weight_tying"] = true;
    json["modules_to_save"] = saved;
    test::write_text(dir.path() / "adapter_config.json", json.dump());
    const auto adapter = lm::read_adapter(dir.path());
    CHECK_FALSE(adapter.is_tied);
    const auto adapted = lm::adapted(lm::open_weights(f.directory), adapter);
    CHECK(at::equal(logits_of(f.config, *adapted), logits_of(f.config, *f.weights)));
  }
  // Named, but not there.
  auto json = test::read_json(dir.path() / "adapter_config.json");
  json["modules_to_save"] = {"lm_head"};
  test::write_text(dir.path() / "adapter_config.json", json.dump());
  CHECK(dir.error_of([&] { (void)lm::read_adapter(dir.path()); }).find("modules_to_save names other matrices") !=
        std::string::npos);
}

TEST_CASE("an adapter may not part what its base ties, nor tie what it has apart", "[embedding]") {
  const test::ScratchDirectory dir;
  const Fixture tied("random-tied");
  const Fixture untied("random-untied");
  const auto error_of = [&](const Fixture& f, const lm::Adapter& adapter) {
    return dir.error_of([&] { (void)lm::adapted(lm::open_weights(f.directory), adapter); });
  };
  auto head_too = whole(tied.config, *tied.weights, {"q_proj"});
  head_too.is_tied = false;
  head_too.head_matrix = head_too.embedding_matrix + 1;
  CHECK(error_of(tied, head_too) ==
        "the adapter does not fit its base\n  where: lm_head.weight\n"
        "  why: it was trained apart from the embedding, and the base has one matrix for both\n"
        "  fix: give the base an output matrix of its own (lm_head.weight, tie_word_embeddings false) and apply the "
        "adapter to that");
  head_too.head_matrix = head_too.embedding_matrix.clone();  // PEFT may save the one matrix twice
  CHECK_NOTHROW(lm::adapted(lm::open_weights(tied.directory), head_too));
  auto head_alone = head_too;
  head_alone.embedding_matrix.reset();
  CHECK(error_of(tied, head_alone).find("where: lm_head.weight") != std::string::npos);
  auto embedding_alone = whole(tied.config, *tied.weights, {"q_proj"});
  embedding_alone.is_tied = false;
  CHECK(error_of(tied, embedding_alone).find("set ensure_weight_tying to true") != std::string::npos);
  auto both_as_one = whole(untied.config, *untied.weights, {"q_proj"});
  both_as_one.head_matrix.reset();
  both_as_one.is_tied = true;
  CHECK(error_of(untied, both_as_one).find("the base has two") != std::string::npos);
  // Two matrices are two when the configuration says so, equal or not.
  CHECK_NOTHROW(lm::adapted(lm::open_weights(tied.directory), head_too, /*base_is_tied=*/true));
  auto parted = head_too;
  parted.head_matrix = parted.embedding_matrix + 1;
  const auto twins = [&] {
    lm::NamedTensors tensors;
    for (const auto& name : tied.weights->names()) tensors[name] = tied.weights->tensor(name);
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone();
    return std::make_unique<test::MemoryWeights>(std::move(tensors));
  };
  CHECK_NOTHROW(lm::adapted(twins(), parted, /*base_is_tied=*/false));
  CHECK_THROWS_AS(lm::adapted(twins(), parted, /*base_is_tied=*/true), lm::Error);
  CHECK_THROWS_AS(lm::adapted(twins(), parted), lm::Error);
  // On a base with two matrices either may be replaced alone.
  auto of_untied = whole(untied.config, *untied.weights, {"q_proj"});
  of_untied.embedding_matrix.reset();
  of_untied.head_matrix = of_untied.head_matrix + 1;
  const auto adapted = lm::adapted(lm::open_weights(untied.directory), of_untied);
  CHECK(at::equal(adapted->tensor("lm_head.weight"), of_untied.head_matrix));
  CHECK(at::equal(adapted->tensor("model.embed_tokens.weight"), untied.weights->tensor("model.embed_tokens.weight")));
  // Another vocabulary.
  auto short_one = whole(untied.config, *untied.weights, {"q_proj"});
  short_one.embedding_matrix = short_one.embedding_matrix.narrow(0, 0, 30);
  CHECK(error_of(untied, short_one).find("its matrix has another shape") != std::string::npos);
}

TEST_CASE("a merged model computes what the adapter computes", "[merge]") {
  const Fixture f(GENERATE(from_range(test::kReferenceModels)));
  const bool whole_matrices = GENERATE(true, false);
  INFO(f.directory.string() << (whole_matrices ? ", whole matrices" : ", rows"));
  auto start = whole(f.config, *f.weights, f.all_linears());
  if (!whole_matrices) {
    start = train::new_adapter(f.config, *f.weights,
                               {.rank = 3, .alpha = 6, .targets = f.all_linears(), .token_ids = {5, 9}}, 5);
  }
  const auto adapter = trained(f.config, *f.weights, start);
  const auto adapted = lm::adapted(lm::open_weights(f.directory), adapter);
  const at::Tensor expected = logits_of(f.config, *adapted);
  REQUIRE(test::max_difference(expected, logits_of(f.config, *f.weights)) > 1e-3);

  const test::ScratchDirectory wide;
  CHECK(lm::merge_adapter(f.directory, *f.weights, *adapted, at::kFloat, wide.path()).empty());
  const auto config = lm::read_model_config(wide.path());
  CHECK(config.tied_embeddings == f.config.tied_embeddings);
  CHECK(test::max_difference(expected, logits_of(config, *lm::open_weights(wide.path()))) < 1e-5);

  // In the base's own dtypes: W + (alpha / r) B A of fp32, rounded once.
  const test::ScratchDirectory narrow;
  (void)lm::merge_adapter(f.directory, *f.weights, *adapted, {}, narrow.path());
  const auto merged = lm::open_weights(narrow.path());
  for (const std::string& name : merged->names()) {
    INFO(name);
    const at::Tensor base = f.weights->tensor(name);
    CHECK(merged->tensor(name).scalar_type() == base.scalar_type());
    at::Tensor by_hand = adapted->tensor(name).to(base.scalar_type());
    if (const auto update = adapter.updates.find(name); update != adapter.updates.end()) {
      const at::Tensor wide_sum = base.to(at::kDouble) + adapter.scale() * at::mm(update->second.b.to(at::kDouble),
                                                                                  update->second.a.to(at::kDouble));
      CHECK(test::max_difference(merged->tensor(name), wide_sum) <= 0.005 * wide_sum.abs().max().item<double>());
    }
    CHECK(at::equal(merged->tensor(name), by_hand));
  }
  const auto json = test::read_json(narrow.path() / "config.json");
  CHECK(json == test::read_json(f.directory / "config.json"));
}

TEST_CASE("a quantized base is not merged into", "[merge]") {
  const Fixture f("random-untied");
  const test::ScratchDirectory dir;
  const test::ScratchDirectory out;
  lm::copy_with_rules(f.directory, dir.path(), {.inputs = lm::ActivationGrid{.num_bits = 8}});
  const auto base = lm::open_weights(dir.path());
  const auto adapted = lm::adapted(lm::open_weights(dir.path()), whole(f.config, *base, {"q_proj"}));
  const std::string text = dir.error_of([&] { (void)lm::merge_adapter(dir.path(), *base, *adapted, {}, out.path()); });
  CHECK(text.find("an adapter is not merged into a quantized base\n  where: DIR\n") == 0);
  CHECK(text.find("fix: evaluate the adapter as it is; or dequantize and merge with lowbit.export (format hf)") !=
        std::string::npos);
  CHECK(std::filesystem::is_empty(out.path()));
}
