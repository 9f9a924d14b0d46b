// The stage as a whole against a server that answers well and badly.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "base/diagnostic.h"
#include "base/json.h"
#include "exec/artifact_check.h"
#include "support/http_server.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using test::HttpAnswer;
using test::HttpAsked;
using How = test::HttpAnswer::How;

namespace {

constexpr const char* kKey = "sk-very-secret-0123456789";

Json verdict(const char* status, const Json& type = nullptr, const Json& step = nullptr) {
  return {
      {"explanation", "because"}, {"status", status}, {"first_error_step", step}, {"type", type}, {"confidence", 1}};
}

/// A reply of the chat interface with this text.
HttpAnswer says(const std::string& text, const std::string& finish = "stop",
                const std::string& model = "judge-1-0613") {
  const Json usage{{"prompt_tokens", 100}, {"completion_tokens", 20}};
  Json choice{{"finish_reason", finish}, {"message", {{"role", "assistant"}, {"content", text}}}};
  const Json body{{"model", model}, {"system_fingerprint", "fp"}, {"choices", Json::array({choice})}, {"usage", usage}};
  return {.body = body.dump(), .headers = {}};
}
HttpAnswer computational() { return says(verdict("error", "computational_error", 2).dump()); }

/// Which item a request is about: problems are "problem N of M".
int item_of(const HttpAsked& asked) {
  const Json messages = Json::parse(asked.body)["messages"];
  const std::string text = messages[messages[0]["role"] == "system" ? 1 : 0]["content"];
  return std::stoi(text.substr(text.find("\nproblem ") + 9));
}

/// Predictions i0 ... of n items, the odd ones wrong.
struct Judged {
  explicit Judged(const std::string& url, int n = 6) {
    tasks::Task task{.name = "t", .system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = {}};
    JsonLinesWriter out(stage.input("predictions") / "predictions.jsonl");
    for (int i = 0; i < n; ++i) {
      const std::string id = "i" + std::to_string(i);
      task.items.push_back({.item_id = id,
                            .problem_id = "p" + id,
                            .problem = "problem " + std::to_string(i) + " of " + std::to_string(n),
                            .answer = "3",
                            .solution = {},
                            .steps = {}});
      out.write({{"item_id", id},
                 {"problem_id", "p" + id},
                 {"prompt_sha", std::string(64, '0')},
                 {"text", "1 + 1 = 2\n2 + 2 = 5"},
                 {"steps", {"1 + 1 = 2", "2 + 2 = 5"}},
                 {"extracted", "5"},
                 {"correct", i % 2 == 0},
                 {"n_tokens", 9},
                 {"truncated", false}});
    }
    out.close();
    tasks::write_task(stage.input("task"), task);
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
    stage.host.bind("predictions", {.path = stage.input("predictions").string(), .type = "predictions/1"});
    stage.host.paid_calls = stage.input("project") / "paid-calls.jsonl";
    stage.host.params = {{"endpoint", "local"}, {"model", "judge-1"},         {"items", "all"},
                         {"backoff_s", 0.001},  {"usd_per_million_input", 2}, {"usd_per_million_output", 10}};
    ::setenv("LOWBIT_JUDGE_URL", url.c_str(), 1);
    ::setenv("LOWBIT_JUDGE_KEY", kKey, 1);
  }
  /// What was published is what docs/artifacts.md says.
  void check_artifacts() const {
    for (const auto& [port, type] : {std::pair("verdicts", "verdicts/1"), std::pair("calls", "api-calls/1")}) {
      const auto checked = exec::check_artifact(type, stage.host.path(port));
      INFO((checked.ok() ? "" : render(checked.error())));
      CHECK(checked.ok());
    }
  }
  [[nodiscard]] Json verdict_of(const std::string& item) const {
    for (Json& row : stage.lines("verdicts/verdicts.jsonl")) {
      if (row["item_id"] == item) return row;
    }
    FAIL("no verdict about " << item);
    return {};
  }
  /// Everything the stage left anywhere.
  [[nodiscard]] std::string all_it_wrote() const {
    std::string all;
    for (const auto& [level, text] : stage.host.log) all += text + "\n";
    for (const ErrorText& e : stage.host.errors) all += e.what + "\n" + e.where + "\n" + e.why + "\n" + e.fix + "\n";
    for (const std::string& root : {stage.host.directory.string(), stage.host.paid_calls.parent_path().string()}) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.is_regular_file()) all += test::read_text(entry.path());
      }
    }
    return all;
  }

  test::StageFixture stage{"lowbit.llm-judge"};
};

}  // namespace

