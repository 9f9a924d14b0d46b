#include "lm/quantized_model.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "lm/error.h"
#include "lm/files.h"
#include "lm/finite.h"
#include "lm/json_file.h"
#include "lm/packing.h"
#include "lm/tensor_names.h"

namespace lowbit::lm {
namespace {

using Json = nlohmann::json;

constexpr const char* kMarker = "quantization.json";

/// One entry of `linears`.
struct StoredGrid {
  int64_t m, n;
  int num_bits;
  int64_t group_width;  // of format nf4: weights of a block
  bool symmetric, actorder;
  bool nf4, double_quant;
};

/// Weights too large for the dtype of their scales would be stored as infinities.
void check_scales(const at::Tensor& scale, const std::string& linear) {
  const auto n_bad = at::isfinite(scale).logical_not().sum().item<int64_t>();
  if (n_bad == 0) return;
  throw Error(Status::numeric, {.what = "scales do not fit their dtype",
                                .where = linear,
                                .why = std::to_string(n_bad) + " of " + std::to_string(scale.numel()) +
                                       " are NaN or Inf as " + c10::toString(scale.scalar_type()),
                                .fix = "use scale_dtype bfloat16 or float32; if that is so, look for huge weights in "
                                       "the model"});
}

class QuantizedCheckpoint final : public QuantizedWeights {
 public:
  explicit QuantizedCheckpoint(const std::filesystem::path& directory)
      : file_(directory / kMarker), stored_(Checkpoint::open(directory)) {
    const Json json = read_json_file(file_);
    if (!json.is_object() || !json.contains("linears") || !json["linears"].is_object())
      malformed("it has no object linears");
    for (const auto& [module, entry] : json["linears"].items()) {
      try {
        StoredGrid grid{.m = entry.at("out_features").get<int64_t>(),
                        .n = entry.at("in_features").get<int64_t>(),
                        .num_bits = entry.at("num_bits").get<int>(),
                        .group_width = entry.at("group_size").get<int64_t>(),
                        .symmetric = entry.at("symmetric").get<bool>(),
                        .actorder = entry.at("actorder").get<bool>(),
                        .nf4 = entry.value("format", "affine") == "nf4",
                        .double_quant = entry.value("double_quant", false)};
        if (!grid.nf4 && entry.value("format", "affine") != "affine") {
          malformed("format of " + module + " is neither affine nor nf4");
        }
        if (grid.num_bits < 1 || grid.num_bits > 8) malformed("num_bits of " + module + " is not 1 to 8");
        if (!grid.nf4 && (grid.group_width == -1 || grid.group_width > grid.n)) grid.group_width = grid.n;
        if (grid.group_width < 1) malformed("group_size of " + module + " is neither -1 nor positive");
        grids_.emplace(module + ".weight", grid);
      } catch (const Json::exception& e) {
        malformed("linears." + module + ": " + e.what());
      }
    }
    if (json.contains("activations")) rules_ = read_activation_rules(json["activations"], file_.string());
    for (const std::string& name : stored_.names()) {
      if (!is_part(name)) names_.insert(name);
    }
    for (const auto& [name, grid] : grids_) names_.insert(name);
  }

