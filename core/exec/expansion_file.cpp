#include "exec/expansion_file.h"

#include <fstream>
#include <map>
#include <optional>
#include <system_error>

#include "env/clock.h"
#include "env/files.h"
#include "graph/keys.h"

namespace lowbit::exec {
namespace {

namespace fs = std::filesystem;

constexpr int kExpansionFormat = 1;

/// Differs when anything but the time does: a provenance key is the digest of its record.
std::string keys_digest(const Expansion& expansion) {
  Sha256 hash;
  const store::ExpandedFrom& from = expansion.from;
  Json given{from.experiment, from.file};
  if (!from.options.empty() || !from.text.empty()) given = {from.experiment, from.file, from.options, from.text};
  hash.update(canonical(given));
  for (const store::ExpansionRow& row : expansion.rows) {
    hash.update(stage_label(row.stage, row.coordinates));
    hash.update("\n" + row.plugin_id + "\n" + row.provenance_key.hex() + "\n");
  }
  return hash.finish().hex();
}

/// Without reading the rows: a file is written whole or not at all, and one that was cut since is too short.
bool says_the_same(const fs::path& file, const std::string& keys) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) return false;
  const Json header = Json::parse(line, nullptr, false);
  if (!header.is_object() || header.value("format", Json()) != kExpansionFormat ||
      header.value("keys", Json()) != keys) {
    return false;
  }
  std::error_code failed;
  return header.value("bytes", Json()) == fs::file_size(file, failed) - line.size() - 1 && !failed;
}

Diagnostic unreadable(const fs::path& file, const std::string& why) {
  return error("LB5007", "the expansion " + file.string() + " cannot be read")
      .note(why)
      .fix("remove it; `lowbit run` of that experiment writes it again");
}

store::ExpansionRow row_of(const Json& line) {
  std::vector<Coordinates::Entry> at;
  for (const Json& entry : line.at("at")) at.emplace_back(entry.at(0).get<std::string>(), entry.at(1));
  return {.stage = line.at("stage"),
          .coordinates = Coordinates(std::move(at)),
          .plugin_id = line.at("plugin"),
          .provenance_key = Digest::from_hex(line.at("key").get<std::string>()).value_or(Digest()),
          .provenance_record = line.at("record")};
}

using OutputsOf = std::map<Digest, std::map<std::string, ArtifactRef>>;

/// A member of a provenance record as it stands in the content record: null when it is left out, empty when its
/// producer has no result yet.
std::optional<Json> made(const Json& member, const OutputsOf& outputs_of) {
  const auto from = member.find("from");
  if (from == member.end()) return member;
  const auto producer = outputs_of.find(Digest::from_hex(from->get<std::string>()).value_or(Digest()));
  if (producer == outputs_of.end()) return std::nullopt;
  const auto output = producer->second.find(member.at("port").get<std::string>());
  if (output == producer->second.end()) return Json();
  return Json::parse(graph::artifact_record(output->second.type, output->second.digest));
}

/// The content record that a provenance record leads to; empty while an input is to be made.
std::optional<Json> content_record(const Json& provenance, const OutputsOf& outputs_of) {
  Json record = provenance;
  Json inputs = Json::object();
  for (const auto& [port, input] : provenance.at("inputs").items()) {
    if (!input.is_array()) {
      std::optional<Json> one = made(input, outputs_of);
      if (!one) return std::nullopt;
      if (!one->is_null()) inputs[port] = *std::move(one);
      continue;
    }
    inputs[port] = Json::array();
    for (const Json& member : input) {
      std::optional<Json> one = made(member.at("of"), outputs_of);
      if (!one) return std::nullopt;
      if (!one->is_null()) inputs[port].push_back({{"at", member.at("at")}, {"of", *std::move(one)}});
    }
  }
  record["inputs"] = std::move(inputs);
  return record;
}

}  // namespace

fs::path expansion_file(const ProjectPaths& project, const std::string& experiment) {
  return project.expansions() / (experiment + ".jsonl");
}

Result<void> write_expansion(const ProjectPaths& project, const Expansion& expansion) {
  const fs::path file = expansion_file(project, expansion.from.experiment);
  const std::string keys = keys_digest(expansion);
  if (says_the_same(file, keys)) return {};
  std::string text;
  for (const store::ExpansionRow& row : expansion.rows) {
    Json at = Json::array();
    for (const auto& [axis, value] : row.coordinates.entries()) at.push_back(Json::array({axis, value}));
    text += canonical({{"stage", row.stage},
                       {"at", std::move(at)},
                       {"plugin", row.plugin_id},
                       {"key", row.provenance_key.hex()},
                       {"record", row.provenance_record.json()}});
    text += '\n';
  }
  const std::string header = canonical({{"format", kExpansionFormat},
                                        {"experiment", expansion.from.experiment},
                                        {"file", expansion.from.file},
                                        {"options", expansion.from.options},
                                        {"text", expansion.from.text},
                                        {"expanded_at", env::utc_now()},
                                        {"keys", keys},
                                        {"bytes", text.size()}});
  LB_TRY(env::make_directories(project.expansions()));
  return env::write_file_durably(file, header + "\n" + text);
}

Result<Expansion> read_expansion(const fs::path& file) {
  LB_TRY_ASSIGN(const std::string text, env::read_file(file));
  try {
    Expansion expansion;
    std::string keys;
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
      const Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                    text.begin() + static_cast<std::ptrdiff_t>(end));
      if (begin > 0) {
        expansion.rows.push_back(row_of(line));
        continue;
      }
      if (line.at("format") != kExpansionFormat) return unreadable(file, "it was made by a newer lowbit");
      expansion.from = {.experiment = line.at("experiment"),
                        .file = line.at("file"),
                        .options = line.value("options", ""),
                        .text = line.value("text", "")};
      keys = line.at("keys");
    }
    if (keys_digest(expansion) != keys) return unreadable(file, "it is not what was written");
    return expansion;
  } catch (const Json::exception& e) {
    return unreadable(file, e.what());
  }
}

Result<std::vector<std::pair<Digest, Digest>>> missing_links(const store::Store& store, const std::string& experiment,
                                                             const std::vector<store::ExpansionRow>& rows) {
  LB_TRY_ASSIGN(const auto known, store.links_of(experiment));
  std::vector<std::pair<Digest, Digest>> links;
  OutputsOf outputs_of;
  for (const store::ExpansionRow& row : rows) {
    const auto recorded = known.find(row.provenance_key);
    const std::optional<Json> record = content_record(row.provenance_record.json(), outputs_of);
    std::optional<StageResult> result;
    if (record) result = store.by_content_key(graph::digest_of(*record));
    if (result && (recorded == known.end() || recorded->second != result->content_key)) {
      links.emplace_back(row.provenance_key, result->content_key);
    }
    if (!result && recorded != known.end()) result = store.by_content_key(recorded->second);
    if (result) outputs_of[row.provenance_key] = std::move(result->outputs);
  }
  LB_TRY(store.lookup_state());
  return links;
}

}  // namespace lowbit::exec
