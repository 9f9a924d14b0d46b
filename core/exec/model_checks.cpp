#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "exec/artifact_check_parts.h"
#include "exec/safetensors_header.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

using Shape = std::vector<std::uint64_t>;

std::string text_of(const Shape& shape) { return canonical(Json(shape)); }

bool is_float(std::string_view dtype) { return dtype == "F32" || dtype == "F16" || dtype == "BF16"; }

/// A dtype or, for "float", any of F32, F16, BF16.
bool fits(const TensorInfo& tensor, std::string_view dtype, const Shape& shape) {
  return (dtype == "float" ? is_float(tensor.dtype) : tensor.dtype == dtype) && tensor.shape == shape;
}

/// Bytes of the tensor, 0 with a problem when it is missing or other than declared.
std::uint64_t require_tensor(const Tensors& tensors, const std::string& tensor, std::string_view dtype,
                             const Shape& shape, Problems& problems) {
  const std::string wanted = std::string(dtype == "float" ? "F32, F16 or BF16" : dtype) + " " + text_of(shape);
  const auto it = tensors.find(tensor);
  if (it == tensors.end()) {
    problems.add("tensor `" + tensor + "`", "is missing; it must be " + wanted);
    return 0;
  }
  if (!fits(it->second, dtype, shape)) {
    problems.add("tensor `" + tensor + "`",
                 "must be " + wanted + ", found " + it->second.dtype + " " + text_of(it->second.shape));
    return 0;
  }
  return it->second.end - it->second.begin;
}

/// A file name that stays in its directory.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos && name != "..";
}

std::optional<Tensors> read_shards(Checking& c) {
  const auto index = read_record(c.path, "model.safetensors.index.json", "model-1.index", c.problems);
  if (!index) return std::nullopt;
  const std::size_t problems_before = c.problems.count();
  std::map<std::string, Tensors> shards;
  Tensors all;
  for (const auto& [tensor, value] : (*index)["weight_map"].items()) {
    const std::string file = value;
    if (!is_plain_name(file)) {
      c.problems.add("model.safetensors.index.json", "`weight_map." + tensor + "` leaves the directory: " + file);
      continue;
    }
    const auto [shard, is_new] = shards.try_emplace(file);
    if (is_new) shard->second = read_safetensors_header(c.path, file, c.problems).value_or(Tensors());
    const auto found = shard->second.find(tensor);
    if (found != shard->second.end()) {
      all.insert(*found);
    } else if (!shard->second.empty()) {
      c.problems.add("model.safetensors.index.json", "tensor `" + tensor + "` is not in " + file);
    }
  }
  return c.problems.count() == problems_before ? std::optional(std::move(all)) : std::nullopt;
}

/// The tensors of model.safetensors, or of all files that its index names.
std::optional<Tensors> read_weights(Checking& c) {
  if (fs::exists(c.path / "model.safetensors.index.json")) return read_shards(c);
  if (!fs::exists(c.path / "model.safetensors") && fs::exists(c.path / "pytorch_model.bin")) {
    c.problems.add("model.safetensors", "is missing; pytorch_model.bin is not read, save the model as safetensors");
    return std::nullopt;
  }
  return read_safetensors_header(c.path, "model.safetensors", c.problems);
}

void check_config_and_tokenizer(Checking& c) {
  const auto config = read_record(c.path, "config.json", "model-1.config", c.problems);
  if (config && config->contains("quantization_config")) {
    c.problems.add("config.json", "has `quantization_config`: weights packed by another tool are not read");
  }
  std::ifstream tokenizer(c.path / "tokenizer.json", std::ios::binary);
  if (tokenizer && !Json::accept(tokenizer)) c.problems.add("tokenizer.json", "is not JSON");
}

std::uint64_t elements(const Shape& shape) {
  std::uint64_t n = 1;
  for (const std::uint64_t d : shape) n *= d;  // cannot overflow: the header check multiplied them before
  return n;
}

std::uint64_t packed_bytes(std::uint64_t codes, std::uint64_t num_bits) { return (codes * num_bits + 7) / 8; }

