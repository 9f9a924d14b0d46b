#!/usr/bin/env python3
"""Whether every error code is explained in docs/errors.md and triggered by a test, and every explained code exists.

    scripts/check_errors.py [ROOT]

A code is a string literal "LBdddd" in core/ or plugins/; its explanation is a heading `## LBdddd` in docs/errors.md;
a test counts when anything below tests/ mentions the code. Prints one line for each gap, exits 1 when there is one.
"""

import re
import sys
from pathlib import Path

SOURCES = {".h", ".hpp", ".c", ".cpp"}


def files_below(root, *tops):
    for top in tops:
        yield from (path for path in sorted((root / top).rglob("*")) if path.is_file())


def raised_codes(root):
    """Where each code is first raised: {code: "file:line"}."""
    places = {}
    for path in files_below(root, "core", "plugins"):
        if path.suffix in SOURCES:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                for code in re.findall(r'"(LB\d{4})"', line):
                    places.setdefault(code, f"{path.relative_to(root)}:{number}")
    return places


def explained_codes(root):
    """{code: line} of the headings in docs/errors.md, and the codes explained twice."""
    file = root / "docs" / "errors.md"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    explained, twice = {}, []
    for number, line in enumerate(lines, 1):
        match = re.match(r"## (LB\d{4})\b", line)
        if match and match[1] in explained:
            twice.append((match[1], number))
        elif match:
            explained[match[1]] = number
    return explained, twice


def gaps(root):
    raised = raised_codes(root)
    explained, twice = explained_codes(root)
    tested = set()
    for path in files_below(root, "tests"):
        tested |= set(re.findall(r"\bLB\d{4}\b", path.read_text(encoding="utf-8", errors="replace")))

    for code, place in sorted(raised.items()):
        if code not in explained:
            yield f"{place}: {code} has no entry `## {code}` in docs/errors.md"
        if code not in tested:
            yield f"{place}: {code} is mentioned by no test"
    for code, number in sorted(explained.items()):
        if code not in raised:
            yield f"docs/errors.md:{number}: {code} is explained, but nothing raises it"
    for code, number in twice:
        yield f"docs/errors.md:{number}: {code} is explained a second time"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(gaps(root))
    for line in found:
        print(line)
    if found:
        print(f"error: {len(found)} gap{'s' if len(found) > 1 else ''} between the code, docs/errors.md and the tests")
        return 1
    print("every error code is explained and tested")
    return 0


if __name__ == "__main__":
    sys.exit(main())
