#include "lm/model.h"

#include <catch2/catch.hpp>

#include "lm/perplexity.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"

using namespace lowbit;
using lm::Model;
using Ids = std::vector<int64_t>;
using Json = nlohmann::json;
using test::ids_of;
using test::max_difference;

namespace {

struct Loaded {
  explicit Loaded(const std::filesystem::path& dir, at::ScalarType dtype = at::kFloat)
      : weights(lm::Checkpoint::open(dir)), model(lm::read_model_config(dir), weights, dtype) {}
  lm::Checkpoint weights;
  Model model;
};

at::Tensor matrix_of(const Json& rows) {
  std::vector<at::Tensor> result;
  for (const Json& row : rows) result.push_back(at::tensor(row.get<std::vector<double>>(), at::kDouble));
  return at::stack(result);
}

}  // namespace

// fp32: each logit is a sum of at most 44 products per layer, of size about 10, through at most 3 blocks; a relative
// rounding of 6e-8 each leaves errors near 1e-5 (measured: 6e-6). 1e-4 is what a wrong epsilon, a missing scale or a
// transposed pair exceeds by orders of magnitude. fp64: the reference is printed with ten digits.
TEST_CASE("logits and losses agree with the independent reference", "[model]") {
  const auto [dtype, tolerance] = GENERATE(std::pair{at::kFloat, 1e-4}, std::pair{at::kDouble, 2e-8});
  for (const std::string& name : test::kReferenceModels) {
    INFO(name << " in " << c10::toString(dtype));
    const Loaded loaded(test::fixtures() / name, dtype);
    const Json reference = test::read_json(test::fixtures() / name / "reference.json");
    const at::Tensor ids = ids_of(reference["ids"].get<Ids>());
    const at::Tensor hidden = loaded.model.forward(ids);
    const at::Tensor logits = loaded.model.logits(hidden)[0];
    const at::Tensor expected = matrix_of(reference["last_logits"]);
    CHECK(max_difference(logits.narrow(0, logits.size(0) - 3, 3), expected) < tolerance);
    const at::Tensor nll = lm::token_nll(loaded.model, hidden, ids)[0];
    CHECK(max_difference(nll, at::tensor(reference["nll"].get<std::vector<double>>(), at::kDouble)) < tolerance);
  }
}

// The blend of Llama 3.1's frequencies by its definition in wavelengths, and the two ends of it.
TEST_CASE("frequencies of RoPE for longer contexts", "[model]") {
  lm::ModelConfig c = test::small_config(8, 8);
  c.head_dim = 128;
  c.rope_theta = 500000;
  const at::Tensor plain = lm::rope_frequencies(c);
  c.rope_scaling = {.kind = lm::RopeScaling::Kind::linear, .factor = 4};
  CHECK(max_difference(lm::rope_frequencies(c) * 4, plain) < 1e-15);
  c.rope_scaling = {.kind = lm::RopeScaling::Kind::llama3,
                    .factor = 8,
                    .low_freq_factor = 1,
                    .high_freq_factor = 4,
                    .original_positions = 8192};
  const at::Tensor scaled = lm::rope_frequencies(c);
  int n_high = 0, n_low = 0;
  for (int64_t i = 0; i < 64; ++i) {
    const auto before = plain[i].item<double>();
    const auto after = scaled[i].item<double>();
    const double wavelength = 2 * M_PI / before;
    if (wavelength < 8192 / 4.0) {
      ++n_high;
      CHECK(after == Approx(before).epsilon(1e-14));
    } else if (wavelength > 8192) {
      ++n_low;
      CHECK(after == Approx(before / 8).epsilon(1e-14));
    } else {
      const double smooth = (8192 / wavelength - 1) / 3;
      CHECK(after == Approx((1 - smooth) * before / 8 + smooth * before).epsilon(1e-12));
    }
  }
  CHECK(n_high == 29);  // of Llama 3.1 8B
  CHECK(n_low == 29);
}

