#include "component/conformance/conformance_fixture.h"

using namespace lowbit;
using namespace lowbit::test;
using exec::ConformanceRequest;
using exec::Finding;

namespace {

using Catch::Contains;
using Catch::Matches;
using Catch::StartsWith;
using namespace std::chrono_literals;

const std::filesystem::path kNonconforming = kToys / "toy-nonconforming.so";

Findings check_toy(const std::string& name) {
  return check({.library = kNonconforming, .stage = "lowbit.toy." + name});
}

}  // namespace

TEST_CASE("a stage whose bytes or metrics do not repeat is found by `repeats`, and nothing is compared",
          "[conformance]") {
  const Findings bytes = check_toy("unrepeatable");
  CHECK(bytes.failed() == Names{"repeats"});
  CHECK(bytes.evidence("repeats") == "in a second run: output `out` has other bytes");
  for (const char* compares : {"threads", "seed", "environment", "no-effect", "resume"}) {
    CHECK(bytes.evidence(compares) == "it compares results: `repeats` has to be ok first");
  }
  const Findings metric = check_toy("unrepeatable-metric");
  CHECK(metric.failed() == Names{"repeats"});
  CHECK_THAT(metric.evidence("repeats"), Matches(R"(in a second run: metric toy/pid is \d+\.0, was \d+\.0)"));
}

TEST_CASE("a result that depends on the thread count is found by `threads`", "[conformance]") {
  const Findings findings = check_toy("counts-threads");
  CHECK(findings.failed() == Names{"threads"});
  CHECK(findings.evidence("threads") == "with 2 threads instead of 1: output `out` has other bytes");
}

TEST_CASE("a seed that is used in secret, and one that is declared in vain, are found by `seed`", "[conformance]") {
  const Findings secret = check_toy("secretly-seeded");
  CHECK(secret.failed() == Names{"seed"});
  CHECK(secret.evidence("seed") == "it is not declared seeded, but with another seed: output `out` has other bytes");
  const Findings vain = check_toy("seedless");
  CHECK(vain.failed() == Names{"seed"});
  CHECK(vain.evidence("seed") == "it is declared seeded, but seeds 0, 1, 2 and 3 give the same result");
}

TEST_CASE("a parameter that is wrongly declared to have no effect is found by `no-effect`", "[conformance]") {
  const Findings number = check_toy("chunks");
  CHECK(number.failed() == Names{"no-effect"});
  CHECK_THAT(number.evidence("no-effect"), StartsWith("with chunk = 9: output `out` has other bytes"));

  const Findings untold = check_toy("labels");
  CHECK(untold.failed().empty());
  CHECK(untold.evidence("no-effect") ==
        "nothing tells which other value of `label` is sensible: give two, --param NAME=VALUE --param NAME=OTHER");
  const Findings told = check(
      {.library = kNonconforming, .stage = "lowbit.toy.labels", .params = {param("label", "a"), param("label", "b")}});
  CHECK(told.failed() == Names{"no-effect"});
  CHECK(told.evidence("no-effect") == R"(with label = "b": output `out` has other bytes)");
}

TEST_CASE("a stage that ignores a cancel, or takes it for an error, is found by `cancel`", "[conformance]") {
  const Findings deaf = check({.library = kNonconforming, .stage = "lowbit.toy.deaf", .cancel_limit = 60ms});
  CHECK(deaf.failed() == Names{"cancel"});
  CHECK(deaf.evidence("cancel") == "asked to stop 0 ms after its start, it was still running 60 ms later");
  const Findings wrong = check_toy("wrong-cancel");
  CHECK(wrong.failed() == Names{"cancel"});
  CHECK_THAT(wrong.evidence("cancel"), Contains("it did not end as LB_CANCELLED: LB_INTERNAL: interrupted (cancel)"));
}

TEST_CASE("a stage that resumes to another result, or never would, is found by `resume`", "[conformance]") {
  const Findings forgetful = check_toy("forgetful");
  CHECK(forgetful.failed() == Names{"resume"});
  CHECK_THAT(forgetful.evidence("resume"),
             Matches(R"(killed and resumed at checkpoint \d: output `out` has other bytes)"));
  const Findings wasted = check_toy("wasted-checkpoint");
  CHECK(wasted.failed() == Names{"resume"});
  CHECK(wasted.evidence("resume") == "it commits checkpoints, but is not declared resumable: they are never used");
}