  [[nodiscard]] std::vector<std::string> names() const override { return {names_.begin(), names_.end()}; }
  [[nodiscard]] bool contains(std::string_view name) const override { return names_.find(name) != names_.end(); }
  [[nodiscard]] at::Tensor tensor(std::string_view name) const override {
    const auto found = grids_.find(name);
    if (found == grids_.end()) return stored_.tensor(name);
    return std::visit([](const auto& matrix) { return dequantize(matrix); }, stored_linear(name));
  }
  [[nodiscard]] std::vector<std::string> linear_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, grid] : grids_) names.push_back(name);
    return names;
  }
  [[nodiscard]] StoredLinear stored_linear(std::string_view weight_name) const override {
    const auto found = grids_.find(weight_name);
    return found->second.nf4 ? StoredLinear(nf4(found->first, found->second))
                             : StoredLinear(affine(found->first, found->second));
  }
  [[nodiscard]] const ActivationRules* activation_rules() const override { return rules_ ? &*rules_ : nullptr; }
  void release() const override { stored_.release(); }
  [[nodiscard]] int64_t stored_bytes() const override { return stored_.stored_bytes(); }
  [[nodiscard]] int64_t code_bits(std::string_view name) const override {
    const auto grid = grids_.find(name);
    return grid == grids_.end() ? stored_.code_bits(name) : grid->second.num_bits;
  }

 private:
  [[noreturn]] void malformed(const std::string& why) const {
    throw Error(Status::bad_input, {.what = "malformed quantized-model/1",
                                    .where = file_.string(),
                                    .why = why,
                                    .fix = "quantize the model again"});
  }
  [[nodiscard]] at::Tensor part_of(const std::string& module, const char* suffix, at::IntArrayRef shape) const {
    at::Tensor tensor = stored_.tensor(module + suffix);
    if (tensor.sizes() != shape) malformed("tensor " + module + suffix + " does not have the shape of its grid");
    return tensor;
  }
  [[nodiscard]] QuantizedMatrix affine(const std::string& name, const StoredGrid& grid) const {
    const std::string module = module_of(name);
    const int64_t n_groups = (grid.n + grid.group_width - 1) / grid.group_width;
    const auto part = [&](const char* suffix, at::IntArrayRef shape) { return part_of(module, suffix, shape); };
    const auto codes_of = [&](const char* suffix, int64_t n) {
      return unpack(part(suffix, {grid.m, packed_bytes(n, grid.num_bits)}), grid.num_bits, n);
    };
    QuantizedMatrix matrix{.num_bits = grid.num_bits,
                           .symmetric = grid.symmetric,
                           .codes = codes_of(".codes", grid.n),
                           .scale = part(".scales", {grid.m, n_groups}),
                           .zero = grid.symmetric ? at::full({grid.m, n_groups}, 1 << (grid.num_bits - 1), at::kByte)
                                                  : codes_of(".zeros", n_groups),
                           .group_index = {},
                           .group_width = grid.group_width};
    if (grid.actorder) {
      matrix.group_index = part(".groups", {grid.n});
      if (matrix.group_index.min().item<int64_t>() < 0 || matrix.group_index.max().item<int64_t>() >= n_groups) {
        malformed("tensor " + module + ".groups names a group that does not exist");
      }
    }
    return matrix;
  }
  [[nodiscard]] Nf4Matrix nf4(const std::string& name, const StoredGrid& grid) const {
    const std::string module = module_of(name);
    const int64_t n_weights = grid.m * grid.n;
    const int64_t n_blocks = (n_weights + grid.group_width - 1) / grid.group_width;
    const at::Tensor packed = part_of(module, ".codes", {packed_bytes(n_weights, 4)});
    Nf4Matrix matrix{.block_size = grid.group_width,
                     .codes = unpack(packed.unsqueeze(0), 4, n_weights).view({grid.m, grid.n}),
                     .absmax = part_of(module, ".absmax", {n_blocks}),
                     .nested_absmax = {},
                     .offset = {}};
    if (matrix.absmax.scalar_type() != (grid.double_quant ? at::kByte : at::kFloat)) {
      malformed("tensor " + module + ".absmax does not have the dtype of its format");
    }
    if (grid.double_quant) {
      matrix.nested_absmax = part_of(module, ".nested_absmax", {(n_blocks + kNestedBlock - 1) / kNestedBlock});
      matrix.offset = part_of(module, ".offset", {1});
    }
    return matrix;
  }
  [[nodiscard]] bool is_part(const std::string& name) const {
    const size_t dot = name.rfind('.');
    static const std::set<std::string, std::less<>> kParts{"codes",  "scales",        "zeros", "groups",
                                                           "absmax", "nested_absmax", "offset"};
    return dot != name.npos && kParts.count(name.substr(dot + 1)) > 0 &&
           grids_.count(name.substr(0, dot) + ".weight") > 0;
  }

  std::filesystem::path file_;
  Checkpoint stored_;
  std::map<std::string, StoredGrid, std::less<>> grids_;  // by the name of the weight they stand for
  std::set<std::string, std::less<>> names_;
  std::optional<ActivationRules> rules_;
};

