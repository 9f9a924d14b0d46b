// MATH as Hendrycks et al. 2021 published it, and MATH-500 (Lightman et al. 2023).
//
//   one JSON file a problem: problem, level ("Level 3"), type, solution; its path is .../<split>/<subject>/<n>.json
//   rows: the same fields; MATH-500 has answer, subject, level (3) and unique_id ("test/algebra/1.json") as well
#pragma once

#include "benchmark.h"
#include "tasks/record_files.h"

namespace lowbit::benchmarks {

struct MathParams : BenchmarkParams {
  MathParams() {
    name = "math";
    grader = "math-verify";
  }
  std::vector<std::string> subjects;
  std::vector<std::int64_t> levels;

  static auto fields() {
    return std::tuple_cat(
        benchmark_fields<MathParams>(),
        lowbit::fields<MathParams>(
            field(&MathParams::subjects, "subjects").doc("subjects taken, such as `Number Theory`; empty: all"),
            field(&MathParams::levels, "levels").range(1, 5).doc("levels of difficulty taken; empty: all")));
  }
};

/// Throws StageError{LB_BAD_INPUT} for a record without problem or answer.
[[nodiscard]] tasks::Item math_item(const tasks::Record& record, const std::string& split);
/// By the fields `subject` and `level`; an item that lacks one is not taken where it is asked for.
[[nodiscard]] bool is_wanted(const tasks::Item& item, const MathParams& params);

void write_math(const Job& job, const MathParams& params);

}  // namespace lowbit::benchmarks
