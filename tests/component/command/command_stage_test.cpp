#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>

#include "command_fixture.h"

using Catch::Contains;
using lowbit::ErrorText;
using lowbit::test::CommandFixture;
using nlohmann::json;

TEST_CASE("a program's outputs, metrics, progress and logs arrive", "[command]") {
  CommandFixture stage;
  stage.program(R"(
open(os.path.join(job["outputs"]["predictions"], "predictions.jsonl"), "w").write("{}\n")
emit(progress={"done": 1, "total": 2, "unit": "items"})
emit(metric={"name": "train/loss", "unit": "nats", "value": 0.5, "step": 7})
emit(metric={"name": "sums/accuracy", "unit": "fraction", "value": 0.25, "count": 8, "std_error": 0.1})
emit(log="half way")
emit(log={"level": "warn", "text": "careful"})
)");
  REQUIRE(stage.run() == LB_OK);
  REQUIRE(stage.host.metrics.size() == 2);
  CHECK(stage.host.metrics[0].name == "train/loss");
  CHECK(stage.host.metrics[0].step == 7);
  CHECK(stage.host.metrics[1].value == 0.25);
  CHECK(stage.host.metrics[1].std_error == 0.1);
  CHECK(stage.host.metrics[1].count == 8);
  CHECK(stage.host.metrics[1].step == -1);
  REQUIRE(stage.host.progress.size() == 1);
  CHECK(stage.host.progress[0].total == 2);
  CHECK(stage.host.log ==
        std::vector<std::pair<std::int32_t, std::string>>{{LB_LOG_INFO, "half way"}, {LB_LOG_WARN, "careful"}});
  CHECK(stage.read("predictions/predictions.jsonl") == "{}\n");
}

TEST_CASE("the job file holds what the stage was given", "[command]") {
  CommandFixture stage;
  stage.host.seed = 7;
  stage.host.threads = 3;
  stage.host.rates = R"({"openai": 60})";
  stage.host.stage_id = "score[num_bits=3]";
  stage.host.params["args"] = {{"limit", 5}};
  stage.host.bind("model", {.path = "/models/a",
                            .type = "adapter/1",
                            .digest = std::string(64, 'a'),
                            .closure = R"({"b":{"path":"/models/b","type":"model/1"}})"});
  stage.program(R"(
open(os.path.join(job["outputs"]["predictions"], "job.json"), "w").write(json.dumps(job))
)");
  REQUIRE(stage.run() == LB_OK);
  const json job = json::parse(stage.read("predictions/job.json"));
  CHECK(job["format"] == 1);
  CHECK(job["kind"] == "evaluator");
  CHECK(job["stage"] == "score[num_bits=3]");
  CHECK(job["args"] == json{{"limit", 5}});
  CHECK(job["seed"] == 7);
  CHECK(job["threads"] == 3);
  CHECK(job["rates"] == json{{"openai", 60}});
  CHECK(job["device"] == "cpu");
  CHECK(job["resume_from"].is_null());
  CHECK(job["inputs"]["reference"] == json::array());
  CHECK(job["inputs"]["model"][0]["path"] == "/models/a");
  CHECK(job["inputs"]["model"][0]["closure"]["b"]["type"] == "model/1");

  std::ifstream file(std::string(LOWBIT_SOURCE_DIR) + "/schemas/command-job.schema.json");
  const json schema = json::parse(file);
  for (const auto& [field, unused] : job.items()) CHECK(schema["properties"].contains(field));
  CHECK(job.size() == schema["required"].size());
}

TEST_CASE("the environment holds what env adds, and the program runs in its scratch directory", "[command]") {
  CommandFixture stage;
  stage.host.params["env"] = {{"ANSWER", "42"}};
  stage.program(R"(
assert os.environ["ANSWER"] == "42"
assert os.getcwd() == os.path.realpath(job["scratch"]), os.getcwd()
assert sys.stdin.read() == ""
emit(metric={"name": "x/done", "unit": "", "value": 1})
)");
  CHECK(stage.run() == LB_OK);
}

TEST_CASE("a failure without an error event shows exit status and the last lines of stderr", "[command]") {
  CommandFixture stage;
  stage.program(R"(
for i in range(30):
    print("line", i, file=sys.stderr)
sys.exit(3)
)");
  CHECK(stage.run() == LB_INTERNAL);
  REQUIRE(stage.host.errors.size() == 1);
  const ErrorText& error = stage.host.errors[0];
  std::string lines;
  for (int i = 10; i < 30; ++i) lines += "\nline " + std::to_string(i);
  CHECK(error.what == "the program ended with exit status 3");
  CHECK(error.where == "python3");
  CHECK(error.why == "it wrote last:" + lines);
  CHECK(error.fix == "repair the program; it can say what is wrong with an error event (docs/command-stage.md)");
}

