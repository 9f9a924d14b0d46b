// What a project's database tells people: what there is, how far it is, and all of one result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "domain/result.h"

namespace lowbit {

/// What a word of a person stands for.
struct Meaning {
  enum class Kind { variant, result, artifact, experiment, run };
  Kind kind = Kind::variant;
  std::int64_t id = 0;  ///< of a variant (expansion_id), a result or a run
  std::string name;     ///< of an experiment; an artifact's digest; a variant's experiment where its label was given
};

/// An artifact in a record. What is empty is not known.
struct InputFacts {
  std::string port;
  Json at;                          ///< of a member of a gathered input: its coordinates; else null
  std::optional<std::string> type;  ///< empty while it is still to be made, as is `digest`
  std::optional<std::string> digest;
  std::optional<std::string> made_as;  ///< label.port of what made it; empty: it is from outside
  std::optional<std::string> path;     ///< relative to .lowbit; from outside: absolute
};

struct OutputFacts {
  std::string port;
  std::string type;
  std::string digest;
  std::string path;  ///< relative to .lowbit
  std::uint64_t bytes = 0;
  Json summary;  ///< may be null
};

struct AttemptFacts {
  std::int64_t number = 0;
  std::string state;
  std::string started_at;
  std::optional<std::string> ended_at;
  std::optional<double> seconds;
  std::string directory;  ///< relative to .lowbit: of the result, if it left one
  Json failure;           ///< null: it did not fail
};

/// A variant of an experiment's last expansion, with its result if there is one; or a result by itself, which no
/// expansion need lead to: then it has no experiment and no stage.
struct VariantFacts {
  std::string label;
  std::optional<std::string> experiment;
  std::optional<std::string> stage;
  std::string plugin;
  std::string state;  ///< as in the view v_stages
  std::optional<std::string> provenance_key;
  std::optional<std::string> content_key;  ///< of the result, as are `directory` and `seconds`
  std::optional<std::string> directory;    ///< relative to .lowbit
  std::optional<double> seconds;
  Json record;  ///< of the content key; without a result of the provenance key
  std::vector<InputFacts> inputs;
  std::vector<OutputFacts> outputs;
  std::vector<MetricRow> metrics;  ///< final ones, by name
  std::vector<AttemptFacts> attempts;
};

/// How a result came to be.
struct ExecutionFacts {
  /// Of lowbit; empty: not recorded.
  [[nodiscard]] std::string lowbit_version() const {
    const Json& version = member(versions, "lowbit");
    return version.is_string() ? version.get<std::string>() : std::string();
  }

  std::string label;  ///< that it was made for
  std::string content_key;
  std::string plugin_digest;  ///< of the plugin's file
  std::string directory;      ///< relative to .lowbit
  std::int64_t attempt = 0;
  std::string started_at;
  std::string ended_at;
  double seconds = 0;
  Json environment;  ///< numeric environment and lease, as the attempt recorded them; may be null
  std::int64_t run = 0;
  std::string command;  ///< of that run
  Json versions;        ///< of lowbit and the plugins, by id, in that run
  std::string build;    ///< what the plugin said of how it was built; empty: not recorded, as `host`
  std::string host;
};

struct ArtifactFacts {
  std::string digest;
  std::string type;
  std::uint64_t bytes = 0;
  std::string path;                  ///< relative to .lowbit
  Json summary;                      ///< may be null
  std::vector<std::string> made_by;  ///< label.port
  std::vector<std::string> used_by;  ///< labels
  std::vector<std::string> bases;    ///< digests
};

/// A result as far as it is compared with another.
struct ResultFacts {
  Json record;
  std::vector<MetricRow> metrics;  ///< final ones, by name
};

/// Where an artifact lies.
struct ArtifactPlace {
  Digest digest;
  std::string path;                    ///< relative to .lowbit; from outside: absolute
  std::optional<std::string> type;     ///< empty: it is from outside
  std::optional<std::string> made_as;  ///< label.port of what made it; likewise
};

/// Where a review queue lies that an experiment's last expansion leads to.
struct QueuePlace {
  std::string experiment;
  std::string label;
  std::string path;         ///< relative to .lowbit
  std::string predictions;  ///< digest of what was judged
};

/// A variant of an experiment's last expansion and how far it is.
struct VariantLine {
  std::string experiment;
  std::string stage;
  std::string label;
  std::string state;  ///< as in the view v_stages, or "gated": done, and held back by a gate
  std::optional<double> seconds;
  std::optional<std::string> failure;  ///< what went wrong, or what the gate says
  std::string cause;                   ///< of the failure; empty: none is recorded
};

struct ExperimentLine {
  std::string experiment;
  std::string file;
  std::uint64_t variants = 0;
  std::uint64_t done = 0;
  std::uint64_t running = 0;
  std::uint64_t failed = 0;  ///< or cancelled, or lost
  std::uint64_t never = 0;
  std::string expanded_at;
};

struct RunLine {
  std::int64_t run = 0;
  std::string experiment;
  std::string outcome;  ///< "open": it has not ended, or was killed
  std::string started_at;
  std::optional<double> seconds;
  std::uint64_t done = 0;    ///< attempts that it made
  std::uint64_t failed = 0;  ///< likewise: or cancelled, or lost
  std::string command;
};

/// The process that holds a project, as it wrote itself down.
struct HolderFacts {
  std::int64_t pid = 0;
  std::string host;
  std::string since;
  std::string experiment;  ///< that it runs; empty: none yet
  std::string command;
};

}  // namespace lowbit
