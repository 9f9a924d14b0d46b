#include "choices.h"

#include <algorithm>
#include <charconv>

#include "lm/text_input.h"

namespace lowbit::lm_eval {

std::size_t n_choices(const Sample& sample) {
  const bool twice = std::find(sample.metrics.begin(), sample.metrics.end(), "acc_mutual_info") != sample.metrics.end();
  return twice ? sample.requests.size() / 2 : sample.requests.size();
}

std::vector<std::string> choices_of(const Sample& sample) {
  const std::size_t n = n_choices(sample);
  const auto begin = sample.requests.begin();
  const bool all_same = std::all_of(begin, begin + static_cast<std::ptrdiff_t>(n), [&](const Request& request) {
    return request.continuation == begin->continuation;
  });
  std::vector<std::string> choices;
  for (std::size_t i = 0; i < n; ++i) {
    const Request& request = sample.requests[i];
    choices.emplace_back(lm::stripped(all_same ? request.prompt : request.continuation));
  }
  return choices;
}

std::size_t answer_index_of(const Sample& sample) {
  const std::vector<std::string> choices = choices_of(sample);
  const std::string& target = sample.target;
  std::size_t index = 0;
  const auto [end, problem] = std::from_chars(target.data(), target.data() + target.size(), index);
  if (problem == std::errc() && end == target.data() + target.size() && index < choices.size()) return index;
  const auto found = std::find(choices.begin(), choices.end(), lm::stripped(target));
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  refuse_sample(sample, "the right choice is not known",
                "the target is `" + target + "`, which is neither the number of one of the " +
                    std::to_string(choices.size()) + " choices nor its text",
                "import this task's numbers only, with lowbit.lm-eval-results");
}

}  // namespace lowbit::lm_eval