TEST_CASE("a program that crashes is told from one that ends", "[command]") {
  CommandFixture stage;
  stage.program("os.kill(os.getpid(), signal.SIGSEGV)\n");
  CHECK(stage.run() == LB_INTERNAL);
  REQUIRE(stage.host.errors.size() == 1);
  CHECK(stage.host.errors[0].what == "the program ended by signal 11 (Segmentation fault)");
  CHECK(stage.host.errors[0].why == "it wrote nothing to stderr");
}

TEST_CASE("a program that was killed may be tried again", "[command]") {
  CommandFixture stage;
  stage.program("os.kill(os.getpid(), signal.SIGKILL)\n");
  CHECK(stage.run() == LB_RESOURCE);
}

TEST_CASE("an error event is the stage's error, whatever the exit status", "[command]") {
  const int exit_status = GENERATE(0, 5);
  CommandFixture stage;
  stage.program(R"(
emit(error={"status": "numeric", "what": "the loss is NaN", "where": "step 3", "why": "it was 1e9", "fix": "lower it"})
sys.exit()" + std::to_string(exit_status) +
                ")\n");
  CHECK(stage.run() == LB_NUMERIC);
  REQUIRE(stage.host.errors.size() == 1);
  CHECK(stage.host.errors[0].what == "the loss is NaN");
  CHECK(stage.host.errors[0].where == "step 3");
  CHECK(stage.host.errors[0].why == "it was 1e9");
  CHECK(stage.host.errors[0].fix == "lower it");
}

TEST_CASE("a line that is not an event ends the program and names the line", "[command]") {
  struct Case {
    const char* line;
    const char* why;
  };
  const auto [line, why] = GENERATE(values<Case>({
      {R"({"metric": {"name": "x/a", "unit": "", "value": NaN}})", "parse error"},
      {R"({"metrics": {}})", "`metrics` is not an event"},
      {R"({"log": "a", "checkpoint": 1})", "an event is an object with one key"},
      {R"({"metric": {"name": "x/a", "unit": "", "value": 1, "cont": 3}})", "`cont` is not one of its fields"},
      {R"({"metric": {"name": "x/a", "value": 1}})", "unit"},
      {R"({"progress": {"done": -1}})", "a number of at least 0 was expected, not -1"},
      {R"({"log": {"level": "loud", "text": "a"}})", "`loud` is not one of its words"},
      {R"({"checkpoint": 3})", "resume_dir/3 holds no files"},
      {R"([1])", "an event is an object with one key"},
  }));
  CommandFixture stage;
  stage.program(std::string("emit(log='fine')\nopen(job['events'], 'a').write('''") + line +
                "\n''')\ntime.sleep(60)\n");
  const auto start = std::chrono::steady_clock::now();
  CHECK(stage.run() == LB_INTERNAL);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));  // it was not waited for
  REQUIRE(stage.host.errors.size() == 1);
  CHECK(stage.host.errors[0].what == "line 2 of the events file is not an event");
  CHECK(stage.host.errors[0].where == line);
  CHECK_THAT(stage.host.errors[0].why, Contains(why));
  CHECK(stage.host.errors[0].fix ==
        "write one JSON object with one of the keys metric, progress, log, checkpoint, error a line (null, not NaN); "
        "see docs/command-stage.md");
}

TEST_CASE("the last event may lack its newline; half an event of a crashed program does not hide the crash",
          "[command]") {
  CommandFixture stage;
  stage.program(R"(open(job["events"], "a").write('{"metric": {"name": "x/a", "unit": "", "value": 1}}'))");
  CHECK(stage.run() == LB_OK);
  CHECK(stage.host.metrics.size() == 1);

  CommandFixture crashed;
  crashed.program("open(job['events'], 'a').write('{\"met')\nsys.exit(4)\n");
  CHECK(crashed.run() == LB_INTERNAL);
  REQUIRE(crashed.host.errors.size() == 1);
  CHECK(crashed.host.errors[0].what == "the program ended with exit status 4");
}

TEST_CASE("a null value is a number that does not exist", "[command]") {
  CommandFixture stage;
  stage.program(R"(
emit(metric={"name": "train/loss", "unit": "nats", "value": None, "step": 1})
emit(metric={"name": "x/a", "unit": "", "value": 1})
)");
  REQUIRE(stage.run() == LB_OK);
  CHECK(std::isnan(stage.host.metrics[0].value));
}

