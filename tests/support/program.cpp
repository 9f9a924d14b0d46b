#include "support/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace lowbit::test {
namespace fs = std::filesystem;

Program::Program(std::vector<std::string> words, const fs::path& directory, const Environment& environment) {
  static int number = 0;
  const std::string name = std::to_string(::getpid()) + "-" + std::to_string(++number);
  out_ = fs::temp_directory_path() / ("lowbit-test-out-" + name);
  err_ = fs::temp_directory_path() / ("lowbit-test-err-" + name);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ != 0) return;
  for (const auto& [key, value] : environment) ::setenv(key.c_str(), value.c_str(), 1);
  const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (::chdir(directory.c_str()) != 0) ::_exit(126);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

Program::~Program() {
  if (pid_ > 0) {
    send(SIGKILL);
    (void)wait();
  }
}

void Program::send(int signal) const { ::kill(pid_, signal); }

Ended Program::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  Ended ended{.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
              .out = read_text(out_),
              .err = read_text(err_)};
  fs::remove(out_);
  fs::remove(err_);
  return ended;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "lowbit-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code code;
  fs::remove_all(path_, code);
}

std::string read_text(const fs::path& file) {
  const std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_text(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

}  // namespace lowbit::test
