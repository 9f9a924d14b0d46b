#include "lm/safetensors.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "numerics/support/files.h"

using namespace lowbit;
using lm::Checkpoint;
using lm::SafetensorsFile;

namespace {

/// A file with this header text and so many zero bytes of data.
std::string file_bytes(const std::string& header, size_t n_data) {
  const uint64_t n = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &n, 8);
  return bytes + header + std::string(n_data, '\0');
}

std::string error_of_bytes(const std::string& bytes) {
  const test::ScratchDirectory dir;
  test::write_text(dir.path() / "w", bytes);
  return dir.error_of([&] { (void)SafetensorsFile::open(dir.path() / "w"); });
}

std::string malformed(const std::string& why) {
  return "malformed safetensors file\n  where: DIR/w\n  why: " + why +
         "\n  fix: copy or download the file again, or export the model anew";
}

}  // namespace

TEST_CASE("tensors of every dtype are written and read back bit for bit", "[safetensors]") {
  const test::ScratchDirectory dir;
  const at::Tensor base = at::arange(-6, 6, at::kFloat).view({3, 4}) * 0.37;
  lm::NamedTensors tensors;
  for (const auto dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                           at::kChar, at::kByte, at::kBool}) {
    tensors[std::string("t.") + c10::toString(dtype)] = base.abs().to(dtype);
  }
  tensors["transposed"] = base.t();
  tensors["empty"] = at::empty({0, 7}, at::kFloat);
  tensors["scalar"] = at::tensor(2.5F).view(at::IntArrayRef{});
  lm::write_safetensors(dir.path() / "w", tensors, {{"format", "pt"}, {"note", "x"}});

  const auto file = SafetensorsFile::open(dir.path() / "w");
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}, {"note", "x"}});
  REQUIRE(file.names().size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    const at::Tensor read = file.tensor(name);
    CHECK(read.scalar_type() == tensor.scalar_type());
    CHECK(read.sizes() == tensor.sizes());
    CHECK(at::equal(read, tensor));
  }

  lm::write_safetensors(dir.path() / "again", tensors, {{"format", "pt"}, {"note", "x"}});
  CHECK(test::read_text(dir.path() / "w") == test::read_text(dir.path() / "again"));
}

TEST_CASE("a tensor keeps its mapping alive after the file object is gone", "[safetensors]") {
  const test::ScratchDirectory dir;
  lm::write_safetensors(dir.path() / "w", {{"a", at::arange(5, at::kFloat)}});
  const at::Tensor tensor = SafetensorsFile::open(dir.path() / "w").tensor("a");
  CHECK(tensor.sum().item<float>() == 10);
}

TEST_CASE("data that is not aligned is read through a copy", "[safetensors]") {
  const test::ScratchDirectory dir;
  const std::string header =
      R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})";
  std::string bytes = file_bytes(header, 9);
  const float values[2] = {1.5F, -2.0F};
  std::memcpy(bytes.data() + bytes.size() - 8, values, 8);
  test::write_text(dir.path() / "w", bytes);
  CHECK(at::equal(SafetensorsFile::open(dir.path() / "w").tensor("f"), at::tensor({1.5F, -2.0F})));
}

TEST_CASE("a file cut at any byte is refused", "[safetensors]") {
  const test::ScratchDirectory dir;
  lm::write_safetensors(dir.path() / "w", {{"a", at::arange(5, at::kFloat)}, {"b", at::ones({2, 2}, at::kHalf)}});
  const std::string whole = test::read_text(dir.path() / "w");
  for (size_t n = 0; n < whole.size(); ++n) {
    test::write_text(dir.path() / "cut", whole.substr(0, n));
    INFO("first " << n << " of " << whole.size() << " bytes");
    CHECK_THROWS_AS(SafetensorsFile::open(dir.path() / "cut"), lm::Error);
  }
  test::write_text(dir.path() / "cut", whole + '\0');
  CHECK_THROWS_AS(SafetensorsFile::open(dir.path() / "cut"), lm::Error);
}

TEST_CASE("a malformed header is refused with the reason", "[safetensors]") {
  const auto error_of_header = [](const std::string& header, size_t n_data) {
    return error_of_bytes(file_bytes(header, n_data));
  };
  CHECK(error_of_bytes("abc") == malformed("the file has 3 bytes, too few for a header"));
  CHECK(error_of_bytes(std::string("\x40\0\0\0\0\0\0\0{}", 10)) ==
        malformed("the header claims 64 bytes, the file has 10 in all (truncated?)"));
  CHECK(error_of_bytes(std::string(8, '\xFF')) ==
        malformed("the header claims 18446744073709551615 bytes, the file has 8 in all (truncated?)"));
  CHECK(error_of_header("[]", 0) == malformed("the header is not a JSON object"));
  CHECK(
      error_of_header(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
          4) == malformed("the header is not valid JSON: key \"a\" appears twice"));
  CHECK(error_of_header(R"({"a":{"dtype":"F32","shape":[1]}})", 4) ==
        malformed("tensor a: its header entry has no data_offsets"));
  CHECK(error_of_header(R"({"a":{"dtype":"F12","shape":[1],"data_offsets":[0,4]}})", 4) ==
        malformed("tensor a: dtype F12 is unknown"));
  CHECK(error_of_header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4) ==
        malformed("tensor a: shape [-1] is not a list of sizes"));
  CHECK(error_of_header(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8) ==
        malformed("tensor a: shape [3] of F32 takes 12 bytes, data_offsets are [0,8]"));
  CHECK(error_of_header(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0) ==
        malformed("tensor a: shape [4611686018427387904,4] of F32 takes too many bytes, data_offsets are [0,0]"));
  CHECK(error_of_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4) ==
        malformed("tensor a: its data ends at byte 8 of the data section, the file holds 4 (truncated?)"));
  CHECK(
      error_of_header(
          R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
          6) == malformed("tensors a and b overlap"));
  CHECK(
      error_of_header(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})",
          6) == malformed("bytes 2 to 4 of the data section belong to no tensor"));
  CHECK(error_of_header(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 6) ==
        malformed("the tensors end at byte 2 of the data section, the file holds 6"));
}

