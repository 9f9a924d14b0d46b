#include "exec/garbage.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "env/file_lock.h"
#include "env/files.h"
#include "exec/expansion_file.h"
#include "exec/publish.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

/// Every digest of an artifact that a content record names.
void add_inputs(const Json& record, std::vector<Digest>& digests) {
  const auto inputs = record.find("inputs");
  if (inputs == record.end()) return;
  const auto add = [&](const Json& artifact) {
    if (!artifact.is_object() || !artifact.contains("digest") || !artifact["digest"].is_string()) return;
    if (const auto digest = Digest::from_hex(artifact["digest"].get<std::string>())) digests.push_back(*digest);
  };
  for (const auto& [port, input] : inputs->items()) {
    if (!input.is_array()) add(input);
    for (const Json& member : input.is_array() ? input : Json::array()) add(member.value("of", Json()));
  }
}

/// Of what is damaged nothing is known; what a newer lowbit wrote is no garbage (LB4108).
Result<std::optional<PublishContext>> context_of(const fs::path& attempt) {
  auto context = read_context({attempt});
  if (context.ok() || context.error().front().code == "LB4108") return context;
  return std::optional<PublishContext>();
}

class Finder {
 public:
  Finder(const ProjectPaths& project, const store::Store& store) : project_(project), store_(store) {}

  Result<GarbageList> find(const std::vector<std::string>& forget) {
    LB_TRY_ASSIGN(results_, store_.stored_results());
    LB_TRY_ASSIGN(experiments_, store_.experiments());
    for (const std::string& name : forget) LB_TRY(check_known(name));
    forgotten_.insert(forget.begin(), forget.end());
    list_.forgotten.assign(forgotten_.begin(), forgotten_.end());
    for (const store::StoredResult& result : results_) {
      bytes_.push_back(env::tree_bytes(project_.state() / result.directory));
    }
    LB_TRY(mark_running());
    LB_TRY_ASSIGN(const Needs needs, needs_without(""));
    wanted_ = needs.wanted;
    needed_ = closure_of(needs.keys);
    list_results();
    LB_TRY(list_gone());
    LB_TRY(list_attempts());
    LB_TRY(list_others());
    std::stable_sort(list_.items.begin(), list_.items.end(), [](const Garbage& a, const Garbage& b) {
      return a.kind != b.kind ? a.kind < b.kind : a.bytes > b.bytes;
    });
    return std::move(list_);
  }

 private:
  [[nodiscard]] Result<void> check_known(const std::string& name) const {
    if (std::find(experiments_.begin(), experiments_.end(), name) != experiments_.end()) return {};
    Diagnostic problem = error("LB0041", "there is no experiment " + name + " to forget");
    if (const std::string near = nearest(name, experiments_); !near.empty()) {
      problem.note("an experiment with a similar name exists: " + near);
    }
    return problem.fix("`lowbit ls` lists them");
  }

  /// What the experiments lead to that are not forgotten.
  struct Needs {
    std::set<Digest> keys;    ///< content keys
    std::set<Digest> wanted;  ///< provenance keys
  };

  /// Without `name` as well.
  [[nodiscard]] Result<Needs> needs_without(const std::string& name) const {
    Needs needs;
    for (const std::string& experiment : experiments_) {
      if (experiment == name || forgotten_.contains(experiment)) continue;
      LB_TRY_ASSIGN(const std::vector<store::ExpansionRow> rows, store_.expansion(experiment));
      for (const store::ExpansionRow& row : rows) needs.wanted.insert(row.provenance_key);
      LB_TRY_ASSIGN(const auto links, store_.links_of(experiment));
      for (const auto& [provenance, content] : links) needs.keys.insert(content);
      // What a killed run made and did not link any more is what the next one will reuse.
      LB_TRY_ASSIGN(const auto unlinked, missing_links(store_, experiment, rows));
      for (const auto& [provenance, content] : unlinked) needs.keys.insert(content);
    }
    return needs;
  }

  Result<void> mark_running() {
    LB_TRY_ASSIGN(const std::vector<store::Attempt> running, store_.running_attempts());
    for (const store::Attempt& attempt : running) {
      running_.insert(project_.state() / attempt.directory);
      LB_TRY_ASSIGN(const auto context, context_of(project_.state() / attempt.directory));
      if (context) add_inputs(context->content.record.json(), open_);
    }
    return {};
  }

