"""scripts/check-docs runs what a page says and finds what is not so, on small trees with a `lowbit` made here."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check-docs"

# Knows `run` and `plan`, and prints a result as lowbit would.
LOWBIT = """#!/bin/sh
case $1 in
  run) [ "$2" = --help ] || echo '12:30:59  1/1  done  a  0.3 s
1 done in 1.5 s, perplexity 7.80' ;;
  plan) ;;
  *) echo "error[LB0001]: no command $1" >&2; exit 2 ;;
esac
"""


def page(*lines):
    return "\n".join(lines) + "\n"


def fence(language, *lines):
    return page(f"```{language}", *lines, "```")


class CheckDocs(unittest.TestCase):
    def check(self, files, *arguments, built=True):
        """Runs the script on a tree {path: text}; returns (exit code, output, files of the tree afterwards)."""
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            if built:
                files = {**files, "build/release/bin/lowbit": LOWBIT}
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                path.chmod(0o755)
            done = subprocess.run([sys.executable, "-B", SCRIPT, "--root", root, *arguments], text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]})
            left = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        self.assertEqual(left, set(files), "the tree is as it was")
        return done.returncode, done.stdout

    def assert_true(self, text, *arguments, commands=None, **others):
        code, output = self.check({"README.md": text, **others}, *arguments)
        self.assertEqual(code, 0, output)
        if commands is not None:
            self.assertIn(f" {commands} commands ran", output)

    def assert_found(self, text, *lines, **others):
        """These problems and no others are reported; what is indented belongs to the problem above it."""
        code, output = self.check({"README.md": text, **others})
        found = [line for line in output.splitlines() if not line.startswith((" ", "error: "))]
        self.assertEqual((code, found), (1, list(lines)), output)
        return output


class Commands(CheckDocs):
    def test_the_commands_of_a_page_share_directory_and_environment_and_leave_nothing_behind(self):
        self.assert_true(
            page(fence("sh", "export WORD='a b'", "other=c", "mkdir sub && cd sub"), "Then", "",
                 fence("sh", 'test "$WORD$other" = "a bc" && ! env | grep ^other= && test -f ../README.md',
                       "echo x > ~/x", "lowbit run")), commands=6)

    def test_a_failing_command_is_reported_with_place_command_and_output_and_ends_its_page(self):
        text = page("# Title", "", fence("sh", "true", "echo first; echo second >&2; exit 7", "echo never"))
        output = self.assert_found(text, "README.md:5: this command ended with 7 instead of 0")
        self.assertIn("    echo first; echo second >&2; exit 7\n", output)
        self.assertIn("  output:\n    first\n    second\n", output)
        self.assertNotIn("never", output)

    def test_other_pages_are_checked_all_the_same(self):
        self.assert_found(fence("sh", "exit 1"), "README.md:2: this command ended with 1 instead of 0",
                          "docs/a.md:3: this command ended with 2 instead of 0",
                          **{"docs/a.md": fence("sh", "true", "exit 2")})

    def test_a_command_goes_on_for_as_long_as_the_shell_wants_more(self):
        self.assert_true(fence("sh", "test a \\", "  = a", "cat > f <<END", "exit 1", "END", "# a remark", "",
                               "for i in 1 2; do", "  echo $i", "done >> f", 'test "$(cat f)" = "exit 1', "1", '2"'),
                         commands=4)

    def test_an_announced_exit_status_is_demanded(self):
        block = fence("sh", "true", "lowbit nonsuch")
        self.assert_found("<!-- check: exit 2 -->\n" + block, "README.md:4: lowbit has no command `nonsuch`")
        self.assert_found("<!-- check: exit 3 -->\n" + fence("sh", "true"),
                          "README.md:3: this command ended with 0 instead of 3")
        self.assert_found("<!-- check: exit 3 -->\n" + fence("sh", "exit 3", "exit 3"),
                          "README.md:3: this command ended with 3 instead of 0")
        self.assert_true("<!-- check: exit 3 -->\n" + fence("sh", "true", "exit 3"), commands=2)

    def test_what_takes_long_is_run_on_demand(self):
        text = page("<!-- check: long -->", fence("console", "$ echo a", "b"))
        self.assert_true(text, commands=0)
        code, output = self.check({"README.md": text}, "--long")
        self.assertEqual(code, 1, output)
        self.assertIn("README.md:3: the output is not what the page shows\n", output)

    def test_what_cannot_be_run_is_shown_with_a_reason(self):
        self.assert_true('<!-- check: shown "wants root" -->\n' + fence("sh", "exit 1"), commands=0)
        self.assert_found("<!-- check: shown -->\n" + fence("sh", "exit 1"),
                          'README.md:1: `shown` wants a reason: shown "why it cannot run here"')

    def test_a_file_that_readers_save_is_there_for_the_commands(self):
        self.assert_true(page("<!-- check: run mkdir sub && cd sub -->", "<!-- check: file a/b.yaml -->",
                              fence("yaml", "a:", "  b: 1"), fence("console", "$ cat a/b.yaml", "a:", "  b: 1")))
        self.assert_found("<!-- check: file ../b.yaml -->\n" + fence("yaml", "a: 1"),
                          "README.md:1: `file` wants a path below the directory that the page's commands are in",
                          "README.md:2: this `yaml` block is neither run nor annotated as file, output, shown")

    def test_without_a_build_it_says_so(self):
        code, output = self.check({"README.md": "text\n"}, built=False)
        self.assertEqual(code, 3, output)
        self.assertIn("scripts/test builds it", output)


class Output(CheckDocs):
    def shown(self, *lines):
        return fence("console", "$ lowbit run", *lines)

    def test_times_white_space_and_the_last_digits_may_differ(self):
        self.assert_true(self.shown("01:00:00     1/1  done a   12.5 s", "1 done in 2 min 04 s, perplexity 7.6"))

    def test_a_gap_stands_for_text_in_a_line_and_for_lines(self):
        self.assert_true(self.shown("…", "1 done …"))
        self.assert_found(self.shown("…", "2 done …"), "README.md:2: the output is not what the page shows")

    def test_another_number_word_or_line_is_reported_with_both_sides(self):
        for lines in (["12:30:59  2/1  done  a  0.3 s", "…"], ["…", "1 done in 1.5 s, perplexity 7.2"],
                      ["12:30:59  1/1  done  b  0.3 s", "…"], ["12:30:59  1/1  done  a  0.3 s"]):
            output = self.assert_found(self.shown(*lines), "README.md:2: the output is not what the page shows")
            self.assertIn("  shown:\n    " + lines[0], output)
            self.assertIn("  printed:\n    12:30:59  1/1  done", output)

    def test_a_block_of_its_own_shows_what_the_last_command_printed(self):
        self.assert_true(page(fence("sh", "echo a", "echo b"), "<!-- check: output -->", fence("text", "b")))
        self.assert_found(page(fence("sh", "echo a", "echo b"), "<!-- check: output -->", fence("text", "a")),
                          "README.md:8: the output is not what the page shows")


class Pages(CheckDocs):
    def test_no_block_escapes(self):
        self.assert_found(page(fence("yaml", "a: 1"), fence("", "a"), fence("bash", "true"), "Code:", "", "    lowbit"),
                          "README.md:1: this `yaml` block is neither run nor annotated as file, output, shown",
                          "README.md:5: a fence without a language; `sh` and `console` are run, `text` fits all else",
                          "README.md:9: `bash`: commands are written as `sh`, commands with their output as `console`",
                          "README.md:15: code by indentation: put it between fences with a language")
        self.assert_found(page("```sh", "true"), "README.md:1: this fence is never closed")
        self.assert_found(fence("console", "true"), "README.md:2: a `console` block begins with a command, `$ ...`")

    def test_a_list_goes_on_without_being_code(self):
        self.assert_true(page("- one", "", "    more of one", "", "  and more", "", "    1. deeper"))

    def test_an_annotation_that_means_nothing_is_reported(self):
        self.assert_found(page("<!-- check: skip -->", fence("sh", "true"), "<!-- check: long -->", "", "text"),
                          "README.md:1: no annotation is called `skip`: there are exit, file, long, output, run, shown",
                          "README.md:6: no fence follows this annotation")

    def test_links_lead_to_files_and_headings(self):
        others = {"docs/a.md": "# The `lowbit` way, v2\n## Twice\n## Twice\n[up](../README.md) [here](#twice)\n"}
        self.assert_true("[a\nb](docs/a.md#the-lowbit-way-v2) [c](docs/a.md#twice-1) [d](docs/) `[e](nowhere)`"
                         " [f](https://example.com/x)\n", **others)
        self.assert_found("[a](docs/b.md)\nand [b\nc](docs/a.md#thrice) [d](../../../etc)\n",
                          "README.md:1: the link docs/b.md leads to nothing in this tree",
                          "README.md:3: the link docs/a.md#thrice names no heading of that page",
                          "README.md:3: the link ../../../etc leads to nothing in this tree", **others)

    def test_commands_of_lowbit_in_code_exist(self):
        self.assert_true("`lowbit run x.yaml` and `lowbit COMMAND --help`, lowbit does it\n")
        self.assert_found('one\n`lowbit rum x`\n\n<!-- check: shown "no" -->\n' + fence("sh", "lowbit paln"),
                          "README.md:2: lowbit has no command `rum`", "README.md:6: lowbit has no command `paln`")


if __name__ == "__main__":
    unittest.main()
