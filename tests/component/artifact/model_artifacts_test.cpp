#include <catch2/catch.hpp>

#include <fstream>

#include "artifact_files.h"

using namespace lowbit;
using exec::check_artifact;
using test::ArtifactFiles;

namespace {

const Json kConfig{{"architectures", {"LlamaForCausalLM"}}, {"model_type", "llama"}, {"vocab_size", 16}};

void write_model(ArtifactFiles& files) {
  files.json("config.json", kConfig);
  files.safetensors("model.safetensors",
                    {{"model.embed_tokens.weight", "BF16", {16, 8}, ""}, {"model.norm.weight", "F32", {8}, ""}});
}

Json linear(std::int64_t num_bits, std::int64_t group_size, bool symmetric, bool actorder) {
  return {{"out_features", 4},        {"in_features", 10},      {"num_bits", num_bits},
          {"group_size", group_size}, {"symmetric", symmetric}, {"actorder", actorder}};
}

Json quantization(const Json& layer) {
  return {{"method", "rtn"}, {"num_bits", 3}, {"group_size", 4}, {"symmetric", false}, {"linears", {{"q", layer}}}};
}

/// A 3-bit layer [4, 10] in groups of 4: rows of 30 bits in 4 bytes, 3 groups, zeros of 9 bits in 2 bytes.
void write_quantized(ArtifactFiles& files) {
  files.json("config.json", kConfig);
  files.json("quantization.json", quantization(linear(3, 4, false, false)));
  files.safetensors("model.safetensors",
                    {{"q.codes", "U8", {4, 4}, ""}, {"q.scales", "F16", {4, 3}, ""}, {"q.zeros", "U8", {4, 2}, ""}});
}

void write_adapter(ArtifactFiles& files) {
  files.json("base.json", {{"base", std::string(64, 'b')}});
  files.json("adapter_config.json",
             {{"peft_type", "LORA"}, {"r", 4}, {"lora_alpha", 8}, {"target_modules", {"q_proj"}}, {"bias", "none"}});
  files.safetensors("adapter_model.safetensors",
                    {{"m.q_proj.lora_A.weight", "F32", {4, 8}, ""}, {"m.q_proj.lora_B.weight", "F32", {16, 4}, ""}});
}

std::string ids(const std::vector<std::int32_t>& values) {
  std::string bytes;
  for (const std::int32_t value : values) {
    for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>(static_cast<std::uint32_t>(value) >> (8 * i) & 0xFFU);
  }
  return bytes;
}

void write_batches(ArtifactFiles& files, const std::vector<std::int32_t>& values) {
  files.json("batches.json", {{"vocab_size", 16},
                              {"tokenizer_sha256", std::string(64, 'c')},
                              {"variant", "toy-text"},
                              {"source_sha256", nullptr},
                              {"rule", "windows without overlap"},
                              {"bos", "none"}});
  files.safetensors("tokens.safetensors", {{"input_ids", "I32", {2, 3}, ids(values)}, {"loss_mask", "U8", {2, 3}, ""}});
}

}  // namespace

TEST_CASE("a Hugging Face directory is a model", "[artifact]") {
  ArtifactFiles files;
  write_model(files);
  files.json("tokenizer.json", Json::object());
  files.text("README.md", "other files are allowed");
  const auto result = check_artifact("model/1", files.path());
  REQUIRE(result.ok());
  CHECK(result->summary == Json{{"tensors", 2}, {"parameters", 136}});
  CHECK(result->bases.empty());
}