// What a model directory holds beside its weights.
constexpr std::array<const char*, 9> kCompanions{
    "config.json",       "generation_config.json",  "tokenizer.json",      "tokenizer_config.json", "tokenizer.model",
    "added_tokens.json", "special_tokens_map.json", "chat_template.jinja", "chat_template.json"};

}  // namespace

void copy_companions(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (const char* name : kCompanions) {
    if (std::filesystem::exists(from / name)) copy_into(from / name, to / name);
  }
}

std::unique_ptr<QuantizedWeights> open_quantized(const std::filesystem::path& directory) {
  return std::make_unique<QuantizedCheckpoint>(directory);
}

std::unique_ptr<WeightSource> open_weights(const std::filesystem::path& directory) {
  if (std::filesystem::exists(directory / kMarker)) return std::make_unique<QuantizedCheckpoint>(directory);
  return std::make_unique<Checkpoint>(Checkpoint::open(directory));
}

QuantizedModelWriter::QuantizedModelWriter(std::filesystem::path source, std::filesystem::path directory,
                                           const Checkpoint& weights, ModelConfig config, Options options)
    : source_(std::move(source)),
      directory_(std::move(directory)),
      weights_(weights),
      config_(std::move(config)),
      options_(std::move(options)) {}

std::string QuantizedModelWriter::file_name(int64_t index) const {
  std::array<char, 80> name{};
  (void)std::snprintf(name.data(), name.size(), "model-%05lld-of-%05lld.safetensors", static_cast<long long>(index) + 1,
                      static_cast<long long>(config_.n_blocks) + 1);
  return name.data();
}

void QuantizedModelWriter::write_file(const std::string& name, const NamedTensors& tensors) {
  write_safetensors(directory_ / name, tensors);
  for (const auto& [tensor_name, tensor] : tensors) {
    file_of_[tensor_name] = name;
    n_bytes_ += tensor.nbytes();
  }
}

void QuantizedModelWriter::add(int64_t block, Linear linear, const QuantizedMatrix& matrix,
                               const at::Tensor& original) {
  check_scales(matrix.scale, linear_name(config_, block, linear));
  const std::string module = module_of(linear_name(config_, block, linear));
  const int64_t m = matrix.codes.size(0);
  const int64_t n = matrix.codes.size(1);
  linears_[module] = {{"out_features", m},
                      {"in_features", n},
                      {"num_bits", matrix.num_bits},
                      {"group_size", matrix.group_width == n ? -1 : matrix.group_width},
                      {"symmetric", matrix.symmetric},
                      {"actorder", matrix.group_index.defined()}};
  block_tensors_[module + ".codes"] = pack(matrix.codes, matrix.num_bits);
  block_tensors_[module + ".scales"] = matrix.scale;
  if (!matrix.symmetric) block_tensors_[module + ".zeros"] = pack(matrix.zero, matrix.num_bits);
  if (matrix.group_index.defined()) block_tensors_[module + ".groups"] = matrix.group_index;
  count(dequantize(matrix), original, stored_bits(matrix));
}

void QuantizedModelWriter::add(int64_t block, Linear linear, const Nf4Matrix& matrix, const at::Tensor& original) {
  const std::string module = module_of(linear_name(config_, block, linear));
  linears_[module] = {{"format", "nf4"},
                      {"out_features", matrix.codes.size(0)},
                      {"in_features", matrix.codes.size(1)},
                      {"num_bits", 4},
                      {"group_size", matrix.block_size},
                      {"double_quant", matrix.double_quant()},
                      {"symmetric", true},
                      {"actorder", false}};
  block_tensors_[module + ".codes"] = pack(matrix.codes.view({1, -1}), 4).view({-1});
  block_tensors_[module + ".absmax"] = matrix.absmax;
  if (matrix.double_quant()) {
    block_tensors_[module + ".nested_absmax"] = matrix.nested_absmax;
    block_tensors_[module + ".offset"] = matrix.offset;
  }
  count(dequantize(matrix), original, stored_bits(matrix));
}

