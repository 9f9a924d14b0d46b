// lowbit.api-generate against a server that answers well and badly.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "base/diagnostic.h"
#include "base/json.h"
#include "exec/artifact_check.h"
#include "lm/digest.h"
#include "support/http_server.h"
#include "support/stage_fixture.h"
#include "tasks/task.h"

using namespace lowbit;
using test::HttpAnswer;
using test::HttpAsked;
using How = test::HttpAnswer::How;

namespace {

constexpr const char* kKey = "sk-very-secret-0123456789";

Json usage(int completion_tokens) { return {{"prompt_tokens", 100}, {"completion_tokens", completion_tokens}}; }

HttpAnswer says(const Json& text, const std::string& finish = "stop") {
  const Json choice{{"finish_reason", finish}, {"message", {{"role", "assistant"}, {"content", text}}}};
  return {.body = Json{{"model", "m-1"}, {"choices", Json::array({choice})}, {"usage", usage(7)}}.dump(),
          .headers = {}};
}
HttpAnswer continues(const std::string& text) {
  const Json choice{{"finish_reason", "stop"}, {"text", text}};
  return {.body = Json{{"model", "m-1"}, {"choices", Json::array({choice})}, {"usage", usage(7)}}.dump(),
          .headers = {}};
}

/// Items i0 ... whose answers are 0 and so on, of a task for a chat model.
struct Asking {
  explicit Asking(const std::string& url, int n = 4) {
    task.system = "be brief";
    task.chat = true;
    task.grader = "lowbit.v1";
    for (int i = 0; i < n; ++i) {
      const std::string id = "i" + std::to_string(i);
      task.items.push_back({.item_id = id,
                            .problem_id = "p" + id,
                            .problem = "item " + std::to_string(i),
                            .answer = std::to_string(i),
                            .solution = {},
                            .steps = {}});
    }
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
    stage.host.paid_calls = stage.input("project") / "paid-calls.jsonl";
    stage.host.params = {{"endpoint", "local"},
                         {"model", "m"},
                         {"backoff_s", 0.001},
                         {"usd_per_million_input", 2},
                         {"usd_per_million_output", 10}};
    ::setenv("LOWBIT_API_URL", url.c_str(), 1);
    ::setenv("LOWBIT_API_KEY", kKey, 1);
  }
  lb_status run() {
    tasks::write_task(stage.input("task"), task);
    return stage.run();
  }
  void check_artifacts() const {
    for (const auto& [port, type] : {std::pair("predictions", "predictions/1"), std::pair("calls", "api-calls/1")}) {
      const auto checked = exec::check_artifact(type, stage.host.path(port));
      INFO((checked.ok() ? "" : render(checked.error())));
      CHECK(checked.ok());
    }
  }
  [[nodiscard]] std::vector<Json> predictions() const { return stage.lines("predictions/predictions.jsonl"); }

  tasks::Task task{.name = "t", .system = {}, .stop = {}, .response_format = {}, .grader = {}, .items = {}};
  test::StageFixture stage{"lowbit.api-generate"};
};

/// The number in "item N".
std::string item_of(const HttpAsked& asked) {
  const std::size_t at = asked.body.find("item ");
  return asked.body.substr(at + 5, 1);
}

}  // namespace

