#include "lm/safetensors.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>

#include "lm/error.h"
#include "lm/json_file.h"

namespace lowbit::lm {
namespace {

constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kSingleFile = "model.safetensors";

using Json = nlohmann::json;
namespace ipc = boost::interprocess;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

struct DtypeInfo {
  const char* name;
  uint64_t width;                             // bytes
  std::optional<at::ScalarType> scalar_type;  // none: legal in a file, but libtorch 1.13 cannot hold it
};
constexpr std::array<DtypeInfo, 15> kDtypes{{{"F64", 8, at::kDouble},
                                             {"F32", 4, at::kFloat},
                                             {"F16", 2, at::kHalf},
                                             {"BF16", 2, at::kBFloat16},
                                             {"I64", 8, at::kLong},
                                             {"I32", 4, at::kInt},
                                             {"I16", 2, at::kShort},
                                             {"I8", 1, at::kChar},
                                             {"U8", 1, at::kByte},
                                             {"BOOL", 1, at::kBool},
                                             {"U16", 2, std::nullopt},
                                             {"U32", 4, std::nullopt},
                                             {"U64", 8, std::nullopt},
                                             {"F8_E4M3", 1, std::nullopt},
                                             {"F8_E5M2", 1, std::nullopt}}};

const DtypeInfo* find_dtype(std::string_view name) {
  const auto* found = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeInfo& d) { return name == d.name; });
  return found == kDtypes.end() ? nullptr : found;
}

const DtypeInfo& dtype_of(const at::Tensor& tensor) {
  const auto* found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                   [&](const DtypeInfo& d) { return d.scalar_type == tensor.scalar_type(); });
  TORCH_CHECK(found != kDtypes.end(), "no safetensors dtype for ", tensor.scalar_type());
  return *found;
}

[[noreturn]] void malformed_safetensors(const std::filesystem::path& file, const std::string& why) {
  throw Error(Status::bad_input, {.what = "malformed safetensors file",
                                  .where = file.string(),
                                  .why = why,
                                  .fix = "copy or download the file again, or export the model anew"});
}

/// Number of bytes that a tensor of this shape takes; nothing when the product does not fit.
std::optional<uint64_t> byte_count(const std::vector<int64_t>& shape, uint64_t width) {
  uint64_t n = width;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  for (const int64_t dim : shape) {
    const auto d = static_cast<uint64_t>(dim);
    if (n > std::numeric_limits<uint64_t>::max() / 2 / d) return std::nullopt;
    n *= d;
  }
  return n;
}

TensorEntry read_entry(const std::filesystem::path& file, const std::string& name, const Json& json,
                       uint64_t n_data_bytes) {
  const auto bad = [&](const std::string& why) { malformed_safetensors(file, "tensor " + name + ": " + why); };
  if (!json.is_object()) bad("its header entry is not an object");
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!json.contains(key)) bad(std::string("its header entry has no ") + key);
  }
  TensorEntry entry;
  if (!json["dtype"].is_string()) bad("dtype is not a string");
  entry.dtype = json["dtype"].get<std::string>();
  const DtypeInfo* dtype = find_dtype(entry.dtype);
  if (dtype == nullptr) bad("dtype " + entry.dtype + " is unknown");
  if (!json["shape"].is_array()) bad("shape is not a list");
  for (const Json& dim : json["shape"]) {
    if (!dim.is_number_unsigned() || dim.get<uint64_t>() > std::numeric_limits<int64_t>::max()) {
      bad("shape " + json["shape"].dump() + " is not a list of sizes");
    }
    entry.shape.push_back(dim.get<int64_t>());
  }
  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    bad("data_offsets is not [begin, end]");
  }
  const auto begin = offsets[0].get<uint64_t>();
  const auto end = offsets[1].get<uint64_t>();
  const std::optional<uint64_t> expected = byte_count(entry.shape, dtype->width);
  if (end < begin || !expected || end - begin != *expected) {
    bad("shape " + json["shape"].dump() + " of " + entry.dtype + " takes " +
        (expected ? std::to_string(*expected) : "too many") + " bytes, data_offsets are " + offsets.dump());
  }
  if (end > n_data_bytes) {
    bad("its data ends at byte " + std::to_string(end) + " of the data section, the file holds " +
        std::to_string(n_data_bytes) + " (truncated?)");
  }
  entry.begin = begin;
  entry.n_bytes = end - begin;
  return entry;
}

