// token_ids TOKENIZER < lines: for each line, a text's bytes in hexadecimal, the JSON {"ids": [...], "text": "..."} of
// its ids without the template's tokens and of what they decode to, special tokens shown. For peer_tokenizers.py.
#include <iostream>
#include <string>

#include "lm/tokenizer.h"
#include "nlohmann/json.hpp"

namespace {

std::string bytes_of(const std::string& hexadecimal) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) try {
  using lowbit::lm::Tokenizer;
  if (argc != 2) {
    std::cerr << "usage: token_ids TOKENIZER < lines\n";
    return 2;
  }
  const auto tokenizer = Tokenizer::open(argv[1]);
  for (std::string line; std::getline(std::cin, line);) {
    const auto ids = tokenizer.encode(bytes_of(line), Tokenizer::Special::skip);
    const nlohmann::json answer{{"ids", ids}, {"text", tokenizer.decode(ids, Tokenizer::Show::special_too)}};
    std::cout << answer.dump() << '\n';
  }
  return 0;
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