TEST_CASE("each item is asked as a chat, and its answer read, graded and counted", "[api]") {
  test::HttpServer server([](const HttpAsked& asked) {
    const std::string item = item_of(asked);
    return says(item == "3" ? "it is\nanswer 5" : "it is\nanswer " + item, item == "2" ? "length" : "stop");
  });
  Asking a(server.url());
  REQUIRE(a.run() == LB_OK);
  a.check_artifacts();
  const auto rows = a.predictions();
  REQUIRE(rows.size() == 4);
  CHECK(rows[1]["item_id"] == "i1");
  CHECK(rows[1]["problem_id"] == "pi1");
  CHECK(rows[1]["extracted"] == "1");
  CHECK(rows[1]["correct"] == true);
  CHECK(rows[1]["n_tokens"] == 7);
  CHECK(rows[2]["truncated"] == true);
  CHECK(rows[3]["correct"] == false);
  CHECK(rows[1]["prompt_sha"] ==
        lm::sha256_of_text(R"([{"content":"be brief","role":"system"},{"content":"item 1","role":"user"}])"));
  CHECK(a.stage.metric("t/accuracy").value == 0.75);
  CHECK(a.stage.metric("t/truncated").value == 0.25);
  CHECK(a.stage.metric("t/refused").value == 0);
  CHECK(a.stage.metric("t/tokens_per_item").value == 7);
  CHECK(a.stage.metric("api/calls").value == 4);
  CHECK(a.stage.metric("api/cost").value == Approx(4 * (100 * 2e-6 + 7 * 10e-6)));
  const Json sent = Json::parse(server.asked().at(0).body);
  CHECK(server.asked()[0].target == "/v1/chat/completions");
  CHECK(server.asked()[0].headers.at("authorization") == std::string("Bearer ") + kKey);
  CHECK(sent["temperature"] == 0);
  CHECK_FALSE(sent.contains("seed"));  // nothing is drawn
  CHECK(sent["messages"].size() == 2);
  const std::string first = a.stage.read("predictions/predictions.jsonl");
  REQUIRE(a.run() == LB_OK);
  CHECK(server.asked().size() == 4);
  CHECK(a.stage.read("predictions/predictions.jsonl") == first);
}

TEST_CASE("a task without a chat template is continued as it stands", "[api]") {
  test::HttpServer server([](const HttpAsked& asked) { return continues("answer " + item_of(asked) + "\n\nitem 9"); });
  Asking a(server.url());
  a.task.chat = false;
  a.task.system = {};
  a.task.prompt_template = "Q: {{problem}}\nA:";
  a.task.stop = {"\n\n", "B:", "C:", "D:", "E:"};
  REQUIRE(a.run() == LB_OK);
  a.check_artifacts();
  CHECK(a.stage.metric("t/accuracy").value == 1);
  CHECK(a.predictions()[2]["text"] == "answer 2");  // a server that goes on behind a stop text is cut there
  CHECK(a.predictions()[2]["prompt_sha"] == lm::sha256_of_text("Q: item 2\nA:"));
  CHECK(server.asked()[0].target == "/v1/completions");
  const Json sent = Json::parse(server.asked()[0].body);
  CHECK(sent["stop"] == Json({"\n\n", "B:", "C:", "D:"}));
  CHECK(sent["prompt"].get<std::string>().starts_with("Q: item "));
  a.stage.host.params["api"] = "chat";  // for a server that has no other
  test::HttpServer chat([](const HttpAsked& asked) { return says("answer " + item_of(asked)); });
  ::setenv("LOWBIT_API_URL", chat.url().c_str(), 1);
  REQUIRE(a.run() == LB_OK);
  CHECK(chat.asked().at(0).target == "/v1/chat/completions");
}

TEST_CASE("samples have ids, seeds and answers of their own", "[api]") {
  test::HttpServer server([](const HttpAsked& asked) { return says("answer " + std::to_string(asked.number)); });
  Asking a(server.url(), 2);
  a.stage.host.params["samples"] = 3;
  a.stage.host.params["temperature"] = 0.7;
  a.stage.host.params["top_p"] = 0.9;
  REQUIRE(a.run() == LB_OK);
  a.check_artifacts();
  std::vector<std::string> ids;
  for (const Json& row : a.predictions()) ids.push_back(row["item_id"]);
  CHECK(ids == std::vector<std::string>{"i0#1", "i0#2", "i0#3", "i1#1", "i1#2", "i1#3"});
  CHECK(a.stage.metric("t/n_total").value == 6);
  std::set<std::int64_t> seeds;
  for (const HttpAsked& asked : server.asked()) {
    const Json sent = Json::parse(asked.body);
    CHECK(sent["temperature"] == 0.7);
    CHECK(sent["top_p"] == 0.9);
    seeds.insert(sent["seed"].get<std::int64_t>());
    CHECK(sent["seed"] <= 0x7fffffff);
  }
  CHECK(seeds.size() == 6);
  a.stage.host.seed = 1;
  REQUIRE(a.run() == LB_OK);
  for (const HttpAsked& asked : server.asked()) seeds.insert(Json::parse(asked.body)["seed"].get<std::int64_t>());
  CHECK(seeds.size() == 12);
  a.stage.host.params["supports_seed"] = false;
  REQUIRE(a.run() == LB_OK);
  CHECK_FALSE(Json::parse(server.asked().back().body).contains("seed"));
}

