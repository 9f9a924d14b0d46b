"""A Markdown page as scripts/check-docs sees it: blocks with their annotations, links, `lowbit` commands in code spans.

An annotation is a comment of one line, `<!-- check: WORD ARGUMENT -->`, which readers of the page do not see. All but
`run` stand on the lines before a fence; scripts/check-docs --help says what they mean.
"""

import re
import subprocess
from dataclasses import dataclass, field

COMMANDS = {"sh", "console"}
ROLES = {"shown", "file", "output"}
WORDS = ROLES | {"exit", "long", "run"}

FENCE = re.compile(r"^( *)(`{3,}|~{3,}) *([^`]*)$")
ANNOTATION = re.compile(r"^<!-- *check: *(\S+)(?: +(.*?))? *-->$")
LIST_ITEM = re.compile(r"^ *([-*+]|\d+[.)]) ")
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
LOWBIT_COMMAND = re.compile(r"(?:^|[\s;|&(])lowbit\s+([a-z][a-z0-9-]*)")


@dataclass
class Block:
    """What stands between two fences. `first` is the number of its first line in the page."""

    first: int
    language: str
    lines: list = field(default_factory=list)
    marks: dict = field(default_factory=dict)  # annotation: its argument

    @property
    def is_run(self):
        return self.language in COMMANDS and not ROLES & self.marks.keys()


@dataclass
class Command:
    line: int
    text: str
    shown: list  # lines of output that the page shows under it


class Page:
    def __init__(self, text):
        self.blocks = []
        self.problems = []  # [(line, what)]
        self.links = []  # [(line, target)]
        self.lowbit_commands = []  # [(line, name)]
        self.anchors = set()
        self.prose = []  # [(line, text)]
        self._read(text.splitlines())
        self._read_prose()
        for block in self.blocks:
            self._judge(block)

    def _problem(self, line, what):
        self.problems.append((line, what))

    def _read(self, lines):
        marks, block, closing = {}, None, None
        for number, line in enumerate(lines, 1):
            fence, annotation = FENCE.match(line), ANNOTATION.match(line.strip())
            if block is not None:
                if fence and fence[2].startswith(closing) and not fence[3]:
                    self.blocks.append(block)
                    block = None
                else:
                    block.lines.append(line[min(indent, len(line) - len(line.lstrip(" "))):])
            elif fence:
                indent, closing = len(fence[1]), fence[2]
                block, marks = Block(number + 1, fence[3].strip(), [], marks), {}
            elif annotation:
                self._annotate(number, annotation[1], annotation[2] or "", marks)
            else:
                if marks:
                    self._problem(number - 1, "no fence follows this annotation")
                    marks = {}
                self._look_for_indented_code(number, line, lines)
                self.prose.append((number, line))
        if block is not None:
            self._problem(block.first - 1, "this fence is never closed")
        if marks:
            self._problem(len(lines), "no fence follows this annotation")

    def _annotate(self, number, word, argument, marks):
        if word not in WORDS:
            self._problem(number, f"no annotation is called `{word}`: there are {', '.join(sorted(WORDS))}")
        elif word in marks:
            self._problem(number, f"`{word}` stands twice")
        elif word == "exit" and not re.fullmatch(r"[1-9]\d*", argument):
            self._problem(number, "`exit` wants the exit status, which is not 0")
        elif word == "shown" and not re.fullmatch(r'".+"', argument):
            self._problem(number, '`shown` wants a reason: shown "why it cannot run here"')
        elif word in ("file", "run") and not argument:
            self._problem(number, f"`{word}` wants an argument")
        elif word == "file" and (argument.startswith("/") or ".." in argument.split("/")):
            self._problem(number, "`file` wants a path below the directory that the page's commands are in")
        elif word == "run":
            self.blocks.append(Block(number, "sh", [argument]))
        else:
            marks[word] = argument

    def _look_for_indented_code(self, number, line, lines):
        """Code by indentation has no language and nothing can be said of it: it would escape."""
        if not line.startswith("    ") or number < 2 or lines[number - 2].strip():
            return
        before = [text for text in lines[:number - 1] if text.strip()]
        if not before or not (LIST_ITEM.match(before[-1]) or before[-1].startswith(" ")):
            self._problem(number, "code by indentation: put it between fences with a language")

    def _judge(self, block):
        fence = block.first - 1
        marks = block.marks
        if block.language in ("bash", "shell", "zsh"):
            self._problem(fence, f"`{block.language}`: commands are written as `sh`, commands with their output as "
                                 "`console`")
        elif not block.language:
            self._problem(fence, "a fence without a language; `sh` and `console` are run, `text` fits all else")
        elif len(ROLES & marks.keys()) > 1:
            self._problem(fence, f"only one of {', '.join(sorted(ROLES & marks.keys()))} can be meant")
        elif not block.is_run and not ROLES & marks.keys():
            self._problem(fence, f"this `{block.language}` block is neither run nor annotated as "
                                 f"{', '.join(sorted(ROLES))}")
        elif not block.is_run and {"exit", "long"} & marks.keys():
            self._problem(fence, "`exit` and `long` are for commands that are run")
        elif block.language == "console" and block.lines and not block.lines[0].startswith("$ "):
            self._problem(block.first, "a `console` block begins with a command, `$ ...`")

    def _read_prose(self):
        for number, line in self.prose:
            heading = re.match(r"^#{1,6} +(.*?) *#*$", line)
            if heading:
                self._add_anchor(heading[1])
        for paragraph in paragraphs(self.prose):
            first = paragraph[0][0]
            text = "\n".join(line for _, line in paragraph)
            for span in CODE_SPAN.finditer(text):
                self._find_lowbit(first + text.count("\n", 0, span.start()), span[2])
            without_code = CODE_SPAN.sub(lambda span: re.sub(r"[^\n]", " ", span[0]), text)
            for link in LINK.finditer(without_code):
                self.links.append((first + text.count("\n", 0, link.start(1)), link[1]))
        for block in self.blocks:
            if block.language in COMMANDS:
                for number, line in enumerate(block.lines, block.first):
                    self._find_lowbit(number, line)

    def _find_lowbit(self, line, text):
        self.lowbit_commands += [(line + text.count("\n", 0, found.start(1)), found[1])
                                 for found in LOWBIT_COMMAND.finditer(text)]

    def _add_anchor(self, heading):
        """The name that GitHub gives a heading; a second one of the same name gets -1, and so on."""
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = base = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        count = 0
        while name in self.anchors:
            count += 1
            name = f"{base}-{count}"
        self.anchors.add(name)


