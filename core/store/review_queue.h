// A review-queue/1 artifact, read back for the people who decide.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "domain/review.h"

namespace lowbit::store {

/// Taxonomy and cases; who made it is not known here. LB6015 on a directory that is none, LB61xx where it cannot be
/// read.
[[nodiscard]] Result<ReviewQueue> read_review_queue(const std::filesystem::path& directory);

}  // namespace lowbit::store