TEST_CASE("each prediction gets a verdict, each call a row, and both are counted", "[judge]") {
  test::HttpServer server([](const HttpAsked& asked) {
    switch (item_of(asked)) {
      case 0: return says("```json\n" + verdict("no_error").dump() + "\n```");
      case 1: return says(verdict("undetermined").dump());
      default: return computational();
    }
  });
  Judged j(server.url(), 4);
  j.stage.host.seed = 7;
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  CHECK(j.verdict_of("i0")["status"] == "no_error");
  CHECK(j.verdict_of("i1")["status"] == "undetermined");
  const Json row = j.verdict_of("i2");
  CHECK(row["judge"] == "judge-1");
  CHECK(row["status"] == "error");
  CHECK(row["category"] == "execution");
  CHECK(row["first_error_step"] == 2);
  CHECK(row["explanation"] == "because");
  const auto calls = j.stage.lines("calls/calls.jsonl");
  REQUIRE(calls.size() == 4);
  CHECK(row["call_ids"] == Json::array({calls[2]["call_id"]}));
  CHECK(calls[2]["endpoint"] == "local");
  CHECK(calls[2]["model"] == "judge-1");
  CHECK(calls[2]["model_served"] == "judge-1-0613");
  CHECK(calls[2]["fingerprint"] == "fp");
  CHECK(calls[2]["outcome"] == "ok");
  CHECK(calls[2]["cost_usd"].get<double>() == Approx(2 * 100e-6 + 10 * 20e-6));
  CHECK(j.stage.metric("judge/error").value == 0.5);
  CHECK(j.stage.metric("judge/error").std_error == Approx(0.25));
  CHECK(j.stage.metric("first_errors/computational_error").value == 0.5);
  CHECK(j.stage.metric("first_errors/execution").value == 0.5);
  CHECK(j.stage.metric("judge/calls").value == 4);
  CHECK(j.stage.metric("judge/prompt_tokens").value == 400);
  CHECK(j.stage.metric("judge/cost").value == Approx(4 * 400e-6));
  CHECK(j.stage.metric("judge/served_models").value == 1);
}

TEST_CASE("only wrong predictions are judged by default, and a judge can have a name", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });
  Judged j(server.url());
  j.stage.host.params.erase("items");
  j.stage.host.params["judge"] = "strict";
  REQUIRE(j.stage.run() == LB_OK);
  std::set<std::string> judged;
  for (const Json& row : j.stage.lines("verdicts/verdicts.jsonl")) {
    judged.insert(row["item_id"]);
    CHECK(row["judge"] == "strict");
  }
  CHECK(judged == std::set<std::string>{"i1", "i3", "i5"});
}

TEST_CASE("nothing to judge is no call and no verdict", "[judge]") {
  Judged j("http://127.0.0.1:1/v1", 1);
  j.stage.host.params["items"] = "wrong";
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  CHECK(j.stage.read("verdicts/verdicts.jsonl").empty());
  CHECK(j.stage.metric("judge/n_items").value == 0);
}

