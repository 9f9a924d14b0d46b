#include "lm/token_batches.h"

#include <nlohmann/json.hpp>

#include "lm/digest.h"
#include "lm/error.h"
#include "lm/json_file.h"
#include "lm/safetensors.h"

namespace lowbit::lm {
namespace {

using Json = nlohmann::json;

[[noreturn]] void malformed_batches(const std::filesystem::path& directory, const std::string& why) {
  throw Error(Status::bad_input, {.what = "malformed token-batches/1",
                                  .where = directory.string(),
                                  .why = why,
                                  .fix = "run the stage that wrote it again"});
}

}  // namespace

TokenBatches read_token_batches(const std::filesystem::path& directory) {
  const Json json = read_json_file(directory / "batches.json");
  const auto file = SafetensorsFile::open(directory / "tokens.safetensors");
  TokenBatches result;
  try {
    result.vocab_size = json.at("vocab_size").get<int64_t>();
    result.tokenizer_sha256 = json.at("tokenizer_sha256").get<std::string>();
    result.variant = json.at("variant").get<std::string>();
    if (!json.at("source_sha256").is_null()) result.source_sha256 = json.at("source_sha256").get<std::string>();
    result.rule = json.at("rule").get<std::string>();
    result.bos = json.at("bos").get<std::string>();
  } catch (const Json::exception& e) {
    malformed_batches(directory, std::string("batches.json: ") + e.what());
  }
  const at::Tensor ids = file.tensor("input_ids");
  if (ids.dim() != 2 || ids.scalar_type() != at::kInt || ids.numel() == 0) {
    malformed_batches(directory, "input_ids is not a matrix of I32");
  }
  result.ids = ids.to(at::kLong);
  if (result.ids.min().item<int64_t>() < 0 || result.ids.max().item<int64_t>() >= result.vocab_size) {
    malformed_batches(directory, "a token id is outside 0 .. vocab_size - 1");
  }
  const auto mask = [&](const char* name) -> at::Tensor {
    if (!file.contains(name)) return {};
    const at::Tensor tensor = file.tensor(name);
    if (tensor.sizes() != ids.sizes())
      malformed_batches(directory, std::string(name) + " does not have the shape of input_ids");
    return tensor.to(at::kBool);
  };
  result.attention_mask = mask("attention_mask");
  result.loss_mask = mask("loss_mask");
  return result;
}

void write_token_batches(const std::filesystem::path& directory, const TokenBatches& batches) {
  NamedTensors tensors{{"input_ids", batches.ids.to(at::kInt)}};
  if (batches.attention_mask.defined()) tensors["attention_mask"] = batches.attention_mask.to(at::kByte);
  if (batches.loss_mask.defined()) tensors["loss_mask"] = batches.loss_mask.to(at::kByte);
  write_safetensors(directory / "tokens.safetensors", tensors);
  write_json_file(directory / "batches.json",
                  {{"vocab_size", batches.vocab_size},
                   {"tokenizer_sha256", batches.tokenizer_sha256},
                   {"variant", batches.variant},
                   {"source_sha256", batches.source_sha256 ? Json(*batches.source_sha256) : Json()},
                   {"rule", batches.rule},
                   {"bos", batches.bos}});
}

Tokenizer open_tokenizer(const std::filesystem::path& model_directory, int64_t vocab_size) {
  const std::filesystem::path file = model_directory / "tokenizer.json";
  auto tokenizer = Tokenizer::open(file);
  if (tokenizer.size() > vocab_size) {
    throw Error(Status::bad_input, {.what = "the tokenizer does not fit the model",
                                    .where = file.string(),
                                    .why = "its ids go up to " + std::to_string(tokenizer.size() - 1) +
                                           ", the model's vocabulary has " + std::to_string(vocab_size) + " rows",
                                    .fix = "use the tokenizer.json that belongs to these weights"});
  }
  return tokenizer;
}

void check_made_for(const TokenBatches& batches, const std::filesystem::path& model_directory, int64_t vocab_size) {
  const std::filesystem::path tokenizer = model_directory / "tokenizer.json";
  const std::string sha256 = sha256_of_file(tokenizer);
  if (sha256 != batches.tokenizer_sha256 || batches.ids.max().item<int64_t>() >= vocab_size) {
    throw Error(Status::bad_input,
                {.what = "the token windows were not made for this model",
                 .where = tokenizer.string(),
                 .why = sha256 == batches.tokenizer_sha256
                            ? "a token id is beyond the model's vocabulary of " + std::to_string(vocab_size)
                            : "its SHA-256 is " + sha256.substr(0, 12) + ".., the windows were cut with " +
                                  batches.tokenizer_sha256.substr(0, 12) + "..",
                 .fix = "cut the windows with this model's own tokenizer"});
  }
}

}  // namespace lowbit::lm
