#include "lm/quantized_model.h"

#include <catch2/catch.hpp>
#include <limits>
#include <set>

#include "lm/rtn.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"

using namespace lowbit;
using lm::GridOptions;
using lm::Linear;
using Json = nlohmann::json;

namespace {

/// Quantizes blocks [first, last) of a fixture by rounding.
void add_blocks(lm::QuantizedModelWriter& out, const lm::ModelConfig& config, const lm::Checkpoint& weights,
                const GridOptions& grid, int64_t first, int64_t last) {
  for (int64_t block = first; block < last; ++block) {
    const lm::BlockWeights w = lm::load_block(config, weights, block, at::kFloat);
    for (const Linear linear : lm::linears(config))
      out.add(block, linear, lm::quantize_rtn(w[linear], grid), w[linear]);
    out.finish_block(block);
  }
}

struct Fixture {
  explicit Fixture(const std::string& name)
      : dir(test::fixtures() / name), config(lm::read_model_config(dir)), weights(lm::Checkpoint::open(dir)) {}
  std::filesystem::path dir;
  lm::ModelConfig config;
  lm::Checkpoint weights;
};

lm::QuantizedModelWriter::Totals write_rtn(const Fixture& f, const std::filesystem::path& to, const GridOptions& grid) {
  lm::QuantizedModelWriter out(f.dir, to, f.weights, f.config, {.method = "rtn", .grid = grid});
  add_blocks(out, f.config, f.weights, grid, 0, f.config.n_blocks);
  return out.finish();
}

std::string contents(const std::filesystem::path& dir) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    files[entry.path().filename().string()] = test::read_text(entry.path());
  }
  std::string all;
  for (const auto& [name, text] : files) all += name + "\n" + text + "\n";
  return all;
}

}  // namespace

TEST_CASE("a quantized model is read back as the weights that were rounded", "[quantized-model]") {
  const auto name = GENERATE(from_range(test::kReferenceModels));
  const GridOptions grid =
      GENERATE(GridOptions{.num_bits = 3, .group_size = 16}, GridOptions{.num_bits = 4, .symmetric = true},
               GridOptions{.num_bits = 2, .group_size = 20, .scale_dtype = at::kFloat});
  CAPTURE(name, grid.num_bits, grid.group_size);
  const Fixture f(name);
  const test::ScratchDirectory dir;
  const auto totals = write_rtn(f, dir.path(), grid);
  const auto weights = lm::open_weights(dir.path());
  CHECK(weights->names() == f.weights.names());
  std::set<std::string> linear_names;
  for (int64_t i = 0; i < f.config.n_blocks; ++i) {
    for (const Linear linear : lm::linears(f.config)) linear_names.insert(lm::linear_name(f.config, i, linear));
  }
  int64_t n_weights = 0;
  double squared_error = 0;
  double squared_norm = 0;
  for (const std::string& tensor_name : weights->names()) {
    INFO(tensor_name);
    const at::Tensor original = f.weights.tensor(tensor_name);
    const at::Tensor read = weights->tensor(tensor_name);
    if (linear_names.count(tensor_name) == 0) {
      CHECK(read.scalar_type() == original.scalar_type());
      CHECK(at::equal(read, original));
      continue;
    }
    CHECK(at::equal(read, lm::dequantize(lm::quantize_rtn(original, grid))));
    const at::Tensor wide = original.to(at::kDouble);
    n_weights += original.numel();
    squared_error += (read.to(at::kDouble) - wide).square().sum().item<double>();
    squared_norm += wide.square().sum().item<double>();
  }
  CHECK(totals.n_weights == n_weights);
  CHECK(totals.nmse() == Approx(squared_error / squared_norm).epsilon(1e-5));

  // The bits that are reported are the bytes that lie there: everything but what stands beside the quantized linears.
  uint64_t n_bytes = 0;
  const auto stored = lm::Checkpoint::open(dir.path());
  for (const std::string& tensor_name : stored.names()) {
    const size_t dot = tensor_name.rfind('.');
    if (linear_names.count(tensor_name.substr(0, dot) + ".weight") > 0 && tensor_name.substr(dot) != ".bias")
      n_bytes += stored.entry(tensor_name).n_bytes;
  }
  CHECK(totals.n_bits == static_cast<int64_t>(8 * n_bytes));
  CHECK(weights->stored_bytes() == stored.stored_bytes());
  const auto width =
      static_cast<int64_t>(f.weights.tensor(lm::outer_names(f.config).embedding).element_size());  // bytes
  CHECK(stored.stored_bytes() == f.weights.stored_bytes() - n_weights * width + static_cast<int64_t>(n_bytes));
  CHECK(weights->code_bits(lm::linear_name(f.config, 0, lm::Linear::q)) == grid.num_bits);
  CHECK(weights->code_bits(lm::outer_names(f.config).embedding) == 8 * width);

  const lm::Model model(lm::read_model_config(dir.path()), *weights, at::kFloat);
  CHECK(at::isfinite(model.logits(model.forward(test::ids_of({1, 4, 9})))).all().item<bool>());
}

