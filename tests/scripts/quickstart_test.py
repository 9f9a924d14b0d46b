"""scripts/quickstart goes from packages to tables and stops at the first thing that fails: on a copy of it whose cmake and
lowbit are fakes."""

import shutil
import unittest
from pathlib import Path

from fake_machine import APT_GET, FakeMachine

ROOT = Path(__file__).resolve().parents[2]
LOGGED = 'echo "${0##*/} $*" >> "$STATE/calls"\n'
PROGRAMS = {"apt-get": APT_GET, "dpkg-query": "echo -n installed\n",
            "cmake": LOGGED + '[[ ! -e $STATE/broken-build || $1 != --build ]]\n'}
RUN = "lowbit run experiments/quickstart/experiment.yaml"
BUILT = ["cmake --preset release", "cmake --build --preset release -j 2 --target what-users-run"]


class Quickstart(unittest.TestCase):
    def run_script(self, *arguments, fail=(), programs=None):
        """Returns (exit code, output, calls); `fail` names what goes wrong."""
        with FakeMachine(programs={**PROGRAMS, **(programs or {})}) as machine:
            tree = machine.path / "tree"
            shutil.copytree(ROOT / "scripts" / "lib", tree / "scripts" / "lib")
            shutil.copy(ROOT / "scripts" / "quickstart", tree / "scripts")
            lowbit = tree / "build" / "release" / "bin" / "lowbit"
            lowbit.parent.mkdir(parents=True)
            lowbit.write_text(f"#!{machine.bin}/bash\n{LOGGED}[[ ! -e $STATE/broken-$1 ]] || exit 4\n")
            lowbit.chmod(0o755)
            for name in fail:
                (machine.state / name).touch()
            code, output = machine.run(str(machine.bin / "bash"), str(tree / "scripts" / "quickstart"), *arguments)
            return code, output, machine.calls()

    def test_it_builds_runs_the_experiment_and_prints_both_tables(self):
        code, output, calls = self.run_script("-j", "2")
        self.assertEqual(code, 0, output)
        self.assertEqual(calls, [*BUILT, RUN, "lowbit table experiments/quickstart recovery",
                                 "lowbit table experiments/quickstart judge"])
        self.assertRegex(output, r"(?s)=== packages .*=== build .*=== run .*=== table recovery .*=== table judge .*=== done ")

    def test_a_build_that_breaks_ends_it_with_1(self):
        code, output, calls = self.run_script("-j", "2", fail=["broken-build"])
        self.assertEqual((code, calls), (1, BUILT), output)

    def test_a_run_that_fails_ends_it_with_its_own_status_and_no_table(self):
        code, output, calls = self.run_script("-j", "2", fail=["broken-run"])
        self.assertEqual((code, calls), (4, [*BUILT, RUN]), output)

    def test_packages_that_cannot_be_installed_end_it_before_the_build(self):
        code, output, calls = self.run_script(programs={"dpkg-query": "true\n"})
        self.assertEqual((code, calls), (3, []), output)

    def test_wrong_arguments_are_refused_before_anything_happens(self):
        for arguments, message in [(["--fast"], "scripts/quickstart does not know `--fast`"),
                                   (["-j", "many"], "-j wants a number")]:
            code, output, calls = self.run_script(*arguments)
            self.assertEqual((code, output, calls), (2, f"error: {message}; see scripts/quickstart --help\n", []))


if __name__ == "__main__":
    unittest.main()
