// Rows of results that may be too many to hold: points of curves and items of answers, one after another.
// Thread rule: one thread.
//
//   LB_TRY_ASSIGN(store::ResultRows rows, store::ResultRows::open(project.database()));
//   LB_TRY(rows.each_item(result_id, ItemKind::predictions, [&](const ItemLine& line) { return write(line); }));
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/result.h"
#include "domain/exported_study.h"

namespace lowbit::store {

class Connection;

class ResultRows {
 public:
  /// LB60xx on a file that is missing or cannot be read.
  [[nodiscard]] static Result<ResultRows> open(const std::filesystem::path& database);
  ~ResultRows();
  ResultRows(ResultRows&&) noexcept;
  ResultRows& operator=(ResultRows&&) noexcept;

  /// By name, then by step. The first problem that `visit` returns ends the walk and is returned, here and below.
  /// `visit` asks nothing of this object.
  [[nodiscard]] Result<void> each_point(std::int64_t result, const std::function<Result<void>(const CurveRow&)>& visit);
  /// In the order of the artifact.
  [[nodiscard]] Result<void> each_item(std::int64_t result, ItemKind kind,
                                       const std::function<Result<void>(const ItemLine&)>& visit);

 private:
  explicit ResultRows(std::unique_ptr<Connection> db);

  std::unique_ptr<Connection> db_;
};

}  // namespace lowbit::store