/// One layer of format nf4. Returns its stored bytes.
std::uint64_t check_nf4_linear(const std::string& name, const Json& linear, const Tensors& tensors,
                               Problems& problems) {
  constexpr std::uint64_t kNestedBlock = 256;  // scales that share a number
  const std::uint64_t weights =
      linear["out_features"].get<std::uint64_t>() * linear["in_features"].get<std::uint64_t>();
  const std::int64_t block_size = linear["group_size"];
  if (block_size < 1 || linear["num_bits"] != 4 || linear["symmetric"] != true || linear["actorder"] != false) {
    problems.add("quantization.json", "`linears." + name +
                                          "` of format nf4 needs a positive `group_size`, `num_bits` 4, `symmetric` "
                                          "true and `actorder` false");
    return 0;
  }
  const auto per_block = static_cast<std::uint64_t>(block_size);
  const std::uint64_t blocks = (weights + per_block - 1) / per_block;
  const bool double_quant = linear.value("double_quant", false);
  std::uint64_t bytes = require_tensor(tensors, name + ".codes", "U8", {packed_bytes(weights, 4)}, problems) +
                        require_tensor(tensors, name + ".absmax", double_quant ? "U8" : "F32", {blocks}, problems);
  if (double_quant) {
    bytes += require_tensor(tensors, name + ".nested_absmax", "F32", {(blocks + kNestedBlock - 1) / kNestedBlock},
                            problems) +
             require_tensor(tensors, name + ".offset", "F32", {1}, problems);
  }
  for (const auto& [suffix, allowed] :
       {std::pair{".nested_absmax", double_quant}, std::pair{".offset", double_quant}, std::pair{".scales", false},
        std::pair{".zeros", false}, std::pair{".groups", false}, std::pair{".weight", false}}) {
    if (!allowed && tensors.contains(name + suffix)) {
      problems.add("tensor `" + name + suffix + "`", "must not be there for this layer's format");
    }
  }
  return bytes;
}

/// One quantized layer: its tensors have the shapes that its grid asks for. Returns its stored bytes.
std::uint64_t check_linear(const std::string& name, const Json& linear, const Tensors& tensors, Problems& problems) {
  if (linear.value("format", "affine") == "nf4") return check_nf4_linear(name, linear, tensors, problems);
  const std::uint64_t out = linear["out_features"];
  const std::uint64_t in = linear["in_features"];
  const std::uint64_t bits = linear["num_bits"];
  const std::int64_t group_size = linear["group_size"];
  if (group_size == 0) {
    problems.add("quantization.json", "`linears." + name + ".group_size` is 0; -1 means the whole row");
    return 0;
  }
  const std::uint64_t per_group = group_size < 0 ? in : static_cast<std::uint64_t>(group_size);
  const std::uint64_t groups = (in + per_group - 1) / per_group;
  std::uint64_t bytes = require_tensor(tensors, name + ".codes", "U8", {out, packed_bytes(in, bits)}, problems) +
                        require_tensor(tensors, name + ".scales", "float", {out, groups}, problems);
  if (linear["symmetric"] == false) {
    bytes += require_tensor(tensors, name + ".zeros", "U8", {out, packed_bytes(groups, bits)}, problems);
  }
  if (linear["actorder"] == true) bytes += require_tensor(tensors, name + ".groups", "I32", {in}, problems);
  for (const auto& [suffix, allowed] :
       {std::pair{".zeros", linear["symmetric"] == false}, std::pair{".groups", linear["actorder"] == true},
        std::pair{".weight", false}}) {
    if (!allowed && tensors.contains(name + suffix)) {
      problems.add("tensor `" + name + suffix + "`", "must not be there for this layer's grid");
    }
  }
  return bytes;
}

constexpr std::string_view kLoraA = ".lora_A.weight";
constexpr std::string_view kLoraB = ".lora_B.weight";

