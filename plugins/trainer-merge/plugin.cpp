// trainer-merge: an adapter and its base as one model. The arithmetic is plugins/lm/adapter.h, the files
// plugins/lm/merge.h; docs/training.md.
#include "lm/merge.h"
#include "lm/stage.h"

using namespace lowbit;

namespace {

struct Params {
  std::string dtype = "base";

  static auto fields() {
    return lowbit::fields<Params>(
        field(&Params::dtype, "dtype")
            .one_of("base", "float32", "bfloat16", "float16")
            .doc("how weights are stored: as the base stores each; float32 keeps what the adapter computes"));
  }
  [[nodiscard]] std::optional<at::ScalarType> stored() const {
    if (dtype == "base") return std::nullopt;
    return dtype == "bfloat16" ? at::kBFloat16 : dtype == "float16" ? at::kHalf : at::kFloat;
  }
};

void merge(const Job& job, const Params& params) {
  const Input adapter = job.input("model");
  const lm::OpenedModel opened = lm::open_model(adapter);
  const auto base = lm::open_weights(opened.directory);  // under all adapters
  const auto losses =
      lm::merge_adapter(opened.directory, *base, *opened.weights, params.stored(), job.output("trained"),
                        [&](int64_t block, int64_t n_blocks) {
                          job.tick(static_cast<std::uint64_t>(block), static_cast<std::uint64_t>(n_blocks), "blocks");
                        });
  for (const std::string& loss : losses) job.info(loss);
}

}  // namespace

LOWBIT_PLUGIN(LOWBIT_COMPILER ", libtorch " TORCH_VERSION,
              Stage("lowbit.merge", LB_TRAINER)
                  .version("1")
                  .summary("Adds an adapter to the full-precision model under it.")
                  .preload()
                  .input("model", "adapter/1", "what is merged, with all adapters under it")
                  .output("trained", "model/1", "the base with the updates in its weights")
                  .run<lm::stage<Params, merge>>())