TEST_CASE("quantization.json says how each linear is stored", "[quantized-model]") {
  const Fixture f("random-untied");
  const test::ScratchDirectory dir;
  write_rtn(f, dir.path(), {.num_bits = 3, .group_size = 32});
  const Json json = test::read_json(dir.path() / "quantization.json");
  CHECK(json["method"] == "rtn");
  CHECK(json["num_bits"] == 3);
  CHECK(json["group_size"] == 32);
  CHECK(json["symmetric"] == false);
  CHECK(json["linears"].size() == 14);
  CHECK(json["linears"]["model.layers.1.mlp.down_proj"] == Json({{"out_features", 32},
                                                                 {"in_features", 44},
                                                                 {"num_bits", 3},
                                                                 {"group_size", 32},
                                                                 {"symmetric", false},
                                                                 {"actorder", false}}));
  CHECK(json["linears"]["model.layers.0.self_attn.k_proj"]["group_size"] == -1);  // 32 columns: one group is the row
  for (const char* file : {"config.json", "tokenizer.json"}) {
    CHECK(test::read_text(dir.path() / file) == test::read_text(f.dir / file));
  }
}

TEST_CASE("a writer that goes on after a stop leaves the same bytes", "[quantized-model]") {
  const Fixture f("random-tied");
  const GridOptions grid{.num_bits = 3, .group_size = 8};
  const test::ScratchDirectory straight;
  write_rtn(f, straight.path(), grid);
  for (int64_t stop = 1; stop < f.config.n_blocks; ++stop) {
    const test::ScratchDirectory first;
    const test::ScratchDirectory saved;
    const test::ScratchDirectory second;
    lm::QuantizedModelWriter begun(f.dir, first.path(), f.weights, f.config, {.method = "rtn", .grid = grid});
    add_blocks(begun, f.config, f.weights, grid, 0, stop);
    begun.save(saved.path());
    lm::QuantizedModelWriter resumed(f.dir, second.path(), f.weights, f.config, {.method = "rtn", .grid = grid});
    CHECK(resumed.restore(saved.path()) == stop);
    add_blocks(resumed, f.config, f.weights, grid, stop, f.config.n_blocks);
    (void)resumed.finish();
    CHECK(contents(second.path()) == contents(straight.path()));
  }
}

