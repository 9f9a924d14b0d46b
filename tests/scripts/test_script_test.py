"""scripts/test says plainly what passed and what did not: on a copy of it whose cmake, ctest and linters are fakes."""

import re
import shutil
import unittest
from pathlib import Path

from fake_machine import APT_GET, FakeMachine

ROOT = Path(__file__).resolve().parents[2]
ALL = ["checks", "format", "release", "asan", "tidy", "tsan"]

LOGGED = 'echo "${0##*/} $*" >> "$STATE/calls"\n'
CTEST = LOGGED + r"""
if [[ -e $STATE/fails-$2 ]]; then
  echo "50% tests passed, 1 tests failed out of 2"
  printf '\nThe following tests FAILED:\n\t  2 - unit_graph (Failed)\nErrors while running CTest\n'
  exit 8
fi
echo "100% tests passed, 0 tests failed out of 2"
"""
PROGRAMS = {"apt-get": APT_GET, "dpkg-query": "echo -n installed\n", "ctest": CTEST, "python3": LOGGED,
            "setarch": '[[ $1 != -R ]] || shift\nexec "$@"\n',
            "cmake": LOGGED + '[[ ! -e $STATE/broken-${@: -1} ]]\n', "style": LOGGED}


class TestScript(unittest.TestCase):
    def run_script(self, *arguments, fail=()):
        """Returns (exit code, output, calls); `fail` names what goes wrong."""
        with FakeMachine(programs=PROGRAMS) as machine:
            scripts = machine.path / "tree" / "scripts"
            (scripts / "lib").mkdir(parents=True)
            shutil.copy(ROOT / "scripts" / "test", scripts)
            for part in ("packages.sh", "build.sh"):
                shutil.copy(ROOT / "scripts" / "lib" / part, scripts / "lib")
            (scripts / "check_style").symlink_to(machine.bin / "style")
            for name in fail:
                (machine.state / name).touch()
            code, output = machine.run(str(machine.bin / "bash"), str(scripts / "test"), "-j", "2", *arguments)
            return code, output, machine.calls()

    def test_without_arguments_it_builds_with_the_release_preset_and_runs_every_test(self):
        code, output, calls = self.run_script()
        self.assertEqual(code, 0, output)
        self.assertEqual(calls, ["cmake --preset release", "cmake --build --preset release -j 2",
                                 "ctest --preset release -j 2 --no-tests=error"])
        self.assertRegex(output, r"(?s)=== passed: release .*100% tests passed, 0 tests failed out of 2\n$")

    def test_ci_runs_every_step_and_ends_with_the_counts_of_each(self):
        code, output, calls = self.run_script("--ci")
        self.assertEqual(code, 0, output)
        self.assertEqual(re.findall(r"^=== (\w+) \(", output, re.M), ALL)
        self.assertEqual([call.split()[2] for call in calls if call.startswith("ctest")],
                         ["release", "asan", "tsan"])
        self.assertEqual([call for call in calls if call.startswith("check_style")],
                         ["check_style format", "check_style tidy -j 2"])
        summary = output[output.index("=== passed"):]
        self.assertEqual(summary.count("100% tests passed, 0 tests failed out of 2"), 3)

    def test_the_first_failure_stops_it_and_says_how_to_run_that_step_alone(self):
        code, output, calls = self.run_script("--ci", fail=["fails-asan"])
        self.assertEqual(code, 1, output)
        self.assertNotIn("ctest --preset tsan", " ".join(calls))
        ending = output[output.index("FAILED: asan"):]
        self.assertRegex(ending, r"^FAILED: asan, after \d+ min \d\d s; 50% tests passed, 1 tests failed out of 2\n"
                                 r"The following tests FAILED:\n\t  2 - unit_graph \(Failed\)\n"
                                 r"  whole output: build/asan.log\n"
                                 r"  this alone:   scripts/test --only asan\n"
                                 r"  passed: checks .*\n  passed: format .*\n  passed: release .*\n$")

    def test_a_build_that_breaks_is_a_failure_and_its_tests_do_not_run(self):
        code, output, calls = self.run_script("--only", "release", fail=["broken-release"])
        self.assertEqual(code, 1, output)
        self.assertEqual(calls, ["cmake --preset release"])

    def test_only_runs_the_named_steps(self):
        code, output, calls = self.run_script("--only", "format", "tsan")
        self.assertEqual(code, 0, output)
        self.assertEqual([call for call in calls if not call.startswith("cmake")],
                         ["check_style format", "ctest --preset tsan -j 2 --no-tests=error -L unit|component"])

    def test_wrong_arguments_are_refused_before_anything_happens(self):
        for arguments, message in [
            (["--fast"], "scripts/test does not know `--fast`"),
            (["--only", "valgrind"], f"no step is called `valgrind`: there are {' '.join(ALL)}"),
            (["--only"], "--only wants a step"),
            (["-j", "many"], "-j wants a number"),
        ]:
            code, output, calls = self.run_script(*arguments)
            self.assertEqual((code, output, calls), (2, f"error: {message}; see scripts/test --help\n", []))


if __name__ == "__main__":
    unittest.main()
