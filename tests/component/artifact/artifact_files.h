// Artifacts written by tests: a directory that goes when its object does, and what is said about its contents.
#pragma once

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "base/json.h"
#include "exec/artifact_check.h"

namespace lowbit::test {

class ArtifactFiles {
 public:
  ArtifactFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "lowbit-artifact-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ArtifactFiles() { std::filesystem::remove_all(path_); }
  ArtifactFiles(const ArtifactFiles&) = delete;
  ArtifactFiles& operator=(const ArtifactFiles&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void text(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  void json(const std::string& name, const Json& value) { text(name, value.dump()); }
  void lines(const std::string& name, const std::vector<Json>& records) {
    std::string all;
    for (const Json& record : records) all += record.dump() + "\n";
    text(name, all);
  }
  void remove(const std::string& name) { std::filesystem::remove(path_ / name); }

  struct Tensor {
    std::string name, dtype;
    std::vector<std::uint64_t> shape;
    std::string bytes;
  };
  /// `bytes` may be empty: zeros then. Sizes follow from dtype and shape for the dtypes the tests use.
  void safetensors(const std::string& name, const std::vector<Tensor>& tensors) {
    Json header = Json::object();
    std::string data;
    for (const Tensor& t : tensors) {
      std::uint64_t size = t.dtype == "U8" ? 1 : (t.dtype == "F16" || t.dtype == "BF16" ? 2 : 4);
      for (const std::uint64_t n : t.shape) size *= n;
      std::string bytes = t.bytes;
      bytes.resize(size);
      header[t.name] = {{"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {data.size(), data.size() + size}}};
      data += bytes;
    }
    const std::string head = header.dump();
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(head.size() >> (8 * i) & 0xFFU);
    text(name, length + head + data);
  }

  /// What check_artifact says, one problem a line; "ok" when there is none.
  [[nodiscard]] std::string problems(const std::string& type) const {
    const auto result = exec::check_artifact(type, path_);
    if (result.ok()) return "ok";
    std::string all;
    for (const Diagnostic& d : result.error()) all += (all.empty() ? "" : "\n") + d.what;
    return all;
  }

 private:
  std::filesystem::path path_;
};

inline Json prediction(const std::string& id) {
  return {{"item_id", id},   {"problem_id", id},       {"prompt_sha", std::string(64, 'a')},
          {"text", "so 4"},  {"steps", {"2 + 2 = 4"}}, {"extracted", "4"},
          {"correct", true}, {"n_tokens", 7},          {"truncated", false}};
}

inline Json verdict(const std::string& id) {
  return {{"item_id", id},
          {"judge", "reference"},
          {"first_error_step", 2},
          {"category", "execution"},
          {"type", "computational_error"},
          {"explanation", "2 + 2 is not 5"},
          {"confidence", nullptr},
          {"status", "error"},
          {"call_ids", Json::array()}};
}

}  // namespace lowbit::test