TEST_CASE("answers that are no verdict are invalid, paid for, and not asked for again", "[judge]") {
  test::HttpServer server([](const HttpAsked& asked) {
    switch (item_of(asked)) {
      case 0: return says(verdict("error", "computational_error", 2).dump().substr(0, 40), "length");
      case 1: return says(verdict("error", "computational_error", 2).dump().substr(0, 40));
      case 2: return says("I cannot help with that.", "content_filter");
      case 3: return HttpAnswer{.body = R"({"choices": [)", .headers = {}};
      case 4:
        return HttpAnswer{
            .status = 400, .body = R"({"error":{"code":"context_length_exceeded","message":"m"}})", .headers = {}};
      default: return says("step 2, I think");
    }
  });
  Judged j(server.url());
  j.stage.host.params["reask"] = false;
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  std::vector<std::string> outcomes;
  for (const Json& row : j.stage.lines("calls/calls.jsonl")) outcomes.push_back(row["outcome"]);
  CHECK(outcomes == std::vector<std::string>{"truncated", "invalid", "refused", "invalid", "truncated", "invalid"});
  for (const Json& row : j.stage.lines("verdicts/verdicts.jsonl")) {
    CHECK(row["status"] == "invalid");
    CHECK(row["type"].is_null());
    CHECK(row["explanation"].is_null());
  }
  CHECK(j.stage.metric("judge/invalid").value == 1);
  CHECK(j.stage.metric("judge/refused").value == Approx(1.0 / 6));
  CHECK(j.stage.metric("judge/truncated").value == Approx(2.0 / 6));
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(server.asked().size() == 6);
}

TEST_CASE("an answer that cannot be read is asked for once more, under a key of its own", "[judge]") {
  test::HttpServer server([](const HttpAsked& asked) {
    const Json messages = Json::parse(asked.body)["messages"];
    const bool again = messages.size() == 4;
    switch (item_of(asked)) {
      case 0: return again ? computational() : says("<think>hm</think>It is step 2.");
      case 1: return says("I think it is step " + std::to_string(asked.number));
      case 2: return says("", "length");
      case 3: return says("no", "content_filter");
      default: return computational();
    }
  });
  Judged j(server.url(), 5);
  j.stage.host.params["max_concurrent"] = 1;
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  CHECK(server.asked().size() == 7);  // what was refused or cut is not asked again
  const auto again = server.asked()[1];
  const Json messages = Json::parse(again.body)["messages"];
  CHECK(item_of(again) == 0);
  CHECK(messages[2] == Json{{"role", "assistant"}, {"content", "It is step 2."}});
  CHECK(messages[3]["content"] ==
        "This answer cannot be used: there is no JSON object in it. Answer once more, with one JSON object as it was "
        "described and nothing else.");
  CHECK(Json::parse(again.body)["response_format"]["type"] == "json_schema");
  CHECK(j.verdict_of("i0")["status"] == "error");
  CHECK(j.verdict_of("i1")["status"] == "invalid");
  const auto calls = j.stage.lines("calls/calls.jsonl");
  REQUIRE(calls.size() == 7);
  CHECK(j.verdict_of("i0")["call_ids"] == Json::array({calls[0]["call_id"], calls[1]["call_id"]}));
  CHECK(calls[0]["outcome"] == "invalid");
  CHECK_FALSE(calls[0].contains("reask"));
  CHECK(calls[1]["outcome"] == "ok");
  CHECK(calls[1]["reask"] == true);
  CHECK(j.stage.metric("judge/reasked").value == Approx(2.0 / 5));
  CHECK(j.stage.metric("judge/calls").value == 7);
  CHECK(j.stage.metric("judge/cost").value == Approx(7 * 400e-6));
  const std::string first = j.stage.read("verdicts/verdicts.jsonl");
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(server.asked().size() == 7);
  CHECK(j.stage.read("verdicts/verdicts.jsonl") == first);
  j.stage.host.params["reask"] = false;
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(j.verdict_of("i0")["status"] == "invalid");
  CHECK(j.stage.lines("calls/calls.jsonl").size() == 5);
}

TEST_CASE("a stage that is stopped between an answer and asking once more goes on there", "[judge]") {
  bool down = true;
  test::HttpServer server([&](const HttpAsked& asked) {
    if (Json::parse(asked.body)["messages"].size() == 2) return says("step 2");
    return down ? HttpAnswer{.status = 503, .body = {}, .headers = {}} : computational();
  });
  Judged j(server.url(), 1);
  j.stage.host.params["max_attempts"] = 1;
  CHECK(j.stage.run() == LB_TRANSIENT);
  down = false;
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(server.asked().size() == 3);
  CHECK(j.stage.metric("judge/error").value == 1);
  j.check_artifacts();
}

