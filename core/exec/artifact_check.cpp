#include "exec/artifact_check.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "domain/artifact_type.h"
#include "env/files.h"
#include "exec/artifact_check_parts.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

struct TypeCheck {
  std::string_view type;
  void (*check)(Checking&);
};

constexpr std::array kChecks{TypeCheck{"file", [](Checking&) {}},
                             TypeCheck{"text/1", check_text},
                             TypeCheck{"model/1", check_model},
                             TypeCheck{"quantized-model/1", check_quantized_model},
                             TypeCheck{"adapter/1", check_adapter},
                             TypeCheck{"token-batches/1", check_token_batches},
                             TypeCheck{"hessians/1", check_hessians},
                             TypeCheck{"task/1", check_task},
                             TypeCheck{"sft-pairs/1", check_sft_pairs},
                             TypeCheck{"preference-pairs/1", check_preference_pairs},
                             TypeCheck{"predictions/1", check_predictions},
                             TypeCheck{"verdicts/1", check_verdicts},
                             TypeCheck{"grades/1", check_grades},
                             TypeCheck{"review-queue/1", check_review_queue},
                             TypeCheck{"decisions/1", check_decisions},
                             TypeCheck{"api-calls/1", check_api_calls},
                             TypeCheck{"rubric/1", check_rubric},
                             TypeCheck{"report/1", check_report}};

Diagnostic unknown_type(const std::string& type) {
  std::vector<std::string> names;
  for (const ArtifactType& t : artifact_types()) names.emplace_back(t.name);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  const std::string near = nearest(type, names);
  return error("LB5101", "there is no artifact type `" + type + "`")
      .note("the types are " + list)
      .fix(near.empty() ? "use one of these types: docs/artifacts.md"
                        : "a type with a similar name exists: `" + near + "`");
}

Diagnostics diagnostics(const Problems& problems, const std::string& type) {
  Diagnostics out;
  const std::string fix = "the format is described in docs/artifacts.md under " + type;
  for (const std::string& text : problems.shown()) out.push_back(error("LB5102", text).fix(fix));
  if (const std::size_t more = problems.count() - problems.shown().size(); more > 0) {
    out.push_back(
        error("LB5102", "and " + std::to_string(more) + (more == 1 ? " more problem" : " more problems")).fix(fix));
  }
  return out;
}

/// Nothing to judge or nothing decided is no line, and no line is a result.
bool may_be_empty(const std::string& type) {
  return type == "verdicts/1" || type == "api-calls/1" || type == "decisions/1";
}

}  // namespace

Result<CheckedArtifact> check_artifact(const std::string& type, const fs::path& path,
                                       std::optional<std::uint64_t> bytes) {
  try {
    const auto it = std::find_if(kChecks.begin(), kChecks.end(), [&](const TypeCheck& c) { return c.type == type; });
    if (it == kChecks.end()) return unknown_type(type);
    CheckedArtifact artifact;
    artifact.ref.type = type;
    artifact.bytes = bytes ? *bytes : env::tree_bytes(path);
    Problems problems;
    Checking checking{.path = path, .problems = problems, .out = artifact};
    if (artifact.bytes == 0 && (!may_be_empty(type) || !fs::exists(path) || fs::is_empty(path))) {
      problems.add("the artifact", "is missing or holds no bytes");
    } else if (!fs::is_directory(path) && type != "file" && type != "text/1") {
      problems.add("the artifact", "is a file; " + type + " is a directory");
    } else {
      it->check(checking);
    }
    if (!problems.empty()) return diagnostics(problems, type);
    return artifact;
  } catch (const fs::filesystem_error& e) {
    return env::file_error("reading", e.path1(), e.code().value());
  }
}

}  // namespace lowbit::exec