/// Every byte of the data section belongs to exactly one tensor.
void check_coverage(const std::filesystem::path& file, const std::map<std::string, TensorEntry, std::less<>>& entries,
                    uint64_t n_data_bytes) {
  std::vector<std::pair<uint64_t, const std::string*>> order;
  for (const auto& [name, entry] : entries) {
    if (entry.n_bytes > 0) order.emplace_back(entry.begin, &name);
  }
  std::sort(order.begin(), order.end());
  uint64_t covered = 0;
  const std::string* previous = nullptr;
  for (const auto& [begin, name] : order) {
    if (begin < covered) malformed_safetensors(file, "tensors " + *previous + " and " + *name + " overlap");
    if (begin > covered) {
      malformed_safetensors(file, "bytes " + std::to_string(covered) + " to " + std::to_string(begin) +
                                      " of the data section belong to no tensor");
    }
    covered = begin + entries.find(*name)->second.n_bytes;
    previous = name;
  }
  if (covered != n_data_bytes) {
    malformed_safetensors(file, "the tensors end at byte " + std::to_string(covered) +
                                    " of the data section, the file holds " + std::to_string(n_data_bytes));
  }
}

[[noreturn]] void no_such_tensor(const std::filesystem::path& where, std::string_view name,
                                 const std::string& why = "no weights file holds it") {
  throw Error(Status::bad_input,
              {.what = "tensor " + std::string(name) + " is missing",
               .where = where.string(),
               .why = why,
               .fix = "check that all files of the model were copied and that config.json fits them"});
}

}  // namespace

void WeightSource::release_block() const {
  release();
  (void)::malloc_trim(0);
}

class SafetensorsFile::Mapping {
 public:
  explicit Mapping(const std::filesystem::path& file)
      : region_(ipc::file_mapping(file.c_str(), ipc::read_only), ipc::read_only) {}
  [[nodiscard]] const char* data() const { return static_cast<const char*>(region_.get_address()); }
  [[nodiscard]] uint64_t size() const { return region_.get_size(); }
  /// Not through region_.advise(): that asks posix_madvise, whose DONTNEED does nothing in glibc.
  void release() { (void)::madvise(region_.get_address(), region_.get_size(), MADV_DONTNEED); }

