#include <catch2/catch.hpp>
#include <cstring>
#include <set>

#include "lm/adapter.h"
#include "lm/formats/awq.h"
#include "lm/formats/bitsandbytes.h"
#include "lm/formats/compressed_tensors.h"
#include "lm/formats/directory.h"
#include "lm/formats/gptq.h"
#include "lm/gptq.h"
#include "lm/rtn.h"
#include "numerics/support/files.h"
#include "numerics/support/models.h"
#include "numerics/support/slow_quant.h"

using namespace lowbit;
using namespace lowbit::lm::formats;
using lm::GridOptions;
using lm::QuantizedMatrix;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// codes: uint8 [m, n]; zeros in the middle unless given; scales 1.
QuantizedMatrix matrix_of(const at::Tensor& codes, int num_bits, int64_t width = -1, int zero = -1) {
  const int64_t n = codes.size(1);
  if (width == -1) width = n;
  const int64_t n_groups = (n + width - 1) / width;
  return {.num_bits = num_bits,
          .symmetric = zero == -1,
          .codes = codes,
          .scale = at::ones({codes.size(0), n_groups}, at::kHalf),
          .zero = at::full({codes.size(0), n_groups}, zero == -1 ? 1 << (num_bits - 1) : zero, at::kByte),
          .group_index = {},
          .group_width = width};
}

at::Tensor counting(at::IntArrayRef shape, int64_t dim, int64_t modulus, int64_t factor = 1) {
  std::vector<int64_t> along(shape.size(), 1);
  along[static_cast<size_t>(dim)] = -1;
  return (at::arange(shape[static_cast<size_t>(dim)], at::kLong).remainder(modulus) * factor)
      .to(at::kByte)
      .view(along)
      .expand(shape)
      .contiguous();
}

uint32_t word(const at::Tensor& words, int64_t i, int64_t j) {
  return static_cast<uint32_t>(words[i][j].item<int32_t>());
}

bool same(const QuantizedMatrix& a, const QuantizedMatrix& b) {
  return a.num_bits == b.num_bits && a.symmetric == b.symmetric && a.group_width == b.group_width &&
         at::equal(a.codes, b.codes) && at::equal(a.zero, b.zero) && at::equal(a.scale, b.scale) &&
         a.scale.scalar_type() == b.scale.scalar_type() && a.group_index.defined() == b.group_index.defined() &&
         (!a.group_index.defined() || at::equal(a.group_index, b.group_index));
}

QuantizedMatrix rtn(int64_t m, int64_t n, const GridOptions& grid, uint64_t seed = 3) {
  return lm::quantize_rtn(test::normal({m, n}, seed).to(at::kFloat), grid);
}

/// Columns grouped by size of activation, as act-order does.
QuantizedMatrix with_group_index(const GridOptions& grid) {
  const at::Tensor w = test::normal({32, 64}, 5).to(at::kFloat);
  const at::Tensor h = test::second_moments(test::Inputs::anisotropic, 64, 256, 6).to(at::kFloat);
  return lm::quantize_gptq(w, h, {.grid = grid, .actorder = lm::GptqOptions::ActOrder::grouped}).matrix;
}

fs::path fixture(const std::string& name) { return test::fixtures() / name; }

/// A fixture quantized by `quantize`: linear weight -> QuantizedMatrix or Nf4Matrix.
template <class Quantize>
void write_quantized(const fs::path& source, const fs::path& out, const Quantize& quantize,
                     const lm::ActivationRules& rules = {}) {
  const auto config = lm::read_model_config(source);
  const auto weights = lm::Checkpoint::open(source);
  lm::QuantizedModelWriter writer(source, out, weights, config, {.method = "rtn", .activations = rules});
  for (int64_t block = 0; block < config.n_blocks; ++block) {
    for (const lm::Linear linear : lm::linears(config)) {
      const at::Tensor w = weights.tensor(lm::linear_name(config, block, linear)).to(at::kFloat);
      writer.add(block, linear, quantize(w), w);
    }
    writer.finish_block(block);
  }
  (void)writer.finish();
}

auto round_to(const GridOptions& grid) {
  return [grid](const at::Tensor& w) { return lm::quantize_rtn(w, grid); };
}