/// `A`: [r, in], `B`: [out, r]. r may differ between modules (rank_pattern).
void check_lora_pair(const Tensors& tensors, const std::string& module, Problems& problems) {
  const auto a = tensors.find(module + std::string(kLoraA));
  const auto b = tensors.find(module + std::string(kLoraB));
  if (a == tensors.end() || b == tensors.end()) {
    problems.add("tensor `" + module + std::string(a == tensors.end() ? kLoraA : kLoraB) + "`",
                 "is missing; LoRA matrices come in pairs");
    return;
  }
  const Shape& sa = a->second.shape;
  const Shape& sb = b->second.shape;
  if (sa.size() != 2 || sb.size() != 2 || sa[0] != sb[1]) {
    problems.add("module `" + module + "`",
                 "needs lora_A [r, in] and lora_B [out, r], found " + text_of(sa) + " and " + text_of(sb));
  }
}

/// Every id is in [0, vocab_size): what an embedding is indexed with.
void check_ids(Checking& c, const TensorInfo& ids, std::int64_t vocab_size) {
  std::ifstream in(c.path / "tokens.safetensors", std::ios::binary);
  in.seekg(static_cast<std::streamoff>(ids.begin));
  std::vector<std::int32_t> buffer(1U << 16U);  // safetensors is little-endian, as is every machine lowbit runs on
  const std::uint64_t n = elements(ids.shape);
  for (std::uint64_t done = 0; done < n && in;) {
    const std::uint64_t count = std::min<std::uint64_t>(buffer.size(), n - done);
    in.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(count * sizeof(std::int32_t)));
    const auto end = buffer.begin() + static_cast<std::ptrdiff_t>(count);
    const auto bad = std::find_if(buffer.begin(), end, [&](std::int32_t id) { return id < 0 || id >= vocab_size; });
    if (bad != end) {
      const std::uint64_t at = done + static_cast<std::uint64_t>(bad - buffer.begin());
      c.problems.add("tensor `input_ids`", "holds " + std::to_string(*bad) + " in row " +
                                               std::to_string(at / ids.shape[1]) + "; ids are 0 to " +
                                               std::to_string(vocab_size - 1));
      return;
    }
    done += count;
  }
  if (!in) c.problems.add("tokens.safetensors", "cannot be read to its end");
}

/// Where text as UTF-8 ends: npos when all of it is. No text has a byte of 0.
std::size_t first_bad_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0 || text[at] == '\0') return at;
    at += length;
  }
  return std::string_view::npos;
}

}  // namespace

void check_text(Checking& c) {
  std::vector<fs::path> files;
  if (fs::is_directory(c.path)) {
    for (const auto& entry : fs::directory_iterator(c.path)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(c.path);
  }
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (const std::size_t at = first_bad_byte(line); at != std::string_view::npos) {
        c.problems.add(file.filename().string() + ":" + std::to_string(number),
                       "byte " + std::to_string(at + 1) + " of the line is not UTF-8 text");
        break;
      }
    }
    if (number == 0) c.problems.add(file.filename().string(), "is empty or cannot be read");
  }
  c.out.summary = {{"files", files.size()}};
}

void check_model(Checking& c) {
  check_config_and_tokenizer(c);
  const auto tensors = read_weights(c);
  if (!tensors) return;
  std::uint64_t parameters = 0;
  for (const auto& [name, tensor] : *tensors) parameters += elements(tensor.shape);
  c.out.summary = {{"tensors", tensors->size()}, {"parameters", parameters}};
}

void check_quantized_model(Checking& c) {
  check_config_and_tokenizer(c);
  const auto quantization = read_record(c.path, "quantization.json", "quantized-model-1.quantization", c.problems);
  const auto tensors = read_weights(c);
  if (!quantization || !tensors) return;
  std::uint64_t bytes = 0;
  std::uint64_t weights = 0;
  for (const auto& [name, linear] : (*quantization)["linears"].items()) {
    bytes += check_linear(name, linear, *tensors, c.problems);
    weights += linear["out_features"].get<std::uint64_t>() * linear["in_features"].get<std::uint64_t>();
  }
  if (weights == 0 && !quantization->contains("activations")) {
    c.problems.add("quantization.json", "`linears` names no layer and nothing else is rounded");
  }
  if (!c.problems.empty()) return;
  c.out.summary = {{"method", (*quantization)["method"]},
                   {"num_bits", (*quantization)["num_bits"]},
                   {"quantized_weights", weights},
                   {"stored_bits_per_weight",
                    weights == 0 ? 16.0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(weights)}};
}

