// The questions that people ask of results.db. All answers of one object are of one moment, that of the first question;
// reading never blocks a run that uses a write-ahead log. Hold it no longer than the questions take.
// Thread rule: one thread.
//
//   LB_TRY_ASSIGN(store::ProjectFacts facts, store::ProjectFacts::open(project.database()));
//   LB_TRY_ASSIGN(const std::vector<Meaning> found, facts.meanings_of(word, {}));
//   if (found.size() == 1 && found.front().kind == Meaning::Kind::variant) { ... facts.variant(found.front()) ... }
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/duration_history.h"
#include "domain/judgement.h"
#include "domain/project_facts.h"
#include "domain/samples.h"
#include "graph/cost.h"

namespace lowbit::store {

class Connection;

/// What has names.
enum class Named {
  experiments,
  runs,      ///< run:7, the oldest first
  stages,    ///< of the last expansions
  variants,  ///< labels of the last expansions, in their order
  attempts,  ///< labels of whatever was ever tried
  judges,    ///< of verdicts that the last expansions lead to; without votes, people and the truth
  models,    ///< labels of variants whose result holds a model or an adapter
};

class ProjectFacts {
 public:
  /// LB60xx on a file that is missing or cannot be read.
  [[nodiscard]] static Result<ProjectFacts> open(const std::filesystem::path& database);
  ~ProjectFacts();
  ProjectFacts(ProjectFacts&&) noexcept;
  ProjectFacts& operator=(ProjectFacts&&) noexcept;

  /// Each once, in alphabetical order where none is said.
  [[nodiscard]] Result<std::vector<std::string>> names(Named what);

  /// All that a word may mean, which is a label, the name of an experiment, run:N or the beginning of a key or digest.
  /// Several: it is ambiguous. Variants with one key are one. `experiment` narrows variants; empty: any.
  [[nodiscard]] Result<std::vector<Meaning>> meanings_of(const std::string& word, const std::string& experiment);
  /// REQUIRES: of a variant or a result, from meanings_of() of this object.
  [[nodiscard]] Result<VariantFacts> variant(const Meaning& meaning);
  [[nodiscard]] Result<ExecutionFacts> execution(std::int64_t result);
  /// REQUIRES: of an artifact, likewise.
  [[nodiscard]] Result<ArtifactFacts> artifact(const Meaning& meaning);
  /// What an experiment's last expansion leads to, or what a run made, by label. REQUIRES: of one of these, likewise.
  [[nodiscard]] Result<std::map<std::string, ResultFacts>> results(const Meaning& meaning);

  /// Verdicts that the experiment's last expansion leads to, in its order. Left out are those of kTruthJudge, and those
  /// of stages that do not read the predictions they speak of.
  [[nodiscard]] Result<std::vector<Judgement>> judgements(const std::string& experiment);

  /// The one predictions/1 artifact of a variant's result, or of a result; LB7064 where there is none, or several and
  /// `port` is empty. REQUIRES: of a variant or a result, from meanings_of() of this object.
  [[nodiscard]] Result<PredictionsPlace> predictions(const Meaning& meaning, const std::string& port = {});
  /// Of a result that has such an artifact.
  [[nodiscard]] Result<PredictionsPlace> predictions_of(std::int64_t result);
  /// What the last expansions lead to that grades or judges the predictions of this digest, in their order.
  [[nodiscard]] Result<std::vector<MarksPlace>> marks_on(const std::string& digest);
  /// How many items pass, and the first `limit` of them in the order of the artifact. `deciding`: of `marks`, those
  /// that the filter's error is looked up in.
  [[nodiscard]] Result<std::size_t> count_samples(const PredictionsPlace& place, const SampleFilter& filter,
                                                  const std::vector<MarksPlace>& deciding);
  [[nodiscard]] Result<std::vector<Sample>> samples(const PredictionsPlace& place, const SampleFilter& filter,
                                                    const std::vector<MarksPlace>& deciding, std::size_t limit);
  /// Error types and categories that these name, by name.
  [[nodiscard]] Result<std::vector<std::string>> errors_in(const std::vector<MarksPlace>& marks);
  /// Adds what `marks` say of each of these samples.
  [[nodiscard]] Result<void> add_marks(const std::vector<MarksPlace>& marks, std::vector<Sample>& samples);

  /// In the order of the experiments' names and of their expansions. Empty: of all experiments.
  [[nodiscard]] Result<std::vector<VariantLine>> variants(const std::string& experiment = {});
  /// By name.
  [[nodiscard]] Result<std::vector<ExperimentLine>> experiments();
  /// Newest first, at most `limit`; empty: all.
  [[nodiscard]] Result<std::vector<RunLine>> runs(std::optional<std::int64_t> limit);

  /// Of the newest attempt with this label, relative to .lowbit; empty: there is none.
  [[nodiscard]] Result<std::optional<std::string>> newest_attempt_directory(const std::string& label);
  /// The newest model or adapter that a variant of this label made, or that has this digest.
  [[nodiscard]] Result<std::optional<ArtifactPlace>> model(const std::string& label_or_digest);
  [[nodiscard]] Result<std::optional<ArtifactPlace>> place_of(const std::string& digest);

  /// In the order of the experiments' names and of their expansions. Empty: of all experiments.
  [[nodiscard]] Result<std::vector<QueuePlace>> review_queues(const std::string& experiment = {});

  [[nodiscard]] Result<std::vector<graph::CostSample>> costs();
  [[nodiscard]] Result<DurationHistory> mean_seconds(const std::string& experiment);
  /// Empty: nobody ever held the project.
  [[nodiscard]] Result<std::optional<HolderFacts>> holder();

 private:
  explicit ProjectFacts(std::unique_ptr<Connection> db);

  std::unique_ptr<Connection> db_;
};

}  // namespace lowbit::store