TEST_CASE("whatever a server does, the answers are the same in the end and paid for once", "[api]") {
  struct Trouble {
    const char* name;
    HttpAnswer answer;
  };
  const std::string whole = says("answer 0").body;
  std::string twice = whole;
  twice.replace(twice.find("\"content\""), 9, "\"content\":\"answer 7\",\"content\"");
  std::string prompt_is_html = "<html><body><h1>502 Bad Gateway</h1></body></html>";
  const auto trouble = GENERATE_COPY(
      as<Trouble>{}, Trouble{"rate limit", {.status = 429, .body = {}, .headers = {{"Retry-After", "0"}}}},
      Trouble{"server error", {.status = 500, .body = "x", .headers = {}}},
      Trouble{"slow", {.body = {}, .headers = {}, .how = How::silence}},
      Trouble{"garbage", {.body = std::string("\x00\xff\x80 nonsense", 12), .headers = {}}},
      Trouble{"truncated JSON", {.body = whole.substr(0, whole.size() / 2), .headers = {}}},
      Trouble{"connection closed", {.body = {}, .headers = {}, .how = How::nothing}},
      Trouble{"closed in the body", {.body = whole, .headers = {}, .how = How::half}},
      Trouble{"error page", {.body = prompt_is_html, .headers = {{"Content-Type", "text/html"}}}},
      Trouble{"error page with a status",
              {.status = 502, .body = prompt_is_html, .headers = {{"Content-Type", "text/html"}}}},
      Trouble{"blanks without end", {.body = std::string(17U << 20U, ' '), .headers = {}}},
      Trouble{"two objects", {.body = whole + whole, .headers = {}}},
      Trouble{"a key twice", {.body = twice, .headers = {}}},
      Trouble{"an error with status 200", {.body = R"({"error": {"message": "overloaded"}})", .headers = {}}});
  INFO(trouble.name);
  test::HttpServer server(
      [&](const HttpAsked& asked) { return asked.number <= 2 ? trouble.answer : says("answer " + item_of(asked)); });
  Asking a(server.url());
  a.stage.host.params["max_concurrent"] = 1;
  a.stage.host.params["timeout_s"] = trouble.answer.how == How::silence ? 1 : 30;
  REQUIRE(a.run() == LB_OK);
  a.check_artifacts();
  CHECK(a.stage.metric("t/accuracy").value == 1);
  CHECK(a.stage.metric("api/calls").value == 6);
  CHECK(a.stage.metric("api/cost").value == Approx(4 * (100 * 2e-6 + 7 * 10e-6)));
  std::size_t failed = 0;
  for (const Json& row : a.stage.lines("calls/calls.jsonl")) failed += row["outcome"] == "failed" ? 1U : 0U;
  CHECK(failed == 2);
  REQUIRE(a.run() == LB_OK);
  CHECK(server.asked().size() == 6);
}

