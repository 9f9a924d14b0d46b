// A stage of the command plugin with a Python program, run by the fake host in a directory of its own.
#pragma once

#include <catch2/catch.hpp>

#include <lowbit/sdk.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <unistd.h>

#include "support/fake_host.h"

extern "C" const lb_plugin* lowbit_plugin(void);

namespace lowbit::test {

/// What every test program starts with: `job` and `emit(...)`.
inline constexpr const char* kPrelude = R"(
import json, os, signal, sys, time
job = json.load(open(os.environ["LOWBIT_JOB"]))
def emit(**event):
    with open(job["events"], "a") as events:
        events.write(json.dumps(event) + "\n")
)";

class CommandFixture {
 public:
  explicit CommandFixture(const std::string& stage = "lowbit.command-evaluator") {
    std::string name = (std::filesystem::temp_directory_path() / "lowbit-command-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    host.directory = name;
    std::filesystem::create_directories(host.path("scratch"));
    for (const lb_stage* const* s = lowbit_plugin()->stages; *s != nullptr; ++s) {
      if (stage == (*s)->id) stage_ = *s;
    }
    REQUIRE(stage_ != nullptr);
    host.outputs.clear();
    for (const lb_port* const* p = stage_->outputs; *p != nullptr; ++p) host.outputs.emplace_back((*p)->name);
  }
  ~CommandFixture() { std::filesystem::remove_all(host.directory); }
  CommandFixture(const CommandFixture&) = delete;
  CommandFixture& operator=(const CommandFixture&) = delete;

  /// Binds `code`, after the prelude, to `program` and makes it the command.
  void program(const std::string& code) {
    const std::string file = host.path("program.py");
    std::ofstream(file) << kPrelude << code;
    if (!bound_) host.bind("program", {.path = file, .type = "file"});
    bound_ = true;
    host.params["command"] = {"python3", "{program}"};
  }
  lb_status run() { return host.run(stage_->run); }
  [[nodiscard]] const lb_stage& stage() const { return *stage_; }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(host.path(name)).rdbuf();
    return text.str();
  }

  FakeHost host;

 private:
  const lb_stage* stage_ = nullptr;
  bool bound_ = false;
};

}  // namespace lowbit::test