def paragraphs(lines):
    """[(number, text)] cut at empty lines: a stray backtick cannot reach beyond its paragraph."""
    paragraph = []
    for number, line in [*lines, (0, "")]:
        if line.strip():
            paragraph.append((number, line))
        elif paragraph:
            yield paragraph
            paragraph = []


def is_complete(text):
    """Whether the shell would run this, or wait for another line."""
    if text.endswith("\\"):
        return False
    told = subprocess.run(["bash", "-n", "-c", text], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return told.returncode == 0 and not told.stderr  # an unfinished here-document is only a warning


def commands(block):
    """The commands of a block. One goes on over lines for as long as the shell wants another; in a `console` block it
    begins with `$ `, and what stands under it is its output."""
    found, is_open = [], False
    for number, line in enumerate(block.lines, block.first):
        if is_open:
            found[-1].text += "\n" + line
        elif block.language == "console" and not line.startswith("$ "):
            if found:
                found[-1].shown.append(line)
            continue
        elif not line.strip() or line.lstrip().startswith("#"):
            continue
        else:
            found.append(Command(number, line.removeprefix("$ ") if block.language == "console" else line, []))
        is_open = not is_complete(found[-1].text)
    return found


# --- output that a page shows, and output that was printed ----------------------------------------------------------

TOLERATED = re.compile(r"(?P<clock>\d\d:\d\d:\d\d)|(?P<duration>\d+(?:\.\d+)? (?:ms|s|min|h)\b(?: \d+ s\b)?)"
                       r"|(?P<number>\d+\.\d+)|(?P<gap>…)|(?P<blank>\s+)")
PATTERNS = {"clock": r"\d\d:\d\d:\d\d", "duration": r"\d+(?:\.\d+)? (?:ms|s|min|h)\b(?: \d+ s\b)?",
            "number": r"(\d+\.\d+)", "gap": r"[^\n]*", "blank": r"[^\S\n]+"}
CLOSE = 0.05


def line_pattern(line):
    if line.strip() == "…":
        return r"(?:[^\n]*\n)*?"
    pattern, end = "", 0
    line = line.strip()
    for part in TOLERATED.finditer(line):
        pattern += re.escape(line[end:part.start()]) + PATTERNS[part.lastgroup]
        end = part.end()
    return r"[^\S\n]*" + pattern + re.escape(line[end:]) + r"[^\S\n]*\n"


def is_shown_as(shown, printed):
    """Whether a page's lines `shown` stand for the text `printed`; the rule is in scripts/check-docs --help."""
    pattern = "".join(line_pattern(line) for line in "\n".join(shown).strip("\n").split("\n"))
    match = re.fullmatch(pattern, printed.strip("\n") + "\n")
    if not match:
        return False
    numbers = [part["number"] for line in shown for part in TOLERATED.finditer(line) if part["number"]]
    return all(abs(float(was) - float(said)) <= CLOSE * abs(float(said))
               for said, was in zip(numbers, match.groups(), strict=True))