void check_same_weights(const fs::path& a, const fs::path& b) {
  const auto left = lm::open_weights(a);
  const auto right = lm::open_weights(b);
  CHECK(left->names() == right->names());
  for (const std::string& name : left->names()) {
    INFO(name);
    CHECK(at::equal(left->tensor(name), right->tensor(name)));
    CHECK(left->tensor(name).scalar_type() == right->tensor(name).scalar_type());
  }
}

}  // namespace

TEST_CASE("words of GPTQ are those that are published", "[formats]") {
  const auto words_of = [](int num_bits, int64_t modulus, int64_t factor = 1) {
    const auto tensors = to_gptq("q", matrix_of(counting({32, 32}, 1, modulus, factor), num_bits), GptqVersion::v1);
    return tensors.at("q.qweight");
  };
  CHECK(word(words_of(4, 8), 0, 0) == 0x76543210);
  CHECK(word(words_of(2, 4), 0, 5) == 0xe4e4e4e4);
  CHECK(word(words_of(8, 4, 0x11), 0, 31) == 0x33221100);
  const at::Tensor three = words_of(3, 8);
  CHECK(three.sizes() == at::IntArrayRef{3, 32});
  CHECK(word(three, 0, 7) == 0x88fac688);
  CHECK(word(three, 1, 7) == 0xc688fac6);
  CHECK(word(three, 2, 7) == 0xfac688fa);
}

TEST_CASE("version 1 of GPTQ stores zeros minus one, version 2 zeros", "[formats]") {
  const auto zeros = [](int num_bits, GptqVersion version) {
    return to_gptq("q", matrix_of(counting({32, 32}, 1, 2), num_bits), version).at("q.qzeros");
  };
  CHECK(word(zeros(4, GptqVersion::v1), 0, 0) == 0x77777777);
  CHECK(word(zeros(4, GptqVersion::v2), 0, 0) == 0x88888888);
  CHECK(word(zeros(2, GptqVersion::v1), 0, 0) == 0x55555555);
  CHECK(word(zeros(8, GptqVersion::v1), 0, 3) == 0x7f7f7f7f);
  CHECK(zeros(3, GptqVersion::v1).sizes() == at::IntArrayRef{1, 3});
  // Differing zeros lie beside each other: of output columns 0 .. 7, zeros 0 .. 7.
  QuantizedMatrix matrix = matrix_of(counting({8, 32}, 1, 2), 4, 32, 0);
  matrix.zero = at::arange(8, at::kByte).view({8, 1});
  CHECK(word(to_gptq("q", matrix, GptqVersion::v2).at("q.qzeros"), 0, 0) == 0x76543210);
}

TEST_CASE("a word of AWQ holds the columns in its own order", "[formats]") {
  QuantizedMatrix matrix = matrix_of(counting({8, 32}, 0, 8), 4, 16, 0);
  matrix.zero = at::arange(8, at::kByte).view({8, 1}).expand({8, 2}).contiguous();
  const auto tensors = to_awq("q", matrix);
  CHECK(tensors.at("q.qweight").sizes() == at::IntArrayRef{32, 1});
  CHECK(word(tensors.at("q.qweight"), 31, 0) == 0x75316420);
  CHECK(word(tensors.at("q.qzeros"), 1, 0) == 0x75316420);
}

TEST_CASE("words of compressed-tensors run along the input, their zeros along the output", "[formats]") {
  QuantizedMatrix matrix = matrix_of(counting({12, 12}, 1, 8), 4, 6, 0);
  matrix.zero = at::arange(12, at::kByte).view({12, 1}).expand({12, 2}).contiguous();
  const auto tensors = to_pack_quantized("q", matrix);
  CHECK(tensors.at("q.weight_packed").sizes() == at::IntArrayRef{12, 2});
  CHECK(word(tensors.at("q.weight_packed"), 3, 0) == 0x76543210);
  CHECK(word(tensors.at("q.weight_packed"), 3, 1) == 0x00003210);  // the end of the row is padded
  CHECK(tensors.at("q.weight_zero_point").sizes() == at::IntArrayRef{2, 2});
  CHECK(word(tensors.at("q.weight_zero_point"), 0, 1) == 0x76543210);
  CHECK(word(tensors.at("q.weight_zero_point"), 1, 1) == 0x0000ba98);
  CHECK(at::equal(tensors.at("q.weight_shape"), at::tensor({12, 12}, at::kLong)));
}