TEST_CASE("files beside the directories of the job are found by `own-files`", "[conformance]") {
  const Directory files;
  files.file("in/data.txt", "x");
  const auto litter = [&](const char* where) {
    return check({.library = kNonconforming,
                  .stage = "lowbit.toy.litter",
                  .inputs = {{"in", "file", files.path() / "in"}},
                  .params = {param("where", where)}});
  };
  const Findings working = litter("working_directory");
  CHECK(working.failed() == Names{"own-files"});
  CHECK(working.evidence("own-files") == "it left `litter.txt` in the working directory");
  const Findings temporary = litter("TMPDIR");
  CHECK(temporary.failed() == Names{"own-files"});
  CHECK(temporary.evidence("own-files") ==
        "it left `litter.txt` in TMPDIR: temporary files go to the scratch directory");
  const Findings input = litter("input");
  CHECK(input.failed() == Names{"own-files"});
  CHECK(input.evidence("own-files") == "it changed files of its inputs");
}

TEST_CASE("a stage that dies of a damaged input, or believes it, is found by `bad-inputs`", "[conformance]") {
  const Directory files;
  const auto in = files.file("text.txt", "a long text that has an end");
  files.file("pairs/pairs.jsonl", R"({"item_id":"i","problem_id":"p","prompt":"2 + 2 =","completion":" 4"})"
                                  "\n");
  const Findings fragile =
      check({.library = kNonconforming, .stage = "lowbit.toy.fragile", .inputs = {{"in", "", in}}});
  CHECK(fragile.failed() == Names{"bad-inputs"});
  CHECK_THAT(fragile.evidence("bad-inputs"), StartsWith("`in` bound to an empty file: signal 11"));
  const Findings gullible = check(
      {.library = kNonconforming, .stage = "lowbit.toy.gullible", .inputs = {{"pairs", "", files.path() / "pairs"}}});
  CHECK(gullible.failed() == Names{"bad-inputs"});
  CHECK(gullible.evidence("bad-inputs") ==
        "`pairs` bound to an empty directory: it ended well, with another result: nobody would notice that this is no "
        "sft-pairs/1");
}

TEST_CASE("an optional input that is needed is found by `optional-inputs`", "[conformance]") {
  const Directory files;
  const Findings needy = check(
      {.library = kNonconforming, .stage = "lowbit.toy.needy", .inputs = {{"in", "", files.file("text.txt", "a")}}});
  CHECK(needy.failed() == Names{"optional-inputs"});
  CHECK_THAT(needy.evidence("optional-inputs"), StartsWith("without `in` it failed: LB_INTERNAL: "));
}

TEST_CASE("a metric outside the registry is found by `metrics`", "[conformance]") {
  const Findings findings = check_toy("misnamed-metric");
  CHECK(findings.failed() == Names{"metrics"});
  CHECK(findings.evidence("metrics") ==
        "`speed` is not a metric of schemas/metrics.yaml; experimental metrics are named x/<name>");
}

TEST_CASE("a result that holds the user's environment is found by `environment`", "[conformance]") {
  ::setenv("TZ", "UTC", 1);
  const Findings findings = check({.library = kToys / "toy.so", .stage = "lowbit.toy.env"});
  CHECK(findings.failed() == Names{"environment"});
  CHECK(findings.evidence("environment") ==
        "without HOME, USER, LANG, LC_ALL, LC_CTYPE, TZ: output `out` has other bytes");
}

