#include "domain/artifact_type.h"

#include <algorithm>

namespace lowbit {

const std::vector<ArtifactType>& artifact_types() {
  static const std::vector<ArtifactType> types{
      {"file", "Any file, or a directory of files."},
      {"text/1", "Plain UTF-8 text, one file or several read in the order of their names."},
      {"model/1", "A Hugging Face directory with full-precision weights."},
      {"quantized-model/1", "A model whose linear layers are stored as packed codes."},
      {"adapter/1", "A PEFT LoRA adapter and the digest of the model it is based on."},
      {"token-batches/1", "Windows of token ids of equal length."},
      {"hessians/1", "Second moments of the inputs of linear layers."},
      {"task/1", "A benchmark: its items and how they are asked and graded."},
      {"sft-pairs/1", "Prompts with the completions to learn."},
      {"preference-pairs/1", "Prompts with a chosen and a rejected completion."},
      {"predictions/1", "What a model answered to each item, and how it was graded."},
      {"verdicts/1", "What judges say is the first error of each prediction."},
      {"grades/1", "The grade that counts for each prediction."},
      {"review-queue/1", "Solutions that a person should judge."},
      {"decisions/1", "What people decided of them."},
      {"api-calls/1", "Calls to models behind an API, with their cost."},
      {"rubric/1", "What a judge is asked."},
      {"report/1", "The outcome of a check over data sets, such as contamination."},
  };
  return types;
}

const ArtifactType* find_artifact_type(std::string_view name) {
  const auto& types = artifact_types();
  const auto it = std::find_if(types.begin(), types.end(), [&](const ArtifactType& t) { return t.name == name; });
  return it == types.end() ? nullptr : &*it;
}

}  // namespace lowbit