TEST_CASE("a cancelled program gets SIGTERM and the stage ends within two seconds", "[command]") {
  CommandFixture stage;
  stage.program(R"(
def stop(signum, frame):
    open(os.path.join(job["outputs"]["predictions"], "note"), "w").write("asked to stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
open(os.path.join(job["outputs"]["predictions"], "time"), "w").write(str(time.time()))
emit(progress={"done": 1})
while True:
    time.sleep(60)
)");
  stage.host.cancel_after_ticks = 1;
  CHECK(stage.run() == LB_CANCELLED);
  // The host asks for it with the first progress report, which the program wrote right after the time.
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  CHECK(now.count() - std::stod(stage.read("predictions/time")) < 2.0);
  CHECK(stage.host.errors.empty());
  CHECK(stage.read("predictions/note") == "asked to stop");
}

TEST_CASE("checkpoints are committed and an interrupted program goes on from the last one", "[command]") {
  // Sums 1 to 6 and leaves a checkpoint after each number; the first attempt is killed after the third.
  const std::string program = R"(
done, total = 0, 0
if job["resume_from"]:
    done, total = json.load(open(os.path.join(job["resume_from"], "state.json")))
for i in range(done + 1, 7):
    total += i
    directory = os.path.join(job["resume_dir"], str(i))
    os.makedirs(directory)
    with open(os.path.join(directory, "state.json"), "w") as f:
        json.dump([i, total], f)
    emit(checkpoint=i)
    if i == 3 and not job["resume_from"]:
        while os.path.exists(directory): time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
emit(metric={"name": "x/sum", "unit": "", "value": total})
emit(log="started after " + str(done))
)";
  CommandFixture stage("lowbit.command-trainer");
  stage.program(program);
  CHECK(stage.run() == LB_RESOURCE);
  CHECK(stage.host.checkpoints == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(stage.read("checkpoint-3/state.json") == "[3, 6]");

  stage.host.resume_from = stage.host.path("checkpoint-3");
  std::filesystem::remove_all(stage.host.path("scratch"));
  REQUIRE(stage.run() == LB_OK);
  CHECK(stage.host.checkpoints == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
  CHECK(stage.host.metrics.at(0).value == 21);
  CHECK(stage.host.log.at(0).second == "started after 3");
}

TEST_CASE("a checkpoint that the host cannot keep ends the program", "[command]") {
  CommandFixture stage;
  stage.host.checkpoint_status = LB_RESOURCE;
  stage.program(R"(
os.makedirs(os.path.join(job["resume_dir"], "1"))
open(os.path.join(job["resume_dir"], "1", "state"), "w").write("x")
emit(checkpoint=1)
time.sleep(60)
)");
  CHECK(stage.run() == LB_RESOURCE);
  CHECK(stage.host.errors.at(0).what == "a checkpoint could not be committed");
}

TEST_CASE("a program that leaves nothing behind has not succeeded", "[command]") {
  CommandFixture stage;
  stage.program("pass\n");
  CHECK(stage.run() == LB_INTERNAL);
  CHECK(stage.host.errors.at(0).what == "the program ended well but left nothing behind");
}

TEST_CASE("other exit statuses may mean success", "[command]") {
  CommandFixture stage;
  stage.host.params["success_codes"] = {0, 9};
  stage.program("emit(metric={'name': 'x/a', 'unit': '', 'value': 1})\nsys.exit(9)\n");
  CHECK(stage.run() == LB_OK);
}

TEST_CASE("a program that cannot be started is a wrong parameter", "[command]") {
  CommandFixture stage;
  SECTION("not in PATH") {
    stage.host.params["command"] = {"no-such-program"};
    CHECK(stage.run() == LB_BAD_PARAM);
    CHECK(stage.host.errors.at(0).what == "the program `no-such-program` cannot be started");
    CHECK(stage.host.errors.at(0).where == "params.command");
    CHECK(stage.host.errors.at(0).why == "there is no such program in PATH");
    CHECK_THAT(stage.host.errors.at(0).fix, Contains("name an executable file by its full path"));
  }
  SECTION("not executable") {
    const std::string file = stage.host.path("scratch/plain");
    std::ofstream(file) << "text";
    stage.host.params["command"] = {file};
    CHECK(stage.run() == LB_BAD_PARAM);
    CHECK(stage.host.errors.at(0).why == "Permission denied");
  }
}

TEST_CASE("{program} and the input program go together", "[command]") {
  CommandFixture stage;
  SECTION("named, not bound") {
    stage.host.params["command"] = {"python3", "{program}"};
    CHECK(stage.run() == LB_BAD_PARAM);
    CHECK(stage.host.errors.at(0).what == "`command` names {program}, but nothing is bound to it");
  }
  SECTION("bound, not named") {
    stage.program("pass\n");
    stage.host.params["command"] = {"true"};
    CHECK(stage.run() == LB_BAD_PARAM);
    CHECK(stage.host.errors.at(0).what == "`program` is bound, but not used");
  }
}

TEST_CASE("what is wrong with the parameters is seen without running", "[command]") {
  CommandFixture stage;
  stage.host.params["command"] = {"true"};
  const auto what = [&] {
    CHECK(stage.host.run(stage.stage().check) == LB_BAD_PARAM);
    return stage.host.errors.at(0).what;
  };
  SECTION("a number in env") {
    stage.host.params["env"] = {{"N", 3}};
    CHECK(what() == "`env.N` is not text");
  }
  SECTION("a name that is ours") {
    stage.host.params["env"] = {{"LOWBIT_JOB", "x"}};
    CHECK(what() == "`LOWBIT_JOB` cannot be the name of a variable here");
  }
  SECTION("an empty program name") {
    stage.host.params["command"] = {""};
    CHECK(what() == "the first member of `command` is empty");
  }
  SECTION("nothing") { CHECK(stage.host.run(stage.stage().check) == LB_OK); }
}
