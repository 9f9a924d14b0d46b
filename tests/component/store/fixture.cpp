#include "component/store/fixture.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace lowbit::store::test {

namespace fs = std::filesystem;

Directory::Directory() {
  std::string name = (fs::temp_directory_path() / "lowbit-store-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) FAIL("no temporary directory");
  path_ = name;
}

Directory::~Directory() {
  std::error_code ignored;
  fs::permissions(path_, fs::perms::owner_all, ignored);
  fs::remove_all(path_, ignored);
}

std::string Directory::text_of(const Diagnostics& problems) const {
  std::string text = render(problems);
  for (auto at = text.find(path_.string()); at != std::string::npos; at = text.find(path_.string())) {
    text.replace(at, path_.string().size(), "DIR");
  }
  return text;
}

Writer::Writer(const fs::path& file, const OpenOptions& options)
    : store_(must(open_sqlite(file, Access::read_write, options))) {
  must(store_->take_lease("host-a", "boot-1", 100));
  run_ = must(store_->begin_run({.experiment = "study",
                                 .file = "study.yaml",
                                 .command = "lowbit run study.yaml",
                                 .versions = {{"lowbit", "0.1.0"}},
                                 .builds = {{"toy.score", "g++ 12.2.0"}},
                                 .host = "node7"}));
}

std::int64_t Writer::begin(const std::string& content, const std::string& label) {
  Attempt attempt;
  attempt.content_key = sha256(content);
  attempt.number = static_cast<std::int64_t>(must(store_->attempts_of(attempt.content_key)).size()) + 1;
  attempt.nonce = "n" + std::to_string(attempt.number);
  attempt.directory = "work/" + content + "/a" + std::to_string(attempt.number);
  attempt.stage_label = label;
  attempt.started_at = "2026-03-01T12:00:00.000Z";
  attempt.environment = Json{{"threads", 1}};
  return must(store_->begin_attempt(run_, attempt));
}

Publication Writer::publication(const std::string& content, const std::string& label, double value,
                                const std::string& metric) {
  Publication p;
  p.attempt_id = begin(content, label);
  p.provenance_key = sha256("p:" + content);
  p.result.content_key = sha256(content);
  p.own_record = Json{{"plugin", {{"id", "toy.score"}, {"version", "1.0.0"}}}, {"params", {{"num_bits", 3}}}};
  Json content_record = p.own_record.json();
  content_record["inputs"] = {{"task", {{"type", "task/1"}, {"digest", sha256("task").hex()}}}};
  p.result.content_record = content_record;
  p.result.plugin_digest = sha256("plugin file");
  p.stage_id = "toy.score";
  p.stage_kind = "evaluator";
  p.result_directory = "results/" + content + "-" + std::to_string(p.attempt_id);
  PublishedOutput output;
  output.port = "predictions";
  output.artifact = {"predictions/1", sha256("a:" + content)};
  output.path = p.result_directory + "/predictions";
  output.bytes = 42;
  p.result.outputs["predictions"] = output.artifact;
  p.outputs.push_back(output);
  p.metrics.push_back({.name = metric, .unit = "fraction", .value = value, .std_error = 0.1, .count = 10, .step = -1});
  p.ended_at = "2026-03-01T12:00:02.000Z";
  p.seconds = 2;
  return p;
}

StageResult Writer::publish(const Publication& publication, bool replace) {
  return must(store_->publish({publication}, replace)).front();
}

ExpansionRow row(const std::string& stage, std::vector<Coordinates::Entry> coordinates, const std::string& content) {
  return {.stage = stage,
          .coordinates = Coordinates(std::move(coordinates)),
          .plugin_id = "toy.score",
          .provenance_key = sha256("p:" + content),
          .provenance_record = Json{{"of", content}}};
}

std::string ask(const fs::path& file, const std::string& sql) {
  const QueryResult table = must(query_sqlite(file, sql));
  std::string out;
  for (const auto& cells : table.rows) {
    std::string line;
    for (const auto& cell : cells) {
      line += (&cell == cells.data() ? "" : ",") + (!cell               ? ""
                                                    : cell->is_string() ? cell->get<std::string>()
                                                                        : canonical(*cell));
    }
    out += line + "\n";
  }
  return out;
}

void meddle(const fs::path& file, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  char* message = nullptr;
  sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message);
  const std::string said = message == nullptr ? "" : message;
  sqlite3_free(message);
  sqlite3_close(db);
  REQUIRE(said.empty());
}

std::string in_child(const std::function<std::string()>& body) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string text = body();
    const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return text;
}

}  // namespace lowbit::store::test