TEST_CASE("what GPTQ packs is unpacked to the same integers", "[formats]") {
  const int num_bits = GENERATE(2, 3, 4, 8);
  const bool symmetric = GENERATE(true, false);
  const int64_t group_size = GENERATE(-1, 32, 40);  // 40 of 64: the last group is shorter
  CAPTURE(num_bits, symmetric, group_size);
  const auto matrix = rtn(32, 64, {.num_bits = num_bits, .group_size = group_size, .symmetric = symmetric});
  const auto version = symmetric ? GptqVersion::v1 : GptqVersion::v2;
  const test::MemoryWeights stored(to_gptq("q", matrix, version));
  CHECK(same(from_gptq("q", stored, num_bits, group_size, version), matrix));
}

TEST_CASE("a group index survives GPTQ, and is read from older compressed-tensors", "[formats]") {
  const auto matrix = with_group_index({.num_bits = 4, .group_size = 16});
  REQUIRE(matrix.group_index.defined());
  const test::MemoryWeights gptq(to_gptq("q", matrix, GptqVersion::v2));
  CHECK(same(from_gptq("q", gptq, 4, 16, GptqVersion::v2), matrix));
  auto natural = matrix;
  natural.group_index.reset();
  lm::NamedTensors older = to_pack_quantized("q", natural);
  older["q.weight_g_idx"] = matrix.group_index.to(at::kInt);
  CHECK(same(from_pack_quantized("q", test::MemoryWeights(older), 4, 16), matrix));
}

TEST_CASE("what AWQ packs is unpacked to the same integers", "[formats]") {
  const int64_t group_size = GENERATE(-1, 16);
  const bool symmetric = GENERATE(true, false);
  const auto matrix = rtn(24, 48, {.num_bits = 4, .group_size = group_size, .symmetric = symmetric});
  const test::MemoryWeights stored(to_awq("q", matrix));
  CHECK(same(from_awq("q", stored, group_size), matrix));
}

TEST_CASE("what compressed-tensors packs is unpacked to the same integers", "[formats]") {
  const int num_bits = GENERATE(4, 8);
  const int64_t group_size = GENERATE(-1, 11);
  const bool symmetric = GENERATE(true, false);
  const auto scale_dtype = GENERATE(at::kHalf, at::kBFloat16, at::kFloat);
  const auto matrix =
      rtn(21, 44, {.num_bits = num_bits, .group_size = group_size, .symmetric = symmetric, .scale_dtype = scale_dtype});
  const test::MemoryWeights stored(to_pack_quantized("q", matrix));
  CHECK(same(from_pack_quantized("q", stored, num_bits, group_size), matrix));
}

TEST_CASE("int-quantized holds signed weights", "[formats]") {
  const bool narrow = GENERATE(true, false);
  const auto matrix = rtn(10, 44, {.num_bits = 8, .symmetric = true, .narrow_range = narrow});
  const auto tensors = to_int_quantized("q", matrix);
  const at::Tensor weight = tensors.at("q.weight");
  CHECK(weight.scalar_type() == at::kChar);
  CHECK(at::equal(weight.to(at::kFloat) * tensors.at("q.weight_scale").to(at::kFloat), lm::dequantize(matrix)));
  const test::MemoryWeights stored(tensors);
  CHECK(same(from_int_quantized("q", stored), matrix));
}