TEST_CASE("a server that never gives a completion fails the stage, which goes on later", "[api]") {
  bool down = true;
  test::HttpServer server([&](const HttpAsked& asked) {
    if (down && asked.number > 2) return HttpAnswer{.body = "<html>", .headers = {}};
    return says("answer " + item_of(asked));
  });
  Asking a(server.url());
  a.stage.host.params["max_concurrent"] = 1;
  a.stage.host.params["max_attempts"] = 3;
  CHECK(a.run() == LB_TRANSIENT);
  CHECK_THAT(a.stage.error(), Catch::Contains("tried 3 times; HTTP 200: <html>") && Catch::Contains("LOWBIT_API_URL"));
  down = false;
  REQUIRE(a.run() == LB_OK);
  CHECK(server.asked().size() == 2 + 3 + 2);
}

TEST_CASE("a model that declines, is cut off or says nothing has answered so", "[api]") {
  test::HttpServer server([](const HttpAsked& asked) {
    const std::string item = item_of(asked);
    if (item == "0") return says("I cannot", "content_filter");
    if (item == "1") return says(nullptr, "length");
    if (item == "2") return says("");
    return HttpAnswer{
        .status = 400, .body = R"({"error":{"code":"context_length_exceeded","message":"m"}})", .headers = {}};
  });
  Asking a(server.url());
  REQUIRE(a.run() == LB_OK);
  a.check_artifacts();
  CHECK(server.asked().size() == 4);
  const auto rows = a.predictions();
  for (const Json& row : rows) {
    CHECK(row["text"] == "");
    CHECK(row["correct"] == false);
  }
  CHECK(rows[1]["truncated"] == true);
  CHECK(rows[2]["truncated"] == false);
  CHECK(rows[2]["n_tokens"] == 7);
  CHECK(rows[3]["truncated"] == true);
  CHECK(a.stage.metric("t/refused").value == 0.25);
  CHECK(a.stage.metric("t/truncated").value == 0.5);
  std::vector<std::string> outcomes;
  for (const Json& row : a.stage.lines("calls/calls.jsonl")) outcomes.push_back(row["outcome"]);
  CHECK(outcomes == std::vector<std::string>{"refused", "truncated", "ok", "truncated"});
}

TEST_CASE("a server that counts no tokens leaves their number unknown", "[api]") {
  test::HttpServer server([](const HttpAsked& asked) {
    Json body = Json::parse(says("answer " + item_of(asked)).body);
    body.erase("usage");
    return HttpAnswer{.body = body.dump(), .headers = {}};
  });
  Asking a(server.url());
  REQUIRE(a.run() == LB_OK);
  a.check_artifacts();
  CHECK(a.predictions()[0]["n_tokens"] == 0);
  for (const auto& metric : a.stage.host.metrics) {
    CHECK(metric.name != "t/tokens_per_item");
    CHECK(metric.name != "api/cost");
  }
}

TEST_CASE("what cannot be asked is refused before anything is", "[api]") {
  test::HttpServer server([](const HttpAsked&) { return says("x"); });
  Asking a(server.url());
  std::string expected;
  SECTION("a chat task behind /completions") {
    a.stage.host.params["api"] = "completions";
    expected = "the prompts of this task are for a chat template\nparameter api\n";
  }
  SECTION("several samples of one greedy answer") {
    a.stage.host.params["samples"] = 2;
    expected = "several samples of one greedy answer are one answer\nparameter samples\n";
  }
  SECTION("several samples without a temperature") {
    a.stage.host.params["samples"] = 2;
    a.stage.host.params["temperature"] = 0.5;
    a.stage.host.params["supports_temperature"] = false;
    expected = "several samples of one greedy answer are one answer\nparameter samples\n";
  }
  SECTION("a budget in USD without prices") {
    a.stage.host.params.erase("usd_per_million_output");
    a.stage.host.params["max_cost_usd"] = 1;
    expected = "a budget in USD needs prices\nparameter max_cost_usd\n";
  }
  SECTION("no calls at all") {
    a.stage.host.params["max_calls"] = 0;
    expected = "the budget of this stage is used up\nparameter max_calls\n";
  }
  CHECK(a.run() == LB_BAD_PARAM);
  CHECK_THAT(a.stage.error(), Catch::StartsWith(expected));
  CHECK(server.asked().empty());
}
