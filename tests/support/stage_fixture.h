// A stage of the plugin that is compiled into the test, run in-process with real directories.
//
//   StageFixture stage("lowbit.generate");
//   stage.host.bind("model", {.path = "...", .type = "model/1"});
//   REQUIRE(stage.run() == LB_OK);
//   stage.lines("predictions/predictions.jsonl");
#pragma once

#include <catch2/catch.hpp>
#include <lowbit/sdk.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/fake_host.h"
#include "support/program.h"

extern "C" const lb_plugin* lowbit_plugin(void);

namespace lowbit::test {

class StageFixture {
 public:
  explicit StageFixture(std::string_view id) {
    for (const lb_stage* const* s = lowbit_plugin()->stages; *s != nullptr; ++s) {
      if (id == (*s)->id) stage_ = *s;
    }
    REQUIRE(stage_ != nullptr);
    host.directory = directory_.path();
    host.outputs.clear();
    for (const lb_port* const* p = stage_->outputs; *p != nullptr; ++p) host.outputs.emplace_back((*p)->name);
  }

  lb_status run() { return host.run(stage_->run); }
  /// A fresh directory, outside that of the outputs.
  [[nodiscard]] std::filesystem::path input(const std::string& name) const {
    std::filesystem::create_directories(inputs_.path() / name);
    return inputs_.path() / name;
  }
  [[nodiscard]] std::string read(const std::string& file) const { return read_text(directory_.path() / file); }
  [[nodiscard]] std::vector<nlohmann::json> lines(const std::string& file) const {
    return read_json_lines(directory_.path() / file);
  }
  /// REQUIRES: it was reported.
  [[nodiscard]] FakeHost::Metric metric(std::string_view name) const {
    for (const FakeHost::Metric& metric : host.metrics) {
      if (metric.name == name) return metric;
    }
    FAIL("no metric " << name);
    return {};
  }
  /// All four parts of the only error.
  [[nodiscard]] std::string error() const {
    REQUIRE(host.errors.size() == 1);
    const ErrorText& e = host.errors.front();
    return e.what + "\n" + e.where + "\n" + e.why + "\n" + e.fix;
  }

  FakeHost host;

 private:
  TemporaryDirectory directory_, inputs_;
  const lb_stage* stage_ = nullptr;
};

}  // namespace lowbit::test