TEST_CASE("each rule that the lying toy breaks has its check", "[conformance]") {
  // It never looks whether its parameter is legal: `bad-params` finds that each time.
  const auto lie = [](const char* about) {
    return check({.library = kToys / "toy-lie.so", .params = {param("about", about)}});
  };
  const Findings nan = lie("nan_metric");
  CHECK(nan.failed() == Names{"bad-params", "metrics"});
  CHECK(nan.evidence("metrics") == "`toy/value` is not a finite number");
  CHECK(nan.evidence("bad-params") == R"(about = "not-among-the-choices" was not refused)");
  CHECK(lie("wrong_metric_unit").failed() == Names{"bad-params", "metrics"});
  const Findings outside = lie("writes_outside");
  CHECK(outside.failed() == Names{"bad-params", "own-files"});
  CHECK(outside.evidence("own-files") == "it left `stray.txt` in the attempt directory");
  const Findings malformed = lie("malformed_artifact");
  CHECK(malformed.failed() == Names{"bad-params", "outputs"});
  CHECK_THAT(malformed.evidence("outputs"), StartsWith("output `predictions`: "));
  const Findings nothing = lie("no_output");
  CHECK(nothing.failed() == Names{"runs"});
  CHECK_THAT(nothing.evidence("runs"), StartsWith("LB_INTERNAL: the stage succeeded without writing its output `out`"));
  CHECK_THAT(lie("silent_failure").evidence("runs"), StartsWith("LB_INTERNAL: the stage failed without saying why"));
}

TEST_CASE("a stage that does not run to its end is found by `runs`, and nothing else is tried", "[conformance]") {
  const auto all_other = [](const Findings& findings) { return findings.skipped().size() == 13; };
  const auto toy = kToys / "toy.so";
  const Findings crash = check({.library = toy, .stage = "lowbit.toy.crash"});
  CHECK(crash.failed() == Names{"runs"});
  CHECK_THAT(crash.evidence("runs"), StartsWith("signal 11 (Segmentation fault)"));
  CHECK(all_other(crash));
  CHECK(crash.evidence("cancel") == "it has to run first; --param NAME=VALUE gives it other parameters");
  const Findings thrown = check({.library = toy, .stage = "lowbit.toy.throw"});
  CHECK(thrown.failed() == Names{"runs"});
  CHECK(thrown.evidence("runs") == "LB_INTERNAL: unexpected exception std::runtime_error (the toy was told to throw)");
  const Findings hang = check({.library = toy, .stage = "lowbit.toy.hang", .job_limit = 300ms});
  CHECK(hang.failed() == Names{"runs"});
  CHECK(hang.evidence("runs") == "it was still running when its time was over");
  CHECK(all_other(hang));
}

TEST_CASE("a plugin file that is wrong as a whole is found without running a stage", "[conformance]") {
  const Findings exports = check({.library = kOdd / "two-exports.so"});
  CHECK(exports.failed().count("exports") == 1);
  CHECK(exports.evidence("exports") ==
        "expected lowbit_plugin alone, found lowbit_plugin, stray: build with lowbit_add_plugin()");
  const Findings restless = check({.library = kOdd / "restless.so"});
  CHECK(restless.failed() == Names{"description"});
  CHECK(restless.evidence("description") == "a second process was told something else");
  const Findings open = check({.library = kOdd / "open-schema.so"});
  CHECK(open.failed() == Names{"schema"});
  CHECK_THAT(open.evidence("schema"), Contains("accepts unknown parameters"));
  const Findings text = check({.library = kOdd / "../CTestTestfile.cmake"});
  CHECK(text.failed() == Names{"exports", "description"});
  CHECK(text.evidence("exports") == "it is not a shared library");
}

TEST_CASE("a default outside its own schema is found by `schema`", "[conformance]") {
  const Findings findings = check({.library = kOdd / "illegal-default.so"});
  CHECK(findings.failed() == Names{"schema"});
  CHECK(findings.evidence("schema") == "a default is outside the schema: parameter `level` of `test.odd` cannot be 9");
  CHECK(findings.evidence("runs") == "`schema` has to be right first");
}

TEST_CASE("a refusal that does not name the parameter, or says nothing, is found by `bad-params`", "[conformance]") {
  const Findings vague = check({.library = kOdd / "vague.so"});
  CHECK(vague.failed() == Names{"bad-params"});
  CHECK(vague.evidence("bad-params") == "level = 0 was refused without naming the parameter");
  const Findings silent = check({.library = kOdd / "silent.so"});
  CHECK(silent.failed() == Names{"bad-params"});
  CHECK(silent.evidence("bad-params") == "level = 0 was refused without saying why: it never called fail()");
}
