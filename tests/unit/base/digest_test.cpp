#include <catch2/catch.hpp>

#include "base/digest.h"

using lowbit::Digest;
using lowbit::Sha256;
using lowbit::sha256;

// FIPS 180-2, appendix B.1 and B.2.
TEST_CASE("sha256 gives the published digests", "[base]") {
  CHECK(sha256("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex() ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256("").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a text in pieces has the digest of the whole", "[base]") {
  Sha256 hash;
  hash.update(std::string_view("ab"));
  hash.update(std::string_view(""));
  hash.update(std::string_view("c"));
  CHECK(hash.finish() == sha256("abc"));
}

TEST_CASE("hexadecimal text is read back, anything else is not", "[base]") {
  const Digest digest = sha256("lowbit");
  CHECK(Digest::from_hex(digest.hex()) == digest);
  CHECK_FALSE(Digest::from_hex("ab"));
  CHECK_FALSE(Digest::from_hex(std::string(64, 'g')));
  CHECK_FALSE(Digest::from_hex(std::string(64, 'A')));
}