TEST_CASE("a model in several files is complete when its index says so", "[artifact]") {
  ArtifactFiles files;
  files.json("config.json", kConfig);
  files.safetensors("a.safetensors", {{"x", "F32", {2}, ""}});
  files.safetensors("b.safetensors", {{"y", "F32", {3}, ""}});
  files.json("model.safetensors.index.json", {{"weight_map", {{"x", "a.safetensors"}, {"y", "b.safetensors"}}}});
  CHECK(check_artifact("model/1", files.path())->summary["parameters"] == 5);
  files.json("model.safetensors.index.json",
             {{"weight_map", {{"x", "b.safetensors"}, {"y", "b.safetensors"}, {"z", "../c.safetensors"}}}});
  CHECK(files.problems("model/1") ==
        "model.safetensors.index.json: tensor `x` is not in b.safetensors\n"
        "model.safetensors.index.json: `weight_map.z` leaves the directory: ../c.safetensors");
  files.json("model.safetensors.index.json", {{"weight_map", {{"x", "a.safetensors"}, {"y", "gone.safetensors"}}}});
  CHECK(files.problems("model/1") == "gone.safetensors: is missing or cannot be read");
}

TEST_CASE("a truncated weight file is refused", "[artifact]") {
  ArtifactFiles files;
  write_model(files);
  const auto file = files.path() / "model.safetensors";
  const auto size = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, size - 1);
  CHECK(files.problems("model/1") == "model.safetensors: its header declares " + std::to_string(size) +
                                         " bytes, the file has " + std::to_string(size - 1) + ": it was cut off");
  std::filesystem::resize_file(file, 20);
  CHECK_THAT(files.problems("model/1"),
             Catch::StartsWith("model.safetensors: is not a safetensors file: 20 bytes, but"));
  std::filesystem::resize_file(file, 5);
  CHECK(files.problems("model/1") == "model.safetensors: is not a safetensors file: 5 bytes, too short for a header");
}

TEST_CASE("a model without readable weights, tokenizer or configuration is refused", "[artifact]") {
  ArtifactFiles files;
  write_model(files);
  files.text("tokenizer.json", "{");
  files.remove("model.safetensors");
  files.text("pytorch_model.bin", "pickle");
  files.json("config.json",
             {{"model_type", "llama"}, {"architectures", {"L"}}, {"quantization_config", Json::object()}});
  CHECK(files.problems("model/1") ==
        "config.json: has `quantization_config`: weights packed by another tool are not read\n"
        "tokenizer.json: is not JSON\n"
        "model.safetensors: is missing; pytorch_model.bin is not read, save the model as safetensors");
  files.json("config.json", {{"model_type", 3}});
  CHECK_THAT(files.problems("model/1"),
             Catch::StartsWith("config.json: `model_type` must be string, of length at least 1, found 3\n"));
  files.json("config.json", Json::object());
  CHECK_THAT(files.problems("model/1"), Catch::StartsWith("config.json: `model_type` is missing\n"));
}

TEST_CASE("a quantized model states what it stores, and its stored bits follow", "[artifact]") {
  ArtifactFiles files;
  write_quantized(files);
  const auto result = check_artifact("quantized-model/1", files.path());
  REQUIRE(result.ok());
  // 16 bytes of codes, 24 of scales, 8 of zeros over 40 weights.
  CHECK(result->summary ==
        Json{{"method", "rtn"}, {"num_bits", 3}, {"quantized_weights", 40}, {"stored_bits_per_weight", 9.6}});
}

TEST_CASE("a symmetric layer stores no zeros, act-order stores groups, a whole row is one group", "[artifact]") {
  ArtifactFiles files;
  write_quantized(files);
  files.json("quantization.json", quantization(linear(4, -1, true, true)));
  files.safetensors("model.safetensors",
                    {{"q.codes", "U8", {4, 5}, ""}, {"q.scales", "BF16", {4, 1}, ""}, {"q.groups", "I32", {10}, ""}});
  CHECK(files.problems("quantized-model/1") == "ok");
}

