#!/usr/bin/env python3
"""What a run leaves on a terminal, seen through a small terminal of our own.

    tests/e2e/terminal.py LOWBIT

Exits 1 and shows the screen when it is not what it should be.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

EXPERIMENT = """experiment: sweep
matrix: {{word: [a, b]}}
seeds: [0, 1]
stages:
  - {{id: first, use: lowbit.toy.seeded-source}}
  - {{id: slow, use: lowbit.toy.transform, with: {{in: first.out}}, params: {{text: "${{word}}", steps: 40, delay_ms: 60}}}}
  - {{id: bad, use: lowbit.toy.fail_until, params: {{path: {missing}, status: numeric}}}}
"""
LIMIT_S = 240


class Screen:
    """Text, `\\r`, `\\n`, cursor up, erase to the end of the screen; colours are dropped, anything else is an error."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [""], 0, 0
        self.seen = set()  # lines that stood on the screen at some time

    def write(self, text):
        for part in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+|.", text, re.S):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.seen.add(self.lines[self.row])
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif part.startswith("\x1b["):
                self.control(part)
            else:
                for character in part:
                    self.put(character)

    def put(self, character):
        if character < " ":
            raise SystemExit(f"error: control character {character!r} on the terminal")
        if self.column == self.columns:
            self.column = 0
            self.write("\n")
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + character + line[self.column + 1:]
        self.column += 1

    def control(self, sequence):
        if sequence.endswith("A"):
            self.row = max(0, self.row - int(sequence[2:-1]))
        elif sequence == "\x1b[J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1:]
        elif not sequence.endswith("m") and sequence not in ("\x1b[?2026h", "\x1b[?2026l"):
            raise SystemExit(f"error: unexpected sequence {sequence!r}")

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)


def run(words, directory, columns, rows, environment, resize=None):
    """(exit status, what was written, the screen)"""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory)
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        os.execve(words[0], words, {**inherited, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment})
    screen, written, decoder = Screen(columns), "", codecs.getincrementaldecoder("utf-8")()
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        text = decoder.decode(data)
        written += text
        screen.write(text)
        if resize and "left" in written:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, resize, 0, 0))
            resize = None
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written, screen


def expect(condition, what, screen):
    if not condition:
        raise SystemExit(f"error: {what}\n--- screen\n{screen.text()}\n---")


def main():
    lowbit = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "lowbit.yaml").touch()

        def fresh(project):
            (directory / project).mkdir()
            (directory / project / "lowbit.yaml").touch()
            text = EXPERIMENT.format(missing=directory / "missing")
            (directory / project / "experiment.yaml").write_text(text, encoding="utf-8")
            return directory / project

        place = fresh("plain-colours")
        status, written, screen = run([lowbit, "run", "experiment.yaml"], place, 100, 24, {})
        expect(status == 1, f"exit status {status}", screen)
        expect("\x1b[31m" in written and "\x1b[32m" in written, "no colours", screen)
        lines = screen.text().splitlines()
        where = [i for i, line in enumerate(lines) if line.startswith("sweep  ")]
        expect(len(where) == 1, f"{len(where)} pictures remain", screen)
        picture = lines[where[0]:]
        expect(re.fullmatch(r"sweep  [\d.]+ s  7/7: 1 failed 6 done", picture[0]), "the first line", screen)
        expect(picture[1:6] == ["        first  slow  bad", "        ✓✓           ✗", "word=a         ✓✓",
                                "word=b         ✓✓", "✗ failed  ✓ done"], "the matrix", screen)
        expect(picture[6].startswith("6 done, 1 failed in "), "the summary", screen)
        expect(any("FAIL    bad" in line for line in lines[: where[0]]), "the failure stays above the picture", screen)
        expect(any(re.match(r"▶ slow\[word=a,seed=0\] .* of 40 steps", line) for line in screen.seen),
               "no progress was shown", screen)
        expect(any(line.startswith("✗ bad  the file is not there yet") for line in screen.seen), "failures first", screen)

        place = fresh("no-colours")
        status, written, screen = run([lowbit, "run", "experiment.yaml"], place, 100, 24, {"NO_COLOR": "1"})
        expect(status == 1, f"exit status {status}", screen)
        expect(not re.search(r"\x1b\[\d*m", written), "colours in spite of NO_COLOR", screen)
        expect("✓✓" in screen.text(), "the matrix", screen)

        status, written, screen = run([lowbit, "retry", "experiment.yaml", "--failed"], place, 100, 24,
                                      {"LC_ALL": "C", "LANG": "C"})
        expect(status == 1, f"exit status {status}", screen)
        expect("x failed  = reused" in screen.text() and "✓" not in written, "ASCII marks", screen)

        place = fresh("narrow")
        status, written, screen = run([lowbit, "run", "experiment.yaml"], place, 100, 24, {}, resize=44)
        expect(status == 1, f"exit status {status}", screen)
        expect("sweep  " in screen.text(), "the picture", screen)

        for project, words, environment in (("plain", ["--plain"], {}), ("dumb", [], {"TERM": "dumb"}),
                                            ("json", ["--json"], {})):
            place = fresh(project)
            status, written, screen = run([lowbit, "run", "experiment.yaml", *words], place, 100, 24, environment)
            expect(status == 1, f"exit status {status} of {project}", screen)
            expect("\x1b" not in written, f"control sequences with {project}", screen)
            expect("FAIL" in written, f"no lines with {project}", screen)
    print("the terminal shows what it should")
    return 0


if __name__ == "__main__":
    sys.exit(main())
