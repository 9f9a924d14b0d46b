#include "lm/token_batches.h"

#include <catch2/catch.hpp>

#include "lm/digest.h"
#include "lm/safetensors.h"
#include "numerics/support/files.h"

using namespace lowbit;
using Json = nlohmann::json;

namespace {

lm::TokenBatches small_batches() {
  lm::TokenBatches batches;
  batches.ids = at::tensor({1, 2, 3, 4, 5, 6}, at::kLong).view({2, 3});
  batches.vocab_size = 7;
  batches.tokenizer_sha256 = std::string(64, 'a');
  batches.variant = "tiny";
  batches.rule = "by hand";
  batches.bos = "none";
  return batches;
}

}  // namespace

TEST_CASE("token windows are written and read back", "[token-batches]") {
  const test::ScratchDirectory dir;
  lm::TokenBatches batches = small_batches();
  batches.loss_mask = batches.ids > 3;
  lm::write_token_batches(dir.path(), batches);
  const lm::TokenBatches read = lm::read_token_batches(dir.path());
  CHECK(at::equal(read.ids, batches.ids));
  CHECK(at::equal(read.loss_mask, batches.loss_mask));
  CHECK_FALSE(read.attention_mask.defined());
  CHECK(read.vocab_size == 7);
  CHECK(read.variant == "tiny");
  CHECK_FALSE(read.source_sha256);
  CHECK(test::read_json(dir.path() / "batches.json") == Json({{"vocab_size", 7},
                                                              {"tokenizer_sha256", std::string(64, 'a')},
                                                              {"variant", "tiny"},
                                                              {"source_sha256", nullptr},
                                                              {"rule", "by hand"},
                                                              {"bos", "none"}}));
}

TEST_CASE("token windows that contradict themselves are refused", "[token-batches]") {
  const test::ScratchDirectory dir;
  const auto error_of = [&](const lm::TokenBatches& batches) {
    lm::write_token_batches(dir.path(), batches);
    return dir.error_of([&] { (void)lm::read_token_batches(dir.path()); });
  };
  const auto malformed = [](const std::string& why) {
    return "malformed token-batches/1\n  where: DIR\n  why: " + why + "\n  fix: run the stage that wrote it again";
  };
  lm::TokenBatches batches = small_batches();
  batches.vocab_size = 6;
  CHECK(error_of(batches) == malformed("a token id is outside 0 .. vocab_size - 1"));
  batches = small_batches();
  batches.attention_mask = at::ones({2, 2}, at::kBool);
  CHECK(error_of(batches) == malformed("attention_mask does not have the shape of input_ids"));
  lm::write_token_batches(dir.path(), small_batches());
  lm::write_safetensors(dir.path() / "tokens.safetensors", {{"input_ids", at::ones({2, 3})}});
  CHECK(dir.error_of([&] { (void)lm::read_token_batches(dir.path()); }) ==
        malformed("input_ids is not a matrix of I32"));
}

TEST_CASE("windows of another tokenizer are refused", "[token-batches]") {
  const test::ScratchDirectory dir;
  test::write_text(dir.path() / "tokenizer.json", "abc");
  CHECK(lm::sha256_of_file(dir.path() / "tokenizer.json") == lm::sha256_of_text("abc"));
  lm::TokenBatches batches = small_batches();
  const auto error = [&] { return dir.error_of([&] { lm::check_made_for(batches, dir.path(), 6); }); };
  CHECK(error() ==
        "the token windows were not made for this model\n  where: DIR/tokenizer.json\n"
        "  why: its SHA-256 is ba7816bf8f01.., the windows were cut with aaaaaaaaaaaa..\n"
        "  fix: cut the windows with this model's own tokenizer");
  batches.tokenizer_sha256 = lm::sha256_of_text("abc");
  CHECK(error() ==
        "the token windows were not made for this model\n  where: DIR/tokenizer.json\n"
        "  why: a token id is beyond the model's vocabulary of 6\n"
        "  fix: cut the windows with this model's own tokenizer");
  lm::check_made_for(batches, dir.path(), 7);
}
