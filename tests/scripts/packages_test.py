"""The rule by which lowbit's scripts install packages, on machines that only pretend to install."""

import unittest
from pathlib import Path

from fake_machine import APT_GET, DPKG_QUERY, FakeMachine

LIBRARY = Path(__file__).resolve().parents[2] / "scripts" / "lib" / "packages.sh"

# Two groups of our own, so that the texts below do not change with every package that lowbit comes to need.
REQUIRE = f"""
set -euo pipefail
source {LIBRARY}
packages_build=(cmake g++ libdemo-dev)
packages_ci=(clang-14)
packages_require "$@"
echo ready
"""
BY_HAND = "apt-get update && apt-get install --no-install-recommends g++ libdemo-dev"
NEEDS = "lowbit needs 2 Debian packages that this machine lacks:\n  g++ libdemo-dev\n"
# The fake apt-get has all but 10.4 MB of 1,200 MB at hand: 10.4 / 8 + 4,800 / 7 = 687 s.
ESTIMATE = "With what they need: 7 packages, 10 MB to download, 4800 MB on disk, about 12 minutes.\n"


def require(machine, yes=0, groups=("build",), answer=None):
    return machine.run(str(machine.bin / "bash"), "-c", REQUIRE, "require", str(yes), *groups, answer=answer)


class Packages(unittest.TestCase):
    def test_nothing_is_said_or_done_when_nothing_is_missing(self):
        with FakeMachine(installed=["cmake", "g++", "libdemo-dev"]) as machine:
            self.assertEqual(require(machine), (0, "ready\n"))
            self.assertEqual(machine.calls(), [])

    def test_root_without_a_terminal_installs_what_is_missing_and_nothing_else(self):
        with FakeMachine(root=True, installed=["cmake"]) as machine:
            self.assertEqual(require(machine), (0, NEEDS + ESTIMATE + "ready\n"))
            self.assertEqual(machine.calls(), ["install g++ libdemo-dev frontend=noninteractive"])

    def test_several_groups_are_installed_at_once(self):
        with FakeMachine(root=True, installed=["cmake", "g++"]) as machine:
            self.assertEqual(require(machine, groups=["build", "ci"])[0], 0)
            self.assertEqual(machine.calls(), ["install libdemo-dev clang-14 frontend=noninteractive"])

    def test_missing_package_lists_are_fetched_first(self):
        with FakeMachine(root=True, installed=["cmake"], lists=False) as machine:
            self.assertEqual(require(machine), (0, NEEDS +
                             "The package lists must be fetched first (apt-get update, about 10 MB).\n" + ESTIMATE +
                             "ready\n"))
            self.assertEqual(machine.calls(), ["update  frontend=noninteractive",
                                               "install g++ libdemo-dev frontend=noninteractive"])

    def test_who_is_not_root_and_has_no_terminal_is_told_the_command(self):
        with FakeMachine(installed=["cmake"]) as machine:
            self.assertEqual(require(machine), (3, NEEDS + ESTIMATE +
                             "error: nobody is there to ask, and this is not root\n"
                             "  = help: add --yes, or by hand: sudo apt-get update && "
                             "sudo apt-get install --no-install-recommends g++ libdemo-dev\n"))
            self.assertEqual(machine.calls(), [])

    def test_yes_without_a_terminal_uses_sudo_without_a_password(self):
        with FakeMachine(installed=["cmake"]) as machine:
            self.assertEqual(require(machine, yes=1), (0, NEEDS + ESTIMATE + "ready\n"))
            self.assertEqual(machine.calls(), ["sudo -n", "install g++ libdemo-dev frontend=noninteractive"])

    def test_without_root_and_sudo_the_command_is_named(self):
        with FakeMachine(installed=["cmake"], programs={"apt-get": APT_GET, "dpkg-query": DPKG_QUERY}) as machine:
            self.assertEqual(require(machine, yes=1), (3, NEEDS +
                             "error: installing needs root, and there is no sudo\n"
                             f"  = help: as root: {BY_HAND}\n"))

    def test_a_machine_without_apt_is_told_so(self):
        with FakeMachine(root=True, programs={}) as machine:
            self.assertEqual(require(machine), (3,
                             "lowbit needs 3 Debian packages that this machine lacks:\n  cmake g++ libdemo-dev\n"
                             "error: this machine has no apt-get; lowbit's package names are those of Debian 12\n"
                             "  = help: install these by your system's own means, then run this again\n"))

    def test_a_question_on_a_terminal_is_asked_even_of_root(self):
        with FakeMachine(root=True, installed=["cmake"]) as machine:
            code, output = require(machine, answer="n\n")
            self.assertEqual((code, output), (3, NEEDS + ESTIMATE + "Go on? [y/N] error: not installed, as you said\n"
                                              f"  = help: by hand: {BY_HAND}\n"))
            self.assertEqual(machine.calls(), [])
            self.assertEqual(require(machine, answer="y\n")[0], 0)
            self.assertEqual(machine.calls(), ["install g++ libdemo-dev frontend=noninteractive"])

    def test_yes_answers_the_question(self):
        with FakeMachine(root=True, installed=["cmake"]) as machine:
            self.assertEqual(require(machine, yes=1, answer="")[0], 0)

    def test_lists_that_are_too_old_are_fetched_again_once(self):
        with FakeMachine(root=True, installed=["cmake"]) as machine:
            (machine.state / "broken").write_text("once\n")
            self.assertEqual(require(machine)[0], 0)
            self.assertEqual([call.split()[0] for call in machine.calls()], ["install", "update", "install"])

    def test_an_installation_that_fails_twice_ends_with_the_command(self):
        with FakeMachine(root=True, installed=["cmake"]) as machine:
            (machine.state / "broken").write_text("once\ntwice\n")
            self.assertEqual(require(machine), (3, NEEDS + ESTIMATE + "error: apt-get could not install them\n"
                                                f"  = help: by hand: {BY_HAND}\n"))

    def test_a_machine_without_network_is_told_so(self):
        with FakeMachine(root=True, installed=["cmake"], lists=False) as machine:
            (machine.state / "offline").touch()
            code, output = require(machine)
            self.assertEqual(code, 3)
            self.assertTrue(output.endswith(f"error: apt-get update failed\n  = help: by hand: {BY_HAND}\n"), output)

    def test_packages_that_the_machine_is_not_offered_are_named(self):
        with FakeMachine(root=True) as machine:
            code, output = machine.run(str(machine.bin / "bash"), "-c",
                                       REQUIRE.replace("libdemo-dev", "nosuch-dev"), "require", "0", "build")
            self.assertEqual(code, 3)
            self.assertTrue(output.endswith(
                "error: not all of these packages are offered to this machine:\n"
                "E: Unable to locate package nosuch-dev\n"
                "  = help: use Debian 12 (bookworm), or add its main archive to apt's sources\n"), output)


if __name__ == "__main__":
    unittest.main()
