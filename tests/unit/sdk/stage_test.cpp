#include <catch2/catch.hpp>

#include <cstring>

#include <lowbit/sdk.hpp>

namespace {

struct Params {
  std::int64_t bits = 4;
  static auto fields() { return lowbit::fields<Params>(lowbit::field(&Params::bits, "bits").doc("bits")); }
};
void quantize(const lowbit::Job&, const Params&) {}
void check_quantize(const lowbit::Job&, const Params&) {}
void grade(const lowbit::Job&) {}

lowbit::Stage quantizer() {
  return lowbit::Stage("test.sign", LB_QUANTIZER)
      .version("1.2.3")
      .summary("Sign.")
      .input("model", "model/1|adapter/1", "weights")
      .input("calibration", "token-batches/1", "unused", LB_PORT_OPTIONAL | LB_PORT_MANY)
      .output("quantized", "quantized-model/1", "signs")
      .environment("TEST_KEY")
      .seeded()
      .resumable()
      .device_sensitive()
      .cuda()
      .preload()
      .check<check_quantize>()
      .run<quantize>();
}

TEST_CASE("a declared stage becomes the struct of the contract, with every pointer alive", "[sdk][stage]") {
  const lowbit::PluginStorage storage("g++ 12", {quantizer(), lowbit::Stage("test.grade", LB_DATASET).run<grade>()});
  const lb_plugin& plugin = *storage.plugin();
  CHECK(plugin.abi_major == LB_ABI_MAJOR);
  CHECK(plugin.abi_minor == LB_ABI_MINOR);
  CHECK(std::string(plugin.build) == "g++ 12");
  REQUIRE(plugin.stages[0] != nullptr);
  REQUIRE(plugin.stages[1] != nullptr);
  CHECK(plugin.stages[2] == nullptr);

  const lb_stage& s = *plugin.stages[0];
  CHECK(s.size == sizeof(lb_stage));
  CHECK(s.kind == LB_QUANTIZER);
  CHECK(std::string(s.id) == "test.sign");
  CHECK(std::string(s.version) == "1.2.3");
  CHECK(std::string(s.summary) == "Sign.");
  CHECK(s.caps == (LB_CAP_SEEDED | LB_CAP_RESUME | LB_CAP_DEVICE_SENSITIVE | LB_CAP_CUDA | LB_CAP_PRELOAD));
  CHECK(nlohmann::json::parse(s.params_schema) == lowbit::params_schema<Params>());
  CHECK(std::string(s.environment[0]) == "TEST_KEY");
  CHECK(s.environment[1] == nullptr);
  CHECK(std::string(s.inputs[0]->name) == "model");
  CHECK(std::string(s.inputs[0]->type) == "model/1|adapter/1");
  CHECK(s.inputs[0]->flags == 0);
  CHECK(std::string(s.inputs[1]->doc) == "unused");
  CHECK(s.inputs[1]->flags == (LB_PORT_OPTIONAL | LB_PORT_MANY));
  CHECK(s.inputs[2] == nullptr);
  CHECK(std::string(s.outputs[0]->name) == "quantized");
  CHECK(s.outputs[1] == nullptr);
  CHECK(s.run == &lowbit::guarded<quantize>);
  CHECK(s.check == &lowbit::guarded<check_quantize>);
}

TEST_CASE("a stage without ports, parameters, check or environment has empty lists", "[sdk][stage]") {
  const lowbit::PluginStorage storage("b", {lowbit::Stage("test.grade", LB_DATASET).run<grade>()});
  const lb_stage& s = *storage.plugin()->stages[0];
  CHECK(s.inputs[0] == nullptr);
  CHECK(s.outputs[0] == nullptr);
  CHECK(s.environment[0] == nullptr);
  CHECK(s.check == nullptr);
  CHECK(s.caps == 0);
  CHECK(nlohmann::json::parse(s.params_schema).at("properties").empty());
}

}  // namespace
