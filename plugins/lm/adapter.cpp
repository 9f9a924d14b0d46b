#include "lm/adapter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lm/error.h"
#include "lm/json_file.h"

namespace lowbit::lm {
namespace {

using Json = nlohmann::json;

constexpr const char* kConfigFile = "adapter_config.json";
constexpr const char* kTensorFile = "adapter_model.safetensors";
constexpr const char* kBaseFile = "base.json";
const std::string kPrefix = "base_model.model.";
const std::string kA = ".lora_A.weight";
const std::string kB = ".lora_B.weight";
const std::string kRows = ".token_adapter.trainable_tokens_delta";  // whole rows, in spite of the name
const std::string kWeight = ".weight";
const std::string kEmbedding = ".embed_tokens";  // last part of a module's name
const std::string kHead = "lm_head";
constexpr const char* kTying = "ensure_weight_tying";

[[noreturn]] void malformed_adapter(const std::filesystem::path& where, const std::string& why) {
  throw Error(Status::bad_input, {.what = "malformed adapter",
                                  .where = where.string(),
                                  .why = why,
                                  .fix = "copy the adapter again, or train it anew"});
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Keys whose values must be absent, null, or one of those that change nothing.
void refuse_unsupported(const Json& json, const std::filesystem::path& file) {
  const std::pair<const char*, std::vector<Json>> plain[] = {
      {"use_dora", {false}},
      {"use_rslora", {false}},
      {"fan_in_fan_out", {false}},
      {"bias", {"none"}},
      {"rank_pattern", {Json::object()}},
      {"alpha_pattern", {Json::object()}},
      {"lora_bias", {false}},
      {"layer_replication", {}},
      {"target_parameters", {Json::array()}},
      {"alora_invocation_tokens", {}},
      {"use_qalora", {false}},
      {"arrow_config", {}},
  };
  const auto refuse = [&](const std::string& key, const Json& value) {
    throw Error(Status::bad_input, {.what = key + " = " + value.dump() + " is not supported",
                                    .where = file.string(),
                                    .why = "only plain LoRA updates, trained token rows and whole embedding and output "
                                           "matrices are implemented",
                                    .fix = "train the adapter without it"});
  };
  for (const auto& [key, accepted] : plain) {
    const Json value = json.value(key, Json());
    if (!value.is_null() && std::find(accepted.begin(), accepted.end(), value) == accepted.end()) refuse(key, value);
  }
  const Json saved = json.value("modules_to_save", Json());
  if (saved.is_null()) return;
  for (const Json& module : saved) {
    const auto name = module.get<std::string>();
    if (name != kEmbedding.substr(1) && !ends_with(name, kEmbedding) && name != kHead) refuse("modules_to_save", saved);
  }
}

/// trainable_token_indices: a list (the embedding's), or an object from module name to list.
std::vector<int64_t> token_ids_of(const Json& json, const std::filesystem::path& file) {
  if (json.is_null()) return {};
  if (json.is_array()) return json.get<std::vector<int64_t>>();
  std::vector<int64_t> ids;
  for (const auto& [module, list] : json.items()) {
    const auto these = list.get<std::vector<int64_t>>();
    if (!ids.empty() && ids != these) malformed_adapter(file, "trainable_token_indices differ between modules");
    ids = these;
  }
  return ids;
}

class AdaptedWeights final : public WeightSource {
 public:
  AdaptedWeights(std::unique_ptr<WeightSource> base, Adapter adapter, std::optional<bool> base_is_tied)
      : base_(std::move(base)), adapter_(std::move(adapter)) {
    for (const auto& [name, update] : adapter_.updates) {
      const auto shape = shape_of(name);
      if (shape != std::vector<int64_t>{update.b.size(0), update.a.size(1)}) {
        misfit(name, "the update is " + std::to_string(update.b.size(0)) + " x " + std::to_string(update.a.size(1)));
      }
    }
    for (const auto& [name, matrix] : whole()) {
      if (shape_of(name) != matrix.sizes().vec()) misfit(name, "its matrix has another shape");
    }
    check_tying(base_is_tied);
    for (const auto& [name, rows] : replaced()) {
      const auto shape = shape_of(name);
      if (shape.size() != 2 || shape[1] != rows.size(1)) misfit(name, "its rows have another width");
      for (const int64_t id : adapter_.token_ids) {
        if (id < 0 || id >= shape[0]) misfit(name, "it has no row " + std::to_string(id));
      }
    }
  }

  [[nodiscard]] std::vector<std::string> names() const override { return base_->names(); }
  [[nodiscard]] bool contains(std::string_view name) const override { return base_->contains(name); }
  [[nodiscard]] at::Tensor tensor(std::string_view name) const override {
    const at::Tensor weight = base_->tensor(name);
    const auto update = adapter_.updates.find(name);
    if (update != adapter_.updates.end()) {
      return at::addmm(weight.to(at::kFloat), update->second.b, update->second.a, 1, adapter_.scale());
    }
    for (const auto& [whole_name, matrix] : whole()) {
      if (name == whole_name) return matrix;
    }
    for (const auto& [replaced_name, rows] : replaced()) {
      if (name == replaced_name) {
        return weight.to(at::kFloat).index_copy(0, at::tensor(adapter_.token_ids, at::kLong), rows);
      }
    }
    return weight;
  }
  [[nodiscard]] const ActivationRules* activation_rules() const override { return base_->activation_rules(); }
  void release() const override { base_->release(); }
  [[nodiscard]] int64_t stored_bytes() const override { return base_->stored_bytes() + adapter_.n_bytes(); }
  [[nodiscard]] int64_t code_bits(std::string_view name) const override { return base_->code_bits(name); }

 private:
  /// Matrices that stand in the base's place; a head that some files of tied models hold too is one of them.
  [[nodiscard]] NamedTensors whole() const {
    NamedTensors matrices;
    if (adapter_.embedding_matrix.defined()) matrices[adapter_.embedding + kWeight] = adapter_.embedding_matrix;
    const bool has_head = base_->contains(kHead + kWeight);
    if (has_head && adapter_.head_matrix.defined()) matrices[kHead + kWeight] = adapter_.head_matrix;
    if (has_head && adapter_.is_tied) matrices[kHead + kWeight] = adapter_.embedding_matrix;
    return matrices;
  }
  /// One matrix stays one, two stay two: otherwise a reader of config.json would lose one of them without a word.
  void check_tying(std::optional<bool> known) const {
    if (!adapter_.embedding_matrix.defined() && !adapter_.head_matrix.defined()) return;
    const std::string head = kHead + kWeight;
    const std::string embedding = adapter_.embedding + kWeight;
    const bool base_is_tied =
        !base_->contains(head) || known.value_or(at::equal(base_->tensor(head), base_->tensor(embedding)));
    const bool is_one = adapter_.embedding_matrix.defined() && adapter_.head_matrix.defined() &&
                        at::equal(adapter_.head_matrix, adapter_.embedding_matrix);
    if (base_is_tied && adapter_.head_matrix.defined() && !is_one) {
      misfit(head, "it was trained apart from the embedding, and the base has one matrix for both",
             "give the base an output matrix of its own (lm_head.weight, tie_word_embeddings false) and apply the "
             "adapter to that");
    }
    if (base_is_tied && !is_one && !adapter_.is_tied) {
      misfit(embedding, "it was trained without the output matrix, and the base has one matrix for both",
             "if both were trained as one, set ensure_weight_tying to true in adapter_config.json");
    }
    if (!base_is_tied && adapter_.is_tied) {
      misfit(head, "the adapter has one matrix for embedding and output, the base has two");
    }
  }
  [[nodiscard]] NamedTensors replaced() const {
    NamedTensors rows;
    if (adapter_.embedding_rows.defined()) rows[adapter_.embedding + kWeight] = adapter_.embedding_rows;
    if (adapter_.head_rows.defined()) rows[kHead + kWeight] = adapter_.head_rows;
    return rows;
  }
  [[nodiscard]] std::vector<int64_t> shape_of(const std::string& name) const {
    if (!base_->contains(name)) misfit(name, "the base has no such tensor");
    return base_->tensor(name).sizes().vec();
  }
  [[noreturn]] static void misfit(const std::string& name, const std::string& why,
                                  const std::string& fix = "apply the adapter to the model it was trained on") {
    throw Error(Status::bad_input,
                {.what = "the adapter does not fit its base", .where = name, .why = why, .fix = fix});
  }

  std::unique_ptr<WeightSource> base_;
  Adapter adapter_;
};

}  // namespace

int64_t Adapter::n_bytes() const { return n_parameters() * static_cast<int64_t>(sizeof(float)); }

int64_t Adapter::n_parameters() const {
  int64_t n = 0;
  for (const auto& [name, update] : updates) n += update.a.numel() + update.b.numel();
  for (const at::Tensor& t : {embedding_rows, head_rows, embedding_matrix, head_matrix}) {
    n += t.defined() ? t.numel() : 0;
  }
  return n;
}

Adapter read_adapter(const std::filesystem::path& directory) {
  const auto config_file = directory / kConfigFile;
  const Json json = read_json_file(config_file);
  Adapter adapter;
  try {
    if (json.value("peft_type", "") != "LORA") malformed_adapter(config_file, "peft_type is not LORA");
    refuse_unsupported(json, config_file);
    adapter.rank = json.at("r").get<int64_t>();
    adapter.alpha = json.at("lora_alpha").get<double>();
    adapter.dropout = json.value("lora_dropout", 0.0);
    const Json& targets = json.at("target_modules");
    if (targets.is_array()) adapter.targets = targets.get<std::vector<std::string>>();
    adapter.is_tied = json.value(kTying, false);  // in PEFT's files also where nothing is saved whole
    adapter.token_ids = token_ids_of(json.value("trainable_token_indices", Json()), config_file);
  } catch (const Json::exception& e) {
    malformed_adapter(config_file, e.what());
  }
  if (adapter.rank < 1) malformed_adapter(config_file, "r is " + std::to_string(adapter.rank));

  const auto file = SafetensorsFile::open(directory / kTensorFile);
  const auto wide = [&](const std::string& name) { return file.tensor(name).to(at::kFloat, false, /*copy=*/true); };
  for (const std::string& name : file.names()) {
    if (name.rfind(kPrefix, 0) != 0)
      malformed_adapter(directory / kTensorFile, "tensor " + name + " has another prefix");
    const std::string rest = name.substr(kPrefix.size());
    if (ends_with(rest, kA)) {
      const std::string module = rest.substr(0, rest.size() - kA.size());
      LowRank update{.a = wide(name), .b = wide(kPrefix + module + kB)};
      if (update.a.dim() != 2 || update.b.dim() != 2 || update.a.size(0) != adapter.rank ||
          update.b.size(1) != adapter.rank) {
        malformed_adapter(directory / kTensorFile,
                          "module " + module + " is not of rank " + std::to_string(adapter.rank));
      }
      adapter.updates.emplace(module + kWeight, std::move(update));
    } else if (rest == kHead + kRows) {
      adapter.head_rows = wide(name);
    } else if (ends_with(rest, kEmbedding + kRows)) {
      adapter.embedding_rows = wide(name);
      adapter.embedding = rest.substr(0, rest.size() - kRows.size());
    } else if (rest == kHead + kWeight) {
      adapter.head_matrix = wide(name);
    } else if (ends_with(rest, kEmbedding + kWeight)) {
      adapter.embedding_matrix = wide(name);
      adapter.embedding = rest.substr(0, rest.size() - kWeight.size());
    } else if (!ends_with(rest, kB) || !file.contains(name.substr(0, name.size() - kB.size()) + kA)) {
      malformed_adapter(directory / kTensorFile, "nothing reads tensor " + name);
    }
  }
  for (const at::Tensor& rows : {adapter.embedding_rows, adapter.head_rows}) {
    if (rows.defined() && (rows.dim() != 2 || rows.size(0) != static_cast<int64_t>(adapter.token_ids.size()))) {
      malformed_adapter(directory / kTensorFile, "trained token rows do not match trainable_token_indices");
    }
  }
  adapter.is_tied = adapter.is_tied && adapter.embedding_matrix.defined();
  if (adapter.is_tied && adapter.head_matrix.defined()) {
    if (!at::equal(adapter.head_matrix, adapter.embedding_matrix)) {
      malformed_adapter(directory / kTensorFile, "ensure_weight_tying is true, and embedding and output matrix differ");
    }
    adapter.head_matrix.reset();
  }
  const bool saves = !json.value("modules_to_save", Json(Json::array())).empty();
  if (saves != (adapter.embedding_matrix.defined() || adapter.head_matrix.defined())) {
    malformed_adapter(directory / kTensorFile, "modules_to_save names other matrices than are there");
  }
  if (saves && (adapter.embedding_rows.defined() || adapter.head_rows.defined())) {
    malformed_adapter(directory / kTensorFile, "trained token rows beside whole matrices");
  }
  return adapter;
}

std::string read_adapter_base(const std::filesystem::path& directory) {
  const Json json = read_json_file(directory / kBaseFile);
  if (!json.is_object() || !json.contains("base") || !json["base"].is_string()) {
    malformed_adapter(directory / kBaseFile, "it names no base");
  }
  return json["base"].get<std::string>();
}

int64_t write_adapter(const std::filesystem::path& directory, const Adapter& adapter, const std::string& base_digest) {
  NamedTensors tensors;
  for (const auto& [name, update] : adapter.updates) {
    const std::string module = kPrefix + name.substr(0, name.size() - kWeight.size());
    tensors[module + kA] = update.a;
    tensors[module + kB] = update.b;
  }
  Json trained_tokens;  // null: none
  if (adapter.embedding_rows.defined()) {
    tensors[kPrefix + adapter.embedding + kRows] = adapter.embedding_rows;
    trained_tokens["embed_tokens"] = adapter.token_ids;
  }
  if (adapter.head_rows.defined()) {
    tensors[kPrefix + kHead + kRows] = adapter.head_rows;
    trained_tokens["lm_head"] = adapter.token_ids;
  }
  Json saved;  // null: none
  if (adapter.embedding_matrix.defined()) {
    tensors[kPrefix + adapter.embedding + kWeight] = adapter.embedding_matrix;
    saved.push_back(kEmbedding.substr(1));
  }
  if (adapter.head_matrix.defined()) {
    tensors[kPrefix + kHead + kWeight] = adapter.head_matrix;
    saved.push_back(kHead);
  }
  // PEFT looks for the output matrix too, and writes what is one matrix twice.
  if (adapter.is_tied) tensors[kPrefix + kHead + kWeight] = adapter.embedding_matrix;
  int64_t n_bytes = 0;
  for (const auto& [name, tensor] : tensors) n_bytes += static_cast<int64_t>(tensor.nbytes());
  write_safetensors(directory / kTensorFile, tensors);
  Json config{{"peft_type", "LORA"},
              {"task_type", "CAUSAL_LM"},
              {"base_model_name_or_path", nullptr},
              {"r", adapter.rank},
              {"lora_alpha", adapter.alpha},
              {"lora_dropout", adapter.dropout},
              {"target_modules", adapter.targets},
              {"trainable_token_indices", trained_tokens},
              {"bias", "none"},
              {"fan_in_fan_out", false},
              {"init_lora_weights", true},
              {"use_rslora", false},
              {"use_dora", false},
              {"modules_to_save", saved},
              {"rank_pattern", Json::object()},
              {"alpha_pattern", Json::object()},
              {"inference_mode", true}};
  if (adapter.is_tied) config[kTying] = true;
  write_json_file(directory / kConfigFile, config);
  write_json_file(directory / kBaseFile, {{"base", base_digest}});
  return n_bytes;
}

std::unique_ptr<WeightSource> adapted(std::unique_ptr<WeightSource> base, Adapter adapter,
                                      std::optional<bool> base_is_tied) {
  return std::make_unique<AdaptedWeights>(std::move(base), std::move(adapter), base_is_tied);
}

}  // namespace lowbit::lm
