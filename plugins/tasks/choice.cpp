#include "tasks/choice.h"

#include <algorithm>
#include <lowbit/sdk.hpp>
#include <numeric>

#include "lm/digest.h"

namespace lowbit::tasks {

Choice choice_named(std::string_view name) { return name == "random" ? Choice::random : Choice::first; }

std::string draw_of(std::int64_t seed, const std::string& id) {
  return lm::sha256_of_text(std::to_string(seed) + "/" + id);
}

std::vector<std::size_t> chosen(const std::vector<std::string>& ids, std::int64_t n, Choice choice, std::int64_t seed,
                                const std::string& param) {
  std::vector<std::size_t> indices(ids.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  if (n == 0) return indices;
  const auto wanted = static_cast<std::size_t>(n);
  if (wanted > ids.size()) {
    throw StageError(LB_BAD_INPUT,
                     {.what = "there are too few items",
                      .where = param,
                      .why = "wanted are " + std::to_string(n) + ", there are " + std::to_string(ids.size()),
                      .fix = "lower it to what there is"});
  }
  if (choice == Choice::random) {
    std::vector<std::string> draws;
    draws.reserve(ids.size());
    for (const std::string& id : ids) draws.push_back(draw_of(seed, id));
    std::sort(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) { return draws[a] < draws[b]; });
    std::sort(indices.begin(), indices.begin() + n);
  }
  indices.resize(wanted);
  return indices;
}

}  // namespace lowbit::tasks