TEST_CASE("weights that are kept as they are must be finite too", "[quantized-model]") {
  const Fixture f("random-tied");
  const test::ScratchDirectory source;
  const std::string name = GENERATE("model.embed_tokens.weight", "model.layers.1.input_layernorm.weight");
  lm::NamedTensors tensors;
  for (const std::string& each : f.weights.names()) tensors[each] = f.weights.tensor(each).clone();
  tensors.at(name).view({-1})[3] = std::numeric_limits<float>::quiet_NaN();
  lm::copy_companions(f.dir, source.path());
  lm::write_safetensors(source.path() / "model.safetensors", tensors);
  const auto weights = lm::Checkpoint::open(source.path());
  const GridOptions grid{.num_bits = 3, .group_size = 8};
  const test::ScratchDirectory out;
  const std::string expected = "weights are not finite\n  where: " + name;
  CHECK_THAT(out.error_of([&] {
    lm::QuantizedModelWriter writer(source.path(), out.path(), weights, f.config, {.method = "rtn", .grid = grid});
    add_blocks(writer, f.config, weights, grid, 0, f.config.n_blocks);
    (void)writer.finish();
  }),
             Catch::StartsWith(expected));
  const test::ScratchDirectory copied;
  CHECK_THAT(
      copied.error_of([&] { lm::copy_with_rules(source.path(), copied.path(), {.inputs = lm::ActivationGrid{}}); }),
      Catch::StartsWith(expected));
  CHECK_THAT(
      copied.error_of([&] { const lm::Model model(f.config, weights, at::kFloat, lm::Model::Blocks::resident); }),
      Catch::StartsWith(expected));
}

TEST_CASE("scales that overflow their dtype are refused", "[quantized-model]") {
  const Fixture f("random-tied");
  const test::ScratchDirectory dir;
  at::Tensor w = lm::load_block(f.config, f.weights, 1, at::kFloat)[Linear::down].clone();
  w[3][0] = 2e6;
  const auto add = [&](at::ScalarType scale_dtype) {
    const GridOptions grid{.num_bits = 4, .scale_dtype = scale_dtype};
    lm::QuantizedModelWriter out(f.dir, dir.path(), f.weights, f.config, {.method = "rtn", .grid = grid});
    out.add(1, Linear::down, lm::quantize_rtn(w, grid), w);
  };
  CHECK(dir.error_of([&] { add(at::kHalf); }) ==
        "scales do not fit their dtype\n  where: model.layers.1.mlp.down_proj.weight\n  why: 1 of " +
            std::to_string(f.config.hidden_size) +
            " are NaN or Inf as Half\n"
            "  fix: use scale_dtype bfloat16 or float32; if that is so, look for huge weights in the model");
  CHECK_NOTHROW(add(at::kBFloat16));
}

TEST_CASE("a quantized model that contradicts itself is refused", "[quantized-model]") {
  const Fixture f("random-untied");
  const test::ScratchDirectory dir;
  write_rtn(f, dir.path(), {.num_bits = 3, .group_size = 16});
  const Json good = test::read_json(dir.path() / "quantization.json");
  const auto error_of = [&](const auto& change) {
    Json json = good;
    change(json);
    test::write_text(dir.path() / "quantization.json", json.dump());
    return dir.error_of([&] {
      const auto weights = lm::open_weights(dir.path());
      (void)weights->tensor("model.layers.0.mlp.up_proj.weight");
    });
  };
  const auto malformed = [](const std::string& why) {
    return "malformed quantized-model/1\n  where: DIR/quantization.json\n  why: " + why +
           "\n  fix: quantize the model again";
  };
  const char* module = "model.layers.0.mlp.up_proj";
  CHECK(error_of([](Json& j) { j.erase("linears"); }) == malformed("it has no object linears"));
  CHECK(error_of([&](Json& j) { j["linears"][module]["num_bits"] = 9; }) ==
        malformed("num_bits of model.layers.0.mlp.up_proj is not 1 to 8"));
  CHECK(error_of([&](Json& j) { j["linears"][module]["group_size"] = 0; }) ==
        malformed("group_size of model.layers.0.mlp.up_proj is neither -1 nor positive"));
  CHECK(error_of([&](Json& j) { j["linears"][module]["out_features"] = 43; }) ==
        malformed("tensor model.layers.0.mlp.up_proj.codes does not have the shape of its grid"));
  CHECK(error_of([&](Json& j) { j["linears"][module]["group_size"] = 8; }) ==
        malformed("tensor model.layers.0.mlp.up_proj.scales does not have the shape of its grid"));
  CHECK_THAT(error_of([&](Json& j) { j["linears"][module].erase("actorder"); }),
             Catch::StartsWith("malformed quantized-model/1\n  where: DIR/quantization.json\n"
                               "  why: linears.model.layers.0.mlp.up_proj: "));
}