 private:
  ipc::mapped_region region_;
};

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& file) {
  SafetensorsFile result;
  result.file_ = file;
  std::error_code status;
  const uint64_t n_bytes = std::filesystem::file_size(file, status);
  if (status) {
    throw Error(Status::bad_input, {.what = "cannot read a weights file",
                                    .where = file.string(),
                                    .why = status.message(),
                                    .fix = "check the path and the permissions"});
  }
  if (n_bytes < kLengthBytes)
    malformed_safetensors(file, "the file has " + std::to_string(n_bytes) + " bytes, too few for a header");
  try {
    result.mapping_ = std::make_shared<Mapping>(file);
  } catch (const ipc::interprocess_exception& e) {
    throw Error(Status::resource, {.what = "cannot map a weights file into memory",
                                   .where = file.string(),
                                   .why = e.what(),
                                   .fix = "check the permissions and the limits on memory and open files"});
  }
  uint64_t n_header_bytes = 0;
  std::memcpy(&n_header_bytes, result.mapping_->data(), kLengthBytes);  // little-endian, like every host we build for
  if (n_header_bytes > kMaxHeaderBytes || n_header_bytes > n_bytes - kLengthBytes) {
    malformed_safetensors(file, "the header claims " + std::to_string(n_header_bytes) + " bytes, the file has " +
                                    std::to_string(n_bytes) + " in all (truncated?)");
  }
  const std::string_view text(result.mapping_->data() + kLengthBytes, n_header_bytes);
  Json header;
  try {
    header = parse_json(text);
  } catch (const JsonProblem& e) {
    malformed_safetensors(file, std::string("the header is not valid JSON: ") + e.what());
  }
  if (!header.is_object()) malformed_safetensors(file, "the header is not a JSON object");
  const uint64_t n_data_bytes = n_bytes - kLengthBytes - n_header_bytes;
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") {
      if (!json.is_object()) malformed_safetensors(file, "__metadata__ is not an object");
      for (const auto& [key, value] : json.items()) {
        if (!value.is_string()) malformed_safetensors(file, "__metadata__." + key + " is not a string");
        result.metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    result.entries_.emplace(name, read_entry(file, name, json, n_data_bytes));
  }
  check_coverage(file, result.entries_, n_data_bytes);
  for (auto& [name, entry] : result.entries_) entry.begin += kLengthBytes + n_header_bytes;
  return result;
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

bool SafetensorsFile::contains(std::string_view name) const { return entries_.find(name) != entries_.end(); }

int64_t SafetensorsFile::stored_bytes() const {
  int64_t n = 0;
  for (const auto& [name, entry] : entries_) n += static_cast<int64_t>(entry.n_bytes);
  return n;
}

int64_t SafetensorsFile::code_bits(std::string_view name) const {
  const TensorEntry& stored = entry(name);
  int64_t n_numbers = 1;
  for (const int64_t n : stored.shape) n_numbers *= n;
  return n_numbers == 0 ? 0 : static_cast<int64_t>(stored.n_bytes) * 8 / n_numbers;
}

const TensorEntry& SafetensorsFile::entry(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) no_such_tensor(file_, name);
  return found->second;
}

void SafetensorsFile::release() const { mapping_->release(); }

at::Tensor SafetensorsFile::tensor(std::string_view name) const {
  const TensorEntry& e = entry(name);
  const DtypeInfo& dtype = *find_dtype(e.dtype);
  if (!dtype.scalar_type) {
    throw Error(Status::bad_input, {.what = "tensor " + std::string(name) + " has a dtype that is not supported",
                                    .where = file_.string(),
                                    .why = "it is " + e.dtype,
                                    .fix = "export the model in F32, F16 or BF16"});
  }
  const auto options = at::TensorOptions().dtype(*dtype.scalar_type);
  if (e.n_bytes == 0) return at::empty(e.shape, options);
  const char* data = mapping_->data() + e.begin;
  // The format does not promise alignment; only the writers of today keep it.
  if (reinterpret_cast<uintptr_t>(data) % dtype.width != 0) {
    at::Tensor copy = at::empty(e.shape, options);
    std::memcpy(copy.data_ptr(), data, e.n_bytes);
    return copy;
  }
  return at::from_blob(
      const_cast<char*>(data), e.shape, [keep = mapping_](void*) {}, options);
}

std::set<std::string> weights_files(const std::filesystem::path& directory) {
  if (!std::filesystem::exists(directory / kIndexFile)) return {kSingleFile};
  std::set<std::string> files{kIndexFile};
  const Json index = read_json_file(directory / kIndexFile);
  for (const auto& [tensor, file] : index.at("weight_map").items()) files.insert(file.get<std::string>());
  return files;
}