TEST_CASE("an answer that was repaired says how, in its verdict and in the metrics", "[judge]") {
  test::HttpServer server([](const HttpAsked& asked) {
    Json answer = verdict("error", "Computational Error", 2);
    if (item_of(asked) == 0) return computational();
    if (item_of(asked) == 1) return says(answer.dump());
    const std::string text = verdict("no_error").dump();
    return says(text.substr(0, text.size() - 1) + ",", "length");
  });
  Judged j(server.url(), 3);
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  CHECK(server.asked().size() == 3);
  CHECK_FALSE(j.verdict_of("i0").contains("repairs"));
  CHECK(j.verdict_of("i1")["repairs"] == Json{"names"});
  CHECK(j.verdict_of("i1")["type"] == "computational_error");
  CHECK(j.verdict_of("i2")["repairs"] == Json{"closed"});
  CHECK(j.verdict_of("i2")["status"] == "no_error");
  CHECK(j.stage.metric("judge/repaired").value == Approx(2.0 / 3));
  CHECK(j.stage.metric("judge/invalid").value == 0);
  CHECK(j.stage.metric("judge/truncated").value == 0);  // part of judge/invalid
}

TEST_CASE("trouble on the way changes the calls and not a byte of the verdicts", "[judge]") {
  const auto run = [](bool trouble) {
    test::HttpServer server([&](const HttpAsked& asked) {
      if (!trouble || asked.number > 5) return computational();
      if (asked.number == 1) return HttpAnswer{.status = 429, .body = {}, .headers = {{"Retry-After", "0"}}};
      if (asked.number == 2) return HttpAnswer{.status = 500, .body = {}, .headers = {}};
      if (asked.number == 3) return HttpAnswer{.body = {}, .headers = {}, .how = How::nothing};
      if (asked.number == 4) return HttpAnswer{.body = std::string(99, 'x'), .headers = {}, .how = How::half};
      return HttpAnswer{.body = {}, .headers = {}, .how = How::silence};
    });
    Judged j(server.url());
    j.stage.host.params["timeout_s"] = trouble ? 3 : 30;
    REQUIRE(j.stage.run() == LB_OK);
    j.check_artifacts();
    const auto calls = j.stage.lines("calls/calls.jsonl");
    CHECK(calls.size() == (trouble ? 11 : 6));
    CHECK(std::count_if(calls.begin(), calls.end(), [](const Json& row) { return row["outcome"] == "failed"; }) ==
          (trouble ? 5 : 0));
    CHECK(j.stage.metric("judge/cost").value == Approx(6 * 400e-6));
    return j.stage.read("verdicts/verdicts.jsonl");
  };
  CHECK(run(true) == run(false));
}

TEST_CASE("a stage that failed on the way goes on without paying again", "[judge]") {
  bool down = true;
  test::HttpServer server([&](const HttpAsked& asked) {
    return down && asked.number > 3 ? HttpAnswer{.status = 503, .body = {}, .headers = {}} : computational();
  });
  Judged j(server.url());
  j.stage.host.params["max_attempts"] = 2;
  j.stage.host.params["max_concurrent"] = 1;
  CHECK(j.stage.run() == LB_TRANSIENT);
  CHECK_THAT(j.stage.error(), Catch::StartsWith("endpoint `local` did not answer\n127.0.0.1:") &&
                                  Catch::Contains("tried 2 times; HTTP 503\ncheck the server and LOWBIT_JUDGE_URL"));
  const std::size_t before = server.asked().size();
  down = false;
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(server.asked().size() == before + 3);
  std::set<int> answered;
  for (const HttpAsked& asked : server.asked()) {
    if (asked.number <= 3 || asked.number > before) CHECK(answered.insert(item_of(asked)).second);
  }
  CHECK(answered.size() == 6);
  j.check_artifacts();
  // The failed calls of the first run are part of the account of the second.
  CHECK(j.stage.lines("calls/calls.jsonl").size() == server.asked().size());
}

