#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>

#include "lm/normal_form.h"
#include "lm/tokenizer.h"
#include "lm/utf8.h"
#include "numerics/support/files.h"

using namespace lowbit;
using lm::Tokenizer;
using Ids = std::vector<int64_t>;
using Json = nlohmann::json;

namespace {

std::string bytes_of(const std::string& hexadecimal) {
  std::string bytes;
  for (size_t i = 0; i < hexadecimal.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string repeated(const std::string& part, size_t n_bytes) {
  std::string text;
  while (text.size() < n_bytes) text += part;
  return text;
}

}  // namespace

TEST_CASE("hostile text has the ids and the text that Hugging Face's tokenizers give", "[tokenizer]") {
  for (const std::string name : {"qwen2", "mistral", "mistral-nemo", "rare-steps"}) {
    const auto dir = test::fixtures() / "peer-tokenizers";
    const auto tokenizer = Tokenizer::open(dir / (name + ".json"));
    const Json rows = test::read_json(dir / (name + ".ids.json"));
    CHECK(rows.size() == 80);
    for (const Json& row : rows) {
      INFO(name << ": " << row.dump());
      const std::string text = bytes_of(row["bytes"].get<std::string>());
      CHECK(tokenizer.encode(text, Tokenizer::Special::skip) == row["ids"].get<Ids>());
      CHECK(tokenizer.decode(row["ids"].get<Ids>(), Tokenizer::Show::special_too) == row["text"].get<std::string>());
    }
  }
}

TEST_CASE("bytes that are no UTF-8 are encoded as the replacement character is", "[tokenizer]") {
  for (const std::string name : {"qwen2", "mistral"}) {
    const auto tokenizer = Tokenizer::open(test::fixtures() / "peer-tokenizers" / (name + ".json"));
    for (const std::string text : {"\xff", "a\xe2\x82z", "\xed\xa0\x80", "<s>\xf0\x9f\x91", "e\xcc"}) {
      CHECK(tokenizer.encode(text) == tokenizer.encode(lm::utf8_replaced(text)));
    }
    CHECK(tokenizer.encode(std::string("a\0b", 3)).size() >= 3);
  }
}

TEST_CASE("a lone surrogate in tokenizer.json is an error of the file", "[tokenizer]") {
  const test::ScratchDirectory dir;
  test::write_text(dir.path() / "tokenizer.json",
                   R"({"model": {"type": "BPE", "vocab": {"\ud800": 0}, "merges": []}})");
  const std::string error = dir.error_of([&] { (void)Tokenizer::open(dir.path() / "tokenizer.json"); });
  CHECK(error.rfind("tokenizer.json is not valid JSON\n  where: DIR/tokenizer.json\n  why: ", 0) == 0);
  CHECK(error.find("surrogate") != error.npos);
}

TEST_CASE("normal forms are canonical: equivalent texts have one, and it is its own", "[tokenizer]") {
  using lm::normal_form;
  using lm::NormalForm;
  // UAX #15, tables 1 to 4 and figure 3.
  CHECK(normal_form("\u212b", NormalForm::composed) == "\u00c5");
  CHECK(normal_form("\u212b", NormalForm::decomposed) == "A\u030a");
  CHECK(normal_form("\u1e9b\u0323", NormalForm::composed) == "\u1e9b\u0323");
  CHECK(normal_form("\u1e9b\u0323", NormalForm::decomposed) == "\u017f\u0323\u0307");
  CHECK(normal_form("D\u0307\u0323", NormalForm::composed) == "\u1e0c\u0307");
  CHECK(normal_form("\u1100\u1161\u11a8", NormalForm::composed) == "\uac01");
  CHECK(normal_form("\u0915\u093c", NormalForm::composed) == "\u0915\u093c");  // excluded from composition
  CHECK(normal_form(std::string("e\0\u0301", 4), NormalForm::composed) == std::string("e\0\u0301", 4));
  CHECK(normal_form("", NormalForm::composed).empty());

  const Json rows = test::read_json(test::fixtures() / "peer-tokenizers/qwen2.ids.json");
  for (const Json& row : rows) {
    const std::string text = lm::utf8_replaced(bytes_of(row["bytes"].get<std::string>()));
    const std::string composed = normal_form(text, NormalForm::composed);
    const std::string decomposed = normal_form(text, NormalForm::decomposed);
    CHECK(normal_form(composed, NormalForm::composed) == composed);
    CHECK(normal_form(decomposed, NormalForm::decomposed) == decomposed);
    CHECK(normal_form(decomposed, NormalForm::composed) == composed);
    CHECK(normal_form(composed, NormalForm::decomposed) == decomposed);
  }
}

TEST_CASE("time grows about as the text does, whatever one long line is made of", "[tokenizer]") {
  const auto seconds = [](const Tokenizer& tokenizer, const std::string& text) {
    const std::clock_t start = std::clock();  // of this process: other programs do not count
    (void)tokenizer.encode(text);
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  for (const std::string name : {"qwen2", "mistral", "mistral-nemo", "rare-steps"}) {
    const auto tokenizer = Tokenizer::open(test::fixtures() / "peer-tokenizers" / (name + ".json"));
    for (const std::string part :
         {"a", "A", " ", "\n", " \n", "1", ".", "the", "漢", "👩‍", "\u0301\u0323", "<l>", "<", "\xff"}) {
      INFO(name << ", of " << Json(lm::utf8_replaced(part)));
      const std::string text = repeated(part, 10000);
      const double small = std::min({seconds(tokenizer, text), seconds(tokenizer, text), seconds(tokenizer, text)});
      // Thirty times the text: n log n takes some 40 times as long, 100 times where it leaves the cache, n^2 900 times.
      CHECK(seconds(tokenizer, repeated(part, 300000)) < 250 * small + 0.02);
    }
  }
}