Checkpoint Checkpoint::open(const std::filesystem::path& directory) {
  Checkpoint result;
  result.directory_ = directory;
  const std::filesystem::path index_file = directory / kIndexFile;
  const std::filesystem::path single_file = directory / kSingleFile;
  if (!std::filesystem::exists(index_file)) {
    if (!std::filesystem::exists(single_file)) {
      throw Error(Status::bad_input,
                  {.what = "no weights found",
                   .where = directory.string(),
                   .why = "it has neither model.safetensors nor model.safetensors.index.json",
                   .fix = "name a Hugging Face model directory; convert pytorch_model.bin to safetensors first"});
    }
    result.files_.push_back(SafetensorsFile::open(single_file));
    for (const std::string& name : result.files_.front().names()) result.add(name, 0);
    return result;
  }

  const Json index = read_json_file(index_file);
  const auto bad = [&](const std::string& why) {
    throw Error(Status::bad_input, {.what = "malformed index of weights files",
                                    .where = index_file.string(),
                                    .why = why,
                                    .fix = "copy or download the model again"});
  };
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    bad("it has no object weight_map");
  }
  std::map<std::string, size_t> known;  // file name -> index
  for (const auto& [name, file] : index["weight_map"].items()) {
    if (!file.is_string()) bad("the file of tensor " + name + " is not a string");
    const auto file_name = file.get<std::string>();
    if (file_name.empty() || std::filesystem::path(file_name).filename() != file_name || file_name == "..") {
      bad("the file of tensor " + name + ", " + file.dump() + ", is not a plain file name");
    }
    const auto [at, inserted] = known.emplace(file_name, result.files_.size());
    if (inserted) {
      if (!std::filesystem::exists(directory / file_name)) {
        bad("it says that " + file_name + " holds tensor " + name + ", and there is no such file");
      }
      result.files_.push_back(SafetensorsFile::open(directory / file_name));
    }
    if (!result.files_[at->second].contains(name)) bad("tensor " + name + " is not in " + file_name);
    result.add(name, at->second);
  }
  return result;
}

void Checkpoint::add(const std::string& name, size_t file) {
  const bool shortened = name.rfind("decoder.", 0) == 0;
  places_.emplace((shortened ? "model." : "") + name, Place{file, name});
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

bool Checkpoint::contains(std::string_view name) const { return places_.find(name) != places_.end(); }

int64_t Checkpoint::stored_bytes() const {
  int64_t n = 0;
  for (const auto& [name, place] : places_) n += static_cast<int64_t>(entry(name).n_bytes);
  return n;
}

void Checkpoint::release() const {
  for (const SafetensorsFile& file : files_) file.release();
}

const Checkpoint::Place& Checkpoint::place_of(std::string_view name) const {
  const auto found = places_.find(name);
  if (found != places_.end()) return found->second;
  for (const SafetensorsFile& file : files_) {
    if (file.contains(name))
      no_such_tensor(directory_ / kIndexFile, name, "a weights file holds it, the index does not");
  }
  no_such_tensor(directory_, name);
}

int64_t Checkpoint::code_bits(std::string_view name) const {
  const Place& place = place_of(name);
  return files_[place.file].code_bits(place.name);
}

at::Tensor Checkpoint::tensor(std::string_view name) const {
  const Place& place = place_of(name);
  return files_[place.file].tensor(place.name);
}

const TensorEntry& Checkpoint::entry(std::string_view name) const {
  const Place& place = place_of(name);
  return files_[place.file].entry(place.name);
}

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const NamedTensors::value_type*> order;
  for (const auto& item : tensors) order.push_back(&item);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return dtype_of(a->second).width > dtype_of(b->second).width; });

  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto* item : order) {
    const uint64_t end = offset + static_cast<uint64_t>(item->second.nbytes());
    header[item->first] = {
        {"dtype", dtype_of(item->second).name}, {"shape", item->second.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.is_null() ? "{}" : header.dump();
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');

  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  const uint64_t n_header_bytes = text.size();
  std::array<char, kLengthBytes> length{};
  std::memcpy(length.data(), &n_header_bytes, kLengthBytes);
  out.write(length.data(), length.size());
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const auto* item : order) {
    const at::Tensor data = item->second.cpu().contiguous();
    out.write(static_cast<const char*>(data.data_ptr()), static_cast<std::streamsize>(data.nbytes()));
  }
  out.close();
  if (!out) {
    throw Error(Status::resource, {.what = "cannot write a weights file",
                                   .where = file.string(),
                                   .why = "the file system refused " + std::to_string(offset) + " bytes of data",
                                   .fix = "free disk space or check the permissions, then run the same command again"});
  }
}

void write_safetensors_index(const std::filesystem::path& directory, const std::map<std::string, std::string>& file_of,
                             uint64_t total_bytes) {
  write_json_file(directory / kIndexFile, {{"metadata", {{"total_size", total_bytes}}}, {"weight_map", file_of}});
}

}  // namespace lowbit::lm
