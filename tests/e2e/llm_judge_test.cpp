// The language model judge through the program, against a server of this test.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "e2e/project.h"
#include "support/http_server.h"
#include "tasks/task.h"

using namespace lowbit::test;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

constexpr const char* kKey = "sk-very-secret-0123456789";
constexpr const char* kStudy = R"(experiment: judged
inputs:
  problems: {type: task/1, path: problems}
  answers: {type: predictions/1, path: answers}
stages:
  - id: judge
    use: lowbit.llm-judge
    with: {task: inputs.problems, predictions: inputs.answers}
    params: {endpoint: local, model: judge-1, max_concurrent: 1, max_attempts: 1}
)";

HttpAnswer verdict() {
  const Json said{{"explanation", "because"},
                  {"status", "error"},
                  {"first_error_step", 1},
                  {"type", "computational_error"},
                  {"confidence", 1}};
  const Json choice{{"finish_reason", "stop"}, {"message", {{"content", said.dump()}}}};
  const Json usage{{"prompt_tokens", 100}, {"completion_tokens", 20}};
  return {.body = Json{{"model", "judge-1"}, {"choices", Json::array({choice})}, {"usage", usage}}.dump(),
          .headers = {}};
}

/// Six wrong answers.
struct Study {
  explicit Study(const std::string& url) : project(kStudy) {
    lowbit::tasks::Task task{.name = "t", .system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = {}};
    std::filesystem::create_directories(project.path() / "problems");
    std::filesystem::create_directories(project.path() / "answers");
    lowbit::JsonLinesWriter out(project.path() / "answers" / "predictions.jsonl");
    for (int i = 0; i < 6; ++i) {
      const std::string id = "i" + std::to_string(i);
      task.items.push_back(
          {.item_id = id, .problem_id = id, .problem = "problem " + id, .answer = "3", .solution = {}, .steps = {}});
      out.write({{"item_id", id},
                 {"problem_id", id},
                 {"prompt_sha", std::string(64, '0')},
                 {"text", "2 + 2 = 5"},
                 {"steps", Json::array({"2 + 2 = 5"})},
                 {"extracted", "5"},
                 {"correct", false},
                 {"n_tokens", 9},
                 {"truncated", false}});
    }
    out.close();
    lowbit::tasks::write_task(project.path() / "problems", task);
    ::setenv("LOWBIT_JUDGE_URL", url.c_str(), 1);
    ::setenv("LOWBIT_JUDGE_KEY", kKey, 1);
  }
  Project project;
};

/// Host and jobs: whatever was started with this variable. Returns how many there were.
int kill_all_with(const std::string& variable) {
  int killed = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos || std::stoi(name) == ::getpid()) continue;
    if (read_text(entry.path() / "environ").find(variable) == std::string::npos) continue;
    if (::kill(std::stoi(name), SIGKILL) == 0) ++killed;
  }
  return killed;
}

/// `lowbit plugins check` with budgets that do not end the stage: any other does, and is tried otherwise.
std::vector<std::string> checking(const std::string& plugin, const std::vector<std::string>& more) {
  std::vector<std::string> words{"plugins", "check",
                                 std::string(LOWBIT_BINARY_DIR) + "/lib/lowbit/plugins/" + plugin + ".so"};
  for (const char* param :
       {"endpoint=local", "usd_per_million_input=1", "usd_per_million_output=1", "max_calls=1000", "max_calls=2000",
        "max_total_tokens=1000000", "max_total_tokens=2000000", "max_cost_usd=10", "max_cost_usd=20"}) {
    words.insert(words.end(), {"--param", param});
  }
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::map<std::string, int> times_asked(const HttpServer& server) {
  std::map<std::string, int> times;
  for (const HttpAsked& asked : server.asked()) {
    const std::string text = Json::parse(asked.body)["messages"].back()["content"];
    ++times[text.substr(text.find("problem i") + 8, 2)];
  }
  return times;
}

}  // namespace