// bf16 keeps 8 bits: every rounding is off by up to 2^-8, some 20 of them deep, which comes to 0.08 when all of them
// err alike; measured 0.02 to 0.034, by processor. The losses of these models are about 10 nats.
TEST_CASE("bf16 compute stays within its own precision of the reference", "[model]") {
  for (const std::string& name : test::kReferenceModels) {
    INFO(name);
    const Loaded loaded(test::fixtures() / name, at::kBFloat16);
    const Json reference = test::read_json(test::fixtures() / name / "reference.json");
    const at::Tensor ids = ids_of(reference["ids"].get<Ids>());
    const at::Tensor hidden = loaded.model.forward(ids);
    CHECK(hidden.scalar_type() == at::kBFloat16);
    const at::Tensor expected = matrix_of(reference["last_logits"]);
    const at::Tensor logits = loaded.model.logits(hidden)[0].to(at::kDouble);
    const at::Tensor error = logits.narrow(0, logits.size(0) - 3, 3) - expected;
    const double relative = (error.square().mean() / expected.square().mean()).sqrt().item<double>();
    CHECK(relative < (name == "random-opt-350m" ? 0.1 : 0.08));  // measured 0.06: two projections more, no final norm
    CHECK(relative > 1e-4);                                      // it really is bf16
  }
}

TEST_CASE("decoding with a cache gives what one pass gives", "[model]") {
  // fp64 and fp32 take different ways through the attention of a step. In fp32 the hidden states are of size 10 and go
  // through three blocks at most (measured: 4e-5).
  const auto [dtype, tolerance] = GENERATE(std::pair{at::kDouble, 1e-10}, std::pair{at::kFloat, 5e-4});
  for (const std::string& name : test::kReferenceModels) {
    CAPTURE(name, c10::toString(dtype));
    const Loaded loaded(test::fixtures() / name, dtype);
    const lm::ModelConfig& config = loaded.model.config();
    // Where the context allows it, more than one chunk of queries in the one pass, none in the steps.
    const int64_t n = name == "random-tied" ? 300 : config.max_positions;
    const at::Tensor ids = (at::arange(n, at::kLong) * 37).remainder(config.vocab_size).unsqueeze(0);
    const at::Tensor once = loaded.model.forward(ids);
    lm::KvCache cache(config, 1, n, dtype);
    std::vector<at::Tensor> parts{loaded.model.forward(ids.narrow(1, 0, 7), {}, &cache),
                                  loaded.model.forward(ids.narrow(1, 7, 20), {}, &cache)};
    for (int64_t t = 27; t < n; ++t) parts.push_back(loaded.model.forward(ids.narrow(1, t, 1), {}, &cache));
    CHECK(cache.length == n);
    CHECK(max_difference(at::cat(parts, 1), once) < tolerance);
  }
}

TEST_CASE("left padding changes nothing for the real tokens", "[model]") {
  for (const std::string& name : test::kReferenceModels) {
    CAPTURE(name);
    const Loaded loaded(test::fixtures() / name, at::kDouble);
    const at::Tensor ids = ids_of({1, 4, 9, 20, 33, 8});
    const at::Tensor alone = loaded.model.forward(ids);
    const at::Tensor padded = at::cat({ids_of({0, 0, 0}), ids}, 1);
    const at::Tensor other = ids_of({1, 5, 6, 7, 8, 9, 10, 11, 12});
    const at::Tensor n_pads = at::tensor({3, 0}, at::kLong);
    const at::Tensor both = loaded.model.forward(at::cat({padded, other}, 0), n_pads);
    CHECK(max_difference(both[0].narrow(0, 3, 6), alone[0]) < 1e-12);
    CHECK(max_difference(both[1], loaded.model.forward(other)[0]) < 1e-12);
    CHECK(at::isfinite(both).all().item<bool>());

    // The same through a cache: prefill and one step, in both ways of computing it.
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
      const Loaded decoding(test::fixtures() / name, dtype);
      lm::KvCache cache(decoding.model.config(), 2, 16, dtype);
      (void)decoding.model.forward(at::cat({padded, other}, 0), n_pads, &cache);
      const at::Tensor next = decoding.model.forward(at::tensor({13, 14}, at::kLong).unsqueeze(1), n_pads, &cache);
      const at::Tensor longer = loaded.model.forward(at::cat({ids, ids_of({13})}, 1));
      CHECK(max_difference(next[0][0], longer[0][6]) < (dtype == at::kDouble ? 1e-12 : 2e-4));
    }
  }
}

