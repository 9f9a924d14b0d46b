#include <fstream>

#include "lm/adapter.h"
#include "lm/quantized_model.h"
#include "support/stage_fixture.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

const std::filesystem::path kModels = std::filesystem::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data";

/// A few short rows in the words of the small models.
struct Training {
  explicit Training(const Json& params, const std::filesystem::path& model = kModels / "random-tied",
                    const std::string& type = "model/1")
      : Training(params, test::FakeHost::BoundInput{.path = model.string(), .type = type}) {}
  Training(const Json& params, const test::FakeHost::BoundInput& model) {
    std::ofstream pairs(stage.input("data") / "pairs.jsonl");
    std::string prompt = "ann";
    for (int i = 0; i < 6; ++i) {
      prompt += i % 2 == 0 ? " a" : " in";
      pairs << Json({{"item_id", std::to_string(i)}, {"problem_id", "p"}, {"prompt", prompt}, {"completion", " two ."}})
            << '\n';
    }
    pairs.close();
    stage.host.bind("model", model);
    stage.host.bind("data", {.path = stage.input("data").string(), .type = "sft-pairs/1"});
    stage.host.params = {{"steps", 4},        {"batch_size", 3},           {"rank", 2}, {"learning_rate", 0.01},
                         {"warmup_ratio", 0}, {"checkpoint_interval_s", 0}};
    stage.host.params.update(params);
  }
  /// The adapter's bytes.
  [[nodiscard]] std::string trained() {
    const lb_status status = stage.run();
    INFO((stage.host.errors.empty() ? "" : stage.error()));
    REQUIRE(status == LB_OK);
    return stage.read("trained/adapter_model.safetensors");
  }
  test::StageFixture stage{"lowbit.sft"};
};

}  // namespace

TEST_CASE("gradient checkpointing is no part of a result, and neither is a checkpoint", "[sft]") {
  const Json everything{
      {"packing", true}, {"max_length", 40}, {"batch_size", 2}, {"dropout", 0.2}, {"embedding_training", "full"}};
  Training whole(everything);
  const std::string expected = whole.trained();
  CHECK(whole.stage.host.checkpoints == std::vector<std::uint64_t>{1, 2, 3});
  Training again(everything);
  again.stage.host.params["gradient_checkpointing"] = true;
  CHECK(again.trained() == expected);
  // Begun without, gone on with.
  Training rest(everything);
  rest.stage.host.params["gradient_checkpointing"] = true;
  rest.stage.host.resume_from = whole.stage.host.path("checkpoint-2");
  CHECK(rest.trained() == expected);
  Training other(everything);
  other.stage.host.params["dropout"] = 0.0;
  CHECK(other.trained() != expected);
}

TEST_CASE("packed rows begin at the loss of rows by themselves", "[sft]") {
  // Six rows in a batch of one step, or the same six in the sequences that hold them.
  Training apart({{"steps", 1}, {"batch_size", 6}});
  (void)apart.trained();
  Training packed({{"steps", 1}, {"batch_size", 6}, {"packing", true}, {"max_length", 40}});
  (void)packed.trained();
  CHECK(packed.stage.metric("train/first_loss").value ==
        Approx(apart.stage.metric("train/first_loss").value).epsilon(1e-6));
  bool said = false;
  for (const auto& [level, message] : packed.stage.host.log) {
    said = said || message.rfind("packing: 6 rows in ", 0) == 0;
  }
  CHECK(said);
}

TEST_CASE("rows are not packed where a sequence shares its outliers", "[sft]") {
  const test::TemporaryDirectory directory;
  lm::copy_with_rules(kModels / "random-untied", directory.path(),
                      {.inputs = lm::ActivationGrid{.num_bits = 8}, .outlier_threshold = 6.0});
  Training training({{"packing", true}}, directory.path(), "quantized-model/1");
  CHECK(training.stage.run() == LB_BAD_PARAM);
  CHECK(training.stage.error() ==
        "packing does not go with a base that computes outliers apart\npacking\nLLM.int8 looks for outliers in a whole "
        "sequence, and joined rows would share theirs\nleave packing off for this base");
}

TEST_CASE("an adapter without whole matrices is not continued with them", "[sft]") {
  Training first(Json::object());
  (void)first.trained();
  const auto model = (kModels / "random-tied").string();
  const std::string base(64, '0');
  test::FakeHost::BoundInput adapter{.path = first.stage.host.path("trained"), .type = "adapter/1"};
  adapter.closure = Json({{base, {{"path", model}, {"type", "model/1"}}}}).dump();
  Training second({{"embedding_training", "full"}}, adapter);
  test::StageFixture& stage = second.stage;
  CHECK(stage.run() == LB_BAD_PARAM);
  CHECK(stage.error() ==
        "a continued adapter keeps what it trains\nembedding_training\nit is full, and the adapter holds no whole "
        "embedding\nleave it at rows, or set continue to false for a new adapter");
}