TEST_CASE("a judge that is killed in the middle of a call does not pay again for those before", "[e2e]") {
  std::atomic<bool> silent{true};
  HttpServer server([&](const HttpAsked& asked) {
    return silent && asked.number > 4 ? HttpAnswer{.body = {}, .headers = {}, .how = HttpAnswer::How::silence}
                                      : verdict();
  });
  const Study study(server.url());
  {
    const auto run = study.project.start({"run", "experiment.yaml"});
    REQUIRE(server.wait_for(5));
    CHECK(kill_all_with("LOWBIT_JUDGE_URL=" + server.url()) >= 2);
  }
  silent = false;
  const Ended again = study.project.run();
  INFO(again.err);
  REQUIRE(again.status == 0);
  // The fifth call was under way: whether it was billed, only the server knows, and it is made again.
  CHECK(times_asked(server) ==
        std::map<std::string, int>{{"i0", 1}, {"i1", 1}, {"i2", 1}, {"i3", 1}, {"i4", 2}, {"i5", 1}});
  CHECK(study.project.query("SELECT value FROM v_results WHERE metric = 'judge/error'") == "1.0\n");
  CHECK_THAT(study.project.plan(), Contains("1 reuse, 0 run, 0 maybe"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(study.project.path())) {
    if (entry.is_regular_file()) CHECK_THAT(read_text(entry.path()), !Contains("very-secret"));
  }
}

TEST_CASE("an endpoint that is not there fails the stage; the same command goes on when it is", "[e2e]") {
  std::string url;
  {
    const HttpServer gone([](const HttpAsked&) { return verdict(); });
    url = gone.url();
  }
  const Study study(url);
  CHECK(study.project.run().status == 1);
  CHECK_THAT(study.project.lowbit({"logs", "judge[seed=0]"}).out, Contains("endpoint `local` did not answer") &&
                                                                      Contains("Connection refused") &&
                                                                      Contains("LOWBIT_JUDGE_URL"));
  ::unsetenv("LOWBIT_JUDGE_URL");
  CHECK(study.project.run().status == 1);
  CHECK_THAT(study.project.lowbit({"logs", "judge[seed=0]"}).out, Contains("environment variable LOWBIT_JUDGE_URL"));
  HttpServer server([](const HttpAsked&) { return verdict(); });
  ::setenv("LOWBIT_JUDGE_URL", server.url().c_str(), 1);
  CHECK(study.project.run().status == 0);
  CHECK(server.asked().size() == 6);
}

TEST_CASE("the judge keeps the promises of a plugin", "[e2e]") {
  HttpServer server([](const HttpAsked&) { return verdict(); });
  const Study study(server.url());
  const Ended checked = study.project.lowbit(checking(
      "judge-llm", {"--input", "task=problems", "--input", "predictions=answers", "--param", "model=judge-1"}));
  INFO(checked.out);
  CHECK(checked.status == 0);
}

TEST_CASE("answers of a model behind an API keep the promises of a plugin, and go into tables like any other",
          "[e2e]") {
  HttpServer server([](const HttpAsked& asked) {
    const std::int64_t seed = Json::parse(asked.body).value("seed", std::int64_t{3});
    const Json choice{{"finish_reason", "stop"}, {"text", "answer " + std::to_string(seed)}};
    const Json usage{{"prompt_tokens", 100}, {"completion_tokens", 20}};
    return HttpAnswer{.body = Json{{"model", "m"}, {"choices", Json::array({choice})}, {"usage", usage}}.dump(),
                      .headers = {}};
  });
  const Study study(server.url());
  ::setenv("LOWBIT_API_URL", server.url().c_str(), 1);
  ::setenv("LOWBIT_API_KEY", kKey, 1);
  const Ended checked = study.project.lowbit(checking(
      "evaluator-api-generate", {"--input", "task=problems", "--param", "model=m", "--param", "temperature=0.7"}));
  INFO(checked.out);
  CHECK(checked.status == 0);
  write_text(study.project.path() / "served.yaml", R"(experiment: served
inputs:
  problems: {type: task/1, path: problems}
stages:
  - id: answers
    use: lowbit.api-generate
    with: {task: inputs.problems}
    params: {endpoint: local, model: m}
)");
  const Ended run = study.project.lowbit({"run", "served.yaml"});
  INFO(run.err);
  REQUIRE(run.status == 0);
  CHECK(study.project.query("SELECT count(*) FROM predictions WHERE n_tokens = 20") == "6\n");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(study.project.path())) {
    if (entry.is_regular_file()) CHECK_THAT(read_text(entry.path()), !Contains("very-secret"));
  }
}