TEST_CASE("NF4 survives bitsandbytes' tensors, an odd number of weights too", "[formats][nf4]") {
  const int64_t n = GENERATE(64, 71);
  const bool double_quant = GENERATE(true, false);
  const auto matrix = lm::quantize_nf4(test::normal({9, n}, 2).to(at::kFloat), {.double_quant = double_quant});
  const auto tensors = to_bitsandbytes("q", matrix, at::kFloat);
  CHECK(tensors.at("q.weight").sizes() == at::IntArrayRef{(9 * n + 1) / 2, 1});
  const auto first = tensors.at("q.weight")[0][0].item<int>();
  CHECK(first == matrix.codes[0][0].item<int>() * 16 + matrix.codes[0][1].item<int>());
  CHECK(tensors.size() == (double_quant ? 6 : 4));
  const test::MemoryWeights stored(tensors);
  const auto back = from_bitsandbytes("q", stored);
  CHECK(back.double_quant() == double_quant);
  CHECK(at::equal(back.codes, matrix.codes));
  CHECK(at::equal(lm::dequantize(back), lm::dequantize(matrix)));
}

TEST_CASE("what a format cannot hold is refused by name, with what to do", "[formats]") {
  const test::ScratchDirectory dir;
  const auto error = [&](const auto& action) { return dir.error_of(action); };
  const auto asymmetric = rtn(32, 64, {.num_bits = 4, .group_size = 32});
  CHECK(
      error([&] { (void)to_gptq("q", asymmetric, GptqVersion::v1); }) ==
      "format gptq cannot hold this model\n  where: q\n  why: version 1 stores zero points minus 1, and an asymmetric "
      "grid may have 0\n  fix: export to gptq-v2");
  CHECK_THAT(error([&] { (void)to_gptq("q", rtn(32, 64, {.num_bits = 5}), GptqVersion::v2); }),
             Catch::Contains("its codes have 5 bits, the format has 2, 3, 4 and 8"));
  CHECK_THAT(error([&] { (void)to_gptq("q", rtn(32, 44, {.num_bits = 4}), GptqVersion::v2); }),
             Catch::Contains("in_features is 44") && Catch::Contains("export to compressed-tensors, which pads"));
  CHECK_THAT(
      error([&] { (void)to_gptq("q", rtn(32, 64, {.num_bits = 4, .scale_dtype = at::kFloat}), GptqVersion::v2); }),
      Catch::Contains("its scales are not float16 numbers") && Catch::Contains("scale_dtype float16"));
  CHECK_THAT(error([&] { (void)to_awq("q", rtn(32, 64, {.num_bits = 3})); }),
             Catch::StartsWith("format awq cannot hold this model") && Catch::Contains("its codes have 3 bits"));
  CHECK_THAT(error([&] { (void)to_pack_quantized("q", with_group_index({.num_bits = 4, .group_size = 16})); }),
             Catch::Contains("its columns are grouped by an index") && Catch::Contains("export to gptq"));
  CHECK_THAT(error([&] { (void)to_awq("q", with_group_index({.num_bits = 4, .group_size = 16})); }),
             Catch::Contains("grouped by an index, for which the format has no tensor"));
  CHECK_THAT(error([&] { (void)to_awq("q", rtn(32, 64, {.num_bits = 4, .group_size = 40})); }),
             Catch::Contains("in_features 64 is not a multiple of group_size 40"));
  CHECK_THAT(error([&] { (void)to_pack_quantized("q", rtn(32, 64, {.num_bits = 3})); }),
             Catch::Contains("format compressed-tensors cannot hold this model") && Catch::Contains("gptq-v2"));
  CHECK_THAT(error([&] { (void)to_int_quantized("q", rtn(32, 64, {.num_bits = 8})); }),
             Catch::Contains("weights of 8 bits, symmetric, one scale a row"));
}

