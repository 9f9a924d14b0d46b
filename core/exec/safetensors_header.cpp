#include "exec/safetensors_header.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace lowbit::exec {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the format's own limit

struct DType {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array kDTypes{DType{"BOOL", 1},    DType{"U8", 1},  DType{"I8", 1},  DType{"F8_E5M2", 1},
                             DType{"F8_E4M3", 1}, DType{"I16", 2}, DType{"U16", 2}, DType{"F16", 2},
                             DType{"BF16", 2},    DType{"I32", 4}, DType{"U32", 4}, DType{"F32", 4},
                             DType{"F64", 8},     DType{"I64", 8}, DType{"U64", 8}};

/// Empty on overflow.
std::optional<std::uint64_t> tensor_bytes(const TensorInfo& tensor) {
  std::uint64_t bytes = dtype_bytes(tensor.dtype);
  for (const std::uint64_t n : tensor.shape) {
    if (__builtin_mul_overflow(bytes, n, &bytes)) return std::nullopt;
  }
  return bytes;
}

/// Empty, with a problem, when `entry` is not a tensor's description.
std::optional<TensorInfo> tensor_info(const Json& entry, const std::string& tensor, const std::string& name,
                                      std::uint64_t data_begin, Problems& problems) {
  const auto natural = [](const Json& n) { return n.is_number_unsigned(); };
  const auto dtype = entry.find("dtype");
  const auto shape = entry.find("shape");
  const auto offsets = entry.find("data_offsets");
  if (!entry.is_object() || dtype == entry.end() || !dtype->is_string() || shape == entry.end() || !shape->is_array() ||
      !std::all_of(shape->begin(), shape->end(), natural) || offsets == entry.end() || !offsets->is_array() ||
      offsets->size() != 2 || !std::all_of(offsets->begin(), offsets->end(), natural)) {
    problems.add(name, "tensor `" + tensor + "` needs dtype, shape and two data_offsets, found " + brief(entry));
    return std::nullopt;
  }
  TensorInfo info{.dtype = *dtype, .shape = *shape, .begin = offsets->at(0), .end = offsets->at(1)};
  const auto bytes = tensor_bytes(info);
  if (dtype_bytes(info.dtype) == 0) {
    problems.add(name, "tensor `" + tensor + "` has the unknown dtype " + brief(*dtype));
    return std::nullopt;
  }
  if (info.end < info.begin || !bytes || *bytes != info.end - info.begin) {
    problems.add(name, "tensor `" + tensor + "`, " + info.dtype + " " + canonical(*shape) + ", takes " +
                           (bytes ? std::to_string(*bytes) : "too many") + " bytes, but its data_offsets are " +
                           canonical(*offsets));
    return std::nullopt;
  }
  info.begin += data_begin;
  info.end += data_begin;
  return info;
}

}  // namespace

std::uint64_t dtype_bytes(std::string_view dtype) {
  const auto it = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DType& d) { return d.name == dtype; });
  return it == kDTypes.end() ? 0 : it->bytes;
}

std::optional<Tensors> parse_safetensors_header(std::string_view header, std::uint64_t file_bytes,
                                                const std::string& name, Problems& problems) {
  const std::size_t problems_before = problems.count();
  const Json json = Json::parse(header, nullptr, false);
  if (!json.is_object()) {
    problems.add(name, "its header is not a JSON object");
    return std::nullopt;
  }
  const std::uint64_t data_begin = kLengthBytes + header.size();
  Tensors tensors;
  std::vector<std::pair<std::uint64_t, std::string>> order;  // by place in the file
  for (const auto& [tensor, entry] : json.items()) {
    if (tensor == "__metadata__") continue;
    if (const auto info = tensor_info(entry, tensor, name, data_begin, problems)) {
      tensors.emplace(tensor, *info);
      order.emplace_back(info->end, tensor);
    }
  }
  if (problems.count() > problems_before) return std::nullopt;

  // Ends sort empty tensors before the one that starts where they lie.
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return std::pair(tensors[a.second].begin, a.first) < std::pair(tensors[b.second].begin, b.first);
  });
  std::uint64_t reached = data_begin;
  for (const auto& [end, tensor] : order) {
    const std::uint64_t begin = tensors[tensor].begin;
    if (begin != reached) {
      problems.add(name,
                   "tensor `" + tensor + "` starts at byte " + std::to_string(begin) + " of the file, but " +
                       (begin < reached ? "the tensor before it ends at byte " : "the bytes are used up to byte ") +
                       std::to_string(reached));
      return std::nullopt;
    }
    reached = end;
  }
  if (reached != file_bytes) {
    problems.add(name, "its header declares " + std::to_string(reached) + " bytes, the file has " +
                           std::to_string(file_bytes) + (file_bytes < reached ? ": it was cut off" : ""));
    return std::nullopt;
  }
  return tensors;
}

std::optional<Tensors> read_safetensors_header(const std::filesystem::path& directory, const std::string& name,
                                               Problems& problems) {
  std::error_code code;
  const std::uint64_t file_bytes = std::filesystem::file_size(directory / name, code);
  std::ifstream in(directory / name, std::ios::binary);
  if (code || !in) {
    problems.add(name, "is missing or cannot be read");
    return std::nullopt;
  }
  std::array<unsigned char, kLengthBytes> prefix{};
  in.read(reinterpret_cast<char*>(prefix.data()), kLengthBytes);
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8U | prefix[i];
  if (!in || length > kLongestHeader || length > file_bytes - kLengthBytes) {
    problems.add(name, "is not a safetensors file: " + std::to_string(file_bytes) + " bytes, " +
                           (file_bytes < kLengthBytes ? "too short for a header"
                                                      : "but a header of " + std::to_string(length) + " is declared"));
    return std::nullopt;
  }
  std::string header(length, '\0');
  in.read(header.data(), static_cast<std::streamsize>(length));
  if (!in) {
    problems.add(name, "cannot be read to the end of its header");
    return std::nullopt;
  }
  return parse_safetensors_header(header, file_bytes, name, problems);
}

}  // namespace lowbit::exec