TEST_CASE("the same question is asked again for another seed or generation only", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });
  Judged j(server.url());
  REQUIRE(j.stage.run() == LB_OK);
  const std::string first = j.stage.read("verdicts/verdicts.jsonl");
  const auto asked_after = [&] {
    REQUIRE(j.stage.run() == LB_OK);
    return server.asked().size();
  };
  CHECK(asked_after() == 6);
  CHECK(j.stage.read("verdicts/verdicts.jsonl") == first);
  j.stage.host.params["usd_per_million_input"] = 4;  // the price is no part of the question
  CHECK(asked_after() == 6);
  j.stage.host.seed = 1;
  CHECK(asked_after() == 12);
  j.stage.host.params["generation"] = 1;
  CHECK(asked_after() == 18);
  j.stage.host.params["temperature"] = 1.0;
  CHECK(asked_after() == 24);
  j.stage.host.params["temperature"] = 0.0;
  j.stage.host.params["generation"] = 0;
  j.stage.host.seed = 0;
  CHECK(asked_after() == 24);
}

TEST_CASE("answers that are paid for need no endpoint, others say what to set", "[judge]") {
  {
    test::HttpServer server([](const HttpAsked&) { return computational(); });
    Judged j(server.url());
    REQUIRE(j.stage.run() == LB_OK);
    ::unsetenv("LOWBIT_JUDGE_URL");
    CHECK(j.stage.run() == LB_OK);
  }
  Judged j("");
  CHECK(j.stage.run() == LB_BAD_PARAM);
  CHECK(j.stage.error() ==
        "endpoint `local` has no address\nenvironment variable LOWBIT_JUDGE_URL\nthe variable is not set\nexport "
        "LOWBIT_JUDGE_URL=https://HOST/v1, or a list \"local=https://HOST/v1 OTHER=...\", before `lowbit run`");
}

TEST_CASE("a key that is missing or wrong is named by its variable and shown nowhere", "[judge]") {
  const bool sent = GENERATE(true, false);
  test::HttpServer server([](const HttpAsked& asked) {
    const auto header = asked.headers.find("authorization");
    if (asked.number <= 2) return computational();
    return HttpAnswer{
        .status = 401,
        .body =
            Json{{"error", {{"message", "bad key " + (header == asked.headers.end() ? "" : header->second)}}}}.dump(),
        .headers = {}};
  });
  Judged j(server.url());
  j.stage.host.params["max_concurrent"] = 1;
  if (!sent) ::unsetenv("LOWBIT_JUDGE_KEY");
  CHECK(j.stage.run() == LB_BAD_PARAM);
  CHECK(j.stage.error() == std::string(sent ? "endpoint `local` does not accept the key"
                                            : "endpoint `local` needs a key, and none is set") +
                               "\nenvironment variable LOWBIT_JUDGE_KEY\nHTTP 401: bad key " +
                               (sent ? "Bearer [key]" : "") +
                               "\nexport LOWBIT_JUDGE_KEY=KEY with a key that may use this model, then run again");
  CHECK(server.asked().size() == 3);
  CHECK(server.asked()[0].headers.contains("authorization") == sent);
  CHECK_THAT(j.all_it_wrote(), !Catch::Contains("very-secret") && !Catch::Contains(server.url()));
}

TEST_CASE("a judge that repeats the key in its answer does not carry it into a file", "[judge]") {
  test::HttpServer server([](const HttpAsked& asked) {
    Json answer = verdict("no_error");
    answer["explanation"] = asked.headers.at("authorization");
    return says(answer.dump());
  });
  Judged j(server.url());
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(j.verdict_of("i0")["explanation"] == "Bearer [key]");
  CHECK_THAT(j.all_it_wrote(), !Catch::Contains("very-secret"));
}

TEST_CASE("another model behind the same name is a warning", "[judge]") {
  test::HttpServer server([](const HttpAsked& asked) {
    return says(verdict("no_error").dump(), "stop", asked.number < 4 ? "judge-1-0613" : "judge-1-1106");
  });
  Judged j(server.url());
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(j.stage.metric("judge/served_models").value == 2);
  const auto& log = j.stage.host.log;
  REQUIRE(!log.empty());
  CHECK(log.back().first == LB_LOG_WARN);
  CHECK(
      log.back().second ==
      "the server answered with more than one model: judge-1-0613, judge-1-1106. These verdicts are not of one judge");
}

