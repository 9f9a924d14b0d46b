#include <catch2/catch.hpp>

#include "exec/safetensors_header.h"

using namespace lowbit;
using exec::Problems;

namespace {

/// The first problem of a file with this header and `data_bytes` bytes behind it, or "none".
std::string problem(const std::string& header, std::uint64_t data_bytes) {
  Problems problems;
  const auto tensors = exec::parse_safetensors_header(header, 8 + header.size() + data_bytes, "f", problems);
  CHECK(tensors.has_value() == problems.empty());
  return problems.empty() ? "none" : problems.shown().front();
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("a header whose tensors cover the data exactly is accepted", "[safetensors]") {
  const std::string header = R"({"__metadata__":{"format":"pt"},"b":)" + tensor("BF16", "[2,2]", "[12,20]") +
                             R"(,"a":)" + tensor("F32", "[3]", "[0,12]") + R"(,"empty":)" +
                             tensor("F32", "[0,5]", "[12,12]") + "}  ";
  Problems problems;
  const auto tensors = exec::parse_safetensors_header(header, 8 + header.size() + 20, "f", problems);
  REQUIRE(tensors);
  CHECK(tensors->size() == 3);
  CHECK(tensors->at("b").dtype == "BF16");
  CHECK(tensors->at("b").shape == std::vector<std::uint64_t>{2, 2});
  CHECK(tensors->at("a").begin == 8 + header.size());
  CHECK(tensors->at("b").end == 8 + header.size() + 20);
}

TEST_CASE("a file shorter or longer than its header says is refused", "[safetensors]") {
  const std::string header = R"({"a":)" + tensor("F32", "[3]", "[0,12]") + "}";
  const auto total = [&](std::uint64_t data) { return std::to_string(8 + header.size() + data); };
  CHECK(problem(header, 12) == "none");
  CHECK(problem(header, 11) ==
        "f: its header declares " + total(12) + " bytes, the file has " + total(11) + ": it was cut off");
  CHECK(problem(header, 13) == "f: its header declares " + total(12) + " bytes, the file has " + total(13));
}

TEST_CASE("overlapping tensors and gaps are refused", "[safetensors]") {
  const std::string first = R"({"a":)" + tensor("U8", "[4]", "[0,4]") + R"(,"b":)";
  const std::string overlap = first + tensor("U8", "[4]", "[2,6]") + "}";
  const std::string gap = first + tensor("U8", "[4]", "[6,10]") + "}";
  const auto at = [](const std::string& header, std::uint64_t n) { return std::to_string(8 + header.size() + n); };
  CHECK(problem(overlap, 6) == "f: tensor `b` starts at byte " + at(overlap, 2) +
                                   " of the file, but the tensor before it ends at byte " + at(overlap, 4));
  CHECK(problem(gap, 10) ==
        "f: tensor `b` starts at byte " + at(gap, 6) + " of the file, but the bytes are used up to byte " + at(gap, 4));
}

TEST_CASE("a tensor whose bytes do not fit its dtype and shape is refused", "[safetensors]") {
  CHECK(problem(R"({"a":)" + tensor("F32", "[2,3]", "[0,20]") + "}", 20) ==
        "f: tensor `a`, F32 [2,3], takes 24 bytes, but its data_offsets are [0,20]");
  CHECK(problem(R"({"a":)" + tensor("F32", "[2,3]", "[24,0]") + "}", 24) ==
        "f: tensor `a`, F32 [2,3], takes 24 bytes, but its data_offsets are [24,0]");
  // 2^62 * 4 * 4 bytes do not fit 64 bits: the product must not wrap around to a small number.
  CHECK(problem(R"({"a":)" + tensor("F32", "[4611686018427387904,4]", "[0,0]") + "}", 0) ==
        "f: tensor `a`, F32 [4611686018427387904,4], takes too many bytes, but its data_offsets are [0,0]");
}

TEST_CASE("what is not a tensor's description is refused", "[safetensors]") {
  CHECK(problem("[1]", 0) == "f: its header is not a JSON object");
  CHECK(problem(R"({"a":)", 0) == "f: its header is not a JSON object");
  CHECK(problem(R"({"a":)" + tensor("F33", "[1]", "[0,4]") + "}", 4) == "f: tensor `a` has the unknown dtype \"F33\"");
  CHECK(problem(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4) ==
        "f: tensor `a` needs dtype, shape and two data_offsets, found "
        R"({"data_offsets":[0,4],"dtype":"F32","shape":[-1]})");
  CHECK(problem(R"({"a":7})", 4) == "f: tensor `a` needs dtype, shape and two data_offsets, found 7");
}
