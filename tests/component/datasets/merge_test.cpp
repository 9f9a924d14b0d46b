#include "lm/adapter.h"
#include "lm/model.h"
#include "lm/quantized_model.h"
#include "lm/train/lora.h"
#include "support/stage_fixture.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

const std::filesystem::path kModel = std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-tied";

/// An adapter with B of ones on `base`; written as adapter/1 on the artifact `digest`.
void write_some_adapter(const std::filesystem::path& directory, const lm::WeightSource& base,
                        const std::string& digest) {
  auto adapter = lm::train::new_adapter(
      lm::read_model_config(kModel), base,
      {.rank = 2, .alpha = 1, .targets = {"q_proj", "down_proj"}, .token_ids = {}, .whole_matrices = true}, 1);
  for (auto& [name, update] : adapter.updates) update.b.fill_(0.1);
  adapter.embedding_matrix.mul_(1.5);
  (void)lm::write_adapter(directory, adapter, digest);
}

at::Tensor logits_of(const lm::WeightSource& weights) {
  const lm::Model model(lm::read_model_config(kModel), weights, at::kFloat);
  return model.logits(model.forward(at::tensor({1, 5, 9, 30}, at::kLong).unsqueeze(0)));
}

}  // namespace

TEST_CASE("an adapter on an adapter on a model becomes one model", "[merge]") {
  test::StageFixture stage("lowbit.merge");
  const std::string model_digest(64, 'a');
  const std::string lower_digest(64, 'b');
  write_some_adapter(stage.input("lower"), *lm::open_weights(kModel), model_digest);
  const auto lower = [&] { return lm::adapted(lm::open_weights(kModel), lm::read_adapter(stage.input("lower"))); };
  write_some_adapter(stage.input("upper"), *lower(), lower_digest);
  const auto upper = lm::adapted(lower(), lm::read_adapter(stage.input("upper")));
  const Json closure{{model_digest, {{"path", kModel.string()}, {"type", "model/1"}}},
                     {lower_digest, {{"path", stage.input("lower").string()}, {"type", "adapter/1"}}}};
  test::FakeHost::BoundInput input{.path = stage.input("upper").string(), .type = "adapter/1"};
  input.closure = closure.dump();
  stage.host.bind("model", input);
  stage.host.params = {{"dtype", "float32"}};
  REQUIRE(stage.run() == LB_OK);
  const auto merged = lm::open_weights(stage.host.path("trained"));
  CHECK_FALSE(merged->contains("lm_head.weight"));  // tied as before
  const at::Tensor difference = (logits_of(*merged) - logits_of(*upper)).abs().max();
  CHECK(difference.item<double>() < 1e-5);
  CHECK((logits_of(*merged) - logits_of(*lower())).abs().max().item<double>() > 1e-3);
}

TEST_CASE("an adapter on packed weights is not merged, and the remedy is named", "[merge]") {
  test::StageFixture stage("lowbit.merge");
  const std::string digest(64, 'a');
  lm::copy_with_rules(kModel, stage.input("base"), {.inputs = lm::ActivationGrid{.num_bits = 8}});
  write_some_adapter(stage.input("adapter"), *lm::open_weights(kModel), digest);
  test::FakeHost::BoundInput input{.path = stage.input("adapter").string(), .type = "adapter/1"};
  input.closure = Json({{digest, {{"path", stage.input("base").string()}, {"type", "quantized-model/1"}}}}).dump();
  stage.host.bind("model", input);
  CHECK(stage.run() == LB_BAD_INPUT);
  CHECK(stage.error().rfind("an adapter is not merged into a quantized base\n", 0) == 0);
}
