// Step 6 of the recipe: how many pairs of which error of which model, and which ones.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "members.h"
#include "pair.h"

namespace lowbit::pairs {

/// n split in proportion to `weights` by largest remainders (Hamilton): each gets the whole part of its quota, those
/// with the largest remainders one more until n are given; among equal remainders the first. REQUIRES: a weight above
/// 0, none below.
[[nodiscard]] std::vector<std::size_t> largest_remainders(const std::vector<double>& weights, std::size_t n);

/// The same where no one gets more than `available`: who would, gets all there is, and the rest is split anew among the
/// others. n or all that is available, whichever is less.
[[nodiscard]] std::vector<std::size_t> allotted(const std::vector<double>& weights,
                                                const std::vector<std::size_t>& available, std::size_t n);

/// A cell's name: coordinates on `axes` (empty: all) as JSON, and the error's label.
[[nodiscard]] std::string cell_of(const nlohmann::json& at, const std::vector<std::string>& axes,
                                  const std::string& label);

/// By cell, the share of the wrong answers of its models whose first error has its label. Answers in which the judge
/// found no error are no wrong ones.
[[nodiscard]] std::map<std::string, double> error_rates(const std::vector<Member>& members,
                                                        const std::vector<std::string>& axes);

/// n of the kept pairs, by cell in proportion to the rates; within a cell by agreement, then confidence, both
/// descending, then digest. REQUIRES: every pair's cell has a rate.
[[nodiscard]] Kept sampled(const std::vector<Pair>& pairs, const Kept& kept, const std::map<std::string, double>& rates,
                           const std::vector<std::string>& axes, std::size_t n);

}  // namespace lowbit::pairs
