"""scripts/fuzz runs what it is told for as long as it is told, and says what was found: on a copy of it whose
cmake and targets are fakes."""

import shutil
import unittest
from pathlib import Path

from fake_machine import APT_GET, FakeMachine

ROOT = Path(__file__).resolve().parents[2]
TARGET = r"""#!/bin/bash
echo "${0##*/} $*" >> "$STATE/calls"
for option; do
  case $option in -artifact_prefix=*) [[ ! -e $STATE/breaks-${0##*/} ]] || touch "${option#*=}crash-1" ;; esac
done
echo "#120: cov: 30 ft: 40 corp: 5 exec/s 10"
"""
PROGRAMS = {"apt-get": APT_GET, "dpkg-query": "echo -n installed\n", "nice": 'exec "$@"\n',
            "cmake": 'echo "${0##*/} $*" >> "$STATE/calls"\n'}


class FuzzScript(unittest.TestCase):
    def run_script(self, *arguments, breaks=()):
        """Returns (exit code, output, calls)."""
        with FakeMachine(programs=PROGRAMS) as machine:
            scripts = machine.path / "tree" / "scripts"
            (scripts / "lib").mkdir(parents=True)
            shutil.copy(ROOT / "scripts" / "fuzz", scripts)
            for part in ("packages.sh", "build.sh"):
                shutil.copy(ROOT / "scripts" / "lib" / part, scripts / "lib")
            targets = machine.path / "tree" / "build" / "fuzz" / "tests"
            targets.mkdir(parents=True)
            for name in ("experiment", "tables", "journal", "records"):
                (targets / f"fuzz_{name}").write_text(TARGET)
                (targets / f"fuzz_{name}").chmod(0o755)
            for name in breaks:
                (machine.state / f"breaks-fuzz_{name}").touch()
            code, output = machine.run(str(machine.bin / "bash"), str(scripts / "fuzz"), "-j", "1", *arguments)
            return code, output, machine.calls()

    def test_it_builds_and_runs_the_targets_that_are_named_for_as_long_as_is_said(self):
        code, output, calls = self.run_script("--seconds", "7", "journal", "tables")
        self.assertEqual(code, 0, output)
        self.assertIn("cmake --build --preset fuzz -j 1 --target fuzz_journal fuzz_tables", calls)
        runs = [call for call in calls if call.startswith("fuzz_")]
        self.assertEqual([call.split()[0] for call in runs], ["fuzz_journal", "fuzz_tables"])
        self.assertTrue(all("-max_total_time=7 " in call and "-timeout=5 " in call for call in runs), runs)
        self.assertIn("tests/cases/tables", runs[1])

    def test_an_input_that_breaks_something_is_named_and_the_exit_code_is_1(self):
        code, output, _ = self.run_script("journal", "tables", breaks=["tables"])
        self.assertEqual(code, 1, output)
        self.assertIn("breaks: build/fuzz/found/tables/crash-1", output)
        self.assertNotIn("found/journal", output)

    def test_what_it_does_not_know_is_refused(self):
        for arguments in (["--seconds", "soon"], ["yaml"]):
            code, output, calls = self.run_script(*arguments)
            self.assertEqual((code, calls), (2, []), output)


if __name__ == "__main__":
    unittest.main()