void QuantizedModelWriter::count(const at::Tensor& dequantized, const at::Tensor& original, int64_t n_bits) {
  const at::Tensor w = original.to(at::kFloat);
  totals_.squared_error += (dequantized - w).square().sum(at::kDouble).item<double>();
  totals_.squared_norm += w.square().sum(at::kDouble).item<double>();
  totals_.n_weights += w.numel();
  totals_.n_bits += n_bits;
}

void QuantizedModelWriter::finish_block(int64_t block, const NamedTensors& replaced) {
  for (const std::string& name : vector_names(config_, block)) {
    const auto changed = replaced.find(name);
    const at::Tensor& tensor = block_tensors_[name] =
        changed == replaced.end() ? weights_.tensor(name) : changed->second;
    check_finite(tensor, name);
  }
  write_file(file_name(block + 1), block_tensors_);
  block_tensors_.clear();
  weights_.release_block();
  n_finished_ = block + 1;
}

QuantizedModelWriter::Totals QuantizedModelWriter::finish() {
  NamedTensors rest;
  for (const std::string& name : outer_tensors(config_)) {
    rest[name] = weights_.tensor(name);
    check_finite(rest[name], name);
  }
  write_file(file_name(0), rest);
  write_safetensors_index(directory_, file_of_, n_bytes_);
  copy_companions(source_, directory_);
  Json json{{"method", options_.method},
            {"num_bits", options_.grid.num_bits},
            {"group_size", options_.grid.group_size},
            {"symmetric", options_.grid.symmetric},
            {"linears", linears_}};
  if (!options_.activations.empty()) json["activations"] = to_json(options_.activations);
  write_json_file(directory_ / kMarker, json);
  return totals_;
}

void QuantizedModelWriter::save(const std::filesystem::path& directory) const {
  for (int64_t block = 0; block < n_finished_; ++block)
    link_or_copy(directory_ / file_name(block + 1), directory / file_name(block + 1));
  write_json_file(directory / "writer.json", {{"n_finished", n_finished_},
                                              {"linears", linears_},
                                              {"file_of", file_of_},
                                              {"n_bytes", n_bytes_},
                                              {"squared_error", totals_.squared_error},
                                              {"squared_norm", totals_.squared_norm},
                                              {"n_weights", totals_.n_weights},
                                              {"n_bits", totals_.n_bits}});
}

int64_t QuantizedModelWriter::restore(const std::filesystem::path& directory) {
  const Json json = read_json_file(directory / "writer.json");
  n_finished_ = json.at("n_finished").get<int64_t>();
  linears_ = json.at("linears");
  file_of_ = json.at("file_of").get<std::map<std::string, std::string>>();
  n_bytes_ = json.at("n_bytes").get<uint64_t>();
  totals_ = {.squared_error = json.at("squared_error").get<double>(),
             .squared_norm = json.at("squared_norm").get<double>(),
             .n_weights = json.at("n_weights").get<int64_t>(),
             .n_bits = json.at("n_bits").get<int64_t>()};
  for (int64_t block = 0; block < n_finished_; ++block)
    link_or_copy(directory / file_name(block + 1), directory_ / file_name(block + 1));
  return n_finished_;
}

void copy_with_rules(const std::filesystem::path& source, const std::filesystem::path& directory,
                     const ActivationRules& rules, const std::function<void()>& tick) {
  std::set<std::string> files = weights_files(source);
  for (const char* name : kCompanions) {
    if (std::filesystem::exists(source / name)) files.insert(name);
  }
  for (const std::string& file : files) {
    copy_in_parts(source / file, directory / file, tick);
    if (std::filesystem::path(file).extension() != ".safetensors") continue;
    const auto stored = SafetensorsFile::open(directory / file);
    for (const std::string& name : stored.names()) {
      if (tick) tick();
      if (const at::Tensor tensor = stored.tensor(name); tensor.is_floating_point()) check_finite(tensor, name);
      stored.release_block();
    }
  }
  Json json = std::filesystem::exists(source / kMarker) ? read_json_file(source / kMarker)
                                                        : Json{{"method", "none"},
                                                               {"num_bits", 16},
                                                               {"group_size", -1},
                                                               {"symmetric", true},
                                                               {"linears", Json::object()}};
  json["activations"] = to_json(rules);
  write_json_file(directory / kMarker, json);
}

}  // namespace lowbit::lm
