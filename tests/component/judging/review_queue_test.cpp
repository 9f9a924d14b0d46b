#include <algorithm>

#include "support/stage_fixture.h"
#include "tasks/task.h"
#include "verdicts/verdict.h"

using namespace lowbit;
using verdicts::Status;

namespace {

struct Queueing {
  test::StageFixture stage{"lowbit.review-queue"};

  /// `votes`: status by item, in the order of the items; "right" is an answer that was graded right.
  explicit Queueing(const std::vector<std::string>& votes) {
    tasks::Task task{.name = "sums", .items = {}};
    JsonLinesWriter predictions(stage.input("predictions") / "predictions.jsonl");
    JsonLinesWriter verdicts(stage.input("vote") / "verdicts.jsonl");
    for (std::size_t i = 0; i < votes.size(); ++i) {
      const std::string id = "i" + std::to_string(i);
      task.items.push_back({.item_id = id,
                            .problem_id = id,
                            .problem = "problem " + id,
                            .answer = "4",
                            .solution = std::nullopt,
                            .steps = std::vector<std::string>{"2 + 2 = 4"}});
      predictions.write({{"item_id", id},
                         {"problem_id", id},
                         {"prompt_sha", std::string(64, 'a')},
                         {"text", "text " + id},
                         {"steps", {"2 + 2 = 5"}},
                         {"extracted", "5"},
                         {"correct", votes[i] == "right"}});
      verdicts::Finding finding{.status = Status::insufficient, .first_error_step = {}, .category = {}, .type = {}};
      if (votes[i] == "error") finding = verdicts::error_of_type("computational_error", 1, "");
      if (votes[i] == "conflict") finding.status = Status::conflict;
      if (votes[i] == "no_error") finding.status = Status::no_error;
      if (votes[i] != "unjudged") verdicts.write(verdicts::json_of(finding, id, "vote"));
    }
    predictions.close();
    verdicts.close();
    tasks::write_task(stage.input("task"), task);
    stage.host.bind("predictions", {.path = stage.input("predictions").string(), .type = "predictions/1"});
    stage.host.bind("task", {.path = stage.input("task").string(), .type = "task/1"});
    stage.host.bind("vote", {.path = stage.input("vote").string(), .type = "verdicts/1"});
  }
  /// "i0 conflict", one a queued case; "*" behind what was drawn.
  std::vector<std::string> queued(const nlohmann::json& params) {
    stage.host.params = params;
    REQUIRE(stage.run() == LB_OK);
    std::vector<std::string> out;
    for (const auto& row : stage.lines("queue/queue.jsonl")) {
      out.push_back(row["item_id"].get<std::string>() + " " + row["reason"].get<std::string>() +
                    (row["audited"] == true ? "*" : ""));
    }
    return out;
  }
};

}  // namespace

TEST_CASE("people see conflicts, thin votes and acquittals of wrong answers", "[review]") {
  Queueing q({"conflict", "insufficient", "no_error", "error", "right", "unjudged"});
  CHECK(q.queued({{"audit_share", 0.0}}) == std::vector<std::string>{"i0 conflict", "i1 insufficient", "i2 no_error"});
  const auto row = q.stage.lines("queue/queue.jsonl")[0];
  CHECK(row["problem"] == "problem i0");
  CHECK(row["reference_steps"] == nlohmann::json{"2 + 2 = 4"});
  CHECK(row["case"] ==
        verdicts::case_of(
            {.item_id = "i0", .problem_id = "i0", .prompt_sha = std::string(64, 'a'), .text = "text i0", .steps = {}}));
  CHECK(row.dump().find("computational") == std::string::npos);
  CHECK(q.stage.metric("review/judged").value == 4);
  CHECK(q.stage.metric("review/queued").value == 3);
}

TEST_CASE("an audit draws its share of what was judged, rounded up, and again the same", "[review]") {
  const std::vector<std::string> votes(150, "error");
  Queueing q(votes);
  const auto drawn = q.queued({{"audit_share", 0.02}});
  CHECK(drawn.size() == 3);
  CHECK(std::all_of(drawn.begin(), drawn.end(), [](const auto& text) { return text.ends_with(" audit*"); }));
  CHECK(Queueing(votes).queued({{"audit_share", 0.02}}) == drawn);
  CHECK(Queueing(votes).queued({{"audit_share", 0.02}, {"seed", 1}}) != drawn);
  // A larger share only adds.
  const auto more = Queueing(votes).queued({{"audit_share", 0.1}});
  CHECK(more.size() == 15);
  CHECK(std::all_of(drawn.begin(), drawn.end(),
                    [&](const auto& text) { return std::find(more.begin(), more.end(), text) != more.end(); }));
}

TEST_CASE("of conflicts alone a share is drawn, and the others are left to the vote", "[review]") {
  std::vector<std::string> votes(50, "conflict");
  votes.resize(100, "error");
  Queueing q(votes);
  const auto drawn = q.queued({{"audit_share", 0.02}, {"audit_population", "conflicts"}});
  REQUIRE(drawn.size() == 1);
  CHECK_THAT(drawn[0], Catch::EndsWith(" conflict*"));
}

TEST_CASE("people choose from the judges' taxonomy", "[review]") {
  Queueing q({"error"});
  q.stage.host.params = {{"taxonomy", "v1"}};
  CHECK(q.stage.run() == LB_BAD_PARAM);
  CHECK_THAT(q.stage.error(), Catch::EndsWith("set taxonomy to v2"));
}

TEST_CASE("several judges are no vote", "[review]") {
  Queueing q({"error"});
  JsonLinesWriter out(q.stage.input("vote") / "verdicts.jsonl");
  for (const char* judge : {"ann", "bob"})
    out.write(verdicts::json_of(verdicts::error_of_type("computational_error", 1, ""), "i0", judge));
  out.close();
  CHECK(q.stage.run() == LB_BAD_INPUT);
  CHECK_THAT(q.stage.error(), Catch::StartsWith("these are several judges and no vote\nverdict of bob on item i0\n"));
}
