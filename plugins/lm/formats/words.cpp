#include "lm/formats/words.h"

#include <algorithm>

#include "lm/error.h"
#include "lm/packing.h"

namespace lowbit::lm::formats {

at::Tensor to_words(const at::Tensor& codes, int num_bits) {
  const at::Tensor bytes = pack(codes, num_bits);
  const int64_t width = (bytes.size(1) + 3) / 4 * 4;
  return at::constant_pad_nd(bytes, {0, width - bytes.size(1)}).contiguous().view(at::kInt);
}

at::Tensor from_words(const at::Tensor& words, int num_bits, int64_t n) {
  const at::Tensor bytes = words.contiguous().view(at::kByte);
  return unpack(bytes.narrow(1, 0, packed_bytes(n, num_bits)), num_bits, n);
}

const char* torch_name(at::ScalarType dtype) {
  return dtype == at::kHalf ? "float16" : dtype == at::kBFloat16 ? "bfloat16" : "float32";
}

void cannot_hold(const std::string& format, const std::string& where, const std::string& why, const std::string& fix) {
  throw Error(Status::bad_input,
              {.what = "format " + format + " cannot hold this model", .where = where, .why = why, .fix = fix});
}

void malformed_format(const std::string& where, const std::string& why) {
  throw Error(Status::bad_input, {.what = "malformed quantized checkpoint",
                                  .where = where,
                                  .why = why,
                                  .fix = "copy the checkpoint again, or quantize the model anew"});
}

at::Tensor half_scales(const at::Tensor& scale, const std::string& format, const std::string& module) {
  at::Tensor half = scale.to(at::kHalf);
  if (at::equal(half.to(at::kFloat), scale.to(at::kFloat))) return half;
  cannot_hold(format, module, "its scales are not float16 numbers, and the format stores float16",
              "quantize with scale_dtype float16, or export to compressed-tensors");
}

at::Tensor expect_tensor(const WeightSource& stored, const std::string& name, at::IntArrayRef shape,
                         at::ScalarType dtype) {
  at::Tensor tensor = stored.tensor(name);
  if (tensor.sizes() != shape || tensor.scalar_type() != dtype) {
    malformed_format(name, std::string("it is ") + c10::toString(tensor.scalar_type()) + " with " +
                               std::to_string(tensor.numel()) + " elements, expected " + c10::toString(dtype) +
                               " with " + std::to_string(c10::multiply_integers(shape)) + " in the shape of its layer");
  }
  return tensor;
}

QuantizedMatrix simplified(QuantizedMatrix matrix) {
  if (matrix.group_index.defined()) {
    const at::Tensor natural = at::arange(matrix.codes.size(1), at::kInt).div(matrix.group_width, "floor");
    if (at::equal(matrix.group_index.to(at::kInt), natural.to(at::kInt))) matrix.group_index.reset();
  }
  matrix.symmetric = matrix.zero.eq(1 << (matrix.num_bits - 1)).all().item<bool>();
  return matrix;
}

UniformGrid uniform_grid(const QuantizedWeights& weights, const std::string& format) {
  UniformGrid all;
  int64_t widest_row = 0;  // among linears whose groups are whole rows
  for (const std::string& name : weights.linear_names()) {
    weights.release_block();
    const StoredLinear linear = weights.stored_linear(name);
    const auto* const matrix = std::get_if<QuantizedMatrix>(&linear);
    if (matrix == nullptr) {
      cannot_hold(format, name, "its weights are NormalFloat4, not codes on a grid",
                  "export to bitsandbytes, or to hf as floating-point weights");
    }
    if (all.num_bits == 0) {
      all.num_bits = matrix->num_bits;
      all.scale_dtype = matrix->scale.scalar_type();
    }
    if (matrix->num_bits != all.num_bits) {
      cannot_hold(format, name,
                  "its codes have " + std::to_string(matrix->num_bits) + " bits, those of other linears " +
                      std::to_string(all.num_bits),
                  "quantize all linears to one width, or export to hf");
    }
    all.symmetric = all.symmetric && matrix->symmetric;
    all.actorder = all.actorder || matrix->group_index.defined();
    const int64_t n = matrix->codes.size(1);
    if (matrix->group_width >= n) {
      widest_row = std::max(widest_row, n);
    } else if (all.group_size == -1) {
      all.group_size = matrix->group_width;
    } else if (all.group_size != matrix->group_width) {
      cannot_hold(format, name,
                  "its groups have " + std::to_string(matrix->group_width) + " weights, those of other linears " +
                      std::to_string(all.group_size),
                  "quantize all linears with one group_size, or export to hf");
    }
  }
  if (all.num_bits == 0) {
    cannot_hold(format, "quantization.json", "no linear is stored as codes", "export to hf");
  }
  if (all.group_size != -1 && widest_row > all.group_size) {
    cannot_hold(format, "quantization.json",
                "some linears have groups of " + std::to_string(all.group_size) +
                    " weights, others one group a row of " + std::to_string(widest_row),
                "quantize all linears with one group_size, or export to hf");
  }
  // Their readers cut every row into groups of this size; those of gptq have an index.
  const bool cut = format == "awq" || format == "compressed-tensors";
  if (cut && all.group_size != -1 && widest_row % all.group_size != 0) {
    cannot_hold(format, "quantization.json",
                "groups of " + std::to_string(all.group_size) + " weights are wider than some rows, which have " +
                    std::to_string(widest_row),
                "quantize with a group_size that divides all rows, or export to gptq");
  }
  return all;
}

}  // namespace lowbit::lm::formats