TEST_CASE("directories come back as the codes and scales that were exported", "[formats]") {
  struct Case {
    Format format;
    GridOptions grid;
    std::string method;
  };
  const auto one = GENERATE(Case{Format::gptq, {.num_bits = 4, .group_size = 16, .symmetric = true}, "gptq"},
                            Case{Format::gptq, {.num_bits = 8, .group_size = -1}, "gptq"},
                            Case{Format::gptq_v2, {.num_bits = 4, .group_size = 32, .symmetric = true}, "gptq"},
                            Case{Format::awq, {.num_bits = 4, .group_size = 8}, "awq"},
                            Case{Format::compressed_tensors, {.num_bits = 4, .group_size = 8}, "compressed-tensors"},
                            Case{Format::compressed_tensors, {.num_bits = 8, .symmetric = true}, "compressed-tensors"});
  const auto name = GENERATE("random-llama3", "random-mistral", "random-qwen2", "random-opt");
  CAPTURE(name, one.method, one.grid.num_bits);
  const test::ScratchDirectory ours;
  const test::ScratchDirectory theirs;
  const test::ScratchDirectory back;
  write_quantized(fixture(name), ours.path(), round_to(one.grid));
  const auto losses = export_model(ours.path(), *lm::open_weights(ours.path()), {.format = one.format}, theirs.path());
  CHECK(losses.empty());
  const Json config = test::read_json(theirs.path() / "config.json");
  CHECK(config["quantization_config"]["quant_method"] == one.method);
  CHECK(config["model_type"] == test::read_json(ours.path() / "config.json")["model_type"]);
  CHECK(test::read_text(theirs.path() / "tokenizer.json") == test::read_text(ours.path() / "tokenizer.json"));
  CHECK(kind_of(theirs.path()) == Kind::quantized);
  import_quantized(theirs.path(), back.path());
  check_same_weights(ours.path(), back.path());
  const Json before = test::read_json(ours.path() / "quantization.json");
  const Json after = test::read_json(back.path() / "quantization.json");
  CHECK(after["linears"] == before["linears"]);
  CHECK(test::read_text(back.path() / "config.json") == test::read_json(ours.path() / "config.json").dump(2) + "\n");
}

TEST_CASE("version and act-order stand in the configuration of GPTQ", "[formats]") {
  const bool symmetric = GENERATE(true, false);
  const test::ScratchDirectory ours;
  const test::ScratchDirectory theirs;
  write_quantized(fixture("random-llama3"), ours.path(),
                  round_to({.num_bits = 4, .group_size = 16, .symmetric = symmetric}));
  (void)export_model(ours.path(), *lm::open_weights(ours.path()), {.format = Format::gptq}, theirs.path());
  const Json config = test::read_json(theirs.path() / "config.json")["quantization_config"];
  CHECK(config["checkpoint_format"] == (symmetric ? "gptq" : "gptq_v2"));
  CHECK(config["sym"] == symmetric);
  CHECK(config["desc_act"] == false);
  CHECK(config["group_size"] == 16);
  CHECK(test::read_json(theirs.path() / "quantize_config.json") == config);
}

TEST_CASE("NF4 directories come back whole", "[formats][nf4]") {
  const bool double_quant = GENERATE(true, false);
  const test::ScratchDirectory ours;
  const test::ScratchDirectory theirs;
  const test::ScratchDirectory back;
  write_quantized(fixture("random-untied"), ours.path(),
                  [&](const at::Tensor& w) { return lm::quantize_nf4(w, {.double_quant = double_quant}); });
  const auto weights = lm::open_weights(ours.path());
  CHECK(export_model(ours.path(), *weights, {.format = Format::bitsandbytes}, theirs.path()).empty());
  import_quantized(theirs.path(), back.path());
  check_same_weights(ours.path(), back.path());
  CHECK(test::read_json(back.path() / "quantization.json")["linears"] ==
        test::read_json(ours.path() / "quantization.json")["linears"]);
  CHECK_THAT(ours.error_of([&] { (void)export_model(ours.path(), *weights, {.format = Format::gptq}, theirs.path()); }),
             Catch::Contains("its weights are NormalFloat4, not codes on a grid") &&
                 Catch::Contains("export to bitsandbytes"));
}

TEST_CASE("rounded activations are written where there is a field for them, else refused", "[formats]") {
  lm::ActivationRules rules;
  rules.inputs = lm::ActivationGrid{};
  const test::ScratchDirectory ours;
  const test::ScratchDirectory theirs;
  const test::ScratchDirectory back;
  write_quantized(fixture("random-untied"), ours.path(),
                  round_to({.num_bits = 8, .symmetric = true, .narrow_range = true, .scale_dtype = at::kFloat}), rules);
  const auto weights = lm::open_weights(ours.path());
  CHECK(export_model(ours.path(), *weights, {.format = Format::compressed_tensors}, theirs.path()).size() == 1);
  CHECK(test::read_json(theirs.path() / "config.json")["quantization_config"]["format"] == "int-quantized");
  import_quantized(theirs.path(), back.path());
  check_same_weights(ours.path(), back.path());
  CHECK(test::read_json(back.path() / "quantization.json")["activations"] ==
        test::read_json(ours.path() / "quantization.json")["activations"]);
  const test::ScratchDirectory other;
  CHECK_THAT(ours.error_of([&] { (void)export_model(ours.path(), *weights, {.format = Format::hf}, other.path()); }),
             Catch::Contains("rounds activations as it runs, which the format has no field for"));
  const auto losses = export_model(ours.path(), *weights, {.format = Format::hf, .allow_loss = true}, other.path());
  CHECK(losses == std::vector<std::string>{
                      "the rules for activations are left out: a reader computes with activations as they are"});
}

