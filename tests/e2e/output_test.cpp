// What is printed gets out whole or is said not to, is safe for a terminal, and no command ends without a word.
#include <catch2/catch.hpp>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::StartsWith;

namespace {

constexpr const char* kOne = "experiment: one\nstages: [{id: one, use: lowbit.toy.source}]\n";
constexpr const char* kManyRows =
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000) SELECT x FROM c";

}  // namespace

TEST_CASE("output that could not be written is no success", "[e2e]") {
  const Project project(kOne);
  REQUIRE(project.run().status == 0);
  const std::string many = "lowbit query --csv '" + std::string(kManyRows) + "'";
  CHECK(project.shell("lowbit plan experiment.yaml > /dev/full").err ==
        "error[LB6107]: not all of the output could be written\n"
        " = note: No space left on device\n"
        " = help: make room where it goes, then the same command\n");
  for (const std::string& command : {std::string("lowbit plan experiment.yaml"), std::string("lowbit --help"), many}) {
    INFO(command);
    CHECK(project.shell(command + " > /dev/full").status == 3);
    CHECK(project.shell(command + " >&-").status == 3);
  }
  const Ended reader_left = project.shell(many + " | head -n 1; exit ${PIPESTATUS[0]}");
  CHECK(reader_left.status == 0);
  CHECK(reader_left.err.empty());
}

TEST_CASE("a closed stdout is not mistaken for a file of the project", "[e2e]") {
  const Project project(kOne);
  CHECK(project.shell("lowbit run experiment.yaml --json >&- 2>&-").status == 3);
  CHECK(read_text(project.path() / ".lowbit/lease.lock").empty());
  CHECK(project.query("SELECT state FROM v_stages") == "done\n");
}

TEST_CASE("names and places that the system refuses are answered, not crashed on", "[e2e]") {
  const Project project(kOne);
  const Ended plan = project.lowbit({"plan", ""});
  CHECK(plan.status == 2);
  CHECK_THAT(plan.err, StartsWith("error[LB0005]"));
  const Ended table = project.lowbit({"table", ""});
  CHECK(table.status == 2);
  CHECK_THAT(table.err, StartsWith("error[LB0006]"));
  const Ended gone = project.shell("mkdir gone; cd gone; rmdir ../gone; lowbit status");
  CHECK(gone.status == 3);
  CHECK_THAT(gone.err, StartsWith("error[LB6101]"));
  CHECK(project.shell("ln -s loop loop; lowbit export loop out --format hf; test $? = 2 && lowbit import loop out")
            .status == 2);
  CHECK(project.lowbit({"export", std::string(5000, 'x'), "out", "--format", "hf"}).status == 2);
  CHECK(project.lowbit({"import", std::string(5000, 'x'), "out"}).status == 2);
}

TEST_CASE("a project directory must be there, and be told to jobs as UTF-8", "[e2e]") {
  const Project project(kOne);
  for (const char* directory : {"", "nowhere", "experiment.yaml"}) {
    const Ended status = project.lowbit({"status", "--project", directory});
    CHECK(status.status == 2);
    CHECK(status.err == "error[LB0042]: there is no directory " + std::string(directory) +
                            "\n = note: --project names the directory of a project\n"
                            " = help: check the path; `lowbit init DIRECTORY` starts a project\n");
    CHECK(project.lowbit({"run", "experiment.yaml", "--project", directory}).status == 2);
  }
  const std::string enter = "mkdir -p $'b\\xff' && cd $'b\\xff' && touch lowbit.yaml && cp ../experiment.yaml . && ";
  const Ended run = project.shell(enter + "lowbit run experiment.yaml");
  CHECK(run.status == 2);
  CHECK_THAT(run.err, StartsWith("error[LB0043]: the path of the project is not UTF-8"));
  CHECK(
      project.shell(enter + "lowbit plan experiment.yaml && lowbit plan experiment.yaml --json && lowbit doctor --json")
          .status == 0);
}

// The sanitizers end a program that asks for this much.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LOWBIT_TEST_NO_BAD_ALLOC
#endif
#endif
#if !defined(LOWBIT_TEST_NO_BAD_ALLOC) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("what nobody expected is said, with the exit status of the machine", "[e2e]") {
  const Project project(kOne);
  const Ended plan = project.shell("truncate -s 8T large.yaml && lowbit plan large.yaml");
  CHECK(plan.status == 3);
  CHECK_THAT(plan.err, StartsWith("error[LB4106]: `lowbit plan` met something that it does not expect\n"
                                  " = note: std::bad_alloc\n"));
}
#endif

TEST_CASE("control characters of a file do not reach the terminal", "[e2e]") {
  const Project project(
      "experiment: control\nmatrix: {text: [\"\\e[31mred\\nline\"]}\n"
      "stages: [{id: one, use: lowbit.toy.source, params: {text: \"${text}\"}}]\n");
  const std::string label = "one[text=\\x1b[31mred\\nline]";
  const auto safe = [&](const std::string& text) {
    CHECK_THAT(text, Contains(label));
    CHECK_THAT(text, !Contains("\x1b"));
  };
  safe(project.plan());
  safe(project.lowbit({"why", "one", "experiment.yaml"}).out);
  safe(project.lowbit({"graph", "experiment.yaml", "--variants"}).out);
  const Ended run = project.run();
  CHECK(run.status == 0);
  safe(run.err);
  project.edit("experiment: control\nstages: [{id: other, use: lowbit.toy.source}]\n");
  REQUIRE(project.run().status == 0);
  safe(project.lowbit({"gc", "--dry-run"}).out);
}