// The window is smaller than the text, so that what lies before it must not matter.
TEST_CASE("what lies before the window of a block is not seen", "[model]") {
  const Loaded loaded(test::fixtures() / "random-mistral", at::kDouble);
  const lm::ModelConfig& c = loaded.model.config();
  const int64_t window = c.window(0);
  const lm::BlockWeights w = loaded.model.block(0);
  CHECK(w.window == window);
  const at::Tensor x = (at::arange(12 * c.hidden_size, at::kDouble) * 0.7).sin().view({1, 12, c.hidden_size});
  at::Tensor other = x.clone();
  other[0][11 - window] += 1;
  const lm::Positions positions(c, 0, 12, {}, at::kDouble);
  const auto last = [&](const at::Tensor& input) { return lm::attention_forward(c, w, input, positions)[0][11]; };
  CHECK(at::equal(last(x), last(other)));
  other[0][11 - window + 1] += 1;
  CHECK(max_difference(last(x), last(other)) > 1e-3);
}

TEST_CASE("a streaming model computes the same bits as a resident one", "[model]") {
  const auto dir = test::fixtures() / GENERATE(from_range(test::kReferenceModels));
  const auto weights = lm::Checkpoint::open(dir);
  const auto config = lm::read_model_config(dir);
  const Model resident(config, weights, at::kFloat);
  const Model streaming(config, weights, at::kFloat, Model::Blocks::streaming);
  CHECK(streaming.streaming());
  const at::Tensor ids = ids_of({1, 4, 9, 20});
  CHECK(at::equal(resident.forward(ids), streaming.forward(ids)));
}

TEST_CASE("weights stay where they are mapped when they are stored in the compute dtype", "[model]") {
  const auto weights = lm::Checkpoint::open(test::fixtures() / "random-untied");
  const auto config = lm::read_model_config(test::fixtures() / "random-untied");
  const std::string name = lm::linear_name(config, 0, lm::Linear::q);
  const at::ScalarType stored = weights.tensor(name).scalar_type();
  const lm::Model model(config, weights, stored, GENERATE(Model::Blocks::resident, Model::Blocks::streaming));
  CHECK(model.block(0).q.data_ptr() == weights.tensor(name).data_ptr());
}

TEST_CASE("the tap sees the input of every group of linears", "[model]") {
  const Loaded loaded(test::fixtures() / "random-untied");
  const lm::ModelConfig& c = loaded.model.config();
  const at::Tensor x = at::ones({1, 3, c.hidden_size});
  const lm::Positions positions(c, 0, 3, {}, at::kFloat);
  std::string seen;
  const auto tap = [&](lm::Linear group, const at::Tensor& input) {
    seen += lm::linear_name(c, 0, group) + " reads " + std::to_string(input.size(-1)) + "\n";
  };
  const lm::BlockWeights w = loaded.model.block(0);
  const at::Tensor middle = lm::attention_forward(c, w, x, positions, nullptr, 0, tap);
  CHECK(at::equal(lm::mlp_forward(c, w, middle, tap), lm::block_forward(c, w, x, positions)));
  CHECK(seen ==
        "model.layers.0.self_attn.q_proj.weight reads 32\n"
        "model.layers.0.self_attn.o_proj.weight reads 32\n"
        "model.layers.0.mlp.gate_proj.weight reads 32\n"
        "model.layers.0.mlp.down_proj.weight reads 44\n");
}

