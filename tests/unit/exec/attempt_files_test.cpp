#include <catch2/catch.hpp>

#include "exec/attempt_files.h"
#include "exec/publish.h"
#include "support/program.h"

using namespace lowbit;
using namespace lowbit::exec;

TEST_CASE("a job request survives its file", "[exec]") {
  JobRequest request;
  request.attempt = "0a1b2c";
  request.stage_label = "quantize[num_bits=3]";
  request.library = "/x/plugin.so";
  request.stage = "lowbit.rtn";
  request.params = {{"num_bits", 3}};
  request.inputs["model"] = {
      {.path = "/m", .type = "model/1", .digest = sha256("m"), .coordinates = {{"a", 1}}, .closure = {}}};
  request.outputs = {"quantized", "extra"};
  request.required_outputs = {"quantized"};
  request.seed = 18446744073709551615ULL;
  request.threads = 2;
  request.resume_from = "/c/7";
  request.timeout = std::chrono::milliseconds(1500);
  request.socket = "/s";
  request.paid_calls = "/p/paid-calls.jsonl";
  const Json json = to_json(request);
  const auto back = job_request(json);
  REQUIRE(back.ok());
  CHECK(to_json(*back) == json);
  CHECK(back->seed == request.seed);
  CHECK(back->paid_calls == request.paid_calls);
}

TEST_CASE("an exit.json that no shim wrote is none, and no number in it is taken for another", "[exec]") {
  const test::TemporaryDirectory directory;
  for (const char* text : {R"({"kind": 3})", R"({"kind": "exited", "code": 1e300})", R"({"timed_out": 1})", "{"}) {
    CAPTURE(text);
    test::write_text(directory.path() / "exit.json", text);
    const auto record = read_exit_record(directory.path() / "exit.json");
    REQUIRE(record.ok());
    CHECK_FALSE(record->has_value());
  }
}

TEST_CASE("a request with a missing field is refused with what is missing", "[exec]") {
  const auto back = job_request({{"format", 1}});
  REQUIRE_FALSE(back.ok());
  CHECK(back.error().front().code == "LB5001");
  CHECK_THAT(back.error().front().notes.front(), Catch::Contains("attempt"));
}

TEST_CASE("what the host remembers of an attempt survives its file", "[exec]") {
  PublishContext context;
  context.attempt_id = 9;
  context.stage_label = "a";
  context.plugin_id = "lowbit.x";
  context.plugin_version = "1.0.0";
  context.plugin_kind = "dataset";
  context.plugin_digest = sha256("so");
  context.content = {.record = {{"format", 1}}, .digest = sha256("k")};
  context.provenance_key = sha256("p");
  context.own_record = {{"format", 1}};
  context.output_types = {{"out", "file"}};
  context.environment = {{"threads", 1}};
  context.replace = true;
  context.started_at = "2026-01-01T00:00:00.000Z";
  const Json json = to_json(context);
  const auto back = publish_context(json);
  REQUIRE(back.ok());
  CHECK(to_json(*back) == json);
  const auto broken = publish_context(Json::object());
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().front().code == "LB5003");
}

TEST_CASE("what a newer lowbit wrote of an attempt is refused as such, not as damaged", "[exec]") {
  const Json newer{{"format", kAttemptFormat + 1}, {"stage_label", "a[seed=1]"}};
  const auto request = job_request(newer);
  const auto context = publish_context(newer);
  REQUIRE_FALSE(request.ok());
  REQUIRE_FALSE(context.ok());
  CHECK(render(request.error()) ==
        "error[LB4108]: the record of an attempt was written by a newer lowbit\n"
        " = note: its format is 2, and this lowbit reads 1; it is of a[seed=1]\n"
        " = help: use the newer lowbit in this project; nothing was changed\n");
  CHECK(render(context.error()) == render(request.error()));
  CHECK(to_json(JobRequest())["format"] == kAttemptFormat);
  CHECK(to_json(PublishContext())["format"] == kAttemptFormat);
}

TEST_CASE("the host's record of an attempt is read back, missing, damaged or of a newer lowbit", "[exec]") {
  const test::TemporaryDirectory directory;
  const AttemptPaths attempt{directory.path()};
  const auto missing = read_context(attempt);
  REQUIRE(missing.ok());
  CHECK_FALSE(missing->has_value());
  PublishContext context;
  context.stage_label = "a";
  context.content = {.record = {{"format", 1}}, .digest = sha256("k")};
  REQUIRE(write_context(attempt, context).ok());
  const auto whole = read_context(attempt);
  REQUIRE((whole.ok() && whole->has_value()));
  CHECK(to_json(**whole) == to_json(context));
  for (const auto& [text, code] : {std::pair{R"({"format": 1, "stage_)", "LB5003"},
                                   {R"({"format": 1})", "LB5003"},
                                   {R"({"format": 2})", "LB4108"}}) {
    test::write_text(attempt.host(), text);
    const auto refused = read_context(attempt);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().front().code == code);
  }
}
