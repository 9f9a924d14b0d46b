#include "lm/merge.h"

#include "lm/error.h"

namespace lowbit::lm {

std::vector<std::string> merge_adapter(const std::filesystem::path& source, const WeightSource& base,
                                       const WeightSource& adapted, std::optional<at::ScalarType> dtype,
                                       const std::filesystem::path& out, const formats::Progress& progress) {
  if (dynamic_cast<const QuantizedWeights*>(&base) != nullptr) {
    throw Error(Status::bad_input,
                {.what = "an adapter is not merged into a quantized base",
                 .where = source.string(),
                 .why = "its codes would round the update away, and which method should choose new ones is not ours to "
                        "guess",
                 .fix = "evaluate the adapter as it is; or dequantize and merge with lowbit.export (format hf), import "
                        "that, and quantize it again with a stage of its own"});
  }
  formats::ExportOptions options{.format = formats::Format::hf};
  if (dtype) {
    options.dtype = *dtype;
  } else {
    options.like = &base;
  }
  return formats::export_model(source, adapted, options, out, progress);
}

}  // namespace lowbit::lm