TEST_CASE("a merged checkpoint holds what was evaluated, or says how far rounding moved it", "[formats]") {
  const auto dtype = GENERATE(at::kFloat, at::kBFloat16, at::kHalf);
  const test::ScratchDirectory ours;
  const test::ScratchDirectory theirs;
  write_quantized(fixture("random-untied"), ours.path(), round_to({.num_bits = 3, .group_size = 16}));
  const auto weights = lm::open_weights(ours.path());
  const auto losses = export_model(ours.path(), *weights, {.format = Format::hf, .dtype = dtype}, theirs.path());
  CHECK(losses.size() == (dtype == at::kFloat ? 0 : 1));
  const auto plain = lm::Checkpoint::open(theirs.path());
  lm::check_tensors(lm::read_model_config(theirs.path()), plain);
  for (const std::string& name : weights->names()) {
    CHECK(plain.tensor(name).scalar_type() == dtype);
    CHECK(at::equal(plain.tensor(name), weights->tensor(name).to(dtype)));
  }
  CHECK(kind_of(theirs.path()) == Kind::model);
  const test::ScratchDirectory back;
  import_model(theirs.path(), back.path());
  check_same_weights(theirs.path(), back.path());
}

TEST_CASE("an adapter is merged into hf, and goes to PEFT with the name of its base", "[formats]") {
  const auto source = fixture("random-untied");
  const auto config = lm::read_model_config(source);
  lm::Adapter adapter;
  adapter.rank = 2;
  adapter.alpha = 4;
  adapter.targets = {"q_proj"};
  const std::string q = lm::linear_name(config, 0, lm::Linear::q);
  adapter.updates[q] = {.a = test::normal({2, 32}, 8).to(at::kFloat), .b = test::normal({32, 2}, 9).to(at::kFloat)};
  const test::ScratchDirectory ours;
  const std::string digest(64, 'a');
  (void)lm::write_adapter(ours.path(), adapter, digest);

  const test::ScratchDirectory merged;
  const auto weights = lm::adapted(lm::open_weights(source), lm::read_adapter(ours.path()));
  CHECK(export_model(source, *weights, {.format = Format::hf}, merged.path()).empty());
  CHECK(at::equal(lm::Checkpoint::open(merged.path()).tensor(q), weights->tensor(q)));
  CHECK_THAT(merged.error_of([&] { (void)export_model(source, *weights, {.format = Format::awq}, merged.path()); }),
             Catch::Contains("its linears are not stored as codes"));

  const test::ScratchDirectory peft;
  export_adapter(ours.path(), "org/base", peft.path());
  CHECK(test::read_json(peft.path() / "adapter_config.json")["base_model_name_or_path"] == "org/base");
  CHECK_FALSE(fs::exists(peft.path() / "base.json"));
  CHECK(kind_of(peft.path()) == Kind::adapter);
  const test::ScratchDirectory back;
  import_adapter(peft.path(), config, lm::open_weights(source), digest, back.path());
  CHECK(lm::read_adapter_base(back.path()) == digest);
  CHECK(at::equal(lm::read_adapter(back.path()).updates.at(q).a, adapter.updates.at(q).a));
  CHECK_THAT(peft.error_of([&] { export_adapter(ours.path(), "", peft.path()); }),
             Catch::StartsWith("base_model is missing"));

  const test::ScratchDirectory other;
  const fs::path stranger = fixture("random-opt");
  CHECK_THAT(peft.error_of([&] {
    import_adapter(peft.path(), lm::read_model_config(stranger), lm::open_weights(stranger), digest, other.path());
  }),
             Catch::Contains("self_attn.q_proj"));
  adapter.updates.at(q).b[1][1] = std::numeric_limits<float>::quiet_NaN();
  const test::ScratchDirectory damaged;
  (void)lm::write_adapter(damaged.path(), adapter, digest);
  CHECK_THAT(
      damaged.error_of([&] { import_adapter(damaged.path(), config, lm::open_weights(source), digest, other.path()); }),
      Catch::Contains("weights are not finite") && Catch::Contains(q));
  Json settings = test::read_json(peft.path() / "adapter_config.json");
  settings["alora_invocation_tokens"] = {5, 6};
  test::write_text(peft.path() / "adapter_config.json", settings.dump());
  CHECK_THAT(
      peft.error_of([&] { import_adapter(peft.path(), config, lm::open_weights(source), digest, other.path()); }),
      Catch::Contains("alora_invocation_tokens = [5,6] is not supported"));
}

