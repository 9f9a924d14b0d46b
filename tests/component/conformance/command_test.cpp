#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "component/conformance/conformance_fixture.h"
#include "env/process.h"

using namespace lowbit;
using namespace lowbit::test;

namespace {

/// `lowbit plugins check WORDS...` in a process of its own.
class Command {
 public:
  explicit Command(const Directory& directory, std::vector<std::string> words, std::string variable = "LC_ALL=C")
      : output_(directory.path() / "output") {
    words.insert(words.begin(), {kProgram.string(), "plugins", "check"});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<char*> variables{variable.data()};  // the first of a name counts
    for (char** entry = environ; *entry != nullptr; ++entry) variables.push_back(*entry);
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    REQUIRE(posix_spawn(&pid_, kProgram.c_str(), &actions, nullptr, arguments.data(), variables.data()) == 0);
    posix_spawn_file_actions_destroy(&actions);
  }

  /// As of waitpid().
  [[nodiscard]] int wait() const {
    int status = 0;
    REQUIRE(waitpid(pid_, &status, 0) == pid_);
    return status;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string output() const {
    std::ifstream in(output_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path output_;
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("the command prints a line for each check, counts them, and ends with 0 when none failed", "[conformance]") {
  const Directory files;
  const auto text = files.file("text.txt", "a a b\n");
  const Command command(files, {kTemplate.string(), "--input", "text=file:" + text.string(), "--param", "min_count=2"});
  const int status = command.wait();
  INFO(command.output());
  CHECK(WEXITSTATUS(status) == 0);
  CHECK_THAT(command.output(),
             Catch::StartsWith("ok    word-count.so  exports          lowbit_plugin and nothing else\n"));
  CHECK_THAT(command.output(),
             Catch::Contains("\nok    example.word-count  runs             with {\"min_count\":2}\n"));
  CHECK_THAT(command.output(), Catch::Contains(" ok, 0 failed, "));
}

TEST_CASE("the command ends with 3 when a check failed, and prints JSON on request", "[conformance]") {
  const Directory files;
  const Command command(files, {(kToys / "toy.so").string(), "--stage", "lowbit.toy.crash", "--json"});
  CHECK(WEXITSTATUS(command.wait()) == 3);
  const Json json = Json::parse(command.output());
  CHECK(json.at("counts") == Json{{"ok", 3}, {"fail", 1}, {"skip", 13}});
  CHECK(json.at("checks").at(3).at("check") == "runs");
  CHECK(json.at("checks").at(3).at("result") == "fail");
}

TEST_CASE("the command refuses arguments without a value and ends with 2", "[conformance]") {
  const Directory files;
  const Command input(files, {kTemplate.string(), "--input", "text"});
  CHECK(WEXITSTATUS(input.wait()) == 2);
  CHECK(input.output() ==
        "error[LB0014]: `--input` needs PORT=PATH or PORT=TYPE:PATH\n"
        " --> --input #1:1:1\n"
        "  |\n"
        "1 | text\n"
        "  | ^^^^ expected PORT=PATH or PORT=TYPE:PATH\n"
        "  = help: see `lowbit plugins check --help`\n");
  const Command parameter(files, {kTemplate.string(), "--param", "min_count="});
  CHECK(WEXITSTATUS(parameter.wait()) == 2);
  CHECK_THAT(parameter.output(), Catch::StartsWith("error[LB0014]: `--param` needs NAME=VALUE\n"));
}

TEST_CASE("an interrupt ends the running job, removes its files, and ends the command", "[conformance]") {
  const Directory files;
  std::filesystem::create_directories(files.path() / "tmp");
  const Command command(files, {(kToys / "toy.so").string(), "--stage", "lowbit.toy.hang"},
                        "TMPDIR=" + (files.path() / "tmp").string());

  // The job runs once its shim has said who it is.
  std::optional<env::ProcessIdentity> shim;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!shim && std::chrono::steady_clock::now() < give_up) {
    for (const auto& entry : std::filesystem::directory_iterator(files.path() / "tmp")) {
      std::ifstream in(entry.path() / "attempt" / "shim.json");
      const Json json = in ? Json::parse(in, nullptr, false) : Json();
      shim = env::process_identity(json);
    }
    std::this_thread::yield();
  }
  REQUIRE(shim);
  REQUIRE(kill(command.pid(), SIGINT) == 0);
  const int status = command.wait();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  // The kernel closes a process's lock, by which its end is known, before it takes the process off its list.
  const auto reaped = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (env::is_alive(*shim) && std::chrono::steady_clock::now() < reaped) std::this_thread::yield();
  CHECK_FALSE(env::is_alive(*shim));
  CHECK(std::filesystem::is_empty(files.path() / "tmp"));
}
