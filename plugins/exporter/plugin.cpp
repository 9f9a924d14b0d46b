// exporter: models of the project in the formats of other tools, and back. The formats are plugins/lm/formats.
#include "lm/formats/directory.h"
#include "lm/stage.h"

using namespace lowbit;
namespace formats = lm::formats;

namespace {

struct ExportParams {
  std::string format;
  std::string dtype = "float32";
  std::string base_model;
  bool allow_loss = false;

  static auto fields() {
    return lowbit::fields<ExportParams>(
        field(&ExportParams::format, "format")
            .one_of("gptq", "gptq-v2", "awq", "compressed-tensors", "bitsandbytes", "hf", "peft")
            .required()
            .doc("what is written; docs/formats.md says which model each holds"),
        field(&ExportParams::dtype, "dtype")
            .one_of("float32", "bfloat16", "float16")
            .doc("of format hf: how weights are stored; float32 keeps what was evaluated"),
        field(&ExportParams::base_model, "base_model")
            .doc("of format peft: name or path of the model that the adapter is loaded onto"),
        field(&ExportParams::allow_loss, "allow_loss")
            .doc("leave out rules for activations that the format has no field for"));
  }
};

void export_model(const Job& job, const ExportParams& params) {
  const Input model = job.input("model");
  const auto out = job.output("exported");
  const formats::Format format = formats::format_named(params.format);
  if (format == formats::Format::peft && model.type.rfind("adapter/", 0) == 0) {
    formats::export_adapter(model.path, params.base_model, out);
    return;
  }
  const lm::OpenedModel opened = lm::open_model(model);
  const auto losses = formats::export_model(opened.directory, *opened.weights,
                                            {.format = format,
                                             .dtype = params.dtype == "bfloat16"  ? at::kBFloat16
                                                      : params.dtype == "float16" ? at::kHalf
                                                                                  : at::kFloat,
                                             .allow_loss = params.allow_loss},
                                            out, [&](int64_t block, int64_t n_blocks) {
                                              job.tick(static_cast<std::uint64_t>(block),
                                                       static_cast<std::uint64_t>(n_blocks), "blocks");
                                            });
  for (const std::string& loss : losses) job.warn(loss);
}

void import_model(const Job& job, const NoParams& /*none*/) {
  const auto source = job.input("source").path;
  switch (formats::kind_of(source)) {
    case formats::Kind::model: formats::import_model(source, job.output("model")); return;
    case formats::Kind::quantized:
      formats::import_quantized(source, job.output("quantized"), [&](int64_t block, int64_t n_blocks) {
        job.tick(static_cast<std::uint64_t>(block), static_cast<std::uint64_t>(n_blocks), "blocks");
      });
      return;
    case formats::Kind::adapter: break;
  }
  if (!job.has_input("base")) {
    throw StageError(LB_BAD_PARAM,
                     {.what = "the base of the adapter is not bound",
                      .where = source.string(),
                      .why = "an adapter/1 names the artifact that it is applied to",
                      .fix = "bind input base, or give --base: the model that the adapter was trained on"});
  }
  const Input base = job.input("base");
  lm::OpenedModel opened = lm::open_model(base);
  formats::import_adapter(source, lm::read_model_config(opened.directory), std::move(opened.weights), base.digest,
                          job.output("adapter"));
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.export", LB_DATASET)
                  .version("1")
                  .summary("Writes a model in the format of another tool.")
                  .preload()
                  .input("model", lm::kModelTypes, "what is exported")
                  .output("exported", "file", "a directory that the other tool loads")
                  .run<lm::stage<ExportParams, export_model>>(),
              Stage("lowbit.import", LB_DATASET)
                  .version("1")
                  .summary("Reads a model that another tool wrote.")
                  .preload()
                  .input("source", "file", "its directory")
                  .input("base", lm::kModelTypes, "of an adapter: the model that it is applied to", LB_PORT_OPTIONAL)
                  .output("model", "model/1", "full-precision weights", LB_PORT_OPTIONAL)
                  .output("quantized", "quantized-model/1", "codes and scales as they were", LB_PORT_OPTIONAL)
                  .output("adapter", "adapter/1", "low-rank updates", LB_PORT_OPTIONAL)
                  .run<lm::stage<NoParams, import_model>>())
