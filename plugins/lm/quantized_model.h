// A model whose linears are packed codes: quantized-model/1 (docs/artifacts.md), written block by block and read like
// any other weights.
//
//   lm::QuantizedModelWriter out(source, directory, config, {.method = "rtn", .grid = grid});
//   for each block: for each linear: out.add(block, linear, lm::quantize_rtn(w, grid), w);  then
//   out.finish_block(block); lm::QuantizedModelWriter::Totals totals = out.finish();
//
//   const auto weights = lm::open_weights(directory);   // plain or quantized: linears come out dequantized, fp32
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "lm/activations.h"
#include "lm/grid.h"
#include "lm/model.h"
#include "lm/nf4.h"
#include "lm/safetensors.h"

namespace lowbit::lm {

/// Weights of a model directory of either type, told apart by quantization.json. Throws Error{bad_input}.
[[nodiscard]] std::unique_ptr<WeightSource> open_weights(const std::filesystem::path& directory);

/// Copies what a model directory holds beside its weights: configuration and tokenizer. Throws Error{resource}.
void copy_companions(const std::filesystem::path& from, const std::filesystem::path& to);

/// A linear as quantized-model/1 stores it: format affine or nf4.
using StoredLinear = std::variant<QuantizedMatrix, Nf4Matrix>;

/// A quantized-model/1, whose linears can be had as they are stored too.
class QuantizedWeights : public WeightSource {
 public:
  /// Names of the weights that are stored as codes, sorted.
  [[nodiscard]] virtual std::vector<std::string> linear_names() const = 0;
  /// REQUIRES: `weight_name` is one of linear_names(). Throws Error{bad_input} when its tensors do not fit.
  [[nodiscard]] virtual StoredLinear stored_linear(std::string_view weight_name) const = 0;
};
/// Throws Error{bad_input}.
[[nodiscard]] std::unique_ptr<QuantizedWeights> open_quantized(const std::filesystem::path& directory);

class QuantizedModelWriter {
 public:
  struct Options {
    std::string method;
    GridOptions grid;             ///< asked for; what counts is each layer's own
    ActivationRules activations;  ///< may be empty; see set_activations()
  };
  /// `source`: the model directory that is quantized; its configuration and tokenizer are copied. All must outlive
  /// this.
  QuantizedModelWriter(std::filesystem::path source, std::filesystem::path directory, const Checkpoint& weights,
                       ModelConfig config, Options options);

  /// REQUIRES: each linear of a block once, then finish_block(), blocks in order.
  void add(int64_t block, Linear linear, const QuantizedMatrix& matrix, const at::Tensor& original);
  void add(int64_t block, Linear linear, const Nf4Matrix& matrix, const at::Tensor& original);
  /// `replaced`: norms and biases that a method has changed, by their names; the others are copied. Throws
  /// Error{numeric} when one is not finite.
  void finish_block(int64_t block, const NamedTensors& replaced = {});
  /// For rules that are only known once all blocks are done.
  void set_activations(ActivationRules rules) { options_.activations = std::move(rules); }

  struct Totals {
    double squared_error = 0, squared_norm = 0;  ///< of all quantized weights
    int64_t n_weights = 0, n_bits = 0;           ///< bits as stored
    [[nodiscard]] double nmse() const { return squared_error / squared_norm; }
    [[nodiscard]] double bits_per_weight() const {
      return static_cast<double>(n_bits) / static_cast<double>(n_weights);
    }
  };
  /// Writes what is not quantized, the index and quantization.json.
  Totals finish();

  // Going on after a stop: what has been written is kept in `directory` and taken up by a new writer.
  /// Copies (or links) the finished blocks and the state of the totals.
  void save(const std::filesystem::path& directory) const;
  /// Takes up what save() kept; returns the number of finished blocks.
  int64_t restore(const std::filesystem::path& directory);

 private:
  /// File 0 holds what belongs to no block, file i + 1 block i.
  [[nodiscard]] std::string file_name(int64_t index) const;
  void write_file(const std::string& name, const NamedTensors& tensors);
  void count(const at::Tensor& dequantized, const at::Tensor& original, int64_t n_bits);

  std::filesystem::path source_, directory_;
  const Checkpoint& weights_;
  ModelConfig config_;
  Options options_;
  NamedTensors block_tensors_;
  int64_t n_finished_ = 0;
  nlohmann::json linears_ = nlohmann::json::object();
  std::map<std::string, std::string> file_of_;  // tensor name -> file name
  uint64_t n_bytes_ = 0;
  Totals totals_;
};

/// Writes the model in `source`, of either type, with its weights as they are, as quantized-model/1 under `rules`.
/// Copies: a model that somebody may edit in place does not share files with what is written. `tick`: called every few
/// megabytes, may throw to cancel. Throws Error{bad_input, numeric, resource}.
void copy_with_rules(const std::filesystem::path& source, const std::filesystem::path& directory,
                     const ActivationRules& rules, const std::function<void()>& tick = {});

}  // namespace lowbit::lm
