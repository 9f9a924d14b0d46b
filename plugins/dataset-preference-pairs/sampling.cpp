#include "sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace lowbit::pairs {

std::vector<std::size_t> largest_remainders(const std::vector<double>& weights, std::size_t n) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::size_t> parts;
  std::vector<std::pair<double, std::size_t>> remainders;  // negative, so that the largest comes first
  std::size_t given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double quota = static_cast<double>(n) * weights[i] / sum;
    const double whole = std::floor(quota);
    parts.push_back(static_cast<std::size_t>(whole));
    remainders.emplace_back(whole - quota, i);
    given += parts.back();
  }
  std::sort(remainders.begin(), remainders.end());
  for (std::size_t i = 0; given < n; ++i, ++given) ++parts[remainders[i % remainders.size()].second];
  return parts;
}

std::vector<std::size_t> allotted(const std::vector<double>& weights, const std::vector<std::size_t>& available,
                                  std::size_t n) {
  std::vector<std::size_t> result(weights.size(), 0);
  std::vector<std::size_t> open(weights.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  while (n > 0 && !open.empty()) {
    std::vector<double> of_open;
    of_open.reserve(open.size());
    for (const std::size_t i : open) of_open.push_back(weights[i]);
    const auto parts = largest_remainders(of_open, n);
    std::vector<std::size_t> still_open;
    std::size_t n_left = n;
    for (std::size_t k = 0; k < open.size(); ++k) {
      const std::size_t i = open[k];
      if (parts[k] > available[i]) {
        result[i] = available[i];
        n_left -= available[i];
      } else {
        still_open.push_back(i);
      }
    }
    if (still_open.size() == open.size()) {
      for (std::size_t k = 0; k < open.size(); ++k) result[open[k]] = parts[k];
      break;
    }
    open = std::move(still_open);
    n = n_left;
  }
  return result;
}

std::string cell_of(const nlohmann::json& at, const std::vector<std::string>& axes, const std::string& label) {
  nlohmann::json place = at;
  if (!axes.empty()) {
    place = nlohmann::json::object();
    for (const std::string& axis : axes) {
      if (at.contains(axis)) place[axis] = at[axis];
    }
  }
  return place.dump() + " " + label;
}

std::map<std::string, double> error_rates(const std::vector<Member>& members, const std::vector<std::string>& axes) {
  for (const std::string& axis : axes) {
    if (std::any_of(members.begin(), members.end(), [&](const Member& m) { return m.coordinates.contains(axis); }))
      continue;
    throw StageError(LB_BAD_PARAM, {.what = "there is no axis " + axis + " to tell models apart by",
                                    .where = "cell_axes",
                                    .why = "`rejected` is not gathered over it",
                                    .fix = "name axes of `over` of the input `rejected`"});
  }
  std::map<std::string, std::map<std::string, std::size_t>> errors;  // place, label
  std::map<std::string, std::size_t> failures;
  for (const Member& member : members) {
    const std::string place = cell_of(member.coordinates, axes, "");
    for (const auto& [item, prediction] : member.by_item) {
      if (prediction.correct != false || prediction.status == verdicts::Status::no_error) continue;
      ++errors[place][label_of(prediction.judged)];
      ++failures[place];
    }
  }
  std::map<std::string, double> rates;
  for (const auto& [place, of_place] : errors) {
    for (const auto& [label, count] : of_place) {
      rates[place + label] = static_cast<double>(count) / static_cast<double>(failures[place]);
    }
  }
  return rates;
}

Kept sampled(const std::vector<Pair>& pairs, const Kept& kept, const std::map<std::string, double>& rates,
             const std::vector<std::string>& axes, std::size_t n) {
  std::map<std::string, Kept> cells;
  for (const std::size_t i : kept) cells[cell_of(pairs[i].at, axes, label_of(pairs[i].judged))].push_back(i);
  std::vector<double> weights;
  std::vector<std::size_t> available;
  for (const auto& [cell, members] : cells) {
    weights.push_back(rates.at(cell));
    available.push_back(members.size());
  }
  const auto parts = allotted(weights, available, n);
  Kept taken;
  std::size_t nth = 0;
  for (auto& [cell, members] : cells) {
    std::sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
      const auto key = [&](std::size_t i) {
        const Judged& judged = pairs[i].judged;
        return std::tuple(-judged.agreement.value_or(-1), -judged.confidence.value_or(-1),
                          std::string_view(pairs[i].digest));
      };
      return key(a) < key(b);
    });
    taken.insert(taken.end(), members.begin(), members.begin() + static_cast<std::ptrdiff_t>(parts[nth++]));
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

}  // namespace lowbit::pairs
