#include "metric_names.h"

#include <algorithm>
#include <array>

namespace lowbit::lm_eval {
namespace {

struct Known {
  std::string_view metric, name, unit;
  bool higher_is_better;
  bool is_grade = false;
};

constexpr std::array<Known, 9> kKnown{
    Known{.metric = "acc", .name = "accuracy", .unit = "fraction", .higher_is_better = true, .is_grade = true},
    Known{
        .metric = "exact_match", .name = "exact_match", .unit = "fraction", .higher_is_better = true, .is_grade = true},
    Known{.metric = "acc_norm", .name = "acc_norm", .unit = "fraction", .higher_is_better = true, .is_grade = true},
    Known{.metric = "f1", .name = "f1", .unit = "fraction", .higher_is_better = true},
    Known{.metric = "mcc", .name = "mcc", .unit = "ratio", .higher_is_better = true},
    Known{.metric = "brier_score", .name = "brier_score", .unit = "ratio", .higher_is_better = false},
    Known{.metric = "word_perplexity", .name = "word_perplexity", .unit = "ratio", .higher_is_better = false},
    Known{.metric = "byte_perplexity", .name = "byte_perplexity", .unit = "ratio", .higher_is_better = false},
    Known{.metric = "bits_per_byte", .name = "bits_per_byte", .unit = "bits", .higher_is_better = false}};

const Known* find_known(std::string_view metric) {
  const auto* const found =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& known) { return known.metric == metric; });
  return found == kKnown.end() ? nullptr : found;
}

}  // namespace

std::string part_of_name(std::string_view text) {
  std::string part(text);
  std::replace_if(
      part.begin(), part.end(),
      [](char c) {
        const bool is_letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return !is_letter_or_digit && c != '_' && c != '.' && c != '-';
      },
      '_');
  return part;
}

MetricName metric_name(std::string_view task, std::string_view metric, std::string_view filter) {
  const bool is_filtered = filter != "none";
  const Known* known = find_known(metric);
  if (known == nullptr) {
    return {.name = "x/" + part_of_name(task) + "." + part_of_name(metric) +
                    (is_filtered ? "." + part_of_name(filter) : ""),
            .unit = "score",
            .higher_is_better = {}};
  }
  return {.name = part_of_name(task) + "/" + std::string(known->name) + (is_filtered ? "@" + part_of_name(filter) : ""),
          .unit = std::string(known->unit),
          .higher_is_better = known->higher_is_better};
}

bool is_grade(std::string_view metric) {
  const Known* known = find_known(metric);
  return known != nullptr && known->is_grade;
}

}  // namespace lowbit::lm_eval