TEST_CASE("a layer whose tensors do not fit its grid is refused", "[artifact]") {
  ArtifactFiles files;
  write_quantized(files);
  files.safetensors("model.safetensors",
                    {{"q.codes", "U8", {4, 5}, ""}, {"q.scales", "I32", {4, 3}, ""}, {"q.weight", "F32", {4, 10}, ""}});
  CHECK(files.problems("quantized-model/1") ==
        "tensor `q.codes`: must be U8 [4,4], found U8 [4,5]\n"
        "tensor `q.scales`: must be F32, F16 or BF16 [4,3], found I32 [4,3]\n"
        "tensor `q.zeros`: is missing; it must be U8 [4,2]\n"
        "tensor `q.weight`: must not be there for this layer's grid");
  files.json("quantization.json", quantization(linear(3, 0, false, false)));
  CHECK(files.problems("quantized-model/1") ==
        "quantization.json: `linears.q.group_size` is 0; -1 means the whole row");
  files.json(
      "quantization.json",
      {{"method", "rtn"}, {"num_bits", 3}, {"group_size", 4}, {"symmetric", false}, {"linears", Json::object()}});
  CHECK(files.problems("quantized-model/1") ==
        "quantization.json: `linears` names no layer and nothing else is rounded");
}

TEST_CASE("a layer of NormalFloat4 has blocks of the flattened matrix", "[artifact]") {
  ArtifactFiles files;
  Json layer = linear(4, 16, true, false);
  layer["format"] = "nf4";
  layer["double_quant"] = true;
  files.json("config.json", kConfig);
  files.json("quantization.json", quantization(layer));
  files.safetensors("model.safetensors", {{"q.codes", "U8", {20}, ""},
                                          {"q.absmax", "U8", {3}, ""},
                                          {"q.nested_absmax", "F32", {1}, ""},
                                          {"q.offset", "F32", {1}, ""}});
  const auto result = check_artifact("quantized-model/1", files.path());
  REQUIRE(result.ok());
  CHECK(result->summary["stored_bits_per_weight"] == 8.0 * (20 + 3 + 4 + 4) / 40);

  layer["double_quant"] = false;
  files.json("quantization.json", quantization(layer));
  CHECK(files.problems("quantized-model/1") ==
        "tensor `q.absmax`: must be F32 [3], found U8 [3]\n"
        "tensor `q.nested_absmax`: must not be there for this layer's format\n"
        "tensor `q.offset`: must not be there for this layer's format");
  files.json("quantization.json", quantization([&] {
               Json other = layer;
               other["num_bits"] = 3;
               return other;
             }()));
  CHECK(
      files.problems("quantized-model/1") ==
      "quantization.json: `linears.q` of format nf4 needs a positive `group_size`, `num_bits` 4, `symmetric` true and "
      "`actorder` false");
  layer["format"] = "nf5";
  files.json("quantization.json", quantization(layer));
  CHECK_THAT(files.problems("quantized-model/1"), Catch::Contains("`linears.q.format`"));
}

TEST_CASE("an adapter names its base", "[artifact]") {
  ArtifactFiles files;
  write_adapter(files);
  const auto result = check_artifact("adapter/1", files.path());
  REQUIRE(result.ok());
  CHECK(result->bases == std::vector<Digest>{*Digest::from_hex(std::string(64, 'b'))});
  CHECK(result->summary == Json{{"r", 4}, {"modules", 1}, {"parameters", 96}});
  files.json("base.json", {{"base", "models/tiny"}});
  CHECK(files.problems("adapter/1") ==
        "base.json: `base` must be string, like \"^[0-9a-f]{64}$\", found \"models/tiny\"");
}

TEST_CASE("LoRA matrices come in pairs of one rank", "[artifact]") {
  ArtifactFiles files;
  write_adapter(files);
  files.safetensors("adapter_model.safetensors", {{"m.k.lora_A.weight", "F32", {4, 8}, ""},
                                                  {"m.q.lora_A.weight", "F32", {4, 8}, ""},
                                                  {"m.q.lora_B.weight", "F32", {16, 8}, ""},
                                                  {"mask", "U8", {4}, ""}});
  CHECK(files.problems("adapter/1") ==
        "tensor `mask`: must be F32, F16 or BF16, found U8\n"
        "tensor `m.k.lora_B.weight`: is missing; LoRA matrices come in pairs\n"
        "module `m.q`: needs lora_A [r, in] and lora_B [out, r], found [4,8] and [16,8]");
  files.safetensors("adapter_model.safetensors", {{"norm", "F32", {4}, ""}});
  CHECK(files.problems("adapter/1") == "adapter_model.safetensors: holds no lora_A and lora_B matrices");
}

