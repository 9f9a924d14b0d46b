// The list of types, the schemas and the documentation speak of the same things.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "artifact_files.h"
#include "domain/artifact_type.h"

using namespace lowbit;

namespace {

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

const std::filesystem::path kSource = LOWBIT_SOURCE_DIR;

/// "predictions-1" of predictions/1: the first part of its schemas' names.
std::string file_name(std::string_view type) {
  std::string name(type);
  name[name.find('/')] = '-';
  return name;
}

}  // namespace

TEST_CASE("every artifact type has a checker", "[artifact]") {
  const test::ArtifactFiles empty;
  for (const ArtifactType& type : artifact_types()) {
    INFO(type.name);
    CHECK(empty.problems(std::string(type.name)) == "the artifact: is missing or holds no bytes");
  }
}

TEST_CASE("every artifact type has its section in docs/artifacts.md", "[artifact]") {
  const std::string docs = read(kSource / "docs" / "artifacts.md");
  for (const ArtifactType& type : artifact_types()) {
    INFO(type.name);
    CHECK(docs.find("\n## " + std::string(type.name) + "\n") != std::string::npos);
  }
}

TEST_CASE("every schema belongs to a type, describes all its fields and has its fields in docs/artifacts.md",
          "[artifact]") {
  const std::string docs = read(kSource / "docs" / "artifacts.md");
  std::set<std::string> known;
  for (const ArtifactType& type : artifact_types()) {
    if (type.name.find('/') != std::string_view::npos) known.insert(file_name(type.name));
  }
  std::size_t schemas = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "schemas" / "artifacts")) {
    const std::string name = entry.path().filename().string();
    INFO(name);
    ++schemas;
    CHECK(known.contains(name.substr(0, name.find('.'))));
    const Json schema = Json::parse(read(entry.path()));
    CHECK(schema.at("$schema") == "http://json-schema.org/draft-07/schema#");
    for (const auto& [field, rule] : schema.at("properties").items()) {
      INFO(field);
      CHECK_FALSE(rule.value("description", "").empty());
      CHECK(docs.find("`" + field + "`") != std::string::npos);
    }
  }
  CHECK(schemas >= 17);
}