TEST_CASE("OPT's tensors are found with and without the first part of their names", "[model]") {
  const auto dir = test::fixtures() / "random-opt";
  const test::ScratchDirectory shortened;
  const auto weights = lm::Checkpoint::open(dir);
  lm::NamedTensors tensors;
  for (const std::string& name : weights.names())
    tensors[name.substr(std::string("model.").size())] = weights.tensor(name);
  lm::write_safetensors(shortened.path() / "model.safetensors", tensors);
  const auto renamed = lm::Checkpoint::open(shortened.path());
  CHECK(renamed.names() == weights.names());
  CHECK(renamed.stored_bytes() == weights.stored_bytes());
  const auto config = lm::read_model_config(dir);
  const at::Tensor ids = ids_of({2, 4, 9, 20});
  CHECK(at::equal(Model(config, renamed, at::kFloat).forward(ids), Model(config, weights, at::kFloat).forward(ids)));
}

TEST_CASE("weights that do not make the model of config.json are refused", "[model]") {
  const test::ScratchDirectory dir;
  auto config = test::small_config(8, 8);
  const auto error_of = [&](const auto& change) {
    test::MemoryWeights weights = test::zero_weights(config);
    change(weights.tensors());
    return dir.error_of([&] { (void)Model(config, weights, at::kFloat); });
  };
  CHECK(error_of([](auto& t) { t["model.layers.0.self_attn.q_proj.bias"] = at::zeros({8}); }) ==
        "tensor model.layers.0.self_attn.q_proj.bias is no part of the model\n"
        "  where: model.layers.0.self_attn.q_proj.bias\n"
        "  why: config.json describes a model of family llama with 2 blocks, in which nothing would read this tensor\n"
        "  fix: use the config.json that belongs to these weights");
  CHECK(error_of([](auto& t) {
          t["model.layers.1.mlp.up_proj.weight"] = at::zeros({8, 16});
        }) ==
        "tensor model.layers.1.mlp.up_proj.weight does not fit config.json\n"
        "  where: model.layers.1.mlp.up_proj.weight\n"
        "  why: expected shape [16, 8], found [8, 16]\n"
        "  fix: use the config.json that belongs to these weights");
  CHECK(error_of([](auto& t) {
          t["model.layers.1.mlp.up_proj.weight"] = at::zeros({16, 8}, at::kInt);
        }) ==
        "tensor model.layers.1.mlp.up_proj.weight has a dtype that is not supported\n"
        "  where: model.layers.1.mlp.up_proj.weight\n"
        "  why: it is Int\n"
        "  fix: export the model in F32, F16 or BF16");
  CHECK_THAT(error_of([](auto& t) { t.erase("lm_head.weight"); }),
             Catch::StartsWith("tensor lm_head.weight is missing"));
  CHECK_THAT(dir.error_of([&] {
    test::MemoryWeights weights = test::zero_weights(config);
    weights.tensors()["model.embed_tokens.weight"] = at::zeros({7, 8});
    check_tensors(config, weights);  // without a look at a block, as methods that round matrix by matrix do
  }),
             Catch::StartsWith("tensor model.embed_tokens.weight does not fit config.json"));
  config.tied_embeddings = true;
  CHECK(error_of([](auto& t) {
          t["lm_head.weight"] = at::ones({8, 8});
        }) ==
        "config.json ties the output matrix to the embedding, the weights do not\n  where: lm_head.weight\n"
        "  why: tie_word_embeddings is true and lm_head.weight differs from model.embed_tokens.weight\n"
        "  fix: set tie_word_embeddings to false, or remove lm_head.weight from the weights");
}

TEST_CASE("gradients flow through the forward pass and are right", "[model]") {
  const Loaded loaded(test::fixtures() / GENERATE(from_range(test::kReferenceModels)), at::kDouble);
  Model model = loaded.model;
  const at::Tensor ids = ids_of({1, 4, 9, 20, 33, 8});
  at::Tensor& q = model.resident_block(1).q;
  q.requires_grad_(true);
  const auto loss = [&] { return lm::token_nll(model, model.forward(ids), ids).sum(); };
  loss().backward();
  const double gradient = q.grad()[3][5].item<double>();
  // Central difference: error of second order in the step, 1e-5^2 times the third derivative, and rounding of 1e-16 *
  // 60 / 1e-5.
  constexpr double kStep = 1e-5;
  const at::Tensor base = q.detach();
  const auto at_offset = [&](double offset) {
    const at::NoGradGuard guard;
    q = base.clone();
    q[3][5] += offset;
    return loss().item<double>();
  };
  const double difference = (at_offset(kStep) - at_offset(-kStep)) / (2 * kStep);
  CHECK(gradient == Approx(difference).epsilon(1e-6));
  CHECK(std::abs(gradient) > 1e-3);
}

