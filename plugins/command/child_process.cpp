#include "child_process.h"

#include <lowbit/errors.hpp>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace lowbit::command {
namespace {

constexpr std::size_t kLines = 20;
constexpr std::size_t kLineBytes = 500;

[[noreturn]] void cannot_start(const std::string& program, const std::string& why) {
  throw StageError(LB_BAD_PARAM,
                   {.what = "the program `" + program + "` cannot be started",
                    .where = "params.command",
                    .why = why,
                    .fix = "name an executable file by its full path or one that is in PATH; bind a script to the "
                           "input `program` and write {program} where its path belongs"});
}

[[noreturn]] void system_failed(const char* doing) {
  throw StageError(LB_RESOURCE, {.what = std::string("the system refused ") + doing,
                                 .where = "starting the program",
                                 .why = std::strerror(errno),
                                 .fix = "free processes or file descriptors, then run again"});
}

/// What execvp would find, looked up here because the child must not allocate.
std::string find_program(const std::string& name, const std::map<std::string, std::string>& environment) {
  if (name.find('/') != std::string::npos) return name;
  const auto given = environment.find("PATH");
  const char* inherited = std::getenv("PATH");
  std::string rest = given != environment.end() ? given->second : inherited != nullptr ? inherited : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::string directory = rest.substr(0, rest.find(':'));
    rest.erase(0, directory.size() + 1);
    std::string path = directory + "/" + name;
    if (!directory.empty() && ::access(path.c_str(), X_OK) == 0) return path;
  }
  cannot_start(name, "there is no such program in PATH");
}

std::vector<std::string> environment_entries(const std::map<std::string, std::string>& added) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!added.contains(std::string(text.substr(0, text.find('='))))) entries.emplace_back(text);
  }
  for (const auto& [name, value] : added) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Both ends are closed when it goes, but for those that were taken.
struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) system_failed("a pipe");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    close_write();
    if (read >= 0) ::close(read);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int take_read() { return std::exchange(read, -1); }
  void close_write() {
    if (write >= 0) ::close(std::exchange(write, -1));
  }
};

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment, const char* directory,
                         int standard_error, int report, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(standard_error, STDERR_FILENO) >= 0 && ::chdir(directory) == 0) {
    ::execve(program, arguments, environment);
  }
  const int problem = errno;
  [[maybe_unused]] const ssize_t ignored = ::write(report, &problem, sizeof problem);
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const Command& command) {
  const std::string program = find_program(command.arguments.front(), command.environment);
  std::vector<std::string> argument_texts = command.arguments;
  std::vector<std::string> environment_texts = environment_entries(command.environment);
  const std::vector<char*> arguments = pointers(argument_texts);
  const std::vector<char*> environment = pointers(environment_texts);
  Pipe errors;
  Pipe report;  // closed by a successful exec, else holds its errno
  const pid_t parent = ::getpid();
  pid_ = ::fork();  // NOLINT(cppcoreguidelines-prefer-member-initializer): the pipes come first
  if (pid_ < 0) system_failed("a new process");
  if (pid_ == 0) {
    become(program.c_str(), arguments.data(), environment.data(), command.directory.c_str(), errors.write, report.write,
           parent);
  }
  ::setpgid(pid_, pid_);  // here too: whoever comes first, the group is there when this returns
  errors.close_write();
  report.close_write();
  int problem = 0;
  if (::read(report.read, &problem, sizeof problem) == sizeof problem) {
    ::waitpid(pid_, nullptr, 0);
    cannot_start(command.arguments.front(), std::strerror(problem));
  }
  stderr_ = errors.take_read();
  ::fcntl(stderr_, F_SETFL, O_NONBLOCK);
  pid_descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));  // -1 on old kernels: watch() polls then
}

ChildProcess::~ChildProcess() {
  if (!ending_) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (stderr_ >= 0) ::close(stderr_);
  if (pid_descriptor_ >= 0) ::close(pid_descriptor_);
}

std::optional<Ending> ChildProcess::watch(std::chrono::milliseconds limit) {
  if (!ending_) {
    std::array<pollfd, 2> waiting{pollfd{pid_descriptor_, POLLIN, 0}, pollfd{stderr_, POLLIN, 0}};
    ::poll(waiting.data(), waiting.size(), static_cast<int>(limit.count()));
    drain();
    ending_ = reap();
  }
  return ending_;
}

std::optional<Ending> ChildProcess::reap() {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != pid_) {
    return std::nullopt;
  }
  ::kill(-pid_, SIGKILL);  // what it left running in its group; not yet reaped, so the number is still its own
  int status = 0;
  ::waitpid(pid_, &status, 0);
  drain();
  if (WIFSIGNALED(status)) return Ending{.signalled = true, .code = WTERMSIG(status)};
  return Ending{.signalled = false, .code = WEXITSTATUS(status)};
}

void ChildProcess::stop(std::chrono::milliseconds grace) {
  using Clock = std::chrono::steady_clock;
  ::kill(-pid_, SIGTERM);
  const Clock::time_point until = Clock::now() + grace;
  while (!watch(std::chrono::milliseconds(20)) && Clock::now() < until) {
  }
  if (!ending_) {
    ::kill(-pid_, SIGKILL);
    while (!watch(std::chrono::milliseconds(20))) {
    }
  }
}

void ChildProcess::drain() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t n = stderr_ < 0 ? -1 : ::read(stderr_, buffer.data(), buffer.size());
    if (n == 0) ::close(std::exchange(stderr_, -1));  // closed by the program: for poll() it would be ready for ever
    if (n <= 0) return;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(n));
    [[maybe_unused]] const ssize_t passed = ::write(STDERR_FILENO, piece.data(), piece.size());
    remember(piece);
  }
}

void ChildProcess::remember(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t newline = piece.find('\n');
    if (lines_.empty()) lines_.emplace_back();
    std::string& line = lines_.back();
    line += piece.substr(0, std::min(newline, kLineBytes - std::min(kLineBytes, line.size())));
    if (newline == std::string_view::npos) return;
    lines_.emplace_back();
    if (lines_.size() > kLines + 1) lines_.pop_front();
    piece.remove_prefix(newline + 1);
  }
}

std::string ChildProcess::last_words() const {
  std::string out;
  for (const std::string& line : lines_) {
    if (!line.empty()) out += (out.empty() ? "" : "\n") + line;
  }
  return out;
}

}  // namespace lowbit::command