  /// All results that hold an artifact that is asked for: which of them is read is decided when it is read.
  [[nodiscard]] std::vector<bool> closure_of(const std::set<Digest>& keys) const {
    std::map<Digest, std::vector<std::size_t>> makers;
    for (std::size_t i = 0; i < results_.size(); ++i) {
      for (const store::PublishedOutput& output : results_[i].outputs) makers[output.artifact.digest].push_back(i);
    }
    std::vector<bool> needed(results_.size(), false);
    std::vector<std::size_t> queue;
    const auto need = [&](std::size_t i) {
      if (needed[i]) return;
      needed[i] = true;
      queue.push_back(i);
    };
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (results_[i].current && keys.contains(results_[i].content_key)) need(i);
    }
    for (const Digest& digest : open_) {
      for (const std::size_t maker : makers[digest]) need(maker);
    }
    while (!queue.empty()) {
      const std::size_t i = queue.back();
      queue.pop_back();
      for (const store::PublishedOutput& output : results_[i].outputs) {
        for (const Digest& base : output.bases) {
          for (const std::size_t maker : makers[base]) need(maker);
        }
      }
    }
    return needed;
  }

  void list_results() {
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const fs::path directory = project_.state() / results_[i].directory;
      const std::uint64_t bytes = bytes_[i];
      if (needed_[i]) {
        ++list_.kept;
        list_.kept_bytes += bytes;
        continue;
      }
      list_.items.push_back({.kind = Garbage::Kind::result,
                             .label = results_[i].label,
                             .path = directory,
                             .bytes = bytes,
                             .seconds = results_[i].seconds,
                             .result = results_[i].id});
    }
  }

  Result<void> list_gone() {
    for (const std::string& name : experiments_) {
      if (forgotten_.contains(name)) continue;
      LB_TRY_ASSIGN(const std::string file, store_.experiment_file(name));
      if (file.empty() || env::exists(project_.root / file)) continue;
      GoneExperiment gone{.name = name, .file = file};
      LB_TRY_ASSIGN(const Needs needs, needs_without(name));
      const std::vector<bool> still_needed = closure_of(needs.keys);
      for (std::size_t i = 0; i < results_.size(); ++i) {
        if (!needed_[i] || still_needed[i]) continue;
        ++gone.results;
        gone.bytes += bytes_[i];
        gone.seconds += results_[i].seconds;
      }
      list_.gone.push_back(std::move(gone));
    }
    return {};
  }

  Result<void> list_attempts() {
    LB_TRY_ASSIGN(const std::vector<fs::path> keys, env::list_directory(project_.work()));
    for (const fs::path& key : keys) {
      LB_TRY_ASSIGN(const std::vector<fs::path> attempts, env::list_directory(key));
      for (const fs::path& attempt : attempts) {
        LB_TRY_ASSIGN(const auto context, context_of(attempt));
        if (running_.contains(attempt) || (context && wanted_.contains(context->provenance_key))) continue;
        if (env::exists(AttemptPaths{attempt}.lock())) {
          LB_TRY_ASSIGN(const auto lock, env::FileLock::try_take(AttemptPaths{attempt}.lock()));
          if (!lock) continue;  // a job of a host that was killed
        }
        list_.items.push_back({.kind = Garbage::Kind::attempt,
                               .label = context ? context->stage_label : attempt.filename().string(),
                               .path = attempt,
                               .bytes = env::tree_bytes(attempt)});
      }
    }
    return {};
  }

  Result<void> list_others() {
    LB_TRY_ASSIGN(const std::vector<fs::path> damaged, env::list_directory(project_.damaged()));
    for (const fs::path& result : damaged) {
      list_.items.push_back({.kind = Garbage::Kind::damaged,
                             .label = result.filename().string().substr(0, 8),
                             .path = result,
                             .bytes = env::tree_bytes(result)});
    }
    LB_TRY_ASSIGN(const std::vector<fs::path> files, env::list_directory(project_.state()));
    for (const fs::path& file : files) {
      const std::string name = file.filename().string();
      if (!name.starts_with("results.db.")) continue;
      list_.items.push_back(
          {.kind = Garbage::Kind::database, .label = name, .path = file, .bytes = env::tree_bytes(file)});
    }
    return {};
  }

  const ProjectPaths& project_;
  const store::Store& store_;
  std::vector<store::StoredResult> results_;
  std::vector<std::uint64_t> bytes_;  ///< by index of results_
  std::vector<bool> needed_;          ///< by index of results_
  std::vector<std::string> experiments_;
  std::set<std::string> forgotten_;
  std::set<Digest> wanted_;   ///< provenance keys of all last expansions that count
  std::vector<Digest> open_;  ///< artifacts that running attempts read
  std::set<fs::path> running_;
  GarbageList list_;
};

}  // namespace

std::string_view name_of(Garbage::Kind kind) {
  switch (kind) {
    case Garbage::Kind::result: return "result";
    case Garbage::Kind::attempt: return "attempt";
    case Garbage::Kind::damaged: return "damaged";
    case Garbage::Kind::database: return "database";
  }
  return {};
}

Result<GarbageList> find_garbage(const ProjectPaths& project, const store::Store& store,
                                 const std::vector<std::string>& forget) {
  return Finder(project, store).find(forget);
}

Result<void> remove_garbage(WritableProject& project, const GarbageList& garbage) {
  std::vector<std::int64_t> results;
  for (const Garbage& item : garbage.items) {
    if (item.kind == Garbage::Kind::result) results.push_back(item.result);
  }
  if (!results.empty() || !garbage.forgotten.empty()) LB_TRY(project.store().forget(results, garbage.forgotten));
  for (const std::string& experiment : garbage.forgotten) {
    LB_TRY(env::remove_tree(expansion_file(project.paths(), experiment)));
  }
  for (const Garbage& item : garbage.items) LB_TRY(env::remove_tree(item.path));
  return {};
}

}  // namespace lowbit::exec
