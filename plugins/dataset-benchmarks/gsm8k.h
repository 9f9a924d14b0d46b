// GSM8K as Cobbe et al. 2021 published it: rows of question and answer, the answer's lines being the steps and its
// last line `#### ` with the number.
#pragma once

#include "benchmark.h"
#include "tasks/record_files.h"

namespace lowbit::benchmarks {

struct Gsm8kParams : BenchmarkParams {
  Gsm8kParams() { name = "gsm8k"; }
  bool calculator = false;

  static auto fields() {
    return std::tuple_cat(
        benchmark_fields<Gsm8kParams>(),
        lowbit::fields<Gsm8kParams>(
            field(&Gsm8kParams::calculator, "calculator")
                .doc("keep the notes for a calculator, such as `<<48/2=24>>`, in solution and steps")));
  }
};

/// Throws StageError{LB_BAD_INPUT} for a record without question, or whose answer has no `#### `.
[[nodiscard]] tasks::Item gsm8k_item(const tasks::Record& record, const Gsm8kParams& params);

void write_gsm8k(const Job& job, const Gsm8kParams& params);

}  // namespace lowbit::benchmarks
