#include "plugin/describe_in_child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include "env/posix/exec_words.h"
#include "plugin/quoted.h"

namespace lowbit::plugin {
namespace {

// What a plugin needs to load, and nothing that could be a secret.
constexpr std::array<std::string_view, 11> kPassed{
    "PATH",         "HOME",          "LANG",         "LC_ALL",       "TMPDIR",           "LD_LIBRARY_PATH",
    "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "OPENBLAS_CORETYPE"};

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::error_code ignored;
    std::string form = (std::filesystem::temp_directory_path(ignored) / "lowbit-describe-XXXXXX").string();
    if (mkdtemp(form.data()) != nullptr) path_ = form;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  /// Empty when it could not be made.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Diagnostic not_started(const std::filesystem::path& library, const std::string& reason) {
  return error("LB4014", "no process could be started to describe the plugin " + quoted(library))
      .note(reason)
      .fix("free memory, processes or space for temporary files, then run again");
}

std::optional<std::string> read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string last_line(const std::filesystem::path& file) {
  const std::string text = read_text(file).value_or("");
  const std::size_t end = text.find_last_not_of(" \n\r");
  if (end == std::string::npos) return {};
  const std::size_t newline = text.rfind('\n', end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  return text.substr(begin, end + 1 - begin);
}

/// Owner of the two lists that posix_spawn takes.
class SpawnSettings {
 public:
  explicit SpawnSettings(const std::filesystem::path& standard_error) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, standard_error.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawnattr_init(&attributes_);
    // A session of its own: whatever the plugin starts is ended with it, and Ctrl-C stays with the host.
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// 0, or an error number.
int start(std::vector<std::string> command, const std::filesystem::path& standard_error, pid_t& pid) {
  std::vector<std::string> environment;
  for (const std::string_view name : kPassed) {
    const std::string key(name);
    if (const char* value = std::getenv(key.c_str())) environment.push_back(key + "=" + value);
  }
  const SpawnSettings settings(standard_error);
  return posix_spawn(&pid, command.front().c_str(), settings.actions(), settings.attributes(),
                     env::exec_words(command).data(), env::exec_words(environment).data());
}

struct Ending {
  bool timed_out = false;
  int status = 0;  ///< as of waitpid()
};

Ending wait_or_kill(pid_t pid, std::chrono::milliseconds limit) {
  // The waiting thread leaves the child unreaped, so that the kill below can only meet this child.
  auto ended = std::async(std::launch::async, [pid] {
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
  });
  Ending ending;
  ending.timed_out = ended.wait_for(limit) == std::future_status::timeout;
  kill(-pid, SIGKILL);  // also after a normal end: nothing the plugin started stays behind
  ended.wait();
  while (waitpid(pid, &ending.status, 0) < 0 && errno == EINTR) {
  }
  return ending;
}

std::string text_of(const Ending& ending) {
  if (WIFSIGNALED(ending.status)) {
    const int number = WTERMSIG(ending.status);
    return "its process was ended by signal " + std::to_string(number) + " (" + strsignal(number) + ")";
  }
  return "its process exited with status " + std::to_string(WEXITSTATUS(ending.status));
}

/// What the child wrote to --errors.
std::optional<Diagnostics> read_errors(const std::filesystem::path& file) {
  const auto text = read_text(file);
  if (!text) return std::nullopt;
  try {
    Diagnostics problems;
    for (const Json& json : Json::parse(*text)) {
      Diagnostic problem = error(json.at("code"), json.at("what")).fix(json.at("help"));
      problem.notes = json.at("notes");
      problems.push_back(std::move(problem));
    }
    if (!problems.empty()) return problems;
  } catch (const Json::exception&) {  // cut off: the child died while writing
  }
  return std::nullopt;
}

Result<PluginDescription> run(const ChildOptions& options, const std::filesystem::path& library) {
  const ScratchDirectory scratch;
  if (scratch.path().empty()) return not_started(library, std::string("no temporary directory: ") + strerror(errno));
  const auto output = scratch.path() / "description.json";
  const auto errors = scratch.path() / "errors.json";
  const auto standard_error = scratch.path() / "stderr";

  pid_t pid = 0;
  const int failure = start({options.program.string(), "worker", "--describe", library.string(), "--output",
                             output.string(), "--errors", errors.string()},
                            standard_error, pid);
  if (failure != 0) return not_started(library, strerror(failure));
  const Ending ending = wait_or_kill(pid, options.limit);

  if (!ending.timed_out) {
    if (auto problems = read_errors(errors)) return *std::move(problems);
    if (const auto text = read_text(output); text && WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0) {
      LB_TRY_ASSIGN(PluginDescription plugin, plugin_description(Json::parse(*text, nullptr, false)));
      plugin.library = library;
      return plugin;
    }
  }
  Diagnostic problem =
      ending.timed_out ? error("LB4013", "the plugin " + quoted(library) + " hangs when it is loaded and described")
                             .note("it was ended after " + std::to_string(options.limit.count()) + " ms")
                       : error("LB4012", "the plugin " + quoted(library) + " crashes when it is loaded and described")
                             .note(text_of(ending));
  if (const std::string line = last_line(standard_error); !line.empty()) problem.note("its last words: " + line);
  return problem.fix("report this to the plugin's author; `lowbit worker --describe FILE --output FILE` repeats it");
}

}  // namespace

Describer describe_in_child(ChildOptions options) {
  return [options = std::move(options)](const std::filesystem::path& library) { return run(options, library); };
}

}  // namespace lowbit::plugin
