#include "lm/digest.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>

#include "lm/error.h"

namespace lowbit::lm {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string finish() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : digest) {
      text += kHex[byte / 16];
      text += kHex[byte % 16];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_of_text(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256_of_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  Sha256 hash;
  std::array<char, 65536> buffer{};
  while (in) {
    in.read(buffer.data(), buffer.size());
    hash.update({buffer.data(), static_cast<size_t>(in.gcount())});
  }
  if (!in.eof()) {
    throw Error(Status::bad_input, {.what = "cannot read " + file.filename().string(),
                                    .where = file.string(),
                                    .why = std::filesystem::exists(file) ? "reading it failed" : "no such file",
                                    .fix = "check the path and the permissions"});
  }
  return hash.finish();
}

}  // namespace lowbit::lm