TEST_CASE("token ids lie in the vocabulary", "[artifact]") {
  ArtifactFiles files;
  write_batches(files, {0, 1, 2, 3, 4, 15});
  CHECK(check_artifact("token-batches/1", files.path())->summary == Json{{"windows", 2}, {"length", 3}});
  write_batches(files, {0, 1, 2, 3, 4, 16});
  CHECK(files.problems("token-batches/1") == "tensor `input_ids`: holds 16 in row 1; ids are 0 to 15");
  write_batches(files, {0, -1, 2, 3, 4, 5});
  CHECK(files.problems("token-batches/1") == "tensor `input_ids`: holds -1 in row 0; ids are 0 to 15");
}

TEST_CASE("token batches hold ids and masks of their shape, nothing else", "[artifact]") {
  ArtifactFiles files;
  write_batches(files, {});
  files.safetensors(
      "tokens.safetensors",
      {{"input_ids", "I32", {2, 3}, ""}, {"attention_mask", "U8", {3, 2}, ""}, {"labels", "I32", {2, 3}, ""}});
  CHECK(files.problems("token-batches/1") ==
        "tensor `attention_mask`: must be U8 [2,3], found U8 [3,2]\n"
        "tensor `labels`: is not one of input_ids, attention_mask, loss_mask");
  files.safetensors("tokens.safetensors", {{"input_ids", "F32", {2, 3}, ""}});
  CHECK(files.problems("token-batches/1") ==
        "tensor `input_ids`: must be there as I32 [windows, length], neither of them 0");
}

TEST_CASE("Hessians are square, declared and complete, in any number of files", "[artifact]") {
  ArtifactFiles files;
  const auto site = [](std::uint64_t n) { return Json{{"in_features", n}, {"linears", {"q", "k"}}}; };
  files.json("hessians.json",
             {{"n_tokens", 128}, {"model", std::string(64, 'd')}, {"sites", {{"h.0", site(4)}, {"h.1", site(2)}}}});
  files.safetensors("a.safetensors", {{"h.0", "F32", {4, 4}, ""}});
  files.safetensors("b.safetensors", {{"h.1", "F32", {2, 2}, ""}});
  CHECK(check_artifact("hessians/1", files.path())->summary == Json{{"sites", 2}, {"tokens", 128}});
  files.safetensors("b.safetensors", {{"h.0", "F32", {4, 4}, ""}, {"h.2", "F32", {2, 2}, ""}});
  const std::string problems = files.problems("hessians/1");
  CHECK_THAT(problems, Catch::Contains("tensor `h.0`: stands in two files\n"));
  CHECK_THAT(problems, Catch::Contains("tensor `h.1`: is missing; it must be F32 [2,2]\n"));
  CHECK_THAT(problems, Catch::EndsWith("tensor `h.2`: is not one of the `sites`"));
}

TEST_CASE("models made by other tools are models", "[artifact]") {
  const std::filesystem::path models = std::filesystem::path(LOWBIT_SOURCE_DIR) / ".." / "shared" / "data" / "models";
  if (!std::filesystem::exists(models)) {
    WARN("skipped: " << models.string() << " is not on this machine");
    return;
  }
  for (const char* name : {"stories260K", "stories260K-bf16", "arith-random-bf16", "baichuan-1layer"}) {
    INFO(name);
    CHECK(check_artifact("model/1", models / name).ok());
  }
}