TEST_CASE("a cancel ends the stage between two calls and in the middle of one, and what was paid stays", "[judge]") {
  const bool silent = GENERATE(true, false);
  test::HttpServer server([&](const HttpAsked& asked) {
    return silent && asked.number > 2 ? HttpAnswer{.body = {}, .headers = {}, .how = How::silence} : computational();
  });
  Judged j(server.url());
  j.stage.host.params["max_concurrent"] = silent ? 3 : 1;
  j.stage.host.cancel_after_ticks = 3;  // one before the first call, one after each answer
  const auto start = std::chrono::steady_clock::now();
  CHECK(j.stage.run() == LB_CANCELLED);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(read_json_lines(j.stage.host.paid_calls).size() == 2);
}

TEST_CASE("predictions on another task are refused, samples of one item are not", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });
  Judged j(server.url(), 2);
  const auto file = j.stage.input("predictions") / "predictions.jsonl";
  auto rows = read_json_lines(file);
  std::string expected;
  SECTION("samples") { rows[0]["item_id"] = "i0#3"; }
  SECTION("an unknown item") {
    rows[0]["item_id"] = "z#3";
    expected = "the task has no item z#3";
  }
  SECTION("another problem") {
    rows[0]["problem_id"] = "other";
    expected = "item i0 is about another problem there";
  }
  JsonLinesWriter out(file);
  for (const Json& row : rows) out.write(row);
  out.close();
  CHECK(j.stage.run() == (expected.empty() ? LB_OK : LB_BAD_INPUT));
  if (!expected.empty()) CHECK_THAT(j.stage.error(), Catch::Contains("predictions.jsonl:1\n" + expected));
}

TEST_CASE("a host that keeps no paid calls is not paid on", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });
  Judged j(server.url());
  j.stage.host.paid_calls.clear();
  CHECK(j.stage.run() == LB_INTERNAL);
  CHECK_THAT(j.stage.error(), Catch::StartsWith("there is nowhere to keep what is paid for\n"));
  CHECK(server.asked().empty());
}

namespace {

/// The form of answer that a request asks for.
std::string form_of(const HttpAsked& asked) {
  const Json body = Json::parse(asked.body);
  if (body.contains("tools")) return "tool";
  return body.contains("response_format") ? body["response_format"]["type"].get<std::string>() : "text";
}
HttpAnswer refusal_of(const std::string& form) {
  const Json error{
      {"message", (form == "tool" ? "tool" : "response_format " + form) + std::string(" is not supported")}};
  return {.status = 400, .body = Json{{"error", error}}.dump(), .headers = {}};
}
HttpAnswer calls_tool(const std::string& arguments) {
  Json body = Json::parse(says("").body);
  body["choices"][0] = {{"finish_reason", "tool_calls"},
                        {"message", {{"tool_calls", {{{"function", {{"name", "f"}, {"arguments", arguments}}}}}}}}};
  return {.body = body.dump(), .headers = {}};
}

}  // namespace

TEST_CASE("the first form of answer that the server accepts is used, and found again without asking", "[judge]") {
  const std::string last = GENERATE(as<std::string>{}, "json_schema", "tool", "json_object", "text");
  const std::vector<std::string> ladder{"json_schema", "tool", "json_object", "text"};
  test::HttpServer server([&](const HttpAsked& asked) {
    const std::string form = form_of(asked);
    if (std::find(ladder.begin(), ladder.end(), form) < std::find(ladder.begin(), ladder.end(), last)) {
      return refusal_of(form);
    }
    const std::string answer = verdict("error", "computational_error", 2).dump();
    return form == "tool" ? calls_tool(answer) : says(answer);
  });
  Judged j(server.url());
  j.stage.host.params["max_concurrent"] = 1;
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  const auto refused = static_cast<std::size_t>(std::find(ladder.begin(), ladder.end(), last) - ladder.begin());
  CHECK(server.asked().size() == 6 + refused);  // each form is tried once
  CHECK(j.stage.metric("judge/form/" + last).value == 1);
  CHECK(j.stage.metric("judge/error").value == 1);
  std::vector<std::string> forms;
  for (const Json& row : j.stage.lines("calls/calls.jsonl")) {
    forms.push_back(row["answer_format"]);
    CHECK((row["outcome"] == "ok") == (row["answer_format"] == last));
  }
  std::vector<std::string> expected(ladder.begin(), ladder.begin() + static_cast<std::ptrdiff_t>(refused));
  expected.resize(6 + refused, last);
  CHECK(forms == expected);
  for (const Json& record : read_json_lines(j.stage.host.paid_calls)) CHECK(record["answer_format"].is_string());
  const std::string first = j.stage.read("verdicts/verdicts.jsonl");
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(server.asked().size() == 6 + refused);
  CHECK(j.stage.read("verdicts/verdicts.jsonl") == first);
}

