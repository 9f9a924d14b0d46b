#include "exec/verify.h"

#include <tbb/parallel_for.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "env/files.h"
#include "exec/manifest.h"
#include "exec/publish.h"
#include "graph/keys.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

struct Checked {
  std::vector<std::string> problems;
  std::uint64_t bytes = 0;
};

/// By path: what the record of a result says of one of its outputs.
std::map<std::string, ManifestFile> recorded_files(const Json& output) {
  std::map<std::string, ManifestFile> files;
  for (const Json& file : output.at("files")) {
    const std::string path = file.at("path");
    files[path] = {.path = path,
                   .bytes = file.at("bytes"),
                   .digest = Digest::from_hex(file.at("sha256").get<std::string>()).value_or(Digest())};
  }
  return files;
}

void compare_files(const Json& output, const Manifest& there, const std::string& prefix, Checked& checked) {
  std::map<std::string, ManifestFile> recorded = recorded_files(output);
  for (const ManifestFile& file : there.files) {
    const auto it = recorded.find(file.path);
    if (it == recorded.end()) {
      checked.problems.push_back(prefix + file.path + ": not published");
      continue;
    }
    if (it->second.digest != file.digest) checked.problems.push_back(prefix + file.path + ": other bytes");
    recorded.erase(it);
  }
  for (const auto& [path, file] : recorded) checked.problems.push_back(prefix + path + ": missing");
}

Result<void> check_output(const fs::path& directory, const store::PublishedOutput& output, const Json& record,
                          Checked& checked) {
  const std::string prefix = "out/" + output.port + "/";
  Manifest there;
  if (env::exists(directory / "out" / output.port)) {
    auto read = read_manifest(directory / "out" / output.port, false);
    if (!read.ok()) {
      const std::string& code = read.error().front().code;
      if (code != "LB6105" && code != "LB6106") return std::move(read).error();
      checked.problems.push_back(read.error().front().what);
      return {};
    }
    there = *std::move(read);
  }
  checked.bytes += there.bytes();
  const std::size_t before = checked.problems.size();
  try {
    const Json& recorded = record.at("outputs").at(output.port);
    compare_files(recorded, there, prefix, checked);
    if (recorded.at("digest") != output.artifact.digest.hex()) {
      checked.problems.push_back(prefix + ": the database says that other bytes were published");
    }
  } catch (const Json::exception&) {
    checked.problems.resize(before);
    checked.problems.push_back("manifest.json does not say what " + prefix + " holds");
  }
  return {};
}

Result<Checked> check_result(const fs::path& directory, const store::StoredResult& result) {
  Checked checked;
  if (!env::exists(directory)) {
    checked.problems.emplace_back("its directory is missing");
    return checked;
  }
  auto record = read_result_record(directory);
  if (!record.ok()) {
    const Diagnostic& problem = record.error().front();
    if (problem.code != "LB5004" && problem.code != "LB6101") return std::move(record).error();
    checked.problems.push_back(problem.code == "LB6101" ? "manifest.json: missing" : problem.what);
    return checked;
  }
  if (graph::digest_of(record->value("content_record", Json())) != result.content_key) {
    checked.problems.emplace_back("manifest.json is of another result");
  }
  for (const store::PublishedOutput& output : result.outputs) {
    LB_TRY(check_output(directory, output, *record, checked));
  }
  return checked;
}

}  // namespace

Result<Verification> verify(const ProjectPaths& project, const store::Store& store) {
  LB_TRY_ASSIGN(const std::vector<store::StoredResult> results, store.stored_results());
  std::vector<std::optional<Result<Checked>>> checked(results.size());
  tbb::parallel_for(std::size_t{0}, results.size(), [&](std::size_t i) {
    checked[i].emplace(check_result(project.state() / results[i].directory, results[i]));
  });
  Verification verification;
  verification.results = results.size();
  std::set<fs::path> known;
  for (std::size_t i = 0; i < results.size(); ++i) {
    LB_TRY_ASSIGN(Checked one, *std::move(checked[i]));
    const fs::path directory = project.state() / results[i].directory;
    known.insert(directory);
    verification.bytes += one.bytes;
    if (one.problems.empty()) continue;
    verification.damaged.push_back({.id = results[i].id,
                                    .label = results[i].label,
                                    .directory = directory,
                                    .problems = std::move(one.problems),
                                    .current = results[i].current});
  }
  LB_TRY_ASSIGN(const std::vector<fs::path> shelves, env::list_directory(project.results()));
  for (const fs::path& shelf : shelves) {
    LB_TRY_ASSIGN(const std::vector<fs::path> directories, env::list_directory(shelf));
    for (const fs::path& directory : directories) {
      if (!known.contains(directory)) verification.unknown.push_back(directory);
    }
  }
  return verification;
}

Result<void> repair(WritableProject& project, const std::vector<DamagedResult>& damaged) {
  std::vector<std::int64_t> ids;
  for (const DamagedResult& result : damaged) {
    if (env::exists(result.directory)) LB_TRY(set_aside(project.paths(), result.directory));
    ids.push_back(result.id);
  }
  return project.store().forget(ids);
}

}  // namespace lowbit::exec