TEST_CASE("checkpoints that contradict themselves or are of another kind are refused", "[formats]") {
  const test::ScratchDirectory ours;
  const test::ScratchDirectory theirs;
  write_quantized(fixture("random-llama3"), ours.path(), round_to({.num_bits = 4, .group_size = 16}));
  (void)export_model(ours.path(), *lm::open_weights(ours.path()), {.format = Format::gptq_v2}, theirs.path());
  const Json good = test::read_json(theirs.path() / "config.json");
  const auto error_of = [&](const auto& change) {
    Json json = good;
    change(json["quantization_config"]);
    test::write_text(theirs.path() / "config.json", json.dump());
    const test::ScratchDirectory back;
    return theirs.error_of([&] { import_quantized(theirs.path(), back.path()); });
  };
  CHECK_THAT(
      error_of([](Json& j) { j["quant_method"] = "aqlm"; }),
      Catch::StartsWith("this quantized checkpoint is not read\n  where: DIR/config.json\n  why: quant_method is "
                        "`aqlm`"));
  CHECK_THAT(error_of([](Json& j) { j["bits"] = 5; }), Catch::Contains("bits is 5"));
  CHECK_THAT(error_of([](Json& j) { j.erase("bits"); }), Catch::StartsWith("malformed quantized checkpoint"));
  CHECK_THAT(error_of([](Json& j) { j["group_size"] = 8; }), Catch::StartsWith("malformed quantized checkpoint"));
  // An asymmetric grid has zeros of 0, which version 1 would have stored as 15.
  const test::MemoryWeights wrong(to_gptq("q", matrix_of(counting({8, 32}, 1, 2), 4, 32, 15), GptqVersion::v2));
  CHECK_THAT(theirs.error_of([&] { (void)from_gptq("q", wrong, 4, 32, GptqVersion::v1); }),
             Catch::Contains("an asymmetric grid was written in the wrong version"));
}

TEST_CASE("a tensor that nothing would read is refused by its name, a bias of zeros is not", "[formats]") {
  const test::ScratchDirectory ours;
  const test::ScratchDirectory theirs;
  write_quantized(fixture("random-llama3"), ours.path(), round_to({.num_bits = 4, .group_size = 16}));
  (void)export_model(ours.path(), *lm::open_weights(ours.path()), {.format = Format::gptq_v2}, theirs.path());
  const std::string bias = "model.layers.0.self_attn.q_proj.bias";
  const auto add_bias = [&](float value) {
    Json index = test::read_json(theirs.path() / "model.safetensors.index.json");
    index["weight_map"][bias] = "bias.safetensors";
    test::write_text(theirs.path() / "model.safetensors.index.json", index.dump());
    lm::write_safetensors(theirs.path() / "bias.safetensors", {{bias, at::full({64}, value)}});
  };
  const test::ScratchDirectory refused;
  add_bias(3);
  CHECK_THAT(theirs.error_of([&] { import_quantized(theirs.path(), refused.path()); }),
             Catch::StartsWith("tensor " + bias + " is no part of the model"));
  const test::ScratchDirectory back;
  add_bias(0);
  import_quantized(theirs.path(), back.path());
  check_same_weights(ours.path(), back.path());
}