TEST_CASE("one form alone is asked for when the parameter says so, and its refusal is the user's to change",
          "[judge]") {
  test::HttpServer server([&](const HttpAsked& asked) { return refusal_of(form_of(asked)); });
  Judged j(server.url());
  j.stage.host.params["answer_format"] = "tool";
  j.stage.host.params["max_concurrent"] = 1;
  CHECK(j.stage.run() == LB_BAD_PARAM);
  CHECK_THAT(j.stage.error(), Catch::StartsWith("endpoint `local` does not accept the request\n") &&
                                  Catch::Contains("HTTP 400: tool is not supported") &&
                                  Catch::Contains("`answer_format`"));
  CHECK(server.asked().size() == 1);
}

TEST_CASE("what was paid for as a text is an answer in every later form", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });
  Judged j(server.url());
  j.stage.host.params["answer_format"] = "text";
  REQUIRE(j.stage.run() == LB_OK);
  // As a lowbit wrote them that knew no forms.
  auto records = read_json_lines(j.stage.host.paid_calls);
  JsonLinesWriter out(j.stage.host.paid_calls);
  for (Json& record : records) {
    record.erase("answer_format");
    out.write(record);
  }
  out.close();
  j.stage.host.params.erase("answer_format");
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(server.asked().size() == 6);
  CHECK(j.stage.metric("judge/form/text").value == 1);
  j.check_artifacts();
}

TEST_CASE("a model's limits are parameters, and reach the request", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });
  Judged j(server.url(), 1);
  j.stage.host.params["supports_temperature"] = false;
  j.stage.host.params["supports_system"] = false;
  j.stage.host.params["max_completion_tokens"] = true;
  REQUIRE(j.stage.run() == LB_OK);
  const Json body = Json::parse(server.asked().at(0).body);
  CHECK_FALSE(body.contains("temperature"));
  CHECK_FALSE(body.contains("max_tokens"));
  CHECK(body["max_completion_tokens"] == 2048);
  REQUIRE(body["messages"].size() == 1);
  CHECK(body["messages"][0]["role"] == "user");
  CHECK_THAT(body["messages"][0]["content"].get<std::string>(), Catch::StartsWith("You check solutions"));
}

TEST_CASE("the flat taxonomy is asked for by name, and no other than a bound rubric's is taken", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return says(verdict("error", "step_omission", 1).dump()); });
  Judged j(server.url(), 2);
  j.stage.host.params["taxonomy"] = "v1";
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  CHECK(j.verdict_of("i0")["type"] == "step_omission");
  CHECK(j.verdict_of("i0")["category"].is_null());
  CHECK(j.stage.metric("first_errors/step_omission").value == 1);
  CHECK_THAT(server.asked()[0].body, Catch::Contains("boundary_condition_error: "));
  std::filesystem::copy_file(
      std::filesystem::path(LOWBIT_SOURCE_DIR) / "plugins/judge-llm/rubrics/lowbit.first-error.v2-1.json",
      j.stage.input("rubric") / "rubric.json");
  j.stage.host.bind("rubric", {.path = j.stage.input("rubric").string(), .type = "rubric/1"});
  CHECK(j.stage.run() == LB_BAD_PARAM);
  CHECK_THAT(j.stage.error(),
             Catch::StartsWith("the rubric is of another taxonomy\nparameter taxonomy\nit is v1, that of "
                               "the rubric is v2\n"));
}

