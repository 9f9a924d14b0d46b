// Models go out in the formats of other tools and come back, through the program.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "e2e/project.h"

using namespace lowbit::test;
using Catch::Contains;
using Catch::StartsWith;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr const char* kExchange = R"(experiment: exchange
matrix: {num_bits: [4, 3]}
inputs:
  base: {type: model/1, path: model}
stages:
  - {id: quantize, use: lowbit.rtn, with: {model: inputs.base}, params: {num_bits: "${num_bits}", group_size: 8, symmetric: true}}
  - {id: nf4, use: lowbit.nf4, with: {model: inputs.base}}
  - {id: merged, use: lowbit.export, with: {model: nf4.quantized}, params: {format: hf}}
  - {id: back, use: lowbit.import, with: {source: merged.exported}}
)";

struct Exchange {
  Exchange() : project(kExchange) {
    fs::copy(fs::path(LOWBIT_SOURCE_DIR) / "tests/numerics/data/random-llama3", project.path() / "model");
  }
  [[nodiscard]] Json config(const std::string& directory) const {
    return Json::parse(read_text(project.path() / directory / "config.json"));
  }
  /// Names in the project's directory, but for what was there before.
  [[nodiscard]] size_t n_files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(project.path()), fs::directory_iterator()));
  }
  Project project;
};

}  // namespace

TEST_CASE("the command knows the formats that the stage writes", "[e2e]") {
  const Exchange e;
  const Json stage = Json::parse(e.project.lowbit({"plugins", "lowbit.export", "--json"}).out);
  std::string formats;
  for (const Json& format : stage["params_schema"]["properties"]["format"]["enum"]) {
    formats += (formats.empty() ? "" : ", ") + format.get<std::string>();
  }
  REQUIRE_FALSE(formats.empty());
  const Ended refused = e.project.lowbit({"export", "nf4", "out", "--format", "gtpq"});
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, Contains("error[LB0019]") && Contains("of a model: " + formats + "\n"));
}

TEST_CASE("a stage's model is exported by its name, and imported to the same digest of its codes", "[e2e]") {
  const Exchange e;
  const Ended run = e.project.run();
  INFO(run.err);
  REQUIRE(run.status == 0);

  const Ended exported = e.project.lowbit({"export", "quantize[num_bits=4]", "--format", "gptq", "gptq"});
  INFO(exported.err);
  REQUIRE(exported.status == 0);
  CHECK_THAT(exported.out, StartsWith("gptq: file, "));
  CHECK(e.config("gptq")["quantization_config"]["checkpoint_format"] == "gptq");
  const Ended imported = e.project.lowbit({"import", "gptq", "back"});
  INFO(imported.err);
  REQUIRE(imported.status == 0);
  CHECK_THAT(imported.out, StartsWith("back: quantized-model/1, "));
  // A directory of the project is exported like a stage, to the same bytes.
  REQUIRE(e.project.lowbit({"export", "back", "-f", "gptq", "again"}).status == 0);
  for (const auto& entry : fs::directory_iterator(e.project.path() / "gptq")) {
    const auto name = entry.path().filename();
    INFO(name);
    CHECK(read_text(entry.path()) == read_text(e.project.path() / "again" / name));
  }
  // A slash behind a name is what completion writes; the current directory cannot be replaced.
  CHECK(e.project.lowbit({"export", "back", "-f", "gptq", "slashed/"}).status == 0);
  CHECK(fs::exists(e.project.path() / "slashed/config.json"));
  fs::create_directory(e.project.path() / "empty");
  CHECK(e.project.lowbit({"export", "back", "-f", "gptq", "empty/"}).status == 0);
  // By digest.
  const std::string digest =
      e.project.query("SELECT a.digest FROM artifacts a JOIN v_stages s USING (result_id) WHERE s.stage = 'nf4'");
  const Ended nf4 = e.project.lowbit({"export", digest.substr(0, 64), "--format", "bitsandbytes", "bnb"});
  INFO(nf4.err);
  CHECK(nf4.status == 0);
  CHECK_THAT(nf4.err, Contains("note: readers round the dequantized weights to bfloat16"));
  // Stages of an experiment do the same.
  CHECK(e.project.query("SELECT type FROM artifacts JOIN v_stages USING (result_id) WHERE stage = 'back'") ==
        "model/1\n");
}

TEST_CASE("what cannot be exported is refused, and leaves nothing behind", "[e2e]") {
  const Exchange e;
  REQUIRE(e.project.run().status == 0);
  const size_t before = e.n_files();
  const Ended wide = e.project.lowbit({"export", "quantize[num_bits=3]", "--format", "awq", "awq"});
  CHECK(wide.status == 2);
  CHECK_THAT(wide.err, StartsWith("error[LB0017]: format awq cannot hold this model\n") &&
                           Contains("its codes have 3 bits, the format has 4") && Contains("quantize to 4 bits"));
  const Ended format = e.project.lowbit({"export", "model", "--format", "gguf", "out"});
  CHECK(format.status == 2);
  CHECK_THAT(format.err, Contains("error[LB0019]"));
  const Ended open = e.project.lowbit({"export", "quantize", "--format", "awq", "out"});
  CHECK(open.status == 2);
  CHECK_THAT(open.err, StartsWith("error[LB0016]: there is no model quantize\n") &&
                           Contains("its variants are quantize[num_bits=3], quantize[num_bits=4]"));
  const Ended full = e.project.lowbit({"export", "model", "--format", "hf", "model"});
  CHECK(full.status == 2);
  CHECK_THAT(full.err, StartsWith("error[LB0015]: the destination model is not empty\n"));
  CHECK(e.project.lowbit({"import", "nowhere", "out"}).status == 2);
  CHECK_THAT(e.project.lowbit({"export", "model", "--format", "hf", "."}).err, StartsWith("error[LB0015]"));
  CHECK(e.n_files() == before);
  // A job that cannot run is the machine's.
  fs::create_directory(e.project.path() / "broken");
  fs::copy(e.project.path() / "model/config.json", e.project.path() / "broken/config.json");
  CHECK_THAT(e.project.lowbit({"export", "broken", "--format", "hf", "out"}).err, StartsWith("error[LB5102]"));
}