TEST_CASE("a dtype that libtorch cannot hold is refused when it is read, not before", "[safetensors]") {
  const test::ScratchDirectory dir;
  test::write_text(
      dir.path() / "w",
      file_bytes(
          R"({"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
          3));
  const auto file = SafetensorsFile::open(dir.path() / "w");
  CHECK(file.tensor("b").numel() == 1);
  CHECK(dir.error_of([&] { (void)file.tensor("a"); }) ==
        "tensor a has a dtype that is not supported\n  where: DIR/w\n  why: it is F8_E4M3\n"
        "  fix: export the model in F32, F16 or BF16");
}

TEST_CASE("a directory is read through its index, or as one file", "[safetensors]") {
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([&] { (void)Checkpoint::open(dir.path()); }) ==
        "no weights found\n  where: DIR\n  why: it has neither model.safetensors nor model.safetensors.index.json\n"
        "  fix: name a Hugging Face model directory; convert pytorch_model.bin to safetensors first");
  lm::write_safetensors(dir.path() / "one.safetensors", {{"a", at::ones({2})}});
  lm::write_safetensors(dir.path() / "two.safetensors", {{"b", at::zeros({3})}});
  lm::write_safetensors_index(dir.path(), {{"a", "one.safetensors"}, {"b", "two.safetensors"}}, 20);
  const auto weights = Checkpoint::open(dir.path());
  CHECK(weights.names() == std::vector<std::string>{"a", "b"});
  CHECK(weights.tensor("b").numel() == 3);
  CHECK(dir.error_of([&] { (void)weights.tensor("c"); }) ==
        "tensor c is missing\n  where: DIR\n  why: no weights file holds it\n"
        "  fix: check that all files of the model were copied and that config.json fits them");

  const auto index_error = [&](const std::string& json) {
    test::write_text(dir.path() / "model.safetensors.index.json", json);
    return dir.error_of([&] { (void)Checkpoint::open(dir.path()); });
  };
  const auto bad_index = [](const std::string& why) {
    return "malformed index of weights files\n  where: DIR/model.safetensors.index.json\n  why: " + why +
           "\n  fix: copy or download the model again";
  };
  CHECK(index_error("{}") == bad_index("it has no object weight_map"));
  CHECK(index_error(R"({"weight_map":{"b":"one.safetensors"}})") == bad_index("tensor b is not in one.safetensors"));
  CHECK(index_error(R"({"weight_map":{"b":"../one.safetensors"}})") ==
        bad_index("the file of tensor b, \"../one.safetensors\", is not a plain file name"));
  CHECK(index_error(R"({"weight_map":{"b":"three.safetensors"}})") ==
        bad_index("it says that three.safetensors holds tensor b, and there is no such file"));
  test::write_text(dir.path() / "model.safetensors.index.json",
                   R"({"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})");
  lm::write_safetensors(dir.path() / "two.safetensors", {{"b", at::zeros({3})}, {"left_out", at::zeros({3})}});
  const auto incomplete = Checkpoint::open(dir.path());
  CHECK(dir.error_of([&] { (void)incomplete.tensor("left_out"); }) ==
        "tensor left_out is missing\n  where: DIR/model.safetensors.index.json\n"
        "  why: a weights file holds it, the index does not\n"
        "  fix: check that all files of the model were copied and that config.json fits them");
}

TEST_CASE("a full disk is reported, not swallowed", "[safetensors]") {
  if (!std::filesystem::exists("/dev/full")) {
    WARN("skipped: no /dev/full");
    return;
  }
  const test::ScratchDirectory dir;
  CHECK(dir.error_of([] {
    lm::write_safetensors("/dev/full", {{"a", at::ones({4})}});
  }) == "cannot write a weights file\n  where: /dev/full\n  why: the file system refused 16 bytes of data\n"
        "  fix: free disk space or check the permissions, then run the same command again");
}

TEST_CASE("files that others wrote are read", "[safetensors]") {
  if (const auto dir = test::shared_data("models/arith-random-bf16")) {
    const auto weights = Checkpoint::open(*dir);
    const at::Tensor q = weights.tensor("model.layers.0.self_attn.q_proj.weight");
    CHECK(q.scalar_type() == at::kBFloat16);
    CHECK(q.sizes() == at::IntArrayRef{128, 128});
    // Random initialization with standard deviation 0.02; 16,384 draws: s.d. of the estimate 0.02 / sqrt(2 * 16384)
    // = 1.1e-4.
    CHECK(q.to(at::kFloat).std().item<float>() == Approx(0.02).margin(6e-4));
  }
  if (const auto dir = test::shared_data("cases/hadamard")) {
    const auto file = SafetensorsFile::open(*dir / "hadamards.safetensors");
    for (const std::string& name : file.names()) {
      INFO(name);
      const at::Tensor h = file.tensor(name).to(at::kDouble);
      const auto n = h.size(0);
      CHECK(at::equal(h.mm(h.t()), at::eye(n, at::kDouble) * static_cast<double>(n)));
    }
  }
}
