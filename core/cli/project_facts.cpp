#include "cli/project_facts.h"

#include <algorithm>
#include <optional>

#include "base/words.h"
#include "cli/sql_text.h"
#include "store/sqlite/open.h"

namespace lowbit::cli {
namespace {

constexpr std::size_t kShortestKey = 6;
constexpr const char* kRunPrefix = "run:";

/// Rows as objects.
Result<Json> ask(const exec::ProjectPaths& project, const std::string& sql) {
  LB_TRY_ASSIGN(const QueryResult result, store::query_sqlite(project.database(), sql));
  Json rows = Json::array();
  for (const auto& row : result.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < result.columns.size(); ++i) object[result.columns[i]] = row[i].value_or(Json());
    rows.push_back(std::move(object));
  }
  return rows;
}

/// A column that holds JSON as text.
Json unpacked(const Json& text) {
  return text.is_string() ? Json::parse(text.get<std::string>(), nullptr, false) : Json();
}

bool may_be_key(const std::string& word) {
  return word.size() >= kShortestKey && word.size() <= 64 &&
         word.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Diagnostic several(const std::string& word, const std::vector<std::string>& candidates, const std::string& how) {
  return error("LB0037", word + " names several things").note("they are " + listed(candidates, 6)).fix(how);
}

std::vector<std::string> column(const Json& rows, const char* name) {
  std::vector<std::string> values;
  for (const Json& row : rows) values.push_back(row.at(name).get<std::string>());
  return values;
}

Result<Json> nothing_found(const exec::ProjectPaths& project, const std::string& word) {
  LB_TRY_ASSIGN(const Json labels, ask(project,
                                       "SELECT DISTINCT label AS name FROM expansions UNION "
                                       "SELECT experiment FROM experiments ORDER BY 1"));
  Diagnostic problem = error("LB0004", "there is nothing named " + word + " in " + project.root.string());
  const std::vector<std::string> names = column(labels, "name");
  std::vector<std::string> variants;
  for (const std::string& name : names) {
    if (name.rfind(word + "[", 0) == 0) variants.push_back(name);
  }
  if (!variants.empty()) {
    problem.note("its variants are " + listed(variants, 4));
  } else if (const std::string near = nearest(word, names); !near.empty()) {
    problem.note("something with a similar name exists: " + near);
  }
  return problem.fix("`lowbit ls` lists experiments and runs, `lowbit status --json` every variant");
}

/// One input of a record, with the name of what made it and the place where it lies.
Result<Json> input_facts(const exec::ProjectPaths& project, const std::string& port, const Json& at, const Json& of) {
  Json input{
      {"port", port},   {"at", at},      {"type", of.value("type", Json())}, {"digest", of.value("digest", Json())},
      {"from", Json()}, {"path", Json()}};
  if (of.contains("from")) {
    LB_TRY_ASSIGN(const Json rows, ask(project, "SELECT label FROM expansions WHERE provenance_key = " +
                                                    sql_text(of["from"].get<std::string>()) + " LIMIT 1"));
    if (!rows.empty()) input["from"] = rows[0]["label"].get<std::string>() + "." + of.value("port", std::string());
    return input;
  }
  if (!input["digest"].is_string()) return input;
  const std::string digest = sql_text(input["digest"].get<std::string>());
  LB_TRY_ASSIGN(const Json made,
                ask(project,
                    "SELECT a.path, t.label || '.' || a.port AS made_as FROM artifacts a JOIN results r ON "
                    "r.result_id = a.result_id JOIN attempts t ON t.attempt_id = r.attempt_id WHERE a.digest = " +
                        digest + " ORDER BY r.is_current DESC, r.result_id LIMIT 1"));
  if (!made.empty()) {
    input["from"] = made[0]["made_as"];
    input["path"] = made[0]["path"];
    return input;
  }
  LB_TRY_ASSIGN(const Json outside,
                ask(project, "SELECT path FROM external_digests WHERE digest = " + digest + " LIMIT 1"));
  if (!outside.empty()) input["path"] = outside[0]["path"];
  return input;
}

Result<Json> inputs_of(const exec::ProjectPaths& project, const Json& record) {
  Json inputs = Json::array();
  const Json all = record.value("inputs", Json::object());
  for (const auto& [port, bound] : all.items()) {
    if (!bound.is_array()) {
      LB_TRY_ASSIGN(Json one, input_facts(project, port, nullptr, bound));
      inputs.push_back(std::move(one));
      continue;
    }
    for (const Json& member : bound) {
      LB_TRY_ASSIGN(Json one,
                    input_facts(project, port, member.value("at", Json()), member.value("of", Json::object())));
      inputs.push_back(std::move(one));
    }
  }
  return inputs;
}

Result<Json> attempts_of(const exec::ProjectPaths& project, const std::string& where) {
  LB_TRY_ASSIGN(
      Json attempts,
      ask(project,
          "SELECT number, CASE state WHEN 1 THEN 'running' WHEN 2 THEN 'done' WHEN 3 THEN 'failed' WHEN 4 "
          "THEN 'cancelled' ELSE 'lost' END AS state, started_at, ended_at, seconds, coalesce((SELECT r.directory FROM "
          "results r WHERE r.attempt_id = attempts.attempt_id), directory) AS directory, failure "
          "FROM attempts WHERE " +
              where + " ORDER BY attempt_id"));
  for (Json& attempt : attempts) attempt["failure"] = unpacked(attempt["failure"]);
  return attempts;
}

}  // namespace

Result<Json> find_thing(const exec::ProjectPaths& project, const std::string& word, const std::string& experiment) {
  LB_TRY_ASSIGN(
      const Json variants,
      ask(project, "SELECT expansion_id, experiment, provenance_key FROM expansions WHERE label = " + sql_text(word) +
                       (experiment.empty() ? "" : " AND experiment = " + sql_text(experiment)) +
                       " ORDER BY expansion_id"));
  const bool same = std::all_of(variants.begin(), variants.end(), [&](const Json& one) {
    return one["provenance_key"] == variants[0]["provenance_key"];
  });
  if (!variants.empty() && same) return Json{{"variant", variants[0]["expansion_id"]}};
  if (!variants.empty()) {
    return several(word, column(variants, "experiment"), "say which experiment's with --experiment NAME");
  }
  LB_TRY_ASSIGN(const Json named,
                ask(project, "SELECT experiment FROM experiments WHERE experiment = " + sql_text(word)));
  if (!named.empty()) return Json{{"experiment", word}};
  if (word.rfind(kRunPrefix, 0) == 0) {
    LB_TRY_ASSIGN(const Json runs, ask(project, "SELECT run_id FROM runs WHERE CAST(run_id AS TEXT) = " +
                                                    sql_text(word.substr(std::string(kRunPrefix).size()))));
    if (!runs.empty()) return Json{{"run", runs[0]["run_id"]}};
  }
  if (may_be_key(word)) {
    LB_TRY_ASSIGN(const Json found,
                  ask(project,
                      "SELECT 'result' AS what, CAST(result_id AS TEXT) AS name FROM results WHERE is_current = 1 AND "
                      "content_key GLOB '" +
                          word +
                          "*' UNION SELECT 'variant', CAST(min(expansion_id) AS TEXT) FROM "
                          "expansions WHERE provenance_key GLOB '" +
                          word +
                          "*' GROUP BY provenance_key UNION "
                          "SELECT 'artifact', digest FROM artifacts WHERE digest GLOB '" +
                          word + "*'"));
    if (found.size() > 1) return several(word, column(found, "what"), "give more digits of the key");
    if (found.size() == 1) {
      const std::string what = found[0]["what"].get<std::string>();
      const std::string name = found[0]["name"].get<std::string>();
      if (what == "artifact") return Json{{"artifact", name}};
      return Json{{what, std::stoll(name)}};
    }
  }
  return nothing_found(project, word);
}

Result<Json> variant_facts(const exec::ProjectPaths& project, const Json& thing) {
  const bool by_variant = thing.contains("variant");
  LB_TRY_ASSIGN(
      const Json rows,
      ask(project,
          by_variant
              ? "SELECT e.experiment, e.stage, e.label, e.plugin, e.provenance_key, e.provenance_record, v.state, "
                "v.result_id FROM expansions e JOIN v_stages v ON v.experiment = e.experiment AND v.label = e.label "
                "WHERE e.expansion_id = " +
                    canonical(thing["variant"])
              : "SELECT NULL AS experiment, NULL AS stage, t.label, r.plugin, t.provenance_key, NULL AS "
                "provenance_record, 'done' AS state, r.result_id FROM results r JOIN attempts t ON t.attempt_id = "
                "r.attempt_id WHERE r.result_id = " +
                    canonical(thing["result"])));
  if (rows.empty()) return nothing_found(project, canonical(thing));
  const Json& row = rows[0];
  Json facts{{"label", row["label"]},    {"experiment", row["experiment"]},
             {"stage", row["stage"]},    {"plugin", row["plugin"]},
             {"state", row["state"]},    {"provenance_key", row["provenance_key"]},
             {"content_key", Json()},    {"directory", Json()},
             {"seconds", Json()},        {"record", unpacked(row["provenance_record"])},
             {"outputs", Json::array()}, {"metrics", Json::array()}};
  std::string attempts =
      "provenance_key = " +
      sql_text(row["provenance_key"].is_string() ? row["provenance_key"].get<std::string>() : std::string());
  if (!row["result_id"].is_null()) {
    const std::string id = canonical(row["result_id"]);
    LB_TRY_ASSIGN(const Json results, ask(project,
                                          "SELECT content_key, content_record, directory, seconds FROM results "
                                          "WHERE result_id = " +
                                              id));
    const Json& result = results.at(0);
    facts["content_key"] = result["content_key"];
    facts["directory"] = result["directory"];
    facts["seconds"] = result["seconds"];
    facts["record"] = unpacked(result["content_record"]);
    attempts += " OR content_key = " + sql_text(result["content_key"].get<std::string>());
    LB_TRY_ASSIGN(Json outputs, ask(project,
                                    "SELECT port, type, digest, path, bytes, summary FROM artifacts WHERE "
                                    "result_id = " +
                                        id + " ORDER BY port"));
    for (Json& output : outputs) output["summary"] = unpacked(output["summary"]);
    facts["outputs"] = std::move(outputs);
    LB_TRY_ASSIGN(const Json metrics, ask(project,
                                          "SELECT name, unit, value, std_error, count FROM metrics WHERE "
                                          "result_id = " +
                                              id + " ORDER BY name"));
    facts["metrics"] = metrics;
  }
  LB_TRY_ASSIGN(Json inputs, inputs_of(project, facts["record"].is_object() ? facts["record"] : Json::object()));
  LB_TRY_ASSIGN(Json tries, attempts_of(project, attempts));
  facts["inputs"] = std::move(inputs);
  facts["attempts"] = std::move(tries);
  return facts;
}

Result<Json> artifact_facts(const exec::ProjectPaths& project, const std::string& digest) {
  const std::string wanted = sql_text(digest);
  LB_TRY_ASSIGN(const Json rows,
                ask(project,
                    "SELECT a.result_id, a.port, a.type, a.path, a.bytes, a.summary, t.label FROM artifacts a JOIN "
                    "results r ON r.result_id = a.result_id JOIN attempts t ON t.attempt_id = r.attempt_id WHERE "
                    "a.digest = " +
                        wanted + " ORDER BY r.is_current DESC, r.result_id"));
  if (rows.empty()) return nothing_found(project, digest);
  Json made_by = Json::array();
  for (const Json& row : rows)
    made_by.push_back(row["label"].get<std::string>() + "." + row["port"].get<std::string>());
  LB_TRY_ASSIGN(const Json users,
                ask(project,
                    "SELECT DISTINCT e.label FROM results r JOIN provenance p ON p.content_key = r.content_key JOIN "
                    "expansions e ON e.provenance_key = p.provenance_key WHERE r.is_current = 1 AND "
                    "instr(json_extract(r.content_record, '$.inputs'), " +
                        wanted + ") > 0 ORDER BY e.expansion_id"));
  LB_TRY_ASSIGN(const Json bases,
                ask(project, "SELECT base FROM artifact_bases WHERE result_id = " + canonical(rows[0]["result_id"]) +
                                 " AND port = " + sql_text(rows[0]["port"].get<std::string>()) + " ORDER BY position"));
  return Json{{"digest", digest},
              {"type", rows[0]["type"]},
              {"bytes", rows[0]["bytes"]},
              {"path", rows[0]["path"]},
              {"summary", unpacked(rows[0]["summary"])},
              {"made_by", std::move(made_by)},
              {"used_by", column(users, "label")},
              {"bases", column(bases, "base")}};
}

Result<Json> results_of(const exec::ProjectPaths& project, const Json& thing) {
  const std::string which =
      thing.contains("run")
          ? "SELECT t.label, r.result_id, r.content_record FROM attempts t JOIN results r ON r.attempt_id = "
            "t.attempt_id "
            "WHERE t.run_id = " +
                canonical(thing["run"])
          : "SELECT e.label, r.result_id, r.content_record FROM expansions e JOIN provenance p ON p.provenance_key = "
            "e.provenance_key JOIN results r ON r.content_key = p.content_key AND r.is_current = 1 WHERE e.experiment "
            "= " +
                sql_text(thing["experiment"].get<std::string>());
  LB_TRY_ASSIGN(const Json rows, ask(project, which));
  LB_TRY_ASSIGN(const Json metrics, ask(project,
                                        "SELECT w.label AS label, m.name, m.unit, m.value, m.std_error, m.count "
                                        "FROM (" +
                                            which + ") w JOIN metrics m ON m.result_id = w.result_id"));
  Json results = Json::object();
  for (const Json& row : rows) {
    results[row["label"].get<std::string>()] = {{"record", unpacked(row["content_record"])},
                                                {"metrics", Json::array()}};
  }
  for (Json row : metrics) {
    const std::string label = row["label"].get<std::string>();
    row.erase("label");
    results[label]["metrics"].push_back(std::move(row));
  }
  return results;
}

}  // namespace lowbit::cli
