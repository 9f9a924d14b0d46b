// What two figures must have in common to be subtracted: the items that were asked, the prompts, the judges. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/study_recipes.h"
#include "domain/study_results.h"

namespace lowbit::report {

/// Something that a figure hangs on and that is no part of what is compared.
struct Basis {
  std::string what;   ///< "task/1", "prompts", "judge"
  std::string value;  ///< equal exactly when it is the same
  std::string shown;  ///< where it comes from, for people

  auto operator<=>(const Basis& other) const = default;
};

class Identity {
 public:
  /// Borrows all three.
  Identity(const StudyResults& study, const StudyRecipes& recipes, const Answers& answers)
      : study_(study), recipes_(recipes), answers_(answers) {}

  /// Why the figures of these two variants are not comparable, if they are not: "task/1 differs: 19ce2d41 of pool.task,
  /// 2959a124 of test.task". Data sets and prompts of evaluators, and of what judges and graders read, and the judges
  /// themselves; never models. Stages that make models, and data sets that stand on no answers, have no such basis.
  /// `other`: what the second is called in the text, "baseline " or nothing.
  [[nodiscard]] std::optional<std::string> difference(std::size_t variant, std::size_t baseline,
                                                      std::string_view other = "baseline ");
  /// REQUIRES: both are of the study.
  [[nodiscard]] std::optional<std::string> difference(const StudyVariant& variant, const StudyVariant& second) {
    return difference(index_of(variant), index_of(second), "");
  }

 private:
  [[nodiscard]] std::size_t index_of(const StudyVariant& variant) const {
    return static_cast<std::size_t>(&variant - study_.variants.data());
  }
  [[nodiscard]] const std::vector<Basis>& basis_of(std::size_t variant);
  void collect(std::size_t variant, std::vector<Basis>& basis);
  [[nodiscard]] bool reads_answers(std::size_t variant) const;

  const StudyResults& study_;
  const StudyRecipes& recipes_;
  const Answers& answers_;
  std::map<std::size_t, std::vector<Basis>> known_;
};

/// The variants whose predictions a figure of `variant` stands on: itself, or those that it judges or grades.
[[nodiscard]] std::vector<std::size_t> answering_variants(const StudyRecipes& recipes, std::size_t variant);

}  // namespace lowbit::report
