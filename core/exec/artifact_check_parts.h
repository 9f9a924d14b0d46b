// The rules of docs/artifacts.md beyond single records, one function per type: model_checks.cpp for tensors,
// row_checks.cpp for JSON Lines. Inside exec/artifact_check.h only.
#pragma once

#include "exec/artifact_check.h"
#include "exec/record_check.h"

namespace lowbit::exec {

struct Checking {
  const std::filesystem::path& path;
  Problems& problems;
  CheckedArtifact& out;
};

void check_text(Checking& c);
void check_model(Checking& c);
void check_quantized_model(Checking& c);
void check_adapter(Checking& c);
void check_token_batches(Checking& c);
void check_hessians(Checking& c);

void check_task(Checking& c);
void check_sft_pairs(Checking& c);
void check_preference_pairs(Checking& c);
void check_predictions(Checking& c);
void check_verdicts(Checking& c);
void check_grades(Checking& c);
void check_review_queue(Checking& c);
void check_decisions(Checking& c);
void check_api_calls(Checking& c);
void check_rubric(Checking& c);
void check_report(Checking& c);

}  // namespace lowbit::exec
