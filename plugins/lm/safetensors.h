// Weights on disk: the safetensors format, and the Hugging Face convention of one file or several with an index.
//
//   const auto weights = lm::Checkpoint::open("models/llama");          // validates every header, reads no data
//   at::Tensor q = weights.tensor("model.layers.0.self_attn.q_proj.weight");
//
// Tensors are views of a read-only mapping, which they keep alive: clone one before writing into it.
// Thread rule: const members may be called from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lm/torch.h"

namespace lowbit::lm {

/// Where the bytes of one tensor are.
struct TensorEntry {
  std::string dtype;  ///< as written: "F32", "BF16", ...
  std::vector<int64_t> shape;
  uint64_t begin = 0;  ///< byte offset in the file
  uint64_t n_bytes = 0;
};

struct ActivationRules;

/// Something weights can be read from by their Hugging Face name. `tensor` throws Error{bad_input} for a name that is
/// not there.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;  ///< sorted
  [[nodiscard]] virtual bool contains(std::string_view name) const = 0;
  [[nodiscard]] virtual at::Tensor tensor(std::string_view name) const = 0;

  /// What the model rounds besides its weights, as long as this lives; null: nothing.
  [[nodiscard]] virtual const ActivationRules* activation_rules() const { return nullptr; }

  /// Gives mapped pages that were read back to the system. Tensors stay valid: what is read again is read from the file
  /// again.
  virtual void release() const {}
  /// release(), and what this process has freed goes back to the system too: for loops over blocks. Small allocations
  /// that stay come to lie between large ones that go, whose room then fits no block to come.
  void release_block() const;

  /// Bytes of all tensors as they are stored: codes with their scales and zeros, adapters with their base.
  [[nodiscard]] virtual int64_t stored_bytes() const = 0;
  /// Bits of one number of `name` as it is stored, scales and updates by an adapter not counted.
  [[nodiscard]] virtual int64_t code_bits(std::string_view name) const = 0;

 protected:
  WeightSource() = default;
  WeightSource(const WeightSource&) = default;
  WeightSource(WeightSource&&) = default;
  WeightSource& operator=(const WeightSource&) = default;
  WeightSource& operator=(WeightSource&&) = default;
};

/// One file. The header is checked whole before any tensor is handed out: a tensor's bytes match its shape, no two
/// tensors overlap, no bytes are left over, and the file ends where the header says.
class SafetensorsFile final : public WeightSource {
 public:
  /// Throws Error{bad_input}, or Error{resource} when the file cannot be opened.
  static SafetensorsFile open(const std::filesystem::path& file);

  [[nodiscard]] std::vector<std::string> names() const override;
  [[nodiscard]] bool contains(std::string_view name) const override;
  [[nodiscard]] at::Tensor tensor(std::string_view name) const override;
  [[nodiscard]] int64_t stored_bytes() const override;
  [[nodiscard]] int64_t code_bits(std::string_view name) const override;
  void release() const override;
  [[nodiscard]] const TensorEntry& entry(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  class Mapping;
  std::filesystem::path file_;
  std::shared_ptr<Mapping> mapping_;
  std::map<std::string, TensorEntry, std::less<>> entries_;
  std::map<std::string, std::string> metadata_;
};

/// Names of the files that hold a directory's weights, with their index where there is one.
/// REQUIRES: Checkpoint::open() takes the directory.
[[nodiscard]] std::set<std::string> weights_files(const std::filesystem::path& directory);

/// The weights of a Hugging Face directory: `model.safetensors`, or the files `model.safetensors.index.json` names.
/// Files of OPT that leave out the `model.` before `decoder.` are read as if it were there.
class Checkpoint final : public WeightSource {
 public:
  static Checkpoint open(const std::filesystem::path& directory);

  [[nodiscard]] std::vector<std::string> names() const override;
  [[nodiscard]] bool contains(std::string_view name) const override;
  [[nodiscard]] at::Tensor tensor(std::string_view name) const override;
  [[nodiscard]] int64_t stored_bytes() const override;
  [[nodiscard]] int64_t code_bits(std::string_view name) const override;
  void release() const override;
  [[nodiscard]] const TensorEntry& entry(std::string_view name) const;
  /// Number of files and the file that holds a tensor, as an index into them; for writing a model the way it was read.

 private:
  /// Where a tensor lies: its file and its name in there.
  struct Place {
    size_t file;
    std::string name;
  };
  [[nodiscard]] const Place& place_of(std::string_view name) const;
  void add(const std::string& name, size_t file);
  std::filesystem::path directory_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Place, std::less<>> places_;
};

using NamedTensors = std::map<std::string, at::Tensor, std::less<>>;

/// Writes the tensors (made contiguous, in their own dtype). The same tensors give the same bytes: wide dtypes come
/// first, so that all data is aligned, then names in order. Throws Error{resource} when the disk refuses.
void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

/// Writes `model.safetensors.index.json` for tensors spread over several files. `file_of`: tensor name -> file name.
void write_safetensors_index(const std::filesystem::path& directory, const std::map<std::string, std::string>& file_of,
                             uint64_t total_bytes);

}  // namespace lowbit::lm
