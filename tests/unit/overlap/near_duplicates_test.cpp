#include "overlap/near_duplicates.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "overlap/words.h"

using namespace lowbit::overlap;

namespace {

/// "w1 w2 ... wn"
std::string words(int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += "w" + std::to_string(i) + " ";
  return text;
}

/// The Jaccard index by its definition, on texts of single blanks and letters only.
double jaccard(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto runs = [](const std::vector<std::string>& all) {
    std::set<std::vector<std::string>> result;
    for (std::size_t i = 0; i + kRun <= all.size(); ++i) {
      result.emplace(all.begin() + static_cast<std::ptrdiff_t>(i), all.begin() + static_cast<std::ptrdiff_t>(i + kRun));
    }
    return result;
  };
  const auto of_a = runs(a);
  const auto of_b = runs(b);
  const auto shared =
      static_cast<double>(std::count_if(of_a.begin(), of_a.end(), [&](const auto& run) { return of_b.contains(run); }));
  const auto either = static_cast<double>(of_a.size() + of_b.size()) - shared;
  return either == 0 ? 0 : shared / either;
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& word : all) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

TEST_CASE("a text repeats the first kept one whose runs of 13 words it shares by 80 %", "[overlap]") {
  NearDuplicates kept(0.8);
  CHECK_FALSE(kept.offer(words(1, 21)));     // 9 runs
  CHECK(kept.offer(words(1, 20)) == 0U);     // 8 of 9
  CHECK_FALSE(kept.offer(words(3, 23)));     // 7 of 11
  CHECK(kept.offer(words(2, 22)) == 0U);     // 8 of 10 with the first, 8 of 10 with the second
  CHECK_FALSE(kept.offer(words(100, 140)));  // nothing in common
}

TEST_CASE("texts too short for a run repeat only their own words", "[overlap]") {
  NearDuplicates kept(0.8);
  CHECK_FALSE(kept.offer("Find x if 3 x + 4 = 10"));
  CHECK_FALSE(kept.offer("Find x if 3 x - 4 = 10"));
  CHECK(kept.offer("find X if  3x+4=10") == std::nullopt);  // `3x` is one word
  CHECK(kept.offer(" find X if  3 x+4=10") == 0U);
}

TEST_CASE("near duplicates are those that the definition names, on random texts", "[overlap]") {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same texts each time
  std::size_t n_repeats = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<std::string> base(40);
    for (std::string& word : base) word = std::string(1, static_cast<char>('a' + random() % 26));
    std::vector<std::string> other(base.begin() + static_cast<std::ptrdiff_t>(random() % 5),
                                   base.end() - static_cast<std::ptrdiff_t>(random() % 5));
    if (random() % 2 == 0) other[random() % other.size()] = "z";
    NearDuplicates kept(0.8);
    REQUIRE_FALSE(kept.offer(joined(base)));
    const bool repeats = kept.offer(joined(other)).has_value();
    CHECK(repeats == (jaccard(base, other) >= 0.8));
    n_repeats += repeats ? 1U : 0U;
  }
  CHECK(n_repeats > 20);
  CHECK(n_repeats < 180);
}