TEST_CASE("stories260K agrees with its reference", "[model][shared]") {
  const auto dir = test::shared_data("models/stories260K");
  if (!dir) return;
  const Json reference = test::read_json(*dir / "reference.json");
  const at::Tensor ids = ids_of(reference["ids_with_bos"].get<Ids>());
  const at::Tensor expected = at::tensor(reference["last_position_logits"].get<std::vector<double>>(), at::kDouble);
  const at::Tensor nlls = at::tensor(reference["per_token_nll"].get<std::vector<double>>(), at::kDouble);
  const auto [dtype, tolerance] = GENERATE(std::pair{at::kFloat, 1e-4}, std::pair{at::kDouble, 1e-6});
  INFO(c10::toString(dtype));
  const Loaded loaded(*dir, dtype);
  const at::Tensor hidden = loaded.model.forward(ids);
  CHECK(max_difference(loaded.model.logits(hidden)[0][ids.size(1) - 1], expected) < tolerance);
  const at::Tensor nll = lm::token_nll(loaded.model, hidden, ids)[0];
  CHECK(max_difference(nll, nlls) < tolerance);
  CHECK(nll.sum().item<double>() == Approx(reference["sum_nll"].get<double>()).margin(tolerance));
}

TEST_CASE("the bf16 copy of stories260K with its own output matrix is the same model rounded", "[model][shared]") {
  const auto dir = test::shared_data("models/stories260K-bf16");
  if (!dir) return;
  const Loaded rounded(*dir);
  const Loaded exact(dir->parent_path() / "stories260K");
  CHECK_FALSE(rounded.model.config().tied_embeddings);
  CHECK(exact.model.config().tied_embeddings);
  CHECK(at::equal(rounded.weights.tensor("lm_head.weight"), rounded.weights.tensor("model.embed_tokens.weight")));
  for (const std::string& name : exact.weights.names()) {
    INFO(name);
    CHECK(at::equal(rounded.weights.tensor(name), exact.weights.tensor(name).to(at::kBFloat16)));
  }
  const at::Tensor ids = ids_of({1, 403, 407, 261, 378, 432, 383, 286});
  const double a = lm::token_nll(rounded.model, rounded.model.forward(ids), ids).mean().item<double>();
  const double b = lm::token_nll(exact.model, exact.model.forward(ids), ids).mean().item<double>();
  CHECK(a == Approx(b).margin(0.02));
}

// Tolerance of the published values: 5e-4; the note says that float64 agrees with them to 4e-7.
TEST_CASE("a one-layer model agrees with hidden states dumped elsewhere, in prefill and with the cache",
          "[model][shared]") {
  const auto dir = test::shared_data("models/baichuan-1layer");
  if (!dir) return;
  const Json reference = test::read_json(*dir / "expected_hidden.json");
  const at::Tensor expected = matrix_of(reference["hidden"]);
  const at::Tensor ids = ids_of(reference["input_ids"].get<Ids>());
  const Loaded loaded(*dir);
  CHECK(max_difference(loaded.model.logits(loaded.model.forward(ids))[0], expected) < 2e-6);
  lm::KvCache cache(loaded.model.config(), 1, 5, at::kFloat);
  std::vector<at::Tensor> parts{loaded.model.forward(ids.narrow(1, 0, 3), {}, &cache)};
  for (int64_t t = 3; t < 5; ++t) parts.push_back(loaded.model.forward(ids.narrow(1, t, 1), {}, &cache));
  CHECK(max_difference(loaded.model.logits(at::cat(parts, 1))[0], expected) < 2e-6);
}