void check_adapter(Checking& c) {
  const auto base = read_record(c.path, "base.json", "adapter-1.base", c.problems);
  const auto config = read_record(c.path, "adapter_config.json", "adapter-1.adapter_config", c.problems);
  const auto tensors = read_safetensors_header(c.path, "adapter_model.safetensors", c.problems);
  if (base) c.out.bases.push_back(*Digest::from_hex((*base)["base"].get<std::string>()));
  if (!config || !tensors) return;
  std::set<std::string> modules;
  std::uint64_t parameters = 0;
  for (const auto& [name, tensor] : *tensors) {
    if (!is_float(tensor.dtype))
      c.problems.add("tensor `" + name + "`", "must be F32, F16 or BF16, found " + tensor.dtype);
    parameters += elements(tensor.shape);
    for (const std::string_view suffix : {kLoraA, kLoraB}) {
      if (name.ends_with(suffix)) modules.insert(name.substr(0, name.size() - suffix.size()));
    }
  }
  for (const std::string& module : modules) check_lora_pair(*tensors, module, c.problems);
  if (modules.empty()) c.problems.add("adapter_model.safetensors", "holds no lora_A and lora_B matrices");
  c.out.summary = {{"r", (*config)["r"]}, {"modules", modules.size()}, {"parameters", parameters}};
}

void check_token_batches(Checking& c) {
  const auto batches = read_record(c.path, "batches.json", "token-batches-1.batches", c.problems);
  const auto tensors = read_safetensors_header(c.path, "tokens.safetensors", c.problems);
  if (!batches || !tensors) return;
  const auto ids = tensors->find("input_ids");
  if (ids == tensors->end() || ids->second.dtype != "I32" || ids->second.shape.size() != 2 ||
      elements(ids->second.shape) == 0) {
    c.problems.add("tensor `input_ids`", "must be there as I32 [windows, length], neither of them 0");
    return;
  }
  for (const auto& [name, tensor] : *tensors) {
    if (name == "attention_mask" || name == "loss_mask") {
      require_tensor(*tensors, name, "U8", ids->second.shape, c.problems);
    } else if (name != "input_ids") {
      c.problems.add("tensor `" + name + "`", "is not one of input_ids, attention_mask, loss_mask");
    }
  }
  check_ids(c, ids->second, (*batches)["vocab_size"]);
  c.out.summary = {{"windows", ids->second.shape[0]}, {"length", ids->second.shape[1]}};
}

void check_hessians(Checking& c) {
  const auto hessians = read_record(c.path, "hessians.json", "hessians-1.hessians", c.problems);
  Tensors tensors;
  for (const auto& entry : fs::directory_iterator(c.path)) {
    if (entry.path().extension() != ".safetensors") continue;
    auto part = read_safetensors_header(c.path, entry.path().filename().string(), c.problems);
    if (!part) return;
    tensors.merge(*part);
    for (const auto& [name, unused] : *part) c.problems.add("tensor `" + name + "`", "stands in two files");
  }
  if (!hessians) return;
  for (const auto& [site, value] : (*hessians)["sites"].items()) {
    const std::uint64_t n = value["in_features"];
    require_tensor(tensors, site, "F32", {n, n}, c.problems);
  }
  for (const auto& [name, unused] : tensors) {
    if (!(*hessians)["sites"].contains(name)) c.problems.add("tensor `" + name + "`", "is not one of the `sites`");
  }
  c.out.summary = {{"sites", (*hessians)["sites"].size()}, {"tokens", (*hessians)["n_tokens"]}};
}

}  // namespace lowbit::exec