TEST_CASE("groups wider than a row go only where an index says so", "[formats]") {
  const test::ScratchDirectory ours;
  write_quantized(fixture("random-llama3"), ours.path(), round_to({.num_bits = 4, .group_size = 36}));
  const auto weights = lm::open_weights(ours.path());
  const Format format = GENERATE(Format::awq, Format::compressed_tensors);
  const test::ScratchDirectory theirs;
  CHECK_THAT(ours.error_of([&] { (void)export_model(ours.path(), *weights, {.format = format}, theirs.path()); }),
             Catch::Contains("groups of 36 weights are wider than some rows, which have 32"));
}

TEST_CASE("what would be read as another function is refused by its key", "[formats]") {
  const test::ScratchDirectory ours;
  const test::ScratchDirectory gptq;
  const test::ScratchDirectory compressed;
  write_quantized(fixture("random-llama3"), ours.path(), round_to({.num_bits = 4, .group_size = 8, .symmetric = true}));
  const auto weights = lm::open_weights(ours.path());
  (void)export_model(ours.path(), *weights, {.format = Format::compressed_tensors}, compressed.path());
  const auto refused = [](const test::ScratchDirectory& directory, const Json& patch) {
    const Json whole = test::read_json(directory.path() / "config.json");
    Json changed = whole;
    changed["quantization_config"].merge_patch(patch);
    test::write_text(directory.path() / "config.json", changed.dump());
    const test::ScratchDirectory out;
    const std::string error = directory.error_of([&] { import_quantized(directory.path(), out.path()); });
    test::write_text(directory.path() / "config.json", whole.dump());
    return error;
  };
  CHECK_THAT(refused(compressed, {{"transform_config", {{"config_groups", {{"R4", 1}}}}}}),
             Catch::Contains("transform_config = ") && Catch::Contains("is not implemented"));
  CHECK_THAT(refused(compressed, {{"kv_cache_scheme", {{"num_bits", 8}}}}), Catch::Contains("kv_cache_scheme = "));
  CHECK_THAT(refused(compressed, {{"config_groups", {{"group_0", {{"output_activations", {{"num_bits", 8}}}}}}}}),
             Catch::Contains("output_activations = "));

  const test::ScratchDirectory wide;
  write_quantized(fixture("random-llama3"), wide.path(),
                  round_to({.num_bits = 4, .group_size = 16, .symmetric = true}));
  (void)export_model(wide.path(), *lm::open_weights(wide.path()), {.format = Format::gptq}, gptq.path());
  CHECK_THAT(refused(gptq, {{"checkpoint_format", "marlin"}}), Catch::Contains("checkpoint_format = \"marlin\""));
  CHECK_THAT(refused(compressed, {{"config_groups", {{"group_0", {{"weights", {{"actorder", "group"}}}}}}}}),
             Catch::Contains("weight_g_idx") && Catch::Contains("the index of their groups is not there"));
  Json config = test::read_json(gptq.path() / "config.json");
  config["intermediate_size"] = config["intermediate_size"].get<int64_t>() + 32;
  test::write_text(gptq.path() / "config.json", config.dump());
  const test::ScratchDirectory out;
  CHECK_THAT(gptq.error_of([&] { import_quantized(gptq.path(), out.path()); }),
             Catch::Contains("does not fit config.json"));
}

TEST_CASE("weights that float16 cannot hold are refused with their name", "[formats]") {
  test::MemoryWeights weights = test::zero_weights(lm::read_model_config(fixture("random-llama3")));
  weights.tensors()["model.layers.1.mlp.down_proj.weight"].index_put_({0, 0}, 1e6F);
  const test::ScratchDirectory out;
  CHECK_THAT(out.error_of([&] {
    (void)export_model(fixture("random-llama3"), weights, {.format = Format::hf, .dtype = at::kHalf}, out.path());
  }),
             Catch::Contains("model.layers.1.mlp.down_proj.weight") &&
                 Catch::Contains("a weight is larger than the largest float16") && Catch::Contains("bfloat16"));
}