TEST_CASE("a budget ends the stage before it is passed, and raising it goes on where it stood", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });  // 120 tokens, 400e-6 USD
  Judged j(server.url());
  j.stage.host.params["max_tokens"] = 30;
  const std::string limit = GENERATE(as<std::string>{}, "max_calls", "max_total_tokens", "max_cost_usd");
  j.stage.host.params["max_calls"] = 1;
  CHECK(j.stage.run() == LB_BAD_PARAM);
  REQUIRE(server.asked().size() == 1);
  // Room for two answers and the most of a third one: its bytes as input, 30 tokens as output.
  const auto bytes = static_cast<double>(server.asked()[0].body.size());
  j.stage.host.params.erase("max_calls");
  j.stage.host.errors.clear();
  j.stage.host.params[limit] = limit == "max_calls"          ? 3.0
                               : limit == "max_total_tokens" ? 2 * 120 + bytes + 30
                                                             : 2 * 400e-6 + (2 * bytes + 10 * 30) * 1e-6 + 1e-9;
  CHECK(j.stage.run() == LB_BAD_PARAM);
  CHECK_THAT(j.stage.error(),
             Catch::StartsWith("the budget of this stage is used up\nparameter " + limit + "\nspent are "));
  const std::size_t asked = server.asked().size();
  CHECK(asked == 3);
  CHECK(read_json_lines(j.stage.host.paid_calls).size() == asked);
  CHECK(j.stage.run() == LB_BAD_PARAM);  // the limit is over all calls, not over those of this run
  CHECK(server.asked().size() == asked);
  j.stage.host.params[limit] = 1000000;
  REQUIRE(j.stage.run() == LB_OK);
  CHECK(server.asked().size() == 6);
  CHECK(j.stage.metric("judge/calls").value == 6);
  j.stage.host.params[limit] = 0;  // everything is answered: nothing is spent
  CHECK(j.stage.run() == LB_OK);
}

TEST_CASE("what is going to be asked is told before it is, and a budget in USD without prices is refused", "[judge]") {
  test::HttpServer server([](const HttpAsked&) { return computational(); });
  Judged j(server.url());
  REQUIRE(j.stage.run() == LB_OK);
  CHECK_THAT(j.stage.host.log.at(0).second,
             Catch::StartsWith("asking about 6 items: about ") &&
                 Catch::Contains(" input tokens and at most 12288 output tokens, at most "));
  j.stage.host.params.erase("usd_per_million_input");
  j.stage.host.params["max_cost_usd"] = 1;
  CHECK(j.stage.run() == LB_BAD_PARAM);
  CHECK_THAT(j.stage.error(), Catch::StartsWith("a budget in USD needs prices\nparameter max_cost_usd\n"));
}

TEST_CASE("a server that misbehaves in what it writes gets no verdict but what it plainly says", "[judge]") {
  const std::string good = verdict("error", "computational_error", 2).dump();
  test::HttpServer server([&](const HttpAsked& asked) {
    HttpAnswer answer = computational();
    switch (item_of(asked)) {
      case 0: return HttpAnswer{.body = "<html>busy</html>", .headers = {{"Content-Type", "text/html"}}};
      case 1: return says(std::string(200000, ' '), "length");
      case 2: return says(good + verdict("error", "logical_reasoning_error", 1).dump());
      case 3: return says("{\"status\": \"no_error\"," + good.substr(1));
      case 4: return HttpAnswer{.body = answer.body + answer.body, .headers = {}};
      case 5: return HttpAnswer{.body = R"({"choices": [{"message": "text"}]})", .headers = {}};
      default: answer.headers["Content-Type"] = "text/html; charset=latin1"; return answer;
    }
  });
  Judged j(server.url(), 8);
  j.stage.host.params["reask"] = GENERATE(true, false);
  REQUIRE(j.stage.run() == LB_OK);
  j.check_artifacts();
  for (const char* item : {"i0", "i1", "i2", "i3", "i4", "i5"}) CHECK(j.verdict_of(item)["status"] == "invalid");
  for (const char* item : {"i6", "i7"}) CHECK(j.verdict_of(item)["status"] == "error");
  // Only a text that cannot be read is asked for once more: of two verdicts, and with a key twice.
  CHECK(server.asked().size() == (j.stage.host.params["reask"] == true ? 10U : 8U));
}
