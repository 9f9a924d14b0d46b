#include <catch2/catch.hpp>

#include <ctime>

#include "artifact_files.h"
#include "base/diagnostic.h"

using namespace lowbit;
using exec::check_artifact;
using test::ArtifactFiles;
using test::prediction;

TEST_CASE("an unknown artifact type is refused with the types there are", "[artifact]") {
  const ArtifactFiles files;
  const auto result = check_artifact("prediction/1", files.path());
  REQUIRE_FALSE(result.ok());
  CHECK(render(result.error()) ==
        "error[LB5101]: there is no artifact type `prediction/1`\n"
        " = note: the types are file, text/1, model/1, quantized-model/1, adapter/1, token-batches/1, hessians/1, "
        "task/1, "
        "sft-pairs/1, preference-pairs/1, predictions/1, verdicts/1, grades/1, review-queue/1, decisions/1, "
        "api-calls/1, rubric/1, report/1\n"
        " = help: a type with a similar name exists: `predictions/1`\n");
}

TEST_CASE("a revision that this lowbit does not know is an unknown type", "[artifact]") {
  const ArtifactFiles files;
  const auto result = check_artifact("predictions/2", files.path());
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().front().code == "LB5101");
}

TEST_CASE("each problem names file, line and field; after five the rest is counted", "[artifact]") {
  ArtifactFiles files;
  std::vector<Json> records;
  for (int i = 0; i < 9; ++i) {
    records.push_back(prediction("p" + std::to_string(i)));
    if (i > 0) records.back()["correct"] = "yes";
  }
  files.lines("predictions.jsonl", records);
  const auto result = check_artifact("predictions/1", files.path());
  REQUIRE_FALSE(result.ok());
  REQUIRE(result.error().size() == 6);
  CHECK(render(result.error()[0]) ==
        "error[LB5102]: predictions.jsonl:2: `correct` must be boolean or null, found \"yes\"\n"
        " = help: the format is described in docs/artifacts.md under predictions/1\n");
  CHECK(result.error()[4].what == "predictions.jsonl:6: `correct` must be boolean or null, found \"yes\"");
  CHECK(result.error()[5].what == "and 3 more problems");
}

TEST_CASE("any file or directory with bytes in it is a file artifact", "[artifact]") {
  ArtifactFiles files;
  CHECK(files.problems("file") == "the artifact: is missing or holds no bytes");
  files.text("deep/down/data.bin", "12345");
  const auto directory = check_artifact("file", files.path());
  REQUIRE(directory.ok());
  CHECK(directory->bytes == 5);
  CHECK(directory->summary.is_null());
  CHECK(check_artifact("file", files.path() / "deep" / "down" / "data.bin").ok());
  CHECK_FALSE(check_artifact("file", files.path() / "nothing").ok());
}

TEST_CASE("text is UTF-8, as one file or as a directory of files", "[artifact]") {
  ArtifactFiles files;
  files.text("a.txt",
             "gr\xC3\xB6\xC3\x9F"
             "e\n\n\xF0\x9F\x98\x80\n");
  CHECK(files.problems("text/1") == "ok");
  CHECK(check_artifact("text/1", files.path() / "a.txt").ok());
  files.text("b.txt", "one\ntwo \xFF\n");
  CHECK(files.problems("text/1") == "b.txt:2: byte 5 of the line is not UTF-8 text");
  files.text("b.txt", "cut off \xC3");
  CHECK(files.problems("text/1") == "b.txt:1: byte 9 of the line is not UTF-8 text");
}

TEST_CASE("a single file is not an artifact of a type that is a directory", "[artifact]") {
  ArtifactFiles files;
  files.lines("predictions.jsonl", {prediction("p1")});
  const auto result = check_artifact("predictions/1", files.path() / "predictions.jsonl");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().front().what == "the artifact: is a file; predictions/1 is a directory");
}

TEST_CASE("ten thousand predictions are checked in well under a second", "[artifact]") {
  ArtifactFiles files;
  std::vector<Json> records;
  for (int i = 0; i < 10000; ++i) {
    records.push_back(prediction("p" + std::to_string(i)));
    records.back()["text"] = std::string(300, 'x');
  }
  files.lines("predictions.jsonl", records);
  const std::clock_t start = std::clock();  // processor time: other work on the machine does not count
  const auto result = check_artifact("predictions/1", files.path());
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  CAPTURE(seconds);
  REQUIRE(result.ok());
  CHECK(result->items.size() == 10000);
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(seconds < 1.0);
#else
  CHECK(seconds < 60.0);
#endif
}
