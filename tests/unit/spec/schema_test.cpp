// schemas/experiment.schema.json is for editors; the reader decides.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "spec/experiment_reader.h"
#include "spec/scalar.h"
#include "spec/schema.h"
#include "support/case_file.h"

namespace lowbit::spec {
namespace {

Json read_schema() {
  std::ifstream in(LOWBIT_SOURCE_DIR "/schemas/experiment.schema.json");
  REQUIRE(in.good());
  return Json::parse(in);
}

std::string schema_problems(const Json& schema_text, const Json& value) {
  valijson::Schema schema;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(valijson::adapters::NlohmannJsonAdapter(schema_text), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(value), &results)) return {};
  std::string problems = "does not validate\n";
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const std::string& step : error.context) problems += step;
    problems += ": " + error.description + "\n";
  }
  return problems;
}

// The first YAML block of the language reference.
std::string documented_example() {
  std::ifstream in(LOWBIT_SOURCE_DIR "/docs/experiment-file.md");
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string open = "```yaml\n";
  const std::size_t begin = text.find(open);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = text.find("```\n", begin + open.size());
  REQUIRE(end != std::string::npos);
  return text.substr(begin + open.size(), end - begin - open.size());
}

}  // namespace

TEST_CASE("every case file that reads without a problem validates against the schema", "[spec][schema]") {
  const Json schema = read_schema();
  int valid = 0;
  for (const auto& path : test::case_files(LOWBIT_SOURCE_DIR "/tests/cases/spec")) {
    const test::CaseFile file = test::read_case_file(path);
    if (file.find("set") != nullptr || file.find("sweep") != nullptr) continue;
    const auto source = std::make_shared<const SourceText>(SourceText{"e.yaml", file.text_of("experiment.yaml")});
    if (!read_experiment(source, {})) continue;
    Diagnostics problems;
    const std::optional<Node> root = parse_yaml(source, 0, problems);
    INFO(path);
    CHECK(schema_problems(schema, value_of(*root, problems)) == "");
    ++valid;
  }
  CHECK(valid >= 3);
}

TEST_CASE("the example of the language reference reads and validates", "[spec][schema]") {
  const auto source = std::make_shared<const SourceText>(SourceText{"example", documented_example()});
  const Result<ExperimentSpec> spec = read_experiment(source, {});
  INFO((spec ? std::string() : render(spec.error())));
  REQUIRE(spec.ok());
  CHECK(spec->stages.size() == 3);
  Diagnostics problems;
  const std::optional<Node> root = parse_yaml(source, 0, problems);
  CHECK(schema_problems(read_schema(), value_of(*root, problems)) == "");
}

TEST_CASE("the schema refuses what an editor can see", "[spec][schema]") {
  const Json schema = read_schema();
  const Json good = {{"experiment", "e"}, {"stages", {{{"id", "a"}, {"use", "x.y"}}}}};
  const auto broken = [&](const std::string& pointer, Json value) {
    Json json = good;
    json[Json::json_pointer(pointer)] = std::move(value);
    return !schema_problems(schema, json).empty();
  };
  CHECK(schema_problems(schema, good).empty());
  CHECK(broken("/sedes", Json::array({1})));
  CHECK(broken("/seeds", Json::array()));
  CHECK(broken("/matrix", {{"bits", 4}}));
  CHECK(broken("/matrix", {{"seed", {1}}}));
  CHECK(broken("/matrix", {{"zip", {{"a", 4}}}}));
  CHECK(broken("/matrix", {{"union", Json::array({{{"a", 4}}})}}));
  CHECK(broken("/matrix", {{"defaults", {{"a", {4}}}}}));
  CHECK(broken("/matrix", {{"include", Json::array({Json::object()})}}));
  CHECK(broken("/stages/0/when", Json::array({Json::object()})));
  CHECK(broken("/profiles", {{"gpu", {{"resources", {{"gpu", 1}}}}}}));
  CHECK(broken("/stages/0/id", "two words"));
  CHECK(broken("/stages/0/with", {{"model", {{"from", "a.b"}, {"over", {"x"}}}}}));
  CHECK(broken("/stages/0/with", {{"model", {{"each", "a.b"}}}}));
  CHECK(broken("/stages/0/resources", {{"memory", 24}}));
  CHECK(broken("/stages/0/retry", {{"attempts", 2}, {"on", {"numeric"}}}));
}

TEST_CASE("the file for editors is what the reader's own table says", "[spec][schema]") {
  INFO("lowbit schema > schemas/experiment.schema.json");
  CHECK(read_schema() == experiment_schema());
}

}  // namespace lowbit::spec
